"""Which engines `tune` builds."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from thresher.engines.registry import classes_of
from thresher.tuning import build_plans as _build_plans
from thresher.tuning.build_plans import BuildPlan, plans_of, shortlist
from thresher.tuning.dial_search import Step, Target
from thresher.tuning.queries import Questions

DOCS = sp.csr_array(sp.random_array((400, 50), density=0.2, rng=np.random.default_rng(2), dtype=np.float32))
QUESTIONS = Questions(DOCS[:30], np.arange(30), thresher.ExactIndex.build(DOCS), 10, 1)
BUILT: list[tuple[str, int]] = []


def search_of(latencies: dict[str, tuple[float, float]]) -> Any:
    """Return a maker of searches that take so long on the smaller and on the larger sample."""

    class Told:
        def __init__(self, questions: Questions, target: Target) -> None:
            assert target == Target(0.95, None)
            assert len(questions) == 30

        def sketch(self, index: thresher.Index) -> Step:
            BUILT.append((index.engine, index.n_docs))
            return Step({}, 0.95, 0.0, latencies[index.engine][index.n_docs > 50], 30)

    return Told


def listed(
    latencies: dict[str, tuple[float, float]], max_bytes: int | None = None, seconds_left: float = 1e9
) -> list[BuildPlan]:
    BUILT.clear()
    plans = [BuildPlan(thresher.engines()[name], {}) for name in latencies]
    return shortlist(
        plans,
        DOCS,
        QUESTIONS,
        search=search_of(latencies),
        max_bytes=max_bytes,
        threads=1,
        seconds_left=seconds_left,
        rng=np.random.default_rng(0),
    )


@pytest.fixture(autouse=True)
def small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_build_plans, "SAMPLES", (50, 100))


def test_time_is_foretold_as_a_power_of_the_documents() -> None:
    # At 400 documents, two doublings on: 10, 9 x 1.1 x 1.1, 5.2 x 1.73 x 1.73, and 100.
    found = listed({"exact": (3.0, 5.2), "clustered": (10.0, 10.0), "graph": (8.18, 9.0), "impact": (100.0, 100.0)})
    assert [plan.engine.engine for plan in found] == ["clustered", "graph", "exact"]
    assert [plan.latency_us for plan in found] == pytest.approx([10.0, 10.9, 15.6], rel=0.01)
    assert ("impact", 100) not in BUILT  # hopeless on the first sample
    assert ("graph", 100) in BUILT


def test_those_far_behind_are_left_out_and_three_at_most_are_left() -> None:
    assert len(listed(dict.fromkeys(thresher.engines(), (5.0, 5.0)))) == 3
    found = listed({"exact": (5.0, 5.0), "graph": (9.0, 9.0)})
    assert [plan.engine.engine for plan in found] == ["exact"]


def test_those_that_do_not_fit_are_left_out() -> None:
    sizes = {name: sum(thresher.engines()[name].build(DOCS).nbytes.values()) for name in ("block-max", "graph")}
    assert sizes["block-max"] > 1.5 * sizes["graph"]
    found = listed({"block-max": (1.0, 1.0), "graph": (50.0, 50.0)}, max_bytes=round(1.2 * sizes["graph"]))
    assert [plan.engine.engine for plan in found] == ["graph"]
    assert len(listed({"block-max": (1.0, 1.0), "graph": (1.5, 1.5)}, max_bytes=1)) == 2  # the index itself decides


def test_those_that_take_too_long_to_build_are_left_out_if_there_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    latencies = {"exact": (1.6, 1.6), "graph": (1.0, 1.0)}

    def among(seconds_left: float) -> dict[str, float]:
        clock = iter([0.0, 1.0, 0.0, 3.0] * 2)  # a second for exact, three for graph, of both samples
        monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
        return {plan.engine.engine: plan.build_seconds for plan in listed(latencies, seconds_left=seconds_left)}

    assert among(20.0) == {"graph": 12.0, "exact": 4.0}
    assert among(10.0) == {"exact": 4.0}
    assert among(1.0) == {"graph": 12.0, "exact": 4.0}


def test_few_documents_or_one_plan_are_not_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(listed({"graph": (1.0, 1.0)})) == 1
    monkeypatch.setattr(_build_plans, "SAMPLES", (50, 200))
    assert len(listed({"graph": (1.0, 1.0), "exact": (99.0, 99.0)})) == 2
    assert BUILT == []


def test_queries_of_a_sample_know_their_documents_there() -> None:
    chosen = np.arange(0, 400, 2)
    sample = DOCS[chosen]
    questions = QUESTIONS.of_sample(chosen, thresher.ExactIndex.build(sample), 1)
    assert questions.own is not None
    assert questions.own.tolist() == [i // 2 if i % 2 == 0 else -2 for i in range(30)]
    scores = (DOCS[:30] @ sample.T).toarray()
    scores[np.arange(0, 30, 2), np.arange(15)] = 0
    np.testing.assert_allclose(questions.wanted.lowest, np.sort(scores, axis=1)[:, -10] * (1 - 1e-5), rtol=1e-6)


def test_engines_are_named_once() -> None:
    assert classes_of(None) == list(thresher.engines().values())
    assert classes_of(["graph", thresher.GraphIndex]) == [thresher.GraphIndex]
    assert [plan.build_params for plan in plans_of("block-max")] == [{}, {"reorder": True}]


def test_without_time_samples_are_not_built() -> None:
    latencies = {"exact": (9.0, 9.0), "clustered": (1.0, 1.0), "graph": (1.0, 1.0)}
    assert [one.engine.engine for one in listed(latencies, seconds_left=0)] == list(latencies)
    assert BUILT == []
    assert [one.engine.engine for one in listed(latencies, seconds_left=1e-9)] == ["exact"]
    assert BUILT == [("exact", 50), ("exact", 100)]
