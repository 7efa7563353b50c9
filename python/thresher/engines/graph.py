"""Approximate search by graph: from similar document to similar document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex, Unpack

from thresher import _core
from thresher._arguments import as_int64
from thresher._hits import Hits
from thresher._matrix import MatrixLike
from thresher._streams import DocumentsLike
from thresher.engines.index import BuildOptions, Index, SearchOptions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from thresher._arguments import Reorder
    from thresher._matrix import QueryLike


class GraphBuild(BuildOptions, total=False):
    """Options of `GraphIndex.build`.

    Attributes
    ----------
    m
        Edges that a document chooses, from 1 to 256; with those of documents that chose it, it has at most twice as
        many. More give more recall for a scored document, and take more memory.
    ef_construction
        Similar documents that it chooses them from, from 1 to 65,536: found by a `ClusteredIndex`, which is built for
        this and then dropped.
    entry_points
        Documents from which a search can start, for each term those in which it is heaviest, up to 65,536; 0 for the
        library's choice by the number of documents.
    reorder
        Whether to store similar documents side by side, which makes edges smaller and searches faster. Or an order to
        store them in: the ids of all documents, shape (n_docs,), each once. Ids in results are always the rows of
        `docs`.
    """

    m: SupportsIndex
    ef_construction: SupportsIndex
    entry_points: SupportsIndex
    reorder: Reorder


class GraphSearch(SearchOptions, total=False):
    """Options of searches of a `GraphIndex`.

    Attributes
    ----------
    ef
        The width of the search: it ends when no document left to go on from is among the best `ef` found. At least k;
        0 for the library's choice by `k`. The dial between recall and speed.
    entry_terms
        Terms of a query, those that can contribute most, whose entry points the search starts from; 0 for all. Scores
        count all terms whatever it is.
    early_stop
        In [0, 1]: the search also ends when the best document left scores less than `early_stop` times the k-th best.
        0 never; 0.75 to 0.85 spare easy queries some work.
    """

    ef: SupportsIndex | None
    entry_terms: SupportsIndex | None
    early_stop: SupportsFloat | None


class GraphIndex(Index):
    """Approximate search by graph, in little memory.

    Every document has edges to similar ones. A query starts from documents in which its heaviest terms are heaviest,
    and goes on from the best document found to those that its edges lead to, scoring each in full precision, until
    that finds nothing better. `ef` trades recall for speed. It is the smallest of the indexes, and slower than
    `ClusteredIndex` at the same recall: see docs/internals/graph.md for why.

    About 3.9 bytes for each nonzero where the weights are float16 values, otherwise about 5.5.

    References
    ----------
    Yury Malkov, Dmitry Yashunin, *Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable
    Small World Graphs*, TPAMI 2020, arXiv 1603.09320. Over sparse vectors: Leonardo Delfino, Domenico Erriquez, Silvio
    Martinico, Franco Maria Nardini, Cosimo Rulli, Rossano Venturini, *kANNolo*, ECIR 2025, arXiv 2501.06121. What is
    different here: docs/internals/graph.md.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
    >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> thresher.GraphIndex.build(docs).search(queries, k=1, ef=100).ids
    array([[1]])
    """

    engine = "graph"
    _core_class = _core.GraphIndex
    _build_params = _core.GraphParams
    _search_params = _core.GraphSearchParams
    _build_options = GraphBuild
    _search_options = GraphSearch
    __slots__ = ()

    @classmethod
    def build(cls, docs: DocumentsLike, **options: Unpack[GraphBuild]) -> Self:
        """Build an index of the rows of a sparse matrix."""
        return cls._build(docs, options)

    def search(self, queries: MatrixLike, k: SupportsIndex | None = 10, **options: Unpack[GraphSearch]) -> Hits:
        """Find documents with a great inner product with each query: most of the k best.

        Terms of negative weight count in scores, and no search starts from them. The fewer documents are `allowed`, the
        further a search walks; where to score all of them is less work, that is done, and the result is exact.
        """
        return self._search(queries, k, options)

    def search_one(
        self,
        terms: QueryLike,
        weights: npt.ArrayLike | None = None,
        k: SupportsIndex | None = 10,
        **options: Unpack[GraphSearch],
    ) -> Hits:
        """Search for one query: the call with the least overhead."""
        return self._search_one(terms, weights, k, options)

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
        handle = self._live
        assert isinstance(handle, _core.GraphIndex)
        return handle.edges(as_int64(doc, "doc"))
