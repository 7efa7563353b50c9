"""Arrays that grow as a file is read, in memory or in temporary files without names."""

from __future__ import annotations

import os
import tempfile
import weakref
from typing import IO, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)


class Spool(Generic[Scalar]):
    """An array that grows at its end.

    Parameters
    ----------
    dtype
        Of its elements.
    folder
        Where its file is; None is in memory.
    """

    def __init__(self, dtype: type[Scalar], folder: str | os.PathLike[str] | None) -> None:
        """Start with no elements."""
        self._dtype = dtype
        self._memory = bytearray()
        self._file = None if folder is None else _unnamed(folder)
        if self._file is not None:
            weakref.finalize(self, self._file.close)

    def append(self, items: npt.NDArray[Any]) -> None:
        """Add elements, which are converted."""
        content = np.ascontiguousarray(items, self._dtype).data.cast("B")
        if self._file is None:
            self._memory += content
        else:
            self._file.write(content)

    def array(self) -> npt.NDArray[Scalar]:
        """Return all elements, mapped from the file if there is one; nothing is added after that."""
        if self._file is None:
            return np.frombuffer(self._memory, self._dtype)
        self._file.flush()
        return _mapped(self._file, self._dtype, self._file.tell() // np.dtype(self._dtype).itemsize, "r")


def scratch_array(dtype: type[Scalar], size: int, folder: str | os.PathLike[str]) -> npt.NDArray[Scalar]:
    """Return an array of zeros in a temporary file, for which the disk has room; or raise OSError."""
    with _unnamed(folder) as file:  # the mapping keeps it
        if size:
            os.posix_fallocate(file.fileno(), 0, size * np.dtype(dtype).itemsize)
        return _mapped(file, dtype, size, "r+")


def _unnamed(folder: str | os.PathLike[str]) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=os.fspath(folder))


def _mapped(file: IO[bytes], dtype: type[Scalar], size: int, mode: Any) -> npt.NDArray[Scalar]:  # noqa: ANN401
    if not size:
        return np.zeros(0, dtype)
    return np.asarray(np.memmap(file, dtype=dtype, mode=mode, shape=(size,)))
