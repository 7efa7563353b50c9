"""Documents of a file that are read in pieces, and how they become a matrix after all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
from scipy import sparse

from thresher._matrix import CsrArrays

_INT32_MAX = 2**31 - 1


class DocumentStream(Iterator[CsrArrays]):
    """The documents of a file, piece by piece.

    What they and their terms are called is known of those that were read: of all of them at the end.
    """

    def __init__(self) -> None:
        """Start with no documents."""
        self.n_terms = 0
        """Columns of the documents so far."""

    @property
    def ids(self) -> list[str] | None:
        """What the documents so far are called; None where the file does not say."""
        return None

    @property
    def vocabulary(self) -> dict[str, int] | None:
        """The column of each term so far; None where terms are column numbers."""
        return None

    def __iter__(self) -> Self:
        """Return itself."""
        return self


def joined_rows(parts: Sequence[CsrArrays], n_terms: int) -> sparse.csr_array:
    """Return parts of a matrix, one below the other, as a matrix of scipy; entries stay in their order."""
    starts = np.cumsum([0, *(part.data.size for part in parts)], dtype=np.int64)
    indptr = np.concatenate(
        [np.zeros(1, np.int64), *(part.indptr[1:] + start for part, start in zip(parts, starts[:-1], strict=True))]
    )
    indices = np.concatenate([np.zeros(0, np.uint32), *(part.indices for part in parts)])
    data = np.concatenate([np.zeros(0, np.float32), *(part.data for part in parts)])
    narrow = np.int32 if max(n_terms, data.size) <= _INT32_MAX else np.int64
    return sparse.csr_array(
        (data, indices.astype(narrow, copy=False), indptr.astype(narrow, copy=False)), shape=(indptr.size - 1, n_terms)
    )
