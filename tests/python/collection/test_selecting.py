"""Filters over a collection: documents by their ids, and dates that are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter_cases import holds
from thresher.collection import Collection
from thresher.collection.segment import Segment

WORDS = ["a", "b\0", "é", "1", "c"]
WHOLE = [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63)]
OTHERS: list[Any] = ["nobody", 77, True, False, 1.0, 1.5, 2**63, -(2**70), None, 2.0**53]


def filled(path: Path, ids: list[Any]) -> Collection:
    """Return documents in two segments and in the log, some of them dead, some replaced, some updated."""
    collection = Collection.create(path, fields={"year": "int"})
    for begin in (0, 20, 40):
        more = range(begin + 100, begin + 120)
        some = [*ids, *(more if isinstance(ids[0], int) else map(str, more))]
        payloads = [{"year": number % 5, "open": number % 3} for number in range(len(some))]
        collection.upsert(some, [{0: 1.0}] * len(some), payloads)
        if begin < 40:
            collection.flush()
    collection.delete([some[-1], some[-2]])
    collection.update_payload([some[0], some[7]], {"year": 3, "open": 1})
    return collection


@pytest.fixture(scope="module", params=[WORDS, WHOLE], ids=["words", "whole"])
def collection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with filled(tmp_path_factory.mktemp("c") / "c", request.param) as made:
        yield made


_values = st.lists(st.sampled_from([*WORDS, *WHOLE, *OTHERS, "101", "142", 101, 142]), max_size=6)
_of_ids = st.one_of(
    st.tuples(st.sampled_from(["$in", "$nin"]), _values),
    st.tuples(st.sampled_from(["$eq", "$ne"]), _values.map(lambda found: [*found, 1][0])),
    st.tuples(st.sampled_from(["$gt", "$like"]), st.sampled_from(["1", "%"])),
).map(lambda pair: {"$id": dict([pair])})
_others = st.sampled_from([{"year": 3}, {"year": {"$gt": 1}}, {"open": 1}, {"open": {"$ne": 2}}])
_filters = st.recursive(
    st.one_of(_of_ids, _of_ids, _others),
    lambda inner: st.one_of(
        inner.map(lambda one: {"$not": one}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"$and": some}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"$or": some}),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(_filters)
def test_ids_in_filters(collection: Collection, where: dict[str, Any]) -> None:
    wanted = [document.id for document in collection.scan() if holds(where, document.payload, document.id)]
    assert [document.id for document in collection.scan(where)] == wanted
    assert collection.count(where) == len(wanted)


@pytest.mark.parametrize(
    "of", [lambda ids: {"$nin": ids}, lambda ids: {"$not": {"$in": ids}}, lambda ids: {"$ne": ids[0]}]
)
def test_no_id_is_looked_at_where_a_filter_names_them(
    collection: Collection, of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [document.id for document in collection.scan({"year": 3})]
    monkeypatch.setattr(Segment, "ids", None)
    assert collection.count({"$id": of(gone)}) == len(collection) - len(gone if "$ne" not in of(gone) else gone[:1])
    assert collection.count({"$or": [{"$id": of(gone)}, {"year": 3}]}) == len(collection)


def test_a_hundred_thousand_ids(tmp_path: Path) -> None:
    ids = np.arange(100_000)
    with Collection.create(tmp_path / "c") as collection:
        collection.upsert(ids[:3000], [{0: 1.0}] * 3000)
        collection.flush()
        collection.upsert(ids[3000:4000], [{0: 1.0}] * 1000)
        for where in ({"$id": {"$nin": ids[10:].tolist()}}, {"$id": {"$in": ids[:10].tolist()}}):
            assert [document.id for document in collection.scan(where)] == list(range(10))
        hits = collection.search_one({0: 1.0}, k=20, where={"$id": {"$nin": ids[5:].tolist()}})
        assert hits.ids[:6].tolist() == [0, 1, 2, 3, 4, None]
        assert collection.delete(where={"$id": {"$nin": ids[:10].tolist()}}) == 3990
        assert len(collection) == 10


BAD = [
    {"day": "yesterday"},
    {"day": {"$gte": "2024-13-01"}},
    {"day": {"$nin": ["2024-01-01", ""]}},
    {"$not": {"day": {"$lt": "soon"}}},
    {"$or": [{"year": 1}, {"day": {"$ne": "x"}}]},
    {"day": {"$like": "2024%"}},
    {"day": {"$contains": "2024"}},
]


@pytest.mark.parametrize("where", BAD)
def test_a_string_that_is_no_date_is_a_mistake(tmp_path: Path, where: dict[str, Any]) -> None:
    """Of a field that is declared, whatever documents there are; of others, a string is a string."""
    fields: Any = {"day": "datetime", "year": "int"}
    with Collection.create(tmp_path / "c", fields=fields) as declared, Collection.create(tmp_path / "d") as open_:
        for n_docs in (0, 1):
            for collection in (declared, open_):
                collection.upsert(range(n_docs), [{0: 1.0}] * n_docs, [{"day": "2024-05-01"}] * n_docs)
            for call in (
                lambda: declared.count(where),
                lambda: list(declared.scan(where)),
                lambda: declared.search([{0: 1.0}], where=where),
                lambda: declared.search([{0: 1.0}], where=[where]),
                lambda: declared.delete(where=where),
                lambda: declared.count_by("year", where),
            ):
                with pytest.raises(ValueError, match=r"'day' is declared as datetime, and '.*' is no ISO 8601 date"):
                    call()
            assert len(declared) == n_docs
            assert open_.count(where) == sum(holds(where, document.payload) for document in open_.scan())


def test_what_is_of_another_type_is_false(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", fields={"day": "datetime", "year": "int"}) as collection:
        collection.upsert(["a"], [{0: 1.0}], [{"day": "2024-05-01", "year": 2024}])
        for where in (
            {"day": True},
            {"day": {"$like": "2024-05-01"}},
            {"day": {"$contains": "2024-05-01"}},
            {"year": "2024"},
        ):
            assert collection.count(where) == 0
            assert collection.count({"$not": where}) == 1
        assert collection.count({"day": {"$gte": "2024-05-01T00:00:00Z"}}) == 1
