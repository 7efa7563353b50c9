"""Every operator with every operand over every value: by payload, by column, and as the language is described."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import filter_cases as cases
from filter_cases import FIELDS, OPERANDS, holds, members
from helpers import expect
from thresher.collection.filters import Columns, evaluate, matches, parse

SINGLE = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$contains"]
PATTERNS = ["", "a", "%", "_", "a%", "%b", "a_b", "%a%", "\\%", "a\\%b", "日_"]
WHERE: list[Any] = [
    *({operator: operand} for operator in SINGLE for operand in OPERANDS),
    *({operator: [first, second]} for operator in ("$in", "$nin") for first, second in itertools.pairwise(OPERANDS)),
    *({"$like": pattern} for pattern in PATTERNS),
    {"$exists": True},
    {"$exists": False},
]

VALUES: dict[str, list[Any]] = {
    "lang": cases.WORDS,
    "tags": [[], *([word] for word in cases.WORDS), ["a", "b"], ["ab", "b", "ab"], cases.WORDS],
    "year": cases.WHOLE,
    "price": [*cases.FLOATS, 0, 1, 2**53],
    "live": [True, False],
    "at": [*cases.TIMES, *cases.WHOLE],
    "meta.kind": cases.WORDS,
}


def payload_of(field: str, value: Any) -> dict[str, Any]:
    head, _, rest = field.partition(".")
    return {head: {rest: value}} if rest else {head: value}


def compares_dates(condition: dict[str, Any]) -> bool:
    [operand] = condition.values()
    operands = operand if isinstance(operand, list) else [operand]
    return all(one in cases.DATES for one in operands if isinstance(one, str))


@pytest.mark.parametrize("repeats", [1, 9])
@pytest.mark.parametrize("field", FIELDS)
def test_declared_fields(field: str, repeats: int) -> None:
    payloads = [{}, {"other": 1}, payload_of(field, None), *(payload_of(field, value) for value in VALUES[field])]
    columns = Columns.of(FIELDS, payloads * repeats)
    for condition in WHERE:
        where = {field: condition}
        tree = parse(where)
        if field == "at" and not compares_dates(condition):
            message = "'at' is declared as datetime, and '", "' is no ISO 8601 date"
            with expect(ValueError, *message):
                matches(tree, {}, fields=FIELDS)
            with expect(ValueError, *message):
                evaluate(tree, columns, columns.n_docs)
            continue
        expected = [number for number, payload in enumerate(payloads) if holds(where, payload)]
        found = [number for number, payload in enumerate(payloads) if matches(tree, payload, fields=FIELDS)]
        assert found == expected, where
        selected = members(evaluate(tree, columns, columns.n_docs), columns.n_docs)
        assert selected == [number + len(payloads) * turn for turn in range(repeats) for number in expected], where


MIXED: list[Any] = [
    *cases.WORDS,
    *cases.WHOLE,
    *cases.FLOATS,
    True,
    False,
    None,
    2**70,
    {},
    {"a": 1},
    [],
    [None],
    [[]],
    [["a"]],
    [{"a": "b"}],
    [True],
    [1, "a"],
    ["aab", 2**53 + 1],
    [2.0**53],
]


def test_other_fields() -> None:
    for condition in WHERE:
        where = {"title": condition}
        tree = parse(where)
        for value in MIXED:
            assert matches(tree, {"title": value}) == holds(where, {"title": value}), (where, value)


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"a": {"b": {"c": 1}}}, True),
        ({"a.b.c": 1}, True),
        ({"a": {"b.c": 1}}, True),
        ({"a": [{"b": {"c": 2}}, {"b": {"c": 1}}]}, True),
        ({"a": {"b": [{"c": [2, 1]}]}}, True),
        ({"a": [[{"b": {"c": 1}}]]}, False),
        ({"a": {"b": None}, "a.b.c": 1}, True),
        ({"a.b": {"c": 1}}, False),
        ({"a": {"b": 1}}, False),
        ({"a": "b"}, False),
        ({}, False),
    ],
)
def test_paths(payload: dict[str, Any], found: bool) -> None:
    where = {"a.b.c": 1}
    assert matches(parse(where), payload) is found
    assert holds(where, payload) is found


@pytest.mark.parametrize(
    ("where", "payload", "found"),
    [
        # What the language promises, one line each.
        ({"year": {"$ne": 1}}, {}, True),
        ({"year": {"$nin": [1]}}, {}, True),
        ({"year": {"$not": {"$gt": 1}}}, {}, True),
        ({"year": {"$lt": 1}}, {}, False),
        ({"year": {"$lt": "a"}}, {"year": 1}, False),
        ({"f": None}, {"f": None}, True),
        ({"f": None}, {}, True),
        ({"f": None}, {"f": []}, False),
        ({"f": 1}, {"f": True}, False),
        ({"f": True}, {"f": 1}, False),
        ({"f": 1}, {"f": 1.0}, True),
        ({"f": 2.0**53}, {"f": 2**53 + 1}, False),
        ({"f": {"$gt": 2.0**53}}, {"f": 2**53 + 1}, True),
        ({"f": {"$lt": 2**53 + 1}}, {"f": 2.0**53}, True),
        ({"f": "a"}, {"f": ["b", "a"]}, True),
        ({"f": {"$ne": "a"}}, {"f": ["b", "a"]}, False),
        ({"f": {"$ne": "a"}}, {"f": ["b"]}, True),
        ({"f": {"$gt": 1, "$lt": 0}}, {"f": [-1, 2]}, True),
        ({"f": {"$contains": "a"}}, {"f": "bab"}, True),
        ({"f": {"$contains": "a"}}, {"f": ["bab"]}, False),
        ({"f": {"$contains": 1}}, {"f": [1.0]}, True),
        ({"f": {"$contains": 1}}, {"f": [True]}, False),
        ({"f": {"$contains": None}}, {"f": [None]}, False),
        ({"f": {"$in": []}}, {"f": 1}, False),
        ({}, {}, True),
        ({"f": {"$gt": False}}, {"f": True}, True),
        ({"f": {"$like": "A%"}}, {"f": "ab"}, False),
        ({"f": {"$like": "a_%"}}, {"f": "a\nb"}, True),
    ],
)
def test_the_language(where: dict[str, Any], payload: dict[str, Any], found: bool) -> None:
    assert matches(parse(where), payload) is found
    assert holds(where, payload) is found


def test_ids() -> None:
    assert matches(parse({"$id": "a"}), {}, id="a")
    assert matches(parse({"$id": {"$like": "a%"}}), {"$id": "b"}, id="ab")
    assert matches(parse({"$id": {"$gte": 2**53 + 1}}), {}, id=2**53 + 1)
    assert not matches(parse({"$id": "1"}), {}, id=1)
    assert matches(parse({"$id": {"$exists": True}}), {}, id=0)
