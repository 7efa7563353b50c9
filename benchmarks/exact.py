"""Exact search on one thread: thresher's engines and the peers that are installed, in interleaved rounds.

python benchmarks/exact.py base.csr queries.csr --docs 100000
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["OMP_NUM_THREADS"] = "1"  # read when a library with OpenMP is loaded

import numpy as np

import thresher
from thresher_bench.common import (
    in_fresh_process,
    load,
    machine,
    memory,
    pin,
    print_facts,
    print_table,
    settle,
    shape_of,
    wall_and_cpus,
)
from thresher_bench.engines.base import Engine, UnsuitableError
from thresher_bench.engines.bm25s import Bm25s
from thresher_bench.engines.bmp import Bmp
from thresher_bench.engines.ours import wrapping
from thresher_bench.engines.pisa import Pisa
from thresher_bench.engines.qdrant import Qdrant
from thresher_bench.engines.sindi import Sindi
from thresher_bench.engines.sparse_dot_topn import SparseDotTopn
from thresher_bench.truth import Truth

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

OURS: list[type[Engine]] = [
    wrapping(kind)
    for kind in (thresher.ExactIndex, thresher.BlockMaxIndex, thresher.ImpactIndex, thresher.PostingsIndex)
]
EXACT = thresher.ExactIndex.engine

PEERS: list[type[Engine]] = [Sindi, Qdrant, SparseDotTopn, Bmp, Pisa, Bm25s]
LIBRARIES: dict[str, type[Engine]] = {engine.name: engine for engine in (*OURS, *PEERS)}


class Contestant:
    """An engine that is built, and what was measured of it."""

    def __init__(self, engine: Engine, queries: sparse.csr_matrix, k: int) -> None:
        self.engine = engine
        self.k = k
        self.calls = engine.calls(queries, k)
        self.n_queries = queries.shape[0]
        self.build_seconds: float | None = None
        self.build_cpus: float | None = None
        self.index_bytes: int | None = None
        self.forget()

    def forget(self) -> None:
        """Drop the times of all rounds."""
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.latencies: list[float] = []

    def run(self) -> list[Any]:
        """Ask every query once; return the answers."""
        clock = time.perf_counter
        answers = []
        cpu = time.process_time()
        times = [clock()]
        for call in self.calls:
            answers.append(call())
            times.append(clock())
        self.cpu_seconds.append(time.process_time() - cpu)
        self.seconds.append(times[-1] - times[0])
        if len(self.calls) == self.n_queries:
            self.latencies.extend(np.diff(times))
        else:
            self.latencies.extend(self.engine.latencies(answers))
        return answers

    def warm_up(self) -> npt.NDArray[np.int64]:
        """Run a round whose times don't count; return the ids found."""
        ids = self.engine.ids(self.run(), self.k)
        self.forget()
        return ids

    def figures(self, reference: Contestant, found: float) -> dict[str, Any]:
        """Return everything measured, as plain numbers."""
        points = np.percentile(self.latencies, [50, 95, 99]).tolist() if self.latencies else [None] * 3
        return {
            "engine": self.engine.name,
            "version": self.engine.version(),
            "build_seconds": self.build_seconds,
            "build_cpus": self.build_cpus,
            "index_bytes": self.index_bytes,
            "queries_per_second": statistics.median(self.n_queries / seconds for seconds in self.seconds),
            "exact_times_faster": statistics.median(
                mine / other for mine, other in zip(self.seconds, reference.seconds, strict=True)
            ),
            "recall": found,
            "search_cpus": sum(self.cpu_seconds) / sum(self.seconds),
            **dict(zip(("p50_seconds", "p95_seconds", "p99_seconds"), points, strict=True)),
            "round_seconds": self.seconds,
        }


def resident_bytes(name: str, base: Path, rows: int | None) -> int:
    """Return by how much this process grows when it builds a library's index."""
    docs = load(base, rows)
    engine = LIBRARIES[name]()
    settle()
    before = memory("VmRSS")
    engine.build(docs)
    settle()
    grown = memory("VmRSS") - before
    engine.close()
    return grown


def build(name: str, docs: sparse.csr_matrix, queries: sparse.csr_matrix, args: argparse.Namespace) -> list[Contestant]:
    """Build a library's index; return all ways to search it. CPU seconds over seconds tell how many cores it took."""
    engine = LIBRARIES[name]()
    seconds, cpus = wall_and_cpus(lambda: engine.build(docs))
    built = Contestant(engine, queries, args.k)
    built.build_seconds = seconds
    built.build_cpus = cpus
    built.index_bytes = engine.index_bytes()
    if built.index_bytes is None:
        built.index_bytes = in_fresh_process(resident_bytes, name, args.base, args.docs)
    return [built, *(Contestant(other, queries, args.k) for other in engine.others())]


def contest(args: argparse.Namespace, docs: sparse.csr_matrix, queries: sparse.csr_matrix) -> list[dict[str, Any]]:
    """Build, warm up, run the rounds; return each engine's figures."""
    contestants = build(EXACT, docs, queries, args)
    for name in args.libraries:
        if LIBRARIES[name].version() is None:
            print(f"{name}: left out, {LIBRARIES[name].distribution} is not installed")
        elif name == Pisa.name and Sindi.name in args.libraries and Sindi.version() is not None:
            print("pisa: left out, it crashes in one process with pyvsag; name it without sindi")
        elif name != EXACT:
            try:
                contestants.extend(build(name, docs, queries, args))
            except UnsuitableError as error:
                print(f"{name}: left out, {error}")
    try:
        if args.cpu is not None:
            pin(args.cpu)
        ids = [contestant.warm_up() for contestant in contestants]
        gc.collect()
        gc.disable()
        for _ in range(args.rounds):
            for contestant in contestants:
                contestant.run()
        gc.enable()
    finally:
        for contestant in contestants:
            contestant.engine.close()
    truth = Truth(docs, queries, args.k)
    found = [truth.recall(answers) for answers in ids]
    return [entry.figures(contestants[0], share) for entry, share in zip(contestants, found, strict=True)]


def show(figures: list[dict[str, Any]]) -> None:
    """Print the table."""

    def cell(value: float | None, form: str, scale: float = 1) -> str:
        return "-" if value is None else f"{value * scale:{form}}"

    header = ["engine", "version", "build s", "CPUs", "MB", "QPS", "exact is", "recall", "CPUs"]
    rows = [
        [
            entry["engine"],
            entry["version"],
            cell(entry["build_seconds"], ".2f"),
            cell(entry["build_cpus"], ".1f"),
            cell(entry["index_bytes"], ",.0f", 1e-6),
            cell(entry["queries_per_second"], ",.0f"),
            cell(entry["exact_times_faster"], ".2f") + " x",
            cell(entry["recall"], ".5f"),
            cell(entry["search_cpus"], ".2f"),
            *(cell(entry[f"p{point}_seconds"], ",.0f", 1e6) for point in (50, 95, 99)),
        ]
        for entry in figures
    ]
    print_table([*header, "p50 us", "p95 us", "p99 us"], rows)


def names_of_libraries(text: str) -> list[str]:
    """Parse a comma-separated list of libraries."""
    names = [name for name in text.split(",") if name]
    if unknown := set(names) - set(LIBRARIES):
        raise argparse.ArgumentTypeError(f"no library {', '.join(sorted(unknown))}; there are {', '.join(LIBRARIES)}")
    return names


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="documents, a BigANN .csr file or a scipy .npz file")
    parser.add_argument("queries_file", type=Path, metavar="queries", help="queries, such a file too")
    parser.add_argument("--docs", type=int, help="use the first N documents only")
    parser.add_argument("--queries", type=int, default=1000, help="queries in the batch (default: %(default)s)")
    parser.add_argument("--k", type=int, default=10, help="documents to return (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: %(default)s)")
    parser.add_argument(
        "--libraries",
        type=names_of_libraries,
        default=",".join(LIBRARIES),
        help="default: %(default)s; exact, the reference, is always there",
    )
    parser.add_argument("--cpu", type=int, help="keep all searches on this CPU")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()

    docs, queries = load(args.base, args.docs), load(args.queries_file, args.queries)
    facts = machine() | {
        "documents": shape_of(docs),
        "queries": shape_of(queries),
        "measured": f"k = {args.k}, median of {args.rounds} interleaved rounds, one thread"
        + ("" if args.cpu is None else f", CPU {args.cpu}"),
    }
    print_facts(facts)
    figures = contest(args, docs, queries)
    show(figures)
    if args.json:
        args.json.write_text(json.dumps({**facts, "engines": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
