"""Payloads as they are stored, and what is refused."""

from __future__ import annotations

import collections
import datetime as dt
import json
import types
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import filter_cases as cases
from filter_cases import FIELDS
from helpers import expect
from thresher.collection.filters import validate_payload


@given(cases.payloads)
def test_json_stays_as_it_is(payload: dict[str, Any]) -> None:
    kept = validate_payload(payload, FIELDS, "doc")
    assert json.dumps(kept) == json.dumps(payload)
    assert json.loads(json.dumps(kept)) == kept
    assert kept is not payload


def test_what_is_made_plain() -> None:
    given = {
        "at": dt.datetime(2020, 1, 1),
        "day": dt.date(2020, 1, 1),
        "n": np.int32(3),
        "x": np.float32(0.5),
        "flag": np.True_,
        "pair": (1, "a"),
        "inside": types.MappingProxyType({"at": np.datetime64("2020-01-01", "s")}),
        "none": None,
        "subclass": collections.OrderedDict(a=1),
    }
    kept = validate_payload(given, {"at": "datetime"}, "doc")
    moment = 1577836800000000
    assert kept == {
        "at": moment,
        "day": moment,
        "n": 3,
        "x": 0.5,
        "flag": True,
        "pair": [1, "a"],
        "inside": {"at": moment},
        "none": None,
        "subclass": {"a": 1},
    }
    assert json.loads(json.dumps(kept)) == kept
    assert validate_payload(None, FIELDS, "doc") == {}


def test_the_original_may_change() -> None:
    given: dict[str, Any] = {"title": ["a", {"b": 1}]}
    kept = validate_payload(given, {}, "doc")
    given["title"][1]["b"] = 2
    assert kept == {"title": ["a", {"b": 1}]}


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


circle: dict[str, Any] = {}
circle["a"] = [circle]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ([1], ["the payload must be a JSON object, got [1]"]),
        ({1: 2}, ["the payload must have strings for keys, got 1"]),
        ({"a": {1: 2}}, ["a must have strings for keys, got 1"]),
        ({"a": [0, float("nan")]}, ["a[1] must be finite, got nan"]),
        ({"a": {"b": -float("inf")}}, ["a.b must be finite, got -inf"]),
        ({"a": {1, 2}}, ["a must be a JSON value, got {1, 2}"]),
        ({"a": b"x"}, ["a must be a JSON value, got b'x'"]),
        ({"a": np.array([1])}, ["a must be a JSON value, got array([1])"]),
        ({"a": 10**400}, ["a: ", "is beyond float64"]),
        ({"a": "\ud800"}, ["a: '\\ud800' is no Unicode text"]),
        ({"\ud800": 1}, ["the payload: '\\ud800' is no Unicode text"]),
        ({"a": np.datetime64("NaT")}, ["a: ", "is no moment"]),
        ({"year": "2020"}, ["year must be a whole number, got '2020'"]),
        ({"year": True}, ["year must be a whole number, got True"]),
        ({"meta": {"kind": 3}}, ["meta.kind must be a string, got 3"]),
        ({"tags": ("a", 1)}, ["tags must be a list of strings, got ['a', 1]"]),
        ({"at": "soon"}, ["at must be an ISO 8601 date, got 'soon'"]),
        ({"a": nested(70)}, ["is nested more than 64 deep"]),
        ({"a": nested(50_000)}, ["is nested more than 64 deep"]),
        (circle, ["is nested more than 64 deep"]),
    ],
)
def test_what_is_refused_is_named(payload: Any, message: list[str]) -> None:
    with expect(ValueError, "document 'doc 7': ", *message):
        validate_payload(payload, FIELDS, "doc 7")


def test_depth() -> None:
    assert validate_payload({"a": nested(63)}, {}, 1) == {"a": nested(63)}
