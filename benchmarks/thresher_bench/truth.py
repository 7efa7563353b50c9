"""What the exact answers are, and the recall of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import thresher
from thresher._recall import TOLERANCE, Wanted

if TYPE_CHECKING:
    from typing import Self

    import numpy.typing as npt
    from scipy import sparse

_DENSE_SCORES = 20_000_000  # float64 scores held at a time
_PRODUCTS = 100_000_000_000  # nonzeros times queries that float64 scores of everything are worth their time for
_SAMPLE = 20  # queries that answers of others are checked on


class Truth:
    """The exact k-th scores of queries, in float64, and the recall of answers to them.

    Ties count as right: a returned document counts if its exact score reaches the exact k-th score. Where fewer than k
    documents score above 0, all are wanted.

    Parameters
    ----------
    docs
        Documents, (n_docs, n_terms).
    queries
        Queries, (n_queries, n_terms).
    k
        Documents wanted of each query.
    ids
        Exact answers found elsewhere, (n_queries, at least k), padded with -1, best first. Without them the float64
        scores of all documents are summed for each query.

    Raises
    ------
    ValueError
        If no query has an answer; from `part` too.
    """

    def __init__(
        self,
        docs: sparse.csr_matrix,
        queries: sparse.csr_matrix,
        k: int,
        ids: npt.NDArray[np.integer] | None = None,
    ) -> None:
        self.docs = docs
        self.queries = queries
        self.k = k
        self.wanted = Wanted.of(_best(docs, queries, k) if ids is None else self._scores(ids[:, :k]))
        self._check()

    @classmethod
    def checked(
        cls, docs: sparse.csr_matrix, queries: sparse.csr_matrix, k: int, ids: npt.NDArray[np.integer] | None = None
    ) -> Self:
        """Return the truth in little time: `ids`, or those of `ExactIndex`, if float64 agrees on a sample of queries.

        Raises
        ------
        ValueError
            If they are not the best documents.
        """
        if ids is None and docs.nnz * queries.shape[0] <= _PRODUCTS:
            return cls(docs, queries, k)
        source = "the ground truth's ids"
        if ids is None:
            ids = thresher.ExactIndex.build(docs).search(queries, k).ids
            source = "ExactIndex's ids"
        if ids.shape[0] < queries.shape[0] or ids.shape[1] < k:
            raise ValueError(f"{source} are {ids.shape}; {queries.shape[0]} queries and k = {k} are asked for")
        if ids.max(initial=-1) >= docs.shape[0]:
            raise ValueError(f"{source} have document {ids.max()}; there are {docs.shape[0]}")
        truth = cls(docs, queries, k, ids[: queries.shape[0]])
        rows = np.unique(np.linspace(0, queries.shape[0] - 1, _SAMPLE).astype(int))
        right = Wanted.of(_best(docs, queries[rows], k))
        agrees = np.isclose(truth.wanted.lowest[rows], right.lowest, rtol=TOLERANCE, atol=0)
        for row, is_right in zip(rows, agrees & (truth.wanted.counts[rows] == right.counts), strict=True):
            if not is_right:
                raise ValueError(f"{source} of query {row} are not the best {k} documents")
        return truth

    def part(self, rows: slice) -> Truth:
        """Return the truth of some queries."""
        part = object.__new__(Truth)
        part.docs, part.queries, part.k = self.docs, self.queries[rows], self.k
        part.wanted = self.wanted.part(rows)
        part._check()
        return part

    def recall(self, ids: npt.NDArray[np.int64]) -> float:
        """Return recall@k of answers, ids of shape (n_queries, k), padded with -1."""
        ids = np.sort(ids, axis=1)
        ids[:, 1:][ids[:, 1:] == ids[:, :-1]] = -1  # a document counts once
        return self.wanted.recall(self._scores(ids))

    def _check(self) -> None:
        """Raise ValueError if nothing is to be found: whatever finds it has no recall, least of all a perfect one."""
        if not self.wanted.counts.any():
            raise ValueError(
                f"none of {len(self.wanted.counts)} queries has a document of positive score: there is no recall"
            )

    def _scores(self, ids: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """Return the float64 scores of documents, -inf in place of -1."""
        scores = np.full(ids.shape, -np.inf)
        weights = np.zeros(self.docs.shape[1])
        for row, answer in enumerate(ids):
            first, last = self.queries.indptr[row : row + 2]
            terms = self.queries.indices[first:last]
            weights[terms] = self.queries.data[first:last]
            some = answer >= 0
            scores[row, some] = self.docs[answer[some]].astype(np.float64) @ weights
            weights[terms] = 0
        return scores


def _best(docs: sparse.csr_matrix, queries: sparse.csr_matrix, k: int) -> npt.NDArray[np.float64]:
    """Return the best scores of each query, up to k of them, in no order."""
    n_queries = queries.shape[0]
    questions = queries.astype(np.float64).T.tocsc()
    step = max(1, _DENSE_SCORES // max(1, n_queries))
    best = np.zeros((n_queries, 0))
    for start in range(0, docs.shape[0], step):
        scores = (docs[start : start + step].astype(np.float64) @ questions).toarray().T
        best = np.concatenate([best, scores], axis=1)
        if best.shape[1] > k:
            best = -np.partition(-best, k - 1, axis=1)[:, :k]
    return best
