"""What every engine costs: building, memory, saving, opening, sharing a file, overhead, threads.

python benchmarks/resources.py base.csr --docs 300000
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

import thresher
from thresher_bench.common import (
    in_fresh_process,
    load,
    machine,
    median_seconds,
    memory,
    print_facts,
    print_table,
    reset_peak,
    settle,
    shape_of,
    timed,
)
from thresher_bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Barrier

QUERIES = 1000
PROCESSES = 8
BAR_DOCS = 300_000  # the collection that the bars on times are for
BUILD_BARS = {"exact": 3, "block-max": 60, "clustered": 60, "graph": 360, "postings": 3}  # seconds
SIZE_BARS = {"exact": 8, "block-max": 14, "clustered": 10, "graph": 4, "postings": 6}  # bytes a nonzero
REORDERING = ("block-max",)
TINY_CALLS = 20_000
PATIENCE = 600  # seconds that a process waits for the others


class Sharing(NamedTuple):
    """Bytes of one process: of the mapped file, and private ones that opening and searching added."""

    resident: int
    proportional: int
    dirty: int
    added: int


def build(engine: str, docs: sparse.csr_matrix, threads: int, **parameters: object) -> thresher.Index:
    """Build an index with an engine's default parameters, or others."""
    kind: Any = thresher.engines()[engine]  # the base class has no build: parameters differ
    index: thresher.Index = kind.build(docs, threads=threads, **parameters)
    return index


def peak_of_build(engine: str, base: Path, rows: int | None, threads: int) -> int:
    """Return the peak memory of a build above the input, in a process that has done nothing else."""
    docs = load(base, rows)
    build(engine, docs[:10], threads)  # code and stacks are not the build's
    settle()
    reset_peak()
    before = memory("VmHWM")
    build(engine, docs, threads)
    return memory("VmHWM") - before


def share(path: Path, queries: sparse.csr_matrix, turn: Barrier, results: SimpleQueue[Sharing]) -> None:
    """Open and search a file as others do, and once all have, report what that takes."""
    try:
        before = memory("Private_Dirty", file="smaps_rollup")
        with thresher.open(path) as index:
            index.search(queries, threads=1)
            turn.wait(PATIENCE)
            mapped = mapping(path)
            added = memory("Private_Dirty", file="smaps_rollup") - before
            turn.wait(PATIENCE)
        results.put(Sharing(mapped["Rss"], mapped["Pss"], mapped["Private_Dirty"], added))
    except BaseException:
        turn.abort()  # or the others would wait for this one
        raise


def mapping(path: Path) -> dict[str, int]:
    """Return this process's Rss, Pss and Private_Dirty of a mapped file, in bytes."""
    totals = dict.fromkeys(("Rss", "Pss", "Private_Dirty"), 0)
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):
            inside = line.endswith(f" {path}")
        elif inside and name[:-1] in totals:
            totals[name[:-1]] += int(rest[0]) * 1024
    if not totals["Rss"]:
        raise RuntimeError(f"{path} is not mapped")
    return totals


def shared(path: Path, queries: sparse.csr_matrix) -> list[Sharing]:
    """Let several processes open and search one file at the same time."""
    context = multiprocessing.get_context("spawn")
    turn, results = context.Barrier(PROCESSES), context.SimpleQueue()
    processes = [context.Process(target=share, args=(path, queries, turn, results)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise SystemExit("a process that shares the index file failed: see the error above")
    return [results.get() for _ in processes]


def overhead(engine: str) -> float:
    """Return the seconds that `search_one` takes where there is next to nothing to search."""
    index = build(engine, sparse.csr_matrix(sparse.identity(10, np.float32)), 1)
    terms, weights = np.array([3], np.uint32), np.ones(1, np.float32)
    return median_seconds(lambda: index.search_one(terms, weights, 10), TINY_CALLS)


def speedup(index: thresher.Index, queries: sparse.csr_matrix, threads: int, rounds: int = 5) -> float:
    """Return the median over rounds of one thread's time over several threads' time."""
    index.search(queries, threads=threads)
    ratios = []
    for _ in range(rounds):
        one = timed(lambda: index.search(queries, threads=1))[0]
        ratios.append(one / timed(lambda: index.search(queries, threads=threads))[0])
    return statistics.median(ratios)


def measure(
    engine: str, args: argparse.Namespace, docs: sparse.csr_matrix, queries: sparse.csr_matrix, folder: Path
) -> Iterator[Figure]:
    """Yield every figure of an engine."""
    threads = args.threads
    seconds = median_seconds(lambda: build(engine, docs, threads), 3)
    yield Figure(f"build, {threads} threads", seconds, "s", bar=BUILD_BARS.get(engine), at=BAR_DOCS)
    if engine in REORDERING:
        seconds = timed(lambda: build(engine, docs, threads, reorder=True))[0]
        yield Figure(f"build with reorder, {threads} threads", seconds, "s", bar=BUILD_BARS.get(engine), at=BAR_DOCS)

    index = build(engine, docs, threads)
    nbytes = sum(index.nbytes.values())
    yield Figure("index", nbytes / 1e6, "MB")
    yield Figure("index for each nonzero", nbytes / max(1, index.nnz), "bytes", bar=SIZE_BARS.get(engine))
    peak = in_fresh_process(peak_of_build, engine, args.base, args.docs, threads)
    yield Figure("peak of the build / index", peak / nbytes, "", bar=2.5)
    yield Figure("search_one on 10 documents", overhead(engine) * 1e6, "us", bar=5)
    what = f"{threads} threads against 1, {queries.shape[0]:,} queries"
    yield Figure(what, speedup(index, queries, threads), "x", bar=1.8, at_least=True)

    path = folder / f"{engine}.thresher"
    yield Figure("save", median_seconds(lambda: index.save(path), 3), "s")
    index.close()
    for what, call in openings(path).items():
        call()
        yield Figure(what, median_seconds(call, 11) * 1e3, "ms", bar=20, at=BAR_DOCS)

    each = shared(path, queries[:200])
    size = path.stat().st_size
    rss = sum(one.resident for one in each) / size
    yield Figure(f"{PROCESSES} processes: Rss of the file / file", rss, "")
    pss = sum(one.proportional for one in each) / size
    yield Figure(f"{PROCESSES} processes: Pss of the file / file", pss, "", bar=1.01)
    dirty = sum(one.dirty for one in each) / 1e6
    yield Figure(f"{PROCESSES} processes: Private_Dirty of the file", dirty, "MB", bar=0)
    added = statistics.median(one.added for one in each) / 1e6
    yield Figure("private memory of each, added by open and search", added, "MB")


def openings(path: Path) -> dict[str, Callable[[], None]]:
    """Return the two ways to open a file."""
    return {
        "open": lambda: thresher.open(path).close(),
        "open, verify=False": lambda: thresher.open(path, verify=False).close(),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="documents, a BigANN .csr file")
    parser.add_argument("--docs", type=int, help="use the first N documents only")
    parser.add_argument("--queries", type=Path, help="queries, a BigANN .csr file (default: the first documents)")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    args = parser.parse_args()

    docs = load(args.base, args.docs)
    queries = load(args.queries, QUERIES) if args.queries else docs[:QUERIES]
    print_facts(machine() | {"documents": shape_of(docs), "queries": shape_of(queries)})
    started = time.perf_counter()
    rows = []
    with tempfile.TemporaryDirectory(prefix="thresher-") as folder:
        for engine in thresher.engines():
            figures = measure(engine, args, docs, queries, Path(folder).resolve())
            rows += [figure.cells(engine, docs.shape[0]) for figure in figures]
    print_table(["figure", "measured", "bar", "met"], rows)
    print(f"\nmeasured in {time.perf_counter() - started:,.0f} s")


if __name__ == "__main__":
    main()
