"""What a search of a collection returns: ids as they were given, payloads when they are asked for."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher._extras import required
from thresher.collection.documents import id_array
from thresher.collection.filters.fields import values_at

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from thresher.collection.catalogue import Id

    Ids = npt.NDArray[np.object_]
    Scores = npt.NDArray[np.float32]

_SHOWN = 10


class CollectionHits:
    """Ids and scores of the best documents of a collection, best first.

    A batch of queries gives arrays of shape (n_queries, k), a single query of shape (k,). It unpacks: ``ids, scores =
    collection.search(queries)``.

    Attributes
    ----------
    scores
        float32, in descending order; of equal scores the document that was upserted earlier comes first. Where there
        are fewer hits, the rest is -inf.
    seqs
        int64, the number of each document's upsert; -1 where there is no hit.
    exact
        bool, (n_queries,) or (): whether a query's hits are proven to be the best there are.
    groups
        With `group_by`, the value of the field for each hit, an array of objects like `ids`; otherwise None.
    """

    def __init__(
        self,
        seqs: npt.NDArray[np.int64],
        scores: Scores,
        exact: npt.NDArray[np.bool_],
        *,
        ids_of: Callable[[npt.NDArray[np.int64]], list[Id]],
        payloads_of: Callable[[npt.NDArray[np.int64]], list[dict[str, Any]]],
        offsets: npt.NDArray[np.int64] | None = None,
        groups: Ids | None = None,
        fields: Sequence[str] | None = None,
        before: Sequence[Sequence[Id]] | None = None,
    ) -> None:
        """Wrap arrays.

        Parameters
        ----------
        seqs, scores, exact, groups
            The attributes.
        ids_of, payloads_of
            Give what documents have, by the numbers of their upserts.
        offsets
            Where each query's hits begin, of hits one behind the other.
        fields
            Those that payloads are to have; None for all.
        before
            For each query the ids of the pages before.
        """
        self.seqs = seqs
        self.scores = scores
        self.exact = exact
        self.groups = groups
        self.offsets = offsets
        self._ids_of = ids_of
        self._payloads_of = payloads_of
        self._fields = fields
        self._before = before
        self._ids: Ids | None = None
        self._payloads: dict[int, dict[str, Any]] | None = None
        self._is_all = False

    @property
    def ids(self) -> Ids:
        """Ids, an array of objects, None where there is no hit."""
        if self._ids is None:
            flat = self.seqs.ravel()
            there = flat >= 0
            ids = np.full(flat.size, None, dtype=object)
            ids[there] = id_array(self._ids_of(flat[there]))
            self._ids = ids.reshape(self.seqs.shape)
        return self._ids

    @property
    def is_single(self) -> bool:
        """Whether they are of one query."""
        return self.seqs.ndim == 1 and self.offsets is None

    @property
    def cursor(self) -> list[Any]:
        """Where the next page begins: the ids of this page and of those before it, a list for each query.

        ``collection.search(queries, k, after=hits)`` goes on from it, and takes it in the place of the hits. It is
        plain: it can be kept as JSON, and used in another process, and on later versions of the collection. Of a
        single query it is one list.

        Raises
        ------
        ValueError
            Of a search for all hits, which has no next page.
        """
        if self.offsets is not None or self._is_all:
            raise ValueError("a search for all hits has no next page")
        before = self._before or [[] for _ in self.exact.reshape(-1)]
        rows = [[*old, *new] for old, (new, _) in zip(before, self.rows(), strict=True)]
        return rows[0] if self.is_single else rows

    def only(self) -> CollectionHits:
        """Return the hits of a batch of one query as those of a single one; or raise ValueError if there are more."""
        if self.exact.shape != (1,):
            raise ValueError(f"search_one takes one query, got {self.exact.size}: search takes several")
        ragged = self.offsets is not None
        hits = CollectionHits(
            self.seqs if ragged else self.seqs[0],
            self.scores if ragged else self.scores[0],
            self.exact[0, ...],
            ids_of=self._ids_of,
            payloads_of=self._payloads_of,
            groups=self.groups if ragged or self.groups is None else self.groups[0],
            fields=self._fields,
            before=self._before,
        )
        hits._payloads, hits._is_all = self._payloads, ragged
        return hits

    def payloads(self) -> list[Any]:
        """Return the payloads of the hits, as they were in the version that was searched.

        Returns
        -------
        list
            A list of dicts for each query, as `rows` has the hits; of a single query, its list. If the search was told
            fields to `include`, with these alone.
        """
        rows = [[self._payload(seq) for seq in self.seqs[at].tolist()] for at in self._slices()]
        return rows[0] if self.is_single else rows

    def rows(self) -> Iterator[tuple[Ids, Scores]]:
        """Yield ids and scores of each query's hits, without the padding.

        Yields
        ------
        tuple of numpy.ndarray
            Ids and scores, shape (n,), best first. A single query has one row.
        """
        for at in self._slices():
            yield self.ids[at], self.scores[at]

    def to_dicts(self, *, payloads: bool = True) -> list[Any]:
        """Return the hits as dicts ``{"id": ..., "score": ..., "payload": {...}}``, best first.

        Parameters
        ----------
        payloads
            Whether they have payloads.

        Returns
        -------
        list
            A list of dicts for each query; of a single query, its list. With `group_by` they have a ``"group"``.
        """
        rows = []
        for at in self._slices():
            found = [
                {"id": one, "score": float(score)} for one, score in zip(self.ids[at], self.scores[at], strict=True)
            ]
            if payloads:
                for hit, seq in zip(found, self.seqs[at].tolist(), strict=True):
                    hit["payload"] = self._payload(seq)
            if self.groups is not None:
                for hit, group in zip(found, self.groups[at], strict=True):
                    hit["group"] = group
            rows.append(found)
        return rows[0] if self.is_single else rows

    def _columns(self, *, payloads: bool) -> dict[str, Any]:
        """Return a hit a row: query, rank, id, score, and a column for each field of the payloads."""
        slices = list(self._slices())
        lengths = [self.scores[at].size for at in slices]
        table: dict[str, Any] = {
            "query": np.repeat(np.arange(len(slices)), lengths),
            "rank": np.concatenate([np.zeros(0, np.int64), *(np.arange(1, n + 1) for n in lengths)]),
            "id": [one for at in slices for one in self.ids[at]],
            "score": np.concatenate([np.zeros(0, np.float32), *(self.scores[at] for at in slices)]),
        }
        if self.groups is not None:
            table["group"] = [group for at in slices for group in self.groups[at]]
        if payloads:
            found = [self._payload(seq) for at in slices for seq in self.seqs[at].tolist()]
            for field in sorted({field for payload in found for field in payload}):
                table[field if field not in table else f"payload.{field}"] = [payload.get(field) for payload in found]
        return table

    def to_pandas(self, *, payloads: bool = True) -> pd.DataFrame:
        """Return the hits as a table: ``query``, ``rank`` (from 1), ``id``, ``score``, ``group``, fields of payloads.

        Parameters
        ----------
        payloads
            Whether the fields of payloads are columns; one that is called as another column is ``payload.`` and that.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = required("pandas", "to_pandas needs pandas", "pandas")
        table: pd.DataFrame = pandas.DataFrame(self._columns(payloads=payloads))
        return table

    def to_arrow(self, *, payloads: bool = True) -> pa.Table:
        """Return the table of `to_pandas` as Arrow; a field of values of several kinds is their JSON.

        Parameters
        ----------
        payloads
            Whether the fields of payloads are columns.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        """
        arrow = required("pyarrow", "to_arrow needs pyarrow", "arrow")
        columns = {name: _arrow_of(arrow, values) for name, values in self._columns(payloads=payloads).items()}
        table: pa.Table = arrow.table(columns)
        return table

    def _payload(self, seq: int) -> dict[str, Any]:
        if self._payloads is None:
            wanted = np.unique(self.seqs[self.seqs >= 0])
            found = self._payloads_of(wanted)
            if self._fields is not None:
                found = [_some(payload, self._fields) for payload in found]
            self._payloads = dict(zip(wanted.tolist(), found, strict=True))
        return self._payloads[seq]

    def _slices(self) -> Iterator[Any]:
        """Yield what takes the hits of each query out of the arrays."""
        if self.offsets is not None:
            for begin, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
                yield slice(begin, end)
        elif self.is_single:
            yield slice(0, int(np.count_nonzero(self.seqs >= 0)))
        else:
            for row in range(self.seqs.shape[0]):
                yield (row, slice(0, int(np.count_nonzero(self.seqs[row] >= 0))))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle them with their ids and payloads."""
        seqs = np.unique(self.seqs[self.seqs >= 0])
        if seqs.size:
            self._payload(int(seqs[0]))  # reads those of all
        ids = dict(zip(self.seqs.ravel().tolist(), self.ids.ravel().tolist(), strict=True))
        kept = {
            "seqs": self.seqs, "scores": self.scores, "exact": self.exact, "offsets": self.offsets,
            "groups": self.groups, "before": self._before,
        }  # fmt: skip
        return _unpickled, (type(self), kept, (ids, self._payloads or {}), {"_is_all": self._is_all})

    def __iter__(self) -> Iterator[Any]:
        """Unpack into ids and scores."""
        return iter((self.ids, self.scores))

    def __len__(self) -> int:
        """Two, as of a pair: ``ids, scores = hits``."""
        return 2

    def __getitem__(self, place: int) -> Any:  # noqa: ANN401 - ids or scores
        """Return ids, 0, or scores, 1."""
        return (self.ids, self.scores)[place]

    def __repr__(self) -> str:
        """Show the arrays."""
        return f"CollectionHits(ids={self.ids!r}, scores={self.scores!r}, exact={self.exact!r})"

    def _repr_html_(self) -> str:
        """Show the best hits of the first queries as a table."""
        lines = ["<table><thead><tr><th>query</th><th>hits: id (score)</th></tr></thead><tbody>"]
        for number, (ids, scores) in enumerate(self.rows()):
            if number == _SHOWN:
                break
            shown = ", ".join(f"{one} ({score:.4g})" for one, score in zip(ids[:_SHOWN], scores[:_SHOWN], strict=True))
            lines.append(f"<tr><td>{number}</td><td>{html.escape(shown) or 'none'}</td></tr>")
        return "".join([*lines, "</tbody></table>"])


def _unpickled(
    kind: type[CollectionHits], kept: dict[str, Any], read: tuple[dict[int, Any], ...], state: dict[str, Any]
) -> CollectionHits:
    """Return hits that know the ids and payloads that were `read` of them."""
    ids, payloads = read
    hits = kind(
        **kept,
        ids_of=lambda some: [ids[seq] for seq in some.tolist()],
        payloads_of=lambda some: [payloads[seq] for seq in some.tolist()],
    )
    vars(hits).update(state)
    return hits


def _arrow_of(pa: Any, values: Any) -> Any:  # noqa: ANN401 - pyarrow, which is not always there
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else json.dumps(value, ensure_ascii=False) for value in values])


def _some(payload: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return those fields of a payload that it has; a path of dots leads into objects, and through lists of them."""
    found = {field: values_at(payload, field) for field in fields}
    return {field: values[0] if len(values) == 1 else values for field, values in found.items() if values}
