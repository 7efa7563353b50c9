"""ClusteredIndex against a float64 brute force: equal to it where nothing is left out, and close to it by default."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import thresher
from engine_forms import DOCS
from helpers import assert_among, exhaustive, expect, orders, recall, same, search
from reference import Collection, assert_exact, from_scipy
from strategies import Case, cases, topical

Anything: TypeAlias = Any  # arguments that are wrong on purpose
Floats: TypeAlias = npt.NDArray[np.float32]

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


# ------------------------------------------------------------------------------------------ order of storage


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


# ----------------------------------------------------------------------------------------- parameters and parts


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
    assert coarse["lists"] + coarse["summaries"] < plain["lists"] + plain["summaries"]
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


CALLS = pytest.mark.parametrize(("call", "arguments"), [("search", (DOCS,)), ("search_one", ([0], [1.0]))])


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
