"""Approximate search on one thread: the fastest setting that reaches a recall, for thresher and the peers installed.

Settings are picked on the first half of the queries; recall and speed are reported on the other half.

python benchmarks/approximate.py base.csr queries.csr --docs 100000
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"  # read when a library with OpenMP is loaded

from _common import Truth, load, machine, pin, print_facts, print_table, shape_of, wall_and_cpus
from _engines import BlockMax, Clustered, Graph, Kannolo, OneACall, Saved, Seismic, Sindi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy import sparse

LIBRARIES = ("block-max", "clustered", "graph", "seismic", "sindi", "kannolo")
FLOORS = (0.9, 0.95, 0.97, 0.99, 1.0)
SEARCHES: list[dict[str, Any]] = [
    {},
    *({"beta": beta} for beta in (0.9, 0.8, 0.75, 0.7, 0.65)),
    *({"alpha": alpha} for alpha in (0.98, 0.96, 0.94, 0.92, 0.9)),
    *({"alpha": alpha, "beta": beta} for alpha, beta in product((0.98, 0.96, 0.94, 0.92, 0.9), (0.8, 0.75, 0.7))),
    *({"block_budget": budget} for budget in (400, 200, 150, 100, 75)),
]
CLUSTERED_SEARCHES: list[dict[str, Any]] = [
    {},
    *(
        {"query_cut": cut, "cluster_budget": budget}
        for cut, budget in product((12, 16, 24, 32, 0), (25, 37, 50, 75, 100, 150, 200, 300, 600))
    ),
]
GRAPH_SEARCHES: list[dict[str, Any]] = [
    {},
    *({"ef": ef} for ef in (10, 15, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 600)),
    *({"ef": ef, "early_stop": stop} for ef, stop in product((50, 100, 150, 200, 300, 600), (0.7, 0.75, 0.8))),
    *({"ef": ef, "entry_terms": terms} for ef, terms in product((10, 20, 30, 50, 100, 200, 400), (4, 10))),
]
SEISMIC_BUILDS: list[dict[str, Any]] = [{"n_postings": n} for n in (600, 1000, 1500)]
SEISMIC_SEARCHES = [
    {"query_cut": cut, "heap_factor": factor}
    for cut, factor in product((5, 8, 10, 15, 20, 30), (0.6, 0.7, 0.8, 0.9, 1.0))
]
SINDI_BUILDS = [
    {"doc_prune_ratio": pruned, "use_quantization": coded, "use_reorder": pruned > 0 or coded}
    for pruned, coded in product((0.0, 0.2, 0.4, 0.5, 0.6), (False, True))
]
SINDI_SEARCHES = [
    {"query_prune_ratio": query, "term_prune_ratio": term, "n_candidate": n, "use_term_lists_heap_insert": heap}
    for query, term, n, heap in product((0.0, 0.2, 0.4), (0.0, 0.1), (50, 100, 200), (False, True))
]
KANNOLO_SEARCHES: list[dict[str, Any]] = [
    *({"ef_search": ef} for ef in (10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400, 600, 1000)),
    *(
        {"ef_search": ef, "early_exit_threshold": threshold}
        for ef, threshold in product((10, 20, 30, 50, 100, 200), (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5))
    ),
]
CPUS = os.sched_getaffinity(0)


class Cost(NamedTuple):
    """What an index takes."""

    seconds: float
    cpus: float
    saved_bytes: int


class Setting(NamedTuple):
    """One point of a library's trade between recall and speed."""

    library: str
    name: str
    engine: Saved
    cost: Cost


def build(engine: Saved, docs: sparse.csr_matrix) -> Cost:
    """Build an engine's index on all CPUs."""
    pin(*CPUS)  # also the threads that a library keeps from the build before
    seconds, cpus = wall_and_cpus(lambda: engine.build(docs))
    with tempfile.TemporaryDirectory(prefix="thresher-") as folder:
        engine.save(Path(folder, "index"))
        return Cost(seconds, cpus, sum(file.stat().st_size for file in Path(folder).iterdir()))


def settings(docs: sparse.csr_matrix, libraries: list[str]) -> Iterator[Setting]:
    """Build each index in turn, and yield the settings that it can be searched with."""
    if "block-max" in libraries:
        built = BlockMax()
        cost = build(built, docs)
        for search in SEARCHES:
            engine = BlockMax(**search)
            engine.index = built.index
            yield Setting("block-max", str(search), engine, cost)
            yield Setting("block-max, one a call", str(search), OneACall(engine), cost)
    if "clustered" in libraries:
        clustered = Clustered()
        cost = build(clustered, docs)
        for search in CLUSTERED_SEARCHES:
            searcher = Clustered(**search)
            searcher.index = clustered.index
            yield Setting("clustered", str(search), searcher, cost)
            yield Setting("clustered, one a call", str(search), OneACall(searcher), cost)
    if "graph" in libraries:
        graph = Graph()
        cost = build(graph, docs)
        for search in GRAPH_SEARCHES:
            walker = Graph(**search)
            walker.index = graph.index
            yield Setting("graph", str(search), walker, cost)
            yield Setting("graph, one a call", str(search), OneACall(walker), cost)
    if "seismic" in libraries and Seismic.version() is not None:
        for pruning in SEISMIC_BUILDS:
            seismic = Seismic(build=pruning)
            cost = build(seismic, docs)
            for search in SEISMIC_SEARCHES:
                yield Setting("seismic", f"{pruning} {search}", seismic.searching(search), cost)
    if "sindi" in libraries and Sindi.version() is not None:
        for parameters in SINDI_BUILDS:
            sindi = Sindi(build=parameters)
            cost = build(sindi, docs)
            for search in SINDI_SEARCHES:
                yield Setting("sindi", f"{parameters} {search}", sindi.searching(search), cost)
    if "kannolo" in libraries and Kannolo.version() is not None:
        for packed in (False, True):
            kannolo = Kannolo(packed=packed)
            cost = build(kannolo, docs)
            for search in KANNOLO_SEARCHES:
                name = "kannolo, packed" if packed else "kannolo"
                yield Setting(name, str(search), kannolo.searching(search), cost)


def measure(engine: Saved, truth: Truth, k: int, rounds: int) -> dict[str, Any]:
    """Return recall and queries a second of one setting, on the queries of `truth`."""
    calls = engine.calls(truth.queries, k)
    ids = engine.ids([call() for call in calls], k)
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        for call in calls:
            call()
        seconds.append(time.perf_counter() - started)
    return {"recall": truth.recall(ids), "qps": truth.queries.shape[0] / statistics.median(seconds)}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="documents, a BigANN .csr file")
    parser.add_argument("queries_file", type=Path, metavar="queries", help="queries, a BigANN .csr file")
    parser.add_argument("--docs", type=int, help="use the first N documents only")
    parser.add_argument("--queries", type=int, default=1000, help="queries, half to tune on (default: %(default)s)")
    parser.add_argument("--k", type=int, default=10, help="documents to return (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each setting (default: %(default)s)")
    parser.add_argument("--libraries", default=",".join(LIBRARIES), help="default: %(default)s")
    parser.add_argument("--cpu", type=int, help="keep all searches on this CPU")
    args = parser.parse_args()

    docs, queries = load(args.base, args.docs), load(args.queries_file, args.queries)
    half = queries.shape[0] // 2
    tuning, held_out = Truth(docs, queries[:half], args.k), Truth(docs, queries[half:], args.k)
    facts = {"documents": shape_of(docs), "queries": f"{half} to tune on, {held_out.queries.shape[0]} to report"}
    print_facts(machine() | facts)
    best: dict[tuple[str, float], tuple[float, Setting, dict[str, Any]]] = {}
    for setting in settings(docs, args.libraries.split(",")):
        if args.cpu is not None:
            pin(args.cpu)
        tuned = measure(setting.engine, tuning, args.k, 1)
        for floor in FLOORS:
            known = best.get((setting.library, floor))
            if tuned["recall"] >= floor - 1e-9 and (known is None or tuned["qps"] > known[0]):
                held = measure(setting.engine, held_out, args.k, args.rounds)
                best[setting.library, floor] = tuned["qps"], setting, held
    rows = [
        [
            library,
            f"{floor:.2f}",
            f"{held['recall']:.4f}",
            f"{held['qps']:,.0f}",
            f"{setting.cost.seconds:.1f}",
            f"{setting.cost.cpus:.1f}",
            f"{setting.cost.saved_bytes / 1e6:,.1f}",
            setting.name,
        ]
        for (library, floor), (_, setting, held) in sorted(best.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    print_table(["library", "floor", "recall", "QPS", "build s", "CPUs", "MB", "setting"], rows)


if __name__ == "__main__":
    main()
