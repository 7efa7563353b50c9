"""sparse-dot-topn."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher_bench.engines.base import Engine, Settings, padded

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class SparseDotTopn(Engine):
    """sparse-dot-topn: a sparse matrix product that keeps the best of each row, a batch a call."""

    name = "sparse-dot-topn"
    distribution = "sparse-dot-topn"

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("sparse_dot_topn")
        self.columns: Any = None

    def build(self, docs: sparse.csr_matrix) -> None:
        self.columns = docs.T.tocsr()  # or every call would do it

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        multiply = self.library.sp_matmul_topn
        return [partial(multiply, queries, self.columns, top_n=k, sort=True, n_threads=1)]

    def one_a_call(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [call for row in range(queries.shape[0]) for call in self.calls(queries[row], k)]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([row for best in answers for row in np.split(best.indices, best.indptr[1:-1])], k)

    def saved_bytes(self) -> int:
        return sum(array.nbytes for array in (self.columns.data, self.columns.indices, self.columns.indptr))
