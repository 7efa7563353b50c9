"""From whatever sparse matrix the user passed to the three arrays the core takes.

Arrays that already fit (C-contiguous float32 weights, int32 or uint32 term ids) are passed on as views. What
needs a look at each row (weights finite, terms sorted and unique, no explicit zeros, indptr
monotone) is left to the core, which does it in one parallel pass. Checked here is what the conversion itself
would hide: term ids that a narrower or unsigned type would wrap, and weights that overflow float32.
"""

from __future__ import annotations

from thresher._matrix.conversion import as_csr, as_matrix, as_query
from thresher._matrix.elements import MAX_ROWS, MAX_TERMS
from thresher._matrix.forms import CsrArrays, MatrixLike, QueryLike, RowLike
from thresher._matrix.structure import (
    block_counts,
    check_compressed,
    check_entries,
    check_offsets,
    check_structure,
    checked_csr,
)

__all__ = [
    "MAX_ROWS",
    "MAX_TERMS",
    "CsrArrays",
    "MatrixLike",
    "QueryLike",
    "RowLike",
    "as_csr",
    "as_matrix",
    "as_query",
    "block_counts",
    "check_compressed",
    "check_entries",
    "check_offsets",
    "check_structure",
    "checked_csr",
]
