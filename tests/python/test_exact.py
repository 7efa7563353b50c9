"""ExactIndex against a float64 brute force."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import thresher
from reference import Collection, assert_exact, from_scipy
from strategies import Case, cases, learned

pytestmark = pytest.mark.kernels

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))


def build(docs: Collection, **options: Any) -> thresher.ExactIndex:
    return thresher.ExactIndex.build(docs.triple, shape=docs.shape, **options)


def check(index: thresher.Index, docs: Collection, queries: Collection, k: int, threads: int = 1) -> None:
    assert_exact(index.search(queries.triple, k, shape=queries.shape, threads=threads), docs, queries, k)


windows = st.sampled_from([64, 128, 192, 1024, 4096])
densities = st.sampled_from([0.01, 0.1, 0.3, 1.0])


# ------------------------------------------------------------------------------------ against the brute force


@given(case=cases(), window=windows, row_density=densities, k=st.integers(1, 320), threads=st.integers(0, 3))
def test_equals_brute_force(case: Case, window: int, row_density: float, k: int, threads: int) -> None:
    index = build(case.docs, window=window, row_density=row_density, threads=threads)
    check(index, case.docs, case.queries, k, threads)


@given(case=cases(most_docs=80), k=st.integers(1, 5), window=windows, row_density=densities)
def test_few_of_many_equal_brute_force(case: Case, k: int, window: int, row_density: float) -> None:
    check(build(case.docs, window=window, row_density=row_density), case.docs, case.queries, k)


@given(case=cases(most_docs=100))
def test_vectors_are_the_documents(case: Case) -> None:
    index = build(case.docs, window=64)
    queries = case.docs
    stored = index.vectors(np.arange(case.docs.shape[0]))
    assert stored.has_sorted_indices
    assert np.all(stored.data != 0)
    assert stored.nnz == index.nnz
    for row in range(queries.shape[0]):
        entries = slice(queries.indptr[row], queries.indptr[row + 1])
        terms, places = np.unique(queries.indices[entries], return_inverse=True)
        weights = np.zeros(terms.size, np.float32)
        np.add.at(weights, places, queries.data[entries])
        got = slice(stored.indptr[row], stored.indptr[row + 1])
        np.testing.assert_array_equal(stored.indices[got], terms[weights > 0])
        np.testing.assert_allclose(stored.data[got], weights[weights > 0], rtol=1e-6)


@pytest.fixture(scope="module")
def real() -> Case:
    return learned(5000, 60, seed=20)


@pytest.fixture(scope="module")
def real_index(real: Case) -> thresher.ExactIndex:
    return build(real.docs)


@pytest.mark.parametrize("k", [10, 100, 1000])
def test_learned_vectors(real: Case, real_index: thresher.ExactIndex, k: int) -> None:
    frequencies = np.bincount(real.docs.indices, minlength=real.docs.shape[1])
    assert 110 < real.docs.data.size / 5000 < 130
    assert frequencies.max() > 500  # rows, lists and rare terms all occur
    assert np.count_nonzero((frequencies > 0) & (frequencies < 4)) > 100
    check(real_index, real.docs, real.queries, k)


def test_learned_vectors_with_negative_query_weights(real: Case, real_index: thresher.ExactIndex) -> None:
    signs = np.where(np.random.default_rng(1).random(real.queries.data.size) < 0.5, -1, 1).astype(np.float32)
    queries = real.queries._replace(data=real.queries.data * signs)
    check(real_index, real.docs, queries, 100)
    check(real_index, real.docs, queries, 5001)


def test_learned_vectors_of_float16_weights(real: Case) -> None:
    docs = real.docs._replace(data=real.docs.data.astype(np.float16).astype(np.float32))
    index = build(docs)
    check(index, docs, real.queries, 100)
    assert index.nbytes["forward"] < build(real.docs).nbytes["forward"]


def test_a_large_batch_equals_single_queries(real: Case, real_index: thresher.ExactIndex) -> None:
    many = real.queries.rows(np.arange(1000) % 60)  # more queries than share a window
    batch = real_index.search(many.triple, 10, shape=many.shape, threads=2)
    single = [
        real_index.search_one(
            real.queries.indices[real.queries.indptr[row] : real.queries.indptr[row + 1]],
            real.queries.data[real.queries.indptr[row] : real.queries.indptr[row + 1]],
        )
        for row in range(60)
    ]
    for row in range(1000):
        np.testing.assert_array_equal(batch.ids[row], single[row % 60].ids)
        np.testing.assert_array_equal(batch.scores[row], single[row % 60].scores)


# -------------------------------------------------------------------------------------------- what is special


@pytest.mark.parametrize("window", [64, 128])
@pytest.mark.parametrize("row_density", [0.01, 1.0])
def test_all_weights_equal_gives_the_smallest_ids(window: int, row_density: float) -> None:
    docs = from_scipy(sp.csr_array(np.ones((700, 3), np.float32)))
    index = build(docs, window=window, row_density=row_density)
    hits = index.search(sp.csr_array(np.ones((1, 3), np.float32)), 200)
    np.testing.assert_array_equal(hits.ids[0], np.arange(200))
    np.testing.assert_array_equal(hits.scores[0], np.full(200, 3, np.float32))


def test_ties_of_documents_far_apart() -> None:
    dense = np.zeros((1000, 4), np.float32)
    dense[[3, 500, 999], 1] = 2.5
    dense[[4, 501, 998], 2] = 2.5
    index = thresher.ExactIndex.build(sp.csr_array(dense), window=64)
    hits = index.search(sp.csr_array(np.ones((1, 4), np.float32)), 5)
    assert hits.ids.tolist() == [[3, 4, 500, 501, 998]]


def test_scores_that_are_equal_as_float32_are_ties() -> None:
    # The 8-bit scores tell these documents apart, float32 doesn't: 128 terms of the largest integer weight
    # drown one of a small weight.
    docs = np.full((2, 129), 255, np.float32)
    docs[0, 128] = 254
    query = np.full((1, 129), 32767, np.float32)
    query[0, 128] = 8
    hits = thresher.ExactIndex.build(sp.csr_array(docs)).search(sp.csr_array(query), 2)
    assert hits.scores[0, 0] == hits.scores[0, 1]
    assert hits.ids.tolist() == [[0, 1]]
    assert thresher.ExactIndex.build(sp.csr_array(docs)).search(sp.csr_array(query), 1).ids.tolist() == [[0]]


@pytest.mark.parametrize("row_density", [0.01, 1.0])
def test_query_weights_that_round_the_wrong_way(row_density: float) -> None:
    # In integer weights, where the first is 32,767, document 1 has 1 + 1 and document 2 has 3.
    docs = np.zeros((200, 4), np.float32)
    docs[0, 0] = docs[1, 1] = docs[1, 2] = docs[2, 3] = 1
    index = thresher.ExactIndex.build(sp.csr_array(docs), row_density=row_density)
    hits = index.search(sp.csr_array(np.array([[32767, 1.49, 1.49, 2.6]], np.float32)), 2)
    assert hits.ids.tolist() == [[0, 1]]


def test_one_huge_weight_does_not_drown_the_others() -> None:
    rng = np.random.default_rng(5)
    dense = rng.uniform(0.1, 3, (500, 6)).astype(np.float32)
    dense[250, 0] = 1e30
    index = thresher.ExactIndex.build(sp.csr_array(dense), window=64)
    queries = from_scipy(sp.csr_array(rng.uniform(0.1, 2, (20, 6)).astype(np.float32)))
    check(index, from_scipy(sp.csr_array(dense)), queries, 20)


def test_scores_beyond_float32_are_infinite_and_tie() -> None:
    docs = sp.csr_array(np.array([[1e30, 0], [2e30, 0], [0, 1], [3e38, 3e38]], np.float32))
    hits = thresher.ExactIndex.build(docs).search(sp.csr_array(np.array([[1e30, 1]], np.float32)), 4)
    assert hits.ids.tolist() == [[0, 1, 3, 2]]
    assert hits.scores.tolist() == [[np.inf, np.inf, np.inf, 1.0]]


def test_scores_below_float32_are_not_positive() -> None:
    docs = sp.csr_array(np.array([[1e-30], [1e-10]], np.float32))
    hits = thresher.ExactIndex.build(docs).search(sp.csr_array(np.array([[1e-30]], np.float32)), 2)
    assert hits.ids.tolist() == [[1, -1]]


def test_negative_weights_cancel_and_never_lift_a_document_without_the_term() -> None:
    docs = sp.csr_array(np.array([[1, 1, 0], [2, 0, 0], [0, 0, 5], [3, 0, 3]], np.float32))
    queries = sp.csr_array(np.array([[1, -1, 0], [-1, 0, 1], [-1, -1, -1], [0, -2, 0]], np.float32))
    hits = thresher.ExactIndex.build(docs).search(queries, 3)
    assert hits.ids.tolist() == [[3, 1, -1], [2, -1, -1], [-1, -1, -1], [-1, -1, -1]]
    assert hits.scores[0, :2].tolist() == [3, 2]


def test_a_query_weight_lost_in_rounding_still_finds_its_documents() -> None:
    docs = sp.csr_array(np.array([[1, 0], [0, 1], [0, 0]], np.float32))
    hits = thresher.ExactIndex.build(docs).search(sp.csr_array(np.array([[1, 1e-30]], np.float32)), 3)
    assert hits.ids.tolist() == [[0, 1, -1]]
    assert hits.scores[0, :2].tolist() == [1, np.float32(1e-30)]


def test_term_ids_past_16_and_31_bits() -> None:
    for n_terms in (65_537, 2**31 + 7, 2**32 - 1):
        indices = np.array([0, 65_535, n_terms - 1], np.uint32)
        docs = np.array([0, 1, 2, 3]), indices, np.array([1, 2, 3], np.float32)
        index = thresher.ExactIndex.build(docs, shape=(3, n_terms))
        assert index.n_terms == n_terms
        hits = index.search((np.array([0, 3]), indices, np.ones(3, np.float32)), 3, shape=(1, n_terms))
        assert hits.ids.tolist() == [[2, 1, 0]]
        assert index.vectors([2]).indices.tolist() == [n_terms - 1]


def test_more_than_65536_terms_in_use() -> None:
    rng = np.random.default_rng(3)
    indices = rng.permutation(200_000).astype(np.uint32)
    weights = rng.uniform(0.1, 2, indices.size).astype(np.float32)
    docs = Collection(np.arange(0, 200_001, 400), indices, weights, (500, 200_000))
    index = build(docs)
    picked = rng.permutation(200_000)[:900].reshape(3, 300).astype(np.uint32)
    queries = Collection(np.arange(0, 901, 300), picked.ravel(), np.ones(900, np.float32), (3, 200_000))
    check(index, docs, queries, 50)


def test_queries_narrower_than_the_index() -> None:
    hits = thresher.ExactIndex.build(DOCS).search(sp.csr_array(np.ones((1, 1), np.float32)), 4)
    assert hits.ids.tolist() == [[3, 0, -1, -1]]


def test_parameters_are_kept() -> None:
    index = thresher.ExactIndex.build(DOCS, window=640, row_density=0.25)
    assert index.params == {"window": 640, "row_density": 0.25}
    assert isinstance(index.params["row_density"], float)
    assert isinstance(thresher.ExactIndex.build(DOCS, row_density=1).params["row_density"], float)


def test_parameters_unless_said() -> None:
    defaults = inspect.signature(thresher.ExactIndex.build).parameters
    params = thresher.ExactIndex.build(DOCS).params
    assert params == {name: defaults[name].default for name in ("window", "row_density")}


def test_bytes_for_each_nonzero(real: Case, real_index: thresher.ExactIndex) -> None:
    small = learned(800, 40, seed=3).docs
    assert sum(build(small).nbytes.values()) < small.data.size * 16 + 2**20
    assert sum(real_index.nbytes.values()) < real.docs.data.size * 11 + 2**20


def test_rows_take_over_as_row_density_falls(real: Case) -> None:
    rows = [build(real.docs, row_density=density).nbytes["rows"] for density in (1.0, 0.1, 0.02)]
    assert rows[0] < rows[1] < rows[2]
