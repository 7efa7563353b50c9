"""zvec, Alibaba's embedded vector database."""

from __future__ import annotations

from functools import cache, partial
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


class Zvec(Store):
    """Sparse vectors in a graph, or without one where `m` is 0, searched by one thread, one a call.

    It has no inverted index of sparse vectors. What `ef` a search is told makes no difference to their graph: at 30,000
    documents 20 and 500 gave the same recall in the same time, so that the build alone decides. A batch survives the
    process; it is synced to the disk by `flush` alone.
    """

    name = "zvec"
    distribution = "zvec"
    BUILD: ClassVar[Settings] = {"m": 16, "ef_construction": 100}

    VECTOR: ClassVar = "terms"

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library = _library()
        self.collection: Any = None

    def create(self, n_terms: int) -> None:  # noqa: ARG002 - it takes any
        z = self.library
        index = z.HnswIndexParam(**self.parameters) if self.parameters["m"] else z.FlatIndexParam()
        kinds = {"lang": z.DataType.STRING, "year": z.DataType.INT64}
        schema = z.CollectionSchema(
            "documents",
            fields=[z.FieldSchema(field, kind, nullable=True) for field, kind in kinds.items()],
            vectors=[z.VectorSchema(self.VECTOR, z.DataType.SPARSE_VECTOR_FP32, index_param=index)],
        )
        self.collection = z.create_and_open(str(self.folder), schema)

    def batch(self, begin: int, docs: sparse.csr_matrix, payloads: Payloads | None = None) -> Any:  # noqa: ANN401
        return [
            self.library.Doc(
                id=str(begin + row),
                vectors={self.VECTOR: dict(zip(*as_lists(pair), strict=True))},
                fields={} if payloads is None else payloads[row],
            )
            for row, pair in enumerate(vectors(docs))
        ]

    def upsert(self, batch: Any) -> None:  # noqa: ANN401
        for status in self.collection.upsert(batch):
            if not status.ok():
                raise RuntimeError(status.message())

    def optimize(self) -> None:
        self.collection.optimize()
        self.collection.flush()

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        wanted = (dict(zip(*as_lists(pair), strict=True)) for pair in vectors(queries))
        return [
            partial(self.collection.query, self.library.Query(self.VECTOR, vector=vector), topk=k, output_fields=[])
            for vector in wanted
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[int(doc.id) for doc in answer] for answer in answers], k)

    def close(self) -> None:
        if self.collection is not None:
            self.collection.close()
        super().close()


@cache
def _library() -> Any:  # noqa: ANN401 - a module
    """Return the module, which is told once that one thread searches."""
    library = import_module("zvec")
    library.init(query_threads=1, log_level=library.LogLevel.ERROR)
    return library
