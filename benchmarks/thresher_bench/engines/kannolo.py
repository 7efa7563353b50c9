"""kANNolo, of its authors."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thresher_bench.engines.base import Saved, Settings, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class Kannolo(Saved):
    """kANNolo's HNSW, a batch a call: weights as they are, or `packed` into 8 bits.

    Its batch call is the faster one, though by little, and on one thread a plain loop. `permuted` stores similar
    documents side by side. `early_exit_threshold` is the lambda of its distance-adaptive termination: the greater, the
    further a search goes on beyond `ef_search`.
    """

    name = "kannolo"
    distribution = "kannolo"
    BUILD: ClassVar[Settings] = {"m": 32, "ef_construction": 200, "graph_type": "permuted", "packed": False}
    SEARCH: ClassVar[Settings] = {"ef_search": 100}
    KINDS: ClassVar = {False: "SparsePlainHNSW", True: "SparseDotPacking8HNSW"}

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("kannolo")

    def build(self, docs: sparse.csr_matrix) -> None:
        parameters = dict(self.parameters)
        kind = getattr(self.library, self.KINDS[parameters.pop("packed")])
        self.index = kind.build_from_arrays(*self.arrays(docs), **parameters)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [partial(self.index.batch_search, *self.arrays(queries), k, num_threads=1, **self.search)]

    def one_a_call(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [
            partial(self.index.search, terms.astype(np.int32), weights, k, **self.search)
            for terms, weights in vectors(queries)
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        if any(ids.size % k for _, ids in answers):
            raise ValueError("kANNolo has found fewer documents than asked for")
        return np.concatenate([ids.reshape(-1, k).astype(np.int64) for _, ids in answers])

    @staticmethod
    def arrays(matrix: sparse.csr_matrix) -> tuple[npt.NDArray[Any], ...]:
        """Return terms, weights and where rows start, in the types that it takes."""
        return matrix.indices.astype(np.int32), matrix.data.astype(np.float32), matrix.indptr.astype(np.int64)
