"""BlockMaxIndex against a float64 brute force, pruning by force: on small collections it would search exhaustively."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import thresher
from helpers import assert_among, exhaustive, expect, orders, recall, run_python, same, search
from reference import Collection, assert_exact, from_scipy
from strategies import Case, cases, learned

Anything: TypeAlias = Any  # arguments that are wrong on purpose
Floats: TypeAlias = npt.NDArray[np.float32]

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0], [1, 0, 2]], np.float32))
PRUNED: dict[str, Any] = {"block_budget": 2**40}  # no parameter of exact search, and yet no limit
BLOCK_SIZES = [4, 8, 16, 32, 64]
LIMITS: list[dict[str, Any]] = [
    {"alpha": 0.4},
    {"alpha": 0.8},
    {"beta": 0.2},
    {"beta": 0.6},
    {"block_budget": 1},
    {"block_budget": 40},
    {"superblock_budget": 1},
    {"superblock_budget": 6},
    {"alpha": 0.7, "beta": 0.7, "block_budget": 50, "superblock_budget": 9},
]
N_REAL = 12_000


def build(docs: Collection, **options: Any) -> thresher.BlockMaxIndex:
    return thresher.BlockMaxIndex.build(docs.triple, shape=docs.shape, **options)


def check(index: thresher.BlockMaxIndex, docs: Collection, queries: Collection, k: int, threads: int = 1) -> None:
    """Compare both ways to search, with a brute force and with each other."""
    pruned = search(index, queries, k, threads=threads, **PRUNED)
    assert_exact(pruned, docs, queries, k)
    chosen = search(index, queries, k, threads=threads)
    assert_exact(chosen, docs, queries, k)
    np.testing.assert_array_equal(pruned.scores, chosen.scores)


def check_dense(docs: Floats, queries: Floats, k: int, **options: Any) -> None:
    """Compare with exhaustive search, tie by tie; for collections that a dense brute force is too slow for."""
    rows, asked = from_scipy(sp.csr_array(docs)), from_scipy(sp.csr_array(queries))
    assert same(search(build(rows, **options), asked, k, **PRUNED), exhaustive(rows, asked, k))


# ------------------------------------------------------------------------------------ against the brute force

sizes = st.sampled_from([0, *BLOCK_SIZES])
bound_frequencies = st.sampled_from([1e-9, 0.03, 0.1, 0.4, 1.0])
tile_frequencies = st.sampled_from([1e-9, 0.1, 0.4, 1.0])


@pytest.mark.kernels
@given(
    case=cases(),
    block_size=sizes,
    reorder=st.integers(0, 2),
    bound_frequency=bound_frequencies,
    tile_frequency=tile_frequencies,
    k=st.integers(1, 320),
    threads=st.integers(0, 3),
)
def test_equals_brute_force(
    case: Case,
    block_size: int,
    reorder: int,
    bound_frequency: float,
    tile_frequency: float,
    k: int,
    threads: int,
) -> None:
    index = build(
        case.docs,
        block_size=block_size,
        reorder=orders(case.docs.shape[0], k)[reorder],
        bound_frequency=bound_frequency,
        tile_frequency=tile_frequency,
        threads=threads,
    )
    check(index, case.docs, case.queries, k, threads)


@pytest.mark.kernels
@given(
    case=cases(), block_size=sizes, reorder=st.integers(0, 2), bound_frequency=bound_frequencies, k=st.integers(1, 5)
)
def test_few_of_many_equal_brute_force(
    case: Case, block_size: int, reorder: int, bound_frequency: float, k: int
) -> None:
    order = orders(case.docs.shape[0], k)[reorder]
    index = build(case.docs, block_size=block_size, reorder=order, bound_frequency=bound_frequency)
    check(index, case.docs, case.queries, k)


@pytest.mark.kernels
@settings(max_examples=60)
@given(case=cases(most_docs=2500, most_queries=3), reorder=st.integers(0, 2), k=st.integers(1, 12))
def test_several_superblocks_equal_brute_force(case: Case, reorder: int, k: int) -> None:
    check(build(case.docs, block_size=4, reorder=orders(case.docs.shape[0], k)[reorder]), case.docs, case.queries, k)


@pytest.fixture(scope="module")
def real() -> Case:
    return learned(N_REAL, 40, seed=20)


@pytest.fixture(scope="module")
def real_index(real: Case) -> thresher.BlockMaxIndex:
    return build(real.docs, reorder=True)


@pytest.fixture(scope="module")
def best(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries)


@pytest.fixture(scope="module")
def everything(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries, N_REAL)


@pytest.mark.kernels
@pytest.mark.parametrize("k", [1, 10, 100, 1000])
def test_learned_vectors(real: Case, real_index: thresher.BlockMaxIndex, k: int) -> None:
    assert N_REAL / real_index.params["block_size"] / 128 > 20  # superblocks: several rounds of opening
    check(real_index, real.docs, real.queries, k)


@pytest.mark.kernels
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_learned_vectors_in_blocks_of_any_size(real: Case, block_size: int) -> None:
    index = build(real.docs, block_size=block_size)
    assert same(search(index, real.queries, 20, **PRUNED), exhaustive(real.docs, real.queries, 20))


@pytest.mark.kernels
def test_learned_vectors_with_negative_query_weights(real: Case, real_index: thresher.BlockMaxIndex) -> None:
    signs = np.where(np.random.default_rng(1).random(real.queries.data.size) < 0.5, -1, 1).astype(np.float32)
    queries = real.queries._replace(data=real.queries.data * signs)
    for k in (10, N_REAL + 1):
        check(real_index, real.docs, queries, k)


def test_more_documents_than_a_window_of_postings() -> None:
    rng = np.random.default_rng(4)
    n_docs, row, n_terms = 140_000, 6, 3000
    terms = np.sort(rng.integers(0, n_terms // row, (n_docs, row)) + np.arange(row) * (n_terms // row), axis=1)
    terms[:, 0] = rng.choice(12, n_docs)  # frequent ones
    indptr = np.arange(0, terms.size + 1, row)
    weights = rng.uniform(0.1, 3, terms.size).astype(np.float32)
    docs = Collection(indptr, terms.astype(np.uint32).ravel(), weights, (n_docs, n_terms))
    queries = docs.rows(rng.integers(0, n_docs, 30))
    exact = exhaustive(docs, queries)
    for bound_frequency in (0.001, 0.05):
        index = build(docs, bound_frequency=bound_frequency)
        assert same(search(index, queries, **PRUNED), exact)
        assert same(search(index, queries), exact)


# -------------------------------------------------------------------------------------------- what is special


@pytest.mark.kernels
@pytest.mark.parametrize("block_size", [4, 64])
@pytest.mark.parametrize("reorder", [False, True])
def test_all_weights_equal_gives_the_smallest_ids(block_size: int, reorder: bool) -> None:
    docs = from_scipy(sp.csr_array(np.ones((9000, 3), np.float32)))
    index = build(docs, block_size=block_size, reorder=reorder)
    hits = search(index, from_scipy(sp.csr_array(np.ones((1, 3), np.float32))), 200, **PRUNED)
    np.testing.assert_array_equal(hits.ids[0], np.arange(200))
    np.testing.assert_array_equal(hits.scores[0], np.full(200, 3, np.float32))


@pytest.mark.kernels
@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_identical_documents_stored_in_reverse(block_size: int) -> None:
    docs = np.zeros((3000, 8), np.float32)
    docs[:, :] = np.random.default_rng(2).uniform(0.1, 3, 8)
    docs[1500:, 0] = 0
    queries = np.eye(8, dtype=np.float32) + 0.1
    check_dense(docs, queries, 30, block_size=block_size, reorder=np.arange(3000)[::-1])


@pytest.mark.kernels
@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("frequency", [1e-9, 0.1])
def test_scores_that_rise_or_fall_along_the_documents(falling: bool, frequency: float) -> None:
    docs = np.zeros((9000, 3), np.float32)
    docs[:, 0] = np.linspace(0.5, 0.7, 9000)  # levels of 8 bits are shared, those of 4 bits by hundreds of blocks
    docs[::100, 1] = np.linspace(0, 0.01, 90)
    if falling:
        docs = docs[::-1]
    queries = np.array([[1, 0, 0], [1, 1, 0], [1, -1, 0], [1e-6, 1, 1], [0, 1, 0]], np.float32)
    for k in (1, 7, 100):
        check_dense(docs, queries, k, bound_frequency=frequency, tile_frequency=frequency)


@pytest.mark.kernels
@pytest.mark.parametrize("huge", [10.0, 1e4, 1e30])
def test_one_huge_weight_does_not_drown_the_others(huge: float) -> None:
    rng = np.random.default_rng(5)
    dense = rng.uniform(0.1, 3, (2000, 6)).astype(np.float32)
    dense[1250, 0] = huge
    queries = rng.uniform(0.1, 2, (20, 6)).astype(np.float32)
    check_dense(dense, queries, 20)
    queries[:, 1] *= np.float32(huge)
    check_dense(dense, queries, 20)


@pytest.mark.kernels
@pytest.mark.parametrize("bound_frequency", [1e-9, 0.1])
def test_a_term_in_every_document_but_one(bound_frequency: float) -> None:
    rng = np.random.default_rng(6)
    dense = np.where(rng.random((3000, 20)) < 0.05, rng.uniform(0.1, 3, (3000, 20)), 0).astype(np.float32)
    dense[:, 3] = rng.uniform(1, 1.1, 3000)
    dense[77, 3] = 0
    queries = np.where(rng.random((30, 20)) < 0.4, rng.uniform(0.1, 2, (30, 20)), 0).astype(np.float32)
    queries[:, 3] = 1
    check_dense(dense, queries, 10, bound_frequency=bound_frequency)


@pytest.mark.kernels
@pytest.mark.parametrize("n_terms", [15, 255, 511, 512, 513, 1024])  # 64 * 1024 = 2^16
@pytest.mark.parametrize("frequency", [1e-9, 0.1])
def test_queries_of_many_terms_do_not_overflow_bounds(n_terms: int, frequency: float) -> None:
    # All in one block: the sums of its bounds are as large as they can be.
    rng = np.random.default_rng(n_terms)
    dense = np.zeros((2000, n_terms), np.float32)
    dense[640:704] = rng.uniform(0.9, 1, (64, n_terms)).astype(np.float32)
    dense[rng.integers(704, 2000, 500), rng.integers(0, n_terms, 500)] = 1
    queries = np.ones((3, n_terms), np.float32)
    queries[1] = np.linspace(1e-6, 1, n_terms)
    queries[2, ::2] = 1e-3
    check_dense(dense, queries, 70, block_size=64, bound_frequency=frequency, tile_frequency=frequency)


@pytest.mark.kernels
@pytest.mark.parametrize("bound_frequency", [0.15, 0.3, 0.6, 1.0])
def test_block_maxima_of_none_but_the_most_frequent_terms(bound_frequency: float) -> None:
    rng = np.random.default_rng(0)
    docs = np.where(rng.random((1000, 60)) < np.linspace(0, 1, 60), rng.random((1000, 60)), 0).astype(np.float32)
    queries = np.where(rng.random((40, 60)) < 0.3, rng.random((40, 60)), 0).astype(np.float32)
    check_dense(docs, queries, 10, bound_frequency=bound_frequency)


@pytest.mark.kernels
def test_a_query_of_too_many_terms_to_bound() -> None:
    rng = np.random.default_rng(7)
    indices = rng.permutation(20_000).astype(np.uint32)
    weights = rng.uniform(0.1, 2, indices.size).astype(np.float32)
    docs = Collection(np.arange(0, 20_001, 40), indices, weights, (500, 20_000))
    terms = np.arange(20_000, dtype=np.uint32)
    queries = Collection(np.array([0, 20_000]), terms, rng.uniform(0.1, 2, 20_000).astype(np.float32), (1, 20_000))
    check(build(docs), docs, queries, 20)


@pytest.mark.kernels
def test_scores_that_are_equal_as_float32_are_ties() -> None:
    docs = np.full((200, 129), 255, np.float32)
    docs[0, 128] = 254
    query = np.full((1, 129), 32767, np.float32)
    query[0, 128] = 8
    check_dense(docs, query, 1)
    check_dense(docs, query, 1, reorder=np.arange(200)[::-1])


@pytest.mark.kernels
def test_scores_beyond_and_below_float32() -> None:
    docs = sp.csr_array(np.array([[1e30, 0], [2e30, 0], [0, 1], [3e38, 3e38]], np.float32))
    hits = thresher.BlockMaxIndex.build(docs).search(sp.csr_array(np.array([[1e30, 1]], np.float32)), 4, **PRUNED)
    assert hits.ids.tolist() == [[0, 1, 3, 2]]
    assert hits.scores.tolist() == [[np.inf, np.inf, np.inf, 1.0]]
    docs = sp.csr_array(np.array([[1e-30], [1e-10]], np.float32))
    hits = thresher.BlockMaxIndex.build(docs).search(sp.csr_array(np.array([[1e-30]], np.float32)), 2, **PRUNED)
    assert hits.ids.tolist() == [[1, -1]]


@pytest.mark.kernels
@pytest.mark.parametrize(("weights", "query"), [((1e30, 3e38), 1e30), ((0.6, 1), 1.4e-45)])
def test_scores_that_float32_can_not_tell_apart_at_its_ends_are_ties(
    weights: tuple[float, float], query: float
) -> None:
    dense = np.zeros((40, 1), np.float32)
    dense[[0, 20], 0] = weights
    hits = thresher.BlockMaxIndex.build(sp.csr_array(dense)).search_one([0], [query], 1, **PRUNED)
    assert hits.ids.tolist() == [0]


@pytest.mark.kernels
def test_negative_weights_cancel_and_never_lift_a_document_without_the_term() -> None:
    docs = sp.csr_array(np.array([[1, 1, 0], [2, 0, 0], [0, 0, 5], [3, 0, 3]], np.float32))
    queries = sp.csr_array(np.array([[1, -1, 0], [-1, 0, 1], [-1, -1, -1], [0, -2, 0], [0, 0, 0]], np.float32))
    hits = thresher.BlockMaxIndex.build(docs).search(queries, 3, **PRUNED)
    assert hits.ids.tolist() == [[3, 1, -1], [2, -1, -1], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]]
    assert hits.scores[0, :2].tolist() == [3, 2]


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_k_beyond_the_documents_is_padded(block_size: int) -> None:
    index = thresher.BlockMaxIndex.build(DOCS, block_size=block_size)
    ids, scores = index.search(sp.csr_array(np.array([[1, 0, 0], [0, 0, 0]], np.float32)), 7, **PRUNED)
    assert ids.tolist() == [[3, 0, 4, -1, -1, -1, -1], [-1] * 7]
    assert scores[0, :3].tolist() == [4, 1, 1]
    assert np.all(np.isneginf(scores[0, 3:]))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (3, 1)])
@pytest.mark.parametrize("given_order", [False, True])
def test_empty_collections(shape: tuple[int, int], given_order: bool, tmp_path: Path) -> None:
    reorder = np.arange(shape[0])[::-1] if given_order else True
    index = thresher.BlockMaxIndex.build(sp.csr_array(shape, dtype=np.float32), reorder=reorder)
    index.save(tmp_path / "empty.thresher")
    opened = thresher.open(tmp_path / "empty.thresher")
    assert isinstance(opened, thresher.BlockMaxIndex)
    for one in (index, opened):
        for limits in [PRUNED, *LIMITS]:
            hits = one.search(sp.csr_array((2, shape[1]), dtype=np.float32), 2, **limits)
            assert hits.ids.tolist() == [[-1, -1]] * 2
        assert one.vectors(np.arange(shape[0])).shape == shape


@pytest.mark.parametrize("n_terms", [65_537, 2**31 + 7, 2**32 - 2, 2**32 - 1])
def test_term_ids_past_16_and_31_bits(n_terms: int) -> None:
    indices = np.array([0, 65_535, n_terms - 1], np.uint32)
    docs = np.array([0, 1, 2, 3]), indices, np.array([1, 2, 3], np.float32)
    index = thresher.BlockMaxIndex.build(docs, shape=(3, n_terms), reorder=True)
    assert index.n_terms == n_terms
    query = np.array([0, 3]), indices, np.ones(3, np.float32)
    assert index.search(query, 3, shape=(1, n_terms), **PRUNED).ids.tolist() == [[2, 1, 0]]
    assert index.search_one(indices[2:], [1.0], 1, **PRUNED).ids.tolist() == [2]
    assert index.vectors([2]).indices.tolist() == [n_terms - 1]


# ------------------------------------------------------------------------------------------ order of storage


def test_the_order_changes_no_answer(real: Case, tmp_path: Path) -> None:
    exact = exhaustive(real.docs, real.queries, 50)
    for number, order in enumerate([*orders(N_REAL, 3), np.arange(N_REAL)[::-1]]):
        index = build(real.docs, reorder=order)
        index.save(tmp_path / f"{number}.thresher")
        for one in (index, thresher.open(tmp_path / f"{number}.thresher")):
            assert same(search(one, real.queries, 50, **PRUNED), exact)
            assert same(search(one, real.queries, 50), exact)


@given(case=cases(most_docs=150), k=st.integers(1, 20), seed=st.integers(0, 1000))
def test_any_order_gives_the_same(case: Case, k: int, seed: int) -> None:
    hits = [search(build(case.docs, reorder=order), case.queries, k) for order in orders(case.docs.shape[0], seed)]
    assert all(same(one, hits[0]) for one in hits)


def test_vectors_are_the_rows_that_were_given(real: Case, real_index: thresher.BlockMaxIndex, tmp_path: Path) -> None:
    wanted = np.random.default_rng(9).integers(0, N_REAL, 500)
    expected = real.docs.rows(wanted)
    shuffled = build(real.docs, reorder=np.random.default_rng(1).permutation(N_REAL))
    for number, index in enumerate([real_index, shuffled]):
        index.save(tmp_path / f"{number}.thresher")
        for one in (index, thresher.open(tmp_path / f"{number}.thresher")):
            stored = one.vectors(wanted)
            np.testing.assert_array_equal(stored.indptr, expected.indptr)
            np.testing.assert_array_equal(stored.indices, expected.indices)
            np.testing.assert_array_equal(stored.data, expected.data)


@given(case=cases(most_docs=100), reorder=st.integers(1, 2))
def test_vectors_are_the_documents(case: Case, reorder: int) -> None:
    n_docs = case.docs.shape[0]
    plain, ordered = (build(case.docs, reorder=order) for order in (False, orders(n_docs, 0)[reorder]))
    expected, stored = plain.vectors(np.arange(n_docs)), ordered.vectors(np.arange(n_docs))
    np.testing.assert_array_equal(stored.indptr, expected.indptr)
    np.testing.assert_array_equal(stored.indices, expected.indices)
    np.testing.assert_array_equal(stored.data, expected.data)


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64, np.uint16])
def test_orders_of_any_integer_type(dtype: Any) -> None:
    order = np.repeat(np.array([4, 2, 0, 1, 3], dtype), 2)[::2]  # strided
    index = thresher.BlockMaxIndex.build(DOCS, reorder=order)
    assert index.search_one([0, 2], [1.0, 1.0], 4, **PRUNED).ids.tolist() == [3, 0, 4, 1]
    index = thresher.BlockMaxIndex.build(DOCS, reorder=order.tolist())
    assert index.vectors([3]).toarray().tolist() == [[4, 0, 0]]


def test_similar_documents_share_blocks() -> None:
    # Two kinds of documents in turn: side by side by kind, a query for one kind opens half as many blocks.
    rng = np.random.default_rng(10)
    dense = rng.uniform(0.1, 3, (4000, 16)).astype(np.float32)
    dense[::2, :8] = 0
    dense[1::2, 8:] = 0
    docs = from_scipy(sp.csr_array(dense))
    queries = from_scipy(sp.csr_array(np.hstack([np.ones((1, 8)), np.zeros((1, 8))]).astype(np.float32)))
    found = [
        int(np.count_nonzero(search(build(docs, reorder=order), queries, 4000, block_budget=500).ids >= 0))
        for order in (False, True)
    ]
    assert found == [1000, 2000]


@pytest.mark.parametrize("kind", ["wide", "subnormal"])
def test_documents_of_any_length_have_an_order(kind: str) -> None:
    # More documents than are packed at once, so that they are divided by likeness: of lengths that float32 can't hold.
    rng = np.random.default_rng(11)
    terms = np.argsort(rng.random((5000, 60)), axis=1)[:, :12].astype(np.uint32)
    weights = {"wide": 10.0 ** rng.uniform(-38, 38, terms.size), "subnormal": rng.integers(1, 9, terms.size) * 1.4e-45}
    indptr = np.arange(0, terms.size + 1, 12)
    docs = Collection(indptr, terms.ravel(), weights[kind].astype(np.float32), (5000, 60))
    queries = Collection(indptr[:9], docs.indices[:96], np.ones(96, np.float32), (8, 60))
    check(build(docs, reorder=True), docs, queries, 10)


# --------------------------------------------------------------------------------------- approximate search


@pytest.mark.kernels
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_scores_of_what_is_found_are_exact(
    real: Case, real_index: thresher.BlockMaxIndex, best: thresher.Hits, everything: thresher.Hits, limits: Any
) -> None:
    hits = search(real_index, real.queries, 10, **limits)
    assert 0 < recall(hits, best) < 1
    assert_among(hits, everything)


@pytest.mark.kernels
@given(
    case=cases(),
    alpha=st.floats(0, 1, exclude_min=True),
    beta=st.floats(0, 1, exclude_min=True),
    blocks=st.integers(0, 80),
    superblocks=st.integers(0, 4),
    k=st.integers(1, 30),
)
def test_approximate_hits_are_among_the_documents(
    case: Case, alpha: float, beta: float, blocks: int, superblocks: int, k: int
) -> None:
    index = build(case.docs, block_size=4)
    limits: dict[str, Any] = {"alpha": alpha, "beta": beta, "block_budget": blocks, "superblock_budget": superblocks}
    hits = search(index, case.queries, k, **limits)
    most = max(case.docs.shape[0], 1)
    assert_among(hits, search(index, case.queries, most))


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("alpha", [0.05, 0.3, 0.6, 0.8, 1.0]),
        ("beta", [0.02, 0.1, 0.3, 0.6, 1.0]),
        ("block_budget", [1, 8, 40, 400, 4000]),
        ("superblock_budget", [1, 3, 9, 15, 40]),
    ],
)
def test_recall_grows_with_each_parameter(
    real: Case, real_index: thresher.BlockMaxIndex, best: thresher.Hits, name: str, values: list[float]
) -> None:
    recalls = [recall(search(real_index, real.queries, 10, **{name: value}), best) for value in values]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.6
    assert recalls[-1] == 1


def test_a_budget_opens_that_many_blocks() -> None:
    docs = from_scipy(sp.csr_array(np.ones((1000, 2), np.float32)))
    queries = from_scipy(sp.csr_array(np.ones((1, 2), np.float32)))
    for block_size in BLOCK_SIZES:
        index = build(docs, block_size=block_size)
        for budget in (1, 2, 7):
            hits = search(index, queries, 1000, block_budget=budget)
            assert np.count_nonzero(hits.ids >= 0) in (budget * block_size, budget * block_size - (-1000 % block_size))


def test_a_budget_is_one_for_all_rounds_of_opening() -> None:
    # Bounds of 2 and scores of 1 in the 8 superblocks that the first round takes; the best document is for the second.
    dense = np.zeros((40 * 128 * 4, 2), np.float32)
    decoys = np.arange(8) * 128 * 4
    dense[decoys, 0] = dense[decoys + 1, 1] = 1
    dense[20_000] = 0.8
    docs, queries = from_scipy(sp.csr_array(dense)), from_scipy(sp.csr_array(np.ones((1, 2), np.float32)))
    index = build(docs, block_size=4, bound_frequency=1e-9, tile_frequency=1)
    assert search(index, queries, 1, block_budget=8).ids.tolist() == [[0]]
    assert search(index, queries, 1, block_budget=9).ids.tolist() == [[20_000]]


def test_a_budget_of_superblocks_opens_the_best() -> None:
    dense = np.ones((128 * 4 * 5, 2), np.float32)
    dense[1030] = 2
    docs = from_scipy(sp.csr_array(dense))
    queries = from_scipy(sp.csr_array(np.ones((1, 2), np.float32)))
    hits = search(build(docs), queries, 2000, superblock_budget=1)
    assert hits.ids[0, 0] == 1030
    np.testing.assert_array_equal(np.sort(hits.ids[0, :512]), np.arange(1024, 1536))
    assert np.all(hits.ids[0, 512:] == -1)


@pytest.mark.parametrize("limits", [{}, PRUNED, *LIMITS], ids=str)
def test_search_one_equals_search(real: Case, real_index: thresher.BlockMaxIndex, limits: Any) -> None:
    hits = search(real_index, real.queries, 25, **limits)
    for row in range(real.queries.shape[0]):
        entries = slice(real.queries.indptr[row], real.queries.indptr[row + 1])
        one = real_index.search_one(real.queries.indices[entries], real.queries.data[entries], 25, **limits)
        assert one.ids.tobytes() == hits.ids[row].tobytes()
        assert one.scores.tobytes() == hits.scores[row].tobytes()


@pytest.mark.parametrize("limits", [{}, PRUNED, *LIMITS], ids=str)
def test_threads_do_not_matter(real: Case, real_index: thresher.BlockMaxIndex, limits: Any) -> None:
    many = real.queries.rows(np.arange(600) % 40)
    hits = [search(real_index, many, threads=threads, **limits) for threads in (1, 2, 5)]
    assert same(hits[0], hits[1])
    assert same(hits[0], hits[2])
    assert same(search(real_index, many, threads=2, **limits), hits[0])


@pytest.mark.parametrize("reorder", [True, False])
def test_the_file_does_not_depend_on_threads(real: Case, reorder: bool, tmp_path: Path) -> None:
    docs = real.docs.rows(np.arange(5000))
    files = []
    for threads in (1, 2, 5):
        build(docs, reorder=reorder, threads=threads).save(tmp_path / "docs.thresher")
        files.append((tmp_path / "docs.thresher").read_bytes())
    assert files[0] == files[1] == files[2]


# ----------------------------------------------------------------------------------------- parameters and parts


def test_parameters_are_kept(tmp_path: Path) -> None:
    given: dict[str, Any] = {"block_size": 16, "reorder": True, "bound_frequency": 0.25, "tile_frequency": 0.5}
    index = thresher.BlockMaxIndex.build(DOCS, **given)
    index.save(tmp_path / "docs.thresher")
    assert index.params == thresher.open(tmp_path / "docs.thresher").params == given
    ordered = thresher.BlockMaxIndex.build(DOCS, reorder=[4, 3, 2, 1, 0], bound_frequency=1)
    assert ordered.params["reorder"] == 1
    assert isinstance(ordered.params["bound_frequency"], float)


def test_parameters_unless_said() -> None:
    params = thresher.BlockMaxIndex.build(DOCS).params
    assert params["block_size"] in BLOCK_SIZES
    assert params["reorder"] in (0, 1)
    assert {name: params[name] for name in ("bound_frequency", "tile_frequency")} == {
        "bound_frequency": 0.01,
        "tile_frequency": 0.06,
    }


def test_nbytes_by_part(real: Case, real_index: thresher.BlockMaxIndex) -> None:
    sizes = real_index.nbytes
    plain = build(real.docs, reorder=False).nbytes
    assert sum(sizes.values()) - sum(plain.values()) == 2 * 4 * N_REAL  # the order, and the way back
    coarse = build(real.docs, block_size=64).nbytes
    assert coarse["blocks"] * 8 < plain["blocks"]
    fewer = build(real.docs, bound_frequency=0.1, tile_frequency=0.5).nbytes
    assert fewer["blocks"] < plain["blocks"]
    assert fewer["tiles"] < plain["tiles"]


@pytest.mark.kernels
def test_float16_weights_take_less_memory(real: Case, real_index: thresher.BlockMaxIndex) -> None:
    docs = real.docs._replace(data=real.docs.data.astype(np.float16).astype(np.float32))
    index = build(docs, reorder=True)
    check(index, docs, real.queries, 10)
    assert index.nbytes["forward"] < real_index.nbytes["forward"]


@pytest.mark.parametrize("block_size", [1, 2, 3, 5, 12, 128, -4, 2**31, 2**32 + 4, -(2**63)])
def test_block_sizes_out_of_range(block_size: int) -> None:
    with expect(ValueError, "block_size must be 4, 8, 16, 32 or 64", f"got {block_size}"):
        thresher.BlockMaxIndex.build(DOCS, block_size=block_size)


def test_block_sizes_that_are_no_whole_number_or_past_64_bits() -> None:
    for wrong in (4.0, "4", None):
        with expect(TypeError, "block_size must be a whole number", type(wrong).__name__):
            thresher.BlockMaxIndex.build(DOCS, block_size=wrong)  # type: ignore[arg-type]
    with expect(ValueError, "block_size", "got"):
        thresher.BlockMaxIndex.build(DOCS, block_size=2**70)


@pytest.mark.parametrize("name", ["bound_frequency", "tile_frequency"])
def test_frequencies_out_of_range(name: str) -> None:
    for share in (0.0, -0.5, 1.01, np.nan, np.inf, -np.inf):
        with expect(ValueError, f"{name} must be in (0, 1]", "got"):
            thresher.BlockMaxIndex.build(DOCS, **{name: share})  # type: ignore[arg-type]
    for wrong in ("0.5", None, [0.5]):
        with expect(TypeError, f"{name} must be a", type(wrong).__name__):
            thresher.BlockMaxIndex.build(DOCS, **{name: wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        ([0, 1, 2, 3], ValueError, ["4 documents", "there are 5"]),
        ([], ValueError, ["0 documents", "there are 5"]),
        ([0, 1, 2, 3, 4, 0], ValueError, ["6 documents", "there are 5"]),
        ([0, 1, 2, 3, 3], ValueError, ["document 3", "twice"]),
        ([0, 1, 2, 3, 5], ValueError, ["5 is not a document"]),
        ([0, 1, 2, 3, -1], ValueError, ["-1 is not a document"]),
        ([0, 1, 2, 3, 2**32], ValueError, [f"{2**32} is not a document"]),
        ([0, 1, 2, 3, 2**32 - 1], ValueError, [f"{2**32 - 1} is not a document"]),
        ([[0, 1, 2, 3, 4]], ValueError, ["one dimension, got 2"]),
        (2, TypeError, ["must be a bool or document ids, got int"]),
        (None, TypeError, ["must be a bool or document ids, got NoneType"]),
        ("docs", TypeError, ["must be a bool or document ids, got str"]),
        (np.arange(5.0), TypeError, ["document ids", "float64"]),
        ([True, False, True, False, True], TypeError, ["document ids", "bool"]),
        (list("abcde"), TypeError, ["document ids", "<U1"]),
    ],
    ids=str,
)
def test_what_is_no_order(order: Anything, error: type[Exception], words: list[str]) -> None:
    with expect(error, "reorder", *words):
        thresher.BlockMaxIndex.build(DOCS, reorder=order)


@pytest.mark.parametrize("call", ["search", "search_one"])
@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_shares_out_of_range(call: str, name: str) -> None:
    index = thresher.BlockMaxIndex.build(DOCS)
    arguments: Anything = {"search": (DOCS,), "search_one": ([0], [1.0])}[call]
    for share in (0, 0.0, -0.5, 1.5, np.nan, np.inf):
        with expect(ValueError, f"{name} must be in (0, 1]", "got"):
            getattr(index, call)(*arguments, **{name: share})
    for wrong in ("x", b"1", [0.5]):
        with expect(TypeError, f"{name} must be a number", type(wrong).__name__):
            getattr(index, call)(*arguments, **{name: wrong})


@pytest.mark.parametrize("call", ["search", "search_one"])
@pytest.mark.parametrize("name", ["block_budget", "superblock_budget"])
def test_budgets_out_of_range(call: str, name: str) -> None:
    index = thresher.BlockMaxIndex.build(DOCS)
    arguments: Anything = {"search": (DOCS,), "search_one": ([0], [1.0])}[call]
    for budget in (-1, -(2**63)):
        with expect(ValueError, f"{name} must be >= 0", f"got {budget}"):
            getattr(index, call)(*arguments, **{name: budget})
    for budget in (2**63, -(2**63) - 1, 10**30):
        with expect(ValueError, f"{name} is out of range", f"got {budget}"):
            getattr(index, call)(*arguments, **{name: budget})
    for wrong in (1.0, "1", [1]):
        with expect(TypeError, f"{name} must be a whole number", type(wrong).__name__):
            getattr(index, call)(*arguments, **{name: wrong})
    most: dict[str, Any] = {name: 2**63 - 1}
    assert same(index.search(DOCS, 3, **most), index.search(DOCS, 3))


def test_bad_queries_of_a_search_with_parameters() -> None:
    index = thresher.BlockMaxIndex.build(DOCS)
    with expect(ValueError, "queries", "row 0", "nan", "term 1", "finite"):
        index.search(sp.csr_array(np.array([[0, np.nan, 1]], np.float32)), **PRUNED)
    with expect(ValueError, "queries", "row 0", "term 3", "3 terms"):
        index.search(sp.csr_array(np.array([[0, 0, 0, 1]], np.float32)), **PRUNED)
    with expect(ValueError, "term 3"):
        index.search_one([3], [1.0], **PRUNED)
    with expect(ValueError, "k must be"):
        index.search_one([0], [1.0], 0, **PRUNED)
    index.close()
    with expect(ValueError, "the index is closed"):
        index.search(DOCS, **PRUNED)
    with expect(ValueError, "the index is closed"):
        index.search_one([0], [1.0], **PRUNED)


# -------------------------------------------------------------------------------- long builds: progress, Ctrl-C


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("reorder", [0, 1, 2])
def test_progress_of_a_build_is_monotone(real: Case, reorder: int, threads: int) -> None:
    calls: list[tuple[int, int]] = []
    order = orders(5000, 1)[reorder]
    docs = real.docs.rows(np.arange(5000))
    build(docs, reorder=order, threads=threads, progress=lambda *call: calls.append(call))
    assert {total for _, total in calls} == {5000}
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (5000, 5000)


def test_progress_of_a_search_with_parameters_is_monotone(real: Case, real_index: thresher.BlockMaxIndex) -> None:
    calls: list[tuple[int, int]] = []
    many = real.queries.rows(np.arange(3000) % 40)
    search(real_index, many, progress=lambda *call: calls.append(call), **PRUNED)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (3000, 3000)

    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError("from progress")

    with pytest.raises(ZeroDivisionError, match="from progress"):
        search(real_index, many, progress=fail, **PRUNED)


INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
import thresher

n_docs, row, n_terms, delay = 60_000, 60, 20_000, float(sys.argv[1])
rng = np.random.default_rng(0)
indices = rng.integers(0, n_terms // row, (n_docs, row)) + np.arange(row) * (n_terms // row)
docs = np.arange(0, indices.size + 1, row), indices.astype(np.uint32).ravel(), np.ones(indices.size, np.float32)
docs[2][:] = rng.uniform(0.1, 3, indices.size)
pressed = 0.0

def press():
    global pressed
    time.sleep(delay)
    pressed = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=press, daemon=True).start()
try:
    for _ in range(100):  # however fast the machine is, there is a build to interrupt
        thresher.BlockMaxIndex.build(docs, shape=(n_docs, n_terms), reorder=True, threads=2)
except KeyboardInterrupt:
    late = time.perf_counter() - pressed
    small = docs[0][:101], docs[1][:100 * row], docs[2][:100 * row]
    index = thresher.BlockMaxIndex.build(small, shape=(100, n_terms), reorder=True)
    works = index.search(small, 1, shape=(100, n_terms), block_budget=1000).ids.shape == (100, 1)
    print("works:", works, "in time:", late < 2 or late)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("delay", [0.3, 0.8, 1.6, 2.6])
def test_ctrl_c_ends_a_build_with_an_order(delay: float) -> None:
    done = run_python(INTERRUPTED, delay)
    assert (done.stdout, done.stderr, done.returncode) == ("works: True in time: True\n", "", 0)


def test_builds_from_the_parameters_of_an_index() -> None:
    docs = sp.csr_array(np.eye(5, dtype=np.float32))
    index = thresher.BlockMaxIndex.build(docs, reorder=True, block_size=8)
    again = thresher.BlockMaxIndex.build(docs, **index.params)  # type: ignore[arg-type]
    assert again.params == index.params
