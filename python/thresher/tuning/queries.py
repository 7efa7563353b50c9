"""Queries to tune on: the caller's or some made of documents, what should be found, and how much of it was."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._hits import Hits
from thresher._recall import Wanted
from thresher.engines.exact import ExactIndex
from thresher.engines.index import Index

MAX_QUERIES = 4000
FROM_DOCUMENTS = 2000
COUNTED = 50_000
"""Documents to count terms in where there are no queries."""
QUERY_TERMS = 0.35
"""Terms of a query for each of a document where there are no queries: about what learned encoders give."""
SKEW = 1.2
"""The power of a document's weights that a query's are, where there are no queries."""


class RecallEstimate(NamedTuple):
    """How much of what should be found was."""

    recall: float
    error: float
    """Its standard error: what another sample of so many queries would be off by."""


class Questions:
    """Queries, and what should be found of each.

    Parameters
    ----------
    matrix
        Queries, shape (n, n_terms).
    own
        For queries that were made of a document each, its id, shape (n,), which does not count as found; otherwise
        None.
    exact
        An exact index of the documents.
    k
        Documents that should be found.
    threads
        Threads to search with.
    rescored
        Whether hits to measure have scores of other weights than `exact` has, which are not to be compared.
    """

    def __init__(
        self,
        matrix: sp.csr_array,
        own: npt.NDArray[np.int64] | None,
        exact: Index,
        k: int,
        threads: int,
        *,
        rescored: bool = False,
    ) -> None:
        self.matrix = matrix
        self.own = own
        self.k = k
        self.threads = threads
        self.scorer = exact if rescored else None
        self.wanted = Wanted.of(self._others(exact.search(matrix, self.depth, threads=threads)))

    def __len__(self) -> int:
        """Return the number of queries."""
        return int(self.matrix.shape[0])

    @property
    def depth(self) -> int:
        """Hits to ask for: one more where the document itself is among them."""
        return self.k if self.own is None else self.k + 1

    def answered(self) -> Questions:
        """Return those that some document answers: the others tell nothing of recall."""
        return self.part(np.flatnonzero(self.wanted.counts))

    def part(self, rows: slice | npt.NDArray[np.int64]) -> Questions:
        """Return some of the queries."""
        part = object.__new__(Questions)
        part.matrix, part.k, part.threads, part.scorer = self.matrix[rows], self.k, self.threads, self.scorer
        part.own = None if self.own is None else self.own[rows]
        part.wanted = self.wanted.part(rows)
        return part

    def of_sample(self, chosen: npt.NDArray[np.int64], exact: Index, threads: int) -> Questions:
        """Return the same queries of some of the documents, whose ids ascend in `chosen`."""
        own = self.own
        if own is not None:
            places = np.minimum(np.searchsorted(chosen, own), len(chosen) - 1)
            own = np.where(chosen[places] == own, places, -2)  # no document's id
        return Questions(self.matrix, own, exact, self.k, threads, rescored=self.scorer is not None)

    def measure(self, hits: Hits) -> RecallEstimate:
        """Return the recall of hits: the fraction of wanted documents found, ties counting as right; nan if none is."""
        if self.scorer is not None:
            found = [ids for ids, _ in hits.rows()]
            hits = self.scorer.search(self.matrix, self.depth, allowed=found, threads=self.threads)
        scores = self._others(hits)
        recall = self.wanted.recall(scores)
        off = self.wanted.found(scores) - recall * self.wanted.counts
        return RecallEstimate(recall, float(np.sqrt((off**2).sum()) / max(1, self.wanted.counts.sum())))

    def _others(self, hits: Hits) -> npt.NDArray[np.float64]:
        """Return the scores of hits, shape (n, k), without the documents that the queries were made of."""
        scores = hits.scores.astype(np.float64)
        if self.own is None:
            return scores
        scores[hits.ids == self.own[:, None]] = -np.inf
        return np.asarray(-np.sort(-scores, axis=1)[:, : self.k])


def exact_index(docs: sp.csr_array, threads: int) -> Index:
    """Return the index that says what should be found."""
    return ExactIndex.build(docs, threads=threads)


def of_documents(
    docs: sp.csr_array, rng: np.random.Generator, most: int = FROM_DOCUMENTS
) -> tuple[sp.csr_array, npt.NDArray[np.int64]]:
    """Make queries of documents: each some terms of one, drawn at random, as many as a query would have.

    Drawn at random, light ones are among them, as in a text that is like the document and shorter. The heaviest terms
    are flatter than a query's, and lead straight back to the document. Where weights rise with idf, as those of BM25
    do, that rise is left out: such weights have it in the document and not in the query. The document that fits a query
    best is the one that doesn't count. Weights are made more skewed, so that the best of the others fit it about as
    well as the best ones of a real query do. Each keeps its sign.

    Returns
    -------
    tuple
        The queries, shape (n, n_terms), and the document that each was made of, int64, shape (n,).
    """
    drawn = rng.permutation(np.flatnonzero(np.diff(docs.indptr)))[:COUNTED].astype(np.int64)
    counted = docs[drawn]
    counted.sum_duplicates()
    counted.eliminate_zeros()
    chosen = np.flatnonzero(np.diff(counted.indptr))[:most]
    rows = counted[chosen]
    terms, n_docs = np.unique(counted.indices, return_counts=True)
    idf = np.log2(1 + len(drawn) / n_docs)[np.searchsorted(terms, rows.indices)]  # at least 1: no weight grows
    sizes = abs(rows.data)
    highest = np.repeat(np.maximum.reduceat(sizes, rows.indptr[:-1]), np.diff(rows.indptr))
    skewed = (sizes / highest / idf ** rise_with(idf, sizes)) ** SKEW
    rows.data = np.copysign(skewed, rows.data).astype(np.float32)
    kept = np.zeros(rows.nnz, bool)
    for row in range(len(chosen)):
        first, last = rows.indptr[row : row + 2]
        n_terms = max(1, round(QUERY_TERMS * (last - first)))
        kept[first + rng.choice(last - first, n_terms, replace=False)] = True
    indptr = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return sp.csr_array((rows.data[kept], rows.indices[kept], indptr), shape=rows.shape), drawn[chosen]


def rise_with(idf: npt.NDArray[np.float64], weights: npt.NDArray[np.float32]) -> float:
    """Return the power of idf that weights grow with, in [0, 1]: about 1 for BM25, 0 for learned encoders.

    It is the slope of log(weight) on log(idf), by least squares.
    """
    rarity, weight = np.log(idf), np.log(weights.astype(np.float64))
    rarity -= rarity.mean() if len(rarity) else 0.0
    spread = float(rarity @ rarity)
    return float(np.clip(rarity @ weight / spread, 0.0, 1.0)) if spread > 0 else 0.0
