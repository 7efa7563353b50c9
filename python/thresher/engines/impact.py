"""Score-at-a-time search, which can be stopped at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex

from thresher import _core
from thresher._arguments import as_k, as_terms, as_threads, as_weights, with_given
from thresher._hits import Hits
from thresher._matrix import MatrixLike, as_csr
from thresher.engines.index import Index, Progress

if TYPE_CHECKING:
    import numpy.typing as npt


class ImpactIndex(Index):
    """Score-at-a-time search: exact, or stopped after so many postings or so much time with the best answer so far.

    A term's postings lie in segments of equal impact. A query reads segments, what matters most first, adds them to
    the documents' sums, and scores the documents of the greatest sums in full precision. Without a limit that ends as
    soon as no other document can be among the best, and the answer is exact. With a `postings_budget` every query
    takes about the same time, however long it is; with `deadline_us` it ends in that time.

    Searching takes two bytes of memory for each document and thread.

    References
    ----------
    Jimmy Lin, Andrew Trotman, *Anytime Ranking for Impact-Ordered Indexes*, ICTIR 2015. On learned weights: Joel
    Mackenzie, Andrew Trotman, Jimmy Lin, *Wacky Weights in Learned Sparse Representations and the Revenge of
    Score-at-a-Time Query Evaluation*, arXiv 2110.11540. What is different here: docs/internals/impact.md.
    """

    engine = "impact"
    __slots__ = ()

    @classmethod
    def build(
        cls,
        docs: MatrixLike,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
    ) -> Self:
        """Build an index of the rows of a sparse matrix.

        Parameters
        ----------
        docs
            Sparse matrix of shape (n_docs, n_terms), a document a row: any scipy.sparse matrix or array, a torch
            sparse tensor (COO or CSR), or an ``(indptr, indices, data)`` triple with `shape`. Weights must be finite
            and >= 0. Unsorted rows are sorted, duplicates summed, zeros dropped. Arrays that fit (int32 or uint32
            indices, float32 data) are read in place; none is kept or changed.
        shape
            (n_docs, n_terms), needed only for a triple.
        threads
            Threads to use; 0 means one for each core. The index does not depend on it.
        progress
            Called on this thread now and then as ``progress(done, n_docs)``.

        Returns
        -------
        ImpactIndex
            A little over 2 bytes for each nonzero, and the documents' weights themselves, about 3.3 where they are
            float16 values.

        Raises
        ------
        ValueError
            If a weight is negative or not finite (the message names the row and the term), or the matrix has more
            than 2**31 rows or 2**32 - 1 columns.
        TypeError
            If `docs` is not a sparse matrix.
        KeyboardInterrupt
            On Ctrl-C, at once; nothing is left behind.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.ImpactIndex.build(docs).n_docs
        2
        """
        rows = as_csr(docs, shape=shape, name="docs")
        return cls(
            _core.ImpactIndex.build(rows.indptr, rows.indices, rows.data, rows.shape[1], as_threads(threads), progress)
        )

    def search(
        self,
        queries: MatrixLike,
        k: SupportsIndex = 10,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
        postings_budget: SupportsIndex | None = None,
        deadline_us: SupportsFloat | None = None,
        rescored: SupportsIndex | None = None,
    ) -> Hits:
        """Find the k documents with the greatest inner product with each query, or most of them within a limit.

        Search parameters that are not given, or None, are the index's own: `search_params`, which are the library's
        defaults unless others were set.

        Parameters
        ----------
        queries
            Sparse matrix of shape (n_queries, n_terms), or narrower: anything that `build` takes. Weights must be
            finite and may be negative.
        k
            Documents to return for each query, from 1 to 2**24.
        shape
            (n_queries, n_terms), needed only where `queries` is an ``(indptr, indices, data)`` triple.
        threads
            Threads to use; 0 means one for each core. Without a deadline, the result does not depend on it.
        progress
            Called on this thread now and then as ``progress(done, n_queries)``.
        postings_budget
            Postings that a query may read. 0 is as many as an exact answer takes. Library default: 0.
        deadline_us
            Microseconds that a query may take, from when it is begun. 0 is as many as an exact answer takes. What is
            found in that time depends on the machine and its load. Library default: 0.
        rescored
            Documents to score in full precision once a limit has stopped the reading, k where it is less: those of the
            greatest sums. 0 is the library's choice, 150 + 5 k. Library default: 0.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (n_queries, k), best first. Scores are exact. Only
            documents with a positive score are returned; missing ones are -1 and -inf. Ties are in ascending order of
            ids. ``complete`` bool, of shape (n_queries,): the limits were not needed, and the answer is exact.

        Raises
        ------
        ValueError
            If k or a parameter is out of range, or the queries are wider than the index or hold a weight that is not
            finite.
        TypeError
            If `queries` is not a sparse matrix.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
        >>> hits = thresher.ImpactIndex.build(docs).search(queries, k=1, postings_budget=1000)
        >>> hits.ids, hits.complete
        (array([[1]]), array([ True]))
        """
        rows = as_csr(queries, shape=shape, name="queries")
        params = with_given(
            self._engine.own_search_params(),
            postings_budget=postings_budget,
            deadline_us=deadline_us,
            rescored=rescored,
        )
        return Hits(
            *self._engine.search_with(
                rows.indptr, rows.indices, rows.data, rows.shape[1], as_k(k), as_threads(threads), progress, params
            )
        )

    def search_one(
        self,
        terms: npt.ArrayLike,
        weights: npt.ArrayLike,
        k: SupportsIndex = 10,
        *,
        postings_budget: SupportsIndex | None = None,
        deadline_us: SupportsFloat | None = None,
        rescored: SupportsIndex | None = None,
    ) -> Hits:
        """Search for one query given as its terms and their weights: the call with the least overhead.

        Parameters
        ----------
        terms
            Term ids, shape (n,), in any order; uint32 arrays are taken as they are.
        weights
            Their weights, shape (n,); float32 arrays are taken as they are. Weights of a repeated term are added.
        k
            Documents to return, at least 1.
        postings_budget, deadline_us, rescored
            As in `search`.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (k,), and ``complete`` bool, of shape (), as `search`
            gives them.

        Raises
        ------
        ValueError
            If k < 1, a parameter is out of range, the two differ in length, a term is not in [0, n_terms) or a
            weight is not finite.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.ImpactIndex.build(docs).search_one([1, 2], [1.0, 1.0], k=1)
        Hits(ids=array([1]), scores=array([3.5], dtype=float32))
        """
        params = with_given(
            self._engine.own_search_params(),
            postings_budget=postings_budget,
            deadline_us=deadline_us,
            rescored=rescored,
        )
        return Hits(*self._engine.search_one_with(as_terms(terms), as_weights(weights), as_k(k), params))

    @property
    def _engine(self) -> _core.ImpactIndex:
        handle = self._live
        assert isinstance(handle, _core.ImpactIndex)
        return handle
