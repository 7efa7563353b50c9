"""What every engine may be told of a search: which documents, which scores, how many. Each against brute force."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import thresher
from engine_forms import DOCS, Engine, Options, build, builds_of, each, exact_of, searches_of
from helpers import expect, same, search
from reference import Collection, assert_exact
from strategies import Case, cases, topical

Mask: TypeAlias = npt.NDArray[np.bool_]

N_DOCS = 3000
INFINITE = np.float32(np.inf)


class Scored(NamedTuple):
    """A collection, and the score of every document for every query."""

    case: Case
    scores: npt.NDArray[np.float32]


def scores_of(case: Case) -> npt.NDArray[np.float32]:
    """Return every score, as a search returns it: of hits that a float64 brute force agrees with."""
    n = case.docs.shape[0]
    exact = thresher.ExactIndex.build(case.docs.triple, shape=case.docs.shape)
    assert_exact(search(exact, case.queries, max(n, 1)), case.docs, case.queries, n)
    hits = search(exact, case.queries, max(n, 1), fill=True)
    scores = np.zeros(hits.ids.shape, np.float32)
    np.put_along_axis(scores, hits.ids, hits.scores, axis=1)
    return scores


def expected(scores: npt.NDArray[np.float32], k: int, allowed: Mask, min_score: float | None, *, fill: bool) -> Any:
    """Return the ids and scores of a query's row by brute force."""
    least = (-INFINITE if fill else np.float32(1e-45)) if min_score is None else np.float32(min_score)
    docs = np.flatnonzero(allowed & (scores >= least))
    best = docs[np.lexsort((docs, -scores[docs]))][:k]
    padding = min(k, len(scores)) - len(best)
    return np.append(best, [-1] * padding), np.append(scores[best], np.full(padding, -INFINITE))


def assert_row(hits: thresher.Hits, row: int, wanted: Any, what: object) -> None:
    assert np.array_equal(hits.ids[row], wanted[0]), what
    assert np.array_equal(hits.scores[row], wanted[1]), what


@pytest.fixture(scope="module")
def scored() -> Scored:
    case = topical(N_DOCS, 12, seed=31)
    rng = np.random.default_rng(5)
    signs = np.where(rng.random(case.queries.data.size) < 0.15, -1, 1).astype(np.float32)
    case = case._replace(queries=case.queries._replace(data=case.queries.data * signs))
    return Scored(case, scores_of(case))


def masks(n_docs: int) -> dict[str, Mask]:
    """Return selections of every size, scattered and side by side."""
    rng = np.random.default_rng(8)
    numbers = np.arange(n_docs)
    return {
        "all": np.ones(n_docs, bool),
        "90%": rng.random(n_docs) < 0.9,
        "a third": rng.random(n_docs) < 0.34,
        "the first half": numbers < n_docs // 2,
        "a tenth in the middle": np.abs(numbers - n_docs // 2) < n_docs // 18,
        "one in a hundred": numbers % 100 == 7,
        "one": numbers == n_docs - 1,
        "none": np.zeros(n_docs, bool),
    }


# ---------------------------------------------------------------------------------------------- which documents


@pytest.mark.kernels
@pytest.mark.parametrize(("engine", "params"), each(exact_of))
def test_the_best_of_those_allowed(engine: Engine, params: Options, scored: Scored) -> None:
    index = build(engine, scored.case.docs, **builds_of(engine.engine)[0])
    queries = scored.case.queries
    cases_of_options: list[Options] = [{}, {"min_score": 9.0}, {"fill": True}, {"fill": True, "min_score": -0.5}]
    for name, mask in masks(N_DOCS).items():
        selection = index.select(mask)
        for k, options in ((10, {}), *((1000, options) for options in cases_of_options)):
            hits = search(index, queries, k, allowed=selection, **options, **params)
            for row, scores in enumerate(scored.scores):
                least, fill = options.get("min_score"), "fill" in options
                assert_row(hits, row, expected(scores, k, mask, least, fill=fill), (name, k, options, row))
            assert hits.exact.all()


def test_the_forms_in_which_documents_are_named(engine: Engine, scored: Scored) -> None:
    index = build(engine, scored.case.docs)
    queries = scored.case.queries
    mask = masks(N_DOCS)["a third"]
    ids = np.random.default_rng(1).permutation(np.flatnonzero(mask))
    wanted = search(index, queries, 20, allowed=index.select(mask))
    n_queries = queries.shape[0]
    for form in (
        mask,
        mask.tolist(),
        ids,
        ids.tolist(),
        ids.astype(np.uint16),
        set(ids.tolist()),
        index.select(ids),
        ~index.select(~mask),
        index.with_search_params().select(mask),
        [mask] * n_queries,
        (ids,) * n_queries,
        np.tile(mask, (n_queries, 1)),
        [index.select(mask), *[ids.tolist()] * (n_queries - 1)],
    ):
        assert same(search(index, queries, 20, allowed=form), wanted)
    for form in (~mask, np.flatnonzero(~mask), [~index.select(mask)] * n_queries):
        assert same(search(index, queries, 20, exclude=form), wanted)
    assert same(search(index, queries, 20, allowed=np.ones(N_DOCS, bool), exclude=~mask), wanted)
    assert same(search(index, queries, 20, allowed=[None] * n_queries), search(index, queries, 20))
    assert not (search(index, queries, 20, allowed=[]).ids >= 0).any()
    assert not (search(index, queries, 20, allowed=np.zeros(N_DOCS, bool)).ids >= 0).any()


@pytest.mark.parametrize(("engine", "params"), each(exact_of))
def test_each_query_has_its_own(engine: Engine, params: Options, scored: Scored, monkeypatch: Any) -> None:
    index = build(engine, scored.case.docs)
    queries = scored.case.queries
    all_masks = list(masks(N_DOCS).values())
    allowed = [all_masks[row % len(all_masks)] for row in range(queries.shape[0])]
    exclude = [np.arange(row, N_DOCS, 7) for row in range(queries.shape[0])]
    hits = search(index, queries, 50, allowed=allowed, exclude=exclude, **params)
    for row, scores in enumerate(scored.scores):
        mask = allowed[row].copy()
        mask[exclude[row]] = False
        assert_row(hits, row, expected(scores, 50, mask, None, fill=False), row)
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("thresher.engines.request._MAX_SELECTED", 5 * (N_DOCS // 8 + 1))
    parts = search(
        index, queries, 50, allowed=allowed, exclude=exclude, progress=lambda *at: told.append(at), threads=2, **params
    )
    assert parts == hits, "few queries at a time"
    assert told[-1] == (12, 12)
    assert told == sorted(told)
    ragged = search(index, queries, None, allowed=allowed, exclude=exclude, **params)
    for row, (ids, found) in enumerate(ragged.rows()):
        assert np.array_equal(ids[:50], hits.ids[row][: len(ids)])
        assert np.array_equal(found[:50], hits.scores[row][: len(ids)])
    counts = index.count(queries.triple, shape=queries.shape, allowed=allowed, exclude=exclude)
    assert counts.tolist() == [len(ids) for ids, _ in ragged.rows()]


@pytest.mark.parametrize(("engine", "params"), each(searches_of))
def test_nothing_else_is_returned(engine: Engine, params: Options, scored: Scored) -> None:
    index = build(engine, scored.case.docs, **builds_of(engine.engine)[0])
    for name, mask in masks(N_DOCS).items():
        hits = search(index, scored.case.queries, 30, allowed=mask, exclude=np.arange(0, N_DOCS, 5), **params)
        rest = mask & (np.arange(N_DOCS) % 5 != 0)
        for row, (ids, found) in enumerate(hits.rows()):
            assert rest[ids].all(), name
            assert np.array_equal(found, scored.scores[row][ids])
            if hits.exact[row]:
                assert_row(hits, row, expected(scored.scores[row], 30, rest, None, fill=False), name)


def test_the_library_s_own_budgets_find_k(engine: Engine, scored: Scored) -> None:
    index = build(engine, scored.case.docs)
    for name, mask in masks(N_DOCS).items():
        for k in (10, 100):
            hits = search(index, scored.case.queries, k, allowed=mask)
            for row, (ids, found) in enumerate(hits.rows()):
                wanted = expected(scored.scores[row], k, mask, None, fill=False)
                there = int((wanted[0] >= 0).sum())
                assert len(ids) == there, name
                assert (found >= (wanted[1][there - 1] if there else 0)).mean() >= 0.9 if there else True, name


def test_selections_are_sets(engine: Engine) -> None:
    index = engine.build(DOCS)
    some, other = index.select([0, 3]), index.select(np.array([False, False, True, True, False]))
    assert repr(some) == "<Selection: 2 of 5 documents>"
    assert (len(some), some.n_docs) == (2, 5)
    assert (some & other).ids().tolist() == [3]
    assert (some | other).ids().tolist() == [0, 2, 3]
    assert (some - other).ids().tolist() == [0]
    assert (~some).ids().tolist() == [1, 2, 4]
    assert other.mask().tolist() == [False, False, True, True, False]
    assert 3 in some
    assert 1 not in some
    assert some == index.select([3, 0, 3])
    assert some != other
    assert some != "a selection"
    assert len({some, index.select([3, 0]), other}) == 2
    for other_id in (5, -1, "a", 1.5, 2**70, None):
        assert other_id not in some
    assert list(some) == [0, 3]
    with expect(TypeError, "a Selection belongs to its index", "ids()"):
        pickle.dumps(some)
    with expect(ValueError, "the selections are of different indexes"):
        some & engine.build(DOCS).select([0])


def test_masked_arrays_and_sets_of_bools(engine: Engine) -> None:
    index = engine.build(DOCS)
    mask = np.ma.array([True, True, False, True, False], mask=[False, False, False, True, False])
    assert index.select(mask).ids().tolist() == [0, 1]
    assert index.select(np.ma.array([1, 2, 3], mask=[False, True, False])).ids().tolist() == [1, 3]
    with expect(TypeError, "documents must be booleans, document ids or a Selection, got set"):
        index.select({True, False})


def test_a_row_that_is_wrong_is_named_in_parts_too(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.engines.request._MAX_SELECTED", 1)
    index = engine.build(DOCS)
    queries = [{0: 1.0}, {1: 1.0}, {2: np.nan}]
    with expect(ValueError, "queries: row 2 has weight nan"):
        index.search(queries, allowed=[[0], [1], [2]])
    with expect(ValueError, "queries: row 1 has term 9"):
        index.count([{0: 1.0}, {9: 1.0}], allowed=[[0], [1]])


def test_one_query_with_options_is_checked_as_one_without(engine: Engine) -> None:
    index = engine.build(DOCS)
    for options in ({}, {"min_score": 1}):
        with expect(ValueError, "terms and weights differ in length: 2 and 1"):
            index.search_one([0, 1], [1.0], 2, **options)
        with expect(ValueError, "terms must have one dimension, got 2"):
            index.search_one([[0, 1]], [[1.0, 1.0]], 2, **options)
        with expect(TypeError, "search_one takes terms and weights"):
            index.search_one([0, 1], **options)
        with expect(ValueError, "the query must be one row, got shape (5, 3)"):
            index.search_one(DOCS, **options)


def test_a_selection_outlives_its_index(engine: Engine) -> None:
    index = engine.build(DOCS)
    some = index.select([0, 3])
    index.close()
    del index
    assert some.ids().tolist() == [0, 3]


@pytest.mark.parametrize("name", ["allowed", "exclude"])
@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ([5], ValueError, ["5 is not a document; the index has 5"]),
        ([-1], ValueError, ["-1 is not a document; the index has 5"]),
        (np.array([2**64 - 1], np.uint64), ValueError, ["18446744073709551615 is not a document"]),
        (np.ones(4, bool), ValueError, ["4 documents; the index has 5"]),
        (np.ones((3, 5), bool), ValueError, ["3 sets of documents for 2 queries"]),
        ([[0], [1], [2]], ValueError, ["3 sets of documents for 2 queries"]),
        ([[0], [9]], ValueError, ["[1]: 9 is not a document"]),
        (np.ones((2, 5, 1), bool), ValueError, ["must have one dimension, got 3"]),
        (np.bool_(True), ValueError, ["must have one dimension, got 0"]),
        ([0.5], TypeError, ["must be booleans, document ids or a Selection, got list of 1"]),
        ("01", TypeError, ["must be booleans, document ids or a Selection, got str"]),
        ([["a"], [0]], TypeError, ["[0] must be booleans, document ids or a Selection"]),
        (thresher.ExactIndex.build(DOCS).select([0]), ValueError, ["the selection is of another index"]),
    ],
    ids=str,
)
def test_what_is_no_set_of_documents(
    name: str, wrong: Any, error: type[Exception], words: list[str], engine: Engine
) -> None:
    index = engine.build(DOCS)
    with expect(error, name, *words):
        index.search(DOCS[:2], 2, **{name: wrong})


# ------------------------------------------------------------------------------------------------- which scores


def test_scores_that_are_asked_for(engine: Engine, scored: Scored) -> None:
    index = build(engine, scored.case.docs)
    queries = scored.case.queries
    for least in (1e-30, 3.3, 12.5, 1e9, np.inf):
        hits = search(index, queries, None, min_score=least)
        counts = [int((scores >= np.float32(least)).sum()) for scores in scored.scores]
        assert index.count(queries.triple, shape=queries.shape, min_score=least).tolist() == counts
        if hits.exact.all():
            assert [len(ids) for ids, _ in hits.rows()] == counts
    counts = [int((scores > 0).sum()) for scores in scored.scores]
    assert index.count(queries.triple, shape=queries.shape).tolist() == counts
    assert [len(ids) for ids, _ in search(index, queries, None).rows()] == counts
    kth = float(np.sort(scored.scores[0])[-10])
    one = index.search_one(*(part[: queries.indptr[1]] for part in queries.triple[1:]), k=50, min_score=kth)
    assert one.scores[9] == np.float32(kth), "the k-th score itself is enough"
    assert one.scores[10] == -np.inf


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"min_score": 0}, ValueError, ["min_score must be > 0 in float32, got 0", "fill"]),
        ({"min_score": -2.5}, ValueError, ["min_score must be > 0 in float32, got -2.5", "fill"]),
        ({"min_score": np.nan}, ValueError, ["min_score must be a number, got nan"]),
        ({"min_score": np.nan, "fill": True}, ValueError, ["min_score must be a number, got nan"]),
        ({"min_score": "1"}, TypeError, ["min_score must be a number, got str"]),
        ({"fill": 1}, TypeError, ["fill must be a bool, got int"]),
        ({"exact": None}, TypeError, ["exact must be a bool, got NoneType"]),
        ({"unknown_terms": "drop"}, ValueError, ["unknown_terms must be 'error' or 'ignore', got 'drop'"]),
        ({"unknown_terms": None}, TypeError, ["unknown_terms must be a string, got NoneType"]),
    ],
    ids=str,
)
def test_options_that_are_wrong(options: Options, error: type[Exception], words: list[str], engine: Engine) -> None:
    index = engine.build(DOCS)
    with expect(error, *words):
        index.search(DOCS, **options)
    with expect(error, *words):
        index.search_one({0: 1.0}, **options)


def test_k_beyond_the_documents_takes_no_more_columns(engine: Engine) -> None:
    index = engine.build(DOCS)
    assert index.search(DOCS, 2**24).ids.shape == (5, 5)
    assert index.search_one({0: 1.0}, k=2**24).ids.shape == (5,)
    assert engine.build(sp.csr_array((0, 3), dtype=np.float32)).search(DOCS, 7).ids.shape == (5, 0)


# -------------------------------------------------------------------------------------------------- which terms


def test_terms_that_the_index_never_saw(engine: Engine) -> None:
    index = engine.build(DOCS)
    known = index.search_one([0], [1.0], 3)
    beyond: list[Any] = [{0: 1.0, 7: 1.0}, sp.csr_array(([1.0, 1.0], ([0, 0], [0, 7])), shape=(1, 8))]
    for query in beyond:
        with expect(ValueError, "row 0 has term 7, but there are only 3 terms"):
            index.search_one(query, k=3)
        with expect(ValueError, "row 0 has term 7, but there are only 3 terms"):
            index.search([query], 3)
        assert same(index.search_one(query, k=3, unknown_terms="ignore"), known)
        assert np.array_equal(index.search([query], 3, unknown_terms="ignore").ids[0], known.ids)
    assert same(index.search_one([7, 0], [1.0, 1.0], 3, unknown_terms="ignore"), known)
    assert same(index.search_one([2**32 - 2, 0], [9.0, 1.0], 3, unknown_terms="ignore"), known)
    assert index.search_one([7], [1.0], 3, unknown_terms="ignore").exact
    assert index.count(beyond, unknown_terms="ignore").tolist() == [3, 3]
    wide = sp.csr_array(([1.0], ([0], [0])), shape=(1, 8))
    for options in ({}, {"unknown_terms": "ignore"}):
        assert np.array_equal(index.search(wide, 3, **options).ids[0], known.ids), "empty columns are no error"
        assert same(index.search_one(wide, k=3, **options), known)


# ------------------------------------------------------------------------------------------- what exact promises


@pytest.mark.parametrize(("engine", "params"), each(searches_of))
def test_hits_that_must_be_exact(engine: Engine, params: Options, scored: Scored) -> None:
    index = build(engine, scored.case.docs, **builds_of(engine.engine)[0])
    mask = masks(N_DOCS)["90%"]
    hits = search(index, scored.case.queries, 10, exact=True, allowed=mask, **params)
    assert hits.exact.all()
    for row, scores in enumerate(scored.scores):
        assert_row(hits, row, expected(scores, 10, mask, None, fill=False), row)


@settings(max_examples=60)
@given(case=cases(), data=st.data())
def test_what_says_exact_is_exact(case: Case, data: st.DataObject) -> None:
    n_docs = case.docs.shape[0]
    name = data.draw(st.sampled_from(sorted(thresher.engines())))
    params = data.draw(st.sampled_from(searches_of(name)))
    index = build(thresher.engines()[name], case.docs, **builds_of(name)[0])
    scores = scores_of(case)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    mask = rng.random(n_docs) < data.draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    fill = data.draw(st.booleans())
    positive = np.unique(scores[scores > 0])
    least = float(rng.choice(positive)) if positive.size and data.draw(st.booleans()) else None
    k = data.draw(st.sampled_from([1, 3, 10, 400]))
    hits = search(index, case.queries, k, allowed=mask, fill=fill, min_score=least, **params)
    without_limits = params in exact_of(name)
    for row in range(case.queries.shape[0]):
        wanted = expected(scores[row], k, mask, least, fill=fill)
        there = hits.ids[row][hits.ids[row] >= 0]
        assert mask[there].all()
        assert np.array_equal(hits.scores[row][: len(there)], scores[row][there])
        if hits.exact[row]:
            assert_row(hits, row, wanted, (name, params))
        if without_limits:
            assert hits.exact[row], (name, params)


def test_collections_of_nothing(engine: Engine) -> None:
    empty = engine.build(sp.csr_array((4, 3), dtype=np.float32))
    assert empty.search(DOCS, 2).exact.all()
    assert empty.search(DOCS[:1], 3, fill=True).ids.tolist() == [[0, 1, 2]]
    assert empty.search(DOCS[:1], 3, fill=True, exclude=[1]).scores.tolist() == [[0, 0, 0]]
    assert empty.count(DOCS).tolist() == [0] * 5
    assert empty.search(DOCS, None).ids.size == 0
    no_queries = Collection(np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.float32), (0, 3))
    assert search(empty, no_queries, 2, allowed=[0]).ids.shape == (0, 2)
    assert not list(search(empty, no_queries, None).rows())
