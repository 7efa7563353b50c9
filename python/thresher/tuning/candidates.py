"""Which engines `tune` builds: all that it was given, or those that samples of the documents do not rule out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher.engines.index import Index
from thresher.engines.registry import engines
from thresher.tuning.queries import exact_index
from thresher.tuning.sizes import collection_of, parts_of
from thresher.tuning.walk import Target, Walk

if TYPE_CHECKING:
    import scipy.sparse as sp

    from thresher.tuning.queries import Questions
    from thresher.tuning.sizes import Collection

SAMPLES = (5_000, 20_000)  # documents of the two samples
RECALL = 0.95  # what engines are compared at
HOPELESS = 4.0  # times as long as the best on the first sample
MAX_KEPT = 3  # candidates left
TOLERATED_BYTES = 1.1  # times as many as are allowed: what counts is the index's own
TOLERATED = 1.7  # times as long as the best, as the samples foretell it
MAX_OF_BUDGET = 0.7  # that a build may take where there is a choice

# Ways to build an engine, beside its defaults, that change what it trades. More would take longer to build than they
# win.
_VARIANTS: dict[str, list[dict[str, Any]]] = {"block-max": [{"reorder": True}]}


class Candidate(NamedTuple):
    """An engine, how to build it, and what that is expected to take: nothing, where nobody has asked."""

    engine: type[Index]
    build_params: dict[str, Any]
    build_seconds: float = 0.0
    latency_us: float = 0.0

    def nbytes(self, collection: Collection) -> float:
        """Return the bytes of the index of a collection, about."""
        return sum(parts_of(self.engine.engine, collection, reordered="reorder" in self.build_params).values())

    def build(self, docs: sp.csr_array, threads: int) -> Index:
        """Return the index of `docs`."""
        return self.engine.build(docs, threads=threads, **self.build_params)


class Sketch(NamedTuple):
    """What an index of a sample took."""

    latency_us: float
    build_seconds: float


def classes_of(engine: type[Index] | str | Iterable[type[Index] | str] | None) -> list[type[Index]]:
    """Return the engines that are named, once each; all for None. Raises TypeError."""
    if engine is None:
        return list(engines().values())
    named: list[Any] = [engine] if isinstance(engine, str | type) else list(engine)
    classes: list[type[Index]] = []
    for name in named:
        known = engines().get(name) if isinstance(name, str) else name
        if known is None or known not in engines().values():
            raise TypeError(f"engine must be a class of index, or the name of one of {list(engines())}, got {name!r}")
        classes.append(known)
    if not classes:
        raise TypeError("engine: there are none to choose from")
    return list(dict.fromkeys(classes))


def candidates_of(engine: type[Index] | str | Iterable[type[Index] | str] | None) -> list[Candidate]:
    """Return the candidates among the engines that are named, or raise TypeError."""
    return [
        Candidate(known, params) for known in classes_of(engine) for params in ({}, *_VARIANTS.get(known.engine, []))
    ]


def shortlist(
    candidates: list[Candidate],
    docs: sp.csr_array,
    questions: Questions,
    *,
    walk: Callable[[Questions, Target], Walk],
    max_bytes: int | None,
    threads: int,
    seconds_left: float,
    rng: np.random.Generator,
) -> list[Candidate]:
    """Rule out candidates by what samples of the documents tell, best first.

    The time of a query at a recall of 0.95 is measured on two samples, and taken to grow as a power of the number of
    documents. Where no time is left, candidates that were not looked at are out, but for the first of each sample.
    """
    n_docs = docs.shape[0]
    deadline = time.monotonic() + seconds_left
    if len(candidates) == 1 or n_docs <= 2 * SAMPLES[-1] or seconds_left <= 0:
        return candidates

    def sketched(among: list[Candidate], n: int) -> list[tuple[Candidate, Sketch]]:
        chosen = np.sort(rng.choice(n_docs, n, replace=False))
        sample = docs[chosen]
        asked = questions.of_sample(chosen, exact_index(sample, threads), threads)
        looked = walk(asked, Target(RECALL, None))
        found: list[tuple[Candidate, Sketch]] = []
        for candidate in among:
            if found and time.monotonic() > deadline:
                break
            started = time.perf_counter()
            index = candidate.build(sample, threads)
            seconds = time.perf_counter() - started
            found.append((candidate, Sketch(looked.sketch(index).latency_us, seconds)))
        return found

    if max_bytes is not None:
        collection = collection_of(docs, n_docs, rng)
        small = [one for one in candidates if one.nbytes(collection) <= TOLERATED_BYTES * max_bytes]
        candidates = small or candidates
    few = sketched(candidates, SAMPLES[0])
    fastest = min(sketch.latency_us for _, sketch in few)
    few = [(candidate, sketch) for candidate, sketch in few if sketch.latency_us <= HOPELESS * fastest]
    more = sketched([candidate for candidate, _ in few], SAMPLES[1])
    expected = [
        candidate._replace(
            build_seconds=sketch.build_seconds * n_docs / SAMPLES[1],
            latency_us=_foretold(smaller.latency_us, sketch.latency_us, n_docs),
        )
        for (candidate, sketch), (_, smaller) in zip(more, few, strict=False)  # no time may be left for all
    ]
    affordable = [candidate for candidate in expected if candidate.build_seconds <= MAX_OF_BUDGET * seconds_left]
    ranked = sorted(affordable or expected, key=lambda candidate: candidate.latency_us)
    return [candidate for candidate in ranked if candidate.latency_us <= TOLERATED * ranked[0].latency_us][:MAX_KEPT]


def _foretold(before: float, latency_us: float, n_docs: int) -> float:
    """Return the time of a query, from those of the two samples."""
    power = math.log(latency_us / before) / math.log(SAMPLES[1] / SAMPLES[0])
    return latency_us * math.pow(n_docs / SAMPLES[1], min(1.0, max(0.0, power)))
