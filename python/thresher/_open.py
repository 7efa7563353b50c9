"""Opening an index file of any engine."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from thresher import _core
from thresher._arguments import as_flag, as_path
from thresher._pickling import Source
from thresher.engines.index import Index
from thresher.engines.registry import engines

Engine = TypeVar("Engine", bound=Index)


def open(path: str | os.PathLike[str], *, verify: bool = True) -> Index:  # noqa: A001 - called as thresher.open
    """Open an index file, memory-mapped, as an index of the engine that wrote it.

    Nothing is copied: processes that open the same file share its pages. The file may be renamed, replaced by
    `Index.save` or deleted while it is open, but must not be written to in place.

    Parameters
    ----------
    path
        A file that `Index.save` wrote.
    verify
        Compare every section's checksum, which reads the file once (about 10 GB/s from the page cache). Without it a
        file opens at once whatever its size; an altered one may then give wrong results, but never reads out of
        bounds.

    Returns
    -------
    Index
        An `ExactIndex`, or whichever class the file's engine has.

    Raises
    ------
    FormatError
        If it is not an index file, is truncated or altered, or comes from a newer library.
    TypeError
        If `path` is no path, or `verify` no bool.
    OSError
        If the system can't open it.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
    >>> thresher.ExactIndex.build(docs).save("docs.thresher")
    >>> thresher.open("docs.thresher")
    <ExactIndex: 2 documents, 3 terms, 0.0 MB>
    """
    handle = _core.open_index(as_path(path), as_flag(verify, "verify"))
    if handle.engine not in engines():
        raise _core.FormatError(f"{os.fsdecode(path)}: of the engine {handle.engine!r}, which has no class here")
    index = engines()[handle.engine](handle)
    index._source = Source.of_file(path)  # noqa: SLF001 - of this package
    return index


def open_as(engine: type[Engine], path: str | os.PathLike[str]) -> Engine:
    """Open a file that was just written, as an index of a class that was asked for."""
    index = engine(_core.open_index(as_path(path), False))
    index._source = Source.of_file(path)  # noqa: SLF001 - of this package
    return index


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read an index file's header, parameters and section table without loading it.

    Parameters
    ----------
    path
        A file that `Index.save` wrote.

    Returns
    -------
    dict
        ``engine``, ``format_version``, ``library_version``, ``params`` (build parameters and counts) and
        ``sections``: for each its ``name``, ``dtype``, ``length`` in elements, ``offset`` and ``nbytes``.

    Raises
    ------
    FormatError
        If the file's header or section table is not an index file's.
    OSError
        If the system can't open it.
    """
    return _core.describe(as_path(path))
