"""thresher's own collections."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import thresher
from thresher_bench.engines.base import padded
from thresher_bench.engines.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt
    from scipy import sparse

    from thresher.collection.filters import Kind
    from thresher_bench.engines.store import Payloads


class Collection(Store):
    """A collection in its own defaults: each batch is synced to the disk."""

    name = "thresher"
    distribution = "thresher"
    clock = staticmethod(time.thread_time)

    FIELDS: ClassVar[Mapping[str, Kind]] = {"lang": "keyword", "year": "int"}

    opened: thresher.Collection

    def create(self, n_terms: int) -> None:
        self.opened = thresher.Collection.create(self.folder, n_terms=n_terms, fields=self.FIELDS, **self.parameters)

    def batch(self, begin: int, docs: sparse.csr_matrix, payloads: Payloads | None = None) -> Any:  # noqa: ANN401
        return [f"doc-{begin + row}" for row in range(docs.shape[0])], docs, payloads

    def upsert(self, batch: Any) -> None:  # noqa: ANN401
        self.opened.upsert(*batch)

    def optimize(self) -> None:
        self.opened.optimize()

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [lambda: self.opened.search(queries, k, threads=1)]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[int(one[4:]) for one in ids] for hits in answers for ids, _ in hits.rows()], k)

    def close(self) -> None:
        self.opened.close()
        super().close()
