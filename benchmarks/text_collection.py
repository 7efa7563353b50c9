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


def query_us(collection: Any, queries: list[str], rounds: int) -> list[float]:  # noqa: ANN401 - or a matrix's
    """Return CPU microseconds of a query: of a batch, and of one a call, medians of rounds."""
    batches, ones = [], []
    for _ in range(rounds):
        start = time.thread_time()
        collection.search(queries, K, threads=1)
        batches.append((time.thread_time() - start) / len(queries))
        start = time.thread_time()
        for query in queries[:200]:
            collection.search_one(query, k=K, threads=1)
        ones.append((time.thread_time() - start) / min(len(queries), 200))
    return [statistics.median(batches) * 1e6, statistics.median(ones) * 1e6]


def of_bm25s(documents: list[str], queries: list[str], rounds: int) -> tuple[tuple[float, float], float, list[Any]]:
    """Return what bm25s takes to index, microseconds of a query in a batch, and the best scores."""
    bm25s, stemmer = import_module("bm25s"), import_module("Stemmer").Stemmer("english")
    made: dict[str, Any] = {}

    def tokens(some: list[str]) -> Any:  # noqa: ANN401 - of theirs
        return bm25s.tokenize(some, stopwords="en", stemmer=stemmer, show_progress=False)

    def index() -> None:
        made["index"] = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        made["index"].index(tokens(documents), show_progress=False)

    taken = seconds_of(index)
    times, scores = [], []
    for _ in range(rounds):
        start = time.thread_time()
        _, scores = made["index"].retrieve(tokens(queries), k=min(K, len(documents)), show_progress=False)
        times.append((time.thread_time() - start) / len(queries))
    return taken, statistics.median(times) * 1e6, scores


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
        collections = {}
        for engine in options.engines.split(","):
            path = Path(folder) / engine
            taken = seconds_of(lambda: collections.update({engine: stored(path, documents, engine)}))  # noqa: B023
            optimized = seconds_of(collections[engine].optimize)
            nbytes = collections[engine].stats().resident_nbytes
            rows.append([engine, *(f"{value:.1f}" for value in (*taken, *optimized)), f"{nbytes / 1e6:.0f}"])
        best = [collection.search(queries, K, exact=True).scores for collection in collections.values()]
        for scores in best:
            np.testing.assert_allclose(np.maximum(scores, 0), np.maximum(best[0], 0), atol=1e-4)
        for engine, collection in collections.items():
            searches.append([engine, *(f"{us:.0f}" for us in query_us(collection, queries, options.rounds))])
            collection.close()
    if find_spec("bm25s") is not None:
        taken, us, _ = of_bm25s(documents, queries, options.rounds)
        rows.append(["bm25s", f"{taken[0]:.1f}", f"{taken[1]:.1f}", "", "", ""])
        searches.append(["bm25s", f"{us:.0f}", ""])
    print_table(["", "searchable s", "CPU s", "optimize s", "CPU s", "MB"], rows)
    print_table(["CPU us a query", "in a batch", "one a call"], searches)


if __name__ == "__main__":
    main()
