"""How near neighbours are in a collection: similarities and scores at several ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from thresher._recall import Wanted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from thresher import ClusteredIndex, Hits

    Floats = NDArray[np.float64]

RANKS = (0, 9, 99, 999)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_STEP = 64  # rows whose scores are held at a time


def best_scores(rows: sparse.csr_array, columns: sparse.csr_array, ranks: tuple[int, ...]) -> Floats:
    """Return each row's scores at these ranks (from 0) among all columns, (n_rows, n_ranks)."""
    n = columns.shape[1]
    places = [n - 1 - rank for rank in ranks]
    parts = []
    for start in range(0, rows.shape[0], _STEP):
        scores = (rows[start : start + _STEP] @ columns).toarray()
        scores.partition(places, axis=1)
        parts.append(scores[:, places])
    return np.asarray(np.concatenate(parts), np.float64)


def ranks_within(count: int) -> tuple[int, ...]:
    """Return the ranks that a collection of `count` documents has, one to spare."""
    return tuple(rank for rank in RANKS if rank + 1 < count)


def document_profile(docs: sparse.csr_array, columns: sparse.csr_array, sample: int) -> Floats:
    """Return quantiles of documents' cosines to others, (n_ranks, n_quantiles); `columns` is docs.T."""
    norms = np.sqrt(np.asarray(docs.multiply(docs).sum(axis=1)).ravel())
    unit = sparse.csr_array(columns @ sparse.diags_array(1 / np.maximum(norms, 1e-9)).astype(np.float32))
    ranks = tuple(rank + 1 for rank in ranks_within(docs.shape[0]))  # the nearest is the document itself
    scores = best_scores(docs[:sample], unit, ranks) / np.maximum(norms[:sample, None], 1e-9)
    return np.asarray(np.quantile(scores, QUANTILES, axis=0).T)


def query_profile(queries: sparse.csr_array, columns: sparse.csr_array) -> Floats:
    """Return quantiles of best scores over norms, and of other scores over the best, (n_ranks, n_quantiles)."""
    scores = best_scores(queries, columns, ranks_within(columns.shape[1]))
    norms = np.sqrt(np.asarray(queries.multiply(queries).sum(axis=1)))
    scores[:, 1:] /= np.maximum(scores[:, :1], 1e-9)
    scores[:, 0] /= np.maximum(norms, 1e-9)

    return np.asarray(np.quantile(scores, QUANTILES, axis=0).T)


def recalls(index: ClusteredIndex, queries: sparse.csr_array, best: Hits, budgets: tuple[int, ...]) -> Floats:
    """Return the recall of an index by its budget of clusters, (n_budgets,); nan without anything to find.

    A document counts if its score reaches that of the last of `best`, the exact hits.
    """
    wanted = Wanted.of(best.scores)
    if not wanted.counts.any():
        return np.full(len(budgets), np.nan)
    k = best.ids.shape[1]
    return np.array([wanted.recall(index.search(queries, k, cluster_budget=budget).scores) for budget in budgets])


def distance(profile: Floats, other: Floats) -> float:
    """Return how far profiles are apart: root mean square of logarithms of ratios."""
    if not profile.size:
        return 0.0
    ratios = np.log(np.maximum(profile, 0.01) / np.maximum(other, 0.01))
    return float(np.sqrt(np.mean(ratios**2)))
