"""Exact search, a document at a time, over compressed postings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, SupportsIndex, TypeAlias, Unpack

from thresher import _core
from thresher._hits import Hits
from thresher._matrix import MatrixLike
from thresher._streams import DocumentsLike
from thresher.engines.index import BuildOptions, Index, SearchOptions

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import QueryLike

Algorithm: TypeAlias = Literal["auto", "maxscore", "wand", "block_max_maxscore", "block_max_wand"]


class PostingsSearch(SearchOptions, total=False):
    """Options of searches of a `PostingsIndex`.

    Attributes
    ----------
    algorithm
        How postings are skipped: ``"maxscore"``, ``"wand"``, ``"block_max_maxscore"``, ``"block_max_wand"``, or
        ``"auto"`` for the library's choice by the query. The result does not depend on it.
    """

    algorithm: Algorithm | None


class PostingsIndex(Index):
    """Exact search over compressed postings, a document at a time: the classical engine, and right for short queries.

    Postings are kept by term, in blocks of 128 with the largest impact of each. Bounds made of these tell which
    documents can't be among the best k, and most postings of frequent terms are never read. The few documents that are
    left are scored in full precision: ids and scores are those of the float32 weights that were given.

    Bounds tell much where few terms make up most of a score, as with BM25, and little with the long queries of learned
    vectors: `BlockMaxIndex` is faster for these. See docs/internals/postings.md.

    About 5.4 bytes for each nonzero where the weights are float16 values, otherwise about 7.

    References
    ----------
    MaxScore: Howard Turtle, James Flood, *Query Evaluation: Strategies and Optimizations*, Information Processing and
    Management 31(6), 1995. WAND: Andrei Broder et al., *Efficient Query Evaluation Using a Two-level Retrieval
    Process*, CIKM 2003. With the maxima of blocks: Shuai Ding, Torsten Suel, *Faster Top-k Document Retrieval Using
    Block-max Indexes*, SIGIR 2011; Constantinos Dimopoulos, Sergey Nepomnyachiy, Torsten Suel, *Optimizing Top-k
    Document Retrieval Strategies for Block-max Indexes*, WSDM 2013.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
    >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> thresher.PostingsIndex.build(docs).search(queries, k=2, algorithm="wand").ids
    array([[1, 0]])
    """

    engine = "postings"
    _core_class = _core.PostingsIndex
    _search_params = _core.PostingsSearchParams
    _search_options = PostingsSearch
    __slots__ = ()

    @classmethod
    def build(cls, docs: DocumentsLike, **options: Unpack[BuildOptions]) -> Self:
        """Build an index of the rows of a sparse matrix."""
        return cls._build(docs, options)

    def search(self, queries: MatrixLike, k: SupportsIndex | None = 10, **options: Unpack[PostingsSearch]) -> Hits:
        """Find the k documents with the greatest inner product with each query."""
        return self._search(queries, k, options)

    def search_one(
        self,
        terms: QueryLike,
        weights: npt.ArrayLike | None = None,
        k: SupportsIndex | None = 10,
        **options: Unpack[PostingsSearch],
    ) -> Hits:
        """Search for one query: the call with the least overhead."""
        return self._search_one(terms, weights, k, options)
