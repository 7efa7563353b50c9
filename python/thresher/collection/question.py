"""A search as it was asked, checked; and what it finds, query by query.

What is made of hits, such as groups and boosts, asks more than once, each time deeper: `Question.find` is what it asks.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher.collection.batches import chosen
from thresher.collection.searching import Found, Request, find

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.narrowing import Narrowing
    from thresher.collection.view import View
    from thresher.engines.options import Progress

# How much deeper each search looks than the one before, where that was not deep enough.
DEEPER = 4


class Row(NamedTuple):
    """A query's hits, best first."""

    seqs: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]

    def first(self, k: int) -> Row:
        """Return the best k of them."""
        return Row(self.seqs[:k], self.scores[:k])


class Ranking(NamedTuple):
    """The hits of queries, and which of the queries' are proven to be the best."""

    rows: list[Row]
    exact: npt.NDArray[np.bool_]

    @staticmethod
    def of(found: Found) -> Ranking:
        """Take the hits out of arrays."""
        if found.offsets is not None:
            ends = zip(found.offsets[:-1], found.offsets[1:], strict=True)
            return Ranking([Row(found.seqs[begin:end], found.scores[begin:end]) for begin, end in ends], found.exact)
        lengths = np.count_nonzero(found.seqs >= 0, axis=1).tolist()
        rows = [Row(seqs[:n], scores[:n]) for seqs, scores, n in zip(found.seqs, found.scores, lengths, strict=True)]
        return Ranking(rows, found.exact)

    def found(self, width: int | None) -> Found:
        """Put the hits into arrays of a width, or one behind the other for None."""
        n = len(self.rows)
        if width is None:
            offsets = np.zeros(n + 1, np.int64)
            np.cumsum([len(row.seqs) for row in self.rows], out=offsets[1:])
            return Found(
                np.concatenate([np.zeros(0, np.int64), *(row.seqs for row in self.rows)]),
                np.concatenate([np.zeros(0, np.float32), *(row.scores for row in self.rows)]),
                self.exact,
                offsets,
            )
        seqs = np.full((n, width), -1, np.int64)
        scores = np.full((n, width), -np.inf, np.float32)
        for number, row in enumerate(self.rows):
            seqs[number, : len(row.seqs)], scores[number, : len(row.seqs)] = row
        return Found(seqs, scores, self.exact)


@dataclasses.dataclass(frozen=True)
class Question:
    """What a search asks of a view.

    Attributes
    ----------
    view, vector, queries
        What is searched, and by what.
    allowed
        The documents that each query may find.
    options
        Of the core's `SearchOptions`, by name.
    dials
        Search parameters of engines, by name.
    progress
        As in `Index.search`.
    page
        How many documents pages before had, at most: approximate engines look as much deeper.
    started
        When it was asked, in seconds of `time.monotonic`.
    """

    view: View
    vector: str
    queries: CsrArrays
    allowed: Narrowing
    options: Mapping[str, Any]
    dials: Mapping[str, Any]
    progress: Progress | None = None
    page: int = 0
    started: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def n_queries(self) -> int:
        """How many queries there are."""
        return int(self.queries.shape[0])

    @property
    def n_docs(self) -> int:
        """Documents that any query can find at most."""
        return len(self.view)

    @property
    def is_overdue(self) -> bool:
        """Whether there is a deadline, and it has passed: then no search goes deeper."""
        deadline = self.dials.get("deadline_us") or 0
        return bool(deadline) and time.monotonic() - self.started > deadline * 1e-6 * self.n_queries

    def find(self, k: int | None, which: npt.NDArray[np.int64] | None = None, **options: Any) -> Found:  # noqa: ANN401
        """Return hits of the queries, or of some of them by their numbers.

        Parameters
        ----------
        k
            Hits of each; None for all.
        which
            The queries; None for all of them.
        **options
            In the place of those that were asked for.
        """
        numbers = np.arange(self.n_queries) if which is None else which
        size = self.allowed.at_once
        found = []
        for begin in range(0, max(len(numbers), 1), size):
            some = numbers[begin : begin + size]
            request = Request(
                self.vector,
                self.queries if len(some) == self.n_queries else chosen(self.queries, some),
                k,
                {**self.options, **options} | ({"depth": k + self.page} if k is not None and self.page else {}),
                self.dials,
                self._progress(begin if which is None else self.n_queries),
                self.view.tunings.get(self.vector),
            )
            found.append(find(self.view.parts, self.allowed.of(some.tolist()), request))
        return found[0] if len(found) == 1 else _joined(found)

    def _progress(self, done: int) -> Progress | None:
        """Return what is told of a search once `done` queries are through; searches that go deeper tell the total."""
        if self.progress is None or not (done or self.allowed.at_once < self.n_queries):
            return self.progress
        report, total = self.progress, self.n_queries
        return lambda more, _: report(min(done + more, total), total)


def _joined(found: Sequence[Found]) -> Found:
    seqs, scores, exact, _ = zip(*found, strict=True)
    offsets = None
    if found[0].offsets is not None:
        lengths = [np.diff(one.offsets) for one in found if one.offsets is not None]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])
    return Found(np.concatenate(seqs), np.concatenate(scores), np.concatenate(exact), offsets)
