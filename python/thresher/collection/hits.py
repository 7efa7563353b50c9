"""What a search of a collection returns: ids as they were given, payloads when they are asked for."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher._extras import missing
from thresher.collection.documents import id_array

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
    ) -> None:
        """Wrap arrays; `offsets`: where each query's hits begin, of hits one behind the other."""
        self.seqs = seqs
        self.scores = scores
        self.exact = exact
        self.groups = groups
        self.offsets = offsets
        self._ids_of = ids_of
        self._payloads_of = payloads_of
        self._ids: Ids | None = None
        self._payloads: dict[int, dict[str, Any]] | None = None

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

    def payloads(self) -> list[Any]:
        """Return the payloads, as `rows` has the hits: a list of dicts for each query; of one query, its list.

        They are those of the version that was searched.
        """
        rows = [[self._payload(seq) for seq in self.seqs[at].tolist()] for at in self._slices()]
        return rows[0] if self.is_single else rows

    def rows(self) -> Iterator[tuple[Ids, Scores]]:
        """Yield ids and scores of each query's hits, without the padding: best first. A single query has one row."""
        for at in self._slices():
            yield self.ids[at], self.scores[at]

    def to_dicts(self, *, payloads: bool = True) -> list[Any]:
        """Return the hits as dicts ``{"id": ..., "score": ..., "payload": {...}}``: a list of them for each query."""
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
        if payloads:
            found = [self._payload(seq) for at in slices for seq in self.seqs[at].tolist()]
            for field in sorted({field for payload in found for field in payload}):
                table[field if field not in table else f"payload.{field}"] = [payload.get(field) for payload in found]
        return table

    def to_pandas(self, *, payloads: bool = True) -> pd.DataFrame:
        """Return the hits as a table: ``query``, ``rank`` (from 1), ``id``, ``score``, and the fields of payloads.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - an extra
        except ImportError:
            raise ImportError(missing("to_pandas needs pandas", "pandas")) from None
        return pd.DataFrame(self._columns(payloads=payloads))

    def to_arrow(self, *, payloads: bool = True) -> pa.Table:
        """Return the same table as Arrow.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        """
        try:
            import pyarrow as pa  # noqa: PLC0415 - an extra
        except ImportError:
            raise ImportError(missing("to_arrow needs pyarrow", "arrow")) from None
        return pa.table(self._columns(payloads=payloads))

    def _payload(self, seq: int) -> dict[str, Any]:
        if self._payloads is None:
            wanted = np.unique(self.seqs[self.seqs >= 0])
            self._payloads = dict(zip(wanted.tolist(), self._payloads_of(wanted), strict=True))
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
