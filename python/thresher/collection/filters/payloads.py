"""Payloads: JSON objects, checked once where they come in and made plain."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from thresher.collection.filters.fields import Fields, value_of
from thresher.collection.filters.values import microseconds, shown, text, whole

MAX_DEPTH = 64  # of objects and lists in one another


def validate_payload(payload: object, fields: Fields, document: object) -> dict[str, Any]:
    """Return a payload as it is stored: a copy of plain JSON values.

    numpy's numbers become Python's, tuples lists, and datetimes whole numbers: microseconds since 1970 in UTC. All else
    stays as it was given, so that an ISO string in a datetime field is still that string.

    Parameters
    ----------
    payload
        A mapping of strings to JSON values. None: no fields.
    fields
        The declared fields.
    document
        The document's id, for messages.

    Returns
    -------
    dict
        What `json.dumps` takes and gives back the same.

    Raises
    ------
    ValueError
        Naming document, field and value, if it is no JSON object, has an infinite number or NaN, is too deep, or holds
        a value of another kind in a declared field.
    """
    if payload is None:
        return {}
    if not isinstance(payload, Mapping):
        raise ValueError(f"document {shown(document)}: the payload must be a JSON object, got {shown(payload)}")
    try:
        plain: dict[str, Any] = _object(payload, "", 1)
    except ValueError as error:
        raise ValueError(f"document {shown(document)}: {error}") from None
    for field, kind in fields.items():
        try:
            value_of(plain, field, kind)
        except ValueError as error:
            raise ValueError(f"document {shown(document)}: {field} {error}") from None
    return plain


def _object(value: Mapping[Any, Any], place: str, depth: int) -> dict[str, Any]:
    _check_depth(place, depth)
    plain = {}
    for key, inside in value.items():
        if not isinstance(key, str):
            raise ValueError(f"{place or 'the payload'} must have strings for keys, got {shown(key)}")
        name = _text(key, place or "the payload")
        plain[name] = _plain(inside, f"{place}.{name}" if place else name, depth)
    return plain


def _plain(value: object, place: str, depth: int) -> Any:  # noqa: ANN401, PLR0911 - JSON, a case a type
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, str):
        return _text(value, place)
    if isinstance(value, float | np.floating):
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{place} must be finite, got {number}")
        return number
    try:
        if isinstance(value, int | np.integer):
            return whole(value)
        if isinstance(value, dt.date | np.datetime64):
            return microseconds(value)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    if isinstance(value, Mapping):
        return _object(value, place, depth + 1)
    if isinstance(value, list | tuple):
        _check_depth(place, depth + 1)
        return [_plain(element, f"{place}[{number}]", depth + 1) for number, element in enumerate(value)]
    raise ValueError(f"{place} must be a JSON value, got {shown(value)}")


def _text(value: str, place: str) -> str:
    try:
        return text(value)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _check_depth(place: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"{place[:60]}... is nested more than {MAX_DEPTH} deep")
