"""What the caller calls the documents and terms of an index: in the index itself, or in a side-car of older ones.

That is ``docs.thresher.names`` beside ``docs.thresher``, one JSON object: ``format`` and ``version``,
the ``shape`` and ``nnz`` of the index it belongs to, ``documents`` (an id for each row) and
``terms`` (a term for each column, or null where the terms are the column numbers). It is read, and
not written any more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard

from thresher import FormatError, Index, Words

_FORMAT = "thresher names"
_VERSION = 1


class Names(NamedTuple):
    """What the caller calls the rows and columns of an index."""

    documents: Sequence[str] | None
    """None where documents go by number."""
    terms: Sequence[str] | None
    """None where the terms are the column numbers."""

    @property
    def vocabulary(self) -> Mapping[str, int] | None:
        """The column of each term."""
        if isinstance(self.terms, Words):
            return _Columns(self.terms)
        return None if self.terms is None else {term: column for column, term in enumerate(self.terms)}


class _Columns(Mapping[str, int]):
    """The column of each term of an index, looked up there."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def __getitem__(self, term: str) -> int:
        column = self._words.find(term)
        if column is None:
            raise KeyError(term)
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)


def names_of(index: Index, path: str | os.PathLike[str]) -> Names | None:
    """Return the names of an index that was opened from `path`: its own, or else those beside it; None without any.

    Raises
    ------
    thresher.FormatError, OSError
        As `read_names`.
    """
    documents, terms = index.names, index.words
    if documents is None and terms is None:
        return read_names(path, shape=(index.n_docs, index.n_terms), nnz=index.nnz)
    return Names(documents, terms)


def names_path(index: str | os.PathLike[str]) -> Path:
    """Return where the names of the index at `index` are, if they are not in it."""
    return Path(f"{os.fspath(index)}.names")


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
    """Remove the names beside an index that was replaced by another, which holds its own."""
    names_path(index).unlink(missing_ok=True)


def _is_names(value: object, length: int) -> TypeGuard[list[str]]:
    return isinstance(value, list) and len(value) == length and all(isinstance(name, str) for name in value)
