"""Matrices saved by ``scipy.sparse.save_npz``."""

from __future__ import annotations

import io
import math
import os
import zipfile
from pathlib import Path

import numpy as np
from scipy import sparse

from thresher import FormatError
from thresher.formats._atomic import atomic_write
from thresher.formats._check import ScipySparse, first_bad_weight, row_of, shape_problem, weight_problem


def read_npz(path: str | os.PathLike[str], *, allow_negative: bool = False) -> sparse.csr_array:
    """Read a matrix in any of the layouts that ``scipy.sparse.save_npz`` writes.

    Parameters
    ----------
    path
        The file. Pickled objects in it are refused.
    allow_negative
        Accept negative weights, which queries may have and documents may not.

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
    with Path(path).open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise FormatError(f"{path}: not a scipy .npz file, or truncated")
        file.seek(0)
        try:
            _check_arrays_fit(file)
            file.seek(0)
            stored = sparse.load_npz(file)
            if hasattr(stored, "check_format"):
                stored.check_format(full_check=True)
        except MemoryError:
            raise
        except Exception as error:  # zipfile, zlib, numpy and scipy each have their own kinds
            raise FormatError(f"{path}: not a scipy sparse matrix: {error}") from error
    if stored.ndim != 2:
        raise FormatError(f"{path}: holds {stored.ndim} dimensions, not a matrix")
    if stored.dtype.kind not in "biuf":
        raise FormatError(f"{path}: weights are {stored.dtype}, not real numbers")
    problem = shape_problem(*stored.shape)
    if problem is not None:
        raise FormatError(f"{path}: {problem}")
    with np.errstate(over="ignore"):
        matrix = sparse.csr_array(stored).astype(np.float32, copy=False)
    position = first_bad_weight(matrix.data, allow_negative=allow_negative)
    if position is not None:
        row, term = row_of(matrix.indptr, position), matrix.indices[position]
        what = weight_problem(float(matrix.data[position]), allow_negative=allow_negative)
        raise FormatError(f"{path}: row {row}, column {term} has {what}")
    return matrix


def write_npz(path: str | os.PathLike[str], matrix: ScipySparse) -> None:
    """Write a matrix with ``scipy.sparse.save_npz``, atomically and under exactly that name.

    Parameters
    ----------
    path
        The file to create or replace.
    matrix
        Anything from scipy.sparse.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    buffer = io.BytesIO()
    sparse.save_npz(buffer, matrix)
    with atomic_write(path) as out:
        out.write(buffer.getbuffer())


def _check_arrays_fit(file: io.BufferedReader) -> None:
    """Refuse arrays that claim more elements than the archive holds, before memory is asked for."""
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as member:
                version = np.lib.format.read_magic(member)
                if version == (1, 0):
                    shape, _, dtype = np.lib.format.read_array_header_1_0(member)
                else:
                    shape, _, dtype = np.lib.format.read_array_header_2_0(member)
                needed = member.tell() + dtype.itemsize * math.prod(shape)
            if needed != entry.file_size:
                raise ValueError(f"{entry.filename} takes {needed} bytes, {entry.file_size} are there")
