"""Measures an engine on a collection: how long it takes to build, how large, how fast, how right."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

    import thresher
    from thresher.demo.weights import Question

K = 10
_TOLERANCE = 1e-5  # relative; two summation orders of one score differ by less


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
    found = wanted = 0
    for question in questions:
        index.search_one(question.terms, question.weights, k=K)  # the first one brings it into the cache
        started = time.perf_counter()
        hits = index.search_one(question.terms, question.weights, k=K)
        latencies.append(time.perf_counter() - started)
        exact = oracle.search_one(question.terms, question.weights, k=K)
        right, all_ = _agreement(hits, exact, documents, question)
        found += right
        wanted += all_
    return Measured(
        engine=index.engine,
        nbytes=sum(index.nbytes.values()),
        build_seconds=build_seconds,
        latency_seconds=statistics.median(latencies),
        recall=found / wanted if wanted else float("nan"),
    )


def _agreement(
    hits: thresher.Hits, exact: thresher.Hits, documents: sparse.csr_array, question: Question
) -> tuple[int, int]:
    """Return how many of `hits` belong to the exact answer, and how many that has."""
    wanted = int((exact.ids >= 0).sum())
    if not wanted:
        return 0, 0
    lowest = exact.scores[wanted - 1] * (1 - _TOLERANCE)
    returned = np.unique(hits.ids[hits.ids >= 0])
    query = np.zeros(documents.shape[1], dtype=np.float32)
    query[question.terms] = question.weights
    return int((documents[returned] @ query >= lowest).sum()), wanted
