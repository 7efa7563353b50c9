"""Documents of negative weights, in every engine: hits, options, what comes back, and the same from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from engine_forms import Engine, build, builds_of, exact_of
from helpers import exhaustive, recall, same, search
from reference import Collection, assert_exact, from_scipy, products
from strategies import Case, codes
from thresher._matrix import as_matrix
from thresher.tuning.queries import of_documents

SMALL = sp.csr_array(np.array([[1, -2], [1, 0], [0, -1]], np.float32))


@pytest.fixture(scope="module")
def real() -> Case:
    return codes(2000, 40, seed=7)


@pytest.mark.kernels
def test_every_engine_told_to_leave_nothing_out_finds_the_best(engine: Engine, real: Case) -> None:
    best = {k: exhaustive(real.docs, real.queries, k) for k in (1, 10, 1000)}
    for k, hits in best.items():
        assert_exact(hits, real.docs, real.queries, k)
    for options in builds_of(engine.engine):
        index = build(engine, real.docs, **options)
        for params in exact_of(engine.engine):
            for k, hits in best.items():
                assert same(search(index, real.queries, k, **params), hits), (options, params, k)


@pytest.mark.parametrize("name", ["clustered", "graph"])
def test_approximate_engines_find_nearly_all_by_default(name: str, real: Case) -> None:
    docs, queries = codes(20_000, 100, seed=3, n_terms=1024, kept=32)
    index = build(thresher.engines()[name], docs)
    for k in (10, 100):
        assert recall(search(index, queries, k), exhaustive(docs, queries, k)) >= 0.95


def test_scores_of_zero_and_below(engine: Engine) -> None:
    index = engine.build(SMALL)
    for params in exact_of(engine.engine):
        hits = index.search_one([0, 1], [1, 1], 3, **params)
        assert hits.ids.tolist() == [1, -1, -1]
        filled = index.search_one([0, 1], [1, 1], 3, fill=True, **params)
        assert filled.ids.tolist() == [1, 0, 2]
        assert filled.scores.tolist() == [1, -1, -1]
        assert filled.exact
        lowered = index.search_one([0, 1], [1, -1], 3, **params)
        assert lowered.ids.tolist() == [0, 1, 2]
        assert lowered.scores.tolist() == [3, 1, 1]
        assert index.search_one([1], [1], 3, **params).ids.tolist() == [-1, -1, -1]
        assert index.search_one([1], [-1], 3, **params).ids.tolist() == [0, 2, -1]


def test_all_options(engine: Engine, real: Case) -> None:
    index = build(engine, real.docs)
    scores = products(real.docs, real.queries).scores.astype(np.float32)
    allowed = np.arange(0, real.docs.shape[0], 3)
    for number, row in enumerate(scores):
        least = float(np.sort(row)[-50])
        query = real.queries.rows([number])
        assert index.count(query.triple, shape=query.shape)[0] == np.count_nonzero(row > 0)
        found = search(index, query, None, min_score=least, exact=True)
        assert set(found.ids[found.ids >= 0].tolist()) == set(np.flatnonzero(row >= least).tolist())
        some = search(index, query, 20, allowed=allowed, exact=True)
        best = allowed[np.argsort(-row[allowed], kind="stable")[:20]]
        assert some.ids[0].tolist() == best[row[best] > 0].tolist()
        filled = search(index, query, real.docs.shape[0], fill=True)
        assert filled.ids[0].tolist() == np.argsort(-row, kind="stable").tolist()


def test_vectors_come_back_as_they_were_given(engine: Engine, real: Case, tmp_path: Path) -> None:
    index = build(engine, real.docs)
    index.save(tmp_path / "index")
    for of in (index, thresher.open(tmp_path / "index")):
        rows = from_scipy(of.vectors(range(real.docs.shape[0])))
        for part, given in zip(rows.triple, real.docs.triple, strict=True):
            np.testing.assert_array_equal(part, given)
        assert same(search(of, real.queries), search(index, real.queries))
        assert of.nnz == real.docs.data.size


def test_a_term_is_one_to_who_asks(engine: Engine) -> None:
    index = engine.build(SMALL)
    assert index.n_terms == 2
    (first,) = index.explain({0: 2.0, 1: 3.0}, [0])
    assert (first.terms.tolist(), first.document_weights.tolist()) == ([0, 1], [1, -2])
    assert (first.products.tolist(), first.score) == ([2, -6], -4)


def test_a_builder_takes_them_and_sums_repeats(engine: Engine) -> None:
    builder = thresher.Builder(engine)
    builder.add(SMALL)
    builder.add([{0: -1.0}, {1: 0.5}])
    builder.add((np.array([0, 4]), np.array([1, 0, 1, 0]), np.array([-2, 1, 2, -3], np.float32)), shape=(1, 2))
    index = builder.freeze()
    assert index.vectors(range(6)).toarray().tolist() == [[1, -2], [1, 0], [0, -1], [-1, 0], [0, 0.5], [-2, 0]]
    assert index.search_one([0], [-1], 6, exact=True).ids[:2].tolist() == [5, 3]


def test_nothing_is_stored_where_no_weight_is_negative(engine: Engine, real: Case, tmp_path: Path) -> None:
    def sections(docs: Collection) -> set[str]:
        build(engine, docs).save(tmp_path / "index")
        return {section["name"] for section in thresher.describe(tmp_path / "index")["sections"]}

    of_signs = {"vocabulary/negative", "vocabulary/opposites"}
    assert sections(real.docs) >= of_signs
    assert not sections(real.docs._replace(data=abs(real.docs.data))) & of_signs


@pytest.mark.parametrize("weight", [np.nan, np.inf, -np.inf])
def test_what_is_refused(engine: Engine, weight: float) -> None:
    with pytest.raises(ValueError, match=r"row 1 has weight .* for term 0; weights must be finite"):
        engine.build(sp.csr_array(np.array([[1, -1], [weight, 2]], np.float32)))


def test_parameters_are_tuned_on_queries_made_of_documents() -> None:
    docs = codes(3000, 0, seed=5).docs
    tuned = thresher.tune(docs.triple, engine="clustered", shape=docs.shape, recall=0.9, seed=1, budget_s=20)
    queries, _ = of_documents(as_matrix(docs.triple, shape=docs.shape), np.random.default_rng(1))
    assert np.isfinite(queries.data).all()
    assert (queries.data < 0).any()
    assert tuned.recall >= 0.9
