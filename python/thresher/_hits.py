"""What a search returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


class _Pair(NamedTuple):
    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


class Hits(_Pair):
    """Ids and scores of the best documents, best first.

    A batch of queries gives arrays of shape (n_queries, k), a single query (`Index.search_one`) arrays of shape
    (k,). It unpacks: ``ids, scores = index.search(queries)``.

    Attributes
    ----------
    ids
        int64 document ids: rows of the matrix that the index was built from. Where fewer than k documents have a
        positive score, the rest is -1.
    scores
        float32 inner products of the given weights, in descending order; ties are in ascending order of ids. The
        rest is -inf. A product beyond float32 is inf.
    """

    _complete: npt.NDArray[np.bool_] | None = None

    def __new__(
        cls,
        ids: npt.NDArray[np.int64],
        scores: npt.NDArray[np.float32],
        complete: npt.NDArray[np.bool_] | None = None,
    ) -> Self:
        """Wrap the arrays; `complete` of None stands for a search that nothing could stop."""
        hits = tuple.__new__(cls, (ids, scores))
        if complete is not None:
            hits._complete = complete  # noqa: SLF001 - of this class
        return hits

    @property
    def complete(self) -> npt.NDArray[np.bool_]:
        """Whether each query's search ended by itself, rather than at a budget or deadline: bool, shape (n_queries,).

        Of a single query the shape is (). Only `ImpactIndex` takes such limits; where its answer is complete, it is
        exact.
        """
        if self._complete is None:
            return np.ones(self.ids.shape[:-1], dtype=np.bool_)
        return self._complete
