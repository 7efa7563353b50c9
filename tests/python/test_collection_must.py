"""Terms that a document must have, against brute force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collection_oracle import filled, queries, rows
from thresher.collection import Collection


@pytest.mark.parametrize("engine", ["exact", "block-max", "clustered", "graph", "impact", "postings"])
def test_documents_have_all_the_terms(tmp_path: Path, engine: str) -> None:
    collection, oracle = filled(tmp_path / "c", seed=3, engine=engine)
    asked = queries(1, 4)
    with collection:
        for must in ([3], [3, 5], [3, 5, 9], [], [23, 1_000_000], [2**32 - 2]):
            expected = [oracle.search(query, keep=lambda _, one: set(must) <= set(one.vector)) for query in asked]  # noqa: B023
            forms: list[Any] = [must, must, set(must), np.array(must, np.int64)]
            for again in forms:
                hits = collection.search(asked, 8, must=again, exact=True)
                assert list(rows(hits)) == [found[:8] for found in expected]
        each: Any = [[3], None, [5, 9], [1_000_000]]
        hits = collection.search(asked, 8, must=each, exact=True)
        assert hits.exact.all()
        assert list(rows(hits)) == [
            oracle.search(query, keep=lambda _, one: set(must or []) <= set(one.vector))[:8]  # noqa: B023
            for query, must in zip(asked, each, strict=True)
        ]
        filling = collection.search([{0: -1.0}], None, must=7, fill=True, exact=True)
        assert sorted(filling.ids) == sorted(one for one, stored in oracle.documents.items() if 7 in stored.vector)


def test_words(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", words=True) as collection:
        collection.upsert([1, 2, 3], [{"dog": 1.0, "cat": 2.0}, {"dog": 3.0}, {"cat": 4.0}])
        collection.flush()
        collection.upsert([4], [{"emu": 1.0, "cat": 1.0}])
        query = {"dog": 1.0, "cat": 1.0, "yak": 1.0}
        assert collection.search_one(query, k=None).ids.tolist() == [3, 1, 2, 4]
        assert collection.search_one(query, k=None, must="cat").ids.tolist() == [3, 1, 4]
        assert collection.search_one(query, k=None, must=["cat", "dog"]).ids.tolist() == [1]
        assert collection.search_one(query, k=None, must=["cat", "yak"]).ids.tolist() == []
        hits = collection.search([query, query], 2, must=[["emu"], ["dog"]])
        assert hits.ids.tolist() == [[4, None], [1, 2]]
        with pytest.raises(TypeError, match="terms are words"):
            collection.search([query], must=[3])
        with pytest.raises(TypeError, match=r"must\[1\]"):
            collection.search([query, query], must=[["emu"], "dog"])


def test_signed_weights_count_and_the_smallest_too(tmp_path: Path) -> None:
    tiny = float(np.float32(2.0**-149))
    with Collection.create(tmp_path / "c", signed=True) as collection:
        collection.upsert([1, 2, 3, 4], [{0: 1.0, 1: -2.0}, {0: 2.0, 1: tiny}, {0: 3.0, 1: -tiny}, {0: 4.0, 2: 1.0}])
        assert collection.search_one({0: 1.0}, k=4, must=[1]).ids.tolist() == [3, 2, 1, None]


def test_deleted_documents_and_later_ones(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c") as collection:
        collection.upsert([1, 2], [{0: 1.0, 1: 1.0}, {0: 2.0, 1: 1.0}])
        assert collection.search_one({0: 1.0}, k=None, must=[1]).ids.tolist() == [2, 1]
        collection.delete([2])
        collection.upsert([1, 5], [{0: 1.0}, {0: 9.0, 1: 1.0}])
        assert collection.search_one({0: 1.0}, k=None, must=[1]).ids.tolist() == [5]
        collection.optimize()
        assert collection.search_one({0: 1.0}, k=None, must=[1]).ids.tolist() == [5]
