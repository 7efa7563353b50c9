"""Qdrant's embedded edge."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from thresher_bench.engines.base import Engine, Settings, as_lists, padded, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from scipy import sparse


class Qdrant(Engine):
    """Qdrant's embedded edge: a sparse index in memory, in one segment, searched by one thread, one a call.

    Its inverted index is exact with the `exact` flag and without it; its batch call is no faster.
    """

    name = "qdrant"
    distribution = "qdrant-edge-py"

    VECTOR: ClassVar = "terms"
    BATCH: ClassVar = 1_000
    SEGMENT_KB: ClassVar = 100_000_000  # no collection reaches it, so that no search has to merge segments

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("qdrant_edge")
        self.folder = tempfile.TemporaryDirectory(prefix="thresher-qdrant-")
        self.shard: Any = None

    def build(self, docs: sparse.csr_matrix) -> None:
        q = self.library
        config = q.EdgeConfig(
            sparse_vectors={self.VECTOR: q.EdgeSparseVectorParams()},
            optimizers=q.EdgeOptimizersConfig(default_segment_number=1, max_segment_size=self.SEGMENT_KB),
            max_search_threads=1,
            wal_enabled=False,
        )
        self.shard = q.EdgeShard.create(self.folder.name, config)
        for start in range(0, docs.shape[0], self.BATCH):
            rows = enumerate(vectors(docs[start : start + self.BATCH]), start)
            points = [q.Point(row, {self.VECTOR: q.SparseVector(*as_lists(pair))}) for row, pair in rows]
            self.shard.update(q.UpdateOperation.upsert_points(points))
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

    def saved_bytes(self) -> int:
        files = Path(self.folder.name).rglob("*")
        return sum(file.stat().st_blocks * 512 for file in files if file.is_file())  # some are mostly holes

    def close(self) -> None:
        if self.shard is not None:
            self.shard.close()
        self.folder.cleanup()
