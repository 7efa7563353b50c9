"""Every engine, told to leave nothing out, finds the best: on learned vectors, and where rounding and ties are hard."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp

import thresher
from engine_forms import Engine, Options, build, builds_of, each, exact_of, takes
from helpers import same, search
from reference import Collection, assert_exact, from_scipy
from strategies import Case, topical

pytestmark = pytest.mark.kernels

Floats = npt.NDArray[np.float32]

N_REAL = 2500


@pytest.fixture(scope="module")
def real() -> Case:
    return topical(N_REAL, 60, seed=20)


Best = dict[int, thresher.Hits]


def best_of(docs: Collection, queries: Collection, ks: tuple[int, ...]) -> Best:
    """Return the best hits for each k, which a float64 brute force agrees with."""
    exact = thresher.ExactIndex.build(docs.triple, shape=docs.shape)
    best = {k: search(exact, queries, k) for k in ks}
    for k, hits in best.items():
        assert_exact(hits, docs, queries, k)
    return best


def check(index: thresher.Index, queries: Collection, best: Best) -> None:
    """Compare with the best hits, tie by tie."""
    for params in exact_of(index.engine):
        for k, hits in best.items():
            assert same(search(index, queries, k, **params), hits), params


@pytest.fixture(scope="module")
def signed(real: Case) -> Collection:
    """The queries, half of their weights negative."""
    signs = np.where(np.random.default_rng(1).random(real.queries.data.size) < 0.5, -1, 1).astype(np.float32)
    return real.queries._replace(data=real.queries.data * signs)


@pytest.fixture(scope="module")
def best_of_real(real: Case) -> Best:
    return best_of(real.docs, real.queries, (1, 10, 100, 1000))


@pytest.fixture(scope="module")
def best_of_signed(real: Case, signed: Collection) -> Best:
    return best_of(real.docs, signed, (10, N_REAL + 1))


@pytest.mark.parametrize(("engine", "options"), each(builds_of))
def test_learned_vectors(
    engine: Engine, options: Options, real: Case, signed: Collection, best_of_real: Best, best_of_signed: Best
) -> None:
    index = build(engine, real.docs, **options)
    check(index, real.queries, best_of_real)
    check(index, signed, best_of_signed)


def test_float16_weights_take_less_memory(engine: Engine, real: Case) -> None:
    docs = real.docs._replace(data=real.docs.data.astype(np.float16).astype(np.float32))
    halves = build(engine, docs)
    check(halves, real.queries, best_of(docs, real.queries, (10,)))
    assert halves.nbytes["forward"] < build(engine, real.docs).nbytes["forward"]


class Special(NamedTuple):
    docs: Floats
    queries: Floats
    ks: tuple[int, ...]


def all_equal() -> Special:
    return Special(np.ones((3000, 3), np.float32), np.ones((1, 3), np.float32), (200,))


def identical() -> Special:
    docs = np.zeros((3000, 8), np.float32)
    docs[:, :] = np.random.default_rng(2).uniform(0.1, 3, 8)
    docs[1500:, 0] = 0
    return Special(docs, np.eye(8, dtype=np.float32) + np.float32(0.1), (30,))


def ties_far_apart() -> Special:
    docs = np.zeros((1000, 4), np.float32)
    docs[[3, 500, 999], 1] = 2.5
    docs[[4, 501, 998], 2] = 2.5
    return Special(docs, np.ones((1, 4), np.float32), (5,))


def rising() -> Special:
    docs = np.zeros((3000, 3), np.float32)
    docs[:, 0] = np.linspace(0.5, 0.7, 3000)  # levels of 8 bits are shared, those of 4 bits by hundreds of blocks
    docs[::100, 1] = np.linspace(0, 0.01, 30)
    queries = np.array([[1, 0, 0], [1, 1, 0], [1, -1, 0], [1e-6, 1, 1], [0, 1, 0]], np.float32)
    return Special(docs, queries, (1, 7, 100))


def falling() -> Special:
    docs, queries, ks = rising()
    return Special(docs[::-1], queries, ks)


def one_huge(huge: float) -> Special:
    rng = np.random.default_rng(5)
    docs = rng.uniform(0.1, 3, (1000, 6)).astype(np.float32)
    docs[625, 0] = huge
    asked = rng.uniform(0.1, 2, (20, 6)).astype(np.float32)
    return Special(docs, np.vstack([asked, asked * np.array([1, huge, 1, 1, 1, 1], np.float32)]), (20,))


def a_term_in_all_but_one() -> Special:
    rng = np.random.default_rng(6)
    docs = np.where(rng.random((3000, 20)) < 0.05, rng.uniform(0.1, 3, (3000, 20)), 0).astype(np.float32)
    docs[:, 3] = rng.uniform(1, 1.1, 3000)
    docs[77, 3] = 0
    queries = np.where(rng.random((30, 20)) < 0.4, rng.uniform(0.1, 2, (30, 20)), 0).astype(np.float32)
    queries[:, 3] = 1
    return Special(docs, queries, (10,))


def terms_of_every_frequency() -> Special:
    rng = np.random.default_rng(0)
    docs = np.where(rng.random((1000, 60)) < np.linspace(0, 1, 60), rng.random((1000, 60)), 0).astype(np.float32)
    return Special(docs, np.where(rng.random((40, 60)) < 0.3, rng.random((40, 60)), 0).astype(np.float32), (10,))


def equal_as_float32() -> Special:
    # 128 terms of the largest integer weight drown one of a small weight: its 8-bit scores tell documents apart.
    docs = np.full((200, 129), 255, np.float32)
    docs[0, 128] = 254
    query = np.full((1, 129), 32767, np.float32)
    query[0, 128] = 8
    return Special(docs, query, (1, 2))


def query_weights_that_round_the_wrong_way() -> Special:
    # In integer weights, where the first is 32,767, document 1 has 1 + 1 and document 2 has 3.
    docs = np.zeros((200, 4), np.float32)
    docs[0, 0] = docs[1, 1] = docs[1, 2] = docs[2, 3] = 1
    return Special(docs, np.array([[32767, 1.49, 1.49, 2.6]], np.float32), (2,))


def codes() -> Special:
    rng = np.random.default_rng(3)
    docs = np.zeros((600, 4096), np.float32)
    terms = np.argsort(rng.random((600, 4096)), axis=1)[:, :256]
    np.put_along_axis(docs, terms, rng.gamma(2, 0.5, terms.shape).astype(np.float32) + np.float32(0.01), axis=1)
    return Special(docs, docs[::60], (1, 5))


SPECIAL: dict[str, Callable[[], Special]] = {
    "all weights equal": all_equal,
    "identical documents": identical,
    "ties far apart": ties_far_apart,
    "rising scores": rising,
    "falling scores": falling,
    "a weight of 10": lambda: one_huge(10.0),
    "a weight of 1e4": lambda: one_huge(1e4),
    "a weight of 1e30": lambda: one_huge(1e30),
    "a term in all documents but one": a_term_in_all_but_one,
    "terms of every frequency": terms_of_every_frequency,
    "scores equal as float32": equal_as_float32,
    "query weights that round the wrong way": query_weights_that_round_the_wrong_way,
    "codes with 256 of 4096 dimensions": codes,
}


@pytest.mark.parametrize("special", SPECIAL)
def test_special_collections(engine: Engine, special: str) -> None:
    dense, queries, ks = SPECIAL[special]()
    docs, asked = from_scipy(sp.csr_array(dense)), from_scipy(sp.csr_array(queries))
    best = best_of(docs, asked, ks)
    backwards: Options = {"reorder": np.arange(docs.shape[0])[::-1]}
    for options in [*builds_of(engine.engine), *([backwards] if takes(engine, "reorder") else [])]:
        check(build(engine, docs, **options), asked, best)


def test_scores_beyond_and_below_float32(engine: Engine) -> None:
    docs = sp.csr_array(np.array([[1e30, 0], [2e30, 0], [0, 1], [3e38, 3e38]], np.float32))
    tiny = sp.csr_array(np.array([[1e-30], [1e-10]], np.float32))
    for params in exact_of(engine.engine):
        hits = engine.build(docs).search(sp.csr_array(np.array([[1e30, 1]], np.float32)), 4, **params)
        assert hits.ids.tolist() == [[0, 1, 3, 2]]
        assert hits.scores.tolist() == [[np.inf, np.inf, np.inf, 1.0]]
        assert engine.build(tiny).search_one([0], [1e-30], 2, **params).ids.tolist() == [1, -1]


def test_products_below_float32_whose_sum_is_not(engine: Engine) -> None:
    index = engine.build(sp.csr_array(np.array([[1e-20] * 100], np.float32)))
    assert index.search_one(np.arange(100), [5e-26] * 100, 1).ids.tolist() == [0]


def test_light_weights_beside_huge_ones(engine: Engine) -> None:
    index = engine.build(sp.csr_array(np.array([[1e30, 0], [1e-10, 0], [0, 1]], np.float32)))
    assert index.search_one([0, 1], [1, 1], 2).ids.tolist() == [0, 2]
    hits = engine.build(sp.csr_array(np.array([[1, 0], [0, 1], [0, 0]]))).search_one([0, 1], [1, 1e-30], 3)
    assert hits.ids.tolist() == [0, 1, -1]
    assert hits.scores[:2].tolist() == [1, np.float32(1e-30)]


def test_negative_weights_count_and_never_lift_a_document_without_the_term(engine: Engine) -> None:
    docs = sp.csr_array(np.array([[1, 1, 0], [2, 0, 0], [0, 0, 5], [3, 0, 3]], np.float32))
    queries = sp.csr_array(np.array([[1, -1, 0], [-1, 0, 1], [-1, -1, -1], [0, -2, 0], [0, 0, 0]], np.float32))
    for params in exact_of(engine.engine):
        hits = engine.build(docs).search(queries, 3, **params)
        assert hits.ids.tolist() == [[3, 1, -1], [2, -1, -1], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]]
        assert hits.scores[0, :2].tolist() == [3, 2]


@pytest.mark.parametrize("n_terms", [65_537, 2**31 + 7, 2**32 - 2, 2**32 - 1])
def test_term_ids_past_16_and_31_bits(engine: Engine, n_terms: int) -> None:
    indices = np.array([0, 65_535, n_terms - 1], np.uint32)
    docs = np.array([0, 1, 2, 3]), indices, np.array([1, 2, 3], np.float32)
    index = engine.build(docs, shape=(3, n_terms))
    assert index.n_terms == n_terms
    query = np.array([0, 3]), indices, np.ones(3, np.float32)
    for params in exact_of(engine.engine):
        assert index.search(query, 3, shape=(1, n_terms), **params).ids.tolist() == [[2, 1, 0]]
        assert index.search_one(indices[2:], [1.0], 1, **params).ids.tolist() == [2]
    assert index.vectors([2]).indices.tolist() == [n_terms - 1]


@pytest.mark.parametrize("n_terms", [40_000, 200_000])  # more than bounds have room for, and than 16 bits number
def test_very_many_terms(engine: Engine, n_terms: int) -> None:
    rng = np.random.default_rng(3)
    per_doc = n_terms // 500
    indices = rng.permutation(n_terms).astype(np.uint32)
    weights = rng.uniform(0.1, 2, n_terms).astype(np.float32)
    docs = Collection(np.arange(0, n_terms + 1, per_doc), indices, weights, (500, n_terms))
    asked = [rng.permutation(n_terms)[:300], np.arange(40_000)]
    lengths = np.cumsum([0, *map(len, asked)])
    query_weights = rng.uniform(0.1, 2, lengths[-1]).astype(np.float32)
    queries = Collection(lengths, np.concatenate(asked).astype(np.uint32), query_weights, (2, n_terms))
    index = build(engine, docs)
    for number, params in enumerate(exact_of(engine.engine)):
        for k in (20, 500) if number == 0 else (20,):
            assert_exact(search(index, queries, k, **params), docs, queries, k)


def test_queries_narrower_than_the_index(engine: Engine) -> None:
    docs = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [4, 0, 0]], np.float32))
    hits = engine.build(docs).search(sp.csr_array(np.ones((1, 1), np.float32)), 3)
    assert hits.ids.tolist() == [[2, 0, -1]]
