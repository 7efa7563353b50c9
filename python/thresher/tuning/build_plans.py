"""Which indexes `tune` builds: of all engines that it was given, or of those that samples do not rule out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher.engines.index import Index
from thresher.engines.registry import classes_of
from thresher.tuning.dial_search import DialSearch, Target
from thresher.tuning.estimate import nbytes_of, statistics_of
from thresher.tuning.queries import exact_index

if TYPE_CHECKING:
    import scipy.sparse as sp

    from thresher import _core
    from thresher.engines.options import Weights
    from thresher.tuning.queries import Questions

SAMPLES = (5_000, 20_000)  # documents of the two samples
RECALL = 0.95  # what engines are compared at
HOPELESS = 4.0  # times as long as the best on the first sample
MAX_KEPT = 3  # plans left
TOLERATED_BYTES = 1.1  # times as many as are allowed: what counts is the index's own
TOLERATED = 1.7  # times as long as the best, as the samples foretell it
MAX_OF_BUDGET = 0.7  # that a build may take where there is a choice


class BuildPlan(NamedTuple):
    """An engine, how to build it, and what that is expected to take: nothing, where nobody has asked."""

    engine: type[Index]
    build_params: dict[str, Any]
    build_seconds: float = 0.0
    latency_us: float = 0.0

    def nbytes(self, statistics: _core.CollectionStatistics) -> int:
        """Return the bytes of the index of a collection, about."""
        return sum(nbytes_of(self.engine, statistics, **self.build_params).values())

    def build(self, docs: sp.csr_array, threads: int) -> Index:
        """Return the index of `docs`."""
        return self.engine.build(docs, threads=threads, **self.build_params)


class Sketch(NamedTuple):
    """What an index of a sample took."""

    latency_us: float
    build_seconds: float


def plans_of(
    engine: type[Index] | str | Iterable[type[Index] | str] | None, weights: Weights = "float"
) -> list[BuildPlan]:
    """Return the ways to build the engines that are named with such weights, or raise TypeError."""
    kept: dict[str, Any] = {} if weights == "float" else {"weights": weights}
    return [BuildPlan(known, kept | params) for known in classes_of(engine) for params in ({}, *known.build_variants())]


def shortlist(
    plans: list[BuildPlan],
    docs: sp.csr_array,
    questions: Questions,
    *,
    search: Callable[[Questions, Target], DialSearch],
    max_bytes: int | None,
    threads: int,
    seconds_left: float,
    rng: np.random.Generator,
) -> list[BuildPlan]:
    """Rule out plans by what samples of the documents tell, best first.

    The time of a query at a recall of 0.95 is measured on two samples, and taken to grow as a power of the number of
    documents. Where no time is left, plans that were not looked at are out, but for the first of each sample.
    """
    n_docs = docs.shape[0]
    deadline = time.monotonic() + seconds_left
    if len(plans) == 1 or n_docs <= 2 * SAMPLES[-1] or seconds_left <= 0:
        return plans

    def sketched(among: list[BuildPlan], n: int) -> list[tuple[BuildPlan, Sketch]]:
        chosen = np.sort(rng.choice(n_docs, n, replace=False))
        sample = docs[chosen]
        asked = questions.of_sample(chosen, exact_index(sample, threads), threads)
        looked = search(asked, Target(RECALL, None))
        found: list[tuple[BuildPlan, Sketch]] = []
        for plan in among:
            if found and time.monotonic() > deadline:
                break
            started = time.perf_counter()
            index = plan.build(sample, threads)
            seconds = time.perf_counter() - started
            found.append((plan, Sketch(looked.sketch(index).latency_us, seconds)))
        return found

    if max_bytes is not None:
        statistics = statistics_of(docs, n_docs, threads)
        small = [one for one in plans if one.nbytes(statistics) <= TOLERATED_BYTES * max_bytes]
        plans = small or plans
    few = sketched(plans, SAMPLES[0])
    fastest = min(sketch.latency_us for _, sketch in few)
    few = [(plan, sketch) for plan, sketch in few if sketch.latency_us <= HOPELESS * fastest]
    more = sketched([plan for plan, _ in few], SAMPLES[1])
    expected = [
        plan._replace(
            build_seconds=sketch.build_seconds * n_docs / SAMPLES[1],
            latency_us=_foretold(smaller.latency_us, sketch.latency_us, n_docs),
        )
        for (plan, sketch), (_, smaller) in zip(more, few, strict=False)  # no time may be left for all
    ]
    affordable = [plan for plan in expected if plan.build_seconds <= MAX_OF_BUDGET * seconds_left]
    ranked = sorted(affordable or expected, key=lambda plan: plan.latency_us)
    return [plan for plan in ranked if plan.latency_us <= TOLERATED * ranked[0].latency_us][:MAX_KEPT]


def _foretold(before: float, latency_us: float, n_docs: int) -> float:
    """Return the time of a query, from those of the two samples."""
    power = math.log(latency_us / before) / math.log(SAMPLES[1] / SAMPLES[0])
    return latency_us * math.pow(n_docs / SAMPLES[1], min(1.0, max(0.0, power)))
