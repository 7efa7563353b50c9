"""Filters over payloads, one by one: the slow path, for fields that are not declared.

A filter becomes a function once, so that a payload costs no look at the tree. Values of lists and objects count nothing
by themselves: a list matches if any element does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from thresher.collection.filters import tree
from thresher.collection.filters.fields import Fields, in_terms_of, values_at
from thresher.collection.filters.language import Where, parse
from thresher.collection.filters.like import like
from thresher.collection.filters.tree import Filter
from thresher.collection.filters.values import Scalar, microseconds_of_text, sort_of

Test: TypeAlias = Callable[[Any], bool]
"""Of one value: neither null, nor a list or object."""
Matcher: TypeAlias = Callable[[Mapping[str, Any], str | int | None], bool]
"""Of a payload and the document's id."""

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def matches(where: Where, payload: Mapping[str, Any], *, id: str | int | None = None, fields: Fields = {}) -> bool:  # noqa: A002, B006 - read only
    """Return whether a payload matches a filter; `matcher` does the same for many."""
    return matcher(where, fields)(payload, id)


def matcher(where: Where, fields: Fields = {}) -> Matcher:  # noqa: B006 - read only
    """Return a function that tells whether a payload, with its document's id, matches a filter.

    Parameters
    ----------
    where
        A filter, as JSON or a tree.
    fields
        Declared fields. Payloads hold the moments of a datetime field as strings or numbers; both match as moments.

    Returns
    -------
    callable
        Takes a payload of plain JSON values, and the id or None.
    """
    return _compiled(in_terms_of(parse(where), fields), fields)


def _compiled(where: Filter, fields: Fields) -> Matcher:
    if isinstance(where, tree.Not):
        inner = _compiled(where.child, fields)
        return lambda payload, name: not inner(payload, name)
    if isinstance(where, tree.Junction):
        children = [_compiled(child, fields) for child in where.children]
        if isinstance(where, tree.And):
            return lambda payload, name: all(child(payload, name) for child in children)
        return lambda payload, name: any(child(payload, name) for child in children)
    assert isinstance(where, tree.Condition)
    if where.path == tree.ID:
        of_id = test_of(where)
        return lambda _, name: name is not None and of_id(name)
    return _at_path(where, is_moment=fields.get(where.path) == "datetime")


def _at_path(where: tree.Condition, *, is_moment: bool) -> Matcher:
    path = where.path
    if isinstance(where, tree.Exists):
        return lambda payload, _: bool(values_at(payload, path))
    of_value, of_element = test_of(where), test_of(of_elements(where))

    def holds(payload: Mapping[str, Any], _: str | int | None) -> bool:
        for value in values_at(payload, path):
            if isinstance(value, list):
                if any(sort_of(element) is not None and of_element(element) for element in value):
                    return True
            elif sort_of(value) is not None and of_value(_moment(value) if is_moment else value):
                return True
        return False

    return holds


def of_elements(where: tree.Condition) -> tree.Condition:
    """Return what a condition asks of a list's elements: those that it contains equal a value."""
    return tree.OneOf(where.path, (where.value,)) if isinstance(where, tree.Contains) else where


def test_of(where: tree.Condition) -> Test:
    """Return a function that tells whether one value meets a condition."""
    if isinstance(where, tree.OneOf):
        wanted = frozenset(where.values)
        return lambda value: Scalar(sort_of(value), value) in wanted  # type: ignore[arg-type] # of no null
    if isinstance(where, tree.Compare):
        ordered, (sort, bound) = _ORDERS[where.order], where.value
        return lambda value: sort_of(value) == sort and ordered(value, bound)
    if isinstance(where, tree.Like):
        matches_pattern = like(where.pattern)
        return lambda value: isinstance(value, str) and matches_pattern(value)
    if isinstance(where, tree.Contains):
        part = where.value.value
        return lambda value: isinstance(part, str) and isinstance(value, str) and part in value
    return lambda _: True


def _moment(value: object) -> object:
    moment = microseconds_of_text(value) if isinstance(value, str) else None
    return value if moment is None else moment
