"""BlockMaxIndex against a float64 brute force, pruning by force: on small collections it would search exhaustively."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import thresher
from engine_forms import DOCS
from helpers import assert_among, exhaustive, orders, recall, same, search
from reference import Collection, assert_exact, from_scipy
from strategies import Case, cases, learned

Anything: TypeAlias = Any  # arguments that are wrong on purpose
Floats: TypeAlias = npt.NDArray[np.float32]

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
    k=st.one_of(st.integers(1, 5), st.integers(1, 320)),
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


# -------------------------------------------------------------------------------------------- what is special


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
@pytest.mark.parametrize(("weights", "query"), [((1e30, 3e38), 1e30), ((0.6, 1), 1.4e-45)])
def test_scores_that_float32_can_not_tell_apart_at_its_ends_are_ties(
    weights: tuple[float, float], query: float
) -> None:
    dense = np.zeros((40, 1), np.float32)
    dense[[0, 20], 0] = weights
    hits = thresher.BlockMaxIndex.build(sp.csr_array(dense)).search_one([0], [query], 1, **PRUNED)
    assert hits.ids.tolist() == [0]


# ------------------------------------------------------------------------------------------ order of storage


@given(case=cases(most_docs=150), k=st.integers(1, 20), seed=st.integers(0, 1000))
def test_any_order_gives_the_same(case: Case, k: int, seed: int) -> None:
    hits = [search(build(case.docs, reorder=order), case.queries, k) for order in orders(case.docs.shape[0], seed)]
    assert all(same(one, hits[0]) for one in hits)


@given(case=cases(most_docs=100), reorder=st.integers(1, 2))
def test_vectors_are_the_documents(case: Case, reorder: int) -> None:
    n_docs = case.docs.shape[0]
    plain, ordered = (build(case.docs, reorder=order) for order in (False, orders(n_docs, 0)[reorder]))
    expected, stored = plain.vectors(np.arange(n_docs)), ordered.vectors(np.arange(n_docs))
    np.testing.assert_array_equal(stored.indptr, expected.indptr)
    np.testing.assert_array_equal(stored.indices, expected.indices)
    np.testing.assert_array_equal(stored.data, expected.data)


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


# ----------------------------------------------------------------------------------------- parameters and parts


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
