"""Tuning: targets met on other queries, the budget and the limits kept, and what is wrong told."""

from __future__ import annotations

import itertools
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import same
from strategies import Case, learned
from thresher import _core
from thresher._matrix import as_matrix
from thresher._recall import Wanted
from thresher.tuning.queries import Questions, of_documents, rise_with


@pytest.fixture(scope="module")
def real() -> Case:
    return learned(2000, 600, seed=5)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that budgets go by: a millisecond each time that it is asked, however busy the machine is."""
    ticks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks) / 1000)


def docs_of(case: Case) -> Any:
    return as_matrix(case.docs.triple, shape=case.docs.shape)


def queries_of(case: Case) -> Any:
    return as_matrix(case.queries.triple, shape=case.queries.shape)


def recall_of(index: thresher.Index, docs: Any, queries: Any, k: int = 10) -> float:
    """Return the tie-aware recall, by scores that scipy sums."""
    exact = np.sort((queries @ docs.T).toarray(), axis=1)[:, ::-1][:, :k]
    return Wanted.of(exact).recall(index.search(queries, k).scores)


@pytest.mark.parametrize("engine", ["clustered", "block-max", "graph", "impact"])
def test_the_recall_asked_for_is_reached_on_other_queries(engine: str, real: Case) -> None:
    docs, queries = docs_of(real), queries_of(real)
    tuned = thresher.tune(docs, engine=engine, queries=queries[:400], recall=0.9, budget_s=60)
    assert tuned.engine == engine
    assert tuned.is_met
    assert tuned.recall >= 0.9
    assert recall_of(tuned.index, docs, queries[400:]) >= 0.87
    assert type(tuned.index) is thresher.engines()[engine]
    assert tuned.index.n_docs == real.docs.shape[0]
    assert tuned.index.search_params == tuned.search_params
    assert tuned.qps == pytest.approx(1e6 / tuned.latency_us)
    assert f"recall@10 {tuned.recall:.4f}" in repr(tuned)


def test_no_more_is_found_than_the_target_needs(real: Case) -> None:
    docs, queries = docs_of(real), queries_of(real)
    tuned = [thresher.tune(docs, engine="clustered", queries=queries, recall=r) for r in (0.7, 0.9, 0.98)]
    budgets = [one.search_params["cluster_budget"] for one in tuned]
    assert budgets == sorted(set(budgets))
    for one, target in zip(tuned, (0.7, 0.9, 0.98), strict=True):
        assert target <= one.recall < target + 0.06


def test_the_curve_says_what_was_measured_and_the_index_keeps_the_best(real: Case, tmp_path: Path) -> None:
    docs, queries = docs_of(real), queries_of(real)
    tuned = thresher.tune(docs, engine=thresher.ClusteredIndex, queries=queries, recall=0.9)
    chosen = [p for p in tuned.curve if p.held_out_recall == tuned.recall and p.latency_us == tuned.latency_us]
    assert chosen
    assert chosen[0].search_params.items() <= tuned.search_params.items()
    assert chosen[0].recall >= 0.9
    assert chosen[0].n_queries == 300
    plain = thresher.ClusteredIndex.build(docs)
    for point in tuned.curve[:5]:
        assert point.engine == "clustered"
        assert 0 <= point.recall <= 1
        assert point.latency_us > 0
        assert point.search_params.keys() <= plain.search_params.keys()
    tuned.index.save(tmp_path / "f")
    opened = thresher.open(tmp_path / "f")
    assert same(opened.search(queries), plain.search(queries, **chosen[0].search_params))


def test_a_latency_asked_for_is_kept_and_more_time_finds_more(real: Case) -> None:
    docs, queries = docs_of(real), queries_of(real)
    plain = thresher.ClusteredIndex.build(docs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # times differ from run to run
        none, all_ = (thresher.tune(docs, engine="clustered", queries=queries, latency_us=us) for us in (1e-3, 1e6))
    assert not none.is_met
    assert all_.is_met
    assert all_.recall >= recall_of(plain, docs, queries)
    assert none.recall < all_.recall


def test_a_target_that_is_not_met_is_told_and_the_nearest_returned(real: Case) -> None:
    docs, queries = docs_of(real), queries_of(real)
    with pytest.warns(UserWarning, match=r"the target, 0.001 us a query, is not met: <Tuned: ExactIndex"):
        tuned = thresher.tune(docs, engine="exact", queries=queries, latency_us=1e-3)
    assert not tuned.is_met
    assert tuned.recall == 1


def test_all_recall_is_found_exactly(real: Case) -> None:
    docs, queries = docs_of(real), queries_of(real)
    tuned = thresher.tune(docs, engine=["exact", "impact"], queries=queries, recall=1.0)
    assert tuned.recall == 1
    assert recall_of(tuned.index, docs, queries) == 1


def test_of_several_engines_each_is_measured_and_the_best_one_taken(real: Case) -> None:
    docs, queries = docs_of(real), queries_of(real)
    tuned = thresher.tune(docs, engine=["exact", thresher.ClusteredIndex], queries=queries, recall=0.9)
    checked = [point for point in tuned.curve if not np.isnan(point.held_out_recall)]
    assert {point.engine for point in checked} == {"exact", "clustered"}
    fitting = [point for point in checked if point.held_out_recall >= 0.9]
    assert tuned.latency_us == min(point.latency_us for point in fitting)


def test_the_index_fits_the_bytes_allowed(real: Case) -> None:
    docs, queries = docs_of(real)[:500], queries_of(real)[:100]
    sizes = {name: sum(engine.build(docs).nbytes.values()) for name, engine in thresher.engines().items()}
    smallest = min(sizes, key=lambda name: sizes[name])
    others = [name for name in sizes if name != smallest and name != "block-max"]
    tuned = thresher.tune(docs, engine=[*others, smallest], queries=queries, recall=0.9, max_bytes=sizes[smallest])
    assert tuned.engine == smallest
    with pytest.raises(ValueError, match="max_bytes: no engine's index of these documents fits 1000 bytes"):
        thresher.tune(docs, engine="exact", queries=queries, recall=0.9, max_bytes=1000)


def test_an_exhausted_budget_ends_it_with_the_defaults(real: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    docs, queries = docs_of(real), queries_of(real)
    plain = thresher.ClusteredIndex.build(docs)
    with pytest.warns(UserWarning, match="budget_s: after 1e-09 s there are only the library's defaults: <Tuned: Clu"):
        tuned = thresher.tune(docs, engine=["clustered", "graph"], queries=queries, recall=0.1, budget_s=1e-9)
    assert tuned.is_met
    assert tuned.search_params == plain.search_params
    assert [point.search_params for point in tuned.curve] == [{}, {}]  # measured once, and checked
    with pytest.warns(UserWarning, match="the target, recall 1.0, is not met: <Tuned: ClusteredIndex"):
        tuned = thresher.tune(docs, engine="clustered", queries=queries, recall=1, budget_s=1e-9)
    assert tuned.search_params == plain.search_params
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an engine without search parameters has nothing else
        thresher.tune(docs, engine="exact", queries=queries, recall=0.9, budget_s=1e-9)
    # A clock that stands still never ends it; one that leaps after some calls does, in between.
    calls = iter(range(10**9))
    monkeypatch.setattr(time, "monotonic", lambda: 0.0 if next(calls) < 60 else 1e9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        short = thresher.tune(docs, engine="clustered", queries=queries, recall=0.9, budget_s=100)
    assert len(short.curve) < 70
    assert short.index.n_docs == real.docs.shape[0]


def test_queries_are_made_of_documents_where_there_are_none(real: Case) -> None:
    docs = docs_of(real)
    tuned = thresher.tune(docs, engine="clustered", recall=0.9)
    assert tuned.is_met
    assert max(point.n_queries for point in tuned.curve) == 1000


def test_a_query_made_of_a_document_is_terms_of_it_drawn_at_random(real: Case) -> None:
    docs = docs_of(real)
    queries, own = of_documents(docs, np.random.default_rng(0), 500)
    heavier = []
    for query, doc in zip(queries, docs[own], strict=True):
        weights = dict(zip(doc.indices.tolist(), doc.data.tolist(), strict=True))
        assert query.nnz == len(set(query.indices.tolist())) == max(1, round(0.35 * doc.nnz))
        its = np.array([weights[term] for term in query.indices.tolist()])
        scale = query.data / its**1.2
        assert scale.max() <= 1.1 * scale.min()  # these weights hardly rise with idf
        heavier.append(its.mean() / doc.data.mean())
    # Neither a document's heaviest terms nor its lightest: these would be at 1.6 and at 0.4.
    assert np.mean(heavier) == pytest.approx(1, abs=0.05)
    again, _ = of_documents(docs, np.random.default_rng(0), 500)
    other, _ = of_documents(docs, np.random.default_rng(1), 500)
    assert (again != queries).nnz == 0
    assert (other != queries).nnz > 0


def test_the_rise_of_weights_with_idf_is_left_out_of_made_queries() -> None:
    rng = np.random.default_rng(0)
    has = rng.random((3000, 60)) < np.geomspace(0.01, 0.8, 60)
    idf = np.log2(1 + 3000 / has.sum(axis=0))
    noise = np.exp(0.3 * rng.normal(size=has.shape))
    for power, left in ((0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.5, 0.6), (-0.5, -0.6)):  # no more than idf itself
        docs = sp.csr_array((has * noise * idf**power).astype(np.float32))
        queries, own = of_documents(docs, np.random.default_rng(1))
        assert rise_with(idf[docs.indices], docs.data) == pytest.approx(np.clip(power, 0, 1), abs=0.03)
        slopes = [np.polyfit(np.log(idf[q.indices]), np.log(q.data), 1)[0] for q in queries if q.nnz > 4]
        assert np.mean(slopes) == pytest.approx(left, abs=0.06)
        assert not (queries.astype(bool) > docs[own].astype(bool)).nnz
        assert queries.indices.mean() == pytest.approx(docs[own].indices.mean(), abs=1)  # not the first, not the rarest
    everywhere = sp.csr_array(np.full((50, 4), 3e38, np.float32))
    assert set(of_documents(everywhere, rng)[0].data.tolist()) == {1.0}


def test_made_queries_pass_over_zeros_and_add_up_what_is_stored_twice() -> None:
    weights, terms = np.array([0, 0, 1, 2, 3, 0], np.float32), np.array([0, 1, 2, 2, 2, 3], np.int32)
    docs = sp.csr_array((weights, terms, np.array([0, 2, 2, 6])), shape=(3, 2**31 - 1))
    queries, own = of_documents(docs, np.random.default_rng(0))
    assert own.tolist() == [2]
    assert queries.indices.tolist() == [2]
    assert queries.data.tolist() == [1]
    assert docs.nnz == 6  # the caller's are left as they are
    none, own = of_documents(docs[:2], np.random.default_rng(0))
    assert none.shape[0] == len(own) == 0


def test_the_document_that_a_query_was_made_of_does_not_count(real: Case) -> None:
    docs = docs_of(real)
    queries, own = of_documents(docs, np.random.default_rng(0), 50)
    assert queries.shape == (50, docs.shape[1])
    assert len(set(own.tolist())) == 50
    index = thresher.ExactIndex.build(docs)
    questions = Questions(queries, own, index, 10, 1)
    assert questions.depth == 11
    hits = index.search(queries, 11)
    assert questions.measure(hits).recall == 1
    without = np.where(hits.ids == own[:, None], -np.inf, hits.scores)
    np.testing.assert_allclose(questions.wanted.lowest, np.sort(without, axis=1)[:, 1] * (1 - 1e-5))
    only_itself = thresher.Hits(own[:, None], hits.scores[:, :1])
    padded = thresher.Hits(np.hstack([only_itself.ids, np.full((50, 10), -1)]), np.full((50, 11), -np.inf, np.float32))
    assert questions.measure(padded).recall == 0


def test_hits_by_rounded_weights_count_by_the_weights_that_were_given() -> None:
    rng = np.random.default_rng(4)
    docs = sp.csr_array(rng.uniform(0.5, 1.5, (300, 30)).astype(np.float32))
    queries = sp.csr_array(rng.uniform(0.5, 1.5, (40, 30)).astype(np.float32))
    exact = thresher.ExactIndex.build(docs)
    hits = thresher.ExactIndex.build(docs, weights="uint8").search(queries, 5)
    wanted = exact.search(queries, 5)
    found = [len(set(a) & set(b)) for a, b in zip(hits.ids.tolist(), wanted.ids.tolist(), strict=True)]
    questions = Questions(queries, None, exact, 5, 1, rescored=True)
    assert sum(found) < 200
    for some in (questions, questions.answered(), questions.part(np.arange(40))):
        assert some.measure(hits).recall == pytest.approx(sum(found) / 200)
        assert some.measure(wanted).recall == 1
    of_sample = questions.of_sample(np.arange(300), exact, 1)
    assert of_sample.measure(hits).recall == pytest.approx(sum(found) / 200)


@pytest.mark.parametrize("weights", ["uint8", "uint8+float"])
def test_the_index_keeps_what_is_asked_of_the_weights(real: Case, weights: Any) -> None:
    docs, queries = docs_of(real), queries_of(real)
    tuned = thresher.tune(docs, queries=queries, recall=0.9, engine=["exact", "clustered"], weights=weights)
    assert tuned.index.weights == weights
    assert tuned.build_params["weights"] == weights
    assert {point.build_params["weights"] for point in tuned.curve} == {weights}
    assert thresher.engines()[tuned.engine].build(docs, **tuned.build_params).nbytes == tuned.index.nbytes
    with pytest.raises(ValueError, match="weights must be one of 'float', 'uint8', 'uint8\\+float', got 'int4'"):
        thresher.tune(docs, recall=0.9, weights="int4")  # type: ignore[arg-type]


def test_recall_and_its_error() -> None:
    docs = sp.csr_array(np.eye(6, dtype=np.float32))
    queries = sp.csr_array(np.array([[3, 2, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0] * 6], np.float32))
    index = thresher.ExactIndex.build(docs)
    questions = Questions(queries, None, index, 2, 1)
    assert questions.wanted.counts.tolist() == [2, 1, 0]
    hits = index.search(queries, 2)
    assert questions.measure(hits) == (1.0, 0.0)
    worse = hits.scores.copy()
    worse[0, 1] = 1
    recall, error = questions.measure(thresher.Hits(hits.ids, worse))
    assert recall == pytest.approx(2 / 3)
    assert error == pytest.approx(np.sqrt((1 - 4 / 3) ** 2 + (1 - 2 / 3) ** 2) / 3)


def test_queries_that_nothing_answers_tell_nothing_of_recall(real: Case) -> None:
    docs, queries = docs_of(real), queries_of(real)
    foreign = sp.csr_array(-np.ones((50, queries.shape[1]), np.float32))
    with pytest.raises(ValueError, match="queries: they must find documents, but 0 do; at least 20 are needed"):
        thresher.tune(docs, queries=foreign, recall=0.9, engine="exact")
    tuned = thresher.tune(docs, queries=sp.vstack([foreign, queries[:40]]), recall=0.9, engine="exact")
    assert {point.n_queries for point in tuned.curve} == {20}
    nothing = Questions(foreign, None, thresher.ExactIndex.build(docs), 10, 1)
    assert np.isnan(nothing.measure(thresher.ExactIndex.build(docs).search(foreign)).recall)
    alone = sp.csr_array(np.eye(40, dtype=np.float32))
    with pytest.raises(ValueError, match="docs: queries made of them must find documents, but 0 do"):
        thresher.tune(alone, recall=0.9, engine="exact")


@pytest.mark.parametrize("engine", sorted(thresher.engines()))
def test_dials_are_of_parameters_that_searches_take(engine: str, real: Case) -> None:
    index = thresher.engines()[engine].build(docs_of(real))
    for dial in type(index).dials(index.n_docs, 10):
        for turn in (0.0, 0.3, 1.0):
            index.with_search_params(**dial.at(turn))
    for n_docs, k in ((0, 1), (1, 100), (10**7, 1), (10**7, 1000)):
        for dial in type(index).dials(n_docs, k):
            assert 0 < dial.step <= 1
            assert dial.lowest <= dial.highest


def test_a_dial_is_turned_by_factors_or_by_steps() -> None:
    whole = _core.Dial({"a": 1}, "b", 10, 1000)
    assert [whole.at(turn) for turn in (0, 0.5, 1)] == [{"a": 1, "b": 10}, {"a": 1, "b": 100}, {"a": 1, "b": 1000}]
    assert 10 * (1000 / 10) ** whole.step == pytest.approx(10.2)
    share = _core.Dial({}, "c", 0.5, 1.0, integral=False)
    assert [share.at(turn) for turn in (0, 0.5, 1)] == [{"c": 0.5}, {"c": 0.75}, {"c": 1.0}]
    assert _core.Dial({"d": 2}).at(0.3) == {"d": 2}


@pytest.mark.parametrize("k", [31, 2**24])
def test_more_hits_than_documents(k: int) -> None:
    docs = sp.csr_array(np.eye(30, dtype=np.float32))
    with pytest.raises(ValueError, match=f"k must be at most 30 for 30 documents, got {k}"):
        thresher.tune(docs, queries=docs, recall=0.9, k=k)


def test_progress_that_cannot_be_called() -> None:
    docs = sp.csr_array((30, 5), dtype=np.float32)
    with pytest.raises(TypeError, match=r"progress must be callable, as progress\(done, total\), got int"):
        thresher.tune(docs, recall=0.9, progress=3)  # type: ignore[arg-type]


def test_progress_is_told(real: Case) -> None:
    told: list[tuple[int, int]] = []
    thresher.tune(
        docs_of(real),
        engine="exact",
        queries=queries_of(real),
        recall=0.9,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (1000, 1000)
    assert told == sorted(told)
    assert {total for _, total in told} == {1000}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "exactly one of recall and latency_us must be given, got None and None"),
        ({"recall": 0.9, "latency_us": 3}, ValueError, "exactly one of recall and latency_us"),
        ({"recall": 1.5}, ValueError, r"recall must be in \(0, 1\], got 1.5"),
        ({"recall": float("nan")}, ValueError, "recall must be"),
        ({"latency_us": 0}, ValueError, "latency_us must be > 0, got 0.0"),
        ({"recall": 0.9, "budget_s": 0}, ValueError, "budget_s must be > 0, got 0.0"),
        ({"recall": 0.9, "k": 0}, ValueError, "k must be >= 1, got 0"),
        ({"recall": 0.9, "engine": "hnsw"}, TypeError, "engine must be a class of index, .*got 'hnsw'"),
        ({"recall": 0.9, "engine": thresher.Index}, TypeError, "engine must be a class of index"),
        ({"recall": 0.9, "engine": []}, TypeError, "engine: there are none to choose from"),
        ({"recall": "x"}, TypeError, "recall must be a number, got str"),
        ({"recall": 0.9, "queries": "x"}, TypeError, "queries"),
    ],
)
def test_what_is_wrong_is_told(options: dict[str, Any], error: type[Exception], message: str, real: Case) -> None:
    with pytest.raises(error, match=message):
        thresher.tune(docs_of(real)[:100], **{"queries": queries_of(real), **options})


def test_too_few_queries(real: Case) -> None:
    with pytest.raises(ValueError, match="queries: too few, 19; at least 20 are needed"):
        thresher.tune(docs_of(real), queries=queries_of(real)[:19], recall=0.9)
    with pytest.raises(ValueError, match="docs: too few with terms to make queries of, 10"):
        thresher.tune(docs_of(real)[:10], recall=0.9)
