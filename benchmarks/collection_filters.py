"""What `lang == x and year >= y` costs a collection: compiling it, and searches beside those of the bare index.

python benchmarks/collection_filters.py base.csr queries.csr --docs 1000000

The documents of the file are repeated until there are enough: in copies each weight is multiplied by a normal variable
of mean 1 and deviation 0.1, and a tenth of the terms is dropped. They are made a batch at a time, and never all there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import thresher
from thresher_bench.common import (
    cpu_seconds,
    in_turn,
    load,
    machine,
    memory,
    print_facts,
    print_table,
    shape_of,
    timed,
)
from thresher_bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy import sparse

    from thresher.collection.filters import Kind

K = 10
BATCH = 10_000
BAR_DOCS = 1_000_000
YEARS = range(1990, 2025)
LANGS = range(1, 8)  # the n-th has 2^-n of the documents
WHERE = ((1, 1990), (1, 2018), (3, 2011), (5, 2020))
"""Language and year of the filters of searches: they leave a half, a tenth, a twentieth and 0.45% of the documents."""


def varied(docs: sparse.csr_matrix, begin: int, end: int) -> sparse.csr_matrix:
    """Return documents of a collection of any size: first those given, then their copies with noise."""
    numbers = np.arange(begin, end)
    rows = docs[numbers % docs.shape[0]]
    chance = np.random.default_rng(begin)
    is_copy = np.repeat(numbers >= docs.shape[0], np.diff(rows.indptr))
    noisy = rows.data * np.maximum(chance.normal(1, 0.1, rows.nnz), 0.01) * (chance.random(rows.nnz) >= 0.1)
    rows.data = np.where(is_copy, noisy, rows.data).astype(np.float32)
    rows.eliminate_zeros()
    return rows


class Payloads:
    """A language and a year for each document."""

    def __init__(self, n_docs: int) -> None:
        chance = np.random.default_rng(1)
        self.langs = np.minimum(chance.geometric(0.5, n_docs), 20)
        self.years = chance.integers(YEARS.start, YEARS.stop, n_docs)

    def of(self, number: int) -> dict[str, Any]:
        return {"lang": f"l{self.langs[number]}", "year": int(self.years[number])}


def where(lang: int, year: int) -> dict[str, Any]:
    """Return the filter of a language and the years from one on."""
    return {"lang": f"l{lang}", "year": {"$gte": year}}


def storing(collection: thresher.Collection, docs: sparse.csr_matrix, payloads: Payloads) -> Iterator[Figure]:
    """Store documents under their numbers, and make one segment of them."""
    n_docs = len(payloads.langs)

    def store() -> None:
        for begin in range(0, n_docs, BATCH):
            numbers = range(begin, min(n_docs, begin + BATCH))
            collection.upsert(numbers, varied(docs, begin, numbers.stop), list(map(payloads.of, numbers)))
        collection.optimize()

    yield Figure("stored and optimized, the making of documents included", timed(store)[0], "s")
    yield Figure("peak memory of the process", memory("VmHWM") / 1e9, "GB")


def compiling(collection: thresher.Collection) -> Iterator[Figure]:
    """Count the documents of one new filter after the other: nothing is kept of any."""
    collection.count(where=where(20, 2024))  # the first one reads the columns
    new = [partial(collection.count, where=where(lang, year)) for lang, year in product(LANGS, YEARS)]
    seconds = list(map(cpu_seconds, new))
    yield Figure("a filter compiled and counted, p50", statistics.median(seconds) * 1e3, "ms", bar=3, at=BAR_DOCS)
    yield Figure("a filter compiled and counted, p99", float(np.quantile(seconds, 0.99)) * 1e3, "ms")


def searching(
    collection: thresher.Collection, index: thresher.Index, queries: sparse.csr_matrix, payloads: Payloads, rounds: int
) -> Iterator[Figure]:
    """Search without a filter and with each, beside the segment's own index and a selection of the same documents."""
    ways: list[tuple[str, dict[str, Any], dict[str, Any]]] = [("of all", {}, {})]
    for lang, year in WHERE:
        mask = (payloads.langs == lang) & (payloads.years >= year)
        if collection.count(where=where(lang, year)) != mask.sum():
            raise SystemExit(f"{where(lang, year)}: the collection counts other documents")
        ways.append((f"of {mask.mean():.2%}", {"where": where(lang, year)}, {"allowed": index.select(mask)}))
    for what, ours, bare in ways:
        ask = partial(collection.search, queries, K, threads=1, **ours)
        ask_bare = partial(index.search, queries, K, threads=1, **bare)
        found = [[-1 if one is None else one for one in row] for row in ask().ids]
        same = np.mean(found == ask_bare().ids)
        mine, its = in_turn([partial(cpu_seconds, ask), partial(cpu_seconds, ask_bare)], rounds)
        yield Figure(f"search {what}, collection", mine / queries.shape[0] * 1e6, "us")
        yield Figure(f"search {what}, bare index", its / queries.shape[0] * 1e6, "us")
        yield Figure(f"search {what}, same hits", float(same) * 100, "%")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs_file", type=Path)
    parser.add_argument("queries_file", type=Path)
    parser.add_argument("--docs", type=int, default=BAR_DOCS, help="default: %(default)s")
    parser.add_argument("--queries", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="searches of which the median counts (default: 7)")
    parser.add_argument("--engine", default="clustered", help="of segments (default: %(default)s)")
    arguments = parser.parse_args()
    docs, queries = load(arguments.docs_file, arguments.docs), load(arguments.queries_file, arguments.queries)
    payloads = Payloads(arguments.docs)
    facts = {
        "documents": f"{arguments.docs:,}, those of the file ({shape_of(docs)}) and copies of them with noise",
        "queries": shape_of(queries),
    }
    print_facts(machine() | facts)
    kinds: dict[str, Kind] = {"lang": "keyword", "year": "int"}
    with tempfile.TemporaryDirectory(prefix="thresher-") as temporary:
        folder = Path(temporary, "collection")
        with thresher.Collection.create(
            folder, n_terms=docs.shape[1], fields=kinds, engine=arguments.engine
        ) as collection:
            figures = [*storing(collection, docs, payloads), *compiling(collection)]
            [file] = folder.glob("segments/*.thresher")
            with thresher.open(file) as index:
                figures += searching(collection, index, queries, payloads, arguments.rounds)
    print_table(["figure", "measured", "bar", "met"], [one.cells(arguments.engine, arguments.docs) for one in figures])


if __name__ == "__main__":
    main()
