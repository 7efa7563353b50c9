"""`F` writes the trees that JSON does."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from helpers import expect
from thresher.collection.filters import F, Filter, parse


@pytest.mark.parametrize(
    ("tree", "where"),
    [
        (F("a") == 1, {"a": 1}),
        (F("a") != 1, {"a": {"$ne": 1}}),
        (F("a") == None, {"a": None}),  # noqa: E711 - as users write it
        (F("a") != None, {"a": {"$exists": True}}),  # noqa: E711
        (F("a") > 1, {"a": {"$gt": 1}}),
        (F("a") >= 1.5, {"a": {"$gte": 1.5}}),
        (F("a") < "b", {"a": {"$lt": "b"}}),
        (F("a") <= dt.date(2020, 1, 1), {"a": {"$lte": 1577836800000000}}),
        (1 < F("a"), {"a": {"$gt": 1}}),  # noqa: SIM300
        (F("a").in_([1, "b"]), {"a": {"$in": [1, "b"]}}),
        (F("a").isin(np.array([1, 2])), {"a": {"$in": [1, 2]}}),
        (F("a").in_(value for value in (1, 2)), {"a": {"$in": [1, 2]}}),
        (F("a").in_({1: 0}.keys()), {"a": 1}),
        (F("a").not_in(()), {}),
        (F("a").exists(), {"a": {"$exists": True}}),
        (~F("a").exists(), {"a": None}),
        (F("a").contains("b"), {"a": {"$contains": "b"}}),
        (F("a").like("b%"), {"a": {"$like": "b%"}}),
        (F("$id") == 7, {"$id": 7}),
        (F("a.b") == True, {"a.b": True}),  # noqa: E712
        ((F("a") == 1) & ~F("b").in_([1, 2]), {"a": 1, "b": {"$nin": [1, 2]}}),
        ((F("a") == 1) | (F("b") == 2) | (F("c") == 3), {"$or": [{"c": 3}, {"a": 1}, {"b": 2}]}),
        (~((F("a") == 1) & (F("b") == 2)), {"$not": {"b": 2, "a": 1}}),
    ],
)
def test_same_tree_as_json(tree: Filter, where: dict[str, Any]) -> None:
    assert tree == parse(where)
    assert hash(tree) == hash(parse(where))


def test_what_is_refused() -> None:
    with expect(ValueError, "F('a'), $gt: NaN"):
        _ = F("a") > float("nan")  # noqa: PLW0177 - what is refused
    with expect(ValueError, "F('a'), $eq: expected one value, got the list [1]"):
        _ = F("a") == [1]
    with expect(ValueError, "F('a'), $in: expected a list, got 'abc'"):
        F("a").in_("abc")
    with expect(ValueError, "F: '$x': unknown operator"):
        F("$x")
    with expect(TypeError, "path must be a string, got int"):
        F(3)  # type: ignore[arg-type]
    with expect(TypeError, "unhashable"):
        hash(F("a"))


def test_and_or_not_would_lose_conditions() -> None:
    with expect(TypeError, "neither true nor false"):
        (F("a") == 1) and (F("b") == 2)
    with expect(TypeError, "neither true nor false"):
        _ = 1 < F("a") < 3
    with expect(TypeError, "F('a') is a field and no filter"):
        not F("a")
    for other in (1, {"b": 2}, F("b")):
        with pytest.raises(TypeError):
            (F("a") == 1) & other
