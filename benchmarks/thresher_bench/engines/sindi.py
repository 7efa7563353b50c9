"""SINDI of the VSAG library."""

from __future__ import annotations

import json
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thresher_bench.engines.base import Saved, Settings, padded, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class Sindi(Saved):
    """SINDI: nothing pruned and nothing quantised unless asked for, one query a call.

    `use_term_lists_heap_insert` is not left at its default: candidates are then picked by a scan of the
    window's scores instead of a second walk over the posting lists. That is as exact, and half again as fast
    where lists are as long as those of learned vectors. With `use_quantization`, weights would be 8 bits and
    recall 0.96.
    """

    name = "sindi"
    distribution = "pyvsag"
    BUILD: ClassVar[Settings] = {"doc_prune_ratio": 0.0, "use_reorder": False, "use_quantization": False}
    SEARCH: ClassVar[Settings] = {
        "query_prune_ratio": 0.0,
        "term_prune_ratio": 0.0,
        "use_term_lists_heap_insert": False,
    }

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("pyvsag")

    def build(self, docs: sparse.csr_matrix) -> None:
        n_docs, n_terms = docs.shape
        build = {**self.parameters, "term_id_limit": n_terms}
        parameters = {"dtype": "sparse", "metric_type": "ip", "dim": n_terms, "index_param": build}
        self.index = self.library.Index("sindi", json.dumps(parameters))
        arrays = docs.indptr.astype(np.uint32), docs.indices.astype(np.uint32), docs.data
        self.index.build(*arrays, np.arange(n_docs, dtype=np.int64))

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        search = json.dumps({"sindi": self.search})
        return [
            partial(self.index.knn_search, row_of(terms), terms.astype(np.uint32), weights, k, search)
            for terms, weights in vectors(queries)
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([found[0] for found, _ in answers], k)


def row_of(terms: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
    """Return the indptr of a matrix of one row."""
    return np.array([0, len(terms)], np.uint32)
