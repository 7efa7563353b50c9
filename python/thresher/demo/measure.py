"""Measures searches: how fast, and how much of the exact top 10 they find."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import thresher

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

K = 10
ROUNDS = 5

Search = Callable[["sparse.csr_array"], "NDArray[np.float32]"]
"""Queries in, the scores of their best K out: (n_queries, K), -inf where there is no hit."""


class Measured(NamedTuple):
    """What was found about a search."""

    seconds: float
    """A query, of CPU time: the median of the rounds."""
    recall: float
    """Share of the exact top K that was found, by score, so that ties count as right."""


def measured(
    searches: Mapping[str, Search], queries: sparse.csr_array, exact: NDArray[np.float32]
) -> dict[str, Measured]:
    """Measure searches, in turns.

    Parameters
    ----------
    searches
        By name; each is run once before the clock runs.
    queries
        (n_queries, n_terms).
    exact
        The scores of the true best K, (n_queries, K).
    """
    found = {name: search(queries) for name, search in searches.items()}
    times: dict[str, list[float]] = {name: [] for name in searches}
    for _ in range(ROUNDS):
        for name, search in searches.items():
            started = time.process_time()
            search(queries)
            times[name].append(time.process_time() - started)
    there = np.isfinite(exact)
    worst = np.where(there, exact, np.inf).min(axis=1, keepdims=True) * np.float32(1 - 1e-5)  # scipy rounds otherwise
    wanted = max(1, int(there.sum()))
    return {
        name: Measured(statistics.median(times[name]) / queries.shape[0], float((scores >= worst).sum()) / wanted)
        for name, scores in found.items()
    }


def of_index(index: thresher.Index) -> Search:
    """Return the search of an index on one thread."""
    return lambda queries: index.search(queries, k=K, threads=1).scores


def of_scipy(documents: sparse.csr_array) -> Search:
    """Return what one writes without an engine: scipy's product of sparse matrices, and the best of each row."""
    by_term = documents.T.tocsr()

    def search(queries: sparse.csr_array) -> NDArray[np.float32]:
        products = (queries @ by_term).tocsr()
        best = np.full((queries.shape[0], K), -np.inf, dtype=np.float32)
        for row in range(queries.shape[0]):
            scores = products.data[products.indptr[row] : products.indptr[row + 1]]
            top = -np.sort(-np.partition(scores, -K)[-K:]) if len(scores) > K else -np.sort(-scores)
            best[row, : len(top)] = top
        return best

    return search
