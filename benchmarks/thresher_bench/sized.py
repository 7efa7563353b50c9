"""What an engine costs at a size: the build in one process, searches of the file in another."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

import thresher
from thresher.tuning.dial_search import DialSearch, Target
from thresher.tuning.queries import Questions
from thresher_bench.common import load, memory, reset_peak, settle, timed
from thresher_bench.growth import Built, Operating
from thresher_bench.measure import FEW, Pass, run
from thresher_bench.slices import mapped

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from thresher_bench.worker import Tell

FEWEST = 100  # queries of a slow engine: half to choose on
LOOKED_AT = 100_000  # documents that an estimate is made from
SOME = 50  # queries that exact settings are compared on
HOPELESS = 2.0  # a build that would take so many times the limit is not begun
ROUNDS = (3, 25)  # passes over the held-out queries, at least and at most
ENOUGH = 3.0  # seconds of them after which there are no more than at least


@dataclass(frozen=True)
class Job:
    """An engine at a size."""

    base: Path
    queries: Path
    n_queries: int
    n_docs: int
    engine: str
    threads: int
    k: int
    recalls: tuple[float, ...]
    limit: float
    """Seconds that a build may take, and after it the searches."""
    search_limit: float
    """Seconds to look for the search parameters of one recall, about."""
    pass_limit: float
    """Seconds that the queries may take once: a slow engine is asked fewer."""
    file: Path
    """Where the index goes."""


class Known:
    """Stands in for an exact index: its answers are there already."""

    def __init__(self, hits: thresher.Hits) -> None:
        self.hits = hits

    def search(self, queries: sparse.csr_array, k: int, *, threads: int) -> thresher.Hits:
        """Return the answers."""
        del threads
        return thresher.Hits(self.hits.ids[: queries.shape[0], :k], self.hits.scores[: queries.shape[0], :k])


class Anonymous:
    """Samples this process's memory without that of mapped files, which the system may drop and read again."""

    def __init__(self) -> None:
        self.peak = self.before = memory("RssAnon")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, memory("RssAnon"))
            if self._over.wait(0.05):
                return


def build(tell: Tell, job: Job) -> Built:
    """Build an index of the first documents from a mapped file, save it, and return what that took."""
    few = mapped(job.base, 0, min(job.n_docs, LOOKED_AT))
    expected = thresher.estimate(
        (few.indptr, few.indices, few.data), shape=few.shape, engine=job.engine, n_docs=job.n_docs, threads=job.threads
    )[job.engine]
    least = expected.cpu_seconds / job.threads  # small samples tell little of how busy the machine will be
    if least > HOPELESS * job.limit:
        raise TimeoutError(
            f"not begun: thresher.estimate expects at least {least:,.0f} s, the limit is {job.limit:g} s"
        )
    docs = mapped(job.base, 0, job.n_docs)
    kind: Any = thresher.engines()[job.engine]
    settle()
    reset_peak()
    with Anonymous() as sampled:
        cpu, wall = time.process_time(), time.perf_counter()
        index = kind.build(
            (docs.indptr, docs.indices, docs.data),
            shape=docs.shape,
            threads=job.threads,
            progress=lambda done, of: tell(f"  building: {done / max(1, of):.0%}"),
        )
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = memory("VmHWM")
    del docs, few
    settle()
    save_seconds, _ = timed(lambda: index.save(job.file))
    return Built(
        nnz=index.nnz,
        seconds=wall,
        cpu_seconds=cpu,
        peak_bytes=peak,
        anonymous_bytes=sampled.peak - sampled.before,
        nbytes=index.nbytes,
        file_bytes=job.file.stat().st_size,
        save_seconds=save_seconds,
        expected_bytes=expected.total_bytes,
        expected_cpu_seconds=expected.cpu_seconds,
    )


def search(tell: Tell, job: Job, hits: thresher.Hits) -> list[Operating]:
    """Open an index and measure it where it just reaches each recall.

    The first half of the queries chooses search parameters, the other half is measured.
    """
    index: Any = thresher.open(job.file)  # its search takes the engine's parameters
    queries = sparse.csr_array(load(job.queries, job.n_queries))
    n_queries = _affordable(index, queries, job)
    exact: Any = Known(hits)
    questions = Questions(queries[:n_queries], None, exact, job.k, 1)
    known = type(index).dials(job.n_docs, job.k)
    half = (n_queries + 1) // 2
    if all(dial.name is None for dial in known):
        params = _fastest(index, questions.part(slice(0, half)), [dial.fixed for dial in known])
        found = _measured(index, questions.part(slice(half, None)), params, max(job.recalls), job.k)
        index.close()
        return [found.asked_for(recall) for recall in job.recalls]
    points = []
    for recall in job.recalls:
        deadline = time.monotonic() + job.search_limit
        on_step = partial(tell, f"  looking for a recall of {recall}")
        search = DialSearch(questions, Target(recall, None), 1, deadline, on_step)
        best, _ = search.best(index)[0]
        points.append(_measured(index, search.held_out, best.step.params, recall, job.k))
    index.close()
    return points


def _affordable(index: Any, queries: sparse.csr_array, job: Job) -> int:  # noqa: ANN401
    """Return how many queries to ask, half to choose on."""
    few = queries[:FEW]
    index.search(few, job.k, threads=1)  # reads what is not in memory yet
    seconds, _ = timed(lambda: index.search(few, job.k, threads=1))
    wanted = int(job.pass_limit / max(seconds / few.shape[0], 1e-9))
    there = int(queries.shape[0])
    return max(min(FEWEST, there), min(wanted, there))


def _fastest(index: Any, questions: Questions, settings: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ANN401
    """Return the fastest of settings that all find everything."""
    few = questions.matrix[:SOME]
    seconds = [run([partial(index.search, few, questions.k, threads=1, **params)] * 2).cpu for params in settings]
    return settings[int(np.argmin(seconds))]


def _measured(
    index: Any,  # noqa: ANN401
    questions: Questions,
    params: dict[str, Any],
    recall: float,
    k: int,
) -> Operating:
    """Return recall and speed of one setting: batches of all queries, and one query a call."""
    matrix, n = questions.matrix, len(questions)
    rows = [slice(*matrix.indptr[row : row + 2]) for row in range(n)]
    each = [(matrix.indices[row].astype(np.uint32), matrix.data[row].astype(np.float32)) for row in rows]
    batch = [partial(index.search, matrix, k, threads=1, **params)]
    single = [partial(index.search_one, terms, weights, k, **params) for terms, weights in each]
    found = run(batch)
    measured = questions.measure(found.answers[0])
    batches: list[Pass] = []
    singles: list[Pass] = []
    started = time.perf_counter()
    while len(batches) < ROUNDS[0] or (len(batches) < ROUNDS[1] and time.perf_counter() - started < ENOUGH):
        batches.append(run(batch))
        singles.append(run(single))
    times = 1e6 * np.median([one.latencies for one in singles], axis=0)
    return Operating(
        wanted=recall,
        params=params,
        recall=measured.recall,
        error=measured.error,
        n_queries=n,
        cpu_us=1e6 * float(np.median([one.cpu for one in batches])) / n,
        wall_us=1e6 * float(np.median([one.wall for one in batches])) / n,
        mean_us=float(times.mean()),
        p50_us=float(np.percentile(times, 50)),
        p99_us=float(np.percentile(times, 99)),
        cpus=sum(one.cpu for one in (*batches, *singles)) / sum(one.wall for one in (*batches, *singles)),
    )
