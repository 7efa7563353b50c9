"""Exact search, a document at a time, over compressed postings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, SupportsIndex, TypeAlias

from thresher import _core
from thresher._arguments import as_k, as_terms, as_threads, as_weights, with_given
from thresher._hits import Hits
from thresher._matrix import MatrixLike, as_csr
from thresher.engines.index import Index, Progress

if TYPE_CHECKING:
    import numpy.typing as npt

Algorithm: TypeAlias = Literal["auto", "maxscore", "wand", "block_max_maxscore", "block_max_wand"]


class PostingsIndex(Index):
    """Exact search over compressed postings, a document at a time: the classical engine, and right for short queries.

    Postings are kept by term, in blocks of 128 with the largest impact of each. Bounds made of these tell which
    documents can't be among the best k, and most postings of frequent terms are never read. The few documents that are
    left are finished in full precision: ids and scores are those of the float32 weights that were given.

    Bounds tell much where few terms make up most of a score, as with BM25, and little with the long queries of learned
    vectors: `BlockMaxIndex` is faster for these. See docs/engines/postings.md.

    References
    ----------
    MaxScore: Howard Turtle, James Flood, *Query Evaluation: Strategies and Optimizations*, Information Processing and
    Management 31(6), 1995. WAND: Andrei Broder et al., *Efficient Query Evaluation Using a Two-level Retrieval
    Process*, CIKM 2003. With the maxima of blocks: Shuai Ding, Torsten Suel, *Faster Top-k Document Retrieval Using
    Block-max Indexes*, SIGIR 2011; Constantinos Dimopoulos, Sergey Nepomnyachiy, Torsten Suel, *Optimizing Top-k
    Document Retrieval Strategies for Block-max Indexes*, WSDM 2013.
    """

    engine = "postings"
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
        PostingsIndex
            About 5.4 bytes for each nonzero where the weights are float16 values, otherwise about 7.

        Raises
        ------
        ValueError
            If a weight is negative or not finite (the message names the row and the term), or the matrix has more than
            2**31 rows or 2**32 - 1 columns.
        TypeError
            If `docs` is not a sparse matrix.
        KeyboardInterrupt
            On Ctrl-C, at once; nothing is left behind.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.PostingsIndex.build(docs).n_docs
        2
        """
        rows = as_csr(docs, shape=shape, name="docs")
        return cls(
            _core.PostingsIndex.build(
                rows.indptr, rows.indices, rows.data, rows.shape[1], as_threads(threads), progress
            )
        )

    def search(
        self,
        queries: MatrixLike,
        k: SupportsIndex = 10,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
        algorithm: Algorithm | None = None,
    ) -> Hits:
        """Find the k documents with the greatest inner product with each query.

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
            Threads to use; 0 means one for each core. The result does not depend on it.
        progress
            Called on this thread now and then as ``progress(done, n_queries)``.
        algorithm
            How postings are skipped: ``"maxscore"``, ``"wand"``, ``"block_max_maxscore"``, ``"block_max_wand"``, or
            ``"auto"`` for the library's choice by the query. The result does not depend on it.
            Library default: ``"auto"``.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (n_queries, k), best first. Only documents with a
            positive score are returned; missing ones are -1 and -inf. Ties are in ascending order of ids.

        Raises
        ------
        ValueError
            If k is out of range, there is no such algorithm, or the queries are wider than the index or hold a weight
            that is not finite.
        TypeError
            If `queries` is not a sparse matrix, or `algorithm` not a string.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
        >>> thresher.PostingsIndex.build(docs).search(queries, k=2, algorithm="wand").ids
        array([[1, 0]])
        """
        rows = as_csr(queries, shape=shape, name="queries")
        params = with_given(self._engine.own_search_params(), algorithm=algorithm)
        ids, scores = self._engine.search_with(
            rows.indptr, rows.indices, rows.data, rows.shape[1], as_k(k), as_threads(threads), progress, params
        )
        return Hits(ids, scores)

    def search_one(
        self,
        terms: npt.ArrayLike,
        weights: npt.ArrayLike,
        k: SupportsIndex = 10,
        *,
        algorithm: Algorithm | None = None,
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
        algorithm
            As in `search`.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (k,), as `search` gives them.

        Raises
        ------
        ValueError
            If k < 1, there is no such algorithm, the two differ in length, a term is not in [0, n_terms) or a weight
            is not finite.
        TypeError
            If `algorithm` is not a string.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.PostingsIndex.build(docs).search_one([1, 2], [1.0, 1.0], k=1)
        Hits(ids=array([1]), scores=array([3.5], dtype=float32))
        """
        params = with_given(self._engine.own_search_params(), algorithm=algorithm)
        return Hits(*self._engine.search_one_with(as_terms(terms), as_weights(weights), as_k(k), params))

    @property
    def _engine(self) -> _core.PostingsIndex:
        handle = self._live
        assert isinstance(handle, _core.PostingsIndex)
        return handle
