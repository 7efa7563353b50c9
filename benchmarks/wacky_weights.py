"""Are learned weights wacky? BM25 weights and learned weights of the same texts, by every traversal, on one thread.

Repeats on vectors of one's own what Joel Mackenzie, Andrew Trotman and Jimmy Lin report in *Wacky Weights in Learned
Sparse Representations and the Revenge of Score-at-a-Time Query Evaluation*, arXiv 2110.11540, and says of its two
claims whether they hold there:

1. Document-at-a-time traversals skip less under learned weights than under BM25 weights.
2. Score-at-a-time that may lose 3% is faster than they are, on the mean and in the tail.

Budgets of score-at-a-time are chosen on the first half of the queries; everything is reported on the other half.

python benchmarks/wacky_weights.py learned.csr learned-queries.csr bm25.csr bm25-queries.csr --plot wacky.png
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["OMP_NUM_THREADS"] = "1"  # read when a library with OpenMP is loaded

import numpy as np

import thresher
from thresher_bench.common import load, machine, pin, print_facts, print_table, shape_of
from thresher_bench.engines.base import Engine, OneACall, vectors
from thresher_bench.engines.ours import wrapping
from thresher_bench.engines.pisa import Pisa
from thresher_bench.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse

EXHAUSTIVE = "exhaustive"
DOCUMENTS = "document at a time"
SCORES = "score at a time"
SHARES = tuple(2.0**-step for step in np.arange(0, 8.5, 0.5))  # budgets, of the postings of an average query
POINTS = {"median": 50, "p95": 95, "p99": 99}


@dataclass
class Traversal:
    """One way to answer queries, and what was measured of it."""

    name: str
    kind: str
    engine: Engine
    exhaustive: str  # the traversal that skips nothing, to compare with
    budget: int | None = None
    tuned: float = 1.0  # recall on the half of the queries that budgets are chosen on
    recall: float = 0.0
    rounds: list[npt.NDArray[np.float64]] = field(default_factory=list)  # microseconds of each query
    cpu_share: list[float] = field(default_factory=list)

    @property
    def latencies(self) -> npt.NDArray[np.float64]:
        """Microseconds of each query, the median of all rounds."""
        return np.median(self.rounds, axis=0)

    @property
    def times(self) -> dict[str, float]:
        """Mean and percentiles of the microseconds of all queries."""
        us = self.latencies
        return {"mean": float(us.mean()), **{name: float(np.percentile(us, point)) for name, point in POINTS.items()}}

    def figures(self) -> dict[str, Any]:
        """Return everything measured, as plain numbers."""
        return {
            "traversal": self.name,
            "kind": self.kind,
            "budget": self.budget,
            "recall": self.recall,
            "recall_where_chosen": self.tuned,
            "microseconds": self.times,
            "cpus": float(np.median(self.cpu_share)),
        }


@dataclass
class Weights:
    """The texts under one kind of weights, and how they were searched."""

    name: str
    docs: sparse.csr_matrix
    queries: sparse.csr_matrix
    traversals: list[Traversal] = field(default_factory=list)
    budgets: list[Traversal] = field(default_factory=list)  # score-at-a-time, ascending
    chosen: Traversal | None = None
    unskippable: float = 0.0

    def postings(self, rows: slice) -> npt.NDArray[np.int64]:
        """Return how many postings the lists of each query's terms have."""
        lengths = np.bincount(self.docs.indices, minlength=self.docs.shape[1])
        part = self.queries[rows]
        before = np.concatenate([[0], np.cumsum(lengths[part.indices])])
        postings: npt.NDArray[np.int64] = np.diff(before[part.indptr])
        return postings

    def named(self, name: str) -> Traversal:
        """Return a traversal."""
        return next(traversal for traversal in self.traversals if traversal.name == name)

    def share(self, traversal: Traversal) -> float:
        """Return the mean time of a traversal over that of the one that skips nothing."""
        return traversal.times["mean"] / self.named(traversal.exhaustive).times["mean"]

    def shown(self) -> list[Traversal]:
        """Return all traversals, with the chosen budget after score-at-a-time without one."""
        assert self.chosen is not None
        place = [traversal.kind for traversal in self.traversals].index(SCORES) + 1
        return [*self.traversals[:place], self.chosen, *self.traversals[place:]]


def measure(weights: Weights, args: argparse.Namespace) -> None:
    """Build the indexes of a kind of weights, choose a budget, time everything."""
    half = weights.queries.shape[0] // 2
    tuning = Truth(weights.docs, weights.queries[:half], args.k)
    reporting = Truth(weights.docs, weights.queries[half:], args.k)
    weights.unskippable = unskippable(reporting)
    build(weights, half, with_pisa=args.pisa)
    if args.cpu is not None:
        pin(args.cpu)
    for traversal in weights.budgets:
        traversal.tuned = recall(traversal.engine, tuning, args.k)
    weights.chosen = next(t for t in weights.budgets if t.tuned >= 1 - args.loss or t is weights.budgets[-1])
    everything = weights.traversals + weights.budgets
    for traversal in everything:
        traversal.recall = recall(traversal.engine, reporting, args.k)
    gc.collect()
    gc.disable()  # its pauses are no query's
    for _ in range(args.rounds):
        for traversal in everything:
            cpu, wall = time.process_time(), time.perf_counter()
            _, seconds = ask(traversal.engine, reporting.queries, args.k)
            traversal.cpu_share.append((time.process_time() - cpu) / (time.perf_counter() - wall))
            traversal.rounds.append(np.array(seconds) * 1e6)
    gc.enable()
    for traversal in everything:
        traversal.engine.close()


def build(weights: Weights, half: int, *, with_pisa: bool) -> None:
    """Build the indexes of a kind of weights, and list the traversals and the budgets."""
    exact, impact, postings = (
        wrapping(kind)() for kind in (thresher.ExactIndex, thresher.ImpactIndex, thresher.PostingsIndex)
    )
    for engine in (exact, impact, postings):
        engine.build(weights.docs)
    weights.traversals = [
        Traversal("exact", EXHAUSTIVE, OneACall(exact), "exact"),
        *(Traversal(way["algorithm"], DOCUMENTS, OneACall(postings.by(way)), "exact") for way in postings.ways()),
        Traversal("auto", DOCUMENTS, OneACall(postings), "exact"),
        Traversal("impact, to the end", SCORES, OneACall(impact), "exact"),
    ]
    if with_pisa:
        pisa = Pisa()
        pisa.build(weights.docs)
        weights.traversals += [
            Traversal(engine.name, DOCUMENTS, engine, "pisa ranked_or") for engine in map(pisa.by, Pisa.ALGORITHMS)
        ]
        for name in ("pisa ranked_or", "pisa ranked_or_taat"):
            weights.named(name).kind = EXHAUSTIVE
    lengths = weights.postings(slice(half))
    limits = sorted({two_digits(share * lengths.mean()) for share in SHARES})
    for budget in (*limits, int(lengths.max(initial=1))):  # the last is enough for every query to choose on
        searcher = impact.searching({"postings_budget": budget})
        weights.budgets.append(Traversal(f"impact, {budget:,}", SCORES, OneACall(searcher), "exact", budget))


def unskippable(truth: Truth) -> float:
    """Return the share of a query's postings that MaxScore reads even if it knows the k-th score from the start.

    These are the postings in the lists that are left when as many as possible are put aside whose largest weights
    together stay below that score. It says what bounds of whole lists are worth, whatever the code and the machine.
    """
    largest = truth.docs.max(axis=0).toarray().ravel()
    lengths = np.bincount(truth.docs.indices, minlength=truth.docs.shape[1])
    shares = []
    kth_scores = np.where(truth.wanted.counts == truth.k, truth.wanted.lowest, 0)
    for (terms, weights), kth in zip(vectors(truth.queries), kth_scores, strict=True):
        bounds = largest[terms] * weights.clip(0)
        order = np.argsort(bounds)
        aside = np.searchsorted(np.cumsum(bounds[order]), kth)
        if postings := lengths[terms].sum():
            shares.append(lengths[terms][order][aside:].sum() / postings)
    return float(np.mean(shares)) if shares else 0.0


def two_digits(number: float) -> int:
    """Round a number to two digits, to at least 1."""
    return max(1, int(float(f"{number:.1e}")))


def ask(engine: Engine, queries: sparse.csr_matrix, k: int) -> tuple[list[Any], list[float]]:
    """Ask every query once; return the answers, and the seconds of each query."""
    calls: list[Callable[[], Any]] = engine.calls(queries, k)
    clock = time.perf_counter
    answers, times = [], [clock()]
    for call in calls:
        answers.append(call())
        times.append(clock())
    return answers, engine.latencies(answers) or np.diff(times).tolist()


def recall(engine: Engine, truth: Truth, k: int) -> float:
    """Return the recall of an engine, which also warms it up."""
    answers, _ = ask(engine, truth.queries, k)
    return truth.recall(engine.ids(answers, k))


def show(weights: Weights, queries: slice) -> None:
    """Print the tables of a kind of weights."""
    postings = weights.postings(queries).mean()
    print(f"{weights.name}: {postings:,.0f} postings in the lists of an average query")
    print(f"{weights.unskippable:.1%} of a query's postings in lists that MaxScore can't put aside\n")
    times = ["mean us", *POINTS]
    rows = [
        [
            traversal.name,
            traversal.kind,
            f"{traversal.recall:.4f}",
            *microseconds(traversal),
            f"{weights.share(traversal):.2f}",
            f"{traversal.times['mean'] / max(1, postings) * 1e3:.2f}",
            f"{np.median(traversal.cpu_share):.2f}",
        ]
        for traversal in weights.shown()
    ]
    print_table(["traversal", "", "recall", *times, "of exhaustive", "ns a posting", "CPUs"], rows)
    print()
    rows = [
        [
            f"{traversal.budget:,}" + (" *" if traversal is weights.chosen else ""),
            f"{(traversal.budget or 0) / postings:.3f}",
            f"{1 - traversal.tuned:.4f}",
            f"{1 - traversal.recall:.4f}",
            *microseconds(traversal),
        ]
        for traversal in weights.budgets
    ]
    print_table(["budget", "of the postings", "lost where chosen", "lost", *times], rows)
    print()


def microseconds(traversal: Traversal) -> list[str]:
    """Return the cells of a traversal's times."""
    return [f"{us:,.0f}" for us in traversal.times.values()]


def verdicts(bm25: Weights, learned: Weights, loss: float) -> list[str]:
    """Say of each claim whether it holds."""
    return [
        "1. Document-at-a-time traversals skip less under learned weights. Time over that of exhaustive search:",
        *less_skipping(bm25, learned),
        f"2. Score-at-a-time that may lose {loss:.0%} is faster than document-at-a-time.",
        *duel(learned, loss),
        "   For comparison, where earlier studies found it slower on the mean:",
        *duel(bm25, loss),
    ]


def less_skipping(bm25: Weights, learned: Weights) -> list[str]:
    """Compare what skipping saves under both kinds of weights, for each library."""
    lines = []
    traversals = [t for t in learned.traversals if t.kind == DOCUMENTS and t.name != "auto"]
    for exhaustive in dict.fromkeys(traversal.exhaustive for traversal in traversals):
        held = []
        for traversal in traversals:
            if traversal.exhaustive == exhaustive:
                before, after = bm25.share(bm25.named(traversal.name)), learned.share(traversal)
                held.append(after > before)
                lines.append(f"     {traversal.name}: {before:.2f} under BM25 weights, {after:.2f} under learned ones")
        lines.append(f"   Beside {exhaustive}, it holds for {sum(held)} of {len(held)}.")
    holds = "holds" if learned.unskippable > bm25.unskippable else "does not hold"
    return [
        *lines,
        "   Without a clock, by the postings in lists that MaxScore can't put aside:",
        f"     {bm25.unskippable:.1%} under BM25 weights, {learned.unskippable:.1%} under learned ones: it {holds}.",
    ]


def duel(weights: Weights, loss: float) -> list[str]:
    """Compare the chosen budget with thresher's best document-at-a-time traversal, on the mean and in the tail."""
    assert weights.chosen is not None
    rivals = [t for t in weights.traversals if t.kind == DOCUMENTS and not isinstance(t.engine, Pisa)]
    lines, won = [], []
    for what in ("mean", *POINTS):
        mine = weights.chosen.times[what]
        best = min(rivals, key=lambda rival: rival.times[what])
        won.append(mine < best.times[what])
        ratio = best.times[what] / mine
        lines.append(
            f"     {what}: {mine:,.0f} us against {best.times[what]:,.0f} of {best.name}, {ratio:.2f} times as fast"
        )
    lost = f"{weights.chosen.name} postings, {1 - weights.chosen.recall:.1%} lost"
    if 1 - weights.chosen.recall > loss:
        lost += f", {1 - weights.chosen.tuned:.1%} where it was chosen"
    faster = [what for what, is_won in zip(("mean", *POINTS), won, strict=True) if is_won]
    return [
        *lines,
        f"   {weights.name} weights ({lost}): faster on {', '.join(faster) if faster else 'none of these'}.",
    ]


def plot(bm25: Weights, learned: Weights, path: Path) -> None:
    """Draw latencies by traversal, and what is lost by budget."""
    import matplotlib as mpl  # noqa: PLC0415 - optional

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(16, 5), layout="constrained")
    for axes, weights in ((left, bm25), (middle, learned)):
        shown = weights.shown()
        for mark, what in zip("osD^", ("mean", *POINTS), strict=True):
            axes.plot([traversal.times[what] for traversal in shown], range(len(shown)), mark, label=what)
        axes.set_yticks(range(len(shown)), [f"{traversal.name}\n{traversal.recall:.3f}" for traversal in shown])
        axes.invert_yaxis()
        axes.set(title=f"{weights.name} weights: traversals, recall", xlabel="microseconds a query", xscale="log")
        axes.grid(axis="x", alpha=0.3)
        axes.legend()
        lost = [100 * (1 - traversal.recall) for traversal in weights.budgets]
        right.plot([traversal.budget or 0 for traversal in weights.budgets], lost, "o-", label=weights.name)
    right.set(title="score at a time", xscale="log")
    right.set(xlabel="postings that a query may read", ylabel="% of the top k lost")
    right.grid(alpha=0.3)
    right.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, what in {
        "learned": "documents, learned weights: a BigANN .csr file or a scipy .npz file, as all of these",
        "learned_queries": "queries, learned weights",
        "bm25": "the same documents, BM25 weights",
        "bm25_queries": "the same queries for them",
    }.items():
        parser.add_argument(name, type=Path, help=what)
    parser.add_argument("--docs", type=int, help="use the first N documents only")
    parser.add_argument("--queries", type=int, default=1000, help="queries, half to choose on (default: %(default)s)")
    parser.add_argument("--k", type=int, default=10, help="documents to return (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: %(default)s)")
    parser.add_argument("--loss", type=float, default=0.03, help="share of the top k that may be lost (default: 0.03)")
    parser.add_argument("--pisa", action="store_true", help="also PISA's traversals, over impacts of 8 bits")
    parser.add_argument("--cpu", type=int, help="keep all searches on this CPU")
    parser.add_argument("--plot", type=Path, help="also draw the figures, to this .png file (needs matplotlib)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    if args.plot and find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install matplotlib")
    if args.pisa and Pisa.version() is None:
        parser.error(f"--pisa needs {Pisa.distribution}: pip install {Pisa.distribution}")

    learned = Weights("learned", load(args.learned, args.docs), load(args.learned_queries, args.queries))
    bm25 = Weights("BM25", load(args.bm25, args.docs), load(args.bm25_queries, args.queries))
    both = bm25, learned
    for part in ("docs", "queries"):
        rows = [getattr(weights, part).shape[0] for weights in both]
        if rows[0] != rows[1]:
            parser.error(f"both kinds of weights must be of the same {part}: there are {rows[0]:,} and {rows[1]:,}")
    half = learned.queries.shape[0] // 2
    if half == 0:
        parser.error("there must be two queries at least")
    facts = machine()
    for weights in both:
        facts |= {
            f"{weights.name} documents": shape_of(weights.docs),
            f"{weights.name} queries": shape_of(weights.queries),
        }
    facts["measured"] = (
        f"k = {args.k}, {half} queries to choose budgets on, {learned.queries.shape[0] - half} to report, "
        f"one a call, medians of {args.rounds} interleaved rounds, one thread"
        + ("" if args.cpu is None else f", CPU {args.cpu}")
    )
    print_facts(facts)
    for weights in both:
        measure(weights, args)
        show(weights, slice(half, None))
    lines = verdicts(bm25, learned, args.loss)
    print("\n".join(lines))
    if args.plot:
        plot(bm25, learned, args.plot)
    if args.json:
        tables = {
            weights.name: {
                "unskippable": weights.unskippable,
                "traversals": [traversal.figures() for traversal in (*weights.traversals, *weights.budgets)],
            }
            for weights in both
        }
        args.json.write_text(json.dumps({**facts, **tables, "verdicts": lines}, indent=2) + "\n")


if __name__ == "__main__":
    main()
