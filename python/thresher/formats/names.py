"""The side-car of an index: the caller's document ids and terms, which an index does not hold.

``docs.thresher.names`` beside ``docs.thresher`` is one JSON object: ``format`` and ``version``,
the ``shape`` and ``nnz`` of the index it belongs to, ``documents`` (an id for each row) and
``terms`` (a term for each column, or null where the terms are the column numbers).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard

from thresher import FormatError
from thresher.formats._atomic import atomic_write

_FORMAT = "thresher names"
_VERSION = 1


class Names(NamedTuple):
    """What the caller calls the rows and columns of an index."""

    documents: list[str]
    terms: list[str] | None
    """None where the terms are the column numbers."""

    @property
    def vocabulary(self) -> dict[str, int] | None:
        """The column of each term."""
        return None if self.terms is None else {term: column for column, term in enumerate(self.terms)}


def names_path(index: str | os.PathLike[str]) -> Path:
    """Return where the names of the index at `index` are kept."""
    return Path(f"{os.fspath(index)}.names")


def write_names(
    index: str | os.PathLike[str],
    *,
    documents: Sequence[str],
    terms: Sequence[str] | None,
    shape: tuple[int, int],
    nnz: int,
) -> None:
    """Write the names of an index beside it, atomically.

    Parameters
    ----------
    index
        Path of the index.
    documents, terms
        An id for each row and a term for each column, or None.
    shape, nnz
        Of the index, so that names left over from another one are noticed.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "shape": list(shape),
        "nnz": nnz,
        "documents": list(documents),
        "terms": None if terms is None else list(terms),
    }
    with atomic_write(names_path(index)) as out:
        for piece in json.JSONEncoder().iterencode(content):
            out.write(piece.encode())


def read_names(index: str | os.PathLike[str], *, shape: tuple[int, int], nnz: int) -> Names | None:
    """Read the names beside an index.

    Parameters
    ----------
    index
        Path of the index.
    shape, nnz
        Of the index.

    Returns
    -------
    Names or None
        None where there is no such file.

    Raises
    ------
    thresher.FormatError
        If the file is not one, is damaged or belongs to another index.
    OSError
        If the file can't be read.
    """
    path = names_path(index)
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise FormatError(f"{path}: not the names of an index")
    if content.get("version") != _VERSION:
        raise FormatError(f"{path}: version {content.get('version')!r}, this library reads {_VERSION}")
    documents, terms = content.get("documents"), content.get("terms")
    if content.get("shape") != list(shape) or content.get("nnz") != nnz:
        raise FormatError(
            f"{path}: belongs to another index: shape {content.get('shape')} and {content.get('nnz')} "
            f"nonzeros, {index} has {list(shape)} and {nnz}"
        )
    if not _is_names(documents, shape[0]):
        raise FormatError(f'{path}: "documents" must be {shape[0]} strings')
    if terms is not None and not _is_names(terms, shape[1]):
        raise FormatError(f'{path}: "terms" must be null or {shape[1]} strings')
    return Names(documents, terms)


def remove_names(index: str | os.PathLike[str]) -> None:
    """Remove the names of an index that was replaced by one without names."""
    names_path(index).unlink(missing_ok=True)


def _is_names(value: object, length: int) -> TypeGuard[list[str]]:
    return isinstance(value, list) and len(value) == length and all(isinstance(name, str) for name in value)
