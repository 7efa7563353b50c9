"""What `lang == x and year >= y` costs a collection: compiling it, and searches beside those of the bare index.

python benchmarks/collection_filters.py base.csr queries.csr --docs 1000000

The documents of the file are repeated until there are enough: in copies each weight is multiplied by a normal variable
of mean 1 and deviation 0.1, and a tenth of the terms is dropped. They are made a batch at a time, and never all there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

import thresher
from thresher_bench.common import load, machine, memory, print_facts, print_table, shape_of, timed
from thresher_bench.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

K = 10
BATCH = 10_000
BAR_DOCS = 1_000_000
YEARS = range(1990, 2025)
LANGS = range(1, 8)  # the n-th has 2^-n of the documents
WHERE = ((1, 1990), (1, 2018), (3, 2011), (5, 2020))
"""Language and year of the filters that searches are measured with: a half, a tenth, a twentieth, 0.4%."""


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


def fields(n_docs: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Make a language and a year for each document."""
    chance = np.random.default_rng(1)
    langs = np.minimum(chance.geometric(0.5, n_docs), 20)
    return langs, chance.integers(YEARS.start, YEARS.stop, n_docs)


def where(lang: int, year: int) -> dict[str, Any]:
    """Return the filter of a language and the years from one on."""
    return {"lang": f"l{lang}", "year": {"$gte": year}}


def cpu(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call on this thread."""
    start = time.thread_time()
    call()
    return time.thread_time() - start


def in_turn(calls: list[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median CPU seconds of calls, which take turns."""
    return [statistics.median(times) for times in zip(*([cpu(call) for call in calls] for _ in range(rounds)))]


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
    n_docs: int = arguments.docs
    langs, years = fields(n_docs)
    print_facts(
        machine()
        | {
            "documents": f"{n_docs:,}, those of the file ({shape_of(docs)}) and copies of them with noise",
            "queries": shape_of(queries),
            "engine": arguments.engine,
        }
    )
    figures = []
    with tempfile.TemporaryDirectory(prefix="thresher-") as temporary:
        folder = Path(temporary, "collection")
        with thresher.Collection.create(
            folder, n_terms=docs.shape[1], fields={"lang": "keyword", "year": "int"}, engine=arguments.engine
        ) as collection:

            def store() -> None:
                for begin in range(0, n_docs, BATCH):
                    numbers = range(begin, min(n_docs, begin + BATCH))
                    payloads = [{"lang": f"l{langs[number]}", "year": int(years[number])} for number in numbers]
                    collection.upsert(numbers, varied(docs, begin, numbers.stop), payloads)
                collection.optimize()

            figures.append(Figure("stored and optimized, the making of documents included", timed(store)[0], "s"))
            figures.append(Figure("peak memory of the process", memory("VmHWM") / 1e9, "GB"))
            collection.count(where=where(20, 2024))  # the first one reads the columns
            compiling = [
                cpu(lambda lang=lang, year=year: collection.count(where=where(lang, year)))  # type: ignore[misc]
                for lang, year in product(LANGS, YEARS)
            ]
            figures.append(Figure("a filter compiled, p50", statistics.median(compiling) * 1e3, "ms", 3, at=BAR_DOCS))
            figures.append(Figure("a filter compiled, p99", float(np.quantile(compiling, 0.99)) * 1e3, "ms"))
            [file] = folder.glob("segments/*.thresher")
            index = thresher.open(file)

            def compared(what: str, ours: dict[str, Any], bare: dict[str, Any]) -> None:
                calls = [
                    lambda: collection.search(queries, K, threads=1, **ours).ids,
                    lambda: index.search(queries, K, threads=1, **bare).ids,
                ]
                found, wanted = (call() for call in calls)
                same = np.mean([[one if one is not None else -1 for one in row] for row in found] == wanted)
                mine, its = (seconds / queries.shape[0] * 1e6 for seconds in in_turn(calls, arguments.rounds))
                figures.append(Figure(f"search {what}, collection", mine, "us"))
                figures.append(Figure(f"search {what}, bare index", its, "us"))
                figures.append(Figure(f"search {what}, same hits", float(same) * 100, "%"))

            compared("of all", {}, {})
            for lang, year in WHERE:
                mask = (langs == lang) & (years >= year)
                if collection.count(where=where(lang, year)) != mask.sum():
                    raise SystemExit(f"{where(lang, year)}: the collection counts other documents")
                allowed = index.select(mask)
                compared(f"of {mask.mean():.2%}", {"where": where(lang, year)}, {"allowed": allowed})
            index.close()
    print_table(["figure", "measured", "bar", "met"], [figure.cells(arguments.engine, n_docs) for figure in figures])


if __name__ == "__main__":
    main()
