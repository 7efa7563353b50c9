"""What a search of a collection can be told, against brute force over dicts: exact and approximate engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection_oracle import Oracle, Stored, as_matrix, eighths, filled, product, queries, rows
from thresher.collection import Boost, Collection, Diversity, Upkeep

Pair = tuple[Collection, Oracle]


@pytest.fixture(scope="module", params=["exact", "clustered", "impact"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A collection whose larger segments are of an engine each, with its oracle."""
    collection, oracle = filled(tmp_path_factory.mktemp("c") / "c", engine=request.param)
    with collection:
        yield collection, oracle


def is_recent(_: Any, stored: Stored) -> bool:
    return bool(stored.payload.get("likes", -1000) >= 10)


def assert_found(hits: Any, expected: list[list[Any]], k: int | None) -> None:
    assert hits.exact.all()
    for found, all_hits in zip(rows(hits), expected, strict=True):
        assert found == all_hits[:k]


def test_the_pair_has_segments_and_documents_that_wait(pair: Pair) -> None:
    collection, oracle = pair
    view = collection._view()
    assert len(view.parts) >= 4
    assert any(part.segment.row is None for part in view.parts)
    assert any(part.n_live < len(part.segment) for part in view.parts)
    assert len(collection) == len(oracle.documents)


@pytest.mark.parametrize("k", [1, 7, 1000, None])
def test_finds_what_brute_force_finds(pair: Pair, k: int | None) -> None:
    collection, oracle = pair
    asked = queries(1)
    assert_found(collection.search(asked, k, exact=True), [oracle.search(query) for query in asked], k)


@pytest.mark.parametrize("k", [3, 1000, None])
@pytest.mark.parametrize(("min_score", "fill"), [(None, True), (2.5, False), (0.0, True), (2.5, True), (1e9, False)])
def test_min_score_and_fill(pair: Pair, k: int | None, min_score: float | None, fill: bool) -> None:
    collection, oracle = pair
    asked = [{term: weight - 1 for term, weight in query.items()} for query in queries(2)]
    hits = collection.search(asked, k, min_score=min_score, fill=fill, exact=True)
    assert_found(hits, [oracle.search(query, min_score=min_score, fill=fill) for query in asked], k)


def test_where_for_all_and_for_each(pair: Pair) -> None:
    collection, oracle = pair
    asked = queries(3, 3)
    where: Any = {"likes": {"$gte": 10}}
    expected = [oracle.search(query, keep=is_recent) for query in asked]
    assert_found(collection.search(asked, 5, where=where, exact=True), expected, 5)
    each = collection.search(asked, 5, where=[where, None, {"group": {"$in": []}}], exact=True)
    assert_found(each, [expected[0], oracle.search(asked[1]), []], 5)
    assert each.ids.shape == (3, 5)


def test_exclude_for_all_and_for_each(pair: Pair) -> None:
    collection, oracle = pair
    asked = queries(4, 3)
    best = [[hit.id for hit in oracle.search(query)[:4]] for query in asked]
    shared = [*best[0], *best[1], "never there"]
    expected = [oracle.search(query, keep=lambda one, _: one not in shared) for query in asked]
    assert_found(collection.search(asked, 6, exclude=shared, exact=True), expected, 6)
    assert_found(collection.search(asked, 6, exclude=np.array(shared), exact=True), expected, 6)
    hits = collection.search(asked, 6, exclude=[best[0], None, set(best[2])], exact=True)
    assert_found(hits, [oracle.search(asked[0])[4:], oracle.search(asked[1]), oracle.search(asked[2])[4:]], 6)


@pytest.mark.parametrize("is_plain", [False, True])
def test_pages_are_one_long_search(pair: Pair, is_plain: bool) -> None:
    collection, oracle = pair
    asked = queries(5, 4)
    found: list[list[Any]] = [[] for _ in asked]
    after = None
    for _ in range(200):
        hits = collection.search(asked, 7, after=after, exact=True)
        page = list(rows(hits))
        for row, more in zip(found, page, strict=True):
            row.extend(more)
        if not any(page):
            break
        after = json.loads(json.dumps(hits.cursor)) if is_plain else hits
    assert found == [oracle.search(query) for query in asked]


def test_no_document_comes_twice_whatever_the_engine_and_the_writes(tmp_path: Path) -> None:
    collection, oracle = filled(tmp_path / "c", engine="clustered")
    query = queries(6, 1)[0]
    seen: list[Any] = []
    with collection:
        hits = collection.search_one(query, k=9, cluster_budget=1)
        while any(one is not None for one in hits.ids):
            new = [one for one in hits.ids if one is not None]
            assert not set(new) & set(seen)
            seen += new
            collection.upsert(new[:2], [oracle.documents[one].vector for one in new[:2]])
            hits = collection.search_one(query, k=9, after=hits, cluster_budget=1)
        assert sorted(seen) == sorted(hit.id for hit in oracle.search(query))


def test_an_approximate_search_finds_k_with_right_scores(pair: Pair) -> None:
    collection, oracle = pair
    asked = queries(7, 20)
    hits = collection.search(asked, 5, where={"likes": {"$gte": 10}}, group_by=None)
    for query, found in zip(asked, rows(hits), strict=True):
        expected = oracle.search(query, keep=is_recent)
        assert len(found) == min(5, len(expected))
        assert set(found) <= set(expected)
        assert found == sorted(found, key=lambda hit: -hit.score)


def test_one_query_in_every_form(pair: Pair) -> None:
    collection, oracle = pair
    query = queries(8, 1)[0]
    expected = oracle.search(query)[:4]
    terms, weights = list(query), list(query.values())
    for hits in (
        collection.search_one(query, k=4, exact=True),
        collection.search_one(terms, weights, k=4, exact=True),
        collection.search_one(np.array(terms), np.array(weights), 4, exact=True),
        collection.search_one(as_matrix([query], 1_000_001), k=4, exact=True),
    ):
        assert hits.ids.shape == hits.scores.shape == (4,)
        assert hits.exact.shape == ()
        assert next(rows(hits)) == expected
    every = collection.search_one(query, k=None, exact=True)
    assert next(rows(every)) == oracle.search(query)
    assert every.is_single
    with pytest.raises(ValueError, match="no next page"):
        _ = every.cursor


def test_payloads_are_those_that_were_asked_for(pair: Pair) -> None:
    collection, oracle = pair
    query = queries(9, 1)
    whole = collection.search(query, 5, include=True, exact=True)
    for one, payload in zip(whole.ids[0], whole.payloads()[0], strict=True):
        assert payload == oracle.documents[one].payload
    some = collection.search(query, 5, include=["likes", "kind.x"], exact=True)
    for one, payload in zip(some.ids[0], some.payloads()[0], strict=True):
        stored = oracle.documents[one].payload
        kind = stored.get("kind")
        expected = {"likes": stored["likes"]} if "likes" in stored else {}
        assert payload == expected | ({"kind.x": 1} if isinstance(kind, dict) else {})


@pytest.mark.parametrize(
    ("engine", "dials"), [("clustered", {"cluster_budget": 1}), ("impact", {"postings_budget": 9})]
)
def test_dials_reach_the_engines_that_know_them(tmp_path: Path, engine: str, dials: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    with Collection.create(tmp_path / "c", engine=engine, upkeep=Upkeep(exact_docs=100)) as collection:
        for begin in (0, 3000):
            collection.upsert(list(range(begin, begin + 3000)), [eighths(rng, 500) for _ in range(3000)])
            collection.flush()
        collection.upsert([9000], [{1: 1.0}])
        engines = [part.segment.indexes["vector"].engine for part in collection._view().parts]
        assert set(engines) == {engine, "exact"}
        asked = queries(10, 30)
        assert not collection.search(asked, 5, **dials).exact.all()
        assert collection.search(asked, 5, exact=True, **dials).exact.all()
        assert collection.search(asked, 5, exact=True, deadline_us=1e9).exact.all()


def test_progress_counts_queries_and_ends_the_search(pair: Pair) -> None:
    collection, _ = pair
    told: list[tuple[int, int]] = []
    asked = queries(11, 50)
    collection.search(asked, 5, progress=lambda done, total: told.append((done, total)))
    assert told
    assert told[-1] == (50, 50)
    told.clear()
    collection.search(asked, 5, group_by="group", per_group=9, boost=Boost.field("likes"),
                      progress=lambda done, total: told.append((done, total)))  # fmt: skip
    assert all(done <= total == 50 for done, total in told)

    def stop(_: int, __: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        collection.search(asked, 5, progress=stop)


def test_explains_scores(pair: Pair) -> None:
    collection, oracle = pair
    query = queries(12, 1)[0]
    hits = collection.search_one(query, k=6, exact=True)
    ids = [*hits.ids, hits.ids[0], next(iter(oracle.documents))]
    for one, made in zip(ids, collection.explain(query, ids), strict=True):
        stored = oracle.documents[one].vector
        assert made.id == one
        assert made.score == product(query, stored) == made.products.sum()
        assert dict(zip(made.terms.tolist(), made.document_weights.tolist(), strict=True)) == {
            term: weight for term, weight in stored.items() if term in query
        }
        assert made.products.tolist() == sorted(made.products.tolist(), reverse=True)
    assert [made.id for made in collection.explain(query, hits)] == hits.ids.tolist()
    with pytest.raises(KeyError, match="'gone'"):
        collection.explain(query, ["gone"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cluster_size": 3}, TypeError, "no option 'cluster_size'; it has k, vector, .*after.*"),
        ({"unknown_terms": "ignore"}, TypeError, "no option"),
        ({"k": 0}, ValueError, "k must be >= 1"),
        ({"where": [{}]}, ValueError, "1 filters for 2 queries"),
        ({"where": 3}, TypeError, "where must be"),
        ({"exclude": "a"}, TypeError, "exclude must be"),
        ({"exclude": [["a"]]}, ValueError, "1 lists of ids for 2 queries"),
        ({"exclude": [["a"], "b"]}, TypeError, r"exclude\[1\]"),
        ({"exclude": [1.5]}, TypeError, "exclude"),
        ({"min_score": 0}, ValueError, "min_score must be > 0"),
        ({"min_score": float("nan")}, ValueError, "nan"),
        ({"min_score": "1"}, TypeError, "min_score"),
        ({"fill": 1}, TypeError, "fill must be a bool"),
        ({"exact": "yes"}, TypeError, "exact must be a bool"),
        ({"after": 3}, TypeError, "after must be hits"),
        ({"after": ["a"]}, TypeError, "a list of ids for each query"),
        ({"after": [["a"]]}, ValueError, "after is of 1 queries, there are 2"),
        ({"after": [["a"], []], "k": None}, ValueError, "no pages"),
        ({"deadline_us": -1}, ValueError, "deadline_us"),
        ({"include": "title"}, TypeError, "include"),
        ({"group_by": 1}, TypeError, "group_by"),
        ({"group_by": "$id"}, ValueError, "is no field"),
        ({"per_group": 2}, ValueError, "goes with group_by"),
        ({"group_by": "group", "per_group": 0}, ValueError, ">= 1"),
        ({"boost": "likes"}, TypeError, "boost must be a Boost"),
        ({"boost": Boost.field("kind")}, ValueError, "'kind' is not a declared field"),
        ({"boost": Boost.field("group")}, ValueError, "of the kind keyword"),
        ({"diversity": 2.0}, ValueError, "from 0 to 1"),
        ({"diversity": "much"}, TypeError, "diversity must be"),
        ({"diversity": 0.5, "k": None}, ValueError, "diversity goes with"),
        ({"diversity": 0.5, "group_by": "group"}, ValueError, "diversity goes with"),
        ({"must": 1.5}, TypeError, "must"),
        ({"must": [[1]]}, ValueError, "1 lists of terms for 2 queries"),
        ({"must": [-1]}, ValueError, "-1"),
        ({"vector": "other"}, ValueError, "there is no 'other'"),
        ({"threads": -1}, ValueError, "threads"),
        ({"progress": 3}, TypeError, "progress"),
    ],
)
def test_refuses(pair: Pair, options: dict[str, Any], error: type[Exception], message: str) -> None:
    collection, _ = pair
    with pytest.raises(error, match=message):
        collection.search([{1: 1.0}, {2: 1.0}], **options)


def test_an_empty_collection_takes_all_options_and_refuses_the_same(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", fields={"likes": "int"}) as collection:
        hits = collection.search(
            [{1: 1.0}], 3, where={"likes": 1}, must=[1], exclude=["a"], after=[["b"]], include=True, fill=True,
            boost=Boost.field("likes"), group_by="likes", per_group=2, cluster_budget=5, deadline_us=5,
        )  # fmt: skip
        assert hits.ids.tolist() == [[None] * 6]
        assert hits.exact.all()
        assert collection.search([{1: 1.0}], None).ids.tolist() == []
        assert collection.search([{1: 1.0}], 2, diversity=Diversity(0.3)).ids.tolist() == [[None] * 2]
        assert collection.search(([0], [], []), 2, shape=(0, 5)).ids.shape == (0, 2)
        with pytest.raises(TypeError, match="no option"):
            collection.search([{1: 1.0}], block_budget=4)
        with pytest.raises(TypeError, match="cluster_budget"):
            collection.search([{1: 1.0}], cluster_budget="many")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**16), data=st.data())
def test_options_together(pair: Pair, seed: int, data: st.DataObject) -> None:
    collection, oracle = pair
    asked = queries(seed, 3)
    k = data.draw(st.sampled_from([1, 4, 50]))
    fill = data.draw(st.booleans())
    min_score = data.draw(st.sampled_from([None, 1.0, 2.125]))
    term = data.draw(st.integers(0, 25))
    excluded = [hit.id for hit in oracle.search(asked[0])[: data.draw(st.integers(0, 5))]]
    weight = data.draw(st.sampled_from([0.0, 0.125, 4.0, -0.5]))

    def keep(one: Any, stored: Stored) -> bool:
        return one not in excluded and term in stored.vector and is_recent(one, stored)

    def boost(stored: Stored) -> float:
        return weight * float(stored.payload.get("price", 0))

    hits = collection.search(
        asked, k, fill=fill, min_score=min_score, must=[term], exclude=excluded, where={"likes": {"$gte": 10}},
        boost=Boost.field("price", weight), exact=True,
    )  # fmt: skip
    assert_found(
        hits, [oracle.search(query, keep=keep, fill=fill, min_score=min_score, boost=boost) for query in asked], k
    )
