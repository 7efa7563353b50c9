"""The arrays of an ``.npz`` file, read without believing what it claims.

An archive may claim anything: arrays larger than it can hold, one name twice, objects to unpickle. What it claims is
held against its own size before memory is asked for. A file of n bytes never takes more than about 1,032 n, which is
what deflate can make of it.
"""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from thresher import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

_MAX_RATIO = 1032  # bytes out of one that is deflated
_KINDS = "biufcSU"  # of numbers and of text; no objects, no records


def read_arrays(path: str | os.PathLike[str], what: str) -> Arrays:
    """Return all arrays of an ``.npz`` file by name.

    Parameters
    ----------
    path
        The file.
    what
        What it should be, for errors: "a scipy sparse matrix".

    Raises
    ------
    thresher.FormatError
        If it is not such a file, is damaged, or holds what it can't.
    OSError
        If the file can't be read.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not zipfile.is_zipfile(file):
            raise FormatError(f"{path}: not {what}: not an .npz file, or truncated")
        try:
            with zipfile.ZipFile(file) as archive:
                _check_entries(archive.infolist(), size)
                return {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in archive.infolist()}
        except MemoryError:
            raise
        except Exception as error:  # zipfile, zlib and numpy each have their own kinds
            raise FormatError(f"{path}: not {what}: {error}") from error


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Raise ValueError if the archive's directory claims what can't be."""
    names: set[str] = set()
    packed = 0
    for entry in entries:
        if entry.filename in names:
            raise ValueError(f"{entry.filename} is there twice")
        names.add(entry.filename)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{entry.filename} is compressed in a way that numpy does not write")
        packed += entry.compress_size
        if packed > size or entry.file_size > _MAX_RATIO * entry.compress_size:
            raise ValueError(f"{entry.filename} takes {entry.file_size} bytes, which the file can't hold")


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as member:
        version = np.lib.format.read_magic(member)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(member)
        if dtype.kind not in _KINDS or dtype.itemsize == 0:
            raise ValueError(f"{entry.filename} is of the type {dtype}")
        if min(shape, default=0) < 0:
            raise ValueError(f"{entry.filename} has the shape {shape}")
        needed = member.tell() + dtype.itemsize * math.prod(shape)
        if needed != entry.file_size:
            raise ValueError(f"{entry.filename} takes {needed} bytes, {entry.file_size} are there")
        member.seek(0)
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        if member.read(1):  # the end is where the checksum is compared
            raise ValueError(f"{entry.filename} goes on after its array")
        return array
