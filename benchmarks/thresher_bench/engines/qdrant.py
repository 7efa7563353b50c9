"""Qdrant's embedded edge."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from thresher_bench.engines.base import Settings, as_lists, padded, vectors
from thresher_bench.engines.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from scipy import sparse

    from thresher_bench.engines.store import Payloads


class Qdrant(Store):
    """One segment, searched by one thread, one a call.

    Its inverted index is exact with the `exact` flag and without it; its batch call is no faster. With its log, a batch
    survives the process; it is synced to the disk by `flush` alone.
    """

    name = "qdrant"
    distribution = "qdrant-edge-py"
    BUILD: ClassVar[Settings] = {"wal_enabled": False}

    VECTOR: ClassVar = "terms"
    SEGMENT_KB: ClassVar = 100_000_000  # no collection reaches it, so that no search has to merge segments

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("qdrant_edge")
        self.shard: Any = None

    def create(self, n_terms: int) -> None:  # noqa: ARG002 - it takes any
        q = self.library
        config = q.EdgeConfig(
            sparse_vectors={self.VECTOR: q.EdgeSparseVectorParams()},
            optimizers=q.EdgeOptimizersConfig(default_segment_number=1, max_segment_size=self.SEGMENT_KB),
            max_search_threads=1,
            **self.parameters,
        )
        self.folder.mkdir()
        self.shard = q.EdgeShard.create(str(self.folder), config)

    def batch(self, begin: int, docs: sparse.csr_matrix, payloads: Payloads | None = None) -> Any:  # noqa: ANN401
        q = self.library
        points = [
            q.Point(
                begin + row, {self.VECTOR: q.SparseVector(*as_lists(pair))}, None if payloads is None else payloads[row]
            )
            for row, pair in enumerate(vectors(docs))
        ]
        return q.UpdateOperation.upsert_points(points)

    def upsert(self, batch: Any) -> None:  # noqa: ANN401
        self.shard.update(batch)

    def optimize(self) -> None:
        self.shard.optimize()
        self.shard.flush()

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        q = self.library
        exact = q.SearchParams(exact=True)
        wanted = (q.SparseVector(*as_lists(pair)) for pair in vectors(queries))
        return [
            partial(
                self.shard.search,
                q.SearchRequest(q.Query.Nearest(vector, using=self.VECTOR), k, params=exact),
            )
            for vector in wanted
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[point.id for point in answer] for answer in answers], k)

    def close(self) -> None:
        if self.shard is not None:
            self.shard.close()
        super().close()
