"""What filters cost: CPU time of each kind of condition over the columns of made-up payloads.

python benchmarks/filters.py --docs 1000000
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from thresher.collection.filters import Columns, Kind, evaluate, facet, parse
from thresher.collection.filters.column import Column
from thresher_bench.common import machine, print_facts, print_table

FIELDS: dict[str, Kind] = {
    "lang": "keyword",  # 20 values
    "source": "keyword",  # 5,000 values
    "url": "keyword",  # all differ
    "year": "int",  # 35 values
    "views": "int",  # most differ
    "price": "float",  # most differ, a fifth is missing
    "live": "bool",
    "tags": "keywords",  # none to four of 1,000
}
WHERE: dict[str, dict[str, Any]] = {
    "two conditions": {"lang": "l3", "year": {"$gte": 2020}},
    "one of 20 words": {"lang": "l3"},
    "one of 5,000 words": {"source": "s77"},
    "one of a million words": {"url": "u77"},
    "three words": {"lang": {"$in": ["l1", "l4", "l9"]}},
    "a hundred words": {"source": {"$in": [f"s{number}" for number in range(0, 5000, 50)]}},
    "a pattern, 5,000 words": {"source": {"$like": "s%7"}},
    "a range, coded": {"year": {"$gte": 2000, "$lt": 2010}},
    "a range of int64": {"views": {"$gte": 10**6, "$lt": 10**8}},
    "a range of float64": {"price": {"$lt": 0.25}},
    "a bool": {"live": True},
    "a list with an element": {"tags": "t7"},
    "not": {"lang": {"$ne": "l3"}},
}


def payloads(n_docs: int) -> Iterator[dict[str, Any]]:
    """Make payloads up."""
    chance = np.random.default_rng(1)
    langs, sources = chance.integers(0, 20, n_docs).tolist(), chance.integers(0, 5000, n_docs).tolist()
    years, views = chance.integers(1990, 2025, n_docs).tolist(), chance.integers(0, 10**9, n_docs).tolist()
    prices, lives = chance.random(n_docs).tolist(), (chance.random(n_docs) < 0.3).tolist()
    tags = chance.integers(0, 1000, (n_docs, 4)).tolist()
    for number in range(n_docs):
        yield {
            "lang": f"l{langs[number]}",
            "source": f"s{sources[number]}",
            "url": f"u{number}",
            "year": years[number],
            "views": views[number],
            "price": prices[number] if number % 5 else None,
            "live": lives[number],
            "tags": [f"t{tag}" for tag in tags[number][: number % 5]],
        }


def cpu_ms(call: Callable[[], object], rounds: int) -> str:
    """Return the median CPU milliseconds of a call."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return f"{statistics.median(times) * 1e3:.2f}"


def bytes_of(column: Column) -> int:
    return sum(part.nbytes for part in column.parts().values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=int, default=1_000_000, help="documents (default: a million)")
    parser.add_argument("--rounds", type=int, default=21, help="calls of which the median counts (default: 21)")
    options = parser.parse_args()
    print_facts(machine() | {"documents": str(options.docs)})
    start = time.process_time()
    columns = Columns.of(FIELDS, payloads(options.docs))
    steps = [("payloads made, columns built", time.process_time() - start)]
    with tempfile.TemporaryDirectory() as folder:
        for what, call in (
            ("written", lambda: columns.write(Path(folder, "columns"))),
            ("opened, all of it checked", lambda: Columns.open(Path(folder, "columns"))),
            ("opened", lambda: Columns.open(Path(folder, "columns"), verify=False)),
            ("merged with itself", lambda: Columns.merge(FIELDS, [(columns, None), (columns, None)])),
        ):
            start = time.process_time()
            call()
            steps.append((what, time.process_time() - start))
        opened = Columns.open(Path(folder, "columns"))
        print_table(("step", "CPU s"), [(what, f"{seconds:.3f}") for what, seconds in steps])
        print()
        sizes = {field: bytes_of(opened.column(field)) / options.docs for field in FIELDS}
        print_table(("field", "bytes a document"), [(field, f"{size:.2f}") for field, size in sizes.items()])
        print()
        half = evaluate({"year": {"$gte": 2007}}, opened, options.docs)
        calls: list[tuple[str, Callable[[], object]]] = [
            *((what, partial(evaluate, parse(where), opened, options.docs)) for what, where in WHERE.items()),
            *((f"facet of {field}", partial(facet, opened, field, half)) for field in ("lang", "tags", "views")),
        ]
        rows = [(what, cpu_ms(call, options.rounds)) for what, call in calls]
        print_table(("what", "CPU ms"), rows)


if __name__ == "__main__":
    main()
