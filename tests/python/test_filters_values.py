"""Values of filters: moments, and how messages show them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import expect
from thresher.collection.filters.values import Scalar, microseconds, microseconds_of_text, scalar, shown

zones = st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


@given(st.datetimes(timezones=st.one_of(st.none(), zones)))
def test_moments(moment: dt.datetime) -> None:
    micro = microseconds(moment)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    gone = aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert micro == gone.days * 86_400_000_000 + gone.seconds * 1_000_000 + gone.microseconds
    assert microseconds_of_text(moment.isoformat()) == micro
    if moment.tzinfo is None:
        assert microseconds(np.datetime64(moment)) == micro


@given(st.dates())
def test_a_date_is_its_midnight(day: dt.date) -> None:
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    assert microseconds(day) == microseconds(midnight) == microseconds_of_text(day.isoformat())
    assert microseconds(np.datetime64(day)) == microseconds(day)


def test_moments_of_other_libraries() -> None:
    assert microseconds(pd.Timestamp("2020-01-01T00:00:00.000001999Z")) == 1577836800000001
    assert microseconds(np.datetime64("2020-01-01T00:00:00.000001999")) == 1577836800000001
    for none in (pd.NaT, np.datetime64("NaT")):
        with expect(ValueError, "NaT", "no moment"):
            scalar(none)


@pytest.mark.parametrize("text", ["", "now", "2020", "2020-13-01", "2020-01-01T25:00", "1", "10000-01-01"])
def test_what_is_no_date(text: str) -> None:
    assert microseconds_of_text(text) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), Scalar("number", 0.5)),
        (2.0**60, Scalar("number", 2**60)),
        (-0.0, Scalar("number", 0)),
        (float("inf"), Scalar("number", float("inf"))),
        (np.uint64(2**63), Scalar("number", 2**63)),
        (np.True_, Scalar("boolean", True)),
        (np.str_("a"), Scalar("string", "a")),
        (None, None),
    ],
)
def test_scalars(value: object, expected: Scalar | None) -> None:
    found = scalar(value)
    assert found == expected
    assert found is None or type(found.value) in (bool, int, float, str)
    assert found is None or not (type(found.value) is float and found.value.is_integer())


def test_shown() -> None:
    assert shown("a") == "'a'"
    assert len(shown("a" * 10_000)) < 100
    assert len(shown([["a" * 100] * 100] * 100)) < 200
    assert shown(10**5000) == "a whole number of 16610 bits"
