"""Groups of hits, against brute force: the best k groups with their best members."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collection_oracle import Hit, Oracle, budget, filled, queries, rows
from thresher.collection import Boost, Collection, grouping

Pair = tuple[Collection, Oracle]


@pytest.fixture(scope="module", params=["exact", "clustered"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    collection, oracle = filled(tmp_path_factory.mktemp("c") / "c", seed=2, engine=request.param)
    with collection:
        yield collection, oracle


@pytest.fixture(autouse=True)
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first search shallow, so that deeper ones follow."""
    monkeypatch.setattr(grouping, "_LEAST", 1)
    monkeypatch.setattr(grouping, "DEEPER", 2)


def expected_groups(oracle: Oracle, hits: list[Hit], field: str, per_group: int) -> list[list[tuple[Hit, Any]]]:
    groups: dict[str, list[tuple[Hit, Any]]] = {}
    for hit in hits:
        value = oracle.documents[hit.id].payload.get(field)
        same = int(value) if isinstance(value, float) else value
        key = json.dumps(same) if value is not None else f"own {hit.id}"
        groups.setdefault(key, []).append((hit, value))
    # A group is called as its best document calls it.
    return [[(hit, members[0][1]) for hit, _ in members[:per_group]] for members in groups.values()]


def assert_groups(hits: Any, number: int, expected: list[list[tuple[Hit, Any]]]) -> None:
    found = list(rows(hits))[number]
    values = hits.groups[number][: len(found)].tolist()
    flat = [pair for group in expected for pair in group]
    assert found == [hit for hit, _ in flat]
    assert list(map(repr, values)) == [repr(value) for _, value in flat]


@pytest.mark.parametrize("field", ["group", "kind", "likes", "day", "nowhere"])
@pytest.mark.parametrize(("k", "per_group"), [(1, 1), (3, 1), (3, 4), (5, 2), (200, 3), (2, 300)])
def test_the_best_groups(pair: Pair, field: str, k: int, per_group: int) -> None:
    collection, oracle = pair
    asked = queries(1, 5)
    hits = collection.search(asked, k, group_by=field, per_group=per_group, exact=True)
    assert hits.ids.shape == hits.groups.shape == (5, k * per_group)  # type: ignore[union-attr]
    assert hits.exact.all()
    for number, query in enumerate(asked):
        assert_groups(hits, number, expected_groups(oracle, oracle.search(query), field, per_group)[:k])


def test_all_groups(pair: Pair) -> None:
    collection, oracle = pair
    query = queries(2, 1)[0]
    hits = collection.search([query], None, group_by="group", per_group=2, exact=True)
    flat = [pair for group in expected_groups(oracle, oracle.search(query), "group", 2) for pair in group]
    assert next(rows(hits)) == [hit for hit, _ in flat]
    assert hits.groups is not None
    assert hits.groups.tolist() == [value for _, value in flat]
    assert [hit["group"] for hit in hits.to_dicts()[0]] == [value for _, value in flat]


def test_groups_of_boosted_hits_under_a_filter(pair: Pair) -> None:
    collection, oracle = pair
    asked = queries(3, 4)
    hits = collection.search(
        asked,
        3,
        group_by="group",
        per_group=2,
        boost=Boost.field("likes", 0.5),
        where={"price": {"$gt": 1}},
        exact=True,
    )
    for number, query in enumerate(asked):
        found = oracle.search(
            query,
            keep=lambda _, stored: stored.payload.get("price", 0) > 1,
            boost=lambda stored: 0.5 * stored.payload.get("likes", 0),
        )
        assert_groups(hits, number, expected_groups(oracle, found, "group", 2)[:3])


def test_pages_have_other_groups(pair: Pair) -> None:
    collection, oracle = pair
    query = queries(4, 1)[0]
    expected = expected_groups(oracle, oracle.search(query), "group", 2)
    found: list[Hit] = []
    hits = collection.search_one(query, k=3, group_by="group", per_group=2, exact=True)
    while hits.ids[0] is not None:
        found += next(rows(hits))
        hits = collection.search_one(query, k=3, group_by="group", per_group=2, exact=True, after=hits.cursor)
    assert found == [hit for group in expected for hit, _ in group]


def test_approximate_groups_are_as_many_as_there_are(pair: Pair) -> None:
    collection, oracle = pair
    asked = queries(5, 10)
    hits = collection.search(asked, 5, group_by="group", **budget(collection))
    for number, query in enumerate(asked):
        groups = expected_groups(oracle, oracle.search(query), "group", 1)
        assert len(list(rows(hits))[number]) == min(5, len(groups))


def test_members_of_large_groups_are_searched_alone(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", fields={"group": "keyword"}) as collection:
        n = 500
        collection.upsert(
            list(range(n)),
            [{0: 1.0 + (n - number) / n} for number in range(n)],
            [{"group": "most" if number not in (250, 499) else "few"} for number in range(n)],
        )
        hits = collection.search_one({0: 1.0}, k=2, group_by="group", per_group=3)
        assert hits.ids.tolist() == [0, 1, 2, 250, 499, None]
        assert hits.groups is not None
        assert hits.groups.tolist() == ["most"] * 3 + ["few"] * 2 + [None]


def test_a_deadline_ends_deeper_searches_and_says_so(pair: Pair) -> None:
    collection, oracle = pair
    asked = queries(6, 5)
    options: Any = {"group_by": "group", "per_group": 60, "exact": True}
    assert collection.search(asked, 6, **options).exact.all()
    hits = collection.search(asked, 6, deadline_us=1e-6, **options)
    boosted = collection.search(asked, 6, deadline_us=1e-6, boost=Boost.field("likes"), exact=True)
    for number, query in enumerate(asked):
        expected = oracle.search(query)
        found = list(rows(hits))[number]
        assert set(found) <= set(expected)
        whole = expected_groups(oracle, expected, "group", 60)[:6]
        assert not hits.exact[number] or found == [hit for group in whole for hit, _ in group]
        best = oracle.search(query, boost=lambda stored: float(stored.payload.get("likes", 0)))[:6]
        assert not boosted.exact[number] or list(rows(boosted))[number] == best
    assert not boosted.exact.all()
