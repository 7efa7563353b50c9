"""ImpactIndex against a float64 brute force: equal to it wherever it says that nothing stopped it, else close to it."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import thresher
from helpers import assert_among, exhaustive, expect, recall, same, search
from reference import Collection, assert_exact, from_scipy
from strategies import Case, cases, topical

Anything: TypeAlias = Any  # arguments that are wrong on purpose

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0], [1, 0, 2]], np.float32))
LIMITS: list[dict[str, Any]] = [
    {"postings_budget": 300},
    {"postings_budget": 2000, "rescored": 30},
    {"postings_budget": 2**40, "deadline_us": 1e9},
]
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
    assert hits.complete.tolist() == [True] * case.queries.shape[0]


@pytest.mark.kernels
@given(
    case=cases(),
    k=st.integers(1, 30),
    postings_budget=st.integers(1, 400),
    more=st.sampled_from([0, 5, 100, None]),
    deadline_us=st.sampled_from([0, 1, 30, 1e9]),
)
def test_equals_brute_force_where_it_says_that_it_is_complete(
    case: Case, k: int, postings_budget: int, more: int | None, deadline_us: float
) -> None:
    rescored = 0 if more is None else k + more
    limits = {"postings_budget": postings_budget, "rescored": rescored, "deadline_us": deadline_us}
    hits = search(build(case.docs), case.queries, k, **limits)
    assert hits.complete.dtype == np.bool_
    assert hits.complete.shape == (case.queries.shape[0],)
    assert_among(hits, exhaustive(case.docs, case.queries, max(case.docs.shape[0], 1)))
    assert_same_ids(only(hits, hits.complete), only(exhaustive(case.docs, case.queries, k), hits.complete))


@pytest.mark.kernels
@pytest.mark.parametrize("k", [1, 10, 100, 1000, N_REAL + 1])
def test_learned_vectors(real: Case, real_index: thresher.ImpactIndex, k: int) -> None:
    hits = search(real_index, real.queries, k)
    assert same(hits, exhaustive(real.docs, real.queries, k))
    assert np.all(hits.complete)


@pytest.mark.kernels
def test_learned_vectors_with_negative_query_weights(real: Case, real_index: thresher.ImpactIndex) -> None:
    signs = np.where(np.random.default_rng(1).random(real.queries.data.size) < 0.5, -1, 1).astype(np.float32)
    queries = real.queries._replace(data=real.queries.data * signs)
    for k in (1, 10, N_REAL + 1):
        assert same(search(real_index, queries, k), exhaustive(real.docs, queries, k))


@pytest.mark.kernels
def test_documents_of_more_windows_than_one() -> None:
    rng = np.random.default_rng(4)
    rows = np.sort(rng.choice(140_000, 3000, replace=False))
    rows[:3], rows[-1] = (65_471, 65_472, 65_535), 139_999
    dense = np.where(rng.random((3000, 30)) < 0.3, rng.uniform(0.1, 3, (3000, 30)), 0).astype(np.float32)
    filled = sp.coo_array(dense)
    docs = from_scipy(sp.csr_array((filled.data, (rows[filled.row], filled.col)), shape=(140_000, 30)))
    queries = from_scipy(sp.csr_array(rng.uniform(-0.3, 1, (12, 30)).astype(np.float32)))
    index = build(docs)
    for k in (1, 20, 3500):
        assert same(search(index, queries, k), exhaustive(docs, queries, k))
    hits = search(index, queries, postings_budget=1500, rescored=10)
    assert_among(hits, exhaustive(docs, queries, 3500))


@pytest.mark.kernels
def test_all_weights_equal_gives_the_smallest_ids() -> None:
    docs = from_scipy(sp.csr_array(np.ones((3000, 3), np.float32)))
    index = build(docs)
    for limits in ({}, {"postings_budget": 9000}):
        hits = search(index, from_scipy(sp.csr_array(np.ones((1, 3), np.float32))), 200, **limits)
        np.testing.assert_array_equal(hits.ids[0], np.arange(200))
        np.testing.assert_array_equal(hits.scores[0], np.full(200, 3, np.float32))


@pytest.mark.kernels
@pytest.mark.parametrize("huge", [10.0, 1e4, 1e30])
def test_one_huge_weight_does_not_drown_the_others(huge: float) -> None:
    rng = np.random.default_rng(5)
    dense = rng.uniform(0.1, 3, (1000, 6)).astype(np.float32)
    dense[625, 0] = huge
    asked = rng.uniform(0.1, 2, (20, 6)).astype(np.float32)
    docs = from_scipy(sp.csr_array(dense))
    index = build(docs)
    for weights in (asked, asked * np.array([1, huge, 1, 1, 1, 1], np.float32)):
        queries = from_scipy(sp.csr_array(weights))
        assert same(search(index, queries, 20), exhaustive(docs, queries, 20))


@pytest.mark.kernels
def test_light_terms_beside_a_huge_one() -> None:
    index = thresher.ImpactIndex.build(sp.csr_array(np.array([[1e30, 0], [1e-10, 0], [0, 1]], np.float32)))
    assert index.search_one([0, 1], [1, 1], 2).ids.tolist() == [0, 2]


@pytest.mark.kernels
def test_codes_with_256_of_4096_dimensions() -> None:
    rng = np.random.default_rng(3)
    terms = np.sort(np.argsort(rng.random((1000, 4096)), axis=1)[:, :256], axis=1).astype(np.uint32)
    weights = rng.gamma(2, 0.5, terms.size).astype(np.float32) + np.float32(0.01)
    docs = Collection(np.arange(0, terms.size + 1, 256), terms.ravel(), weights, (1000, 4096))
    queries = docs.rows(np.arange(0, 1000, 100))
    index = build(docs)
    assert same(search(index, queries, 5), exhaustive(docs, queries, 5))
    np.testing.assert_array_equal(search(index, queries, 1, postings_budget=20_000).ids[:, 0], np.arange(0, 1000, 100))


def test_a_query_of_very_many_terms() -> None:
    rng = np.random.default_rng(7)
    indices = rng.permutation(40_000).astype(np.uint32)
    docs = Collection(np.arange(0, 40_001, 40), indices, rng.uniform(0.1, 2, 40_000).astype(np.float32), (1000, 40_000))
    terms = np.arange(40_000, dtype=np.uint32)
    queries = Collection(np.array([0, 40_000]), terms, rng.uniform(0.1, 2, 40_000).astype(np.float32), (1, 40_000))
    index = build(docs)
    for k in (10, 1000):
        assert_exact(search(index, queries, k), docs, queries, k)
    assert_among(search(index, queries, 20, postings_budget=3000), exhaustive(docs, queries, 1000))


@pytest.mark.kernels
def test_scores_beyond_and_below_float32() -> None:
    docs = sp.csr_array(np.array([[1e30, 0], [2e30, 0], [0, 1], [3e38, 3e38]], np.float32))
    hits = thresher.ImpactIndex.build(docs).search(sp.csr_array(np.array([[1e30, 1]], np.float32)), 4)
    assert hits.ids.tolist() == [[0, 1, 3, 2]]
    assert hits.scores.tolist() == [[np.inf, np.inf, np.inf, 1.0]]
    docs = sp.csr_array(np.array([[1e-30], [1e-10]], np.float32))
    hits = thresher.ImpactIndex.build(docs).search(sp.csr_array(np.array([[1e-30]], np.float32)), 2)
    assert hits.ids.tolist() == [[1, -1]]


def test_negative_weights_count_and_never_lift_a_document_without_the_term() -> None:
    docs = sp.csr_array(np.array([[1, 1, 0], [2, 0, 0], [0, 0, 5], [3, 0, 3]], np.float32))
    queries = sp.csr_array(np.array([[1, -1, 0], [-1, 0, 1], [-1, -1, -1], [0, -2, 0], [0, 0, 0]], np.float32))
    hits = thresher.ImpactIndex.build(docs).search(queries, 3)
    assert hits.ids.tolist() == [[3, 1, -1], [2, -1, -1], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]]
    assert hits.scores[0, :2].tolist() == [3, 2]


# ------------------------------------------------------------------------------------------------------ limits


@pytest.mark.kernels
def test_recall_grows_with_the_budget(real: Case, real_index: thresher.ImpactIndex, best: thresher.Hits) -> None:
    budgets = (1, 300, 1000, 3000, 10_000, 2**40)
    hits = [search(real_index, real.queries, postings_budget=budget, rescored=40) for budget in budgets]
    recalls = [recall(some, best) for some in hits]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.3
    assert recalls[-1] == 1
    assert [int(some.complete.sum()) for some in hits[:2]] == [0, 0]
    assert np.all(hits[-1].complete)
    for some in hits:
        assert same(only(some, some.complete), only(best, some.complete))


def test_recall_grows_with_the_documents_scored(
    real: Case, real_index: thresher.ImpactIndex, best: thresher.Hits
) -> None:
    recalls = [
        recall(search(real_index, real.queries, postings_budget=1500, rescored=n), best) for n in (10, 20, 50, 400)
    ]
    assert recalls == sorted(recalls)
    assert recalls[-1] > recalls[0] + 0.1


@pytest.mark.kernels
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_scores_of_what_is_found_are_exact(
    real: Case, real_index: thresher.ImpactIndex, everything: thresher.Hits, limits: Any
) -> None:
    assert_among(search(real_index, real.queries, **limits), everything)


@pytest.mark.parametrize("deadline_us", [5e-324, 1, 20, 300, 1e9, 1e308, np.inf])
def test_a_deadline_leaves_true_scores(
    real: Case, real_index: thresher.ImpactIndex, everything: thresher.Hits, best: thresher.Hits, deadline_us: float
) -> None:
    for budget in (0, 500):
        hits = search(real_index, real.queries, deadline_us=deadline_us, postings_budget=budget)
        assert_among(hits, everything)
        assert same(only(hits, hits.complete), only(best, hits.complete))
        if deadline_us >= 1e9:
            assert same(hits, search(real_index, real.queries, postings_budget=budget))
    if deadline_us < 1:
        assert not hits.complete.any()


def test_a_limit_of_0_is_none(real: Case, real_index: thresher.ImpactIndex, best: thresher.Hits) -> None:
    hits = search(real_index, real.queries, postings_budget=0, deadline_us=0, rescored=0)
    assert same(hits, best)
    assert np.all(hits.complete)


@pytest.mark.parametrize("limits", [{}, *LIMITS], ids=str)
def test_search_one_equals_search(real: Case, real_index: thresher.ImpactIndex, limits: Any) -> None:
    hits = search(real_index, real.queries, 25, **limits)
    for row in range(0, real.queries.shape[0], 3):
        entries = slice(real.queries.indptr[row], real.queries.indptr[row + 1])
        one = real_index.search_one(real.queries.indices[entries], real.queries.data[entries], 25, **limits)
        assert one.ids.tobytes() == hits.ids[row].tobytes()
        assert one.scores.tobytes() == hits.scores[row].tobytes()
        assert one.complete.shape == ()
        assert bool(one.complete) == hits.complete[row]


@pytest.mark.parametrize("limits", [{}, *LIMITS], ids=str)
def test_threads_do_not_matter(real: Case, real_index: thresher.ImpactIndex, limits: Any) -> None:
    many = real.queries.rows(np.arange(600) % 60)
    hits = [search(real_index, many, threads=threads, **limits) for threads in (1, 2, 5)]
    for other in hits[1:]:
        assert same(hits[0], other)
        np.testing.assert_array_equal(hits[0].complete, other.complete)
    for start in range(60, 600, 60):
        np.testing.assert_array_equal(hits[0].ids[start : start + 60], hits[0].ids[:60])
        np.testing.assert_array_equal(hits[0].complete[start : start + 60], hits[0].complete[:60])


# --------------------------------------------------------------------------------------------- hits: complete


@pytest.fixture(scope="module")
def stopped(real: Case, real_index: thresher.ImpactIndex) -> thresher.Hits:
    """Return hits of which some are complete and some are not."""
    terms = [real.queries.indices[:1], real.queries.indices[:50]]
    queries = Collection(
        np.array([0, 1, 51]), np.concatenate(terms), np.ones(51, np.float32), (2, real.queries.shape[1])
    )
    hits = search(real_index, queries, postings_budget=1200, rescored=10)
    assert hits.complete.tolist() == [True, False]
    return hits


def test_hits_unpack_into_two(stopped: thresher.Hits) -> None:
    ids, scores = stopped
    assert ids is stopped.ids is stopped[0]
    assert scores is stopped.scores is stopped[1]
    assert len(stopped) == 2
    assert stopped._fields == ("ids", "scores")
    assert "complete" not in repr(stopped)


def test_copies_of_hits_keep_what_was_complete(stopped: thresher.Hits) -> None:
    copies = [copy.copy(stopped), copy.deepcopy(stopped)]
    copies += [pickle.loads(pickle.dumps(stopped, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for other in copies:
        assert type(other) is thresher.Hits
        assert same(other, stopped)
        assert other.complete.dtype == np.bool_
        assert other.complete.tolist() == [True, False]


def test_hits_of_an_engine_that_takes_no_limits_are_complete(engine: Any) -> None:
    index = engine.build(DOCS)
    for n_queries in (0, 1, 5):
        hits = index.search(DOCS[:n_queries], 2)
        assert hits.complete.dtype == np.bool_
        assert hits.complete.tolist() == [True] * n_queries
        assert pickle.loads(pickle.dumps(hits)).complete.tolist() == [True] * n_queries
    one = index.search_one([0], [1.0], 2)
    assert one.complete.dtype == np.bool_
    assert one.complete.shape == ()
    assert one.complete


def test_hits_of_ones_own() -> None:
    ids, scores = np.array([[1, 2]]), np.array([[2, 1]], np.float32)
    assert thresher.Hits(ids, scores).complete.tolist() == [True]
    mine = thresher.Hits(ids, scores, np.array([False]))
    assert mine.complete.tolist() == [False]
    assert thresher.Hits(ids[0], scores[0]).complete.shape == ()
    with pytest.raises(AttributeError):
        mine.complete = np.array([True])  # type: ignore[misc]


# -------------------------------------------------------------------------------------- files, parts, parameters


def test_the_file_does_not_depend_on_threads(real: Case, tmp_path: Path) -> None:
    files = []
    for threads in (1, 2, 5):
        build(real.docs, threads=threads).save(tmp_path / "docs.thresher")
        files.append((tmp_path / "docs.thresher").read_bytes())
    assert files[0] == files[1] == files[2]


def test_a_file_gives_the_same(real: Case, real_index: thresher.ImpactIndex, tmp_path: Path) -> None:
    real_index.save(tmp_path / "docs.thresher")
    for verify in (True, False):
        opened = thresher.open(tmp_path / "docs.thresher", verify=verify)
        assert isinstance(opened, thresher.ImpactIndex)
        assert (opened.params, opened.nbytes) == (real_index.params, real_index.nbytes)
        for limits in [{}, *LIMITS]:
            hits, expected = (search(one, real.queries, **limits) for one in (opened, real_index))
            assert same(hits, expected)
            np.testing.assert_array_equal(hits.complete, expected.complete)


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
    assert sizes["rare"] == 5 * rare.sum() + 8 * (rare.size + 1)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 0), (1, 3), (300, 1)])
def test_collections_without_weights(shape: tuple[int, int], tmp_path: Path) -> None:
    index = thresher.ImpactIndex.build(sp.csr_array(shape, dtype=np.float32))
    index.save(tmp_path / "empty.thresher")
    opened = thresher.open(tmp_path / "empty.thresher")
    assert isinstance(opened, thresher.ImpactIndex)
    for one in (index, opened):
        for limits in [{}, *LIMITS, {"deadline_us": 1}]:
            hits = one.search(sp.csr_array((2, shape[1]), dtype=np.float32), 2, **limits)
            assert hits.ids.tolist() == [[-1, -1]] * 2
            assert hits.complete.tolist() == [True, True]


CALLS = pytest.mark.parametrize(("call", "arguments"), [("search", (DOCS,)), ("search_one", ([0, 2], [1.0, 1.0]))])


@CALLS
@pytest.mark.parametrize("name", ["postings_budget", "rescored"])
def test_counts_out_of_range(call: str, arguments: Anything, name: str) -> None:
    index = thresher.ImpactIndex.build(DOCS)
    for count in (-1, -(2**63)):
        with expect(ValueError, f"{name} must be >= 0", f"got {count}"):
            getattr(index, call)(*arguments, **{name: count})
    for count in (2**63, -(2**63) - 1, 10**30):
        with expect(ValueError, f"{name} is out of range", f"got {count}"):
            getattr(index, call)(*arguments, **{name: count})
    for wrong in (1.0, "1", [1]):
        with expect(TypeError, f"{name} must be a whole number", type(wrong).__name__):
            getattr(index, call)(*arguments, **{name: wrong})
    for good in (2**63 - 1, 0, np.int8(9)):
        assert same(getattr(index, call)(*arguments, 3, **{name: good}), getattr(index, call)(*arguments, 3))


@CALLS
def test_fewer_documents_scored_than_hits_wanted_are_as_many(call: str, arguments: Anything) -> None:
    index = thresher.ImpactIndex.build(DOCS)
    for k, rescored in ((10, 9), (2, 1), (7, 6)):
        few, enough = (getattr(index, call)(*arguments, k, rescored=n, postings_budget=1) for n in (rescored, k))
        assert few.ids.shape[-1] == k
        np.testing.assert_array_equal(few.ids, enough.ids)


@CALLS
def test_deadlines_out_of_range(call: str, arguments: Anything) -> None:
    index = thresher.ImpactIndex.build(DOCS)
    for deadline in (-0.5, -1e-9, np.nan, -np.inf):
        with expect(ValueError, "deadline_us must be >= 0", "got"):
            getattr(index, call)(*arguments, deadline_us=deadline)
    for wrong in ("x", b"1", [0.5]):
        with expect(TypeError, "deadline_us must be a number", type(wrong).__name__):
            getattr(index, call)(*arguments, deadline_us=wrong)
    for good in (0, 10**9, np.float32(1e9), np.inf):
        assert same(getattr(index, call)(*arguments, deadline_us=good), getattr(index, call)(*arguments))


def test_bad_queries_of_a_search_with_limits() -> None:
    index = thresher.ImpactIndex.build(DOCS)
    with expect(ValueError, "queries", "row 0", "nan", "term 1", "finite"):
        index.search(sp.csr_array(np.array([[0, np.nan, 1]], np.float32)), postings_budget=5)
    with expect(ValueError, "queries", "row 0", "term 3", "3 terms"):
        index.search(sp.csr_array(np.array([[0, 0, 0, 1]], np.float32)), postings_budget=5)
    with expect(TypeError, "queries"):
        index.search([[1.0, 0, 0]], postings_budget=5)
    with expect(ValueError, "term 3"):
        index.search_one([3], [1.0], postings_budget=5)
    with expect(ValueError, "k must be"):
        index.search_one([0], [1.0], 0, postings_budget=5)
    index.close()
    with expect(ValueError, "the index is closed"):
        index.search(DOCS)
    with expect(ValueError, "the index is closed"):
        index.search_one([0], [1.0])


# ------------------------------------------------------------------------------------------ long calls: progress


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_of_a_build_is_monotone(real: Case, threads: int) -> None:
    calls: list[tuple[int, int]] = []
    build(real.docs, threads=threads, progress=lambda *call: calls.append(call))
    assert {total for _, total in calls} == {N_REAL}
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (N_REAL, N_REAL)


def test_progress_of_a_search_with_limits_is_monotone(real: Case, real_index: thresher.ImpactIndex) -> None:
    calls: list[tuple[int, int]] = []
    many = real.queries.rows(np.arange(3000) % 60)
    before = search(real_index, many, postings_budget=500, progress=lambda *call: calls.append(call))
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (3000, 3000)

    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError("from progress")

    with pytest.raises(ZeroDivisionError, match="from progress"):
        search(real_index, many, postings_budget=500, progress=fail)
    assert same(search(real_index, many, postings_budget=500), before)
