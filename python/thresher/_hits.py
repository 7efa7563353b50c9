"""What a search returns."""

from __future__ import annotations

import html
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypedDict

import numpy as np

from thresher._extras import required

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Ids: TypeAlias = npt.NDArray[np.int64]
    Scores: TypeAlias = npt.NDArray[np.float32]

_SHOWN_QUERIES, _SHOWN_HITS = 10, 10


class HitDict(TypedDict):
    """A hit as `to_dicts` gives it."""

    id: Any
    score: float


class _Listed:
    """What hits of any shape can be turned into, by way of their rows."""

    __slots__ = ()

    @property
    def _is_single(self) -> bool:
        """Whether they are of a single query."""
        raise NotImplementedError

    def rows(self) -> Iterator[tuple[Ids, Scores]]:
        """Yield ids and scores of each query's hits, without the padding: best first.

        A single query has one row.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> index = thresher.ExactIndex.build(docs)
        >>> for ids, scores in index.search([{0: 1.0}, {2: 1.0}], k=2).rows():
        ...     print(ids.tolist(), scores.tolist())
        [0] [1.0]
        [0, 1] [2.0, 0.5]
        """
        raise NotImplementedError

    def to_dicts(self, ids: Sequence[Any] | npt.NDArray[Any] | None = None) -> list[Any]:
        """Return the hits as dicts ``{"id": ..., "score": ...}``: a list of them for each query, best first.

        Parameters
        ----------
        ids
            What documents are called outside, by id: a sequence or array. None for the ids themselves.

        Returns
        -------
        list
            A list of dicts for each query; of a single query, its list.
        """
        rows = [
            [HitDict(id=_named(ids, doc), score=float(score)) for doc, score in zip(found, scores, strict=True)]
            for found, scores in self.rows()
        ]
        return rows[0] if self._is_single else rows

    def to_pandas(self, ids: Sequence[Any] | npt.NDArray[Any] | None = None) -> pd.DataFrame:
        """Return the hits as a table, a hit a row: ``query`` (its row), ``rank`` (from 1), ``id`` and ``score``.

        Parameters
        ----------
        ids
            As for `to_dicts`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = required("pandas", "to_pandas needs pandas", "pandas")
        rows = list(self.rows())
        lengths = [len(found) for found, _ in rows]
        found = np.concatenate([np.zeros(0, np.int64), *(row for row, _ in rows)])
        table: pd.DataFrame = pandas.DataFrame(
            {
                "query": np.repeat(np.arange(len(rows)), lengths),
                "rank": np.concatenate([np.zeros(0, np.int64), *(np.arange(1, n + 1) for n in lengths)]),
                "id": found if ids is None else [_named(ids, doc) for doc in found],
                "score": np.concatenate([np.zeros(0, np.float32), *(scores for _, scores in rows)]),
            }
        )
        return table

    def _repr_html_(self) -> str:
        """Show the best hits of the first queries as a table."""
        rows = list(self.rows())
        lines = ["<table><thead><tr><th>query</th><th>hits: id (score)</th></tr></thead><tbody>"]
        for number, (ids, scores) in enumerate(rows[:_SHOWN_QUERIES]):
            shown = ", ".join(
                f"{doc} ({score:.4g})"
                for doc, score in zip(ids[:_SHOWN_HITS].tolist(), scores[:_SHOWN_HITS].tolist(), strict=True)
            )
            more = ", ..." if len(ids) > _SHOWN_HITS else ""
            lines.append(f"<tr><td>{number}</td><td>{html.escape(shown + more) or 'none'}</td></tr>")
        lines.append("</tbody></table>")
        if len(rows) > _SHOWN_QUERIES:
            lines.append(f"<p>{len(rows):,} queries</p>")
        return "".join(lines)


class _Pair(NamedTuple):
    ids: Ids
    scores: Scores


class Hits(_Listed, _Pair):
    """Ids and scores of the best documents, best first.

    A batch of queries gives arrays of shape (n_queries, min(k, n_docs)), a single query (`Index.search_one`) arrays of
    shape (min(k, n_docs),). It unpacks: ``ids, scores = index.search(queries)``. Arrays are padded where a query has
    fewer hits; `rows`, `to_dicts` and `to_pandas` have the hits alone.

    Attributes
    ----------
    ids
        int64 document ids: rows of the matrix that the index was built from. Where there are fewer hits, the rest is
        -1, which is no document, though numpy takes it for the last.
    scores
        float32 inner products of the given weights, in descending order; ties are in ascending order of ids. The
        rest is -inf. A product beyond float32 is inf.
    """

    _exact: npt.NDArray[np.bool_] | bool | None = None
    _before: Ids | None = None

    def __new__(
        cls,
        ids: Ids,
        scores: Scores,
        exact: npt.NDArray[np.bool_] | bool | None = None,
        before: Ids | None = None,
    ) -> Self:
        """Wrap the arrays; `exact` of None claims nothing. `before`: the cursor of the page before."""
        hits = tuple.__new__(cls, (ids, scores))
        if exact is not None:
            hits._exact = exact  # noqa: SLF001 - of this class
        if before is not None:
            hits._before = before  # noqa: SLF001
        return hits

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Whether each query's hits are proven to be the best there are: bool, shape (n_queries,), or () of one query.

        Always true of engines that are exact, unless a budget, a cut or a deadline was set; and of an approximate
        search that looked at all that could matter. Where it is false, hits have their right scores all the same, but
        a better document may be missing.
        """
        if self._exact is None:
            return np.zeros(self.ids.shape[:-1], dtype=np.bool_)
        return np.asarray(self._exact)

    @property
    def complete(self) -> npt.NDArray[np.bool_]:
        """The former name of `exact`; it goes with the next version."""
        warnings.warn("Hits.complete is called exact now", DeprecationWarning, stacklevel=2)
        return self.exact

    @property
    def cursor(self) -> Ids:
        """Where the next page begins: the ids of this page and of those before it, shape (n_queries, any).

        ``index.search(queries, k, after=hits)`` goes on from it, and takes it in the place of the hits, so that it can
        be kept. Padded with -1; of a single query one-dimensional.
        """
        return self.ids if self._before is None else np.concatenate([self._before, self.ids], axis=-1)

    @property
    def _is_single(self) -> bool:
        return self.ids.ndim == 1

    def rows(self) -> Iterator[tuple[Ids, Scores]]:
        for ids, scores in zip(np.atleast_2d(self.ids), np.atleast_2d(self.scores), strict=True):
            n = int(np.count_nonzero(ids >= 0))
            yield ids[:n], scores[:n]

    def _replace(self, **changed: Any) -> Self:  # noqa: ANN401 - arrays
        """Return the same hits with other `ids`, `scores` or `exact`; with other `ids` they are a first page."""
        kept: dict[str, Any] = {"ids": self.ids, "scores": self.scores, "exact": self._exact, "before": self._before}
        if "ids" in changed:
            kept["before"] = None
        return type(self)(**(kept | changed))

    def __eq__(self, other: object) -> bool:
        """Return whether ids, scores and what is exact are the same."""
        if not isinstance(other, Hits) or isinstance(other, AllHits) != isinstance(self, AllHits):
            return False
        return (
            np.array_equal(self.ids, other.ids)
            and np.array_equal(self.scores, other.scores)
            and np.array_equal(self.exact, other.exact)
        )

    def __ne__(self, other: object) -> bool:
        """Return whether they differ."""
        return not self.__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the arrays."""
        return f"Hits(ids={self.ids!r}, scores={self.scores!r}, exact={self.exact!r})"


Hits.rows.__doc__ = _Listed.rows.__doc__


class AllHits(Hits):
    """All documents that a search with ``k=None`` found, as many as each query has.

    Attributes
    ----------
    ids
        int64 ids of all queries' hits, one query's behind the other's, best first; shape (n,).
    scores
        Their float32 scores, shape (n,).
    offsets
        Where each query's hits begin, and the end: int64, shape (n_queries + 1,).
    """

    offsets: Ids

    def __new__(cls, ids: Ids, scores: Scores, offsets: Ids, exact: npt.NDArray[np.bool_]) -> Self:
        """Wrap the arrays."""
        hits = super().__new__(cls, ids, scores, exact)
        hits.offsets = offsets
        return hits

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Return what makes the same hits."""
        return self.ids, self.scores, self.offsets, self.exact

    @property
    def cursor(self) -> Ids:
        """There is no page after all hits."""
        raise ValueError("a search for all hits has no next page")

    @property
    def _is_single(self) -> bool:
        return False

    def rows(self) -> Iterator[tuple[Ids, Scores]]:
        for begin, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield self.ids[begin:end], self.scores[begin:end]

    def _replace(self, **changed: Any) -> Self:  # noqa: ANN401 - arrays
        """Return the same hits with other `ids`, `scores`, `offsets` or `exact`."""
        kept: dict[str, Any] = {"ids": self.ids, "scores": self.scores, "offsets": self.offsets, "exact": self.exact}
        return type(self)(**(kept | changed))

    def __eq__(self, other: object) -> bool:
        """Return whether all arrays are the same."""
        if not isinstance(other, AllHits):
            return False
        return super().__eq__(other) and np.array_equal(self.offsets, other.offsets)

    __hash__ = None

    def __repr__(self) -> str:
        """Say how many there are."""
        return f"<AllHits: {len(self.ids):,} documents for {len(self.offsets) - 1:,} queries>"


AllHits.rows.__doc__ = _Listed.rows.__doc__


def _named(ids: Sequence[Any] | npt.NDArray[Any] | None, doc: np.int64) -> Any:  # noqa: ANN401 - the caller's ids
    """Return what a document is called: of a numpy array, as Python has it."""
    if ids is None:
        return int(doc)
    name = ids[int(doc)]
    return name.item() if isinstance(name, np.generic) else name
