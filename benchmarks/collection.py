"""What a collection of documents that change costs: upserts, searches, filters, deletions; Qdrant's edge beside it.

python benchmarks/collection.py base.csr queries.csr --docs 300000
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import thresher
from thresher_bench.common import load, machine, print_facts, print_table
from thresher_bench.engines.base import as_lists, vectors
from thresher_bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Event

    from scipy import sparse

K = 10
BATCH = 1000
ROUNDS = 5


def payload(number: int) -> dict[str, Any]:
    """Make a payload up."""
    return {"lang": f"l{number % 20}", "year": 1990 + number * 7 % 35, "number": number}


def cpu_us(call: Callable[[], object], n_queries: int) -> float:
    """Return the median CPU microseconds of a query on this thread, of some rounds: others may be merging segments."""
    times = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return statistics.median(times) / n_queries * 1e6


def upserted(collection: thresher.Collection, docs: sparse.csr_matrix) -> list[float]:
    """Store all documents, in batches that can each be searched at once; return how long each batch took."""
    seconds = []
    for begin in range(0, docs.shape[0], BATCH):
        rows = docs[begin : begin + BATCH]
        numbers = range(begin, begin + rows.shape[0])
        start = time.perf_counter()
        collection.upsert([f"doc-{number}" for number in numbers], rows, list(map(payload, numbers)))
        seconds.append(time.perf_counter() - start)
    return seconds


def disk_bytes(folder: Path) -> int:
    """Return what the files of a folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def read(folder: Path, queries: sparse.csr_matrix, seconds: float, begins: Event, found: Any) -> None:  # noqa: ANN401 - a queue
    """Search for one query after the other, as a process of its own, and tell how long each took."""
    with thresher.Collection.open(folder, auto_refresh=0.1) as reader:
        rows = [queries[[row]] for row in range(min(queries.shape[0], 500))]
        for row in rows[:50]:
            reader.search(row, K, threads=1)
        begins.set()
        times = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for row in rows:
                start = time.perf_counter()
                reader.search(row, K, threads=1)
                times.append(time.perf_counter() - start)
        found.put(times)


def reader_ms(
    folder: Path, queries: sparse.csr_matrix, seconds: float, beside: Callable[[], object]
) -> tuple[float, float]:
    """Return the median and the 99th percentile of a reader's searches, in ms, while something is done beside it."""
    context = multiprocessing.get_context("spawn")
    begins, found = context.Event(), context.Queue()
    process = context.Process(target=read, args=(folder, queries, seconds, begins, found))
    process.start()
    begins.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        beside()
    times = found.get()
    process.join()
    return statistics.median(times) * 1e3, float(np.quantile(times, 0.99)) * 1e3


def of_ours(docs: sparse.csr_matrix, queries: sparse.csr_matrix, truth: Truth, folder: Path) -> list[list[str]]:
    """Measure a collection; return the rows of a table."""
    n_docs, n_queries = docs.shape[0], queries.shape[0]
    fields = {"lang": "keyword", "year": "int"}
    rows = []
    collection = thresher.Collection.create(folder, n_terms=docs.shape[1], fields=fields)  # type: ignore[arg-type]
    start = time.perf_counter()
    batches = upserted(collection, docs)
    stored = time.perf_counter() - start
    collection.flush()
    rows += [
        ["upserts of 1,000, durable", f"{n_docs / stored:,.0f} documents/s"],
        ["a batch: p50, p99", f"{statistics.median(batches) * 1e3:.1f}, {np.quantile(batches, 0.99) * 1e3:.0f} ms"],
    ]

    def search(**options: Any) -> Any:  # noqa: ANN401 - ids
        return collection.search(queries, K, threads=1, **options).ids

    def told(label: str) -> list[str]:
        hits = collection.search(queries, K, threads=1)
        recall = truth.recall(np.array([[int(one[4:]) for one in row] for row in hits.ids]))
        return [label, f"{cpu_us(search, n_queries):.1f} us, recall {recall:.4f}"]

    segments = len(collection.stats().segments)
    rows.append(told(f"search after flush, {segments} segments"))
    start_optimize = time.perf_counter()
    collection.optimize()
    rows += [
        ["until optimize returns", f"{stored + time.perf_counter() - start_optimize:.1f} s"],
        told("search after optimize"),
    ]
    index = thresher.ClusteredIndex.build(docs)
    rows.append(["one ClusteredIndex", f"{cpu_us(lambda: index.search(queries, K, threads=1).ids, n_queries):.1f} us"])
    where = {"lang": "l3", "year": {"$gte": 2010}}
    rows.append(["search with two conditions", f"{cpu_us(lambda: search(where=where), n_queries):.1f} us"])
    singles = []
    for row in range(50):
        one = docs[[row * 7 % n_docs]]
        start = time.perf_counter()
        collection.upsert([f"doc-{row * 7 % n_docs}"], one, [payload(row)])
        collection.search(one, K, threads=1)
        singles.append(time.perf_counter() - start)
    rows.append(["one document upserted and found", f"{statistics.median(singles) * 1e3:.1f} ms"])
    idle = reader_ms(folder, queries, 5, lambda: time.sleep(0.1))
    busy = reader_ms(folder, queries, 10, lambda: upserted(collection, docs[:5000]))
    rows.append(["a reader's search, nothing beside it: p50, p99", "{:.2f}, {:.2f} ms".format(*idle)])
    rows.append(["a reader's search beside upserts: p50, p99", "{:.2f}, {:.2f} ms".format(*busy)])
    collection.delete(where={"number": {"$lt": n_docs // 2}})
    collection.optimize()
    left = disk_bytes(folder)
    collection.close()
    start = time.perf_counter()
    with thresher.Collection.open(folder, "rw") as again:
        rows.append(["open", f"{(time.perf_counter() - start) * 1e3:.0f} ms"])
        n_left = len(again)
    with tempfile.TemporaryDirectory() as other:
        fresh = Path(other) / "fresh"
        with thresher.Collection.create(fresh, n_terms=docs.shape[1], fields=fields) as half:  # type: ignore[arg-type]
            half.upsert(
                [f"doc-{number}" for number in range(n_docs - n_left, n_docs)],
                docs[n_docs - n_left :],
                list(map(payload, range(n_docs - n_left, n_docs))),
            )
            half.optimize()
        rows.append(["bytes after half is deleted, of a fresh one's", f"{left / disk_bytes(fresh):.2f}"])
    return rows


def of_qdrant(docs: sparse.csr_matrix, queries: sparse.csr_matrix, truth: Truth, folder: Path) -> list[list[str]]:
    """Measure Qdrant's embedded edge, with its log, the same way."""
    q: Any = import_module("qdrant_edge")
    config = q.EdgeConfig(sparse_vectors={"terms": q.EdgeSparseVectorParams()}, max_search_threads=1)
    shard = q.EdgeShard.create(str(folder), config)
    start = time.perf_counter()
    for begin in range(0, docs.shape[0], BATCH):
        rows = enumerate(vectors(docs[begin : begin + BATCH]), begin)
        points = [q.Point(row, {"terms": q.SparseVector(*as_lists(pair))}, payload(row)) for row, pair in rows]
        shard.update(q.UpdateOperation.upsert_points(points))
    stored = time.perf_counter() - start
    shard.optimize()
    whole = time.perf_counter() - start
    wanted = [q.SparseVector(*as_lists(pair)) for pair in vectors(queries)]

    def search() -> list[list[int]]:
        return [
            [point.id for point in shard.search(q.SearchRequest(q.Query.Nearest(vector, using="terms"), K))]
            for vector in wanted
        ]

    recall = truth.recall(np.array([[*row, *[-1] * (K - len(row))] for row in search()]))
    us = cpu_us(search, len(wanted))
    shard.close()
    return [
        ["qdrant edge: upserts of 1,000", f"{docs.shape[0] / stored:,.0f} documents/s"],
        ["qdrant edge: until optimize returns", f"{whole:.1f} s"],
        ["qdrant edge: search", f"{us:.1f} us, recall {recall:.4f}"],
    ]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs_file", type=Path)
    parser.add_argument("queries_file", type=Path)
    parser.add_argument("--docs", type=int, default=None, help="documents to take")
    parser.add_argument("--queries", type=int, default=1000, help="queries to take")
    arguments = parser.parse_args()
    docs = load(arguments.docs_file, arguments.docs)
    queries = load(arguments.queries_file, arguments.queries)
    truth = Truth(docs, queries, K)
    with tempfile.TemporaryDirectory() as folder:
        rows = of_ours(docs, queries, truth, Path(folder) / "ours")
        if find_spec("qdrant_edge"):
            rows += of_qdrant(docs, queries, truth, Path(folder) / "qdrant")
    print_facts({**machine(), "documents": f"{docs.shape[0]:,}", "queries": f"{queries.shape[0]:,}"})
    print_table(["what", "measured"], rows)


if __name__ == "__main__":
    main()
