"""Tests of significance against scipy's, corrections against their definitions, and query sets that differ."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy import stats

import thresher
from thresher.evaluation import compare
from thresher.evaluation.significance import corrected_p_values, paired_t_test, randomisation_test

DIFFERENCES = st.lists(st.sampled_from([-1.0, -0.5, -0.1, 0.0, 0.1, 0.3, 0.7]), min_size=2, max_size=10).map(np.array)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=60).map(np.array))
def test_the_t_test_is_scipys(differences: Any) -> None:
    if differences.std() < 1e-6:
        return
    wanted = stats.ttest_rel(differences, np.zeros(len(differences))).pvalue
    assert paired_t_test(differences) == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_the_t_test_of_what_does_not_vary() -> None:
    assert paired_t_test(np.zeros(5)) == 1.0
    assert paired_t_test(np.full(5, 0.1)) == 0.0
    assert paired_t_test(np.array([0.5, -0.5])) == 1.0


@given(DIFFERENCES)
def test_the_randomisation_test_is_scipys_where_all_ways_are_taken(differences: Any) -> None:
    def mean(sample: Any, axis: int) -> Any:
        return np.round(np.mean(sample, axis=axis), 12)

    exact = stats.permutation_test((differences,), mean, permutation_type="samples", n_resamples=np.inf)
    assert randomisation_test(differences, 1 << 10, 0) == pytest.approx(min(1.0, exact.pvalue), abs=1e-12)


def test_the_randomisation_test_draws_where_there_are_too_many_ways() -> None:
    differences = np.random.default_rng(4).normal(0.15, 0.5, 18)
    exact = randomisation_test(differences, 1 << 18, 0)
    drawn = randomisation_test(differences, 100_000, 0)
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=0.005)  # three standard errors
    assert drawn == randomisation_test(differences, 100_000, 0)
    assert randomisation_test(np.full(200, 1.0), 999, 0) == 1 / 1000  # never 0


def test_neither_test_alarms_more_often_than_its_level() -> None:
    rng = np.random.default_rng(8)
    trials = [rng.normal(size=30) for _ in range(400)]
    for alarms in (
        sum(paired_t_test(trial) <= 0.05 for trial in trials),
        sum(randomisation_test(trial, 500, 0) <= 0.05 for trial in trials),
    ):
        assert 400 * 0.05 - 14 < alarms < 400 * 0.05 + 14  # three standard deviations


@given(P_VALUES)
def test_corrections(p_values: list[float]) -> None:
    n = len(p_values)
    assert corrected_p_values(p_values, "none") == p_values
    bonferroni, holm = (corrected_p_values(p_values, correction) for correction in ("bonferroni", "holm"))
    assert bonferroni == [min(1.0, n * p) for p in p_values]
    order = np.argsort(p_values, kind="stable")
    for place, own in enumerate(order):  # Holm's definition: all steps before must have been taken
        steps = [(n - rank) * p_values[other] for rank, other in enumerate(order[: place + 1])]
        assert holm[own] == pytest.approx(min(1.0, max(steps)))
        assert p_values[own] <= holm[own] <= bonferroni[own]


def test_holm_by_hand() -> None:
    assert corrected_p_values([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def run_at(rank: int, n: int = 8, first: int = 0) -> dict[str, dict[str, float]]:
    """A run that finds the right document at a rank."""
    found = {f"x{place}": 20.0 - place for place in range(1, rank)} | {"right": 20.0 - rank}
    return {f"q{query}": dict(found) for query in range(first, first + n)}


QRELS = {f"q{query}": {"right": 1} for query in range(8)}


def test_a_comparison() -> None:
    better = run_at(2) | {"q0": {"x": 1.0}, "q1": {"right": 1.0}}
    found = compare(run_at(4), better, QRELS, ["RR@10", "P@1", "R@10"], test="randomisation", correction="bonferroni")
    assert found.n_queries == 8
    rr = found["RR@10"]
    assert (rr.mean_a, rr.mean_b, rr.wins, rr.losses) == (0.25, (6 * 0.5 + 1) / 8, 7, 1)
    assert rr.difference == rr.mean_b - rr.mean_a
    assert rr.corrected == min(1.0, 3 * rr.p_value)
    assert found["R@10"].wins == 0
    assert found["P@1"].p_value == 1.0  # one query of one: both signs are as far off
    assert json.loads(json.dumps(found.to_dict()))["differences"][0]["measure"] == "RR@10"
    assert found.to_pandas()["corrected"].tolist() == [one.corrected for one in found.differences]
    assert "RR@10 0.2500 to 0.5000" in repr(found)
    assert compare(run_at(4), run_at(1), QRELS, ["RR@10", "R@10"]).significant() == ["RR@10"]
    assert found.significant(level=0.0) == []
    with pytest.raises(KeyError, match="AP was not compared"):
        found["AP"]


def test_evaluations_are_compared_as_their_runs() -> None:
    runs = run_at(2), run_at(1) | {"q3": {"x": 1.0}}
    a, b = (thresher.evaluate(run, QRELS, "RR@10") for run in runs)
    assert compare(a, b) == compare(*runs, QRELS, "RR@10")
    with pytest.raises(TypeError, match="run_a is an evaluation"):
        compare(a, b, QRELS)
    with pytest.raises(TypeError, match="run_b is a run, which takes qrels"):
        compare(a, runs[1])


def test_different_queries_are_refused() -> None:
    few = {query: QRELS[query] for query in list(QRELS)[:5]}
    a, b = thresher.evaluate(run_at(2), QRELS), thresher.evaluate(run_at(1, 5), few)
    with pytest.raises(ValueError, match="run_a has 3 queries that run_b has no judgements of, such as 'q5'"):
        compare(a, b)
    with pytest.raises(ValueError, match="run_b has 3 queries that run_a has no judgements of"):
        compare(b, a)
    with pytest.raises(ValueError, match="run_a has the measures nDCG@10, RR@10, run_b AP"):
        compare(a, thresher.evaluate(run_at(1), QRELS, "AP"))


def test_a_run_of_some_of_the_queries_is_refused_unless_it_is_said_that_the_others_are_empty() -> None:
    with pytest.raises(ValueError, match=r"run_b has 2 queries that run_a has no hits for \(missing=\"zero\""):
        compare(run_at(2, 6), run_at(1), QRELS)
    assert compare(run_at(2, 6), run_at(1), QRELS, "RR@10", missing="zero")["RR@10"].mean_a == 6 * 0.5 / 8
    asked: dict[str, dict[str, float]] = {"q6": {}, "q7": {}}
    assert compare(run_at(2, 6) | asked, run_at(1), QRELS, "RR@10")["RR@10"].mean_a == 6 * 0.5 / 8


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"test": "sign"}, ValueError, "test must be one of 't', 'randomisation', got 'sign'"),
        ({"correction": None}, TypeError, "correction must be a string"),
        ({"missing": "skip"}, ValueError, "missing must be one of"),
        ({"samples": 0}, ValueError, "samples must be >= 1"),
        ({"samples": 1.5}, TypeError, "samples must be a whole number"),
        ({"seed": "x"}, TypeError, "seed must be a whole number"),
    ],
)
def test_options_that_are_wrong(options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        compare(run_at(2), run_at(1), QRELS, **options)
    assert words in str(caught.value)


def test_one_query_is_too_few() -> None:
    with pytest.raises(ValueError, match="two queries or more, got 1"):
        compare(run_at(2, 1), run_at(1, 1), {"q0": {"right": 1}})
