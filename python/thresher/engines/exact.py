"""Exhaustive search."""

from __future__ import annotations

from typing import Self, SupportsFloat, SupportsIndex, Unpack

from thresher import _core
from thresher._streams import DocumentsLike
from thresher.engines.index import BuildOptions, Index


class ExactBuild(BuildOptions, total=False):
    """Options of `ExactIndex.build`.

    Attributes
    ----------
    window
        Documents whose scores are accumulated at a time: a multiple of 64 from 64 to 65,536.
    row_density
        Terms are stored as a byte for each document where at least this fraction of those bytes, in (0, 1], would be
        in use (there are somewhat more of them than documents): faster to read than a list, and larger.
    """

    window: SupportsIndex
    row_density: SupportsFloat


class ExactIndex(Index):
    """Exhaustive search: every posting of every query term, in windows of documents that stay in cache.

    Exact whatever the data, quick to build, and the fastest choice on small collections; its time grows linearly
    with the number of documents. It is also the oracle that the approximate engines are measured against.

    Scores of a window of documents are accumulated from 8-bit impacts with a known bound on the error, and the few
    documents that can still be among the best k are scored in full precision: ids and scores are those of the
    float32 weights that were given.

    About 7 bytes for each nonzero where the weights are float16 values, otherwise about 8.5.

    References
    ----------
    Lei Li et al., *SINDI: an Efficient Index for Approximate Maximum Inner Product Search on Sparse Vectors*,
    arXiv 2509.08395, for the windows.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
    >>> queries = scipy.sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> thresher.ExactIndex.build(docs).search(queries, k=2).ids
    array([[1, 0]])
    """

    engine = "exact"
    _core_class = _core.ExactIndex
    _build_params = _core.ExactParams
    _build_options = ExactBuild
    __slots__ = ()

    @classmethod
    def build(cls, docs: DocumentsLike, **options: Unpack[ExactBuild]) -> Self:
        """Build an index of the rows of a sparse matrix."""
        return cls._build(docs, options)
