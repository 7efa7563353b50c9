"""Pages: of an exact engine the parts of one longer search, of any engine no document twice and none left out."""

from __future__ import annotations

import numpy as np
import pytest

import thresher
from engine_forms import DOCS, Engine, Options, build, each, exact_of
from helpers import exhaustive, expect, recall, search
from strategies import Case, topical


@pytest.fixture(scope="module")
def case() -> Case:
    return topical(4000, 40, seed=44)


@pytest.mark.parametrize(("engine", "params"), each(exact_of))
def test_of_exact_searches_are_parts_of_one(engine: Engine, params: Options, case: Case) -> None:
    index = build(engine, case.docs)
    whole = search(index, case.queries, 35, **params)
    shorter = search(index, case.queries, 10, **params)
    assert np.array_equal(shorter.ids, whole.ids[:, :10]), "the best 10 begin the best 35"
    pages = [shorter]
    for k in (5, 20):
        pages.append(search(index, case.queries, k, after=pages[-1], **params))
    assert np.array_equal(np.hstack([page.ids for page in pages]), whole.ids)
    assert np.array_equal(np.hstack([page.scores for page in pages]), whole.scores)
    assert np.array_equal(pages[-1].cursor, whole.ids)
    by_cursor = search(index, case.queries, 20, after=pages[1].cursor.tolist(), **params)
    assert by_cursor == pages[-1]
    assert by_cursor.exact.all()


def test_of_any_engine_have_the_recall_of_one_search(engine: Engine, case: Case) -> None:
    index = build(engine, case.docs)
    best = exhaustive(case.docs, case.queries, 50)
    page = search(index, case.queries, 10)
    pages = [page]
    for _ in range(4):
        page = search(index, case.queries, 10, after=page)
        pages.append(page)
    ids = np.hstack([page.ids for page in pages])
    for row in ids:
        assert np.unique(row).size == 50, "no document comes twice"
    joined = thresher.Hits(ids, np.hstack([page.scores for page in pages]))
    assert recall(joined, best) >= recall(search(index, case.queries, 50), best) - 0.01
    assert np.array_equal(pages[-1].cursor, ids)


def test_end_where_there_is_no_more(engine: Engine) -> None:
    index = engine.build(DOCS)
    first = index.search_one({0: 1.0}, k=2)
    second = index.search_one({0: 1.0}, k=2, after=first)
    third = index.search_one({0: 1.0}, k=2, after=second)
    assert [first.ids.tolist(), second.ids.tolist(), third.ids.tolist()] == [[3, 0], [4, -1], [-1, -1]]
    assert third.cursor.tolist() == [3, 0, 4, -1, -1, -1]
    assert index.search_one({0: 1.0}, k=5, after=second, fill=True).ids.tolist() == [1, 2, -1, -1, -1]
    assert index.search_one({0: 1.0}, k=2, after=first, exclude=[4]).ids.tolist() == [-1, -1]
    assert index.search_one({0: 1.0}, k=2, after=first, allowed=[0, 4]).ids.tolist() == [4, -1]


def test_of_other_queries_are_refused(engine: Engine) -> None:
    index = engine.build(DOCS)
    with expect(ValueError, "after is of 5 queries, there are 2"):
        index.search(DOCS[:2], after=index.search(DOCS))
    with expect(ValueError, "after: 9 is not a document; the index has 5"):
        index.search(DOCS[:1], after=[[9]])
    for wrong in ([[2**63]], [[-2]]):
        with expect(ValueError, "after:", "is not a document; the index has 5"):
            index.search(DOCS[:1], after=wrong)
    with expect(TypeError, "after must be hits or their cursor"):
        index.search(DOCS[:2], after=[[0], [1, 2]])
    with expect(ValueError, "a search for all hits has no next page"):
        index.search(DOCS[:1], after=index.search(DOCS[:1], None))
    with expect(TypeError, "after must be hits or their cursor, got str"):
        index.search(DOCS[:1], after="the last page")
    with expect(TypeError, "after must be hits or their cursor"):
        index.search(DOCS[:1], after=[[0.5]])
