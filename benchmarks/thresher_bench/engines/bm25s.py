"""bm25s."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thresher_bench.engines.base import Engine, OneACall, Settings, UnsuitableError, padded, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class Bm25s(Engine):
    """bm25s with its numba backend, a batch a call or one query a call, over the weights given.

    It sums the scores of all documents and then selects. Queries are sets of terms without weights. `n_threads=0` is
    its loop on the calling thread. Its numpy backend selects several times slower.
    """

    name = "bm25s"
    distribution = "bm25s"

    SEARCH: ClassVar[Settings] = {"show_progress": False, "n_threads": 0}

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("bm25s")
        self.index: Any = None

    def others(self) -> list[Engine]:
        return [OneACall(self)]

    def build(self, docs: sparse.csr_matrix) -> None:
        n_docs, n_terms = docs.shape
        columns = docs.tocsc()
        self.index = self.library.BM25(backend="numba")
        # What its own `index` leaves, and for queries without terms a term without documents.
        self.index.scores = {
            "data": columns.data.astype(np.float32),
            "indices": columns.indices.astype(np.int32),
            "indptr": np.append(columns.indptr, columns.indptr[-1]).astype(np.int64),
            "num_docs": n_docs,
        }
        self.index.vocab_dict = {"": n_terms}
        self.index.unique_token_ids_set = set(range(n_terms + 1))
        self.index.nonoccurrence_array = None

    def index_bytes(self) -> int:
        return sum(self.index.scores[part].nbytes for part in ("data", "indices", "indptr"))

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [self._call(self._wanted(queries), k)]

    def one_a_call(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [self._call([query], k) for query in self._wanted(queries)]

    @staticmethod
    def _wanted(queries: sparse.csr_matrix) -> list[list[int]]:
        if (queries.data != 1).any():
            raise UnsuitableError("its queries have no weights")
        return [terms.tolist() for terms, _ in vectors(queries)]

    def _call(self, batch: list[list[int]], k: int) -> Callable[[], Any]:
        return partial(self.index.retrieve, batch, k=min(k, self.index.scores["num_docs"]), **self.search)

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        documents = np.concatenate([answer.documents for answer in answers])
        scores = np.concatenate([answer.scores for answer in answers])
        return padded([row[positive] for row, positive in zip(documents, scores > 0, strict=True)], k)
