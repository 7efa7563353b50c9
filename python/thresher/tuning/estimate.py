"""What an index of a collection would take, before it is built."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, SupportsIndex

import numpy as np
import scipy.sparse as sp

from thresher import _core
from thresher._arguments import as_int, as_threads
from thresher._matrix import MatrixLike, as_csr, as_matrix
from thresher.engines.registry import classes_of

if TYPE_CHECKING:
    from thresher.engines.index import BuildParam, Index
    from thresher.engines.options import Weights

MAX_SAMPLED = 12_000  # documents of a sample that is built on trial
MAX_POSTINGS = 1_500_000  # of it
REPETITIONS = 3
PACKED = 2_048  # documents from which on a build may take longer for each
MAX_DOCS = 2**31


@dataclass(frozen=True)
class Estimate:
    """What an index is expected to take, with the engine's default build parameters."""

    engine: str
    n_docs: int
    nnz: int
    nbytes: dict[str, int]
    """Bytes in memory by part, as the index's own `nbytes` will tell. Its file takes about as many."""
    build_seconds: float
    """Of a build on this machine, as busy as it is now, with the threads that were asked for."""
    cpu_seconds: float
    """CPU time of that build, all threads together."""

    @property
    def total_bytes(self) -> int:
        """Bytes of all parts."""
        return sum(self.nbytes.values())

    def __repr__(self) -> str:
        """Describe it in one line."""
        return (
            f"<Estimate: {self.engine}, {self.n_docs:,} documents, {self.total_bytes / 1e6:,.1f} MB, "
            f"{self.build_seconds:,.1f} s to build>"
        )


class Trial(NamedTuple):
    """What the build of a sample took."""

    n_docs: int
    cpu_seconds: float
    seconds: float
    nbytes: dict[str, int]


def estimate(
    docs: MatrixLike,
    *,
    engine: type[Index] | str | Iterable[type[Index] | str] | None = None,
    n_docs: SupportsIndex | None = None,
    weights: Weights = "float",
    threads: SupportsIndex = 0,
    seed: SupportsIndex = 0,
    shape: tuple[int, int] | None = None,
) -> dict[str, Estimate]:
    """Tell what an index would take: its bytes, part by part, and the time to build it.

    Bytes follow from the document frequencies of all terms, which are counted. Time, and what depends on how alike
    documents are, follows from builds of two samples, of at most 10,000 documents, on this machine: they take a second
    or so for all engines but `GraphIndex`, and some seconds for that.

    Parameters
    ----------
    docs
        Sparse matrix of shape (n, n_terms), a document a row: anything that an engine's `build` takes.
    engine
        An engine's class or its name, or several; None for all.
    n_docs
        Documents of the index, if they are more or fewer than `docs` has: what would so many like these take? Document
        frequencies are taken to grow with them, and the number of terms as in a half of `docs` and the whole (Heaps'
        law).
    weights
        What the index keeps of the weights: ``"float"``, ``"uint8"`` or ``"uint8+float"``, as for an engine's `build`.
    threads
        Threads of the build; 0 means one for each core.
    seed
        Of the samples.
    shape
        (n, n_terms), needed only where `docs` is an ``(indptr, indices, data)`` triple.

    Returns
    -------
    dict
        An `Estimate` for each engine, by name.

    Raises
    ------
    ValueError
        If `docs` has no documents with terms or holds what an index can't, `n_docs` is out of range, or there are no
        such `weights`.
    TypeError
        If `docs` is not a sparse matrix, or `engine` not an engine.

    Examples
    --------
    >>> import numpy as np, scipy.sparse, thresher
    >>> docs = scipy.sparse.random_array((2000, 300), density=0.1, rng=np.random.default_rng(0), dtype=np.float32)
    >>> expected = thresher.estimate(docs, engine=thresher.ExactIndex)["exact"]
    >>> expected.total_bytes / sum(thresher.ExactIndex.build(docs).nbytes.values())  # doctest: +ELLIPSIS
    1.0...
    """
    matrix = as_matrix(docs, shape=shape, name="docs")
    classes, workers = classes_of(engine), as_threads(threads)
    rng = np.random.default_rng(as_int(seed, "seed"))
    wanted = matrix.shape[0] if n_docs is None else as_int(n_docs, "n_docs")
    if not 1 <= wanted <= MAX_DOCS:
        raise ValueError(f"n_docs must be from 1 to 2**31, got {wanted}")
    if not np.any(matrix.data != 0):
        raise ValueError("docs: no document has a term")
    statistics = statistics_of(matrix, wanted, workers)
    most = min(MAX_SAMPLED, max(200, round(MAX_POSTINGS * matrix.shape[0] / matrix.nnz)))
    # Halved as often as leaves a sample of that size, so that documents are packed among as many as in the whole.
    size = min(matrix.shape[0], math.ceil(wanted / 2.0 ** max(0, math.ceil(math.log2(wanted / most)))))
    samples = [matrix[np.sort(rng.choice(matrix.shape[0], n, replace=False))] for n in (math.ceil(size / 4), size)]
    return {known.engine: _estimated(known, weights, samples, statistics, workers) for known in classes}


def statistics_of(docs: sp.csr_array, n_docs: int, threads: int) -> _core.CollectionStatistics:
    """Return what sizes depend on, of a collection of `n_docs` documents like these."""
    rows = as_csr(docs, name="docs")
    return _core.CollectionStatistics(rows.indptr, rows.indices, rows.data, rows.shape[1], n_docs, threads)


def nbytes_of(
    engine: type[Index], statistics: _core.CollectionStatistics, *, weights: Weights = "float", **params: BuildParam
) -> dict[str, int]:
    """Return the bytes of each part of an index, as alike as documents usually are."""
    return {part.name: round(part.nbytes) for part in engine.estimated_parts(statistics, weights=weights, **params)}


def _estimated(
    engine: type[Index],
    weights: Weights,
    samples: list[sp.csr_array],
    statistics: _core.CollectionStatistics,
    threads: int,
) -> Estimate:
    trials = [_tried(engine, weights, sample, threads) for sample in samples]
    last = trials[-1]
    parts_of = functools.partial(engine.estimated_parts, weights=weights)
    cpu_seconds = _grown(engine.build_growth(), trials, statistics.n_docs)
    return Estimate(
        engine=engine.engine,
        n_docs=statistics.n_docs,
        nnz=round(statistics.nnz),
        nbytes=_nbytes_by(parts_of, trials, samples, statistics, threads),
        build_seconds=cpu_seconds * last.seconds / last.cpu_seconds,
        cpu_seconds=cpu_seconds,
    )


def _tried(engine: type[Index], weights: Weights, sample: sp.csr_array, threads: int) -> Trial:
    """Build an index of a sample, a few times where that is quick, and tell what the quickest took."""
    best: Trial | None = None
    for _ in range(REPETITIONS):
        cpu, wall = time.process_time(), time.perf_counter()
        index = engine.build(sample, threads=threads, weights=weights)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if best is None or cpu < best.cpu_seconds:
            best = Trial(sample.shape[0], max(cpu, 1e-6), max(wall, 1e-6), index.nbytes)
        if cpu > 0.5:
            break
    assert best is not None
    return best


def _grown(growth: _core.BuildGrowth, trials: list[Trial], n_docs: int) -> float:
    """Return the CPU time of a build of so many documents."""
    before, trial = trials
    if growth.is_linear:  # what each document takes, beside what a build takes whatever they are
        each = trial.cpu_seconds / trial.n_docs
        further = (trial.cpu_seconds - before.cpu_seconds) / max(1, trial.n_docs - before.n_docs)
        return trial.cpu_seconds + (n_docs - trial.n_docs) * min(each, max(0.25 * each, further))
    doublings = math.log2(max(n_docs, PACKED) / max(trial.n_docs, PACKED))
    longer = 1 + growth.doubling * doublings + growth.million * (n_docs - trial.n_docs) / 1e6
    return trial.cpu_seconds * n_docs / trial.n_docs * longer


def _nbytes_by(
    parts_of: Callable[[_core.CollectionStatistics], list[_core.EstimatedPart]],
    trials: list[Trial],
    samples: list[sp.csr_array],
    statistics: _core.CollectionStatistics,
    threads: int,
) -> dict[str, int]:
    """Return the bytes of each part.

    Those that depend on how alike documents are were counted in trials. What fraction they are of the most that they
    can be changes as the logarithm of the number of documents.
    """
    expected = parts_of(statistics)
    if not any(part.variable for part in expected):
        return {part.name: round(part.fixed) for part in expected}
    tried = [
        {part.name: part for part in parts_of(statistics_of(sample, sample.shape[0], threads))} for sample in samples
    ]
    doublings = math.log2(statistics.n_docs / trials[-1].n_docs)
    between = math.log2(trials[-1].n_docs / trials[0].n_docs) or 1.0
    nbytes = {}
    for part in expected:
        before, last = (
            (trial.nbytes[part.name] - parts[part.name].fixed) / parts[part.name].variable
            if parts[part.name].variable
            else part.usual
            for trial, parts in zip(trials, tried, strict=True)
        )
        fraction = min(1.0, max(0.0, last + (last - before) / between * doublings))
        nbytes[part.name] = round(part.fixed + fraction * part.variable)
    return nbytes
