"""Which documents each query of a search may find: what filters leave, without those that are excluded.

Sets of documents are packed bits, part by part. What holds for all queries is put together once; what each query has of
its own is made when the query's turn comes, so that a large batch takes no memory for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from thresher.collection.filters import bits
from thresher.collection.filters.bits import Bits

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.view import View

Sets: TypeAlias = Sequence[Bits]
"""Documents of each part of a view."""
OfQuery: TypeAlias = Callable[[int], Sets]
"""Gives those of a query, by its number."""

_MAX_BYTES = 2**27  # of sets that queries have of their own, at once


class Narrowing:
    """The live documents of a view, less what each step takes off. Never changed: steps return another."""

    def __init__(self, view: View, shared: Sets | None = None, each: tuple[OfQuery, ...] = ()) -> None:
        """Begin with all live documents; `shared` and `each` are what steps hand on."""
        self._view = view
        self._live: Sets = [part.live for part in view.parts]
        self.shared: Sets = self._live if shared is None else shared
        self._each = each

    def within(self, some: Sets) -> Narrowing:
        """Leave these documents alone, for all queries."""
        return Narrowing(self._view, self._both(self.shared, some), self._each)

    def within_each(self, of: OfQuery) -> Narrowing:
        """Leave for each query the documents that are its own."""
        return Narrowing(self._view, self.shared, (*self._each, of))

    def without(self, seqs: npt.NDArray[np.int64]) -> Narrowing:
        """Take documents off for all queries, by the numbers of their upserts."""
        return self.within(self._others(seqs)) if len(seqs) else self

    def without_each(self, seqs: Sequence[npt.NDArray[np.int64]]) -> Narrowing:
        """Take documents off, of each query its own."""
        return self.within_each(lambda query: self._others(seqs[query])) if any(map(len, seqs)) else self

    @property
    def at_once(self) -> int:
        """Queries whose sets may be in memory at once."""
        n_bytes = sum(some.nbytes for some in self._live) + 1
        return max(_MAX_BYTES // n_bytes, 1) if self._each else 2**62

    def of(self, queries: Sequence[int]) -> list[Bits | list[Bits]]:
        """Return for each part what queries may find there: bits for all of them, or for each."""
        if not self._each:
            return list(self.shared)
        rows = [self.of_query(query) for query in queries]
        return [[row[number] for row in rows] for number in range(len(self._live))]

    def of_query(self, query: int) -> Sets:
        """Return what a query may find in each part."""
        left = self.shared
        for of in self._each:
            left = self._both(left, of(query))
        return left

    def _both(self, one: Sets, other: Sets) -> Sets:
        """Return what is in both; sets that need not change stay the same objects, which searches know again."""
        return [
            b if a is live else a if b is live else a & b for a, b, live in zip(one, other, self._live, strict=True)
        ]

    def _others(self, seqs: npt.NDArray[np.int64]) -> Sets:
        """Return the live documents but for some."""
        others = list(self._live)
        for located in self._view.locate(seqs):
            gone = np.zeros(len(self._view.parts[located.part].segment), np.bool_)
            gone[located.places] = True
            others[located.part] = others[located.part] & ~bits.pack(gone)
        return others


def among(view: View, seqs: npt.NDArray[np.int64]) -> Sets:
    """Return documents as sets, by the numbers of their upserts."""
    found = [bits.none(len(part.segment)) for part in view.parts]
    for located in view.locate(seqs):
        part = view.parts[located.part]
        mask = np.zeros(len(part.segment), np.bool_)
        mask[located.places] = True
        found[located.part] = bits.pack(mask) & part.live
    return found
