"""Queries to tune on: the caller's or some made of documents, what should be found, and how much of it was."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._exact import ExactIndex
from thresher._hits import Hits
from thresher._index import Index

MOST_QUERIES = 4000
FROM_DOCUMENTS = 2000
QUERY_TERMS = 0.35
"""Terms of a query for each of a document where there are no queries: about what learned encoders give."""
TOLERANCE = 1e-5  # relative; two orders of summing one score differ by less


class Measured(NamedTuple):
    """How much of what should be found was."""

    recall: float
    error: float
    """Its standard error: what another sample of so many queries would be off by."""


class Questions:
    """Queries and the k-th best score of each.

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
    """

    def __init__(
        self, matrix: sp.csr_array, own: npt.NDArray[np.int64] | None, exact: Index, k: int, threads: int
    ) -> None:
        self.matrix = matrix
        self.own = own
        self.k = k
        self.lowest, self.wanted = self._truth(exact, threads)

    def __len__(self) -> int:
        """Return the number of queries."""
        return int(self.matrix.shape[0])

    @property
    def depth(self) -> int:
        """Hits to ask for: one more where the document itself is among them."""
        return self.k if self.own is None else self.k + 1

    def part(self, rows: slice) -> Questions:
        """Return some of the queries."""
        part = object.__new__(Questions)
        part.matrix, part.k = self.matrix[rows], self.k
        part.own = None if self.own is None else self.own[rows]
        part.lowest, part.wanted = self.lowest[rows], self.wanted[rows]
        return part

    def of_sample(self, chosen: npt.NDArray[np.int64], exact: Index, threads: int) -> Questions:
        """Return the same queries of some of the documents, whose ids ascend in `chosen`."""
        own = self.own
        if own is not None:
            places = np.minimum(np.searchsorted(chosen, own), len(chosen) - 1)
            own = np.where(chosen[places] == own, places, -2)  # no document's id
        return Questions(self.matrix, own, exact, self.k, threads)

    def measure(self, hits: Hits) -> Measured:
        """Return the recall of hits: the share of wanted documents found, ties counting as right."""
        scores = self._others(hits)
        right = np.minimum((scores >= self.lowest[:, None]).sum(axis=1), self.wanted)
        wanted = int(self.wanted.sum())
        if wanted == 0:
            return Measured(1.0, 0.0)
        recall = float(right.sum() / wanted)
        error = float(np.sqrt(((right - recall * self.wanted) ** 2.0).sum()) / wanted)
        return Measured(recall, error)

    def _truth(self, exact: Index, threads: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        scores = self._others(exact.search(self.matrix, self.depth, threads=threads))
        wanted = np.isfinite(scores).sum(axis=1)
        last = np.take_along_axis(scores, np.maximum(wanted - 1, 0)[:, None], axis=1)[:, 0]
        return np.where(wanted > 0, last * (1 - TOLERANCE), np.inf), wanted

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
    """Make queries of documents: each the heaviest terms of one, as many as a query would have.

    Returns
    -------
    tuple
        The queries, shape (n, n_terms), and the document that each was made of, int64, shape (n,).
    """
    lengths = np.diff(docs.indptr)
    full = np.flatnonzero(lengths)
    own = np.sort(rng.choice(full, min(most, len(full)), replace=False)).astype(np.int64)
    own = own[rng.permutation(len(own))]
    rows = docs[own]
    kept = np.zeros(rows.nnz, bool)
    for row in range(len(own)):
        first, last = rows.indptr[row : row + 2]
        n_terms = max(1, round(QUERY_TERMS * (last - first)))
        kept[first + np.argsort(-rows.data[first:last], kind="stable")[:n_terms]] = True
    indptr = np.concatenate([[0], np.cumsum(kept)[rows.indptr[1:] - 1]])
    return sp.csr_array((rows.data[kept], rows.indices[kept], indptr), shape=rows.shape), own
