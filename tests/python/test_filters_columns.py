"""Columns of payloads: numbers to sort by, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from filter_cases import FIELDS
from helpers import expect
from thresher.collection.filters import Columns, F, evaluate


@pytest.mark.parametrize("repeats", [1, 20])
def test_numeric(repeats: int) -> None:
    payloads: list[dict[str, Any]] = [
        {"year": 2**53 + 1, "price": -0.0, "at": "1970-01-01"},
        {},
        {"year": -3, "price": 0.5},
    ] * repeats
    columns = Columns.of(FIELDS, payloads)
    for field, dtype, expected in (
        ("year", np.int64, [2**53 + 1, 0, -3]),
        ("price", np.float64, [0.0, 0.0, 0.5]),
        ("at", np.int64, [0, 0, 0]),
    ):
        values, presence = columns.numeric(field)
        assert values.dtype == dtype
        assert values.tolist() == expected * repeats
        assert not np.signbit(values[0])
        assert presence.tolist() == ([True, False, field != "at"] * repeats)


def test_numbers_that_are_given_away_change_nothing() -> None:
    columns = Columns.of({"n": "int"}, [{"n": 1}, {"n": 2}])
    values, presence = columns.numeric("n")
    presence[:] = False
    with pytest.raises(ValueError, match="read-only"):
        values[:] = 0
    assert evaluate(F("n") >= 1, columns, 2).tolist() == [3]


def test_what_is_refused() -> None:
    columns = Columns.of(FIELDS, [{}])
    with expect(ValueError, "'lang' is of the kind keyword, not of numbers"):
        columns.numeric("lang")
    with expect(ValueError, "'none' is not declared"):
        columns.numeric("none")
    with expect(ValueError, "payloads[1]: year must be a whole number, got 'x'"):
        Columns.of(FIELDS, [{}, {"year": "x"}])
    with expect(ValueError, "the kind of 'n' must be one of"):
        Columns.of({"n": "number"}, [])  # type: ignore[dict-item]
    with pytest.raises(KeyError):
        columns.column("none")


def test_lists_are_sets_of_their_own() -> None:
    tags = [["b", "a", "b"], ["b"], [], None, ["b", "c"]]
    columns = Columns.of({"tags": "keywords"}, [{"tags": value} for value in tags])
    parts = columns.column("tags").parts()
    assert parts["codes"].tolist() == [1, 2, 2, 2, 3]
    assert parts["starts"].tolist() == [0, 2, 3, 3, 3, 5]
    assert parts["presence"].tolist() == [0b10111]


def test_payloads_may_come_one_by_one() -> None:
    columns = Columns.of({"n": "int"}, ({"n": number} if number % 2 else None for number in range(5)))
    assert repr(columns) == "<Columns: 5 documents, 1 field>"
    assert columns.numeric("n")[1].tolist() == [False, True, False, True, False]
