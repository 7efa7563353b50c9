"""Measures an engine on a collection: how long it takes to build, how large, how fast, how right."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from thresher._recall import Wanted

if TYPE_CHECKING:
    from scipy import sparse

    import thresher
    from thresher.demo.weights import Question

K = 10


class Measured(NamedTuple):
    """What was found about one engine."""

    engine: str
    nbytes: int
    """Resident size."""
    build_seconds: float
    latency_seconds: float
    """Median time of one `search_one`, one thread."""
    recall: float
    """Share of the exact top 10 that was returned, by score, so that ties count as right; nan if there is none."""


def measure(
    engine: type[thresher.Index],
    documents: sparse.csr_array,
    questions: Sequence[Question],
    oracle: thresher.Index,
) -> Measured:
    """Build an engine and ask it every question.

    Parameters
    ----------
    engine
        A class from `thresher.engines`.
    documents
        (n_docs, n_terms) weights.
    questions
        What to ask; at least one.
    oracle
        An exact index over the same documents.

    Returns
    -------
    Measured
        Sizes, times and recall.
    """
    started = time.perf_counter()
    index = engine.build(documents)
    build_seconds = time.perf_counter() - started
    latencies: list[float] = []
    found, exact = [], []
    for question in questions:
        index.search_one(question.terms, question.weights, k=K)  # the first one brings it into the cache
        started = time.perf_counter()
        hits = index.search_one(question.terms, question.weights, k=K)
        latencies.append(time.perf_counter() - started)
        found.append(hits.scores)
        exact.append(oracle.search_one(question.terms, question.weights, k=K).scores)
    return Measured(
        engine=index.engine,
        nbytes=sum(index.nbytes.values()),
        build_seconds=build_seconds,
        latency_seconds=statistics.median(latencies),
        recall=Wanted.of(exact).recall(found),
    )
