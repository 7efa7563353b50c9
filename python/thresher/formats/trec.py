"""TREC files: runs, ``query Q0 document rank score tag``, a hit a line; judgements, ``query 0 document relevance``.

Both are read gzipped too. Ranks are written from 1, and not read: scores are what counts, as in trec_eval.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from thresher import FormatError
from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    Source: TypeAlias = str | os.PathLike[str] | BinaryIO

Value = TypeVar("Value", int, float)

_GZIP = b"\x1f\x8b"
_BEIR = ["query-id", "corpus-id", "score"]  # the first line of a file of the BEIR benchmark


def run_lines(
    ids: NDArray[np.int64],
    scores: NDArray[np.float32],
    *,
    queries: Sequence[str] | None = None,
    documents: Sequence[str] | None = None,
    tag: str = "thresher",
) -> Iterator[str]:
    """Yield the lines of a run, each with its newline; padding is left out.

    Parameters
    ----------
    ids, scores
        (n_queries, k), best first, padded with -1 and -inf, as a search returns them.
    queries, documents
        The caller's names; without them, a query's row and a document's number.
    tag
        The name of the run, its last column.

    Yields
    ------
    str
        A line; scores are written so that they read back as the same float32.

    Raises
    ------
    ValueError
        If a name or the tag is empty or holds white space, which would shift the columns.
    """
    _check_column("tag", tag)
    for row, (row_ids, row_scores) in enumerate(zip(ids, scores, strict=True)):
        query = str(row) if queries is None else queries[row]
        _check_column("query id", query)
        found = row_ids >= 0
        for rank, (number, score) in enumerate(zip(row_ids[found], row_scores[found], strict=True), 1):
            document = str(number) if documents is None else documents[number]
            _check_column("document id", document)
            yield f"{query} Q0 {document} {rank} {score!s} {tag}\n"


def write_run(
    path: str | os.PathLike[str],
    ids: NDArray[np.int64],
    scores: NDArray[np.float32],
    *,
    queries: Sequence[str] | None = None,
    documents: Sequence[str] | None = None,
    tag: str = "thresher",
) -> None:
    """Write a run to a file, atomically.

    Parameters
    ----------
    path
        The file to create or replace.
    ids, scores, queries, documents, tag
        As for `run_lines`.

    Raises
    ------
    ValueError
        As for `run_lines`.
    OSError
        If the file can't be written.
    """
    with atomic_write(path) as out:
        for line in run_lines(ids, scores, queries=queries, documents=documents, tag=tag):
            out.write(line.encode())


def scored_lines(run: Mapping[str, Mapping[str, float]], *, tag: str = "thresher") -> Iterator[str]:
    """Yield the lines of a run that has scores by query and document: best first, ties by document.

    Raises
    ------
    ValueError
        As for `run_lines`.
    """
    _check_column("tag", tag)
    for query, scores in run.items():
        _check_column("query id", query)
        best = sorted(scores.items(), key=lambda hit: (-hit[1], hit[0]))
        for rank, (document, score) in enumerate(best, 1):
            _check_column("document id", document)
            yield f"{query} Q0 {document} {rank} {score} {tag}\n"


def read_run(source: Source) -> dict[str, dict[str, float]]:
    """Read a run.

    Parameters
    ----------
    source
        The file, or its bytes opened for reading.

    Returns
    -------
    dict
        The score of each document of each query, in the file's order.

    Raises
    ------
    thresher.FormatError
        Naming the file, the line and what is wrong there: columns, a score that is no number, a document twice.
    OSError
        If the file can't be read.
    """
    run: dict[str, dict[str, float]] = {}
    for where, columns in _rows(source):
        if len(columns) != 6:
            raise FormatError(f"{where}: a run has 6 columns, query Q0 document rank score tag; got {len(columns)}")
        query, _, document, _, score, _ = columns
        _add(run, query, document, _number(score, where), where)
    return run


def read_qrels(source: Source) -> dict[str, dict[str, int]]:
    """Read judgements: of TREC, or of BEIR, three columns under ``query-id corpus-id score``.

    Parameters
    ----------
    source
        As for `read_run`.

    Returns
    -------
    dict
        The relevance of each judged document of each query, in the file's order.

    Raises
    ------
    thresher.FormatError
        Naming the file, the line and what is wrong there: columns, a relevance that is no whole number, a document
        twice.
    OSError
        If the file can't be read.
    """
    qrels: dict[str, dict[str, int]] = {}
    of_beir: bool | None = None
    for where, columns in _rows(source):
        if of_beir is None:
            of_beir = columns == _BEIR
            if of_beir:
                continue
        if len(columns) != (3 if of_beir else 4):
            raise FormatError(f"{where}: judgements have 4 columns, query 0 document relevance; got {len(columns)}")
        relevance = _number(columns[-1], where)
        if not relevance.is_integer():
            raise FormatError(f"{where}: the relevance {columns[-1]!r} is no whole number")
        _add(qrels, columns[0], columns[-2], int(relevance), where)
    return qrels


def _rows(source: Source) -> Iterator[tuple[str, list[str]]]:
    """Yield the columns of each line that has any, with the place to name in errors."""
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield from _rows(file)
        return
    name = getattr(source, "name", "run")
    start = source.peek(2)[:2] if isinstance(source, io.BufferedReader) else b""
    lines: Iterable[bytes] = gzip.GzipFile(fileobj=source) if start == _GZIP else source
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            columns = line.removeprefix(b"\xef\xbb\xbf").decode().split()
            if columns:
                yield f"{name}: line {number}", columns
    except UnicodeDecodeError:
        raise FormatError(f"{name}: line {number}: not UTF-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{name}: line {number + 1}: damaged gzip: {error}") from None


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise FormatError(f"{where}: {text!r} is no number")
    return number


def _add(table: dict[str, dict[str, Value]], query: str, document: str, value: Value, where: str) -> None:
    values = table.setdefault(query, {})
    if document in values:
        raise FormatError(f"{where}: query {query!r} has the document {document!r} twice")
    values[document] = value


def _check_column(what: str, value: str) -> None:
    if len(value.split()) != 1 or value != value.strip():
        raise ValueError(f"{what} {value!r} can't be a column of a TREC run: it is empty or has white space")
