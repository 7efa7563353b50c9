"""Generates collections of any size: in memory, or straight to a file in bounded memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from thresher._arguments import as_progress
from thresher.datasets._sampler import BLOCK, Block, Kind, Sampler
from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from thresher.datasets._model import Model

_MOST = 2**31


def generate(model: Model, rows: int, *, kind: Kind = "documents", seed: int = 0, threads: int = 1) -> sparse.csr_array:
    """Generate vectors in memory.

    Parameters
    ----------
    model
        What they are drawn from.
    rows
        How many. More rows begin with the same ones.
    kind
        ``"documents"`` or ``"queries"``. Queries are about the documents of the same seed.
    seed
        Any whole number from 0.
    threads
        Threads to use, 0 for one a CPU. They do not change the vectors.

    Returns
    -------
    scipy.sparse.csr_array
        float32, (rows, model.n_terms), terms ascending in each row.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    parts = list(blocks(model, rows, kind=kind, seed=seed, threads=threads))
    if not parts:
        return sparse.csr_array((0, model.n_terms), dtype=np.float32)
    indptr = np.concatenate([[0], *(part.lengths for part in parts)]).cumsum()
    if indptr[-1] < _MOST:
        indptr = indptr.astype(np.int32)
    data, indices = (np.concatenate([part[at] for part in parts]) for at in (2, 1))
    return sparse.csr_array((data, indices, indptr), shape=(rows, model.n_terms))


def generate_to(
    path: str | os.PathLike[str],
    model: Model,
    rows: int,
    *,
    kind: Kind = "documents",
    seed: int = 0,
    threads: int = 1,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Generate vectors into a BigANN ``.csr`` file, atomically and in bounded memory.

    Terms are written in their place as they come, weights beside the file until it is known where
    they start: while it is made, the folder needs room for half as much again. Memory: 8 bytes a
    row, and a few megabytes a thread.

    Parameters
    ----------
    path
        The file to create or replace.
    model, rows, kind, seed, threads
        As for `generate`; the file holds the same vectors.
    progress
        Called with the number of rows of each block that has been written.

    Raises
    ------
    ValueError
        If an argument is out of range.
    OSError
        If the file can't be written.
    """
    parts = blocks(model, rows, kind=kind, seed=seed, threads=threads)
    report = as_progress(progress, "progress(rows)")
    indptr = np.zeros(rows + 1, np.int64)
    done = 0
    with atomic_write(path) as out, tempfile.TemporaryFile(dir=Path(path).resolve().parent) as weights:
        out.seek(24 + indptr.nbytes)
        for part in parts:
            out.write(part.indices.astype("<i4", copy=False).data)
            weights.write(part.data.astype("<f4", copy=False).data)
            count = len(part.lengths)
            indptr[done + 1 : done + count + 1] = indptr[done] + np.cumsum(part.lengths)
            done += count
            if report is not None:
                report(count)
        weights.seek(0)
        shutil.copyfileobj(weights, out, 1 << 20)
        out.seek(0)
        out.write(np.array([rows, model.n_terms, indptr[-1]], "<i8").tobytes())
        out.write(indptr.astype("<i8", copy=False).data)


def blocks(model: Model, rows: int, *, kind: Kind, seed: int, threads: int) -> Iterator[Block]:
    """Check the arguments and return an iterator over the vectors, a block at a time, in order."""
    if not 0 <= rows <= _MOST:
        raise ValueError(f"rows must be 0 to {_MOST}, got {rows}")
    if kind not in ("documents", "queries"):
        raise ValueError(f"kind must be 'documents' or 'queries', got {kind!r}")
    if seed < 0:
        raise ValueError(f"seed must be >= 0, got {seed}")
    if threads < 0:
        raise ValueError(f"threads must be >= 0, got {threads}")
    cpus: Callable[[], int | None] = getattr(os, "process_cpu_count", os.cpu_count)  # the former from Python 3.13 on
    return _blocks(Sampler(model, kind, seed), rows, threads or cpus() or 1)


def _blocks(sampler: Sampler, rows: int, workers: int) -> Iterator[Block]:
    firsts = range(0, rows, BLOCK)
    if workers == 1:
        for first in firsts:
            yield sampler.block(first, min(BLOCK, rows - first))
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Block]] = deque()
        for first in firsts:
            waiting.append(pool.submit(sampler.block, first, min(BLOCK, rows - first)))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
