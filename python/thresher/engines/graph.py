"""Approximate search by graph: from similar document to similar document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex

from thresher import _core
from thresher._arguments import as_allowed, as_int64, as_k, as_reorder, as_terms, as_threads, as_weights, with_given
from thresher._hits import Hits
from thresher._matrix import MatrixLike, as_csr
from thresher.engines.index import Index, Progress

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from thresher._arguments import Reorder

_DEFAULTS = _core.GraphParams()


class GraphIndex(Index):
    """Approximate search by graph, in little memory.

    Every document has edges to similar ones. A query starts from documents in which its heaviest terms are heaviest,
    and goes on from the best document found to those that its edges lead to, scoring each in full precision, until
    that finds nothing better. `ef` trades recall for speed. It is the smallest of the indexes, and slower than
    `ClusteredIndex` at the same recall: see docs/internals/graph.md for why.

    References
    ----------
    Yury Malkov, Dmitry Yashunin, *Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable
    Small World Graphs*, TPAMI 2020, arXiv 1603.09320. Over sparse vectors: Leonardo Delfino, Domenico Erriquez, Silvio
    Martinico, Franco Maria Nardini, Cosimo Rulli, Rossano Venturini, *kANNolo*, ECIR 2025, arXiv 2501.06121. What is
    different here: docs/internals/graph.md.
    """

    engine = "graph"
    __slots__ = ()

    @classmethod
    def build(
        cls,
        docs: MatrixLike,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
        m: SupportsIndex = _DEFAULTS.m,
        ef_construction: SupportsIndex = _DEFAULTS.ef_construction,
        entry_points: SupportsIndex = _DEFAULTS.entry_points,
        reorder: Reorder = _DEFAULTS.reorder,
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
        m
            Edges that a document chooses, from 1 to 256; with those of documents that chose it, it has at most twice
            as many. More give more recall for a scored document, and take more memory.
        ef_construction
            Similar documents that it chooses them from, from 1 to 65,536: found by a `ClusteredIndex`, which is built
            for this and then dropped.
        entry_points
            Documents from which a search can start, for each term those in which it is heaviest, up to 65,536; 0 for
            the library's choice by the number of documents.
        reorder
            Whether to store similar documents side by side, which makes edges smaller and searches faster. Or an order
            to store them in: the ids of all documents, shape (n_docs,), each once. Ids in results are always the rows
            of `docs`.

        Returns
        -------
        GraphIndex
            About 3.9 bytes for each nonzero where the weights are float16 values, otherwise about 5.5.

        Raises
        ------
        ValueError
            If a weight is negative or not finite (the message names the row and the term), the matrix has more than
            2**31 rows or 2**32 - 1 columns, a parameter is out of range, or `reorder` is not a permutation.
        TypeError
            If `docs` is not a sparse matrix.
        KeyboardInterrupt
            On Ctrl-C; nothing is left behind.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.GraphIndex.build(docs).n_docs
        2
        """
        rows = as_csr(docs, shape=shape, name="docs")
        params = _core.GraphParams()
        params.m = as_int64(m, "m")
        params.ef_construction = as_int64(ef_construction, "ef_construction")
        params.entry_points = as_int64(entry_points, "entry_points")
        params.reorder, order = as_reorder(reorder, "reorder")
        return cls(
            _core.GraphIndex.build(
                rows.indptr, rows.indices, rows.data, rows.shape[1], params, order, as_threads(threads), progress
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
        ef: SupportsIndex | None = None,
        entry_terms: SupportsIndex | None = None,
        early_stop: SupportsFloat | None = None,
        allowed: npt.ArrayLike | None = None,
    ) -> Hits:
        """Find documents with a great inner product with each query: most of the k best.

        The scores that are returned are exact; some of the best documents may be missing.

        Search parameters that are not given, or None, are the index's own: `search_params`, which are the library's
        defaults unless others were set.

        Parameters
        ----------
        queries
            Sparse matrix of shape (n_queries, n_terms), or narrower: anything that `build` takes. Weights must be
            finite and may be negative: such terms count in scores, and no search starts from them.
        k
            Documents to return for each query, from 1 to 2**24.
        shape
            (n_queries, n_terms), needed only where `queries` is an ``(indptr, indices, data)`` triple.
        threads
            Threads to use; 0 means one for each core. The result does not depend on it.
        progress
            Called on this thread now and then as ``progress(done, n_queries)``.
        ef
            The width of the search: it ends when no document left to go on from is among the best `ef` found. At least
            k; 0 for the library's choice by `k`. The dial between recall and speed. Library default: 0.
        entry_terms
            Terms of a query, those that can contribute most, whose entry points the search starts from; 0 for all.
            Scores count all terms whatever it is. Library default: 8.
        early_stop
            In [0, 1]: the search also ends when the best document left scores less than `early_stop` times the k-th
            best. 0 never; 0.75 to 0.85 spare easy queries some work. Library default: 0.
        allowed
            Which documents may be returned: booleans of shape (n_docs,). None allows all. The fewer are allowed, the
            further a search walks; where scoring all of them is less work, that is done, and the result is exact. Each
            call counts them first, which takes some microseconds for 100,000 documents.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (n_queries, k), best first. Only documents with a
            positive score are returned; missing ones are -1 and -inf. Ties are in ascending order of ids.

        Raises
        ------
        ValueError
            If k or a parameter is out of range, `allowed` is not of shape (n_docs,), or the queries are wider than the
            index or hold a weight that is not finite.
        TypeError
            If `queries` is not a sparse matrix, or `allowed` not of booleans.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
        >>> thresher.GraphIndex.build(docs).search(queries, k=1, ef=100).ids
        array([[1]])
        """
        rows = as_csr(queries, shape=shape, name="queries")
        params = self._search_params(allowed, ef=ef, entry_terms=entry_terms, early_stop=early_stop)
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
        ef: SupportsIndex | None = None,
        entry_terms: SupportsIndex | None = None,
        early_stop: SupportsFloat | None = None,
        allowed: npt.ArrayLike | None = None,
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
        ef, entry_terms, early_stop, allowed
            As in `search`.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (k,), as `search` gives them.

        Raises
        ------
        ValueError
            If k < 1, a parameter is out of range, the two differ in length, a term is not in [0, n_terms) or a
            weight is not finite.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.GraphIndex.build(docs).search_one([1, 2], [1.0, 1.0], k=1)
        Hits(ids=array([1]), scores=array([3.5], dtype=float32))
        """
        params = self._search_params(allowed, ef=ef, entry_terms=entry_terms, early_stop=early_stop)
        return Hits(*self._engine.search_one_with(as_terms(terms), as_weights(weights), as_k(k), params))

    def edges(self, doc: SupportsIndex) -> npt.NDArray[np.int64]:
        """Return the documents to which the graph leads from one.

        Every document can be reached from every other along edges.

        Parameters
        ----------
        doc
            Its id, in [0, n_docs).

        Returns
        -------
        numpy.ndarray
            Their ids, int64, shape (n,), ascending; n is at most 3 * `m` + 2.

        Raises
        ------
        ValueError
            If there is no such document.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.GraphIndex.build(docs).edges(0)
        array([1])
        """
        return self._engine.edges(as_int64(doc, "doc"))

    @property
    def _engine(self) -> _core.GraphIndex:
        handle = self._live
        assert isinstance(handle, _core.GraphIndex)
        return handle

    def _search_params(
        self, allowed: npt.ArrayLike | None, **given: SupportsIndex | SupportsFloat | None
    ) -> _core.GraphSearchParams:
        params = with_given(self._engine.own_search_params(), **given)
        if allowed is not None:
            params.allow(as_allowed(allowed, self.n_docs, "allowed"))
        return params
