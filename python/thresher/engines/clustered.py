"""Approximate search over clusters of similar documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex, Unpack

from thresher import _core
from thresher._hits import Hits
from thresher._matrix import MatrixLike
from thresher._streams import DocumentsLike
from thresher.engines.index import BuildOptions, Index, SearchOptions

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._arguments import Reorder
    from thresher._matrix import QueryLike


class ClusteredBuild(BuildOptions, total=False):
    """Options of `ClusteredIndex.build`.

    Attributes
    ----------
    cluster_size
        Documents in a cluster: 4, 8, 16, 32 or 64, or 0 for the library's choice. Fewer make sharper summaries, and
        more of them.
    reorder
        Whether to cluster, which takes most of the time of a build; False makes clusters of consecutive rows, for
        documents that come in an order of likeness. Or an order to cut clusters from: the ids of all documents, shape
        (n_docs,), each once. Ids in results are always the rows of `docs`.
    dense_frequency
        Terms that at least this fraction of the documents have, in (0, 1], are kept for every cluster, half a byte
        each; others in lists of the clusters that have them, three bytes each.
    tile_frequency
        Terms that at least this fraction of the documents have, in (0, 1], tell a cluster's members apart before any
        of them is scored.
    group_frequency
        Terms that at least this fraction of the documents have, in (0, 1], and all dense ones, are kept for groups of
        32 clusters too, half a byte a group: searches of large collections look into the best groups only. 0 for the
        library's choice: 0.0005 from 1.5 million documents on, and no groups below.
    n_postings
        Clusters that a term's list keeps, those where it is heaviest; 0 for all.
    summary_energy
        The fraction of its mass, in (0, 1], that a summary keeps in lists: its heaviest terms. Less takes less memory
        and time, and some recall.
    neighbours
        Neighbours of each document in the k-NN graph that `refine` needs, up to 256; 0 for no graph. Each takes 4
        bytes a document; finding them searches the index once for every document.
    """

    cluster_size: SupportsIndex
    reorder: Reorder
    dense_frequency: SupportsFloat
    tile_frequency: SupportsFloat
    group_frequency: SupportsFloat
    n_postings: SupportsIndex
    summary_energy: SupportsFloat
    neighbours: SupportsIndex


class ClusteredSearch(SearchOptions, total=False):
    """Options of searches of a `ClusteredIndex`.

    Attributes
    ----------
    query_cut
        Terms of a query, those that can contribute most, that clusters are ranked by; 0 for all. Scores count all
        terms whatever it is.
    heap_factor
        In (0, 1]: clusters are opened, and members scored, while the score that the summary allows, times
        `heap_factor`, reaches the k-th best score so far. Less is faster.
    cluster_budget
        Clusters to open at most, best summary first; 0 for the library's choice by `k`. The dial between recall and
        speed.
    group_budget
        Groups of 32 clusters whose clusters are ranked at all, those that look best, about so many; needs an index
        with groups, which is one of 1.5 million documents or built with a `group_frequency`. 0 for the library's
        choice: 5 for each cluster to open, or all where those would be an eighth of them. More is slower and finds
        more.
    refine
        Best hits whose neighbours are scored too; needs an index that was built with `neighbours`.
    """

    query_cut: SupportsIndex | None
    heap_factor: SupportsFloat | None
    cluster_budget: SupportsIndex | None
    group_budget: SupportsIndex | None
    refine: SupportsIndex | None


class ClusteredIndex(Index):
    """Approximate search over clusters of similar documents, with a bounded time for every query.

    Documents are clustered; for every cluster, a quantised summary of what its members have. A query ranks the clusters
    by their summaries, in large collections those of the best groups only, and the members of the best ones are scored
    in full precision. The defaults find more than 0.95 of the best 10; `cluster_budget` trades recall for speed. It
    takes less memory than `BlockMaxIndex`, and its longest queries take hardly more time than the others.

    About 7.7 bytes for each nonzero where the weights are float16 values, otherwise about 9.3.

    References
    ----------
    Sebastian Bruch, Franco Maria Nardini, Cosimo Rulli, Rossano Venturini, *Efficient Inverted Indexes for Approximate
    Retrieval over Learned Sparse Representations* (Seismic), SIGIR 2024, arXiv 2404.18812; with a k-NN graph, CIKM
    2024, arXiv 2408.04443. What is different here: docs/internals/clustered.md.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
    >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> thresher.ClusteredIndex.build(docs).search(queries, k=1, cluster_budget=100).ids
    array([[1]])
    """

    engine = "clustered"
    _core_class = _core.ClusteredIndex
    _build_params = _core.ClusteredParams
    _search_params = _core.ClusteredSearchParams
    _build_options = ClusteredBuild
    _search_options = ClusteredSearch
    __slots__ = ()

    @classmethod
    def build(cls, docs: DocumentsLike, **options: Unpack[ClusteredBuild]) -> Self:
        """Build an index of the rows of a sparse matrix."""
        return cls._build(docs, options)

    def search(self, queries: MatrixLike, k: SupportsIndex | None = 10, **options: Unpack[ClusteredSearch]) -> Hits:
        """Find documents with a great inner product with each query: most of the k best.

        Terms of negative weight count in scores, and no cluster is chosen for them.
        """
        return self._search(queries, k, options)

    def search_one(
        self,
        terms: QueryLike,
        weights: npt.ArrayLike | None = None,
        k: SupportsIndex | None = 10,
        **options: Unpack[ClusteredSearch],
    ) -> Hits:
        """Search for one query: the call with the least overhead."""
        return self._search_one(terms, weights, k, options)
