"""Compares a generated collection with a real one, in what decides how fast either can be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

import thresher
from thresher._matrix import checked_csr
from thresher.datasets._profile import query_profile, recalls
from thresher.formats._check import ScipySparse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_BUDGETS = (25, 50, 100, 200)
_DF_RANKS = (1, 10, 100, 1_000, 10_000)
_RARE = 20  # documents: the frequency of rarer terms is mostly chance
_K = 10
_BLOCK = 4


class Check(NamedTuple):
    """One figure of both collections."""

    what: str
    real: float
    generated: float
    tolerance: float
    relative: bool
    """Whether the tolerance is a factor, such as 1.25, or a difference, such as 0.05."""

    @property
    def passed(self) -> bool:
        """Whether the figures are as close as they must be."""
        if not self.relative:
            return abs(self.real - self.generated) <= self.tolerance
        low, high = sorted((self.real, self.generated))
        return high <= low * self.tolerance


class Comparison(NamedTuple):
    """What `compare` found."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return all(check.passed for check in self.checks)

    def __str__(self) -> str:
        """Return a table."""
        rows = [("", "real", "generated", "tolerance", "")]
        for check in self.checks:
            tolerance = f"x {check.tolerance:g}" if check.relative else f"+- {check.tolerance:g}"
            verdict = "pass" if check.passed else "FAIL"
            rows.append((check.what, f"{check.real:.4g}", f"{check.generated:.4g}", tolerance, verdict))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = (
            "  ".join(
                [
                    f"{row[0]:<{widths[0]}}",
                    *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
                ]
            )
            for row in rows
        )
        return "\n".join(line.rstrip() for line in lines)


def compare(
    documents: ScipySparse,
    queries: ScipySparse,
    generated_documents: ScipySparse,
    generated_queries: ScipySparse,
    *,
    max_queries: int = 500,
) -> Comparison:
    """Compare a generated collection with a real one of the same size.

    Compared are lengths, weights, the curve of document frequencies, postings a query meets, how
    far scores fall from the best to the tenth and the hundredth, how tight block bounds are, and
    the recall of `ClusteredIndex` by its budget.

    A block is here the best document of a query with its three nearest documents. Its bound is
    the score of the largest weights in the block; tightness is the best score in the block over
    that bound.

    Parameters
    ----------
    documents, queries
        The real collection, any scipy.sparse, (n_docs, n_terms) and (n_queries, n_terms).
    generated_documents, generated_queries
        The other one. The number of documents should be the same, since most figures depend on it.
    max_queries
        Look at no more queries.

    Returns
    -------
    Comparison
        `checks`, `passed`; its text is a table.

    Raises
    ------
    ValueError
        If a collection has no documents or no queries, documents and queries differ in terms, no query finds a
        document, or the arrays of a matrix point outside of it.
    TypeError
        If one is not a matrix of scipy.sparse.
    """
    sides = []
    for name, docs, asked in (("real", documents, queries), ("generated", generated_documents, generated_queries)):
        prefix = "generated_" if name == "generated" else ""
        checked = checked_csr(docs, f"{prefix}documents"), checked_csr(asked, f"{prefix}queries")[:max_queries]
        if docs.shape[0] < 1 or asked.shape[0] < 1:
            raise ValueError(f"the {name} collection must have documents and queries, got {docs.shape}, {asked.shape}")
        if docs.shape[1] != asked.shape[1]:
            raise ValueError(f"the {name} documents have {docs.shape[1]} terms, the queries {asked.shape[1]}")
        sides.append((name, *checked))
    figures = [list(_figures(*side)) for side in sides]
    checks = []
    for (what, tolerance, relative, real), (*_, made) in zip(*figures, strict=True):
        if np.isfinite(real) and np.isfinite(made):
            checks.append(Check(what, real, made, tolerance, relative))
    return Comparison(tuple(checks))


def _figures(name: str, docs: sparse.csr_array, queries: sparse.csr_array) -> Iterator[tuple[str, float, bool, float]]:
    """Yield name, tolerance, whether that is a factor, and value of all figures; nan where there is none."""
    exact = thresher.ExactIndex.build(docs)
    best = exact.search(queries, _K)
    if not (best.ids >= 0).any():
        raise ValueError(f"no query of the {name} collection finds a document: there is nothing to compare")
    n_docs = docs.shape[0]
    lengths = np.diff(docs.indptr)
    yield "terms a document", 1.1, True, float(lengths.mean())
    for share in (0.1, 0.5, 0.9):
        yield f"  {share:.0%} have at most", 1.2, True, float(np.quantile(lengths, share))
    yield "terms a query", 1.15, True, queries.nnz / queries.shape[0]
    yield "weight in a document", 1.1, True, float(docs.data.mean())
    yield "weight in a query", 1.15, True, float(queries.data.mean())
    counts = np.bincount(docs.indices, minlength=docs.shape[1])
    falling = np.sort(counts)[::-1]
    for rank in _DF_RANKS:
        known = rank <= len(falling) and falling[rank - 1] >= _RARE
        yield f"documents with term {rank:,}", 1.25, True, falling[rank - 1] / n_docs if known else np.nan
    yield "postings a query / documents", 1.2, True, float(counts[queries.indices].sum()) / queries.shape[0] / n_docs
    profile = query_profile(queries, sparse.csr_array(docs.T))
    for rank, row in zip((10, 100), profile[1:], strict=False):
        yield f"score at {rank} / best", 1.15, True, float(row[len(row) // 2])
    yield "tightness of block bounds", 0.05, False, _tightness(docs, exact, queries, best.ids[:, 0])
    index = thresher.ClusteredIndex.build(docs)
    for budget, recall in zip(_BUDGETS, recalls(index, queries, best, _BUDGETS), strict=True):
        yield f"recall@10, cluster_budget {budget}", 0.05, False, float(recall)


def _tightness(
    docs: sparse.csr_array, exact: thresher.ExactIndex, queries: sparse.csr_array, best: NDArray[np.int64]
) -> float:
    """Return the mean of best score over bound for blocks of the nearest documents of each query's best one."""
    answered = np.flatnonzero(best >= 0)
    if not len(answered):
        return float("nan")
    nearest = exact.search(docs[best[answered]], _BLOCK).ids
    ratios = []
    for row, block in zip(answered, nearest, strict=True):
        members = docs[np.unique(np.append(block[block >= 0], best[row]))]
        query = queries[[row]]
        bound = float((query @ sparse.csr_array(members.max(axis=0)).reshape(-1, 1)).sum())
        ratios.append(float((members @ query.T).max()) / bound)
    return float(np.mean(ratios))
