"""Search parameters of collections, and their recall: against exact search by other means."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from small_collection import N_TERMS
from strategies import learned
from thresher.collection import Collection, Upkeep, searching, tuning

N = 600


@pytest.fixture
def queries() -> sp.csr_array:
    """Queries like those to come."""
    case = learned(N, 60, seed=3)
    indptr, indices, data = case.queries.triple
    return sp.csr_array((data, indices, indptr), shape=case.queries.shape)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """A collection whose segments of more than 100 documents are clustered."""
    case = learned(N, 60, seed=3)
    indptr, indices, data = case.docs.triple
    docs = sp.csr_array((data, indices, indptr), shape=case.docs.shape)
    upkeep = Upkeep(exact_docs=100)
    made = Collection.create(tmp_path / "c", n_terms=docs.shape[1], engine="clustered", upkeep=upkeep)
    made.upsert(range(N), docs, [{"half": number % 2} for number in range(N)])
    made.flush()
    assert made.stats().segments[0].engines == {"vector": "clustered"}
    return made


def measured(collection: Collection, queries: sp.csr_array, k: int, **options: Any) -> float:
    """Recall in another way: score by score, where ties count as right."""
    found = collection.search(queries, k, **options).scores
    exact = collection.search(queries, k, exact=True, where=options.get("where")).scores
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
    with pytest.warns(UserWarning, match="none of 2 queries finds a document"):
        assert math.isnan(collection.recall(k=1))


def test_recall_under_a_filter(collection: Collection, queries: sp.csr_array) -> None:
    assert collection.recall(queries, where={"half": 1}) > 0.5
    assert collection.recall(queries, where={"half": 1}, cluster_budget=1) == pytest.approx(
        measured(collection, queries, 10, where={"half": 1}, cluster_budget=1)
    )
    with pytest.warns(UserWarning, match=f"none of {queries.shape[0]} queries finds a document"):
        assert math.isnan(collection.recall(queries, where={"half": 7}))
    with pytest.warns(UserWarning, match="there are no queries to measure it by"):
        assert math.isnan(collection.recall(queries[:0]))


def test_queries_without_an_answer_are_left_out_of_recall_and_counted(
    collection: Collection, queries: sp.csr_array
) -> None:
    answered = collection.recall(queries, cluster_budget=1)
    some = sp.csr_array(sp.vstack([queries[:0], sp.csr_array((3, queries.shape[1]), dtype=np.float32), queries]))
    with pytest.warns(UserWarning, match=f"3 of {some.shape[0]} queries find no document") as told:
        assert collection.recall(some, cluster_budget=1) == answered < 1
    assert told[0].filename == __file__


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


def known(*found: tuning.Tuning, retune_s: float = 5.0) -> tuning.Tunings:
    return tuning.Tunings(tuning.Asked(0.9, None, 10, 1, 0, retune_s, version=1), found)


def test_parameters_are_those_of_the_engine_and_the_nearest_size(collection: Collection) -> None:
    own = tuning.Tuning("clustered", {"cluster_budget": 100}, 1.0, 1.0, is_met=True, k=10, n_docs=N)
    small = dataclasses.replace(own, search_params={"cluster_budget": 7}, n_docs=N // 6)
    large = dataclasses.replace(own, search_params={"cluster_budget": 9}, n_docs=N * 4)
    other = dataclasses.replace(own, engine="graph", search_params={"ef": 5})
    part = collection._view().parts[0]

    def budget(*found: tuning.Tuning) -> Any:
        request = searching.Request("vector", None, 10, {}, {}, tunings=known(*found))  # type: ignore[arg-type]
        return searching._index(part, request, 0.5).search_params["cluster_budget"]

    assert budget(own) == budget(small, other, own, large) == 100
    assert budget(small, large) == 9
    assert budget(small) == 7 * 6  # budgets go by size
    assert budget(dataclasses.replace(own, n_docs=4 * N)) == 100
    assert budget(dataclasses.replace(own, n_docs=8 * N)) == 50
    assert budget(other) == part.segment.indexes["vector"].search_params["cluster_budget"]


def test_outcomes_take_the_place_of_those_of_like_segments() -> None:
    upkeep = Upkeep(retune_factor=2.0)
    first = tuning.Tuning("clustered", {}, 1.0, 1.0, is_met=True, k=10, n_docs=100)
    missed = tuning.Missed("clustered", 300, "no time")
    tunings = known(first).with_outcome(missed, upkeep)
    assert (tunings.found, tunings.missed) == ((first,), (missed,))
    second = dataclasses.replace(first, n_docs=190)
    tunings = tunings.with_outcome(second, upkeep)
    assert (tunings.found, tunings.missed) == ((second,), ())
    third = dataclasses.replace(first, n_docs=380)
    fourth = dataclasses.replace(first, n_docs=380, engine="graph")
    assert tunings.with_outcome(third, upkeep).with_outcome(fourth, upkeep).found == (second, third, fourth)


def test_what_is_known_is_kept(collection: Collection, queries: sp.csr_array) -> None:
    collection.tune(queries, recall=0.9, budget_s=1, retune_s=0.5, seed=3)
    writer = collection._writer
    assert writer is not None
    missed = tuning.Missed("clustered", 10 * N, "no time")
    writer.set_tunings("vector", lambda _, now: now and now.with_outcome(missed, Upkeep()))
    before = collection._view().tunings["vector"]
    assert before.asked.retune_s == 0.5
    with collection._store.reading() as catalogue:
        assert tuning.tunings_of(catalogue, collection._store.schema) == {"vector": before}
        kept = tuning.kept_queries(catalogue, "vector")
    assert kept is not None
    rows = sp.csr_array((kept.data, kept.indices, kept.indptr), shape=kept.shape).toarray()
    assert sorted(map(tuple, rows)) == sorted(map(tuple, queries.toarray()))
    collection.tune(recall=0.9, budget_s=1)
    with collection._store.reading() as catalogue:
        assert tuning.kept_queries(catalogue, "vector") is None
    assert collection._view().tunings["vector"].missed == ()


def test_what_can_not_be_tuned(tmp_path: Path, collection: Collection, queries: sp.csr_array) -> None:
    with Collection.create(tmp_path / "empty", n_terms=N_TERMS) as empty:
        with pytest.raises(ValueError, match="the collection is empty: there is nothing to tune"):
            empty.tune(recall=0.9)
        with pytest.warns(UserWarning, match="there are no queries"):
            assert math.isnan(empty.recall())
        empty.upsert(["a"], [{1: 1.0}])
        with pytest.raises(ValueError, match=r"no segment to tune on yet: flush\(\)"):
            empty.tune(recall=0.9)
        empty.flush()
        with pytest.raises(ValueError, match=r"^the documents: too few with terms to make queries of, 1; at least 20"):
            empty.tune(recall=0.9)
    for wrong in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="retune_s must be >= 0 and finite"):
            collection.tune(queries, recall=0.9, retune_s=wrong)
    with pytest.raises(ValueError, match="exactly one of recall and latency_us"):
        collection.tune(queries)
    with pytest.raises(ValueError, match="there is no 'other'"):
        collection.tune(queries, recall=0.9, vector="other")
    with pytest.raises(ValueError, match="sample must be at least 1, got 0"):
        collection.recall(sample=0)
    with pytest.raises(TypeError, match=r"recall has no option 'ef'; it has queries, .*parameters.* cluster_budget"):
        collection.recall(ef=3)
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
