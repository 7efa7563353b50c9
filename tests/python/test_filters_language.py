"""The filter language: what it refuses and how it says so, its canonical form, its limits."""

from __future__ import annotations

import datetime as dt
import pickle
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import filter_cases as cases
from helpers import expect
from thresher.collection.filters import F, matches, parse
from thresher.collection.filters.tree import EVERYTHING, MAX_DEPTH, MAX_SIZE, NOTHING

names = st.sampled_from(["a", 1])


@given(cases.filters(cases.PATHS, names))
def test_json_comes_back_the_same(where: dict[str, Any]) -> None:
    tree = parse(where)
    again = parse(tree.to_json())
    assert again == tree
    assert hash(again) == hash(tree)
    assert parse(tree) is tree
    assert pickle.loads(pickle.dumps(tree)) == tree


def shuffled(where: Any, chance: random.Random) -> Any:
    """Write a filter in another way."""
    if isinstance(where, dict):
        items = [(key, shuffled(value, chance)) for key, value in where.items()]
        chance.shuffle(items)
        if len(items) > 1 and not any(key in cases_of_conditions for key, _ in items) and chance.random() < 0.5:
            return {"$and": [dict([item]) for item in items]}
        return dict(items)
    if isinstance(where, list):
        items = [shuffled(value, chance) for value in where]
        chance.shuffle(items)
        return items + items[:1]
    if type(where) is int and abs(where) <= 2**1000 and float(where) == where and chance.random() < 0.5:
        return float(where)
    return where


cases_of_conditions = {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$contains", "$in", "$nin", "$exists", "$like"}


@given(cases.filters(cases.PATHS), st.integers(0, 99))
def test_the_same_in_other_words_is_equal(where: dict[str, Any], seed: int) -> None:
    tree, other = parse(where), parse(shuffled(where, random.Random(seed)))
    assert other == tree
    assert len({tree, other}) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 2**53}, {"a": 2**53 + 1}),
        ({"a": {"$gt": 1}}, {"a": {"$gte": 1}}),
        ({"a": {"$in": [1, 2]}}, {"a": {"$nin": [1, 2]}}),
        ({"a": None}, {"a": {"$ne": None}}),
        ({"a": "b"}, {"a": {"$contains": "b"}}),
        ({"a": {"$like": "b"}}, {"a": {"$contains": "b"}}),
        ({"$or": [{"a": 1}, {"b": 1}]}, {"a": 1, "b": 1}),
        ({}, {"$or": []}),
    ],
)
def test_what_differs_is_unequal(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert parse(first) != parse(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": 1}, {"a": {"$eq": 1.0}}),
        ({"a": 1}, {"a": {"$in": [1, np.float32(1), 1]}}),
        ({"a": {"$ne": 1}}, {"$not": {"a": 1}}),
        ({"a": {"$not": {"$gt": 1}}}, {"$not": {"a": {"$gt": 1}}}),
        ({"a": {"$nin": [1, 2]}}, {"a": {"$not": {"$in": [2, 1]}}}),
        ({"a": None}, {"a": {"$exists": False}}),
        ({"a": {"$ne": None}}, {"a": {"$exists": np.True_}}),
        ({"a": {"$in": [None, 1]}}, {"$or": [{"a": 1}, {"a": None}]}),
        ({"a": {"$gt": 1, "$lt": 3}}, {"$and": [{"a": {"$lt": 3}}, {"a": {"$gt": 1}}]}),
        ({"a": {"$gt": None}}, {"a": {"$in": []}}),
        ({"$not": {"$not": {"a": 1}}}, {"a": 1}),
        ({"a": {"$nin": []}}, {}),
        (None, {"$and": [{}, {"$and": []}]}),
        ({"a": 1, "$or": []}, {"$or": []}),
        ({"a": dt.datetime(2020, 1, 1)}, {"a": dt.date(2020, 1, 1)}),
        ({"a": np.datetime64("2020-01-01")}, {"a": 1577836800000000}),
        ({"$and": [F("a") == 1, {"b": 2}]}, {"a": 1, "b": 2}),
    ],
)
def test_what_is_the_same_is_equal(first: dict[str, Any] | None, second: dict[str, Any]) -> None:
    assert parse(first) == parse(second)


def test_nothing_and_everything() -> None:
    assert parse({}) == EVERYTHING
    assert parse({"a": {"$in": []}}) == NOTHING
    assert EVERYTHING.to_json() == {}
    assert matches(EVERYTHING, {})
    assert not matches(NOTHING, {})


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"$and": [{}, {"year": {"$gtt": 3}}]}, ["where.$and[1].year.$gtt: unknown operator; there are $eq, $ne"]),
        ({"$and": [{}, {"year": {"$gt": float("nan")}}]}, ["where.$and[1].year.$gt: NaN"]),
        ({"$or": [{"year": np.float32("nan")}]}, ["where.$or[0].year: NaN"]),
        ({"$gt": 3}, ["where.$gt: unknown operator; there are $and, $or, $not and $id"]),
        ({"$not": [{}]}, ["where.$not must be an object, got [{}]"]),
        ({"$and": {"a": 1}}, ["where.$and must be a list of filters, got {'a': 1}"]),
        ({"$or": [1]}, ["where.$or[0] must be an object, got 1"]),
        ({1: 2}, ["where must have strings for keys, got 1"]),
        ({"a": {}}, ["where.a has no operator"]),
        ({"a": {"b": 1}}, ["where.a: operators begin with $, got 'b'"]),
        ({"a": {"$gt": 1, "b": 1}}, ["where.a: operators begin with $, got 'b'"]),
        ({"a": [1, 2]}, ["where.a: expected one value, got the list [1, 2]; $in takes a list"]),
        ({"a": {"$in": "abc"}}, ["where.a.$in: expected a list, got 'abc'"]),
        ({"a": {"$in": {"b": 1}}}, ["where.a.$in: expected a list, got {'b': 1}"]),
        ({"a": {"$in": np.array(3)}}, ["where.a.$in: expected a list, got array(3)"]),
        ({"a": {"$in": [1, [2]]}}, ["where.a.$in[1]: expected one value, got the list [2]"]),
        ({"a": {"$in": [1, float("nan")]}}, ["where.a.$in[1]: NaN"]),
        ({"a": {"$exists": 1}}, ["where.a.$exists: expected a bool, got 1"]),
        ({"a": {"$like": 1}}, ["where.a.$like: expected a string, got 1"]),
        ({"a": {"$like": "%" * 10_001}}, ["where.a.$like: a pattern has at most 10000 characters, got 10001"]),
        ({"a": {"$not": 1}}, ["where.a.$not must be an object of operators, got 1"]),
        ({"a": {"$not": {"$not": {"$lt": b"x"}}}}, ["where.a.$not.$not.$lt: expected a string, number", "got b'x'"]),
        ({"a": 1j}, ["where.a: expected a string, number, bool, datetime or null, got 1j"]),
        ({"a": 10**400}, ["where.a: ", "is beyond float64"]),
        ({"a": 10**5000}, ["where.a: a whole number of 16610 bits is beyond float64"]),
        ({"a": "\ud800"}, ["where.a: '\\ud800' is no Unicode text"]),
        ({"\ud800": 1}, ["where['\\ud800']: '\\ud800' is no Unicode text"]),
        ({"a": np.datetime64("NaT")}, ["where.a: ", "NaT", "is no moment"]),
        ({"a": np.datetime64(2**62, "D")}, ["where.a: ", "is no moment"]),
        ({".".join("a" * 65): 1}, ["a path has at most 64 steps"]),
    ],
)
def test_what_is_refused_is_named(where: Any, message: list[str]) -> None:
    with expect(ValueError, *message):
        parse(where)


@pytest.mark.parametrize("where", [[], "a", 1, True, [{"a": 1}], F("a")])
def test_what_is_no_filter(where: Any) -> None:
    with expect(TypeError, "filter must be a filter", type(where).__name__):
        parse(where, name="filter")


def test_declared_fields_alone() -> None:
    fields = {"year": "int", "lang": "keyword"}
    parse({"year": 1, "$or": [{"lang": "a"}, {"$id": 3}]}, fields)
    with expect(ValueError, "where.$and[1].yaer: not a declared field; there are: lang, year"):
        parse({"$and": [{}, {"yaer": {"$gt": 1}}]}, fields)
    with expect(ValueError, "where: 'yaer': not a declared field; there are: lang, year"):
        parse(F("yaer") == 1, fields)
    with expect(ValueError, "where.$or[0]: 'yaer': not a declared field"):
        parse({"$or": [F("yaer") == 1]}, fields)
    with expect(ValueError, "there are: none"):
        parse({"year": 1}, {})


def nested(depth: int, wrap: Any) -> Any:
    where: Any = {"a": 1}
    for level in range(depth):
        where = wrap(where, level)
    return where


@pytest.mark.parametrize(
    "wrap",
    [
        lambda where, _: {"$not": where},
        lambda where, _: {"$and": [where]},
        lambda where, level: {("$or", "$and")[level % 2]: [where, {"b": level}]},
        lambda where, level: {"$not": {"$and": [where, {"b": level}]}},
    ],
)
def test_depth_is_bounded(wrap: Any) -> None:
    parse(nested(20, wrap))
    for depth in (MAX_DEPTH + 1, 100_000):
        with expect(ValueError, "where.$", f"nested more than {MAX_DEPTH} deep"):
            parse(nested(depth, wrap))


def test_depth_of_operators_and_of_circles() -> None:
    operators: Any = {"$gt": 1}
    for _ in range(5000):
        operators = {"$not": operators}
    with expect(ValueError, "where.a.$not", "deep"):
        parse({"a": operators})
    circle: dict[str, Any] = {}
    circle["$and"] = [circle]
    with expect(ValueError, "where.$and[0].$and", "deep"):
        parse(circle)


def test_depth_of_expressions() -> None:
    tree = F("a") == 1
    with expect(ValueError, "deep"):
        for level in range(1000):
            tree = ~(tree & (F("b") == level))


def test_size_is_bounded() -> None:
    many: Any = {"a": {"$in": [1, 2, 3]}}
    for _ in range(30):
        many = {"$and": [many, many]}
    with expect(ValueError, "where.$and[0]", f"more than {MAX_SIZE} conditions and values"):
        parse(many)
    half = F("a").in_(range(MAX_SIZE // 2))
    with expect(ValueError, "where.$or[1]", f"more than {MAX_SIZE} conditions and values"):
        parse({"$or": [half] * 10})
    with expect(ValueError, "where.a.$in", f"more than {MAX_SIZE}"):
        parse({"a": {"$in": range(10**30)}})
    assert len(parse({"a": {"$in": list(range(100_000))}}).to_json()["a"]["$in"]) == 100_000


def test_messages_are_short() -> None:
    where: Any = {"x" * 1000: {"$in": ["y" * 10_000, b"z" * 10_000]}}
    with pytest.raises(ValueError, match="expected") as caught:
        parse({"$and": [where]})
    assert len(str(caught.value)) < 500
