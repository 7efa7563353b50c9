"""The filter language, as JSON: Mongo's form, with two truth values.

A filter is an object. A key that begins with ``$`` combines filters (`$and`, `$or`, `$not`) or is `$id`; any other is a
path into payloads. Its value is an object of operators, all of which must hold, or a plain value for `$eq`. `parse`
is the one way in: it reads JSON, and takes trees that `F` wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np

from thresher.collection.filters import tree
from thresher.collection.filters.tree import Filter
from thresher.collection.filters.values import Scalar, scalar, shown, text

Where: TypeAlias = Filter | Mapping[str, Any]
"""A filter: JSON, or a tree."""

Result = TypeVar("Result")

MAX_STEPS = 64  # of a path
MAX_PATTERN = 10_000  # characters


def parse(where: Where | None, fields: Collection[str] | None = None, *, name: str = "where") -> Filter:
    """Return a filter's tree, in canonical form.

    Parameters
    ----------
    where
        A filter as JSON or as a tree; None matches everything.
    fields
        The paths that may be named, beside `$id`. None: any.
    name
        What messages call the filter.

    Returns
    -------
    Filter
        Hashable. Equal for filters that have the same conditions, whatever their order and spelling.

    Raises
    ------
    ValueError
        If anything in it is not of the language, naming where it stands: ``where.$and[1].year.$gt``.
    TypeError
        If `where` is neither an object nor a tree.

    Examples
    --------
    >>> from thresher.collection.filters import parse
    >>> parse({"lang": "en", "year": {"$gte": 2020}}) == parse({"$and": [{"year": {"$gte": 2020.0}}, {"lang": "en"}]})
    True
    """
    if where is None:
        return tree.EVERYTHING
    if isinstance(where, Filter):
        for path in {condition.path for condition in tree.conditions_of(where)}:
            _told(f"{name}: {shown(path)}", _check_path, path, fields)
        return where
    if not isinstance(where, Mapping):
        raise TypeError(f"{name} must be a filter: a dict or what F makes, got {type(where).__name__}")
    return _Parser(fields).filter(where, name, 1)


def condition(path: str, operator: str, operand: object) -> Filter:
    """Return the tree of one operator.

    Raises
    ------
    ValueError
        If there is no such operator, or it takes no such operand; the message goes on behind the name of a place.
    """
    if operator not in _OPERATORS:
        raise ValueError(f"unknown operator; there are {', '.join(OPERATORS)}")
    return _OPERATORS[operator](path, operand)


class _Parser:
    """Reads JSON, with a budget: an object that stands in many places is paid for in each."""

    def __init__(self, fields: Collection[str] | None) -> None:
        self._fields = fields
        self._left = tree.MAX_SIZE

    def filter(self, where: object, place: str, depth: int) -> Filter:
        if isinstance(where, Filter):
            self._pay(where.size, place)
            return parse(where, self._fields, name=place)
        if not isinstance(where, Mapping):
            raise ValueError(f"{_cut(place)} must be an object, got {shown(where)}")
        self._enter(place, depth)
        found = []
        for key, value in where.items():
            if not isinstance(key, str):
                raise ValueError(f"{_cut(place)} must have strings for keys, got {shown(key)}")
            inside = _step(place, key)
            if key in ("$and", "$or"):
                found.append(self._junction(key, value, inside, depth))
            elif key == "$not":
                found.append(_told(inside, tree.negated, self.filter(value, inside, depth + 1)))
            else:
                _told(inside, _check_path, key, self._fields)
                found.append(self._conditions(key, value, inside, depth))
        return _told(place, tree.all_of, found)

    def _junction(self, operator: str, children: object, place: str, depth: int) -> Filter:
        if not isinstance(children, list | tuple):
            raise ValueError(f"{_cut(place)} must be a list of filters, got {shown(children)}")
        found = [self.filter(child, f"{place}[{number}]", depth + 1) for number, child in enumerate(children)]
        return _told(place, tree.all_of if operator == "$and" else tree.any_of, found)

    def _conditions(self, path: str, value: object, place: str, depth: int) -> Filter:
        self._enter(place, depth)
        if not isinstance(value, Mapping):
            return _told(place, condition, path, "$eq", value)
        if not value:
            raise ValueError(f"{_cut(place)} has no operator")
        found = []
        for operator, operand in value.items():
            if not (isinstance(operator, str) and operator.startswith("$")):
                raise ValueError(
                    f"{_cut(place)}: operators begin with $, got {shown(operator)}; fields of objects are named by "
                    f"paths, such as 'meta.lang'"
                )
            inside = _step(place, operator)
            if operator == "$not":
                if not isinstance(operand, Mapping):
                    raise ValueError(f"{_cut(inside)} must be an object of operators, got {shown(operand)}")
                found.append(_told(inside, tree.negated, self._conditions(path, operand, inside, depth + 1)))
                continue
            self._pay(len(operand) if isinstance(operand, list | tuple) else 1, inside)
            found.append(_told(inside, condition, path, operator, operand))
        return _told(place, tree.all_of, found)

    def _enter(self, place: str, depth: int) -> None:
        if depth > tree.MAX_DEPTH:
            raise ValueError(f"{_cut(place)} is nested more than {tree.MAX_DEPTH} deep")
        self._pay(1, place)

    def _pay(self, size: int, place: str) -> None:
        self._left -= size
        if self._left < 0:
            raise ValueError(f"{_cut(place)}: the filter has more than {tree.MAX_SIZE} conditions and values")


def _told(place: str, call: Callable[..., Result], *arguments: object) -> Result:
    """Return what a call gives; what it complains of is told by where it stands."""
    try:
        return call(*arguments)
    except ValueError as error:
        at_element = str(error).startswith("[")
        raise ValueError(f"{_cut(place)}{'' if at_element else ': '}{error}") from None


def _check_path(path: str, fields: Collection[str] | None) -> None:
    """Raise ValueError unless a filter may name a path."""
    if path.startswith("$"):
        if path != tree.ID:
            raise ValueError("unknown operator; there are $and, $or, $not and $id")
        return
    text(path)
    if path.count(".") >= MAX_STEPS:
        raise ValueError(f"a path has at most {MAX_STEPS} steps")
    if fields is not None and path not in fields:
        raise ValueError(f"not a declared field; there are: {', '.join(sorted(fields)) or 'none'}")


def _step(place: str, key: str) -> str:
    """Return the place of a key."""
    return f"{place}.{key}" if key.isprintable() else f"{place}[{shown(key)}]"


def _cut(place: str) -> str:
    """Return a place for a message, without the middle of a long one."""
    return place if len(place) <= 200 else f"{place[:120]}...{place[-60:]}"


def _equal(path: str, operand: object) -> Filter:
    return tree.one_of(path, [_single(operand)])


def _unequal(path: str, operand: object) -> Filter:
    return tree.negated(_equal(path, operand))


def _in(path: str, operand: object) -> Filter:
    is_list = isinstance(operand, Iterable) and not isinstance(operand, str | bytes | Mapping)
    if not is_list or (isinstance(operand, np.ndarray) and operand.ndim != 1):
        raise ValueError(f"expected a list, got {shown(operand)}")
    values: list[Scalar | None] = []
    for value in cast("Iterable[object]", operand):
        try:
            values.append(_single(value))
        except ValueError as error:
            raise ValueError(f"[{len(values)}]: {error}") from None
        if len(values) > tree.MAX_SIZE:
            raise ValueError(f"more than {tree.MAX_SIZE} values")
    return tree.one_of(path, values)


def _not_in(path: str, operand: object) -> Filter:
    return tree.negated(_in(path, operand))


def _exists(path: str, operand: object) -> Filter:
    if not isinstance(operand, bool | np.bool_):
        raise ValueError(f"expected a bool, got {shown(operand)}")
    return tree.Exists(path) if operand else tree.negated(tree.Exists(path))


def _contains(path: str, operand: object) -> Filter:
    value = _single(operand)
    return tree.NOTHING if value is None else tree.Contains(path, value)


def _like(path: str, operand: object) -> Filter:
    if not isinstance(operand, str):
        raise ValueError(f"expected a string, got {shown(operand)}")
    if len(operand) > MAX_PATTERN:
        raise ValueError(f"a pattern has at most {MAX_PATTERN} characters, got {len(operand)}")
    return tree.Like(path, text(operand))


def _compared(order: tree.Order) -> Callable[[str, object], Filter]:
    def compare(path: str, operand: object) -> Filter:
        value = _single(operand)
        return tree.NOTHING if value is None else tree.Compare(path, order, value)

    return compare


def _single(operand: object) -> Scalar | None:
    if isinstance(operand, list | tuple | AbstractSet):
        raise ValueError(f"expected one value, got the list {shown(operand)}; $in takes a list, $contains an element")
    return scalar(operand)


_OPERATORS: dict[str, Callable[[str, object], Filter]] = {
    "$eq": _equal,
    "$ne": _unequal,
    "$gt": _compared("$gt"),
    "$gte": _compared("$gte"),
    "$lt": _compared("$lt"),
    "$lte": _compared("$lte"),
    "$in": _in,
    "$nin": _not_in,
    "$exists": _exists,
    "$contains": _contains,
    "$like": _like,
}
OPERATORS = (*_OPERATORS, "$not")
