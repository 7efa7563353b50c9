"""That nothing in a matrix points outside of it: checked before scipy reads it."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thresher._kinds import Array, kind_of
from thresher._matrix.elements import check_integers, outside
from thresher._rows import ScipySparse


def checked_csr(matrix: ScipySparse, name: str) -> sp.csr_array:
    """Return a matrix of scipy.sparse in compressed rows, once it is known that nothing points outside of it.

    The arrays of a matrix can be written to, and scipy's own code reads and writes wherever they point. Weights keep
    their type and are not looked at. Cost: a pass over the indices.

    Raises
    ------
    TypeError
        If it is not a matrix of scipy.sparse, or its indices are not integers.
    ValueError
        Naming `name`, the place and the value.
    """
    if not sp.issparse(matrix):
        raise TypeError(f"{name} must be a scipy.sparse matrix, got {kind_of(matrix)}")
    if len(matrix.shape) != 2:
        raise ValueError(f"{name} must be 2-D, got shape {matrix.shape}")
    check_structure(matrix, name)
    csr = sp.csr_array(matrix)
    csr.prune()  # its arrays may be longer
    return csr


def check_structure(matrix: ScipySparse, name: str) -> None:
    """Raise ValueError, or TypeError, unless all that a 2-D matrix of scipy.sparse points at is inside of it."""
    n_rows, n_cols = matrix.shape
    stored = len(matrix.data) if matrix.format in ("csr", "csc", "bsr", "coo") else 0
    if matrix.format == "csr":
        check_compressed(matrix.indptr, matrix.indices, stored, matrix.shape, name)
    elif matrix.format == "csc":
        check_compressed(matrix.indptr, matrix.indices, stored, (n_cols, n_rows), name, line="column")
    elif matrix.format == "bsr":
        check_compressed(matrix.indptr, matrix.indices, stored, block_counts(matrix.data, matrix.shape, name), name)
    elif matrix.format == "coo":
        check_entries(matrix.row, matrix.col, stored, matrix.shape, name)
    elif matrix.format == "dia" and matrix.data.shape[:1] != matrix.offsets.shape:
        raise ValueError(f"{name}: {matrix.offsets.size} offsets for data of shape {matrix.data.shape}")


def check_compressed(
    indptr: Array, indices: Array, n_stored: int, shape: tuple[int, int], name: str, *, line: str = "row"
) -> None:
    """Raise unless `indptr` divides the entries into ``shape[0]`` lines, all of whose `indices` are below ``shape[1]``.

    There may be more entries than `indptr` comes to, as scipy allows.
    """
    for part, label in ((indptr, "indptr"), (indices, "indices")):
        if part.ndim != 1:
            raise ValueError(f"{name}: {label} must be 1-D, got shape {part.shape}")
        check_integers(part, label, name)
    if indptr.size != shape[0] + 1:
        raise ValueError(f"{name}: indptr has length {indptr.size}, {shape[0]} {line}s need {shape[0] + 1}")
    check_offsets(indptr, name, line)
    if indices.size != n_stored:
        raise ValueError(f"{name}: indices has length {indices.size}, but data has {n_stored}")
    if indptr[-1] > n_stored:
        raise ValueError(f"{name}: indptr[-1] is {indptr[-1]} but indices has length {n_stored}")
    entry = outside(indices[: int(indptr[-1])], shape[1])
    if entry is not None:
        number = int(np.searchsorted(indptr, entry, side="right")) - 1
        raise ValueError(f"{name}: {line} {number} has the index {indices[entry]}, which is not in [0, {shape[1]})")


def check_offsets(indptr: Array, name: str, line: str = "row") -> None:
    """Raise ValueError unless `indptr`, which is not empty, starts with 0 and never falls."""
    if indptr[0] != 0:
        raise ValueError(f"{name}: indptr[0] must be 0, got {indptr[0]}")
    falling = indptr[1:] < indptr[:-1]
    if falling.any():
        at = int(falling.argmax())
        raise ValueError(f"{name}: indptr decreases at {line} {at}, from {indptr[at]} to {indptr[at + 1]}")


def check_entries(rows: Array, cols: Array, n_stored: int, shape: tuple[int, int], name: str) -> None:
    """Raise unless there are a row and a column in range for each of the entries."""
    for part, label, end in ((rows, "row", shape[0]), (cols, "column", shape[1])):
        if part.shape != (n_stored,):
            raise ValueError(f"{name}: {label}s of shape {part.shape} for {n_stored} weights")
        check_integers(part, f"{label}s", name)
        entry = outside(part, end)
        if entry is not None:
            raise ValueError(f"{name}: entry {entry} is of {label} {part[entry]}, which is not in [0, {end})")


def block_counts(data: Array, shape: tuple[int, int], name: str) -> tuple[int, int]:
    """Return how many blocks a block-sparse matrix is high and wide, or raise ValueError."""
    if data.ndim != 3 or 0 in data.shape[1:]:
        raise ValueError(f"{name}: blocks must be of shape (n, height, width), got {data.shape}")
    if shape[0] % data.shape[1] or shape[1] % data.shape[2]:
        raise ValueError(f"{name}: shape {tuple(shape)} is not a multiple of the blocks' {data.shape[1:]}")
    return shape[0] // data.shape[1], shape[1] // data.shape[2]
