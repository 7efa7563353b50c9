"""The binary files of the BigANN benchmark's sparse track, all little-endian.

A matrix (``.csr``) is three int64 (rows, columns, nnz), int64 ``indptr[rows + 1]``, int32
``indices[nnz]`` and float32 ``data[nnz]``. A ground truth (``.gt``) is two uint32 (queries, k),
int32 ``ids[queries, k]`` and float32 ``scores[queries, k]``.

References
----------
Simhadri et al.: *Results of the Big ANN: NeurIPS'23 competition*, 2024.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from thresher import FormatError
from thresher._matrix import checked_csr
from thresher.formats._atomic import atomic_write
from thresher.formats._check import (
    ScipySparse,
    chunks,
    first_bad_weight,
    row_of,
    shape_problem,
    weight_problem,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MATRIX_HEADER = 24
_TRUTH_HEADER = 8
_INT32_MAX = 2**31 - 1


class CsrArrays(NamedTuple):
    """A CSR matrix as its arrays, here views of a memory-mapped file."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.float32]
    shape: tuple[int, int]


class GroundTruth(NamedTuple):
    """The exact answers to a set of queries, best first, both (n_queries, k)."""

    ids: NDArray[np.int32]
    scores: NDArray[np.float32]


def read_csr_arrays(path: str | os.PathLike[str], *, allow_negative: bool = True) -> CsrArrays:
    """Map a BigANN ``.csr`` file and check every field of it.

    Nothing is copied, whatever the size; the file must not shrink while the arrays are in use.

    Parameters
    ----------
    path
        The file.
    allow_negative
        False refuses negative weights.

    Returns
    -------
    CsrArrays
        Read-only ``indptr`` (n_rows + 1), ``indices`` and ``data`` (nnz), and the shape; what
        ``build`` takes as raw arrays, also with an nnz past 2**31.

    Raises
    ------
    thresher.FormatError
        Naming the file, the place and what is wrong there.
    OSError
        If the file can't be read.
    """
    size = _file_size(path)
    if size < _MATRIX_HEADER:
        raise FormatError(f"{path}: truncated: the header has {_MATRIX_HEADER} bytes, the file {size}")
    n_rows, n_cols, nnz = (int(field) for field in _mapped(path, "<i8", 0, 3))
    problem = shape_problem(n_rows, n_cols)
    if problem is None and nnz < 0:
        problem = f"impossible number of nonzeros {nnz}"
    if problem is not None:
        raise FormatError(f"{path}: not a BigANN .csr file: {problem} in the header")
    indices_at = _MATRIX_HEADER + 8 * (n_rows + 1)
    data_at = indices_at + 4 * nnz
    _check_size(path, size, data_at + 4 * nnz, f"{n_rows} rows and {nnz} nonzeros")
    arrays = CsrArrays(
        _mapped(path, "<i8", _MATRIX_HEADER, n_rows + 1),
        _mapped(path, "<i4", indices_at, nnz),
        _mapped(path, "<f4", data_at, nnz),
        (n_rows, n_cols),
    )
    _check_indptr(path, arrays.indptr, nnz)
    _check_indices(path, arrays, indices_at)
    position = first_bad_weight(arrays.data, allow_negative=allow_negative)
    if position is not None:
        what = weight_problem(float(arrays.data[position]), allow_negative=allow_negative)
        row = row_of(arrays.indptr, position)
        raise FormatError(f"{path}: offset {data_at + 4 * position}: row {row} has {what}")
    return arrays


def read_csr(path: str | os.PathLike[str], *, allow_negative: bool = True) -> sparse.csr_array:
    """Read a BigANN ``.csr`` file as a scipy matrix.

    Indices and weights stay mapped from the file as long as nnz is below 2**31; past that, scipy
    widens the indices, and `read_csr_arrays` is the way without a copy.

    Parameters
    ----------
    path, allow_negative
        As for `read_csr_arrays`.

    Returns
    -------
    scipy.sparse.csr_array
        float32, (n_rows, n_cols).

    Raises
    ------
    thresher.FormatError
        As for `read_csr_arrays`.
    """
    indptr, indices, data, shape = read_csr_arrays(path, allow_negative=allow_negative)
    if len(data) <= _INT32_MAX:
        indptr = indptr.astype(np.int32)  # or scipy would widen, and so copy, the indices to match
    return sparse.csr_array((data, indices, indptr), shape=shape)


def write_csr(path: str | os.PathLike[str], matrix: ScipySparse) -> None:
    """Write a matrix in the BigANN ``.csr`` format, atomically.

    Parameters
    ----------
    path
        The file to create or replace.
    matrix
        Anything from scipy.sparse; weights become float32.

    Raises
    ------
    ValueError
        If a weight is not finite as a float32, there are more columns than int32 can name, or the arrays of the
        matrix point outside of it.
    TypeError
        If it is not a matrix of scipy.sparse, or its weights are not real numbers.
    OSError
        If the file can't be written.
    """
    csr = checked_csr(matrix, "matrix")
    if csr.dtype.kind not in "biuf":
        raise TypeError(f"matrix: weights must be real numbers, got dtype {csr.dtype}")
    if csr.shape[1] > _INT32_MAX + 1:
        raise ValueError(f"matrix has {csr.shape[1]} columns, a BigANN .csr file holds at most 2**31")
    with np.errstate(over="ignore"):
        data = csr.data.astype("<f4", copy=False)
    position = first_bad_weight(data, allow_negative=True)
    if position is not None:
        what = weight_problem(float(csr.data[position]), allow_negative=True)
        raise ValueError(f"matrix: row {row_of(csr.indptr, position)} has {what} as a float32")
    with atomic_write(path) as out:
        out.write(np.array([*csr.shape, csr.nnz], dtype="<i8").tobytes())
        for values, dtype in ((csr.indptr, "<i8"), (csr.indices, "<i4"), (data, "<f4")):
            out.write(np.ascontiguousarray(values, dtype=dtype).data)


def read_ground_truth(path: str | os.PathLike[str]) -> GroundTruth:
    """Read a BigANN ground-truth file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    GroundTruth
        ids and scores, (n_queries, k), best first; padded with -1 and -inf.

    Raises
    ------
    thresher.FormatError
        If the file is truncated or longer than its header says, or holds an impossible value.
    OSError
        If the file can't be read.
    """
    size = _file_size(path)
    if size < _TRUTH_HEADER:
        raise FormatError(f"{path}: truncated: the header has {_TRUTH_HEADER} bytes, the file {size}")
    raw = Path(path).read_bytes()
    n_queries, k = (int(field) for field in np.frombuffer(raw, "<u4", 2))
    scores_at = _TRUTH_HEADER + 4 * n_queries * k
    _check_size(path, len(raw), scores_at + 4 * n_queries * k, f"{n_queries} queries and k = {k}")
    ids = np.frombuffer(raw, "<i4", n_queries * k, _TRUTH_HEADER)
    scores = np.frombuffer(raw, "<f4", n_queries * k, scores_at)
    for values, start, bad in ((ids, _TRUTH_HEADER, ids < -1), (scores, scores_at, np.isnan(scores))):
        if bad.any():
            position = int(bad.argmax())
            what = "id" if values is ids else "score"
            raise FormatError(
                f"{path}: offset {start + 4 * position}: query {position // k} has the impossible "
                f"{what} {values[position]}"
            )
    return GroundTruth(ids.reshape(n_queries, k), scores.reshape(n_queries, k))


def write_ground_truth(path: str | os.PathLike[str], ids: ArrayLike, scores: ArrayLike) -> None:
    """Write a BigANN ground-truth file, atomically.

    Parameters
    ----------
    path
        The file to create or replace.
    ids
        (n_queries, k) document ids, best first, padded with -1.
    scores
        (n_queries, k) their scores, padded with -inf.

    Raises
    ------
    ValueError
        If the two differ in shape, are not two-dimensional, an id does not fit an int32, or a score is not a number.
    TypeError
        If ids are not whole numbers, or scores not real ones.
    OSError
        If the file can't be written.
    """
    ids, scores = np.asarray(ids), np.asarray(scores)
    if ids.ndim != 2 or ids.shape != scores.shape:
        raise ValueError(f"ids and scores must be (n_queries, k), got {ids.shape} and {scores.shape}")
    if ids.size and (ids.dtype.kind not in "iu" or scores.dtype.kind not in "iuf"):
        raise TypeError(f"ids must be whole numbers and scores real ones, got dtypes {ids.dtype} and {scores.dtype}")
    if np.isnan(scores.astype(np.float64)).any():
        raise ValueError("scores: nan is none")
    if ids.size and not (ids.min() >= -1 and ids.max() <= _INT32_MAX):
        raise ValueError(f"ids must be -1 to {_INT32_MAX}, got {ids.min()} to {ids.max()}")
    with atomic_write(path) as out:
        out.write(np.array(ids.shape, dtype="<u4").tobytes())
        out.write(ids.astype("<i4").tobytes())
        out.write(scores.astype("<f4").tobytes())


def _file_size(path: str | os.PathLike[str]) -> int:
    """Return the size of a file that can be opened, so that a folder or a missing file says so."""
    with Path(path).open("rb") as file:
        return file.seek(0, os.SEEK_END)


def _mapped(path: str | os.PathLike[str], dtype: str, offset: int, length: int) -> NDArray[Any]:
    """Map one array; each has a mapping of its own, since scipy copies small parts of large arrays."""
    if not length:
        return np.empty(0, dtype)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=(length,)))


def _check_size(path: str | os.PathLike[str], size: int, expected: int, header: str) -> None:
    if size < expected:
        raise FormatError(f"{path}: truncated at offset {size}: the header says {header}, which take {expected} bytes")
    if size > expected:
        raise FormatError(f"{path}: {size - expected} bytes too many from offset {expected}: the header says {header}")


def _check_indptr(path: str | os.PathLike[str], indptr: NDArray[np.int64], nnz: int) -> None:
    first, last = int(indptr[0]), int(indptr[-1])
    if first != 0:
        raise FormatError(f"{path}: offset {_MATRIX_HEADER}: indptr starts with {first}, not 0")
    for part in chunks(len(indptr) - 1):
        falling = indptr[part.start + 1 : part.stop + 1] < indptr[part]
        if falling.any():
            row = part.start + int(falling.argmax())
            at = _MATRIX_HEADER + 8 * (row + 1)
            raise FormatError(f"{path}: offset {at}: indptr falls after row {row}")
    if last != nnz:
        at = _MATRIX_HEADER + 8 * (len(indptr) - 1)
        raise FormatError(f"{path}: offset {at}: indptr ends with {last}, the header says {nnz} nonzeros")


def _check_indices(path: str | os.PathLike[str], arrays: CsrArrays, indices_at: int) -> None:
    n_cols = arrays.shape[1]
    for part in chunks(len(arrays.indices)):
        values = arrays.indices[part]
        bad = (values < 0) | (values >= n_cols)
        if bad.any():
            position = part.start + int(bad.argmax())
            raise FormatError(
                f"{path}: offset {indices_at + 4 * position}: row {row_of(arrays.indptr, position)} has "
                f"the term {arrays.indices[position]}, the header says {n_cols} columns"
            )
