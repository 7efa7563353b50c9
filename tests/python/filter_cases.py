"""Payloads and filters to draw, and an evaluator of filters that knows nothing of the library's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from thresher.collection.filters import Kind

FIELDS: dict[str, Kind] = {
    "lang": "keyword",
    "tags": "keywords",
    "year": "int",
    "price": "float",
    "live": "bool",
    "at": "datetime",
    "meta.kind": "keyword",
}
OPEN = ["title", "notes", "meta.size", "authors.name", "authors.books.year", "a.b"]
PATHS = [*FIELDS, *OPEN]

WORDS = ["", "a", "b", "ab", "aab", "é", "aé", "日本", "a%b", "\U0001f600", "\uffff", "2020-01-01", "1"]
WHOLE = [0, 1, -1, 2, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 1577836800000000]
FLOATS = [0.5, 1.0, -0.0, 2.0**53, 1e308, -1e308, 5e-324, 2.0**63, -(2.0**63), 1.5]
MOMENTS = [
    dt.datetime(2020, 1, 1),
    dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    dt.date(2020, 1, 1),
    dt.datetime(1, 1, 1),
    np.datetime64("2020-01-01T00:00:00.000001"),
]
TIMES = ["2020-01-01", "2020-01-01T02:00:00+02:00", "1969-12-31T23:59:59.999999Z", "0001-01-01"]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

words = st.sampled_from(WORDS)
whole = st.sampled_from(WHOLE)
numbers = st.one_of(whole, st.sampled_from(FLOATS))
plain = st.one_of(words, numbers, st.booleans(), st.none())
json_values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=2)), max_leaves=5
)

_DECLARED: dict[Kind, st.SearchStrategy[Any]] = {
    "keyword": words,
    "keywords": st.lists(words, max_size=3),
    "int": whole,
    "float": st.one_of(st.sampled_from(FLOATS), st.sampled_from([0, 1, 2**53])),
    "bool": st.booleans(),
    "datetime": st.one_of(st.sampled_from(TIMES), whole),
}
_books = st.lists(st.fixed_dictionaries({}, optional={"year": plain}), max_size=2)
_authors = st.lists(st.fixed_dictionaries({}, optional={"name": json_values, "books": _books}), max_size=2)


def _present(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(strategy, strategy, strategy, st.none())


payloads: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        **{field: _present(_DECLARED[kind]) for field, kind in FIELDS.items() if "." not in field},
        "meta": st.one_of(
            st.none(), words, st.fixed_dictionaries({}, optional={"kind": _present(words), "size": plain})
        ),
        "title": json_values,
        "notes": json_values,
        "authors": st.one_of(_authors, plain),
        "a.b": plain,
        "a": st.one_of(plain, st.fixed_dictionaries({}, optional={"b": json_values})),
    },
)

OPERANDS: list[Any] = [
    *WORDS,
    *WHOLE,
    *FLOATS,
    *MOMENTS,
    *TIMES,
    *(True, False, None, 2**63, 2**70, -(2**70), 0.1, float("inf"), -float("inf"), 10**308 + 1, 2**1024 - 1, 1e19),
    *(np.int64(1), np.float32(0.5), np.bool_(True), np.uint64(2**63), np.str_("a")),
]
# What a datetime field is compared with: strings that are no dates are errors.
DATES: list[Any] = [one for one in OPERANDS if not isinstance(one, str) or one in (*TIMES, "2020-01-01")]
_patterns = st.lists(st.sampled_from(["%", "_", "a", "b", "é", "\\%", "\\\\", "日"]), max_size=6).map("".join)


def _operators(operands: st.SearchStrategy[Any], patterns: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    conditions = st.one_of(
        st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$contains"]), operands),
        st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(operands, max_size=8)),
        st.tuples(st.just("$exists"), st.booleans()),
        st.tuples(st.just("$like"), patterns),
    )
    return st.one_of(
        st.lists(conditions, min_size=1, max_size=2).map(dict),
        st.lists(conditions, min_size=1, max_size=2).map(lambda found: {"$not": dict(found)}),
    )


_operands = st.sampled_from(OPERANDS)
_of_any = st.one_of(_operators(_operands, _patterns), _operators(_operands, _patterns), _operands)
_of_dates = st.one_of(_operators(st.sampled_from(DATES), st.sampled_from(TIMES)), st.sampled_from(DATES))


def filters(paths: list[str], ids: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Return filters on some paths, as JSON, and on ids if there is a strategy for them."""
    others = [path for path in paths if FIELDS.get(path) != "datetime"]
    one = st.one_of(
        *[st.tuples(st.sampled_from(others), _of_any)] * 5,
        *[st.tuples(st.just(path), _of_dates) for path in paths if path not in others],
    ).map(lambda pair: dict([pair]))
    if ids is not None:
        values = st.one_of(ids, _operands)
        of_ids = st.one_of(values, st.lists(values, max_size=4).map(lambda found: {"$in": found}), _of_any)
        one = st.one_of(one, of_ids.map(lambda value: {"$id": value}))
    return st.recursive(
        st.one_of(one, one, one, st.just({})),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda found: {"$and": found}),
            st.lists(inner, max_size=3).map(lambda found: {"$or": found}),
            inner.map(lambda found: {"$not": found}),
            st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        ),
        max_leaves=6,
    )


def holds(where: Mapping[str, Any], payload: Mapping[str, Any], name: Any = None) -> bool:
    """Evaluate a filter, as JSON, over one payload: the language read off its description."""
    for key, value in where.items():
        if key == "$and":
            found = all(holds(child, payload, name) for child in value)
        elif key == "$or":
            found = any(holds(child, payload, name) for child in value)
        elif key == "$not":
            found = not holds(value, payload, name)
        else:
            values = _reached(payload, key) if key != "$id" else [name]
            values = [value for value in values if value is not None]
            found = _all_hold(value if isinstance(value, dict) else {"$eq": value}, values, FIELDS.get(key))
        if not found:
            return False
    return True


def _reached(value: Any, path: str) -> list[Any]:
    if isinstance(value, list):
        return [found for element in value if isinstance(element, dict) for found in _reached(element, path)]
    if not isinstance(value, dict):
        return []
    if value.get(path) is not None:
        return [value[path]]
    head, *rest = path.split(".", 1)
    return _reached(value.get(head), rest[0]) if rest else []


def _all_hold(operators: Mapping[str, Any], values: list[Any], kind: Kind | None) -> bool:
    return all(_one_holds(operator, operand, values, kind) for operator, operand in operators.items())


def _one_holds(operator: str, operand: Any, values: list[Any], kind: Kind | None) -> bool:
    opposites = {"$ne": "$eq", "$nin": "$in"}
    if operator in opposites:
        return not _one_holds(opposites[operator], operand, values, kind)
    if operator == "$not":
        return not _all_hold(operand, values, kind)
    if operator == "$exists":
        return bool(operand) == bool(values)
    if operator == "$in":
        return any(_one_holds("$eq", one, values, kind) for one in operand)
    is_moment = kind == "datetime"
    wanted = _as_plain(operand, is_moment=is_moment and operator not in ("$contains", "$like"))
    if wanted is None:
        return operator == "$eq" and not values
    return any(_meets(operator, wanted, value, is_moment=is_moment) for value in values)


def _meets(operator: str, wanted: Any, value: Any, *, is_moment: bool) -> bool:
    if isinstance(value, list):
        inner = "$eq" if operator == "$contains" else operator
        return any(
            _meets(inner, wanted, element, is_moment=False)
            for element in value
            if element is not None and not isinstance(element, list)
        )
    value = _as_plain(value, is_moment=True) if is_moment else value
    if _sort(value) != _sort(wanted) or _sort(value) is None:
        return False
    if operator == "$contains":
        return isinstance(value, str) and wanted in value
    if operator == "$like":
        return isinstance(value, str) and alike(wanted, value)
    relations = {
        "$eq": value == wanted,
        "$gt": value > wanted,
        "$gte": value >= wanted,
        "$lt": value < wanted,
        "$lte": value <= wanted,
    }
    return bool(relations[operator])


def _sort(value: Any) -> type | None:
    if isinstance(value, bool | str):
        return type(value)
    return float if isinstance(value, int | float) else None


def _as_plain(value: Any, *, is_moment: bool) -> Any:
    if isinstance(value, str) and is_moment:
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return str(value)
    if isinstance(value, np.datetime64):
        value = value.item()
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        gone = aware - EPOCH
        return (gone.days * 86400 + gone.seconds) * 10**6 + gone.microseconds
    if isinstance(value, np.generic):
        return value.item()
    return value


def alike(pattern: str, text: str) -> bool:
    """Match a pattern of `$like` by all the places at which it may stand after each character."""
    tokens = []
    characters = iter(pattern)
    for character in characters:
        literal = next(characters, "\\") if character == "\\" else None
        tokens.append((character, literal))

    def closed(places: set[int]) -> set[int]:
        found = set(places)
        for place in range(len(tokens)):
            if place in found and tokens[place] == ("%", None):
                found.add(place + 1)
        return found

    places = closed({0})
    for character in text:
        after = set()
        for place in places:
            if place == len(tokens):
                continue
            kind, literal = tokens[place]
            if kind == "%":
                after.add(place)
            elif kind == "_" or character == (kind if literal is None else literal):
                after.add(place + 1)
        places = closed(after)
    return len(tokens) in places


def members(bits: npt.NDArray[np.uint64], n_docs: int) -> list[int]:
    """Return the numbers of the bits that are set, having looked at the form of them."""
    assert bits.dtype == np.uint64
    assert bits.size == (n_docs + 63) // 64
    every = np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little")).tolist()
    assert all(number < n_docs for number in every)
    return every
