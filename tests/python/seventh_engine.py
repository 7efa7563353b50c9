"""An engine of one's own, as docs/internals/new-engine.md has it: exact search by the heaviest terms of each query."""

from __future__ import annotations

from typing import Any, Self, SupportsIndex

import numpy as np
import scipy.sparse as sp

import thresher
from thresher import _core
from thresher._matrix import MatrixLike, as_matrix


class HeaviestIndex(thresher.Index):
    """Exact search by the `query_cut` heaviest terms of each query; 0 for all."""

    engine = "heaviest"
    __slots__ = ("_query_cut",)

    def __init__(self, handle: _core.Index, query_cut: int = 0) -> None:
        super().__init__(handle)
        self._query_cut = query_cut

    @classmethod
    def build(cls, docs: MatrixLike, *, window: SupportsIndex = 8192, **options: Any) -> Self:
        return cls(thresher.ExactIndex.build(docs, window=window, **options)._live)

    @property
    def search_params(self) -> dict[str, int | float | str]:
        return {"query_cut": self._query_cut}

    def with_search_params(self, **params: Any) -> Self:
        return type(self)(self._live, **(self.search_params | params))

    def search(
        self,
        queries: MatrixLike,
        k: SupportsIndex | None = 10,
        *,
        query_cut: int | None = None,
        **options: Any,
    ) -> thresher.Hits:
        rows = as_matrix(queries, name="queries").copy()
        cut = self._query_cut if query_cut is None else query_cut
        for row in range(rows.shape[0] if cut else 0):
            weights = rows.data[rows.indptr[row] : rows.indptr[row + 1]]
            weights[np.argsort(-weights, kind="stable")[cut:]] = 0
        return super().search(rows, k, **options)

    def search_one(
        self,
        terms: Any,
        weights: Any = None,
        k: SupportsIndex | None = 10,
        *,
        query_cut: int | None = None,
        **options: Any,
    ) -> thresher.Hits:
        row = sp.csr_array((np.asarray(weights), np.asarray(terms), [0, np.size(terms)]), shape=(1, self.n_terms))
        ids, scores = self.search(row, k, query_cut=query_cut, **options)
        return thresher.Hits(ids[0], scores[0])

    @classmethod
    def dials(cls, n_docs: int, k: int) -> list[_core.Dial]:
        return [_core.Dial({}, "query_cut", 1, 64)]

    @classmethod
    def estimated_parts(cls, statistics: _core.CollectionStatistics, **params: Any) -> list[_core.EstimatedPart]:
        return thresher.ExactIndex.estimated_parts(statistics, **params)

    @classmethod
    def build_growth(cls) -> _core.BuildGrowth:
        return _core.BuildGrowth()

    @classmethod
    def build_variants(cls) -> list[dict[str, Any]]:
        return [{"window": 1024}]
