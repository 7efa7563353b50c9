"""Rows of encoded texts: put together, and into other columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp


def stacked(parts: Sequence[sp.csr_array], width: int) -> sp.csr_array:
    """Return parts as one float32 matrix of `width` columns, which no part has more of."""
    if not parts:
        return sp.csr_array((0, width), dtype=np.float32)
    indptr = np.concatenate([[0], *(np.diff(part.indptr) for part in parts)]).cumsum()
    data = np.concatenate([part.data for part in parts])
    indices = np.concatenate([part.indices for part in parts])
    return sp.csr_array((data, indices, indptr), shape=(len(indptr) - 1, width))


def in_columns(rows: sp.csr_array, columns: npt.NDArray[np.int64], width: int) -> sp.csr_array:
    """Return rows whose columns have other numbers, no two the same."""
    moved = sp.csr_array((rows.data, columns[rows.indices], rows.indptr), shape=(rows.shape[0], width))
    moved.sort_indices()
    return moved
