"""Search parameters of collections, and their recall: against exact search by other means."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from small_collection import N_TERMS, Small
from strategies import learned
from thresher.collection import Collection, searching, tuning
from thresher.collection import merging as merging_of

N = 600


@pytest.fixture
def queries() -> sp.csr_array:
    """Queries like those to come."""
    case = learned(N, 60, seed=3)
    indptr, indices, data = case.queries.triple
    return sp.csr_array((data, indices, indptr), shape=case.queries.shape)


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    """A collection whose segments of 100 documents and more are clustered."""
    monkeypatch.setattr(merging_of, "SMALL", 100)
    case = learned(N, 60, seed=3)
    indptr, indices, data = case.docs.triple
    docs = sp.csr_array((data, indices, indptr), shape=case.docs.shape)
    made = Collection.create(tmp_path / "c", n_terms=docs.shape[1], engine="clustered")
    made.upsert(range(N), docs, [{"half": number % 2} for number in range(N)])
    made.flush()
    assert made.stats().segments[0].engines == {"vector": "clustered"}
    return made


def measured(collection: Collection, queries: sp.csr_array, k: int, **options: Any) -> float:
    """Recall in another way: score by score, where ties count as right."""
    found = collection.search(queries, k, **options).scores
    exact = collection.search(queries, k, exact=True).scores
    wanted = sum(int((row > 0).sum()) for row in exact)
    right = sum(
        min(int((row >= best[best > 0].min() * (1 - 1e-5)).sum()), int((best > 0).sum()))
        for row, best in zip(found, exact, strict=True)
        if (best > 0).any()
    )
    return right / wanted


def test_recall_of_queries_is_what_is_found(collection: Collection, queries: sp.csr_array) -> None:
    low = measured(collection, queries, 10, cluster_budget=1)
    assert low < 0.9
    assert collection.recall(queries, k=10, cluster_budget=1) == pytest.approx(low)
    assert collection.recall(queries, k=10) == pytest.approx(measured(collection, queries, 10))


def test_recall_of_made_queries_does_not_count_the_document_itself(collection: Collection) -> None:
    assert 0 < collection.recall(sample=50, k=5) <= 1
    assert collection.recall(sample=50, k=5) == collection.recall(sample=50, k=5)
    # A query that finds its own document alone finds nothing.
    collection.delete(all=True)
    collection.upsert([0, 1], [{1: 1.0, 2: 1.0}, {3: 1.0, 4: 1.0}])
    assert math.isnan(collection.recall(k=1))


def test_recall_under_a_filter(collection: Collection, queries: sp.csr_array) -> None:
    assert collection.recall(queries, where={"half": 1}) > 0.5
    assert math.isnan(collection.recall(queries, where={"half": 7}))
    assert math.isnan(collection.recall(queries[:0]))


def test_tuned_parameters_are_gone_by(collection: Collection, queries: sp.csr_array) -> None:
    with Collection.open(collection.path) as reader:
        found = collection.tune(queries, recall=0.999, budget_s=5)
        assert found.engine == "clustered"
        assert found.search_params
        index: Any = collection._view().parts[0].segment.indexes["vector"]
        wanted = index.search(queries, 10, **found.search_params).scores
        np.testing.assert_array_equal(collection.search(queries).scores, wanted)
        np.testing.assert_array_equal(
            collection.search(queries, cluster_budget=1).scores, index.search(queries, 10, cluster_budget=1).scores
        )
        np.testing.assert_array_equal(
            collection.search(queries, exact=True).scores, index.search(queries, 10, exact=True).scores
        )
        assert reader.stats().tunings == {}
        reader.refresh()
        assert reader.stats().tunings == {"vector": found}
        np.testing.assert_array_equal(reader.search(queries).scores, wanted)
    collection.close()
    with Collection.open(collection.path, "rw") as again:
        assert again.stats().tunings == {"vector": found}
        assert again.stats().out_of_date == []


def test_parameters_are_not_for_other_engines_and_budgets_go_by_size(collection: Collection) -> None:
    own = tuning.Tuning("clustered", {"cluster_budget": 100}, 1.0, 1.0, is_met=True, k=10, n_docs=N)
    part = collection._view().parts[0]
    request = searching.Request("vector", None, 10, {}, {}, tuning=own)  # type: ignore[arg-type]
    budget = own.search_params["cluster_budget"]
    assert searching._index(part, request, 0.5).search_params["cluster_budget"] == budget
    halved = searching.Request("vector", None, 10, {}, {}, tuning=dataclasses.replace(own, n_docs=2 * N))  # type: ignore[arg-type]
    assert searching._index(part, halved, 0.5).search_params["cluster_budget"] == budget // 2
    other = searching.Request("vector", None, 10, {}, {}, tuning=dataclasses.replace(own, engine="graph"))  # type: ignore[arg-type]
    assert searching._index(part, other, 0.5).search_params == part.segment.indexes["vector"].search_params


def test_out_of_date_after_a_merge_that_changes_much(tmp_path: Path) -> None:
    small = Small(tmp_path / "c")
    small.upsert([f"a{number}" for number in range(30)])
    small.collection.flush()
    made = [{1: 1.0, number: 2.0} for number in range(2, 40)]
    small.collection.tune(made, recall=0.9, k=2, budget_s=1)
    assert small.collection.stats().out_of_date == []
    small.upsert([f"b{number}" for number in range(60)])
    small.collection.optimize()
    assert small.collection.stats().out_of_date == []
    small.upsert([f"c{number}" for number in range(30)])
    small.collection.optimize()
    assert small.collection.stats().out_of_date == ["vector"]
    assert "out of date" in repr(small.collection.stats())
    small.collection.tune(made, recall=0.9, k=2, budget_s=1)
    assert small.collection.stats().out_of_date == []


def test_what_can_not_be_tuned(tmp_path: Path, collection: Collection, queries: sp.csr_array) -> None:
    with Collection.create(tmp_path / "empty", n_terms=N_TERMS) as empty:
        with pytest.raises(ValueError, match="no segment to tune on"):
            empty.tune(recall=0.9)
        assert math.isnan(empty.recall())
    with pytest.raises(ValueError, match="exactly one of recall and latency_us"):
        collection.tune(queries)
    with pytest.raises(ValueError, match="there is no 'other'"):
        collection.tune(queries, recall=0.9, vector="other")
    with pytest.raises(ValueError, match="sample must be at least 1, got 0"):
        collection.recall(sample=0)
    with Collection.open(collection.path) as reader, pytest.raises(ValueError, match="open for reading"):
        reader.tune(queries, recall=0.9)


def test_words(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", words=True) as collection:
        rng = np.random.default_rng(0)
        rows = [{f"w{term}": 1.0 + term for term in rng.choice(30, 5, replace=False)} for _ in range(50)]
        collection.upsert([f"d{number}" for number in range(50)], rows)
        collection.flush()
        assert collection.recall(k=3) == 1.0
        assert collection.recall([{"w1": 1.0, "unknown": 3.0}], k=3) == 1.0
        assert collection.tune([{"w1": 1.0, f"w{n}": 1.0, "unknown": 1.0} for n in range(2, 30)], recall=0.9).is_met
