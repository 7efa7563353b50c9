"""Sparse vectors as JSON lines: Anserini's JsonVectorCollection and Seismic's files.

One object a line, ``{"id": "d1", "contents": "...", "vector": {"term": weight, ...}}``; what else
it holds is ignored, and ``.gz`` is read as it is. Where every term of a collection is a whole
number, the numbers are the columns; otherwise terms get columns in order of first appearance. A
term that a vector holds twice is kept twice, and counts as the sum, as in a matrix.
Cost: one pass, 12 bytes a nonzero beside ids and vocabulary; `consume_documents` takes a file of any size in pieces.
"""

from __future__ import annotations

import array
import gzip
import json
import math
import os
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from thresher import FormatError
from thresher._matrix import CsrArrays
from thresher._streams import ENTRIES_AT_ONCE, ROWS_AT_ONCE
from thresher.formats._check import weight_problem
from thresher.formats._columns import as_column
from thresher.formats._documents import DocumentStream, joined_rows

if TYPE_CHECKING:
    from scipy import sparse

Consumed = TypeVar("Consumed")

_FLOAT32_MAX = float(np.finfo(np.float32).max)
_REPORT_LINES = 1024  # lines between two progress reports


class Documents(NamedTuple):
    """A collection read from JSON lines."""

    matrix: sparse.csr_array
    """float32, (n_documents, n_terms)."""
    ids: list[str]
    """The document of each row."""
    vocabulary: dict[str, int] | None
    """The column of each term; None where the terms are the column numbers."""


class Word(NamedTuple):
    """A term that is no number."""

    line: int
    term: str


class Queries(NamedTuple):
    """Queries read from JSON lines, in the columns of a collection."""

    matrix: sparse.csr_array
    """float32, (n_queries, n_terms)."""
    ids: list[str]
    """The query of each row."""
    n_unknown: int
    """Entries left out since the collection has no such term."""
    word: Word | None
    """The first of them that is no number, where the collection's terms are the column numbers."""


def read_documents(
    path: str | os.PathLike[str],
    *,
    allow_negative: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Documents:
    """Read a collection and number its terms.

    Parameters
    ----------
    path
        The file, gzipped if its name ends in ``.gz``.
    allow_negative
        False refuses negative weights.
    progress
        Called now and then with the bytes read and the bytes in all.

    Returns
    -------
    Documents
        The matrix, the document ids and the vocabulary.

    Raises
    ------
    thresher.FormatError
        Naming the file, the line and what is wrong there: JSON, an id missing or used twice, a
        weight that is not finite, or negative where that is refused.
    OSError
        If the file can't be read.
    """

    def whole(stream: Pieces) -> Documents:
        matrix = joined_rows(list(stream), stream.n_terms)
        return Documents(matrix, stream.ids, stream.vocabulary)

    return consume_documents(path, whole, allow_negative=allow_negative, progress=progress)


def consume_documents(
    path: str | os.PathLike[str],
    consume: Callable[[Pieces], Consumed],
    *,
    allow_negative: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Consumed:
    """Read a collection in pieces.

    Parameters
    ----------
    path, allow_negative, progress
        As for `read_documents`.
    consume
        Called with the documents. Called again, with all of them, in the rare case that a term turns out to be a word
        when terms were taken for column numbers so far.

    Returns
    -------
    object
        What `consume` returns.

    Raises
    ------
    thresher.FormatError, OSError
        As for `read_documents`, while documents are taken.
    """
    try:
        return consume(_Numbered(_records(path, allow_negative=allow_negative, progress=progress), path))
    except _WordFound:
        return consume(_Named(_records(path, allow_negative=allow_negative, progress=progress), path))


class _WordFound(Exception):  # noqa: N818 - no error
    """A term is no number, where all were until now."""


class Pieces(DocumentStream):
    """The documents of a file's records, with columns that a derived class knows."""

    def __init__(
        self, records: Iterator[tuple[int, str, Collection[tuple[str, float]]]], path: str | os.PathLike[str]
    ) -> None:
        super().__init__()
        self._records = records
        self._path = path
        self._lines_of: dict[str, int] = {}

    @property
    def ids(self) -> list[str]:
        """What the documents so far are called."""
        return list(self._lines_of)

    def __next__(self) -> CsrArrays:
        """Return the next few thousand documents."""
        rows = _Builder()
        for line, name, vector in self._records:
            first = self._lines_of.setdefault(name, line)
            if first != line:
                raise FormatError(f"{self._path}: line {line}: id {name!r} was used on line {first}")
            rows.add_row([self._column(term) for term, _ in vector], [weight for _, weight in vector])
            if rows.is_full():
                break
        if not rows.n_rows:
            raise StopIteration
        return rows.arrays(self.n_terms)

    def _column(self, term: str) -> int:
        raise NotImplementedError


class _Numbered(Pieces):
    """Terms are the numbers of their columns."""

    @property
    def vocabulary(self) -> dict[str, int] | None:
        """None; without any term, one without words."""
        return None if self.n_terms else {}

    def _column(self, term: str) -> int:
        column = as_column(term)
        if column is None:
            raise _WordFound
        self.n_terms = max(self.n_terms, column + 1)
        return column


class _Named(Pieces):
    """Terms get columns in the order of their first appearance."""

    def __init__(
        self, records: Iterator[tuple[int, str, Collection[tuple[str, float]]]], path: str | os.PathLike[str]
    ) -> None:
        super().__init__(records, path)
        self._vocabulary: dict[str, int] = {}

    @property
    def vocabulary(self) -> dict[str, int] | None:
        """The column of each term so far."""
        return self._vocabulary

    def _column(self, term: str) -> int:
        column = self._vocabulary.setdefault(term, self.n_terms)
        self.n_terms = len(self._vocabulary)
        return column


def read_queries(
    path: str | os.PathLike[str],
    *,
    vocabulary: Mapping[str, int] | None,
    n_terms: int,
    progress: Callable[[int, int], None] | None = None,
) -> Queries:
    """Read queries into the columns of a collection; terms it does not have are left out.

    Parameters
    ----------
    path
        The file, gzipped if its name ends in ``.gz``. Weights may be negative.
    vocabulary
        The column of each term, or None where the terms are the column numbers.
    n_terms
        Columns of the collection.
    progress
        Called now and then with the bytes read and the bytes in all.

    Returns
    -------
    Queries
        The matrix, the query ids and what was left out.

    Raises
    ------
    thresher.FormatError
        As for `read_documents`, but an id may be used twice.
    OSError
        If the file can't be read.
    """
    builder = _Builder()
    ids: list[str] = []
    n_unknown, word = 0, None
    for line, name, vector in _records(path, allow_negative=True, progress=progress):
        ids.append(name)
        columns: list[int] = []
        weights: list[float] = []
        for term, weight in vector:
            column = as_column(term) if vocabulary is None else vocabulary.get(term)
            if column is None or column >= n_terms:
                n_unknown += 1
                if column is None and vocabulary is None:
                    word = word or Word(line, term)
            else:
                columns.append(column)
                weights.append(weight)
        builder.add_row(columns, weights)
    return Queries(joined_rows([builder.arrays(n_terms)], n_terms), ids, n_unknown, word)


class _Builder:
    """Grows a CSR matrix row by row in flat arrays."""

    def __init__(self) -> None:
        self._indptr = array.array("q", [0])
        self._indices = array.array("q")
        self._data = array.array("f")

    @property
    def n_rows(self) -> int:
        return len(self._indptr) - 1

    def is_full(self) -> bool:
        """Tell whether these are enough rows for a piece."""
        return self.n_rows >= ROWS_AT_ONCE or len(self._data) >= ENTRIES_AT_ONCE

    def add_row(self, columns: list[int], weights: Iterable[float]) -> None:
        self._indices.extend(columns)
        self._data.extend(weights)
        self._indptr.append(len(self._indices))

    def arrays(self, n_terms: int) -> CsrArrays:
        indices = np.frombuffer(self._indices, dtype=np.int64).astype(np.uint32)
        indptr = np.frombuffer(self._indptr, dtype=np.int64)
        return CsrArrays(indptr, indices, np.frombuffer(self._data, dtype=np.float32), (self.n_rows, n_terms))


def _records(
    path: str | os.PathLike[str], *, allow_negative: bool, progress: Callable[[int, int], None] | None
) -> Iterator[tuple[int, str, Collection[tuple[str, float]]]]:
    """Yield line number (from 1), id and checked vector of every record, whose terms may repeat."""
    for number, record in objects(path, progress=progress):
        where = f"{path}: line {number}"
        for key in ("id", "vector"):
            if isinstance(record, _Object) and record.repeats(key):
                raise FormatError(f'{where}: "{key}" is there twice')
        name = record.get("id")
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise FormatError(f'{where}: "id" must be a string or a whole number, got {_kind(name)}')
        vector = record.get("vector")
        if not isinstance(vector, dict):
            raise FormatError(f'{where}: "vector" must be an object of weights by term, got {_kind(vector)}')
        lowest = -_FLOAT32_MAX if allow_negative else 0.0
        pairs = entries(vector)
        for term, weight in pairs:
            if type(weight) not in (int, float):
                raise FormatError(f"{where}: term {term!r} has the weight {weight!r}, not a number")
            if not lowest <= weight <= _FLOAT32_MAX:
                shown = weight if isinstance(weight, float) else _rounded(weight)
                problem = weight_problem(shown, allow_negative=allow_negative)
                raise FormatError(f"{where}: term {term!r} has {problem}")
        yield number, str(name), pairs


def objects(
    path: str | os.PathLike[str], *, progress: Callable[[int, int], None] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file of JSON lines, with the numbers of their lines, from 1.

    Parameters
    ----------
    path
        The file, gzipped if its name ends in ``.gz``.
    progress
        Called now and then with the bytes read and the bytes in all.

    Raises
    ------
    thresher.FormatError
        Naming the file and the line that is no object.
    OSError
        If the file can't be read.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_Object.of)
    for number, line in _lines(path, progress):
        where = f"{path}: line {number}"
        try:
            record = decoder.decode(line.decode())
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{where}: not JSON: {error}") from error
        if not isinstance(record, dict):
            raise FormatError(f"{where}: expected an object, got {_kind(record)}")
        yield number, record


def entries(given: dict[str, Any]) -> Collection[tuple[str, Any]]:
    """Return what an object holds, a key that is there twice twice."""
    return given.pairs if isinstance(given, _Object) else given.items()


class _Object(dict[str, Any]):
    """A JSON object in which a key is there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return a JSON object, a plain one where it can be."""
        plain = dict(pairs)
        return plain if len(plain) == len(pairs) else cls(pairs)

    def repeats(self, key: str) -> bool:
        """Tell whether it is `key` that is there twice."""
        return sum(name == key for name, _ in self.pairs) > 1


def _lines(path: str | os.PathLike[str], progress: Callable[[int, int], None] | None) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, numbered from 1."""
    with Path(path).open("rb") as raw:
        size = raw.seek(0, os.SEEK_END)
        raw.seek(0)
        source = gzip.GzipFile(fileobj=raw) if Path(path).suffix == ".gz" else raw
        number = 0
        try:
            for number, line in enumerate(source, 1):
                content = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
                if content:
                    yield number, content
                if progress is not None and number % _REPORT_LINES == 0:
                    progress(raw.tell(), size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FormatError(f"{path}: after line {number}: not a whole gzip file: {error}") from error
    if progress is not None:
        progress(size, size)


def _rounded(weight: int) -> float:
    """Return a whole number of any size as a float, infinite where it is too large for one."""
    try:
        return float(weight)
    except OverflowError:
        return math.inf if weight > 0 else -math.inf


def _kind(value: object) -> str:
    """Name the kind of a JSON value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a truth value"}
    return "nothing" if value is None else names.get(type(value), "a number")
