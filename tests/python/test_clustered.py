"""ClusteredIndex against a float64 brute force: equal to it where nothing is left out, and close to it by default."""

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
from strategies import Case, cases, topical

Anything: TypeAlias = Any  # arguments that are wrong on purpose
Floats: TypeAlias = npt.NDArray[np.float32]

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0], [1, 0, 2]], np.float32))
EVERYTHING: dict[str, Any] = {"query_cut": 0, "cluster_budget": 2**40}  # nothing is left out
CLUSTER_SIZES = [4, 8, 16, 32, 64]
LIMITS: list[dict[str, Any]] = [
    {"query_cut": 1},
    {"heap_factor": 0.5},
    {"cluster_budget": 1},
    {"cluster_budget": 20},
    {"cluster_budget": 2, "refine": 1},
    {"cluster_budget": 5, "refine": 10},
    {"query_cut": 4, "heap_factor": 0.8, "cluster_budget": 9, "refine": 3},
    {"group_budget": 3},
    {"query_cut": 4, "cluster_budget": 20, "group_budget": 12},
]
N_REAL = 6000


def build(docs: Collection, **options: Any) -> thresher.ClusteredIndex:
    return thresher.ClusteredIndex.build(docs.triple, shape=docs.shape, **options)


def check_dense(docs: Floats, queries: Floats, k: int, **options: Any) -> None:
    """Compare with exhaustive search, tie by tie."""
    rows, asked = from_scipy(sp.csr_array(docs)), from_scipy(sp.csr_array(queries))
    assert same(search(build(rows, **options), asked, k, **EVERYTHING), exhaustive(rows, asked, k))


# ------------------------------------------------------------------------------------ against the brute force

sizes = st.sampled_from([0, *CLUSTER_SIZES])
dense_frequencies = st.sampled_from([1e-9, 0.015, 0.1, 0.4, 1.0])


@pytest.mark.kernels
@given(
    case=cases(),
    cluster_size=sizes,
    reorder=st.integers(0, 2),
    dense_frequency=dense_frequencies,
    tile_frequency=dense_frequencies,
    group_frequency=st.sampled_from([0.0, 1e-9, 0.1, 1.0]),
    neighbours=st.sampled_from([0, 0, 1, 3]),
    k=st.integers(1, 320),
    threads=st.integers(0, 3),
)
def test_equals_brute_force(
    case: Case,
    cluster_size: int,
    reorder: int,
    dense_frequency: float,
    tile_frequency: float,
    group_frequency: float,
    neighbours: int,
    k: int,
    threads: int,
) -> None:
    index = build(
        case.docs,
        cluster_size=cluster_size,
        reorder=orders(case.docs.shape[0], k)[reorder],
        dense_frequency=dense_frequency,
        tile_frequency=tile_frequency,
        group_frequency=group_frequency,
        neighbours=neighbours,
        threads=threads,
    )
    hits = search(index, case.queries, k, threads=threads, **EVERYTHING)
    assert_exact(hits, case.docs, case.queries, k)
    if neighbours:
        assert same(search(index, case.queries, k, refine=k, **EVERYTHING), hits)


@pytest.mark.kernels
@settings(max_examples=60)
@given(case=cases(most_docs=2500, most_queries=3), reorder=st.integers(0, 2), k=st.integers(1, 12))
def test_several_superblocks_equal_brute_force(case: Case, reorder: int, k: int) -> None:
    index = build(case.docs, cluster_size=4, reorder=orders(case.docs.shape[0], k)[reorder])
    assert_exact(search(index, case.queries, k, **EVERYTHING), case.docs, case.queries, k)


@pytest.fixture(scope="module")
def real() -> Case:
    return topical(N_REAL, 60, seed=20)


@pytest.fixture(scope="module")
def real_index(real: Case) -> thresher.ClusteredIndex:
    return build(real.docs, neighbours=4, group_frequency=0.01)


@pytest.fixture(scope="module")
def best(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries)


@pytest.fixture(scope="module")
def everything(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries, N_REAL)


@pytest.mark.kernels
@pytest.mark.parametrize("k", [1, 10, 100, 1000])
def test_learned_vectors(real: Case, real_index: thresher.ClusteredIndex, k: int) -> None:
    assert same(search(real_index, real.queries, k, **EVERYTHING), exhaustive(real.docs, real.queries, k))


@pytest.mark.kernels
@pytest.mark.parametrize("cluster_size", CLUSTER_SIZES)
def test_learned_vectors_in_clusters_of_any_size(real: Case, cluster_size: int, best: thresher.Hits) -> None:
    index = build(real.docs, cluster_size=cluster_size, reorder=False)
    assert same(search(index, real.queries, **EVERYTHING), best)


@pytest.mark.kernels
def test_learned_vectors_with_negative_query_weights(real: Case, real_index: thresher.ClusteredIndex) -> None:
    signs = np.where(np.random.default_rng(1).random(real.queries.data.size) < 0.5, -1, 1).astype(np.float32)
    queries = real.queries._replace(data=real.queries.data * signs)
    for k in (10, N_REAL + 1):
        assert same(search(real_index, queries, k, **EVERYTHING), exhaustive(real.docs, queries, k))


# ------------------------------------------------------------------------------------------------------ recall


@pytest.mark.parametrize("seed", [1, 2])
def test_the_defaults_find_nearly_all(seed: int) -> None:
    case = topical(10_000, 80, seed=seed)
    index = build(case.docs)
    for k in (1, 10, 100):
        assert recall(search(index, case.queries, k), exhaustive(case.docs, case.queries, k)) >= 0.95


@pytest.mark.kernels
def test_the_defaults_find_nearly_all_in_an_order_of_ones_own(real: Case, best: thresher.Hits) -> None:
    for order in (False, np.random.default_rng(3).permutation(N_REAL)):
        assert recall(search(build(real.docs, reorder=order), real.queries), best) >= 0.95


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("query_cut", [1, 3, 6, 12, 0]),
        ("heap_factor", [0.2, 0.5, 0.7, 0.9, 1.0]),
        ("cluster_budget", [1, 8, 40, 400, 4000]),
    ],
)
def test_recall_grows_with_each_parameter(
    real: Case, real_index: thresher.ClusteredIndex, best: thresher.Hits, name: str, values: list[Any]
) -> None:
    recalls = [recall(search(real_index, real.queries, **(EVERYTHING | {name: value})), best) for value in values]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.6
    assert recalls[-1] == 1


@pytest.mark.kernels
def test_refining_only_adds(real: Case, real_index: thresher.ClusteredIndex, best: thresher.Hits) -> None:
    for budget in (1, 4, 16):
        before = search(real_index, real.queries, cluster_budget=budget)
        least = recall(before, best)
        for refine in (1, 3, 10, 1000):
            hits = search(real_index, real.queries, cluster_budget=budget, refine=refine)
            assert np.all(hits.scores >= before.scores)
            assert recall(hits, best) >= recall(before, best)
            before = hits
        assert recall(before, best) > least + 0.03


def test_similar_documents_share_clusters() -> None:
    # Two kinds of documents in turn: side by side by kind, a query for one kind finds twice as many.
    rng = np.random.default_rng(10)
    dense = rng.uniform(0.1, 3, (4000, 16)).astype(np.float32)
    dense[::2, :8] = 0
    dense[1::2, 8:] = 0
    docs = from_scipy(sp.csr_array(dense))
    queries = from_scipy(sp.csr_array(np.hstack([np.ones((1, 8)), np.zeros((1, 8))]).astype(np.float32)))
    found = [
        int(np.count_nonzero(search(build(docs, reorder=order), queries, 4000, cluster_budget=500).ids >= 0))
        for order in (False, True)
    ]
    assert found == [1000, 2000]


@pytest.mark.parametrize(("name", "values"), [("n_postings", [0, 200, 30, 5]), ("summary_energy", [1, 0.9, 0.6, 0.3])])
def test_pruned_summaries_take_less_memory_and_find_less(
    real: Case, best: thresher.Hits, name: str, values: list[Any]
) -> None:
    pruned = [build(real.docs, reorder=False, dense_frequency=0.1, **{name: value}) for value in values]
    sizes = [one.nbytes["lists"] for one in pruned]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 2
    recalls = [recall(search(one, real.queries, cluster_budget=16), best) for one in pruned]
    assert recalls[0] > recalls[-1] > 0
    assert recalls[0] > 0.5


# -------------------------------------------------------------------------------------------- what is special


@pytest.mark.kernels
@pytest.mark.parametrize("cluster_size", [4, 64])
@pytest.mark.parametrize("reorder", [False, True])
def test_all_weights_equal_gives_the_smallest_ids(cluster_size: int, reorder: bool) -> None:
    docs = from_scipy(sp.csr_array(np.ones((9000, 3), np.float32)))
    index = build(docs, cluster_size=cluster_size, reorder=reorder)
    hits = search(index, from_scipy(sp.csr_array(np.ones((1, 3), np.float32))), 200, **EVERYTHING)
    np.testing.assert_array_equal(hits.ids[0], np.arange(200))
    np.testing.assert_array_equal(hits.scores[0], np.full(200, 3, np.float32))


@pytest.mark.kernels
@pytest.mark.parametrize("cluster_size", CLUSTER_SIZES)
def test_identical_documents_stored_in_reverse(cluster_size: int) -> None:
    docs = np.zeros((3000, 8), np.float32)
    docs[:, :] = np.random.default_rng(2).uniform(0.1, 3, 8)
    docs[1500:, 0] = 0
    queries = np.eye(8, dtype=np.float32) + 0.1
    check_dense(docs, queries, 30, cluster_size=cluster_size, reorder=np.arange(3000)[::-1])


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
def test_codes_with_256_of_4096_dimensions() -> None:
    rng = np.random.default_rng(3)
    terms = np.sort(np.argsort(rng.random((1500, 4096)), axis=1)[:, :256], axis=1).astype(np.uint32)
    weights = rng.gamma(2, 0.5, terms.size).astype(np.float32) + np.float32(0.01)
    docs = Collection(np.arange(0, terms.size + 1, 256), terms.ravel(), weights, (1500, 4096))
    queries = docs.rows(np.arange(0, 1500, 100))
    index = build(docs)
    assert same(search(index, queries, 5, **EVERYTHING), exhaustive(docs, queries, 5))
    np.testing.assert_array_equal(search(index, queries, 1).ids[:, 0], np.arange(0, 1500, 100))


@pytest.mark.kernels
def test_a_query_of_too_many_terms_to_bound() -> None:
    rng = np.random.default_rng(7)
    indices = rng.permutation(40_000).astype(np.uint32)
    weights = rng.uniform(0.1, 2, indices.size).astype(np.float32)
    docs = Collection(np.arange(0, 40_001, 40), indices, weights, (1000, 40_000))
    terms = np.arange(40_000, dtype=np.uint32)
    weights = rng.uniform(0.1, 2, 40_000).astype(np.float32)
    queries = Collection(np.array([0, 40_000]), terms, weights, (1, 40_000))
    index = build(docs, reorder=False)
    assert_exact(search(index, queries, 1000, **EVERYTHING), docs, queries, 1000)
    assert_among(search(index, queries, 20), exhaustive(docs, queries, 1000))


@pytest.mark.kernels
def test_scores_beyond_and_below_float32() -> None:
    docs = sp.csr_array(np.array([[1e30, 0], [2e30, 0], [0, 1], [3e38, 3e38]], np.float32))
    hits = thresher.ClusteredIndex.build(docs).search(sp.csr_array(np.array([[1e30, 1]], np.float32)), 4)
    assert hits.ids.tolist() == [[0, 1, 3, 2]]
    assert hits.scores.tolist() == [[np.inf, np.inf, np.inf, 1.0]]
    docs = sp.csr_array(np.array([[1e-30], [1e-10]], np.float32))
    hits = thresher.ClusteredIndex.build(docs).search(sp.csr_array(np.array([[1e-30]], np.float32)), 2)
    assert hits.ids.tolist() == [[1, -1]]
    docs = sp.csr_array(np.array([[1e-45]] * 9, np.float32))
    hits = thresher.ClusteredIndex.build(docs).search_one([0], [1.0], 1, heap_factor=5e-324)
    assert hits.scores.tolist() == [np.float32(1e-45)]


@pytest.mark.kernels
def test_negative_weights_count_and_never_lift_a_document_without_the_term() -> None:
    docs = sp.csr_array(np.array([[1, 1, 0], [2, 0, 0], [0, 0, 5], [3, 0, 3]], np.float32))
    queries = sp.csr_array(np.array([[1, -1, 0], [-1, 0, 1], [-1, -1, -1], [0, -2, 0], [0, 0, 0]], np.float32))
    hits = thresher.ClusteredIndex.build(docs).search(queries, 3)
    assert hits.ids.tolist() == [[3, 1, -1], [2, -1, -1], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]]
    assert hits.scores[0, :2].tolist() == [3, 2]


@pytest.mark.parametrize("cluster_size", CLUSTER_SIZES)
def test_k_beyond_the_documents_is_padded(cluster_size: int) -> None:
    index = thresher.ClusteredIndex.build(DOCS, cluster_size=cluster_size, neighbours=2)
    for limits in ({}, EVERYTHING, {"refine": 9}):
        ids, scores = index.search(sp.csr_array(np.array([[1, 0, 0], [0, 0, 0]], np.float32)), 7, **limits)
        assert ids.tolist() == [[3, 0, 4, -1, -1, -1, -1], [-1] * 7]
        assert scores[0, :3].tolist() == [4, 1, 1]
        assert np.all(np.isneginf(scores[0, 3:]))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (3, 1)])
@pytest.mark.parametrize("given_order", [False, True])
def test_empty_collections(shape: tuple[int, int], given_order: bool, tmp_path: Path) -> None:
    reorder = np.arange(shape[0])[::-1] if given_order else True
    index = thresher.ClusteredIndex.build(
        sp.csr_array(shape, dtype=np.float32),
        reorder=reorder,
        group_frequency=0.5,
        n_postings=2,
        summary_energy=0.5,
        neighbours=3,
    )
    index.save(tmp_path / "empty.thresher")
    opened = thresher.open(tmp_path / "empty.thresher")
    assert isinstance(opened, thresher.ClusteredIndex)
    for one in (index, opened):
        for limits in [EVERYTHING, *LIMITS]:
            hits = one.search(sp.csr_array((2, shape[1]), dtype=np.float32), 2, **limits)
            assert hits.ids.tolist() == [[-1, -1]] * 2
        assert one.vectors(np.arange(shape[0])).shape == shape


@pytest.mark.parametrize("n_terms", [65_537, 2**31 + 7, 2**32 - 2, 2**32 - 1])
def test_term_ids_past_16_and_31_bits(n_terms: int) -> None:
    indices = np.array([0, 65_535, n_terms - 1], np.uint32)
    docs = np.array([0, 1, 2, 3]), indices, np.array([1, 2, 3], np.float32)
    index = thresher.ClusteredIndex.build(docs, shape=(3, n_terms))
    assert index.n_terms == n_terms
    query = np.array([0, 3]), indices, np.ones(3, np.float32)
    assert index.search(query, 3, shape=(1, n_terms)).ids.tolist() == [[2, 1, 0]]
    assert index.search_one(indices[2:], [1.0], 1).ids.tolist() == [2]
    assert index.vectors([2]).indices.tolist() == [n_terms - 1]


# ------------------------------------------------------------------------------------------ order of storage


def test_the_order_changes_no_score(real: Case, best: thresher.Hits, tmp_path: Path) -> None:
    for number, order in enumerate([*orders(N_REAL, 3), np.arange(N_REAL)[::-1]]):
        index = build(real.docs, reorder=order)
        index.save(tmp_path / f"{number}.thresher")
        for one in (index, thresher.open(tmp_path / f"{number}.thresher")):
            assert same(search(one, real.queries, **EVERYTHING), best)


def test_vectors_are_the_rows_that_were_given(real: Case, real_index: thresher.ClusteredIndex, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64, np.uint16])
def test_orders_of_any_integer_type(dtype: Any) -> None:
    order = np.repeat(np.array([4, 2, 0, 1, 3], dtype), 2)[::2]  # strided
    for given_order in (order, order.tolist()):
        index = thresher.ClusteredIndex.build(DOCS, reorder=given_order)
        assert index.search_one([0, 2], [1.0, 1.0], 4).ids.tolist() == [3, 0, 4, 1]
        assert index.vectors([3]).toarray().tolist() == [[4, 0, 0]]


def test_clusters_are_cut_from_the_order_that_is_given() -> None:
    docs = from_scipy(sp.csr_array(np.ones((40, 1), np.float32)))
    query = from_scipy(sp.csr_array(np.ones((1, 1), np.float32)))
    order = np.random.default_rng(1).permutation(40)
    hits = search(build(docs, cluster_size=8, reorder=order), query, 40, cluster_budget=1)
    clusters = np.sort(order.reshape(5, 8), axis=1).tolist()
    assert hits.ids[0, :8].tolist() in clusters
    assert np.all(hits.ids[0, 8:] == -1)


# --------------------------------------------------------------------------------------- approximate search


@pytest.mark.kernels
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_scores_of_what_is_found_are_exact(
    real: Case, real_index: thresher.ClusteredIndex, best: thresher.Hits, everything: thresher.Hits, limits: Any
) -> None:
    hits = search(real_index, real.queries, **limits)
    assert 0 < recall(hits, best) < 1
    assert_among(hits, everything)


@pytest.mark.kernels
@given(
    case=cases(),
    pruning=st.tuples(st.integers(0, 9), st.floats(0, 1, exclude_min=True)),
    neighbours=st.integers(0, 4),
    query_cut=st.integers(0, 9),
    heap_factor=st.floats(0, 1, exclude_min=True),
    cluster_budget=st.integers(0, 40),
    refine=st.integers(0, 9),
    k=st.integers(1, 30),
)
def test_approximate_hits_are_among_the_documents(
    case: Case,
    pruning: tuple[int, float],
    neighbours: int,
    query_cut: int,
    heap_factor: float,
    cluster_budget: int,
    refine: int,
    k: int,
) -> None:
    n_postings, summary_energy = pruning
    index = build(case.docs, n_postings=n_postings, summary_energy=summary_energy, neighbours=neighbours)
    limits: dict[str, Any] = {
        "query_cut": query_cut,
        "heap_factor": heap_factor,
        "cluster_budget": cluster_budget,
        "refine": refine if neighbours else 0,
    }
    hits = search(index, case.queries, k, **limits)
    assert_among(hits, exhaustive(case.docs, case.queries, max(case.docs.shape[0], 1)))


def test_a_budget_opens_that_many_clusters() -> None:
    docs = from_scipy(sp.csr_array(np.ones((1000, 2), np.float32)))
    queries = from_scipy(sp.csr_array(np.ones((1, 2), np.float32)))
    for cluster_size in CLUSTER_SIZES:
        index = build(docs, cluster_size=cluster_size, reorder=False)
        for budget in (1, 2, 7):
            found = np.count_nonzero(search(index, queries, 1000, cluster_budget=budget).ids >= 0)
            assert found in (budget * cluster_size, budget * cluster_size - (-1000 % cluster_size))


@pytest.mark.parametrize("limits", [{}, EVERYTHING, *LIMITS], ids=str)
def test_search_one_equals_search(real: Case, real_index: thresher.ClusteredIndex, limits: Any) -> None:
    hits = search(real_index, real.queries, 25, **limits)
    for row in range(real.queries.shape[0]):
        entries = slice(real.queries.indptr[row], real.queries.indptr[row + 1])
        one = real_index.search_one(real.queries.indices[entries], real.queries.data[entries], 25, **limits)
        assert one.ids.tobytes() == hits.ids[row].tobytes()
        assert one.scores.tobytes() == hits.scores[row].tobytes()


@pytest.mark.parametrize("limits", [{}, EVERYTHING, *LIMITS], ids=str)
def test_threads_do_not_matter(real: Case, real_index: thresher.ClusteredIndex, limits: Any) -> None:
    many = real.queries.rows(np.arange(600) % 60)
    hits = [search(real_index, many, threads=threads, **limits) for threads in (1, 2, 5)]
    assert same(hits[0], hits[1])
    assert same(hits[0], hits[2])
    assert same(search(real_index, many, threads=2, **limits), hits[0])


@pytest.mark.parametrize("reorder", [True, False])
def test_the_file_does_not_depend_on_threads(real: Case, reorder: bool, tmp_path: Path) -> None:
    docs = real.docs.rows(np.arange(5000))  # more than are packed at once
    files = []
    for threads in (1, 2, 5):
        index = build(docs, reorder=reorder, n_postings=100, summary_energy=0.95, neighbours=2, threads=threads)
        index.save(tmp_path / "docs.thresher")
        files.append((tmp_path / "docs.thresher").read_bytes())
    assert files[0] == files[1] == files[2]


def test_a_file_gives_the_same(real: Case, real_index: thresher.ClusteredIndex, tmp_path: Path) -> None:
    real_index.save(tmp_path / "docs.thresher")
    for verify in (True, False):
        opened = thresher.open(tmp_path / "docs.thresher", verify=verify)
        assert isinstance(opened, thresher.ClusteredIndex)
        assert (opened.params, opened.nbytes) == (real_index.params, real_index.nbytes)
        for limits in [{}, EVERYTHING, *LIMITS]:
            assert same(search(opened, real.queries, **limits), search(real_index, real.queries, **limits))


# ----------------------------------------------------------------------------------------- parameters and parts


def test_parameters_are_kept(tmp_path: Path) -> None:
    given_parameters: dict[str, Any] = {
        "cluster_size": 16,
        "reorder": True,
        "dense_frequency": 0.25,
        "tile_frequency": 0.5,
        "group_frequency": 0.125,
        "n_postings": 7,
        "summary_energy": 0.5,
        "neighbours": 3,
    }
    index = thresher.ClusteredIndex.build(DOCS, **given_parameters)
    index.save(tmp_path / "docs.thresher")
    assert index.params == thresher.open(tmp_path / "docs.thresher").params == given_parameters
    again = thresher.ClusteredIndex.build(DOCS, **index.params)  # type: ignore[arg-type]
    assert again.params == index.params
    ordered = thresher.ClusteredIndex.build(DOCS, reorder=[4, 3, 2, 1, 0], summary_energy=1)
    assert ordered.params["reorder"] == 1
    assert isinstance(ordered.params["summary_energy"], float)


def test_parameters_unless_said() -> None:
    params = dict(thresher.ClusteredIndex.build(DOCS).params)
    assert params.pop("cluster_size") in CLUSTER_SIZES
    assert params == {
        "reorder": 1,
        "dense_frequency": 0.015,
        "tile_frequency": 0.06,
        "group_frequency": 0.0,
        "n_postings": 0,
        "summary_energy": 1.0,
        "neighbours": 0,
    }


def test_nbytes_by_part(real: Case, real_index: thresher.ClusteredIndex) -> None:
    sizes = real_index.nbytes
    assert sizes["neighbours"] == 4 * 4 * N_REAL
    assert sizes["order"] == 2 * 4 * N_REAL  # and the way back
    plain = build(real.docs, reorder=False).nbytes
    assert plain["neighbours"] == 0
    assert "order" not in plain
    coarse = build(real.docs, reorder=False, cluster_size=64).nbytes
    assert coarse["summaries"] * 6 < plain["summaries"]
    assert coarse["lists"] < plain["lists"]
    assert plain["groups"] == 0
    grouped = build(real.docs, reorder=False, group_frequency=0.01).nbytes
    assert 0 < grouped["groups"] < plain["summaries"]
    assert {**grouped, "groups": 0} == plain
    fewer = build(real.docs, reorder=False, dense_frequency=0.2).nbytes
    assert fewer["summaries"] < plain["summaries"]
    assert fewer["lists"] > plain["lists"]


@pytest.mark.parametrize(("n_docs", "grouped"), [(1_499_999, False), (1_500_000, True)])
def test_large_collections_have_groups_by_themselves(n_docs: int, grouped: bool) -> None:
    doc = np.arange(n_docs)
    terms = doc % 40
    terms[3::1000] = 40  # has no row of summaries, but codes for groups
    terms[5::10_000] = 41  # has neither
    docs = sp.csr_array((np.ones(n_docs, np.float32), terms, np.arange(n_docs + 1)), shape=(n_docs, 42))
    index = thresher.ClusteredIndex.build(docs, reorder=False)
    assert (index.nbytes["groups"] > 0) == grouped
    estimated = thresher.estimate(docs, engine="clustered")["clustered"].nbytes
    assert index.nbytes["groups"] == estimated["groups"]
    assert index.nbytes["summaries"] == estimated["summaries"]


@pytest.mark.kernels
def test_float16_weights_take_less_memory(real: Case) -> None:
    docs = real.docs._replace(data=real.docs.data.astype(np.float16).astype(np.float32))
    index = build(docs, reorder=False)
    assert same(search(index, real.queries, **EVERYTHING), exhaustive(docs, real.queries))
    assert index.nbytes["forward"] < build(real.docs, reorder=False).nbytes["forward"]


@pytest.mark.parametrize("cluster_size", [1, 2, 3, 5, 12, 128, -4, 2**31, 2**32 + 4, -(2**63)])
def test_cluster_sizes_out_of_range(cluster_size: int) -> None:
    with expect(ValueError, "cluster_size must be 4, 8, 16, 32 or 64", f"got {cluster_size}"):
        thresher.ClusteredIndex.build(DOCS, cluster_size=cluster_size)


@pytest.mark.parametrize(
    ("name", "rule", "wrong"),
    [
        ("n_postings", "must be >= 0", [-1, -(2**63)]),
        ("neighbours", "must be from 0 to 256", [-1, 257, 2**40]),
    ],
)
def test_counts_out_of_range(name: str, rule: str, wrong: list[int]) -> None:
    for count in wrong:
        with expect(ValueError, f"{name} {rule}", f"got {count}"):
            thresher.ClusteredIndex.build(DOCS, **{name: count})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["cluster_size", "n_postings", "neighbours"])
def test_counts_that_are_no_whole_number_or_past_64_bits(name: str) -> None:
    for wrong in (4.0, "4", None):
        with expect(TypeError, f"{name} must be a whole number", type(wrong).__name__):
            thresher.ClusteredIndex.build(DOCS, **{name: wrong})  # type: ignore[arg-type]
    with expect(ValueError, name, "got"):
        thresher.ClusteredIndex.build(DOCS, **{name: 2**70})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["dense_frequency", "tile_frequency", "summary_energy"])
def test_shares_out_of_range(name: str) -> None:
    for share in (0.0, -0.5, 1.01, np.nan, np.inf, -np.inf):
        with expect(ValueError, f"{name} must be in (0, 1]", "got"):
            thresher.ClusteredIndex.build(DOCS, **{name: share})  # type: ignore[arg-type]
    for wrong in ("0.5", None, [0.5]):
        with expect(TypeError, f"{name} must be a", type(wrong).__name__):
            thresher.ClusteredIndex.build(DOCS, **{name: wrong})  # type: ignore[arg-type]


def test_group_frequencies_out_of_range() -> None:
    for share in (-0.5, 1.01, np.nan, np.inf):
        with expect(ValueError, "group_frequency must be in (0, 1], or 0 to choose", "got"):
            thresher.ClusteredIndex.build(DOCS, group_frequency=share)
    assert thresher.ClusteredIndex.build(DOCS, group_frequency=0).nbytes["groups"] == 0


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        ([0, 1, 2, 3], ValueError, ["4 documents", "there are 5"]),
        ([], ValueError, ["0 documents", "there are 5"]),
        ([0, 1, 2, 3, 3], ValueError, ["document 3", "twice"]),
        ([0, 1, 2, 3, 5], ValueError, ["5 is not a document"]),
        ([0, 1, 2, 3, -1], ValueError, ["-1 is not a document"]),
        ([0, 1, 2, 3, 2**32], ValueError, [f"{2**32} is not a document"]),
        ([[0, 1, 2, 3, 4]], ValueError, ["one dimension, got 2"]),
        (None, TypeError, ["must be a bool or document ids, got NoneType"]),
        (np.arange(5.0), TypeError, ["document ids", "float64"]),
    ],
    ids=str,
)
def test_what_is_no_order(order: Anything, error: type[Exception], words: list[str]) -> None:
    with expect(error, "reorder", *words):
        thresher.ClusteredIndex.build(DOCS, reorder=order)


CALLS = pytest.mark.parametrize(("call", "arguments"), [("search", (DOCS,)), ("search_one", ([0], [1.0]))])


@CALLS
def test_heap_factors_out_of_range(call: str, arguments: Anything) -> None:
    index = thresher.ClusteredIndex.build(DOCS)
    for share in (0, 0.0, -0.5, 1.5, np.nan, np.inf):
        with expect(ValueError, "heap_factor must be in (0, 1]", "got"):
            getattr(index, call)(*arguments, heap_factor=share)
    for wrong in ("x", b"1", [0.5]):
        with expect(TypeError, "heap_factor must be a number", type(wrong).__name__):
            getattr(index, call)(*arguments, heap_factor=wrong)


@CALLS
@pytest.mark.parametrize("name", ["query_cut", "cluster_budget", "group_budget", "refine"])
def test_search_counts_out_of_range(call: str, arguments: Anything, name: str) -> None:
    index = thresher.ClusteredIndex.build(DOCS, neighbours=1, group_frequency=0.5)
    for count in (-1, -(2**63)):
        with expect(ValueError, f"{name} must be >= 0", f"got {count}"):
            getattr(index, call)(*arguments, **{name: count})
    for count in (2**63, -(2**63) - 1, 10**30):
        with expect(ValueError, f"{name} is out of range", f"got {count}"):
            getattr(index, call)(*arguments, **{name: count})
    for wrong in (1.0, "1", [1]):
        with expect(TypeError, f"{name} must be a whole number", type(wrong).__name__):
            getattr(index, call)(*arguments, **{name: wrong})
    for most in (2**63 - 1, 2**64 // 3 + 1):  # whose product with 3 wraps
        assert same(getattr(index, call)(*arguments, 3, **{name: most}), getattr(index, call)(*arguments, 3))


@CALLS
@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("refine", ("refine needs neighbours", "neighbours >= 1")),
        ("group_budget", ("group_budget needs groups", "group_frequency above 0")),
    ],
)
def test_parameters_of_parts_that_were_not_built(
    call: str, arguments: Anything, name: str, needed: tuple[str, str], tmp_path: Path
) -> None:
    thresher.ClusteredIndex.build(DOCS).save(tmp_path / "docs.thresher")
    for index in (thresher.ClusteredIndex.build(DOCS), thresher.open(tmp_path / "docs.thresher")):
        with expect(ValueError, *needed):
            getattr(index, call)(*arguments, **{name: 1})
        assert getattr(index, call)(*arguments, **{name: 0}).ids.size


def test_bad_queries_of_a_search_with_parameters() -> None:
    index = thresher.ClusteredIndex.build(DOCS)
    with expect(ValueError, "queries", "row 0", "nan", "term 1", "finite"):
        index.search(sp.csr_array(np.array([[0, np.nan, 1]], np.float32)), **EVERYTHING)
    with expect(ValueError, "queries", "row 0", "term 3", "3 terms"):
        index.search(sp.csr_array(np.array([[0, 0, 0, 1]], np.float32)), **EVERYTHING)
    with expect(ValueError, "term 3"):
        index.search_one([3], [1.0], **EVERYTHING)
    with expect(ValueError, "k must be"):
        index.search_one([0], [1.0], 0, **EVERYTHING)
    index.close()
    with expect(ValueError, "the index is closed"):
        index.search(DOCS, **EVERYTHING)
    with expect(ValueError, "the index is closed"):
        index.search_one([0], [1.0], **EVERYTHING)


# -------------------------------------------------------------------------------- long builds: progress, Ctrl-C


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("reorder", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"n_postings": 50, "neighbours": 1}], ids=str)
def test_progress_of_a_build_is_monotone(real: Case, reorder: int, threads: int, options: Any) -> None:
    calls: list[tuple[int, int]] = []
    order = orders(5000, 1)[reorder]
    docs = real.docs.rows(np.arange(5000))
    build(docs, reorder=order, threads=threads, progress=lambda *call: calls.append(call), **options)
    assert {total for _, total in calls} == {5000}
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (5000, 5000)


def test_progress_of_a_search_with_parameters_is_monotone(real: Case, real_index: thresher.ClusteredIndex) -> None:
    calls: list[tuple[int, int]] = []
    many = real.queries.rows(np.arange(3000) % 60)
    search(real_index, many, refine=2, progress=lambda *call: calls.append(call))
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (3000, 3000)

    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError("from progress")

    with pytest.raises(ZeroDivisionError, match="from progress"):
        search(real_index, many, refine=2, progress=fail)


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
        thresher.ClusteredIndex.build(docs, shape=(n_docs, n_terms), reorder=False, neighbours=8, threads=2)
except KeyboardInterrupt:
    late = time.perf_counter() - pressed
    small = docs[0][:101], docs[1][:100 * row], docs[2][:100 * row]
    index = thresher.ClusteredIndex.build(small, shape=(100, n_terms), neighbours=2)
    works = index.search(small, 1, shape=(100, n_terms), refine=1).ids.shape == (100, 1)
    print("works:", works, "in time:", late < 2 or late)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("delay", [0.4, 1.2, 2.4])
def test_ctrl_c_ends_a_build_of_neighbours(delay: float) -> None:
    done = run_python(INTERRUPTED, delay)
    assert (done.stdout, done.stderr, done.returncode) == ("works: True in time: True\n", "", 0)
