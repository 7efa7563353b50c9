"""Score-at-a-time search, which can be stopped at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, SupportsFloat, SupportsIndex, Unpack

from thresher import _core
from thresher._hits import Hits
from thresher._matrix import MatrixLike
from thresher._streams import DocumentsLike
from thresher.engines.index import BuildOptions, Index, SearchOptions

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import QueryLike


class ImpactSearch(SearchOptions, total=False):
    """Options of searches of an `ImpactIndex`.

    Attributes
    ----------
    postings_budget
        Postings that a query may read. 0 is as many as an exact answer takes.
    deadline_us
        Microseconds that a query may take, from when it is begun. 0 is as many as an exact answer takes. What is found
        in that time depends on the machine and its load.
    rescored
        Documents to score in full precision once a limit has stopped the reading, k where it is less: those of the
        greatest sums. 0 is the library's choice, 150 + 5 k.
    """

    postings_budget: SupportsIndex | None
    deadline_us: SupportsFloat | None
    rescored: SupportsIndex | None


class ImpactIndex(Index):
    """Score-at-a-time search: exact, or stopped after so many postings or so much time with the best answer so far.

    A term's postings lie in segments of equal impact. A query reads segments, what matters most first, adds them to
    the documents' sums, and scores the documents of the greatest sums in full precision. Without a limit that ends as
    soon as no other document can be among the best, and the answer is exact. With a `postings_budget` every query
    takes about the same time, however long it is; with `deadline_us` it ends in that time.

    Searching takes two bytes of memory for each document and thread.

    A little over 2 bytes for each nonzero, and the documents' weights themselves, about 3.3 where they are float16
    values.

    References
    ----------
    Jimmy Lin, Andrew Trotman, *Anytime Ranking for Impact-Ordered Indexes*, ICTIR 2015. On learned weights: Joel
    Mackenzie, Andrew Trotman, Jimmy Lin, *Wacky Weights in Learned Sparse Representations and the Revenge of
    Score-at-a-Time Query Evaluation*, arXiv 2110.11540. What is different here: docs/internals/impact.md.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
    >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> thresher.ImpactIndex.build(docs).search(queries, k=1, postings_budget=1000).exact
    array([ True])
    """

    engine = "impact"
    _core_class = _core.ImpactIndex
    _search_params = _core.ImpactSearchParams
    _search_options = ImpactSearch
    __slots__ = ()

    @classmethod
    def build(cls, docs: DocumentsLike, **options: Unpack[BuildOptions]) -> Self:
        """Build an index of the rows of a sparse matrix."""
        return cls._build(docs, options)

    def search(self, queries: MatrixLike, k: SupportsIndex | None = 10, **options: Unpack[ImpactSearch]) -> Hits:
        """Find the k documents with the greatest inner product with each query, or most of them within a limit.

        Where `exact` is true of a query's hits, the limits were not needed.
        """
        return self._search(queries, k, options)

    def search_one(
        self,
        terms: QueryLike,
        weights: npt.ArrayLike | None = None,
        k: SupportsIndex | None = 10,
        **options: Unpack[ImpactSearch],
    ) -> Hits:
        """Search for one query: the call with the least overhead."""
        return self._search_one(terms, weights, k, options)
