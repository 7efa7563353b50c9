"""Sparse vectors as JSON lines: Anserini's JsonVectorCollection and Seismic's files.

One object a line, ``{"id": "d1", "contents": "...", "vector": {"term": weight, ...}}``; what else
it holds is ignored, and ``.gz`` is read as it is. Where every term of a collection is a whole
number, the numbers are the columns; otherwise terms get columns in order of first appearance. A
term that a vector holds twice is kept twice, and counts as the sum, as in a matrix.
Cost: one pass, 12 bytes a nonzero beside the vocabulary.
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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from thresher import FormatError
from thresher.formats._check import weight_problem
from thresher.formats._columns import as_column, as_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    vocabulary: dict[str, int] = {}
    builder = _Builder(path)
    lines_of: dict[str, int] = {}
    for line, name, vector in _records(path, allow_negative=allow_negative, progress=progress):
        first = lines_of.setdefault(name, line)
        if first != line:
            raise FormatError(f"{path}: line {line}: id {name!r} was used on line {first}")
        builder.add_row(
            [vocabulary.setdefault(term, len(vocabulary)) for term, _ in vector], [weight for _, weight in vector]
        )
    ids = list(lines_of)
    numbers = as_columns(vocabulary)
    if numbers is None:
        return Documents(builder.matrix(len(vocabulary)), ids, vocabulary)
    return Documents(builder.matrix(int(numbers.max()) + 1, numbers), ids, None)


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
    builder = _Builder(path)
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
    return Queries(builder.matrix(n_terms), ids, n_unknown, word)


class _Builder:
    """Grows a CSR matrix row by row in flat arrays."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._indptr = array.array("q", [0])
        self._indices = array.array("q")
        self._data = array.array("f")

    def add_row(self, columns: list[int], weights: Iterable[float]) -> None:
        self._indices.extend(columns)
        self._data.extend(weights)
        self._indptr.append(len(self._indices))

    def matrix(self, n_terms: int, numbers: NDArray[np.int64] | None = None) -> sparse.csr_array:
        """Return the matrix, each column first replaced by its entry in `numbers` if given."""
        indices = np.frombuffer(self._indices, dtype=np.int64)
        if numbers is not None:
            indices = numbers[indices]
        indptr = np.frombuffer(self._indptr, dtype=np.int64)
        data = np.frombuffer(self._data, dtype=np.float32)
        return sparse.csr_array((data, indices, indptr), shape=(len(indptr) - 1, n_terms))


def _records(
    path: str | os.PathLike[str], *, allow_negative: bool, progress: Callable[[int, int], None] | None
) -> Iterator[tuple[int, str, Collection[tuple[str, float]]]]:
    """Yield line number (from 1), id and checked vector of every record, whose terms may repeat."""
    decoder = json.JSONDecoder(object_pairs_hook=_Object.of)
    for number, line in _lines(path, progress):
        where = f"{path}: line {number}"
        try:
            record = decoder.decode(line.decode())
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{where}: not JSON: {error}") from error
        if not isinstance(record, dict):
            raise FormatError(f"{where}: expected an object, got {_kind(record)}")
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
        pairs = vector.pairs if isinstance(vector, _Object) else vector.items()
        for term, weight in pairs:
            if type(weight) not in (int, float):
                raise FormatError(f"{where}: term {term!r} has the weight {weight!r}, not a number")
            if not lowest <= weight <= _FLOAT32_MAX:
                shown = weight if isinstance(weight, float) else _rounded(weight)
                problem = weight_problem(shown, allow_negative=allow_negative)
                raise FormatError(f"{where}: term {term!r} has {problem}")
        yield number, str(name), pairs


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
