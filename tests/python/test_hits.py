"""Hits: what they can be turned into, and what they are equal to."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import numpy as np
import pytest

import thresher
from engine_forms import DOCS
from helpers import expect

INDEX = thresher.ExactIndex.build(DOCS)
MANY = INDEX.search([{0: 1.0}, {1: 1.0}, {}], k=3)
ONE = INDEX.search_one({0: 1.0}, k=4)
ALL: Any = INDEX.search([{0: 1.0}, {1: 1.0}, {}], k=None)


def listed(hits: Any) -> list[list[int]]:
    return [ids.tolist() for ids, _ in hits.rows()]


def test_rows_are_real_hits_only() -> None:
    assert listed(MANY) == [[3, 0, 4], [1], []]
    assert listed(ONE) == [[3, 0, 4]]
    assert listed(ALL) == [[3, 0, 4], [1], []]
    assert [scores.tolist() for _, scores in MANY.rows()] == [[4, 1, 1], [3], []]


def test_dicts_and_names_from_outside() -> None:
    assert ONE.to_dicts() == [{"id": 3, "score": 4.0}, {"id": 0, "score": 1.0}, {"id": 4, "score": 1.0}]
    assert MANY.to_dicts(ids=list("abcde"))[1] == [{"id": "b", "score": 3.0}]
    assert MANY.to_dicts(ids=np.array(list("abcde")))[0][0] == {"id": "d", "score": 4.0}
    assert ALL.to_dicts() == MANY.to_dicts()
    assert type(ONE.to_dicts()[0]["id"]) is int
    assert type(ONE.to_dicts()[0]["score"]) is float


def test_tables() -> None:
    table = MANY.to_pandas(ids=list("abcde"))
    assert table.to_dict("list") == {
        "query": [0, 0, 0, 1],
        "rank": [1, 2, 3, 1],
        "id": ["d", "a", "e", "b"],
        "score": [4.0, 1.0, 1.0, 3.0],
    }
    assert ALL.to_pandas().equals(MANY.to_pandas())
    assert ONE.to_pandas()["id"].tolist() == [3, 0, 4]
    assert INDEX.search([{}], k=1).to_pandas().shape == (0, 4)


def test_tables_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with expect(ImportError, "to_pandas needs pandas", "[pandas]"):
        MANY.to_pandas()


def test_equality() -> None:
    assert INDEX.search([{0: 1.0}, {1: 1.0}, {}], k=3) == MANY
    assert INDEX.search([{0: 1.0}], k=3) != MANY
    assert MANY._replace(exact=np.zeros(3, bool)) != MANY
    assert MANY._replace(scores=MANY.scores + 1) != MANY
    other: Any = "hits"
    assert other != MANY
    assert INDEX.search([{0: 1.0}, {1: 1.0}, {}], k=None) == ALL
    assert ALL != MANY
    with expect(TypeError, "unhashable"):
        hash(MANY)


def test_replace_keeps_everything() -> None:
    page = INDEX.search([{0: 1.0}], k=1, after=INDEX.search([{0: 1.0}], k=1))
    other = page._replace(scores=page.scores * 2)
    assert other.exact.tolist() == [True]
    assert other.cursor.tolist() == page.cursor.tolist() == [[3, 0]]
    assert page._replace(ids=page.ids).cursor.tolist() == [[0]]
    assert pickle.loads(pickle.dumps(page)) == page
    assert pickle.loads(pickle.dumps(page)).cursor.tolist() == [[3, 0]]


def test_they_unpack_and_show_themselves() -> None:
    ids, scores = MANY
    assert ids is MANY.ids
    assert scores is MANY.scores
    assert repr(ONE).startswith("Hits(ids=array([ 3,  0,  4, -1]), scores=array([  4.,   1.,   1., -inf]")
    assert repr(ONE).endswith("exact=array(True))")
    assert repr(ALL) == "<AllHits: 4 documents for 3 queries>"
    assert ALL.offsets.tolist() == [0, 3, 4, 4]
    assert pickle.loads(pickle.dumps(ALL)) == ALL
    assert ALL._replace(ids=ALL.ids + 1) != ALL
    page = MANY._repr_html_()
    assert "<td>3 (4), 0 (1), 4 (1)</td>" in page
    assert "<td>none</td>" in page
    assert "12 queries" in INDEX.search([{0: 1.0}] * 12)._repr_html_()


def test_what_nobody_claims_is_not_exact() -> None:
    assert thresher.Hits(MANY.ids, MANY.scores).exact.tolist() == [False, False, False]
    assert MANY.exact.tolist() == [True, True, True]
    assert ONE.exact.shape == ()


def test_the_former_name_of_exact() -> None:
    with pytest.warns(DeprecationWarning, match=r"Hits\.complete is called exact now"):
        assert MANY.complete.tolist() == [True, True, True]
