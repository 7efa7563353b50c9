"""thresher's engines, a batch a call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import thresher
from thresher_bench.engines.base import Engine, OneACall, Saved, padded, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class Thresher(Saved):
    """An engine of thresher: its defaults, or with the parameters given."""

    distribution = "thresher"
    index: thresher.Index
    kind: ClassVar[Any]
    """The engine's class."""

    @classmethod
    def version(cls) -> str:
        return thresher.__version__

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = self.kind.build(docs, **self.parameters)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [partial(self.index.search, queries, k, threads=1, **self.search)]

    def one_a_call(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [
            partial(self.index.search_one, terms.astype(np.uint32), weights, k, **self.search)
            for terms, weights in vectors(queries)
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([row for hits in answers for row in np.atleast_2d(hits.ids)], k)

    def others(self) -> list[Engine]:
        return [OneACall(self)]

    def index_bytes(self) -> int:
        return sum(self.index.nbytes.values())


class Exact(Thresher):
    name = "exact"
    kind = thresher.ExactIndex


class BlockMax(Thresher):
    """Exact, or with `alpha`, `beta` or budgets approximate."""

    name = "block-max"
    kind = thresher.BlockMaxIndex


class Impact(Thresher):
    """To the exact end, or within a budget."""

    name = "impact"
    kind = thresher.ImpactIndex


class Postings(Thresher):
    """The algorithm of its choice, or the one given."""

    name = "postings"
    kind = thresher.PostingsIndex

    ALGORITHMS: ClassVar = ("maxscore", "wand", "block_max_maxscore", "block_max_wand")

    def others(self) -> list[Engine]:
        return [OneACall(engine) for engine in (self, *map(self.by, self.ALGORITHMS))]

    def by(self, algorithm: str) -> Postings:
        """Return the same index, searched by an algorithm."""
        other = self.searching({"algorithm": algorithm})
        other.name = f"{self.name} {algorithm}"
        return other


class Clustered(Thresher):
    name = "clustered"
    kind = thresher.ClusteredIndex


class Graph(Thresher):
    name = "graph"
    kind = thresher.GraphIndex
