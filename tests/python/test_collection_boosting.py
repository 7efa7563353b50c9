"""Boosts: the best documents by inner product plus boost are those of brute force, in few searches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_oracle import Hit, Oracle, Stored, budget, filled, queries, rows
from thresher.collection import Boost, Collection, question, searching
from thresher.collection.boosting import lowest
from thresher.collection.filters import Columns
from thresher.collection.store import Store

Pair = tuple[Collection, Oracle]
NOW = dt.datetime(2024, 9, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module", params=["exact", "clustered"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    collection, oracle = filled(tmp_path_factory.mktemp("c") / "c", seed=1, engine=request.param)
    with collection:
        yield collection, oracle


def liked(weight: float) -> Any:
    return lambda stored: weight * float(stored.payload.get("likes", 0))


def recent(stored: Stored) -> float:
    if "day" not in stored.payload:
        return 0.0
    age = (NOW - dt.datetime.fromisoformat(stored.payload["day"])) / dt.timedelta(days=1)
    return float(3.0 * np.exp2(-max(age, 0.0) / 30))


@pytest.mark.parametrize("k", [1, 6, 90, 1000, None])
@pytest.mark.parametrize("weight", [0.0, 0.001, 0.25, 1e6, -0.25, -1e6, 1e-30])
def test_a_field(pair: Pair, k: int | None, weight: float) -> None:
    collection, oracle = pair
    asked = queries(1)
    hits = collection.search(asked, k, boost=Boost.field("likes", weight), exact=True)
    assert hits.exact.all()
    for found, query in zip(rows(hits), asked, strict=True):
        assert found == oracle.search(query, boost=liked(weight))[:k]


@pytest.mark.parametrize("k", [4, None])
def test_recency_and_the_sum_of_boosts(pair: Pair, k: int | None) -> None:
    collection, oracle = pair
    asked = queries(2)
    boosts = [Boost.recency("day", half_life_days=30, weight=3.0, now=NOW), Boost.field("likes", 0.125)]
    hits = collection.search(asked, k, boost=boosts, exact=True)
    for found, query in zip(rows(hits), asked, strict=True):
        expected = oracle.search(query, boost=lambda stored: recent(stored) + liked(0.125)(stored))[:k]
        assert [hit.id for hit in found] == [hit.id for hit in expected]
        np.testing.assert_allclose([hit.score for hit in found], [hit.score for hit in expected], rtol=2e-7)


def test_now_is_the_time_of_the_search(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", fields={"day": "datetime"}) as collection:
        today = dt.datetime.now(dt.UTC)
        days = [today - dt.timedelta(days=10), today + dt.timedelta(days=10), None]
        collection.upsert([1, 2, 3], [{0: 1.0}] * 3, [{"day": day} for day in days])
        hits = collection.search_one({0: 1.0}, boost=Boost.recency("day", half_life_days=10))
        np.testing.assert_allclose(hits.scores[:3], [2.0, 1.5, 1.0], atol=1e-4)
        assert hits.ids[:3].tolist() == [2, 1, 3]


@pytest.mark.parametrize(("min_score", "fill"), [(1.0, False), (None, True), (-2.0, True), (2.5, True)])
def test_what_matches_goes_by_the_inner_product(pair: Pair, min_score: float | None, fill: bool) -> None:
    collection, oracle = pair
    asked = [{term: weight - 1 for term, weight in query.items()} for query in queries(3)]
    for k in (3, 1000, None):
        hits = collection.search(asked, k, boost=Boost.field("likes", 0.25), min_score=min_score, fill=fill, exact=True)
        for found, query in zip(rows(hits), asked, strict=True):
            assert found == oracle.search(query, min_score=min_score, fill=fill, boost=liked(0.25))[:k]


def test_pages_of_boosted_hits(pair: Pair) -> None:
    collection, oracle = pair
    query = queries(4, 1)[0]
    found: list[Hit] = []
    hits = collection.search_one(query, k=11, boost=Boost.field("likes", 0.25), exact=True)
    while hits.ids[0] is not None:
        found += next(rows(hits))
        hits = collection.search_one(query, k=11, boost=Boost.field("likes", 0.25), exact=True, after=hits)
    assert found == oracle.search(query, boost=liked(0.25))


def test_a_small_boost_takes_few_searches_that_are_not_deep(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    collection, _ = pair
    depths: list[int | None] = []
    find = searching.find

    def counted(parts: Any, allowed: Any, request: searching.Request) -> Any:
        depths.append(request.k)
        return find(parts, allowed, request)

    monkeypatch.setattr(question, "find", counted)
    collection.search(queries(5), 4, boost=Boost.field("likes", 1e-6), exact=True)
    assert depths[0] == 4
    assert len(depths) <= 3


def test_approximate_hits_are_honest(pair: Pair) -> None:
    collection, oracle = pair
    asked = queries(6, 20)
    hits = collection.search(asked, 5, boost=Boost.field("likes", 0.25), **budget(collection))
    for found, query, is_exact in zip(rows(hits), asked, hits.exact, strict=True):
        expected = oracle.search(query, boost=liked(0.25))
        assert len(found) == min(5, len(expected))
        assert set(found) <= set(expected)
        assert not is_exact or found == expected[:5]


def test_payloads_that_were_updated_count(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", fields={"likes": "int"}) as collection:
        collection.upsert([1, 2], [{0: 1.0}, {0: 2.0}], [{"likes": 1}, {}])
        collection.flush()
        before = collection.snapshot()
        collection.update_payload([1], {"likes": 50})
        boost = Boost.field("likes")
        assert collection.search_one({0: 1.0}, k=2, boost=boost).scores.tolist() == [51.0, 2.0]
        assert before.search_one({0: 1.0}, k=2, boost=boost).scores.tolist() == [2.0, 2.0]


def test_documents_that_are_no_hits_are_not_looked_at_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the extremes of a field are known, also over a filter that is known."""
    collection, oracle = pair
    asked = queries(7)
    boosts = [Boost.recency("day", half_life_days=30, weight=3.0), Boost.field("likes", 0.125)]
    where = {"price": {"$gt": 1}}
    wanted = [collection.search(asked, 4, boost=boosts, where=some, exact=True).ids for some in (None, where)]
    sizes = []
    of = Boost.of

    def sized(boost: Boost, values: Any) -> Any:
        sizes.append(len(values))
        return of(boost, values)

    monkeypatch.setattr(Boost, "of", sized)
    monkeypatch.setattr(Columns, "numeric", None)
    monkeypatch.setattr(Store, "states", None)
    found = [collection.search(asked, 4, boost=boosts, where=some, exact=True).ids for some in (None, where)]
    for before, after in zip(wanted, found, strict=True):
        assert before.tolist() == after.tolist()
    assert max(sizes) <= 64
    assert len(oracle.documents) > 200


@pytest.mark.parametrize("weight", [0.5, -0.5])
@pytest.mark.parametrize("where", [None, {"price": {"$gte": 2}}, {"likes": {"$exists": False}}])
def test_a_boost_goes_by_present_payloads(tmp_path: Path, weight: float, where: Any) -> None:
    collection, oracle = filled(tmp_path / "c", seed=3)
    rng = np.random.default_rng(4)
    with collection, collection.snapshot() as before:
        asked, boost = queries(8), Boost.field("likes", weight)
        old = before.search(asked, 5, boost=boost, where=where, exact=True)
        for one in rng.choice(list(oracle.documents), 60, replace=False).tolist():
            likes = int(rng.integers(100)) if rng.random() < 0.7 else None
            collection.update_payload([one], {"likes": likes, "price": 3})
            stored = oracle.documents[one]
            oracle.documents[one] = stored._replace(payload={**stored.payload, "likes": likes, "price": 3})
        again = before.search(asked, 5, boost=boost, where=where, exact=True)
        assert [*rows(again)] == [*rows(old)]
        payloads = {document.id: document.payload for document in collection.scan(where)}
        found = collection.search(asked, 5, boost=boost, where=where, exact=True)
        for hits, query in zip(rows(found), asked, strict=True):
            expected = oracle.search(
                query,
                keep=lambda one, _: one in payloads,
                boost=lambda stored: weight * float(stored.payload.get("likes") or 0),
            )
            assert hits == expected[:5]
        for field in ("likes", "group"):
            counts: dict[Any, int] = {}
            for payload in payloads.values():
                if payload.get(field) is not None:
                    counts[payload[field]] = counts.get(payload[field], 0) + 1
            assert collection.count_by(field, where) == counts


def test_a_boost_beyond_float64(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", fields={"likes": "int"}) as collection:
        collection.upsert([1, 2], [{0: 1.0}] * 2, [{"likes": 2**60}, {}])
        for weight in (1e300, -1e300):
            with pytest.raises(ValueError, match="beyond float64"):
                collection.search_one({0: 1.0}, boost=Boost.field("likes", weight))


@given(
    score=st.floats(-(2.0**99), 2.0**99, width=32), boost=st.floats(-1e30, 1e30),
    below=st.integers(1, 3), share=st.floats(0, 1),
)  # fmt: skip
def test_nothing_below_the_lowest_comes_to_the_score(score: float, boost: float, below: int, share: float) -> None:
    product = np.float32(lowest(score, boost))
    for _ in range(below):
        product = np.nextafter(product, np.float32(-np.inf))
    added = boost if share == 1 else min(boost, boost - share * abs(boost))
    assert np.float32(float(product) + added) < np.float32(score)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Boost.field(3), TypeError, "a string"),  # type: ignore[arg-type]
        (lambda: Boost.field("a", float("inf")), ValueError, "weight must be finite"),
        (lambda: Boost.recency("a", half_life_days=0), ValueError, "> 0"),
        (lambda: Boost.recency("a", half_life_days=float("nan")), ValueError, "half_life_days"),
        (lambda: Boost.recency("a", half_life_days=1, now=5), TypeError, "now must be a datetime"),  # type: ignore[arg-type]
    ],
)
def test_refuses(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
