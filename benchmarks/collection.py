"""What a collection of documents that change costs, with its bars; Qdrant's edge and zvec beside it.

python benchmarks/collection.py base.csr queries.csr --docs 300000
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
import time
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import thresher
from thresher_bench.common import (
    cpu_seconds,
    in_fresh_process,
    in_turn,
    load,
    machine,
    print_facts,
    print_table,
    shape_of,
    timed,
)
from thresher_bench.engines.collection import Collection
from thresher_bench.engines.ours import wrapping
from thresher_bench.engines.qdrant import Qdrant
from thresher_bench.engines.zvec import Zvec
from thresher_bench.figure import Figure
from thresher_bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Event

    from scipy import sparse

    from thresher_bench.engines.base import Engine, Settings
    from thresher_bench.engines.store import Store

K = 10
BAR_DOCS = 300_000  # the collection that bars on times are for
PEERS: dict[type[Store], Settings] = {Qdrant: {"wal_enabled": True}, Zvec: {}}


def payload(number: int) -> dict[str, Any]:
    """Make a payload up."""
    return {"lang": f"l{number % 20}", "year": 1990 + number // 20 % 35}


def name(number: int) -> str:
    """Return the id that a collection gives a document."""
    return f"doc-{number}"


# ---------------------------------------------------------------------------------------------- storing


def batches(store: Store, docs: sparse.csr_matrix) -> Iterator[Any]:
    """Yield all documents as a store takes them."""
    for begin in range(0, docs.shape[0], store.BATCH):
        rows = docs[begin : begin + store.BATCH]
        yield store.batch(begin, rows, [payload(begin + row) for row in range(rows.shape[0])])


def storing(store: Store, docs: sparse.csr_matrix) -> Iterator[Figure]:
    """Store all documents and optimize; yield what it took, without making the batches."""
    store.create(docs.shape[1])
    seconds, making, cpu = [], time.thread_time(), time.process_time()
    made = 0.0
    for batch in batches(store, docs):
        made += time.thread_time() - making
        seconds.append(timed(partial(store.upsert, batch))[0])
        making = time.thread_time()
    yield Figure(f"upserts of {store.BATCH:,}, each found at once", docs.shape[0] / sum(seconds), "documents/s")
    yield Figure("a batch, p50", statistics.median(seconds) * 1e3, "ms")
    yield Figure("a batch, p99", float(np.quantile(seconds, 0.99)) * 1e3, "ms")
    yield Figure("until optimize returns", sum(seconds) + timed(store.optimize)[0], "s")
    yield Figure("CPU of that, all threads", time.process_time() - cpu - made, "s")
    yield Figure("on the disk", store.saved_bytes() / 1e6, "MB")


# ---------------------------------------------------------------------------------------------- searching


class Searched(NamedTuple):
    """What is searched, and how its CPU time is counted."""

    what: str
    engine: Engine
    clock: Callable[[], float]


def asked(calls: list[Callable[[], Any]]) -> list[Any]:
    """Return the answers of all calls."""
    return [call() for call in calls]


def searching(
    these: list[Searched], queries: sparse.csr_matrix, truth: Truth, rounds: int
) -> Iterator[tuple[str, list[Figure]]]:
    """Search each of these in turn, round by round; yield whose figures follow, CPU time and recall."""
    recalls, measures = [], []
    for _, engine, clock in these:
        calls = engine.calls(queries, K)
        recalls.append(truth.recall(engine.ids(asked(calls), K)))
        measures.append(partial(cpu_seconds, partial(asked, calls), clock))
    for (what, engine, _), recall, seconds in zip(these, recalls, in_turn(measures, rounds), strict=True):
        figures = [
            Figure(f"{what}, CPU", seconds / queries.shape[0] * 1e6, "us"),
            Figure(f"{what}, one thread", queries.shape[0] / seconds, "queries/s"),
            Figure(f"{what}, recall", recall * 100, "%"),
        ]
        yield engine.name, figures


# ---------------------------------------------------------------------------------------------- a death


def killed(folder: Path, docs_file: Path, n_docs: int) -> None:
    """Store all documents as a process of its own, which is killed when the last batch is acknowledged."""
    process = multiprocessing.get_context("spawn").Process(target=_store_and_die, args=(folder, docs_file, n_docs))
    process.start()
    process.join()
    if process.exitcode != -signal.SIGKILL:
        raise SystemExit("the writer that was to be killed failed: see the error above")


def _store_and_die(folder: Path, docs_file: Path, n_docs: int) -> None:
    docs = load(docs_file, n_docs)
    writer = Collection()
    writer.temporary.cleanup()  # nobody would after the kill
    writer.folder = folder
    writer.create(docs.shape[1])
    for batch in batches(writer, docs):
        writer.upsert(batch)
    os.kill(os.getpid(), signal.SIGKILL)


class Opened(NamedTuple):
    """What opening a collection took, how many documents it has, and how many of them wait in the log."""

    seconds: float
    cpu_seconds: float
    n_docs: int
    n_waiting: int


def opening(folder: Path, mode: Any) -> Opened:  # noqa: ANN401 - of `open`
    """Open a collection."""
    call, cpu = partial(thresher.Collection.open, folder, mode), time.process_time()
    seconds, opened = timed(call)
    cpu = time.process_time() - cpu
    with opened:
        return Opened(seconds, cpu, len(opened), opened.stats().n_waiting)


def after_a_kill(folder: Path, n_docs: int) -> Iterator[Figure]:
    """Open what a killed writer left, as processes of their own."""
    for mode in ("r", "rw"):
        opened = in_fresh_process(opening, folder, mode)
        if opened.n_docs != n_docs:
            raise SystemExit(f"{n_docs:,} documents were acknowledged, {opened.n_docs:,} are there")
        what = f"open {mode!r} after kill -9, {opened.n_waiting:,} waiting"
        yield Figure(what, opened.seconds, "s", bar=1, at=BAR_DOCS)
        yield Figure(f"{what}, CPU", opened.cpu_seconds, "s")


# ---------------------------------------------------------------------------------------------- beside one another


def one_by_one(collection: thresher.Collection, docs: sparse.csr_matrix) -> Iterator[Figure]:
    """Store single documents, and search until each is found."""
    seconds, cpu = [], []
    for number in range(0, docs.shape[0], max(1, docs.shape[0] // 50)):
        row, start, cpu_start = docs[[number]], time.perf_counter(), time.thread_time()
        collection.upsert([name(number)], row, [payload(number)])
        collection.search(row, K, threads=1)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.thread_time() - cpu_start)
    yield Figure("one document upserted and found, p50", statistics.median(seconds) * 1e3, "ms", bar=10, at=BAR_DOCS)
    yield Figure("one document upserted and found, CPU", statistics.median(cpu) * 1e3, "ms")


def read(folder: Path, queries: sparse.csr_matrix, seconds: float, begins: Event, found: Any) -> None:  # noqa: ANN401 - a queue
    """Search for one query after the other, as a process of its own, and tell how long each took."""
    with thresher.Collection.open(folder, auto_refresh=0.1) as reader:
        rows = [queries[[row]] for row in range(min(queries.shape[0], 500))]
        for row in rows[:50]:
            reader.search(row, K, threads=1)
        begins.set()
        times: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            times += [timed(partial(reader.search, row, K, threads=1))[0] for row in rows]
        found.put(times)


def reader_seconds(
    folder: Path, queries: sparse.csr_matrix, seconds: float, beside: Callable[[], object]
) -> list[float]:
    """Return how long each search of a reader took while something was done beside it."""
    context = multiprocessing.get_context("spawn")
    begins, found = context.Event(), context.Queue()
    process = context.Process(target=read, args=(folder, queries, seconds, begins, found))
    process.start()
    begins.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        beside()
    times: list[float] = found.get()
    process.join()
    return times


def reading(ours: Collection, docs: sparse.csr_matrix, queries: sparse.csr_matrix, seconds: float) -> Iterator[Figure]:
    """Yield what a reader in its own process takes, alone and beside a writer at full speed."""

    def write() -> None:
        for batch in batches(ours, docs[:5000]):
            ours.upsert(batch)

    p99 = []
    for what, beside in (("alone", lambda: time.sleep(0.1)), ("beside upserts", write)):
        times = reader_seconds(ours.folder, queries, seconds, beside)
        p99.append(float(np.quantile(times, 0.99)))
        yield Figure(f"a reader's search {what}, p50", statistics.median(times) * 1e3, "ms")
        yield Figure(f"a reader's search {what}, p99", p99[-1] * 1e3, "ms")
    yield Figure("a reader's p99 beside upserts, of that alone", p99[1] / p99[0], "x", bar=2.5, at=BAR_DOCS)


def halved(ours: Collection, docs: sparse.csr_matrix) -> Figure:
    """Delete half of the documents; compare the folder with one that never had them."""
    half = docs.shape[0] // 2
    ours.opened.delete([name(number) for number in range(half)])
    ours.optimize()
    ours.opened.close()
    with closing(Collection()) as fresh:
        fresh.create(docs.shape[1])
        for batch in batches(fresh, docs[half:]):
            fresh.upsert(batch)
        fresh.optimize()
        fresh.opened.close()
        return Figure("bytes after half is deleted, of a fresh one's", _bytes(ours) / _bytes(fresh), "x", bar=1.1)


def _bytes(store: Store) -> int:
    return sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs_file", type=Path)
    parser.add_argument("queries_file", type=Path)
    parser.add_argument("--docs", type=int, default=None, help="documents to take")
    parser.add_argument("--queries", type=int, default=1000, help="queries to take")
    parser.add_argument("--rounds", type=int, default=5, help="searches of which the median counts")
    parser.add_argument("--reading", type=float, default=10, help="seconds that a reader reads")
    parser.add_argument("--peers", help="names of peers, instead of those that are installed")
    arguments = parser.parse_args()
    docs, queries = load(arguments.docs_file, arguments.docs), load(arguments.queries_file, arguments.queries)
    peers = {
        kind: settings
        for kind, settings in PEERS.items()
        if (kind.version() if arguments.peers is None else kind.name in arguments.peers.split(","))
    }
    versions = ", ".join(f"{kind.name} {kind.version()} {dict(settings)}" for kind, settings in peers.items())
    print_facts(machine() | {"documents": shape_of(docs), "queries": shape_of(queries), "peers": versions or "none"})
    n_docs, load_before = docs.shape[0], os.getloadavg()[0]
    rows: list[list[str]] = []

    def tell(whose: str, *figures: Figure) -> None:
        rows.extend(figure.cells(whose, n_docs) for figure in figures)

    truth = Truth.checked(docs, queries, K, thresher.ExactIndex.build(docs).search(queries, K).ids)
    with ExitStack() as stack:
        ours = Collection()
        stores: list[Store] = [ours, *(kind(settings) for kind, settings in peers.items())]
        for store in stores:
            stack.enter_context(closing(store))
            tell(store.name, *storing(store, docs))
        with closing(Collection()) as left:
            killed(left.folder, arguments.docs_file, n_docs)
            tell(ours.name, *after_a_kill(left.folder, n_docs))
            left.opened = thresher.Collection.open(left.folder, "rw")
            left.opened.flush()
            what = f"search after flush, {len(left.opened.stats().segments)} segments"
            for whose, figures in searching([Searched(what, left, left.clock)], queries, truth, arguments.rounds):
                tell(whose, *figures)
        bare = wrapping(thresher.ClusteredIndex)()
        bare.build(docs)
        these = [*(Searched("search", store, store.clock) for store in stores), Searched("one index", bare, ours.clock)]
        for whose, figures in searching(these, queries, truth, arguments.rounds):
            tell(whose, *figures)
        tell(ours.name, *one_by_one(ours.opened, docs))
        tell(ours.name, *reading(ours, docs, queries, arguments.reading), halved(ours, docs))
    print_table(["figure", "measured", "bar", "met"], rows)
    print(f"\nload average: {load_before:.1f} before, {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
