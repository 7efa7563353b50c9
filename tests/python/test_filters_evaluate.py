"""Filters over columns, over payloads, and by an evaluator that shares no code with either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import filter_cases as cases
from filter_cases import FIELDS, PATHS, holds, members
from helpers import expect
from thresher.collection.filters import Columns, F, Filter, Kind, evaluate, matches, parse, validate_payload

Payloads = list[dict[str, Any]]

# Many documents: few drawn payloads, repeated, so that words of 64 bits are crossed and numbers get codes.
collections = st.tuples(st.lists(cases.payloads, min_size=1, max_size=8), st.sampled_from([1, 7, 40])).map(
    lambda pair: (pair[0] * pair[1])[:200]
)
names = st.sampled_from(["doc0", "doc1", "doc7"])


class Reader:
    """Gives payloads, and remembers of which documents."""

    def __init__(self, payloads: Payloads) -> None:
        self.payloads = payloads
        self.asked: list[int] = []

    def __call__(self, documents: npt.NDArray[np.int64]) -> Iterator[Mapping[str, Any] | None]:
        self.asked += documents.tolist()
        return (self.payloads[document] or None for document in documents)


def stored(payloads: Iterable[dict[str, Any]]) -> Payloads:
    return [validate_payload(payload, FIELDS, number) for number, payload in enumerate(payloads)]


@given(collections, cases.filters([*FIELDS]))
def test_columns_alone_say_what_payloads_say(drawn: Payloads, where: dict[str, Any]) -> None:
    payloads = stored(drawn)
    found = members(evaluate(parse(where), Columns.of(FIELDS, payloads), len(payloads)), len(payloads))
    assert found == [number for number, payload in enumerate(payloads) if holds(where, payload)]


@given(collections, cases.filters(PATHS, names))
def test_columns_and_payloads_together(drawn: Payloads, where: dict[str, Any]) -> None:
    payloads = stored(drawn)
    ids = [f"doc{number}" for number in range(len(payloads))]
    reader = Reader(payloads)
    found = members(evaluate(parse(where), Columns.of(FIELDS, payloads), len(ids), reader, ids), len(ids))
    assert found == [number for number, name in enumerate(ids) if holds(where, payloads[number], name)]
    assert len(set(reader.asked)) == len(reader.asked)


@given(collections, cases.filters([*FIELDS], names))
def test_ids_that_are_found(drawn: Payloads, where: dict[str, Any]) -> None:
    payloads = stored(drawn)
    ids = [f"doc{number}" for number in range(len(payloads))]

    def find(wanted: list[Any]) -> npt.NDArray[np.int64]:
        return np.array([ids.index(name) for name in reversed(wanted) if name in ids], np.int64)

    columns = Columns.of(FIELDS, payloads)
    found = members(evaluate(where, columns, len(ids), ids=ids, id_finder=find), len(ids))
    assert found == [number for number, name in enumerate(ids) if holds(where, payloads[number], name)]


@given(collections, cases.filters(PATHS, st.sampled_from([0, 1, 2**53 + 1])))
def test_ids_that_are_numbers(drawn: Payloads, where: dict[str, Any]) -> None:
    payloads = stored(drawn)
    ids = np.arange(len(payloads), dtype=np.int64)
    ids[-1] = 2**53 + 1
    found = members(evaluate(parse(where), Columns.of(FIELDS, payloads), ids.size, Reader(payloads), ids), ids.size)
    assert found == [number for number, name in enumerate(ids.tolist()) if holds(where, payloads[number], name)]


@given(cases.payloads, cases.filters(PATHS, names))
@example({"title": [1, [2], {"b": 3}, None]}, {"title": {"$in": [2, 3, None]}})
@example({"a.b": None, "a": {"b": 1}}, {"a.b": 1})
@example({"year": 2**53 + 1}, {"year": 2.0**53})
@example({"live": True}, {"live": 1})
@example({"title": True}, {"title": {"$gte": 0}})
def test_one_payload(payload: dict[str, Any], where: dict[str, Any]) -> None:
    kept = validate_payload(payload, FIELDS, "doc0")
    assert matches(parse(where), kept, id="doc0", fields=FIELDS) == holds(where, kept, "doc0")


@given(collections, cases.filters(PATHS), cases.filters(PATHS))
def test_laws(drawn: Payloads, first: dict[str, Any], second: dict[str, Any]) -> None:
    payloads = stored(drawn)
    columns = Columns.of(FIELDS, payloads)
    left, right = parse(first), parse(second)

    def of(where: Filter) -> set[int]:
        return set(members(evaluate(where, columns, len(payloads), Reader(payloads)), len(payloads)))

    everything = set(range(len(payloads)))
    assert of(~left) == everything - of(left)
    assert of(~~left) == of(left)
    assert of(left & right) == of(left) & of(right)
    assert of(left | right) == of(left) | of(right)
    assert of(~(left & right)) == of(~left | ~right)
    assert of(left | ~left) == everything
    assert of(left & ~left) == set()


@given(collections, cases.filters(PATHS), st.data())
def test_among(drawn: Payloads, where: dict[str, Any], data: st.DataObject) -> None:
    payloads = stored(drawn)
    columns = Columns.of(FIELDS, payloads)
    live = data.draw(st.lists(st.booleans(), min_size=len(payloads), max_size=len(payloads)))
    among = np.zeros((len(live) + 63) // 64, np.uint64)
    packed = np.packbits(live, bitorder="little")
    among.view(np.uint8)[: packed.size] = packed
    reader = Reader(payloads)
    found = members(evaluate(parse(where), columns, len(live), reader, among=among), len(live))
    every = members(evaluate(parse(where), columns, len(live), Reader(payloads)), len(live))
    assert found == [number for number in every if live[number]]
    assert all(live[number] for number in reader.asked)


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ({"lang": "a", "title": "b"}, [0, 2]),
        ({"$or": [{"lang": "a"}, {"title": "b"}]}, [1, 3]),
        ({"$not": {"$or": [{"lang": "a"}, {"title": "b"}]}}, [1, 3]),
        ({"$or": [{"lang": "a", "title": "b"}, {"lang": "b", "notes": "c"}]}, [0, 1, 2]),
        ({"$and": [{"$or": [{"lang": "a"}, {"title": "b"}]}, {"year": 1}]}, []),
        ({"lang": "none", "title": "b"}, []),
        ({"title": "b"}, [0, 1, 2, 3]),
    ],
)
def test_only_what_columns_leave_open_is_read(where: dict[str, Any], asked: list[int]) -> None:
    payloads: Payloads = [{"lang": lang} for lang in ("a", "b", "a", "c")]
    reader = Reader(payloads)
    evaluate(parse(where), Columns.of(FIELDS, payloads), 4, reader)
    assert reader.asked == asked


@pytest.mark.parametrize(("repeats", "form"), [(1, "values"), (9, "codes")])
@pytest.mark.parametrize("kind", ["int", "float"])
def test_few_and_many_values(repeats: int, form: str, kind: Kind) -> None:
    values = [7, 0, 3, 3, None, 11, 2**40, 5, *range(300)] * repeats
    columns = Columns.of({"n": kind}, [{"n": value} for value in values])
    assert columns.column("n").form == form
    for wanted in ([], [3], [3, 7], [0, 3, 5, 11, 13, 17, 2**40], [*range(0, 300, 2)], [-1, 2**63, 0.5], [*range(500)]):
        found = members(evaluate(F("n").in_(wanted), columns, len(values)), len(values))
        assert found == [number for number, value in enumerate(values) if value in wanted]


def test_what_comes_out_is_the_callers() -> None:
    columns = Columns.of(FIELDS, [{"at": 2**40 + number, "tags": [], "live": True} for number in range(3)])
    for field in ("at", "tags", "live"):
        evaluate(F(field).exists(), columns, 3)[:] = 0
        assert members(evaluate(F(field).exists(), columns, 3), 3) == [0, 1, 2]


@pytest.mark.parametrize("n_docs", [0, 1, 63, 64, 65, 128, 129])
def test_sizes(n_docs: int) -> None:
    columns = Columns.of(FIELDS, [{"lang": "a"}] * n_docs)
    every = list(range(n_docs))
    assert members(evaluate(parse({}), columns, n_docs), n_docs) == every
    assert members(evaluate(parse({"lang": {"$ne": "b"}}), columns, n_docs), n_docs) == every
    assert members(evaluate(parse({"year": None}), None, n_docs, lambda wanted: [{}] * len(wanted)), n_docs) == every
    assert members(evaluate(parse({"lang": "b"}), columns, n_docs), n_docs) == []


def test_what_is_missing_is_named() -> None:
    columns = Columns.of({"lang": "keyword"}, [{}, {}])
    with expect(ValueError, "'title'", "no declared field"):
        evaluate(parse({"title": "a"}), columns, 2)
    with expect(ValueError, "$id", "no ids"):
        evaluate(parse({"$id": "a"}), columns, 2)
    with expect(ValueError, "columns are of 2 documents, n_docs is 3"):
        evaluate(parse({}), columns, 3)
    with expect(ValueError, "ids are of 1 documents, n_docs is 2"):
        evaluate(parse({}), columns, 2, ids=["a"])
    for among in (np.zeros(2, np.uint64), np.array([4], np.uint64)):
        with expect(ValueError, "among", "2 documents"):
            evaluate(parse({}), columns, 2, among=among)
