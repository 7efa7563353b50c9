"""The arrays of an ``.npz`` file, read without believing what it claims.

An archive may claim anything: arrays larger than it can hold, one name twice, objects to unpickle. What it claims is
held against its own size before memory is asked for. A file of n bytes never takes more than about 1,032 n, which is
what deflate can make of it.
"""

from __future__ import annotations

import contextlib
import math
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np

from thresher import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

_MAX_RATIO = 1032  # bytes out of one that is deflated
_PIECE = 1 << 20  # bytes read at once
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
    with opened(path, what) as members:
        return {name: member.rest() for name, member in members.items()}


@contextlib.contextmanager
def opened(path: str | os.PathLike[str], what: str) -> Iterator[dict[str, Member]]:
    """Open all arrays of an ``.npz`` file by name, to be read in pieces.

    Parameters
    ----------
    path, what
        As for `read_arrays`.

    Raises
    ------
    thresher.FormatError, OSError
        As from `read_arrays`, while arrays are read.
    """
    with Path(path).open("rb") as file, contextlib.ExitStack() as stack:
        size = file.seek(0, os.SEEK_END)
        if not zipfile.is_zipfile(file):
            raise FormatError(f"{path}: not {what}: not an .npz file, or truncated")
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            _check_entries(archive.infolist(), size)
            yield {
                entry.filename.removesuffix(".npy"): Member(stack.enter_context(archive.open(entry)), entry)
                for entry in archive.infolist()
            }
        except (MemoryError, GeneratorExit, FormatError):
            raise
        except Exception as error:  # zipfile, zlib and numpy each have their own kinds
            raise FormatError(f"{path}: not {what}: {error}") from error


class Member:
    """An array of an archive, read from its beginning to its end."""

    def __init__(self, file: IO[bytes], entry: zipfile.ZipInfo) -> None:
        """Read its header, or raise ValueError."""
        self._file = file
        self._name = entry.filename
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, self._is_fortran, self.dtype = read_header(file)
        if self.dtype.kind not in _KINDS or self.dtype.itemsize == 0:
            raise ValueError(f"{self._name} is of the type {self.dtype}")
        if min(self.shape, default=0) < 0:
            raise ValueError(f"{self._name} has the shape {self.shape}")
        self._left = math.prod(self.shape)
        needed = file.tell() + self.dtype.itemsize * self._left
        if needed != entry.file_size:
            raise ValueError(f"{self._name} takes {needed} bytes, {entry.file_size} are there")

    def take(self, count: int) -> NDArray[Any]:
        """Return the next elements, so many or those that are left, in the order in which they are stored."""
        count = min(count, self._left)
        self._left -= count
        content = bytearray(count * self.dtype.itemsize)
        view = memoryview(content)
        while view:
            n_read = self._file.readinto(view[:_PIECE])  # type: ignore[attr-defined]
            if not n_read:
                raise ValueError(f"{self._name} ends too early")
            view = view[n_read:]
        if not self._left and self._file.read(1):  # the end is where the checksum is compared
            raise ValueError(f"{self._name} goes on after its array")
        return np.frombuffer(content, self.dtype) if content else np.zeros(0, self.dtype)

    def rest(self) -> NDArray[Any]:
        """Return the whole array, if nothing was taken."""
        return self.take(self._left).reshape(self.shape, order="F" if self._is_fortran else "C")


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
