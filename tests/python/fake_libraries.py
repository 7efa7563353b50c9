"""Libraries for the tests of ``thresher-bench`` that fail in every way a library can."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

import thresher
from thresher_bench.engines.base import Engine, Settings
from thresher_bench.engines.ours import Thresher


class Fake(Thresher):
    """ExactIndex that fails where it is told to.

    `fails` of the build, or of a search, is one of the ways of `fail`. A search may `keep` a few hits only, and give
    none to queries that begin with a term that it `loses`.
    """

    name = "exact"
    kind = thresher.ExactIndex

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.fails = self.parameters.pop("fails", "")

    def build(self, docs: sparse.csr_matrix) -> None:
        fail(self.fails)
        super().build(docs)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [partial(self._answer, queries, k)]

    def one_a_call(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [partial(self._answer, queries[row], k) for row in range(queries.shape[0])]

    def _answer(self, queries: sparse.csr_matrix, k: int) -> Any:
        search = dict(self.search)
        fail(search.pop("fails", ""))
        hits = self.index.search(queries, k, threads=1)
        keep = search.pop("keep", k)
        hits.ids[:, keep:] = -1
        hits.ids[np.isin(queries.indices[queries.indptr[:-1]], search.pop("loses", []))] = -1
        return hits


class Missing(Engine):
    """A library that isn't installed."""

    name: ClassVar[str] = "missing"  # type: ignore[misc]
    distribution = "no-such-distribution"

    def build(self, docs: sparse.csr_matrix) -> None:
        raise AssertionError("it is not there")

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        raise AssertionError("it is not there")

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        raise AssertionError("it is not there")


def fail(how: str) -> None:
    if how == "raise":
        raise RuntimeError("no good\nat all")
    if how == "memory":
        raise MemoryError
    if how == "abort":
        print("free(): invalid pointer", file=sys.stderr, flush=True)
        os.abort()
    if how == "exit":
        os._exit(3)
    if how == "hang":
        while True:
            pass
