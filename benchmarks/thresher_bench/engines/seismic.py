"""Seismic, of its authors."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thresher_bench.engines.base import Saved, Settings, padded, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class Seismic(Saved):
    """Seismic's raw index, one query a call: the build parameters given, its own defaults for the others.

    Its batch call reads the queries from a file, and is no faster by more than a tenth.
    """

    name = "seismic"
    distribution = "pyseismic-lsr"
    SEARCH: ClassVar[Settings] = {"query_cut": 10, "heap_factor": 0.8}

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("seismic")

    def build(self, docs: sparse.csr_matrix) -> None:
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(np.uint32(docs.shape[0]).tobytes())
            for terms, weights in vectors(docs):
                file.write(np.uint32(terms.size).tobytes() + terms.astype(np.uint32).tobytes() + weights.tobytes())
            file.flush()
            self.index = self.library.SeismicIndexRaw.build(file.name, **self.parameters)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        cut, factor = self.search["query_cut"], self.search["heap_factor"]
        return [
            partial(self.index.search, terms.astype(np.int32), weights, k, cut, factor, 0, True)
            for terms, weights in vectors(queries)
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[doc for _, doc in found] for found in answers], k)
