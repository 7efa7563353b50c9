"""Exact answers over collections too large for one exact index: of slices of the documents, merged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import thresher
from thresher.formats._atomic import atomic_write
from thresher.formats.bigann import CsrArrays
from thresher_bench.common import load
from thresher_bench.process import in_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from thresher_bench.worker import Tell

_HEADER = 24  # bytes: rows, columns and nonzeros


def shape_of_file(path: Path) -> tuple[int, int, int]:
    """Return the rows, columns and nonzeros of a ``.csr`` file."""
    rows, columns, nnz = (int(field) for field in np.fromfile(path, "<i8", 3))
    if path.stat().st_size != _HEADER + 8 * (rows + 1) + 8 * nnz:
        raise ValueError(f"{path}: {path.stat().st_size} bytes are not {rows} rows and {nnz} nonzeros")
    return rows, columns, nnz


def mapped(path: Path, start: int, stop: int) -> CsrArrays:
    """Map rows of a ``.csr`` file without a look at the others, as reading all of it would take its size in memory.

    Weights and terms are not checked: `build` does so.
    """
    rows, columns, nnz = shape_of_file(path)
    indptr = np.asarray(np.memmap(path, "<i8", "r", _HEADER + 8 * start, (stop - start + 1,)))
    first, last = int(indptr[0]), int(indptr[-1])
    if not 0 <= first <= last <= nnz:
        raise ValueError(f"{path}: rows {start} to {stop} have nonzeros {first} to {last} of {nnz}")
    indices_at = _HEADER + 8 * (rows + 1) + 4 * first
    data_at = indices_at + 4 * nnz
    if first == last:
        empty = np.zeros(0, np.int32), np.zeros(0, np.float32)
        return CsrArrays(indptr - first, *empty, (stop - start, columns))
    return CsrArrays(
        indptr - first if first else indptr,
        np.asarray(np.memmap(path, "<i4", "r", indices_at, (last - first,))),
        np.asarray(np.memmap(path, "<f4", "r", data_at, (last - first,))),
        (stop - start, columns),
    )


def slices(n_docs: int, step: int) -> list[tuple[int, int]]:
    """Return where the slices of the first documents start and end: collections share all but the last."""
    return [(start, min(start + step, n_docs)) for start in range(0, n_docs, step)]


def merged(parts: list[thresher.Hits], starts: list[int], k: int) -> thresher.Hits:
    """Return the best k of all slices, ties in ascending order of ids."""
    scores = np.concatenate([part.scores for part in parts], axis=1)
    ids = np.concatenate(
        [np.where(part.ids >= 0, part.ids + start, -1) for part, start in zip(parts, starts, strict=True)], axis=1
    )
    order = np.lexsort((np.where(ids < 0, np.iinfo(np.int64).max, ids), -scores))[:, :k]
    return thresher.Hits(np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1))


class Answers:
    """Exact answers to the first queries of a file, kept in a folder slice by slice.

    Parameters
    ----------
    base
        Documents, a ``.csr`` file.
    queries
        Queries, a ``.csr`` file.
    n_queries
        How many of them.
    k
        Documents wanted of each.
    folder
        Where to keep answers.
    step
        Documents of a slice.
    threads
        Threads to use.
    limit
        Seconds that a slice may take.
    """

    def __init__(
        self,
        base: Path,
        queries: Path,
        n_queries: int,
        k: int,
        folder: Path,
        *,
        step: int,
        threads: int,
        limit: float,
    ) -> None:
        self.base, self.queries, self.n_queries, self.k = base, queries, n_queries, k
        self.folder, self.step, self.threads, self.limit = folder, step, threads, limit
        about = hashlib.sha256(queries.read_bytes())
        about.update(repr((shape_of_file(base), base.stat().st_mtime_ns, n_queries, k)).encode())
        self._name = about.hexdigest()[:12]

    def of_first(self, n_docs: int, on_step: Callable[[str], object]) -> thresher.Hits:
        """Return the best k of the first documents for each query."""
        parts, starts = [], []
        for start, stop in slices(n_docs, self.step):
            path = self.folder / f"truth-{self._name}-{start}-{stop}.npz"
            if not path.exists():
                on_step(f"exact answers of documents {start:,} to {stop:,}")
                in_time(self.limit, on_step, answer, self, start, stop, path)
            with np.load(path) as kept:
                parts.append(thresher.Hits(kept["ids"], kept["scores"]))
            starts.append(start)
        return merged(parts, starts, self.k)


def answer(tell: Tell, asked: Answers, start: int, stop: int, path: Path) -> None:
    """Write the exact answers of a slice to a file."""
    docs = mapped(asked.base, start, stop)
    index = thresher.ExactIndex.build((docs.indptr, docs.indices, docs.data), shape=docs.shape, threads=asked.threads)
    queries = load(asked.queries, asked.n_queries)
    hits = index.search(
        queries, asked.k, threads=asked.threads, progress=lambda done, of: tell(f"  {done:,} of {of:,} queries")
    )
    with atomic_write(path) as file:
        np.savez(file, ids=hits.ids, scores=hits.scores)
