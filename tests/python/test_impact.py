"""ImpactIndex against a float64 brute force: equal to it wherever it says that nothing stopped it, else close to it."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thresher
from engine_forms import DOCS
from helpers import assert_among, exhaustive, recall, same, search
from reference import Collection, assert_exact
from strategies import Case, cases, topical

Anything: TypeAlias = Any  # arguments that are wrong on purpose

N_REAL = 2500


def build(docs: Collection, **options: Any) -> thresher.ImpactIndex:
    return thresher.ImpactIndex.build(docs.triple, shape=docs.shape, **options)


def assert_same_ids(hits: thresher.Hits, exact: thresher.Hits) -> None:
    """Raise AssertionError unless hits are the same, ties and all."""
    np.testing.assert_array_equal(hits.scores, exact.scores)
    np.testing.assert_array_equal(hits.ids, exact.ids)


def only(hits: thresher.Hits, wanted: Any) -> thresher.Hits:
    """Return the hits of some of the queries."""
    return thresher.Hits(hits.ids[wanted], hits.scores[wanted])


@pytest.fixture(scope="module")
def real() -> Case:
    return topical(N_REAL, 60, seed=20)


@pytest.fixture(scope="module")
def real_index(real: Case) -> thresher.ImpactIndex:
    return build(real.docs)


@pytest.fixture(scope="module")
def best(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries)


@pytest.fixture(scope="module")
def everything(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries, N_REAL)


# ------------------------------------------------------------------------------------ against the brute force


@pytest.mark.kernels
@given(
    case=cases(),
    k=st.integers(1, 320),
    threads=st.integers(0, 3),
    limits=st.sampled_from([{}, {"deadline_us": 1e9}, {"postings_budget": 2**62}, {"rescored": 1000}]),
)
def test_equals_brute_force_without_limits(case: Case, k: int, threads: int, limits: dict[str, Any]) -> None:
    hits = search(build(case.docs, threads=threads), case.queries, k, threads=threads, **limits)
    assert_exact(hits, case.docs, case.queries, k)
    assert_same_ids(hits, exhaustive(case.docs, case.queries, k))
    assert hits.exact.tolist() == [True] * case.queries.shape[0]


@pytest.mark.kernels
@given(
    case=cases(),
    k=st.integers(1, 30),
    postings_budget=st.integers(1, 400),
    more=st.sampled_from([0, 5, 100, None]),
    deadline_us=st.sampled_from([0, 1, 30, 1e9]),
)
def test_equals_brute_force_where_it_says_that_it_does(
    case: Case, k: int, postings_budget: int, more: int | None, deadline_us: float
) -> None:
    rescored = 0 if more is None else k + more
    limits = {"postings_budget": postings_budget, "rescored": rescored, "deadline_us": deadline_us}
    hits = search(build(case.docs), case.queries, k, **limits)
    assert hits.exact.dtype == np.bool_
    assert hits.exact.shape == (case.queries.shape[0],)
    assert_among(hits, exhaustive(case.docs, case.queries, max(case.docs.shape[0], 1)))
    assert_same_ids(only(hits, hits.exact), only(exhaustive(case.docs, case.queries, k), hits.exact))


# ------------------------------------------------------------------------------------------------------ limits


@pytest.mark.kernels
def test_recall_grows_with_the_budget(real: Case, real_index: thresher.ImpactIndex, best: thresher.Hits) -> None:
    budgets = (1, 300, 1000, 3000, 10_000, 2**40)
    hits = [search(real_index, real.queries, postings_budget=budget, rescored=40) for budget in budgets]
    recalls = [recall(some, best) for some in hits]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.3
    assert recalls[-1] == 1
    assert [int(some.exact.sum()) for some in hits[:2]] == [0, 0]
    assert np.all(hits[-1].exact)
    for some in hits:
        assert same(only(some, some.exact), only(best, some.exact))


def test_recall_grows_with_the_documents_scored(
    real: Case, real_index: thresher.ImpactIndex, best: thresher.Hits
) -> None:
    recalls = [
        recall(search(real_index, real.queries, postings_budget=1500, rescored=n), best) for n in (10, 20, 50, 400)
    ]
    assert recalls == sorted(recalls)
    assert recalls[-1] > recalls[0] + 0.1


@pytest.mark.parametrize("deadline_us", [5e-324, 1, 20, 300, 1e9, 1e308, np.inf])
def test_a_deadline_leaves_true_scores(
    real: Case, real_index: thresher.ImpactIndex, everything: thresher.Hits, best: thresher.Hits, deadline_us: float
) -> None:
    for budget in (0, 500):
        hits = search(real_index, real.queries, deadline_us=deadline_us, postings_budget=budget)
        assert_among(hits, everything)
        assert same(only(hits, hits.exact), only(best, hits.exact))
        if deadline_us >= 1e9:
            assert same(hits, search(real_index, real.queries, postings_budget=budget))
    if deadline_us < 1:
        assert not hits.exact.any()


def test_a_limit_of_0_is_none(real: Case, real_index: thresher.ImpactIndex, best: thresher.Hits) -> None:
    hits = search(real_index, real.queries, postings_budget=0, deadline_us=0, rescored=0)
    assert same(hits, best)
    assert np.all(hits.exact)


# --------------------------------------------------------------------------------------------- hits: exact


@pytest.fixture(scope="module")
def stopped(real: Case, real_index: thresher.ImpactIndex) -> thresher.Hits:
    """Return hits of which some are exact and some may not be."""
    terms = [real.queries.indices[:1], real.queries.indices[:50]]
    queries = Collection(
        np.array([0, 1, 51]), np.concatenate(terms), np.ones(51, np.float32), (2, real.queries.shape[1])
    )
    hits = search(real_index, queries, postings_budget=1200, rescored=10)
    assert hits.exact.tolist() == [True, False]
    return hits


def test_hits_unpack_into_two(stopped: thresher.Hits) -> None:
    ids, scores = stopped
    assert ids is stopped.ids is stopped[0]
    assert scores is stopped.scores is stopped[1]
    assert len(stopped) == 2
    assert stopped._fields == ("ids", "scores")
    assert "exact" in repr(stopped)


def test_copies_of_hits_keep_what_is_exact(stopped: thresher.Hits) -> None:
    copies = [copy.copy(stopped), copy.deepcopy(stopped)]
    copies += [pickle.loads(pickle.dumps(stopped, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in copies:
        assert type(other) is thresher.Hits
        assert same(other, stopped)
        assert other.exact.dtype == np.bool_
        assert other.exact.tolist() == [True, False]


def test_hits_without_limits_are_exact(engine: Any) -> None:
    index = engine.build(DOCS)
    for n_queries in (0, 1, 5):
        hits = index.search(DOCS[:n_queries], 2)
        assert hits.exact.dtype == np.bool_
        assert hits.exact.tolist() == [True] * n_queries
        assert pickle.loads(pickle.dumps(hits)).exact.tolist() == [True] * n_queries
    one = index.search_one([0], [1.0], 2)
    assert one.exact.dtype == np.bool_
    assert one.exact.shape == ()
    assert one.exact


def test_hits_of_ones_own() -> None:
    ids, scores = np.array([[1, 2]]), np.array([[2, 1]], np.float32)
    assert thresher.Hits(ids, scores).exact.tolist() == [False]
    mine = thresher.Hits(ids, scores, np.array([True]))
    assert mine.exact.tolist() == [True]
    assert thresher.Hits(ids[0], scores[0]).exact.shape == ()
    with pytest.raises(AttributeError):
        mine.exact = np.array([True])  # type: ignore[misc]


# -------------------------------------------------------------------------------------- files, parts, parameters


def test_there_are_no_build_parameters() -> None:
    assert thresher.ImpactIndex.build(DOCS).params == {}
    with pytest.raises(TypeError, match="reorder"):
        thresher.ImpactIndex.build(DOCS, reorder=True)  # type: ignore[call-arg]


def test_nbytes_by_part(real: Case, real_index: thresher.ImpactIndex, tmp_path: Path) -> None:
    sizes = real_index.nbytes
    assert set(sizes) == {"vocabulary", "forward", "quantiser", "segments", "rare"}
    real_index.save(tmp_path / "docs.thresher")
    sections = thresher.describe(tmp_path / "docs.thresher")["sections"]
    for part, size in sizes.items():
        assert size == sum(section["nbytes"] for section in sections if section["name"].split("/")[0] == part)
    assert sum(sizes.values()) == sum(section["nbytes"] for section in sections if section["name"] != "parameters")
    frequencies = np.bincount(real.docs.indices)
    levelled = frequencies[frequencies >= 16]
    assert sizes["segments"] == 2 * levelled.sum() + (32 + 60) * levelled.size + 32 + 16
    rare = frequencies[(frequencies > 0) & (frequencies < 16)]
    assert 5 * rare.sum() > sizes["rare"] > (1 + (len(real.docs.indptr) - 2).bit_length() / 8) * rare.sum()


CALLS = pytest.mark.parametrize(("call", "arguments"), [("search", (DOCS,)), ("search_one", ([0, 2], [1.0, 1.0]))])


@CALLS
def test_fewer_documents_scored_than_hits_wanted_are_as_many(call: str, arguments: Anything) -> None:
    index = thresher.ImpactIndex.build(DOCS)
    for k, rescored in ((10, 9), (2, 1), (7, 6)):
        few, enough = (getattr(index, call)(*arguments, k, rescored=n, postings_budget=1) for n in (rescored, k))
        assert few.ids.shape[-1] == min(k, 5)
        np.testing.assert_array_equal(few.ids, enough.ids)
