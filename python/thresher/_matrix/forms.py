"""What a caller may pass as vectors, and the arrays that all of it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, SupportsFloat, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._kinds import Tensor


class SparseTensor(Protocol):
    """What tells a ``torch.Tensor`` apart for a type checker that has no torch."""

    @property
    def layout(self) -> object: ...

    def crow_indices(self) -> Tensor: ...


class ArrowStream(Protocol):
    """A table or a stream of record batches, of pyarrow or another library."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


class ArrowBatch(Protocol):
    """A record batch, of pyarrow or another library."""

    def __arrow_c_array__(self, requested_schema: object = None) -> object: ...


RowLike: TypeAlias = Mapping[int, SupportsFloat] | Mapping[str, SupportsFloat] | sp.sparray | sp.spmatrix | SparseTensor
MatrixLike: TypeAlias = (
    sp.sparray
    | sp.spmatrix
    | SparseTensor
    | Sequence[RowLike]
    | ArrowStream
    | ArrowBatch
    | tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]
)
QueryLike: TypeAlias = npt.ArrayLike | RowLike
"""Term ids, or a query in one object."""


class CsrArrays(NamedTuple):
    """A matrix in compressed sparse rows, in the element types of the core.

    Row ``r`` holds the entries ``indptr[r]`` to ``indptr[r + 1]`` of `indices` and `data`. Rows may be
    unsorted and may hold duplicates and explicit zeros; the core settles them.
    """

    indptr: npt.NDArray[np.int64]
    """Offsets of the rows, shape ``(n_rows + 1,)``."""
    indices: npt.NDArray[np.uint32]
    """Term ids, shape ``(nnz,)``."""
    data: npt.NDArray[np.float32]
    """Weights, shape ``(nnz,)``."""
    shape: tuple[int, int]
    """``(n_rows, n_terms)``."""
