"""What a collection of texts costs with BM25: from nothing to searchable, and short queries by engine; bm25s beside it.

python benchmarks/text_collection.py --docs 100000
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import thresher
from thresher.encoders import BM25Encoder
from thresher_bench.common import machine, print_facts, print_table

K = 10
BATCH = 10_000
SYLLABLES = [first + second for first in "bcdfghjklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "er", "ing")]


def texts(n: int, *, n_words: int = 200_000, mean: float = 50.0, seed: int = 0) -> list[str]:
    """Make texts up: words by Zipf's law, of about `mean` words."""
    chance = np.random.default_rng(seed)
    words = np.array(["".join(chance.choice(SYLLABLES, 1 + number % 4)) + f"{number:x}" for number in range(n_words)])
    share = 1 / np.arange(1, n_words + 1) ** 1.05
    lengths = chance.poisson(mean, n)
    drawn = words[chance.choice(n_words, lengths.sum(), p=share / share.sum())]
    return [" ".join(drawn[begin:end]) for begin, end in pairwise([0, *np.cumsum(lengths).tolist()])]


def short_queries(documents: list[str], n: int, seed: int = 1) -> list[str]:
    """Make queries up: 2 to 5 words that stand in a document."""
    chance = np.random.default_rng(seed)
    found = []
    for number in chance.integers(0, len(documents), n).tolist():
        words = documents[number].split() or ["none"]
        found.append(" ".join(chance.choice(words, chance.integers(2, 6))))
    return found


def seconds_of(call: Callable[[], object]) -> tuple[float, float]:
    """Return seconds, and CPU seconds of all threads, that a call takes."""
    start, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - cpu


def stored(folder: Path, documents: list[str], engine: str) -> thresher.Collection:
    """Make a collection of texts, searchable."""
    collection = thresher.Collection.create(folder, encoder=BM25Encoder("en"), engine=engine)
    for begin in range(0, len(documents), BATCH):
        some = documents[begin : begin + BATCH]
        collection.upsert(range(begin, begin + len(some)), texts=some)
    collection.search("warm up")
    return collection


def query_us(
    collections: dict[str, thresher.Collection], queries: list[str], rounds: int
) -> dict[str, tuple[float, float]]:
    """Return CPU microseconds of a query by engine: of a batch, and of one a call, medians of interleaved rounds."""
    times: dict[str, list[tuple[float, float]]] = {engine: [] for engine in collections}
    for _ in range(rounds):
        for engine, collection in collections.items():
            start = time.thread_time()
            collection.search(queries, K, threads=1)
            batch = time.thread_time() - start
            start = time.thread_time()
            for query in queries[:200]:
                collection.search_one(query, k=K, threads=1)
            one = time.thread_time() - start
            times[engine].append((batch / len(queries) * 1e6, one / min(len(queries), 200) * 1e6))
    return {
        engine: (statistics.median(batch for batch, _ in own), statistics.median(one for _, one in own))
        for engine, own in times.items()
    }


def of_bm25s(documents: list[str], queries: list[str], rounds: int) -> tuple[tuple[float, float], float]:
    """Return what bm25s takes to index, and microseconds of a query in a batch."""
    bm25s, stemmer = import_module("bm25s"), import_module("Stemmer").Stemmer("english")
    made: dict[str, Any] = {}

    def tokens(some: list[str]) -> Any:  # noqa: ANN401 - of theirs
        return bm25s.tokenize(some, stopwords="en", stemmer=stemmer, show_progress=False)

    def index() -> None:
        made["index"] = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        made["index"].index(tokens(documents), show_progress=False)

    taken = seconds_of(index)
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        made["index"].retrieve(tokens(queries), k=min(K, len(documents)), show_progress=False)
        times.append((time.thread_time() - start) / len(queries))
    return taken, statistics.median(times) * 1e6


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engines", default="postings,block-max,exact")
    options = parser.parse_args()
    documents = texts(options.docs)
    queries = short_queries(documents, options.queries)
    print_facts({**machine(), "documents": f"{len(documents):,}", "queries": f"{len(queries):,}"})
    rows, searches = [], []
    with tempfile.TemporaryDirectory() as folder:
        collections: dict[str, thresher.Collection] = {}
        for engine in options.engines.split(","):
            path = Path(folder) / engine
            taken = seconds_of(lambda: collections.update({engine: stored(path, documents, engine)}))  # noqa: B023
            optimized = seconds_of(collections[engine].optimize)
            nbytes = collections[engine].stats().resident_nbytes
            rows.append([engine, *(f"{value:.1f}" for value in (*taken, *optimized)), f"{nbytes / 1e6:.0f}"])
        best = [collection.search(queries, K, exact=True).scores for collection in collections.values()]
        for scores in best:
            np.testing.assert_allclose(np.maximum(scores, 0), np.maximum(best[0], 0), atol=1e-4)
        for engine, us in query_us(collections, queries, options.rounds).items():
            searches.append([engine, *(f"{value:.0f}" for value in us)])
            collections[engine].close()
    if find_spec("bm25s") is not None:
        taken, theirs = of_bm25s(documents, queries, options.rounds)
        rows.append(["bm25s", f"{taken[0]:.1f}", f"{taken[1]:.1f}", "", "", ""])
        searches.append(["bm25s", f"{theirs:.0f}", ""])
    print_table(["", "searchable s", "CPU s", "optimize s", "CPU s", "MB"], rows)
    print_table(["CPU us a query", "in a batch", "one a call"], searches)


if __name__ == "__main__":
    main()
