"""Recall: how much of what should be found was, where ties count as right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from typing import Self

    import numpy.typing as npt

TOLERANCE = 1e-5  # relative; two orders of summing one score differ by less


class Wanted(NamedTuple):
    """What should be found of each query: so many documents, of at least so much score.

    Where fewer documents than asked for score above 0, all of them are wanted.
    """

    counts: npt.NDArray[np.int64]
    """Shape (n_queries,)."""
    lowest: npt.NDArray[np.float64]
    """Shape (n_queries,); infinite where nothing is wanted."""

    @classmethod
    def of(cls, scores: npt.ArrayLike) -> Self:
        """Return what is wanted where the best scores, shape (n_queries, k), are these; none of 0 and less."""
        best = np.asarray(scores, np.float64)
        there = best > 0
        lowest = np.where(there, best, np.inf).min(axis=1, initial=np.inf) * (1 - TOLERANCE)
        return cls(there.sum(axis=1, dtype=np.int64), lowest)

    def part(self, rows: slice | npt.NDArray[np.int64]) -> Self:
        """Return what is wanted of some of the queries."""
        return type(self)(self.counts[rows], self.lowest[rows])

    def found(self, scores: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return how many of the wanted documents were found, shape (n_queries,).

        `scores` are of what was found, each document once, shape (n_queries, any), -inf where it is none.
        """
        enough = np.asarray(scores) >= self.lowest[:, np.newaxis]
        return np.asarray(np.minimum(enough.sum(axis=1), self.counts), np.int64)

    def recall(self, scores: npt.ArrayLike) -> float:
        """Return the fraction of the wanted documents that was found; nan where none is wanted. See `found`."""
        wanted = int(self.counts.sum())
        return int(self.found(scores).sum()) / wanted if wanted else math.nan
