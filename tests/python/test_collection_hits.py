"""Hits of a collection in every form."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thresher.collection import Collection

PAYLOADS: list[dict[str, Any]] = [{"title": "one", "rank": 7}, {}, {"title": "three", "group": "x"}]


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with Collection.create(tmp_path / "c") as made:
        made.upsert(["a", "b", "c"], [{0: 1.0}, {0: 3.0}, {0: 2.0, 1: 1.0}], PAYLOADS)
        yield made


def test_arrays_rows_and_dicts(collection: Collection) -> None:
    hits = collection.search([{0: 1.0}, {1: 1.0}, {5: 1.0}], 2)
    ids, scores = hits
    assert ids is hits.ids
    assert ids.tolist() == [["b", "c"], ["c", None], [None, None]]
    assert scores.tolist() == [[3.0, 2.0], [1.0, -np.inf], [-np.inf, -np.inf]]
    assert [(row.tolist(), some.tolist()) for row, some in hits.rows()] == [
        (["b", "c"], [3.0, 2.0]), (["c"], [1.0]), ([], [])
    ]  # fmt: skip
    assert hits.to_dicts() == [
        [{"id": "b", "score": 3.0, "payload": {}}, {"id": "c", "score": 2.0, "payload": PAYLOADS[2]}],
        [{"id": "c", "score": 1.0, "payload": PAYLOADS[2]}],
        [],
    ]
    assert hits.payloads() == [[{}, PAYLOADS[2]], [PAYLOADS[2]], []]
    assert "ids=array([['b', 'c']," in repr(hits)
    assert "<td>b (3), c (2)</td>" in hits._repr_html_()
    assert hits.cursor == [["b", "c"], ["c"], []]


def test_all_hits_are_ragged(collection: Collection) -> None:
    hits = collection.search([{0: 1.0}, {5: 1.0}, {1: 1.0}], None)
    assert hits.ids.tolist() == ["b", "c", "a", "c"]
    assert hits.offsets is not None
    assert hits.offsets.tolist() == [0, 3, 3, 4]
    assert hits.to_dicts(payloads=False)[1:] == [[], [{"id": "c", "score": 1.0}]]
    with pytest.raises(ValueError, match="no next page"):
        _ = hits.cursor


def test_one_query(collection: Collection) -> None:
    hits = collection.search_one({0: 1.0}, k=2, include=["title"])
    assert hits.to_dicts() == [
        {"id": "b", "score": 3.0, "payload": {}},
        {"id": "c", "score": 2.0, "payload": {"title": "three"}},
    ]
    assert hits.cursor == ["b", "c"]
    after = collection.search_one({0: 1.0}, k=2, after=hits)
    assert after.cursor == ["b", "c", "a"]
    assert after.ids.tolist() == ["a", None]


def test_tables(collection: Collection) -> None:
    pandas = pytest.importorskip("pandas")
    hits = collection.search([{0: 1.0}, {5: 1.0}, {1: 1.0}], 2, group_by="group")
    table = hits.to_pandas()
    assert table.columns.tolist() == ["query", "rank", "id", "score", "group", "payload.group", "title"]
    assert table["query"].tolist() == [0, 0, 2]
    assert table["rank"].tolist() == [1, 2, 1]
    assert table["id"].tolist() == ["b", "c", "c"]
    assert table["score"].dtype == np.float32
    assert table["title"].isna().tolist() == [True, False, False]
    pandas.testing.assert_frame_equal(hits.to_pandas(payloads=False), table.iloc[:, :5])
    assert len(collection.search([{5: 1.0}], 2).to_pandas()) == 0


def test_arrow(collection: Collection) -> None:
    pytest.importorskip("pyarrow")
    table = collection.search([{0: 1.0}, {1: 1.0}], 2).to_arrow()
    assert table.column_names == ["query", "rank", "id", "score", "group", "title"]
    assert table["id"].to_pylist() == ["b", "c", "c"]
    assert table["title"].to_pylist() == [None, "three", "three"]


def test_arrow_of_fields_of_several_kinds(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with Collection.create(tmp_path / "c") as collection:
        collection.upsert([1, 2, 3], [{0: 1.0}] * 3, [{"x": 1}, {"x": "one"}, {}])
        table = collection.search([{0: 1.0}], 3).to_arrow()
        assert table["id"].to_pylist() == [1, 2, 3]
        assert table["x"].to_pylist() == ["1", '"one"', None]


def test_pickles_with_ids_and_payloads(collection: Collection) -> None:
    for hits in (
        collection.search([{0: 1.0}, {5: 1.0}], 2, group_by="group"),
        collection.search([{0: 1.0}], None),
        collection.search_one({0: 1.0}, k=2, after=["c"], include=["title"]),
        collection.search_one({0: 1.0}, k=None),
    ):
        same = pickle.loads(pickle.dumps(hits))
        assert repr(same) == repr(hits)
        assert same.to_dicts() == hits.to_dicts()
        assert same.is_single == hits.is_single
        if hits.offsets is None and hits.ids.tolist() != ["b", "c", "a"]:
            assert same.cursor == hits.cursor


def test_payloads_are_those_of_the_version_that_was_searched(collection: Collection) -> None:
    hits = collection.search_one({0: 1.0}, k=1)
    collection.update_payload(["b"], {"title": "new"})
    collection.delete(["b"])
    collection.optimize()
    assert hits.payloads() == [{}]
    assert hits.ids.tolist() == ["b"]
