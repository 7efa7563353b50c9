"""The values that filters and payloads are made of: strings, numbers, truth values, and moments as numbers.

Numbers compare exactly: Python compares whole numbers of any size with floats without rounding, so a value that is
whole is kept as an int, whatever type it came in. A moment is a whole number: microseconds since 1970 in UTC. A truth
value is no number.
"""

from __future__ import annotations

import datetime as dt
import math
import reprlib
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

Sort: TypeAlias = Literal["boolean", "number", "string"]
Plain: TypeAlias = bool | int | float | str

INT64 = range(-(2**63), 2**63)
MAX_BITS = 1024  # of a whole number: those that have a float64 near them

_MAX_SHOWN = 160  # characters

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

_shorten = reprlib.Repr()
_shorten.maxlevel, _shorten.maxlist, _shorten.maxdict = 2, 4, 3
_shorten.maxstring = _shorten.maxother = _shorten.maxlong = 60


class Scalar(NamedTuple):
    """A value with its sort: without it, True would equal 1."""

    sort: Sort
    value: Plain


def scalar(value: object) -> Scalar | None:
    """Return what a filter compares with, or None for null.

    Raises
    ------
    ValueError
        If it is none of the language's values, is NaN, is beyond float64, or holds half a surrogate pair. The message
        goes on behind the name of a place.
    """
    if isinstance(value, str):
        return Scalar("string", text(value))
    if isinstance(value, bool | np.bool_):
        return Scalar("boolean", bool(value))
    if isinstance(value, int | np.integer):
        return Scalar("number", whole(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if math.isnan(number):
            raise ValueError("NaN compares with nothing")
        return Scalar("number", int(number) if number.is_integer() else number)
    if isinstance(value, dt.date | np.datetime64):
        return Scalar("number", microseconds(value))
    if value is None:
        return None
    raise ValueError(f"expected a string, number, bool, datetime or null, got {shown(value)}")


def sort_of(value: object) -> Sort | None:
    """Return the sort of a value of a payload; None for null, lists and objects."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else None


def text(value: str) -> str:
    """Return a plain string, or raise ValueError if UTF-8 has no such string."""
    plain = str.__str__(value)
    try:
        plain.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{shown(plain)} is no Unicode text: it holds half a surrogate pair") from None
    return plain


def whole(value: int | np.integer[Any]) -> int:
    """Return a plain int, or raise ValueError if it is beyond float64."""
    plain = int(value)
    if plain.bit_length() > MAX_BITS:
        raise ValueError(f"{shown(plain)} is beyond float64")
    return plain


def microseconds(moment: dt.date | np.datetime64) -> int:
    """Return microseconds since 1970 in UTC.

    A datetime without a zone is read as UTC, a date as its midnight; nanoseconds are cut off.

    Raises
    ------
    ValueError
        If it is NaT, or beyond int64.
    """
    if isinstance(moment, np.datetime64):
        return _microseconds_of_numpy(moment)
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime(moment.year, moment.month, moment.day, tzinfo=dt.UTC)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    try:
        return int((moment - _EPOCH) // _MICROSECOND)
    except (TypeError, ValueError):  # pandas' NaT, which passes for a datetime
        raise ValueError(f"{shown(moment)} is no moment") from None


def _microseconds_of_numpy(moment: np.datetime64) -> int:
    converted = moment.astype("datetime64[us]")
    fine = np.datetime_data(moment.dtype)[0] in ("ns", "ps", "fs", "as")
    if np.isnat(moment) or not (fine or converted.astype(moment.dtype) == moment):
        raise ValueError(f"{shown(moment)} is no moment that int64 microseconds can tell")
    return int(converted.astype(np.int64))


def microseconds_of_text(written: str) -> int | None:
    """Return the microseconds of an ISO 8601 string, or None if it is none."""
    try:
        return microseconds(dt.datetime.fromisoformat(written))
    except ValueError:
        return None


def shown(value: object) -> str:
    """Show a value in a message: its repr, cut short."""
    try:
        written = _shorten.repr(value)
    except ValueError:  # Python doesn't write out whole numbers of thousands of digits
        return f"a whole number of {value.bit_length()} bits" if isinstance(value, int) else f"a {type(value).__name__}"
    return written if len(written) <= _MAX_SHOWN else f"{written[:_MAX_SHOWN]}..."
