"""Exhaustive search."""

from __future__ import annotations

from typing import Self, SupportsFloat, SupportsIndex

from thresher import _core
from thresher._arguments import as_int64, as_number, as_threads
from thresher._matrix import MatrixLike, as_csr
from thresher.engines.index import Index, Progress

_DEFAULTS = _core.ExactParams()


class ExactIndex(Index):
    """Exhaustive search: every posting of every query term, in windows of documents that stay in cache.

    Exact whatever the data, quick to build, and the fastest choice on small collections; its time grows linearly
    with the number of documents. It is also the oracle that the approximate engines are measured against.

    Scores of a window of documents are accumulated from 8-bit impacts with a known bound on the error, and the few
    documents that can still be among the best k are finished in full precision: ids and scores are those of the
    float32 weights that were given.

    References
    ----------
    Lei Li et al., *SINDI: an Efficient Index for Approximate Maximum Inner Product Search on Sparse Vectors*,
    arXiv 2509.08395, for the windows.
    """

    engine = "exact"
    __slots__ = ()

    @classmethod
    def build(
        cls,
        docs: MatrixLike,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
        window: SupportsIndex = _DEFAULTS.window,
        row_density: SupportsFloat = _DEFAULTS.row_density,
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
        window
            Documents whose scores are accumulated at a time: a multiple of 64 from 64 to 65,536.
        row_density
            Terms are stored as a byte for each document where at least this share of those bytes, in (0, 1], would
            be in use (there are somewhat more of them than documents): faster to read than a list, and larger.

        Returns
        -------
        ExactIndex
            About 7 bytes for each nonzero where the weights are float16 values, otherwise about 8.5.

        Raises
        ------
        ValueError
            If a weight is negative or not finite (the message names the row and the term), the matrix has more than
            2**31 rows or 2**32 - 1 columns, or a parameter is out of range.
        TypeError
            If `docs` is not a sparse matrix.
        KeyboardInterrupt
            On Ctrl-C, at once; nothing is left behind.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.ExactIndex.build(docs).n_docs
        2
        """
        rows = as_csr(docs, shape=shape, name="docs")
        params = _core.ExactParams()
        params.window = as_int64(window, "window")
        params.row_density = as_number(row_density, "row_density")
        return cls(
            _core.ExactIndex.build(
                rows.indptr, rows.indices, rows.data, rows.shape[1], params, as_threads(threads), progress
            )
        )
