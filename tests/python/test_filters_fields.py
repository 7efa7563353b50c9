"""Declared fields: names, kinds, and what a payload may hold for each."""

from __future__ import annotations

from typing import Any

import pytest

from helpers import expect
from thresher.collection.filters import KINDS, Kind, check_fields
from thresher.collection.filters.fields import value_of


def test_fields_are_sorted() -> None:
    given = {"year": "int", "lang": "keyword", "meta.kind": "keywords"}
    assert list(check_fields(given).items()) == [("lang", "keyword"), ("meta.kind", "keywords"), ("year", "int")]
    assert check_fields(None) == check_fields({}) == {}
    assert set(check_fields({kind: kind for kind in KINDS})) == set(KINDS)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        (["year"], TypeError, ["fields must be a dict", "list"]),
        ({1: "int"}, TypeError, ["got 1: 'int'"]),
        ({"year": int}, TypeError, ["got 'year': <class 'int'>"]),
        ({"": "int"}, ValueError, ["not empty", "got ''"]),
        ({"$id": "int"}, ValueError, ["does not begin with $, got '$id'"]),
        ({"year": "integer"}, ValueError, ["kind of 'year' must be one of keyword, keywords, int", "got 'integer'"]),
        ({"é" * 257: "int"}, ValueError, ["at most 512 bytes"]),
        ({"\ud800": "int"}, ValueError, ["'\\ud800' is no Unicode text"]),
        ({str(number): "int" for number in range(1001)}, ValueError, ["there can be 1000, got 1001"]),
    ],
)
def test_what_is_refused(fields: Any, error: type[Exception], message: list[str]) -> None:
    with expect(error, *message):
        check_fields(fields)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("keyword", "a", "a"),
        ("keywords", ["b", "a", "b"], ["b", "a", "b"]),
        ("keywords", [], []),
        ("int", 2**63 - 1, 2**63 - 1),
        ("int", -(2**63), -(2**63)),
        ("float", 3, 3.0),
        ("float", 2**80, 2.0**80),
        ("bool", False, False),
        ("datetime", "2020-01-01", 1577836800000000),
        ("datetime", "2020-01-01T01:00:00+01:00", 1577836800000000),
        ("datetime", -5, -5),
        *((kind, None, None) for kind in KINDS),
    ],
)
def test_what_columns_keep(kind: Kind, value: Any, stored: Any) -> None:
    for payload, path in (({"f": value}, "f"), ({"a": {"b": value}}, "a.b"), ({"a.b": value}, "a.b")):
        found = value_of(payload, path, kind)
        assert found == stored
        assert type(found) is type(stored)
    assert value_of({}, "a.b", kind) is None
    assert value_of({"a": 3}, "a.b", kind) is None


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("keyword", 3, "must be a string, got 3"),
        ("keyword", ["a"], "must be a string, got ['a']"),
        ("keywords", "a", "must be a list of strings, got 'a'"),
        ("keywords", ["a", None], "must be a list of strings, got ['a', None]"),
        ("int", True, "must be a whole number, got True"),
        ("int", 1.0, "must be a whole number, got 1.0"),
        ("int", 2**63, "must be within int64, got 9223372036854775808"),
        ("float", True, "must be a number, got True"),
        ("float", "1", "must be a number, got '1'"),
        ("float", 2**53 + 1, "must be a number that float64 holds exactly, got 9007199254740993"),
        ("float", 2**1024 - 1, "must be finite"),
        ("bool", 1, "must be true or false, got 1"),
        ("datetime", "yesterday", "must be an ISO 8601 date, got 'yesterday'"),
        ("datetime", 1.5, "must be an ISO 8601 string, a datetime or microseconds since 1970, got 1.5"),
        ("datetime", True, "must be an ISO 8601 string"),
        ("datetime", 2**63, "must be within int64"),
    ],
)
def test_what_is_of_another_kind(kind: Kind, value: Any, message: str) -> None:
    with expect(ValueError, message):
        value_of({"f": value}, "f", kind)


def test_a_declared_path_leads_through_no_list() -> None:
    assert value_of({"a": [{"c": 1}]}, "a.b", "int") is None
    for payload in ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}):
        with expect(ValueError, "must be inside objects, but there is the list [{'b': 1}"):
            value_of(payload, "a.b", "int")
    with expect(ValueError, "must be inside objects"):
        value_of({"x": {"a": [{"b": {"c": 1}}]}}, "x.a.b.c", "int")
