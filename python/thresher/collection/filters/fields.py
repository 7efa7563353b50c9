"""Declared fields: their kinds, and what a payload may hold for each.

A declared field is a path into payloads whose values have one kind, so that a segment keeps them in a column. What a
column of each kind holds:

========  =================================  =======================================
kind      in a payload                       in its column
========  =================================  =======================================
keyword   a string                           the string
keywords  a list of strings                  the set of them
int       a whole number of 64 bits          int64
float     a finite number                    float64
bool      true or false                      a bit
datetime  an ISO 8601 string or a moment     int64 microseconds since 1970 in UTC
========  =================================  =======================================

The field may be missing, or null, which is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Literal, TypeAlias, get_args

from thresher.collection.filters import tree
from thresher.collection.filters.tree import Filter
from thresher.collection.filters.values import INT64, Scalar, microseconds_of_text, shown, text

Kind: TypeAlias = Literal["keyword", "keywords", "int", "float", "bool", "datetime"]
Fields: TypeAlias = Mapping[str, Kind]
Value: TypeAlias = str | list[str] | int | float | bool

KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_FIELDS = 1000
MAX_NAME = 512  # bytes in UTF-8


def check_fields(fields: object, name: str = "fields") -> dict[str, Kind]:
    """Return declared fields, sorted by name, or raise naming the one that can't be.

    Raises
    ------
    ValueError
        If a name is empty, begins with ``$`` or is too long, a kind is unknown, or there are too many fields.
    TypeError
        If they are no mapping of strings to strings.
    """
    if fields is None:
        return {}
    if not isinstance(fields, Mapping):
        raise TypeError(f"{name} must be a dict of names and kinds, got {type(fields).__name__}")
    if len(fields) > MAX_FIELDS:
        raise ValueError(f"{name}: there can be {MAX_FIELDS}, got {len(fields)}")
    for field, kind in fields.items():
        if not isinstance(field, str) or not isinstance(kind, str):
            raise TypeError(f"{name} must be a dict of names and kinds, got {shown(field)}: {shown(kind)}")
        if not field or field.startswith("$"):
            raise ValueError(f"{name}: a field's name is not empty and does not begin with $, got {field!r}")
        if len(text(field).encode()) > MAX_NAME:
            raise ValueError(f"{name}: a field's name has at most {MAX_NAME} bytes, got {shown(field)}")
        if kind not in KINDS:
            raise ValueError(f"{name}: the kind of {field!r} must be one of {', '.join(KINDS)}, got {kind!r}")
    return {str(field): next(known for known in KINDS if known == fields[field]) for field in sorted(fields)}


def values_at(payload: Mapping[str, Any], path: str) -> list[Any]:
    """Return the values at a path that are not null: several where it leads through a list of objects.

    A key that is the rest of the path as a whole, dots and all, goes before a step into an object.
    """
    found = payload.get(path)
    if found is not None:
        return [found]
    head, dot, rest = path.partition(".")
    inside = payload.get(head) if dot else None
    if isinstance(inside, dict):
        return values_at(inside, rest)
    if isinstance(inside, list):
        return [value for element in inside if isinstance(element, dict) for value in values_at(element, rest)]
    return []


def value_of(payload: Mapping[str, Any], path: str, kind: Kind) -> Value | None:
    """Return what a payload of plain JSON holds for a declared field, as its column keeps it; None if it is missing.

    Raises
    ------
    ValueError
        If it is of another kind; the message goes on behind the name of the field.
    """
    found = payload.get(path)
    if found is None and "." in path:
        found = _through_objects(payload, path)
    return None if found is None else _CONVERTERS[kind](found)


def _through_objects(payload: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON
    values = values_at(payload, path)
    inside: Any = payload
    rest = path
    while values and isinstance(inside, dict) and inside.get(rest) is None:
        head, _, rest = rest.partition(".")
        inside = inside.get(head)
    if isinstance(inside, list):
        raise ValueError(f"must be inside objects, but there is the list {shown(inside)}")
    return values[0] if values else None


def _keyword(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, got {shown(value)}")
    return text(value)


def _keywords(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(element, str) for element in value):
        raise ValueError(f"must be a list of strings, got {shown(value)}")
    return [text(element) for element in value]


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, got {shown(value)}")
    if value not in INT64:
        raise ValueError(f"must be within int64, got {shown(value)}")
    return value


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"must be finite, got {shown(value)}")
    if number != value:
        raise ValueError(f"must be a number that float64 holds exactly, got {shown(value)}")
    return number + 0.0  # -0.0 is 0.0


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {shown(value)}")
    return value


def _datetime(value: object) -> int:
    if isinstance(value, str):
        moment = microseconds_of_text(value)
        if moment is None:
            raise ValueError(f"must be an ISO 8601 date, got {shown(value)}")
        return moment
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be an ISO 8601 string, a datetime or microseconds since 1970, got {shown(value)}")
    return _int(value)


_CONVERTERS: dict[Kind, Callable[[object], Value]] = {
    "keyword": _keyword,
    "keywords": _keywords,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "datetime": _datetime,
}


def in_terms_of(filter_: Filter, fields: Fields) -> Filter:
    """Return a filter for columns: strings that are compared with a datetime field are the moments they write.

    Raises
    ------
    ValueError
        Naming the field and the string, if it is no ISO 8601 date.
    """
    moments = {field for field, kind in fields.items() if kind == "datetime"}
    if any(condition.path in moments for condition in tree.conditions_of(filter_)):
        return _with_moments(filter_, moments)
    return filter_


def _with_moments(filter_: Filter, moments: AbstractSet[str]) -> Filter:
    if isinstance(filter_, tree.And):
        return tree.all_of(_with_moments(child, moments) for child in filter_.children)
    if isinstance(filter_, tree.Or):
        return tree.any_of(_with_moments(child, moments) for child in filter_.children)
    if isinstance(filter_, tree.Not):
        return tree.negated(_with_moments(filter_.child, moments))
    return _of_moments(filter_) if isinstance(filter_, tree.Condition) and filter_.path in moments else filter_


def _of_moments(condition: tree.Condition) -> Filter:
    field = condition.path
    if isinstance(condition, tree.OneOf):
        return tree.one_of(field, [_moment(field, value) for value in condition.values])
    if isinstance(condition, tree.Compare):
        return tree.Compare(field, condition.order, _moment(field, condition.value))
    # No moment contains or is like a string; to ask for a date is no mistake all the same.
    if isinstance(condition, tree.Contains):
        _moment(field, condition.value)
    elif isinstance(condition, tree.Like):
        _moment(field, Scalar("string", condition.pattern))
    return condition


def _moment(field: str, value: Scalar) -> Scalar:
    if not isinstance(value.value, str):
        return value
    moment = microseconds_of_text(value.value)
    if moment is None:
        raise ValueError(f"{shown(field)} is declared as datetime, and {shown(value.value)} is no ISO 8601 date")
    return Scalar("number", moment)
