"""Input that is wrong is refused, named, and stores nothing; input that is odd is kept as it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from thresher.collection import Collection, ConflictError

ROWS = [{0: 1.0}, {1: 2.0}]
HALF = "\ud800"


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """An empty collection."""
    fields: Any = {"year": "int", "lang": "keyword", "price": "float"}
    with Collection.create(tmp_path / "docs", n_terms=4, fields=fields) as opened:
        yield opened


def _meta(collection: Collection) -> list[Any]:
    with collection._store.reading() as catalogue:
        keys = ("version", "next_seq", "id_kind")
        return [*map(catalogue.meta, keys), catalogue.n_live(), list(catalogue.batches())]


def _falling() -> sp.csr_array:
    """Return a matrix that was damaged after scipy had checked it."""
    matrix = sp.csr_array([[1.0, 0.0], [0.0, 2.0]])
    matrix.indptr[1] = 2**31 - 1
    return matrix


UPSERTS: list[Any] = [
    ((["a", "b"], ROWS[:1]), {}, ValueError, "vectors: 1 rows for 2 ids"),
    ((["a"], ROWS), {}, ValueError, "vectors: 2 rows for 1 ids"),
    ((["a"], []), {}, ValueError, "vectors: 0 rows for 1 ids"),
    ((["a", "a"], ROWS), {"duplicates": "error"}, ValueError, r"ids\[1\]: 'a' comes twice"),
    ((["a", "b"], [{0: 1.0}, {1: -2.0}]), {}, ValueError, "row 1 has weight -2.0 for term 1"),
    ((["a", "b"], [{0: 1.0}, {1: math.nan}]), {}, ValueError, "(?s)row 1.*nan"),
    ((["a", "b"], [{0: 1.0}, {1: math.inf}]), {}, ValueError, "(?s)row 1.*inf"),
    ((["a", "b"], [{0: 1.0}, {4: 1.0}]), {}, ValueError, "row 1 has term 4, and the collection has n_terms=4"),
    ((["a"], sp.csr_array([[0.0, 0, 0, 0, 1.0]])), {}, ValueError, "row 0 has term 4"),
    ((["a"], {"other": [{0: 1.0}]}), {}, ValueError, "there is no 'other'"),
    ((["a", 1], ROWS), {}, TypeError, r"ids\[1\] is 1, but ids of this collection are strings"),
    (([1, "a"], ROWS), {}, TypeError, r"ids\[1\] is 'a', but ids of this collection are whole numbers"),
    (([True, False], ROWS), {}, TypeError, r"ids\[0\] must be a string or a whole number, got bool"),
    (([1.0], ROWS[:1]), {}, TypeError, r"ids\[0\]"),
    (([None], ROWS[:1]), {}, TypeError, r"ids\[0\]"),
    (([b"a"], ROWS[:1]), {}, TypeError, r"ids\[0\]"),
    (("a", ROWS[:1]), {}, TypeError, "ids must be a list"),
    (({"a", "b"}, ROWS), {}, TypeError, "ids must be in an order, got a set"),
    (({"a", "b"}, ROWS), {"texts": ["x", "y"]}, TypeError, "ids must be in an order, got a set"),
    ((["a", "b"], ROWS), {"texts": frozenset("xy")}, TypeError, "texts must be in an order, got a frozenset"),
    ((["a", "b"], _falling()), {}, ValueError, "vectors: indptr decreases at row 1, from 2147483647 to 2"),
    ((["x" * 513], ROWS[:1]), {}, ValueError, r"ids\[0\] has 513 bytes"),
    ((["é" * 257], ROWS[:1]), {}, ValueError, r"ids\[0\] has 514 bytes"),
    ((["a", HALF], ROWS), {}, ValueError, r"ids\[1\] has half a surrogate pair"),
    (([2**63], ROWS[:1]), {}, ValueError, r"ids\[0\] is 9223372036854775808"),
    (([-(2**63) - 1], ROWS[:1]), {}, ValueError, r"ids\[0\] is -9223372036854775809"),
    ((np.array([True]), ROWS[:1]), {}, TypeError, r"ids\[0\]"),
    ((["a", "b"], ROWS, [{}]), {}, ValueError, "payloads: 1 for 2 ids"),
    ((["a", "b"], ROWS, {}), {}, TypeError, "payloads must be a list"),
    ((["a", "b"], ROWS, [{}, "no dict"]), {}, ValueError, "'b'"),
    ((["a", "b"], ROWS, [{}, {"x": {1, 2}}]), {}, (TypeError, ValueError), "(?s)'b'.*x"),
    ((["a", "b"], ROWS, [{}, {"x": math.nan}]), {}, ValueError, "(?s)'b'.*x"),
    ((["a", "b"], ROWS, [{}, {1: 2}]), {}, (TypeError, ValueError), "'b'"),
    ((["a", "b"], ROWS, [{}, {"x": HALF}]), {}, ValueError, "'b'"),
    ((["a", "b"], ROWS, [{}, {"year": "2020"}]), {}, (TypeError, ValueError), "(?s)'b'.*year"),
    ((["a", "b"], ROWS, [{}, {"year": 2**63}]), {}, (TypeError, ValueError), "(?s)'b'.*year"),
    ((["a", "b"], ROWS, [{}, {"lang": 3}]), {}, (TypeError, ValueError), "(?s)'b'.*lang"),
    ((["a", "b"], ROWS, [{}, {"price": True}]), {}, (TypeError, ValueError), "(?s)'b'.*price"),
    ((["a", "b"], ROWS), {"texts": ["x"]}, ValueError, "texts: 1 for 2 ids"),
    ((["a", "b"], ROWS), {"texts": ["x", 3]}, TypeError, r"texts\[1\] must be a string"),
    ((["a"], ROWS[:1]), {"texts": [HALF]}, ValueError, "half a surrogate pair"),
    ((["a"], ROWS[:1]), {"if_version": [1, 2]}, ValueError, "if_version: 2 for 1 ids"),
    ((["a"], ROWS[:1]), {"if_version": ["x"]}, TypeError, "if_version"),
    ((["a"], ROWS[:1]), {"if_version": 7}, ConflictError, "'a' is in version 0, not 7"),
    ((["a"], ROWS[:1]), {"duplicates": "first"}, ValueError, "duplicates must be"),
    ((["a"], ROWS[:1]), {"if_absent": "yes"}, TypeError, "if_absent"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "error", "message"), UPSERTS)
def test_a_wrong_upsert_stores_nothing(
    collection: Collection, arguments: Any, options: Any, error: Any, message: str
) -> None:
    before = _meta(collection)
    with pytest.raises(error, match=message):
        collection.upsert(*arguments, **options)
    assert _meta(collection) == before
    assert before[2] is None, "no document has settled the kind of ids"
    collection.upsert([1, 2], ROWS)
    assert [doc.id for doc in collection.scan()] == [1, 2]


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.delete(["a"]),
        lambda c: c.update_payload(["a"], {"x": 1}),
        lambda c: c.upsert([], []),
        lambda c: c.upsert([], [], []),
        lambda c: c.upsert([], sp.csr_array((0, 4))),
    ],
)
def test_what_stores_no_document_does_not_settle_the_kind_of_ids(collection: Collection, call: Any) -> None:
    assert call(collection) == 0
    assert _meta(collection)[2] is None
    collection.upsert([1], ROWS[:1])
    assert 1 in collection


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"year": {"$near": 3}}, "near"),
        ({"$xor": []}, "xor"),
        ({"year": {"$gt": math.nan}}, "(?i)nan"),
        ({"$id": {"$gt": {}}}, "id"),
        ({"lang": {"$in": 3}}, "in"),
        ({"$and": {}}, "and"),
        ([], "where"),
        (3, "where"),
    ],
)
def test_a_wrong_filter_changes_nothing(collection: Collection, where: Any, message: str) -> None:
    collection.upsert(["a", "b"], ROWS, [{"year": 1}, {"year": 2}])
    before = _meta(collection)
    for call in (
        lambda: collection.delete(where=where),
        lambda: collection.count(where),
        lambda: collection.scan(where),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            call()
    assert _meta(collection) == before


@pytest.mark.parametrize(
    "ids",
    [
        [
            "",
            "a\x00b",
            "a\x00",
            "a",
            "x" * 512,
            "é" * 256,
            "\U0001f600",
            "1",
            " ",
            "\n",
            "\ufeff",
            "'; --",
            "%",
            "NULL",
        ],
        [0, 1, -1, 2**63 - 1, -(2**63), 2**53, 2**53 + 1, 2**53 - 1],
    ],
)
@pytest.mark.parametrize("flushed", [False, True])
def test_odd_ids_come_back(collection: Collection, ids: list[Any], flushed: bool) -> None:
    rows = [{0: 1.0 + place} for place in range(len(ids))]
    for _ in range(2):
        collection.upsert(ids, rows, [{"x": str(one)} for one in ids])
        if flushed:
            collection.flush()
    assert len(collection) == len(ids)
    assert [doc.id for doc in collection.scan()] == ids
    [(found, _)] = collection.search([{0: 1.0}], len(ids), exact=True).rows()
    assert list(found) == ids[::-1]
    assert all(one in collection and collection.get([one])[0].payload == {"x": str(one)} for one in ids)
    assert all(collection.count({"$id": one}) == 1 for one in ids)
    path = collection.path
    collection.close()
    with Collection.open(path, mode="rw") as again:
        assert [doc.id for doc in again.scan()] == ids
        assert again.delete(ids[::2]) == len(ids[::2])
        assert [doc.id for doc in again.scan()] == ids[1::2]


def test_numbers_of_numpy_are_ids(collection: Collection) -> None:
    collection.upsert(np.array([3, 4], np.uint8), ROWS)
    mixed: Any = [np.int64(4), np.int8(5)]
    collection.upsert(mixed, ROWS)
    assert [doc.id for doc in collection.scan()] == [3, 4, 5]
    assert np.int32(5) in collection
    assert True not in collection
    assert "3" not in collection
    with pytest.raises(ValueError, match="beyond 64 bits"):
        collection.upsert(np.array([2**63], np.uint64), ROWS[:1])


def test_the_last_of_duplicates_wins(collection: Collection) -> None:
    assert collection.upsert(["a", "b", "a"], [{0: 1.0}, {1: 1.0}, {2: 3.0}], [{"n": 1}, None, {"n": 2}]) == 2
    assert [(doc.id, doc.payload) for doc in collection.scan()] == [("b", {}), ("a", {"n": 2})]
    assert collection.get(["a"])[0].vector.indices.tolist() == [2]
