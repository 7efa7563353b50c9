"""Approximate search over clusters of similar documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex

from thresher import _core
from thresher._arguments import as_int64, as_k, as_number, as_reorder, as_terms, as_threads, as_weights, with_given
from thresher._hits import Hits
from thresher._matrix import MatrixLike, as_csr
from thresher.engines.index import Index, Progress

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._arguments import Reorder

_DEFAULTS = _core.ClusteredParams()


class ClusteredIndex(Index):
    """Approximate search over clusters of similar documents, with a bounded time for every query.

    Documents are clustered; for every cluster, a quantised summary of what its members have. A query ranks the clusters
    by their summaries, in large collections those of the best groups only, and the members of the best ones are scored
    in full precision. The defaults find more than 0.95 of the best 10; `cluster_budget` trades recall for speed. It
    takes less memory than `BlockMaxIndex`, and its longest queries take hardly more time than the others.

    References
    ----------
    Sebastian Bruch, Franco Maria Nardini, Cosimo Rulli, Rossano Venturini, *Efficient Inverted Indexes for Approximate
    Retrieval over Learned Sparse Representations* (Seismic), SIGIR 2024, arXiv 2404.18812; with a k-NN graph, CIKM
    2024, arXiv 2408.04443. What is different here: docs/internals/clustered.md.
    """

    engine = "clustered"
    __slots__ = ()

    @classmethod
    def build(
        cls,
        docs: MatrixLike,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
        cluster_size: SupportsIndex = _DEFAULTS.cluster_size,
        reorder: Reorder = _DEFAULTS.reorder,
        dense_frequency: SupportsFloat = _DEFAULTS.dense_frequency,
        tile_frequency: SupportsFloat = _DEFAULTS.tile_frequency,
        group_frequency: SupportsFloat = _DEFAULTS.group_frequency,
        n_postings: SupportsIndex = _DEFAULTS.n_postings,
        summary_energy: SupportsFloat = _DEFAULTS.summary_energy,
        neighbours: SupportsIndex = _DEFAULTS.neighbours,
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
        cluster_size
            Documents in a cluster: 4, 8, 16, 32 or 64, or 0 for the library's choice. Fewer make sharper summaries,
            and more of them.
        reorder
            Whether to cluster, which takes most of the time of a build; False makes clusters of consecutive rows, for
            documents that come in an order of likeness. Or an order to cut clusters from: the ids of all documents,
            shape (n_docs,), each once. Ids in results are always the rows of `docs`.
        dense_frequency
            Terms that at least this share of the documents have, in (0, 1], are kept for every cluster, half a byte
            each; others in lists of the clusters that have them, three bytes each.
        tile_frequency
            Terms that at least this share of the documents have, in (0, 1], tell a cluster's members apart before any
            of them is scored.
        group_frequency
            Terms that at least this share of the documents have, in (0, 1], and all dense ones, are kept for groups of
            32 clusters too, half a byte a group: searches of large collections look into the best groups only. 0 for
            the library's choice: 0.0005 from 1.5 million documents on, and no groups below.
        n_postings
            Clusters that a term's list keeps, those where it is heaviest; 0 for all.
        summary_energy
            The share of its mass, in (0, 1], that a summary keeps in lists: its heaviest terms. Less takes less memory
            and time, and some recall.
        neighbours
            Neighbours of each document in the k-NN graph that `refine` needs, up to 256; 0 for no graph. Each takes 4
            bytes a document; finding them searches the index once for every document.

        Returns
        -------
        ClusteredIndex
            About 7.7 bytes for each nonzero where the weights are float16 values, otherwise about 9.3.

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
        >>> thresher.ClusteredIndex.build(docs).n_docs
        2
        """
        rows = as_csr(docs, shape=shape, name="docs")
        params = _core.ClusteredParams()
        params.cluster_size = as_int64(cluster_size, "cluster_size")
        params.dense_frequency = as_number(dense_frequency, "dense_frequency")
        params.tile_frequency = as_number(tile_frequency, "tile_frequency")
        params.group_frequency = as_number(group_frequency, "group_frequency")
        params.n_postings = as_int64(n_postings, "n_postings")
        params.summary_energy = as_number(summary_energy, "summary_energy")
        params.neighbours = as_int64(neighbours, "neighbours")
        params.reorder, order = as_reorder(reorder, "reorder")
        return cls(
            _core.ClusteredIndex.build(
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
        query_cut: SupportsIndex | None = None,
        heap_factor: SupportsFloat | None = None,
        cluster_budget: SupportsIndex | None = None,
        group_budget: SupportsIndex | None = None,
        refine: SupportsIndex | None = None,
    ) -> Hits:
        """Find documents with a great inner product with each query: most of the k best.

        The scores that are returned are exact; some of the best documents may be missing.

        Search parameters that are not given, or None, are the index's own: `search_params`, which are the library's
        defaults unless others were set.

        Parameters
        ----------
        queries
            Sparse matrix of shape (n_queries, n_terms), or narrower: anything that `build` takes. Weights must be
            finite and may be negative: such terms count in scores, and no cluster is chosen for them.
        k
            Documents to return for each query, from 1 to 2**24.
        shape
            (n_queries, n_terms), needed only where `queries` is an ``(indptr, indices, data)`` triple.
        threads
            Threads to use; 0 means one for each core. The result does not depend on it.
        progress
            Called on this thread now and then as ``progress(done, n_queries)``.
        query_cut
            Terms of a query, those that can contribute most, that clusters are ranked by; 0 for all. Scores count all
            terms whatever it is. Library default: 24.
        heap_factor
            In (0, 1]: clusters are opened, and members scored, while the score that the summary allows, times
            `heap_factor`, reaches the k-th best score so far. Less is faster. Library default: 1.
        cluster_budget
            Clusters to open at most, best summary first; 0 for the library's choice by `k`. The dial between recall
            and speed. Library default: 0.
        group_budget
            Groups of 32 clusters whose clusters are ranked at all, those that look best, about so many; needs an index
            with groups, which is one of 1.5 million documents or built with a `group_frequency`. 0 for the library's
            choice: 5 for each cluster to open, or all where those would be an eighth of them. More is slower and finds
            more. Library default: 0.
        refine
            Best hits whose neighbours are scored too; needs an index that was built with `neighbours`.
            Library default: 0.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (n_queries, k), best first. Only documents with a
            positive score are returned; missing ones are -1 and -inf. Ties are in ascending order of ids.

        Raises
        ------
        ValueError
            If k or a parameter is out of range, `refine` is asked of an index without neighbours or `group_budget` of
            one without groups, or the queries are wider than the index or hold a weight that is not finite.
        TypeError
            If `queries` is not a sparse matrix.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
        >>> thresher.ClusteredIndex.build(docs).search(queries, k=1, cluster_budget=100).ids
        array([[1]])
        """
        rows = as_csr(queries, shape=shape, name="queries")
        params = with_given(
            self._engine.own_search_params(),
            query_cut=query_cut,
            heap_factor=heap_factor,
            cluster_budget=cluster_budget,
            group_budget=group_budget,
            refine=refine,
        )
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
        query_cut: SupportsIndex | None = None,
        heap_factor: SupportsFloat | None = None,
        cluster_budget: SupportsIndex | None = None,
        group_budget: SupportsIndex | None = None,
        refine: SupportsIndex | None = None,
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
        query_cut, heap_factor, cluster_budget, group_budget, refine
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
        >>> thresher.ClusteredIndex.build(docs).search_one([1, 2], [1.0, 1.0], k=1)
        Hits(ids=array([1]), scores=array([3.5], dtype=float32))
        """
        params = with_given(
            self._engine.own_search_params(),
            query_cut=query_cut,
            heap_factor=heap_factor,
            cluster_budget=cluster_budget,
            group_budget=group_budget,
            refine=refine,
        )
        return Hits(*self._engine.search_one_with(as_terms(terms), as_weights(weights), as_k(k), params))

    @property
    def _engine(self) -> _core.ClusteredIndex:
        handle = self._live
        assert isinstance(handle, _core.ClusteredIndex)
        return handle
