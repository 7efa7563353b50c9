"""Matrices saved by ``scipy.sparse.save_npz``.

scipy's own code follows the arrays of a matrix wherever they point. So they are read here one by one, and scipy sees
them once all are known to point inside of the matrix.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from thresher import FormatError
from thresher._matrix import CsrArrays, block_counts, check_compressed, check_entries, check_structure
from thresher._streams import ENTRIES_AT_ONCE, ROWS_AT_ONCE
from thresher.formats._archive import Arrays, Member, opened, read_arrays
from thresher.formats._atomic import atomic_write
from thresher.formats._check import ScipySparse, first_bad_weight, row_of, shape_problem, weight_problem
from thresher.formats._documents import DocumentStream

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHAT = "a scipy sparse matrix"
_INT32_MAX = 2**31 - 1
_BELIEVED = 2**24  # rows that a file may claim whatever it holds
_EACH = 64  # and further ones for each entry


def read_npz(path: str | os.PathLike[str], *, allow_negative: bool = True) -> sparse.csr_array:
    """Read a matrix in any of the layouts that ``scipy.sparse.save_npz`` writes.

    Parameters
    ----------
    path
        The file. Pickled objects in it are refused.
    allow_negative
        False refuses negative weights.

    Returns
    -------
    scipy.sparse.csr_array
        float32, (n_rows, n_cols).

    Raises
    ------
    thresher.FormatError
        Naming the file and what is wrong in it.
    OSError
        If the file can't be read.
    """
    stored = read_arrays(path, _WHAT)
    try:
        matrix = _matrix(stored)
    except KeyError as error:
        raise FormatError(f"{path}: not {_WHAT}: it has no array {error}") from error
    except (ValueError, TypeError) as error:
        raise FormatError(f"{path}: not {_WHAT}: {error}") from error
    position = first_bad_weight(matrix.data, allow_negative=allow_negative)
    if position is not None:
        row, term = row_of(matrix.indptr, position), matrix.indices[position]
        what = weight_problem(float(matrix.data[position]), allow_negative=allow_negative)
        raise FormatError(f"{path}: row {row}, column {term} has {what}")
    return matrix


class NpzRows(DocumentStream):
    """The rows of a matrix in an ``.npz`` file: of one in csr, a few thousand at a time; of other layouts all at once.

    Parameters
    ----------
    path, allow_negative
        As for `read_npz`.
    progress
        Called now and then with the rows read and the rows in all.

    Raises
    ------
    thresher.FormatError, OSError
        As from `read_npz`, while rows are taken.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        allow_negative: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Start with the first row."""
        super().__init__()
        self._path = path
        self._allow_negative = allow_negative
        self._progress = progress
        self._pieces = self._read()

    def __next__(self) -> CsrArrays:
        """Return the next rows."""
        return next(self._pieces)

    def _read(self) -> Iterator[CsrArrays]:
        with opened(self._path, _WHAT) as members:
            if _layout(members) != "csr":
                matrix = read_npz(self._path, allow_negative=self._allow_negative)
                self.n_terms = matrix.shape[1]
                yield CsrArrays(matrix.indptr, matrix.indices, matrix.data, matrix.shape)
                return
            names = ("indptr", "indices", "data", "shape")
            missing = next((name for name in names if name not in members), None)
            if missing is not None:
                raise FormatError(f"{self._path}: not {_WHAT}: it has no array {missing!r}")
            n_rows, self.n_terms = _shape(members["shape"].rest())
            yield from self._rows(members["indptr"], members["indices"], members["data"], n_rows)

    def _rows(self, indptr: Member, indices: Member, data: Member, n_rows: int) -> Iterator[CsrArrays]:
        _check_stored(indptr, indices, data, n_rows)
        first, end = 0, int(indptr.take(1)[0])
        if end != 0:
            raise ValueError(f"csr: indptr starts with {end}, not 0")
        while first < n_rows:
            ends = indptr.take(ROWS_AT_ONCE).astype(np.int64)
            starts = np.concatenate([[end], ends])
            if (np.diff(starts) < 0).any() or starts[-1] > data.shape[0]:
                raise ValueError(f"csr: indptr falls, or goes beyond the weights, in the rows behind {first}")
            yield from self._cut(starts, indices, data, first)
            first, end = first + ends.size, int(starts[-1])
            if self._progress is not None:
                self._progress(first, n_rows)

    def _cut(self, starts: NDArray[np.int64], indices: Member, data: Member, first: int) -> Iterator[CsrArrays]:
        """Yield these rows, in pieces that are not too large as far as rows allow."""
        row = 0
        while row + 1 < starts.size:
            stop = int(np.searchsorted(starts, starts[row] + ENTRIES_AT_ONCE, side="right")) - 1
            stop = max(stop, row + 1)
            indptr = starts[row : stop + 1] - starts[row]
            n_entries = int(indptr[-1])
            terms = indices.take(n_entries)
            with np.errstate(over="ignore"):  # what overflows is found below
                weights = data.take(n_entries).astype(np.float32, copy=False)
            self._check(indptr, terms, weights, first + row)
            yield CsrArrays(indptr, terms.astype(np.uint32), weights, (stop - row, self.n_terms))
            row = stop

    def _check(self, indptr: NDArray[np.int64], terms: NDArray[Any], weights: NDArray[np.float32], first: int) -> None:
        outside = (terms < 0) | (terms >= self.n_terms)
        if outside.any():
            at = int(outside.argmax())
            raise ValueError(f"csr: row {first + row_of(indptr, at)} has the column {terms[at]} of {self.n_terms}")
        bad = first_bad_weight(weights, allow_negative=self._allow_negative)
        if bad is not None:
            what = weight_problem(float(weights[bad]), allow_negative=self._allow_negative)
            raise FormatError(f"{self._path}: row {first + row_of(indptr, bad)}, column {terms[bad]} has {what}")


def write_npz(path: str | os.PathLike[str], matrix: ScipySparse) -> None:
    """Write a matrix with ``scipy.sparse.save_npz``, atomically and under exactly that name.

    Parameters
    ----------
    path
        The file to create or replace.
    matrix
        A matrix or array of scipy.sparse, (n_rows, n_cols), in any of the layouts csr, csc, bsr, coo and dia, which
        it keeps; of any other, it is written as csr.

    Raises
    ------
    ValueError
        If it is not two-dimensional, or its arrays point outside of it.
    TypeError
        If it is not a matrix of scipy.sparse.
    OSError
        If the file can't be written.
    """
    if not sparse.issparse(matrix):
        raise TypeError(f"matrix must be a scipy.sparse matrix, got {type(matrix).__name__}")
    if len(matrix.shape) != 2:
        raise ValueError(f"matrix must be 2-D, got shape {matrix.shape}")
    check_structure(matrix, "matrix")
    buffer = io.BytesIO()
    sparse.save_npz(buffer, matrix if matrix.format in _LAYOUTS else matrix.tocsr())
    with atomic_write(path) as out:
        out.write(buffer.getbuffer())


def _matrix(stored: Arrays) -> sparse.csr_array:
    """Return the matrix that arrays stand for, or raise KeyError, ValueError or TypeError."""
    layout = _named(stored["format"])
    shape, data = _shape(stored["shape"]), stored["data"]
    if data.dtype.kind not in "biuf":
        raise ValueError(f"weights are {data.dtype}, not real numbers")
    with np.errstate(over="ignore"):  # what overflows is found later
        data = data.astype(np.float32, copy=False)
    if layout != "csr" and shape[0] > max(_BELIEVED, _EACH * data.size):
        raise ValueError(f"its shape claims {shape[0]} rows, but there are only {data.size} weights")
    return _LAYOUTS[layout](stored, data, shape)


def _layout(members: dict[str, Member]) -> str:
    if "format" not in members:
        raise ValueError("it has no array 'format'")
    return _named(members["format"].rest())


def _named(stored: NDArray[Any]) -> str:
    layout = stored.item() if stored.size == 1 else ""
    layout = layout.decode("latin-1") if isinstance(layout, bytes) else str(layout)
    if layout not in _LAYOUTS:
        raise ValueError(f"its format is {layout!r}, not one of {', '.join(_LAYOUTS)}")
    return layout


def _check_stored(indptr: Member, indices: Member, data: Member, n_rows: int) -> None:
    """Raise ValueError unless arrays are those of a matrix in csr, as far as headers tell."""
    for member, label, kinds in ((indptr, "indptr", "iu"), (indices, "indices", "iu"), (data, "weights", "biuf")):
        if len(member.shape) != 1 or member.dtype.kind not in kinds:
            raise ValueError(f"csr: {label} are {member.dtype} of shape {member.shape}")
    if indptr.shape[0] != n_rows + 1:
        raise ValueError(f"csr: indptr has length {indptr.shape[0]}, {n_rows} rows need {n_rows + 1}")
    if indices.shape != data.shape:
        raise ValueError(f"csr: there are {indices.shape[0]} indices and {data.shape[0]} weights")


def _shape(stored: NDArray[Any]) -> tuple[int, int]:
    if stored.ndim != 1 or stored.dtype.kind not in "iu":
        raise ValueError(f"its shape is {stored.dtype} of shape {stored.shape}, not whole numbers")
    if stored.size != 2:
        raise ValueError(f"holds {stored.size} dimensions, not a matrix")
    n_rows, n_cols = (int(size) for size in stored)
    problem = shape_problem(n_rows, n_cols)
    if problem is not None:
        raise ValueError(problem)
    return n_rows, n_cols


def _from_csr(stored: Arrays, data: NDArray[np.float32], shape: tuple[int, int]) -> sparse.csr_array:
    _check_1d(data)
    check_compressed(stored["indptr"], stored["indices"], data.size, shape, "csr")
    indptr, indices, data = _compressed(stored, data, max(shape))
    return sparse.csr_array((data, indices, indptr), shape=shape)


def _from_csc(stored: Arrays, data: NDArray[np.float32], shape: tuple[int, int]) -> sparse.csr_array:
    _check_1d(data)
    check_compressed(stored["indptr"], stored["indices"], data.size, (shape[1], shape[0]), "csc", line="column")
    indptr, indices, data = _compressed(stored, data, max(shape))
    return sparse.csc_array((data, indices, indptr), shape=shape).tocsr()


def _from_bsr(stored: Arrays, data: NDArray[np.float32], shape: tuple[int, int]) -> sparse.csr_array:
    check_compressed(stored["indptr"], stored["indices"], len(data), block_counts(data, shape, "bsr"), "bsr")
    indptr, indices, data = _compressed(stored, data, max(shape))
    return sparse.bsr_array((data, indices, indptr), shape=shape, blocksize=data.shape[1:]).tocsr()


def _from_coo(stored: Arrays, data: NDArray[np.float32], shape: tuple[int, int]) -> sparse.csr_array:
    _check_1d(data)
    rows, cols = stored["coords"] if "coords" in stored else (stored["row"], stored["col"])
    check_entries(rows, cols, data.size, shape, "coo")
    return _of_entries(rows, cols, data, shape)


def _from_dia(stored: Arrays, data: NDArray[np.float32], shape: tuple[int, int]) -> sparse.csr_array:
    """Diagonal i has ``data[i, column]`` in the row ``column - offsets[i]``."""
    offsets = stored["offsets"]
    if offsets.dtype.kind not in "iu" or data.ndim != 2 or offsets.shape != data.shape[:1]:
        raise ValueError(f"dia: offsets are {offsets.dtype} of shape {offsets.shape} for data of shape {data.shape}")
    if np.unique(offsets).size != offsets.size:
        raise ValueError("dia: one of the offsets is there twice")
    data = data[:, : shape[1]]
    diagonals, cols = np.nonzero(data)
    limit = 2 * max(*shape, 1)  # those beyond are outside of the matrix, and would overflow below
    rows = cols - np.clip(offsets, -limit if offsets.dtype.kind == "i" else 0, limit).astype(np.int64)[diagonals]
    inside = (rows >= 0) & (rows < shape[0])
    return _of_entries(rows[inside], cols[inside], data[diagonals, cols][inside], shape)


def _of_entries(
    rows: NDArray[Any], cols: NDArray[Any], data: NDArray[np.float32], shape: tuple[int, int]
) -> sparse.csr_array:
    dtype = np.int32 if max(*shape, data.size) <= _INT32_MAX else np.int64
    return sparse.coo_array((data, (rows.astype(dtype), cols.astype(dtype))), shape=shape).tocsr()


def _check_1d(data: NDArray[np.float32]) -> None:
    if data.ndim != 1:
        raise ValueError(f"data must be 1-D, got shape {data.shape}")


def _compressed(
    stored: Arrays, data: NDArray[np.float32], largest: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float32]]:
    """Return indptr, indices and data in types that scipy has code for, without entries that indptr leaves out."""
    indptr, indices = stored["indptr"], stored["indices"]
    n_stored = int(indptr[-1])
    dtype = np.int32 if max(largest, n_stored) <= _INT32_MAX else np.int64
    return (
        indptr.astype(dtype, copy=False),
        indices[:n_stored].astype(dtype, copy=False),
        data[:n_stored],
    )


_LAYOUTS = {"csr": _from_csr, "csc": _from_csc, "bsr": _from_bsr, "coo": _from_coo, "dia": _from_dia}
