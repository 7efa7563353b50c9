"""The vectors that an index stores, by document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher import _core


def vectors(handle: _core.Index, ids: npt.ArrayLike) -> sp.csr_array:
    """Return the vectors of documents: see `Index.vectors`."""
    wanted = np.asarray(ids)
    n_docs, n_terms = handle.n_docs, handle.n_terms
    if wanted.ndim != 1:
        raise ValueError(
            f"ids must have one dimension, got {wanted.ndim}" + (": put one id in a list" * (not wanted.ndim))
        )
    if wanted.size and wanted.dtype.kind not in "iu":
        raise TypeError(f"ids must be whole numbers, got dtype {wanted.dtype}")
    if wanted.size and (wanted.max() >= n_docs or wanted.min() < 0):
        outside = wanted[(wanted < 0) | (wanted >= n_docs)][0]
        raise ValueError(f"ids: {outside} is not a document; the index has {n_docs}")
    indptr, indices, data = handle.vectors(np.ascontiguousarray(wanted, dtype=np.int64))
    signed = indices.view(np.int32) if n_terms <= 2**31 else indices.astype(np.int64)
    return sp.csr_array((data, signed, indptr), shape=(len(wanted), n_terms))
