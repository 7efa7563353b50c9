"""Maximal marginal relevance, against its definition."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from collection_oracle import Hit, Oracle, Vector, filled, product, queries, rows
from thresher.collection import Boost, Diversity


def cosine(one: Vector, other: Vector) -> float:
    lengths = math.sqrt(product(one, one)) * math.sqrt(product(other, other))
    return product(one, other) / lengths if lengths else 0.0


def diverse(oracle: Oracle, candidates: list[Hit], k: int, trade_off: float) -> list[Hit]:
    taken: list[Hit] = []
    left = list(candidates)
    while left and len(taken) < k:

        def value(hit: Hit) -> float:
            likeness = [cosine(oracle.documents[hit.id].vector, oracle.documents[one.id].vector) for one in taken]
            relevance = hit.score / candidates[0].score
            # Rounded, so that candidates of equal vectors tie here as well: the better one is taken.
            return round(trade_off * relevance - (1 - trade_off) * max(likeness, default=0.0), 12)

        taken.append(max(left, key=value))
        left.remove(taken[-1])
    return taken


@pytest.mark.parametrize("trade_off", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("candidates", [None, 5, 40])
def test_takes_what_is_good_and_unlike_the_rest(tmp_path: Path, trade_off: float, candidates: int | None) -> None:
    collection, oracle = filled(tmp_path / "c", seed=4)
    asked = queries(1, 5)
    with collection:
        hits = collection.search(asked, 6, diversity=Diversity(trade_off, candidates))
        again = collection.search(asked, 6, diversity=Diversity(trade_off, candidates), threads=1)
        assert hits.ids.tolist() == again.ids.tolist()
        assert hits.exact.all()
        for found, query in zip(rows(hits), asked, strict=True):
            best = oracle.search(query)[: 50 if candidates is None else max(candidates, 6)]
            assert found == diverse(oracle, best, 6, trade_off)


def test_a_trade_off_of_one_is_the_order_of_scores(tmp_path: Path) -> None:
    collection, oracle = filled(tmp_path / "c", seed=5)
    query = queries(2, 1)[0]
    with collection:
        assert next(rows(collection.search_one(query, k=9, diversity=1))) == oracle.search(query)[:9]
        boost = Boost.field("likes")
        boosted = oracle.search(query, boost=lambda stored: float(stored.payload.get("likes", 0)))
        assert next(rows(collection.search_one(query, k=9, diversity=1.0, boost=boost))) == boosted[:9]


def test_pages_go_on(tmp_path: Path) -> None:
    collection, _ = filled(tmp_path / "c", seed=6)
    query = queries(3, 1)[0]
    with collection:
        first = collection.search_one(query, k=9, diversity=0.5)
        second = collection.search_one(query, k=9, diversity=0.5, after=first)
        assert not set(first.ids) & set(second.ids)


def test_refuses() -> None:
    with pytest.raises(ValueError, match="trade_off must be from 0 to 1, got -1"):
        Diversity(-1)
    with pytest.raises(ValueError, match="candidates must be >= 1, got 0"):
        Diversity(0.5, 0)
