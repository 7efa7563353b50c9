"""TREC run files: ``query Q0 document rank score tag``, one hit a line, ranks from 1."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


def _check_column(what: str, value: str) -> None:
    if len(value.split()) != 1 or value != value.strip():
        raise ValueError(f"{what} {value!r} can't be a column of a TREC run: it is empty or has white space")
