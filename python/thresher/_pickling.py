"""Indexes as bytes, and as what is pickled of them: the path of a file, or all of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from thresher import _core

if TYPE_CHECKING:
    from thresher.engines.index import Index

_HEADER = 64  # bytes; the checksum of the table of sections, with those of all sections, is among them


class Source(NamedTuple):
    """The file that an index was opened from, and how to tell that it is the same."""

    path: str
    header: bytes

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> Source:
        """Look at a file that has just been opened."""
        return cls(str(Path(os.fsdecode(path)).absolute()), _header_of(path))

    @staticmethod
    def of(index: Index) -> tuple[object, ...]:
        """Return the arguments of `restored` that give an index back."""
        kept: Source | None = index._source  # noqa: SLF001 - of this package
        if kept is None:
            return type(index), dumps(index), None
        return type(index), kept, dict(index.search_params)


def restored(kind: type[Index], data: Source | bytes, search_params: dict[str, object] | None) -> Index:
    """Return a pickled index.

    Raises
    ------
    FormatError
        If the file is not the one that the index was opened from.
    OSError
        If it is not there.
    """
    if isinstance(data, bytes):
        return _of_class(loads(data), kind)
    path, header = data
    if _header_of(path) != header:
        raise _core.FormatError(f"{path}: is not the file any more that the pickled index was opened from")
    from thresher._open import open as open_index  # noqa: PLC0415 - which imports the engines, and they this

    index = _of_class(open_index(path, verify=False), kind)
    if search_params and search_params != index.search_params:
        index = index.with_search_params(**search_params)  # type: ignore[arg-type]
    return index


def _of_class(index: Index, kind: type[Index]) -> Index:
    """Return the index as one of the class that was pickled, if that is another."""
    if type(index) is kind:
        return index
    same = kind(index._live)  # noqa: SLF001 - of this package
    same._source = index._source  # noqa: SLF001
    return same


def dumps(index: Index) -> bytes:
    """Return an index as bytes: the file that `Index.save` writes.

    Parameters
    ----------
    index
        Of any engine.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> index = thresher.ExactIndex.build(scipy.sparse.csr_array([[1.0, 0.0, 2.0]]))
    >>> thresher.loads(thresher.dumps(index)).n_docs
    1
    """
    with tempfile.TemporaryDirectory(prefix="thresher-") as folder:
        path = Path(folder, "index")
        index.save(path)
        return path.read_bytes()


def loads(data: bytes | bytearray | memoryview) -> Index:
    """Return the index that `dumps` turned into bytes. They go to a temporary file, which is mapped.

    Parameters
    ----------
    data
        What `dumps` returned, or what is in a file of `Index.save`.

    Raises
    ------
    FormatError
        If they are not an index, or altered.
    OSError
        If there is no room for the file.
    """
    from thresher._open import open as open_index  # noqa: PLC0415 - which imports the engines, and they this

    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"data must be bytes, got {type(data).__name__}")
    with tempfile.TemporaryDirectory(prefix="thresher-") as folder:
        path = Path(folder, "index")
        path.write_bytes(data)
        index = open_index(path)
    index._source = None  # noqa: SLF001 - the file is gone, but for those who have it mapped
    return index


def _header_of(path: str | os.PathLike[str]) -> bytes:
    with Path(os.fsdecode(path)).open("rb") as file:
        return file.read(_HEADER)
