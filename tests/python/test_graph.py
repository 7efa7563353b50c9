"""GraphIndex against a float64 brute force: equal to it where the search is as wide as the index, else close to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

import thresher
from engine_forms import DOCS
from helpers import assert_among, exhaustive, expect, orders, recall, same, search
from reference import Collection, assert_exact, from_scipy
from strategies import Case, cases, topical

Anything: TypeAlias = Any  # arguments that are wrong on purpose
Floats: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.bool_]

EVERYTHING: dict[str, Any] = {"ef": 2**40}  # the search ends when it has come by all documents
LIMITS: list[dict[str, Any]] = [
    {"ef": 1},
    {"ef": 30, "entry_terms": 1},
    {"ef": 200, "entry_terms": 0, "early_stop": 0.9},
    {"entry_terms": 2, "early_stop": 1},
]
N_REAL = 2500


def build(docs: Collection, **options: Any) -> thresher.GraphIndex:
    return thresher.GraphIndex.build(docs.triple, shape=docs.shape, **options)


def only(docs: Collection, allowed: Mask) -> Collection:
    """Return the documents, those that are not allowed without terms."""
    kept = allowed[docs.row_of]
    indptr = np.zeros(docs.shape[0] + 1, np.int64)
    indptr[1:] = np.cumsum(np.where(allowed, np.diff(docs.indptr), 0))
    return Collection(indptr, docs.indices[kept], docs.data[kept], docs.shape)


def assert_same_ids(hits: thresher.Hits, exact: thresher.Hits) -> None:
    """Raise AssertionError unless hits are the same; of scores past float32, which all tie, any may be found."""
    np.testing.assert_array_equal(hits.scores, exact.scores)
    finite = ~np.isposinf(exact.scores)
    np.testing.assert_array_equal(hits.ids[finite], exact.ids[finite])


def graph(index: thresher.GraphIndex) -> sp.csr_array:
    """Return every edge, a row for each document that it leads from."""
    edges = [index.edges(doc) for doc in range(index.n_docs)]
    indptr = np.cumsum([0, *(row.size for row in edges)])
    indices = np.concatenate([np.zeros(0, np.int64), *edges])
    return sp.csr_array((np.ones(indices.size), indices, indptr), shape=(index.n_docs, index.n_docs))


def assert_sound(index: thresher.GraphIndex) -> None:
    """Raise AssertionError unless edges are sorted, of other documents, and lead from every document to every other."""
    for doc in range(index.n_docs):
        edges = index.edges(doc)
        assert edges.dtype == np.int64
        assert np.all(np.diff(edges) > 0)
        assert np.all((edges >= 0) & (edges < index.n_docs) & (edges != doc))
    if index.n_docs:
        assert connected_components(graph(index), connection="strong")[0] == 1


@pytest.fixture(scope="module")
def real() -> Case:
    return topical(N_REAL, 60, seed=20)


@pytest.fixture(scope="module")
def real_index(real: Case) -> thresher.GraphIndex:
    return build(real.docs)


@pytest.fixture(scope="module")
def sparse_index(real: Case) -> thresher.GraphIndex:
    """One that has few edges and is hard to enter, so that searches have far to go."""
    return build(real.docs, m=4, ef_construction=16, entry_points=1, reorder=False)


@pytest.fixture(scope="module")
def best(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries)


@pytest.fixture(scope="module")
def everything(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries, N_REAL)


# ------------------------------------------------------------------------------------ against the brute force


@pytest.mark.kernels
@given(
    case=cases(),
    m=st.sampled_from([1, 2, 16, 256]),
    ef_construction=st.sampled_from([1, 4, 64]),
    entry_points=st.sampled_from([1, 3, 64]),
    reorder=st.integers(0, 2),
    entry_terms=st.sampled_from([0, 1, 6]),
    k=st.integers(1, 320),
    wider=st.sampled_from([0, 1, 2**40]),
    threads=st.integers(0, 3),
)
def test_equals_brute_force_where_the_search_is_as_wide_as_the_index(
    case: Case,
    m: int,
    ef_construction: int,
    entry_points: int,
    reorder: int,
    entry_terms: int,
    k: int,
    wider: int,
    threads: int,
) -> None:
    n_docs = case.docs.shape[0]
    index = build(
        case.docs,
        m=m,
        ef_construction=ef_construction,
        entry_points=entry_points,
        reorder=orders(n_docs, k)[reorder],
        threads=threads,
    )
    hits = search(index, case.queries, k, threads=threads, entry_terms=entry_terms, ef=max(n_docs, 1) + wider)
    assert_exact(hits, case.docs, case.queries, k)
    assert_same_ids(hits, exhaustive(case.docs, case.queries, k))


@pytest.mark.kernels
@given(case=cases(), share=st.floats(0, 1), seed=st.integers(0, 9), k=st.integers(1, 30), wide=st.booleans())
def test_of_allowed_documents_equals_brute_force_where_all_are_scored(
    case: Case, share: float, seed: int, k: int, wide: bool
) -> None:
    n_docs = case.docs.shape[0]
    allowed = np.random.default_rng(seed).random(n_docs) < share
    index = build(case.docs, reorder=orders(n_docs, seed)[seed % 3])
    # At most 300 of them: even the library's own width is 60 and 16 edges a document.
    hits = search(index, case.queries, k, allowed=allowed, **(EVERYTHING if wide else {}))
    assert_same_ids(hits, exhaustive(only(case.docs, allowed), case.queries, k))


@pytest.mark.kernels
@given(
    case=cases(),
    m=st.integers(1, 4),
    entry_points=st.integers(1, 4),
    ef=st.integers(0, 20),
    entry_terms=st.integers(0, 4),
    early_stop=st.floats(0, 1),
    denied=st.sampled_from([0.0, 0.1, 0.5]),
    k=st.integers(1, 30),
)
def test_approximate_hits_are_among_the_documents(
    case: Case,
    m: int,
    entry_points: int,
    ef: int,
    entry_terms: int,
    early_stop: float,
    denied: float,
    k: int,
) -> None:
    n_docs = case.docs.shape[0]
    index = build(case.docs, m=m, ef_construction=4, entry_points=entry_points, reorder=k % 2 == 0)
    limits: dict[str, Any] = {"ef": ef, "entry_terms": entry_terms, "early_stop": early_stop}
    allowed = np.random.default_rng(k).random(n_docs) >= denied
    hits = search(index, case.queries, k, allowed=allowed if denied else None, **limits)
    assert_among(hits, exhaustive(only(case.docs, allowed), case.queries, max(n_docs, 1)))


def test_a_search_as_wide_as_the_index_passes_documents_of_negative_scores() -> None:
    # The better of two is found only past one that the query's negative term makes the worst of all.
    docs = sp.csr_array(np.array([[1, 0, 0, 0], [1, 9, 0, 0], [0, 9, 9, 0], [0, 0, 9, 9], [0, 0, 0, 9], [1, 0, 0, 3]]))
    index = thresher.GraphIndex.build(docs, m=1, entry_points=1, reorder=False)
    for k in (1, 2, 3):
        expected = thresher.ExactIndex.build(docs).search_one([0, 1, 3], [5, -1, 1], k)
        assert index.search_one([0, 1, 3], [5, -1, 1], k, entry_terms=1, **EVERYTHING).ids.tolist() == (
            expected.ids.tolist()
        )


# ------------------------------------------------------------------------------------------------------ recall


@pytest.mark.parametrize("seed", [1, 2])
def test_the_defaults_find_nearly_all(seed: int) -> None:
    case = topical(6000, 60, seed=seed)
    index = build(case.docs)
    for k in (1, 10, 100):
        assert recall(search(index, case.queries, k), exhaustive(case.docs, case.queries, k)) >= 0.97


def test_the_defaults_find_nearly_all_in_an_order_of_ones_own(real: Case, best: thresher.Hits) -> None:
    for order in (False, np.random.default_rng(3).permutation(N_REAL)):
        assert recall(search(build(real.docs, reorder=order), real.queries), best) >= 0.97


@pytest.mark.kernels
def test_recall_grows_with_ef(real: Case, sparse_index: thresher.GraphIndex, best: thresher.Hits) -> None:
    recalls = [recall(search(sparse_index, real.queries, ef=ef, entry_terms=1), best) for ef in (1, 30, 150, 1000)]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.3
    assert recalls[-1] > 0.9
    assert recall(search(sparse_index, real.queries, ef=N_REAL, entry_terms=1), best) == 1


def test_recall_grows_with_entry_terms(real: Case, sparse_index: thresher.GraphIndex, best: thresher.Hits) -> None:
    recalls = [recall(search(sparse_index, real.queries, ef=10, entry_terms=n), best) for n in (1, 6, 0)]
    assert recalls == sorted(recalls)
    assert recalls[-1] > recalls[0] + 0.1
    assert same(
        search(sparse_index, real.queries, entry_terms=0), search(sparse_index, real.queries, entry_terms=2**62)
    )


def test_a_search_that_stops_earlier_finds_no_better(real: Case, real_index: thresher.GraphIndex) -> None:
    before = search(real_index, real.queries, entry_terms=1, early_stop=0)
    assert same(before, search(real_index, real.queries, entry_terms=1))
    first = before
    for early_stop in (0.5, 0.8, 0.9, 1):
        hits = search(real_index, real.queries, entry_terms=1, early_stop=early_stop)
        assert np.all(hits.scores <= before.scores)
        before = hits
    assert recall(before, first) < 0.98


def test_recall_grows_with_what_a_build_spends(real: Case, best: thresher.Hits) -> None:
    cheap: dict[str, int] = {"m": 4, "ef_construction": 8, "entry_points": 8}
    limits = {"ef": 10, "entry_terms": 2}
    least = recall(search(build(real.docs, **cheap), real.queries, **limits), best)
    for dearer in ({"m": 32, "ef_construction": 64}, {"entry_points": 128}):
        assert recall(search(build(real.docs, **(cheap | dearer)), real.queries, **limits), best) > least + 0.02


# -------------------------------------------------------------------------------------------- what is special


@pytest.mark.kernels
@pytest.mark.parametrize("reorder", [False, True])
def test_all_weights_equal_gives_the_smallest_ids(reorder: bool) -> None:
    docs = from_scipy(sp.csr_array(np.ones((3000, 3), np.float32)))
    index = build(docs, reorder=reorder)
    hits = search(index, from_scipy(sp.csr_array(np.ones((1, 3), np.float32))), 200, **EVERYTHING)
    np.testing.assert_array_equal(hits.ids[0], np.arange(200))
    np.testing.assert_array_equal(hits.scores[0], np.full(200, 3, np.float32))
    assert_sound(index)


def test_a_query_of_very_many_terms() -> None:
    rng = np.random.default_rng(7)
    indices = rng.permutation(40_000).astype(np.uint32)
    docs = Collection(np.arange(0, 40_001, 40), indices, rng.uniform(0.1, 2, 40_000).astype(np.float32), (1000, 40_000))
    terms = np.arange(40_000, dtype=np.uint32)
    queries = Collection(np.array([0, 40_000]), terms, rng.uniform(0.1, 2, 40_000).astype(np.float32), (1, 40_000))
    index = build(docs, reorder=False)
    assert_exact(search(index, queries, 1000, **EVERYTHING), docs, queries, 1000)
    assert_among(search(index, queries, 20), exhaustive(docs, queries, 1000))
    assert_sound(index)  # of documents that have no term in common


def test_no_search_is_narrower_than_k(real: Case, real_index: thresher.GraphIndex) -> None:
    assert np.all(search(real_index, real.queries, 50, ef=1).ids >= 0)
    assert same(search(real_index, real.queries, 50, ef=1), search(real_index, real.queries, 50, ef=50))
    assert not same(search(real_index, real.queries, 50, ef=50), search(real_index, real.queries, 50, ef=80))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 0), (1, 3), (2, 3), (5, 0), (300, 1)])
@pytest.mark.parametrize("given_order", [False, True])
def test_collections_without_weights(shape: tuple[int, int], given_order: bool, tmp_path: Path) -> None:
    reorder = np.arange(shape[0])[::-1] if given_order else True
    index = thresher.GraphIndex.build(sp.csr_array(shape, dtype=np.float32), reorder=reorder, m=2)
    index.save(tmp_path / "empty.thresher")
    opened = thresher.open(tmp_path / "empty.thresher")
    assert isinstance(opened, thresher.GraphIndex)
    for one in (index, opened):
        for limits in [EVERYTHING, *LIMITS, {"allowed": np.ones(shape[0], np.bool_)}]:
            hits = one.search(sp.csr_array((2, shape[1]), dtype=np.float32), 2, **limits)
            assert hits.ids.tolist() == [[-1] * min(2, shape[0])] * 2
        assert one.vectors(np.arange(shape[0])).shape == shape
        assert_sound(one)


def test_one_and_two_documents() -> None:
    one = thresher.GraphIndex.build(sp.csr_array(np.array([[0, 2.0]])))
    assert one.edges(0).tolist() == []
    assert one.search_one([1], [1.0], 2).ids.tolist() == [0]
    assert one.search_one([1], [1.0], 2, allowed=[False]).ids.tolist() == [-1]
    for second in ([0, 1.0], [1.0, 0], [0, 0]):
        docs = sp.csr_array(np.array([[1.0, 0], second]))
        two = thresher.GraphIndex.build(docs, m=1, ef_construction=1, entry_points=1)
        assert [two.edges(0).tolist(), two.edges(1).tolist()] == [[1], [0]]
        assert two.search_one([0, 1], [1.0, 1.0], 2).ids.tolist() == [0, 1 if any(second) else -1]


def test_most_rows_empty(real: Case) -> None:
    allowed = np.arange(N_REAL) % 50 == 7
    docs = only(real.docs, allowed)
    index = build(docs)
    assert_sound(index)
    assert same(search(index, real.queries), exhaustive(docs, real.queries))


# ------------------------------------------------------------------------------------------ order of storage


def test_documents_are_stored_in_the_order_that_is_given(real: Case, tmp_path: Path) -> None:
    files = []
    docs = real.docs.rows(np.arange(500))
    order = np.random.default_rng(1).permutation(500)
    for rows, reorder in ((docs, order), (docs.rows(order), False)):
        index = build(rows, reorder=reorder)
        index.save(tmp_path / "docs.thresher")
        table = {section["name"]: section for section in thresher.describe(tmp_path / "docs.thresher")["sections"]}
        data = (tmp_path / "docs.thresher").read_bytes()
        parts = [name for name in table if name.split("/")[0] in ("forward", "edges", "entries")]
        files.append({p: data[table[p]["offset"] : table[p]["offset"] + table[p]["nbytes"]] for p in parts})
    assert files[0] == files[1]
    in_order = build(docs.rows(order), reorder=False)
    given_order = build(docs, reorder=order)
    for position, doc in enumerate(order):
        assert given_order.edges(doc).tolist() == sorted(order[in_order.edges(position)])


def test_similar_documents_side_by_side_make_smaller_edges(real: Case) -> None:
    docs = real.docs.rows(np.random.default_rng(2).permutation(N_REAL))
    cheap = {"m": 8, "ef_construction": 16}
    ordered, as_it_comes = (build(docs, reorder=reorder, **cheap).nbytes["edges"] for reorder in (True, False))
    assert ordered < as_it_comes * 0.98


# ------------------------------------------------------------------------------------------------------- edges


@settings(max_examples=120)
@given(
    case=cases(),
    m=st.sampled_from([1, 2, 16]),
    ef_construction=st.sampled_from([1, 4, 64]),
    reorder=st.integers(0, 2),
)
def test_every_document_is_reached_from_every_other(case: Case, m: int, ef_construction: int, reorder: int) -> None:
    order = orders(case.docs.shape[0], m)[reorder]
    assert_sound(build(case.docs, m=m, ef_construction=ef_construction, reorder=order))


@pytest.mark.parametrize("m", [1, 4, 16, 256])
def test_learned_vectors_are_connected(real: Case, m: int) -> None:
    docs = real.docs.rows(np.arange(1200)) if m == 256 else real.docs
    index = build(docs, m=m, ef_construction=max(m, 16))
    assert_sound(index)
    degrees = np.diff(graph(index).indptr)
    assert degrees.min() >= 1
    assert degrees.max() <= 2 * m + 20
    assert np.mean(degrees > 2 * m) < (0.3 if m == 1 else 0.01)
    assert degrees.mean() > min(m, 10)


def test_edges_lead_to_similar_documents(real: Case, real_index: thresher.GraphIndex) -> None:
    wanted = np.arange(0, N_REAL, 40)
    nearest = exhaustive(real.docs, real.docs.rows(wanted), 2).ids
    nearest = np.where(nearest[:, 0] == wanted, nearest[:, 1], nearest[:, 0])
    assert np.mean([near in real_index.edges(doc) for doc, near in zip(wanted, nearest, strict=True)]) > 0.95


def test_most_edges_lead_both_ways(real_index: thresher.GraphIndex) -> None:
    edges = graph(real_index)
    assert (edges * edges.T).nnz > 0.9 * edges.nnz


def test_edges_of_a_file(real_index: thresher.GraphIndex, tmp_path: Path) -> None:
    real_index.save(tmp_path / "docs.thresher")
    opened = thresher.open(tmp_path / "docs.thresher")
    assert isinstance(opened, thresher.GraphIndex)
    assert (graph(opened) != graph(real_index)).nnz == 0


def test_edges_of_what_is_no_document() -> None:
    index = thresher.GraphIndex.build(DOCS)
    assert index.edges(np.uint8(4)).tolist() == index.edges(4).tolist()
    for doc in (5, -1, 2**32, 2**63 - 1, -(2**63)):
        with expect(ValueError, f"doc: {doc} is not a document", "5"):
            index.edges(doc)
    for doc in (2**63, -(2**70)):
        with expect(ValueError, "doc is out of range", f"got {doc}"):
            index.edges(doc)
    for wrong in (1.0, "1", None, [1]):
        with expect(TypeError, "doc must be a whole number", type(wrong).__name__):
            index.edges(wrong)  # type: ignore[arg-type]
    with expect(ValueError, "doc: 0 is not a document", "0"):
        thresher.GraphIndex.build(sp.csr_array((0, 3), dtype=np.float32)).edges(0)
    index.close()
    with expect(ValueError, "the index is closed"):
        index.edges(0)


# --------------------------------------------------------------------------------------- approximate search


@pytest.mark.kernels
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_scores_of_what_is_found_are_exact(
    real: Case, sparse_index: thresher.GraphIndex, best: thresher.Hits, everything: thresher.Hits, limits: Any
) -> None:
    hits = search(sparse_index, real.queries, **limits)
    assert 0 < recall(hits, best) < 1
    assert_among(hits, everything)


# ----------------------------------------------------------------------------------------- allowed documents


def denied(hits: thresher.Hits, allowed: Mask) -> int:
    return int(np.count_nonzero(~allowed[hits.ids[hits.ids >= 0]]))


def test_allowing_all_changes_nothing(real: Case, sparse_index: thresher.GraphIndex) -> None:
    for limits in LIMITS[:2]:
        everyone = search(sparse_index, real.queries, allowed=np.ones(N_REAL, np.bool_), **limits)
        assert same(everyone, search(sparse_index, real.queries, allowed=None, **limits))
        assert same(everyone, search(sparse_index, real.queries, **limits))


def test_allowing_none_finds_nothing(real: Case, real_index: thresher.GraphIndex) -> None:
    hits = search(real_index, real.queries, allowed=np.zeros(N_REAL, np.bool_))
    assert np.all(hits.ids == -1)
    assert np.all(np.isneginf(hits.scores))


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.3])
def test_of_few_allowed_all_the_best_are_found(real: Case, sparse_index: thresher.GraphIndex, share: float) -> None:
    # n_allowed**2 <= ef * m * n_docs: they are all scored, whatever the graph
    allowed = np.random.default_rng(1).random(N_REAL) < share
    hits = search(sparse_index, real.queries, allowed=allowed, ef=round(1200 * share + 10))
    assert same(hits, exhaustive(only(real.docs, allowed), real.queries))


def test_of_many_allowed_nearly_all_the_best_are_found(real: Case) -> None:
    index = build(real.docs, m=8, ef_construction=32)
    for share in (0.5, 0.7, 0.95):
        allowed = np.random.default_rng(1).random(N_REAL) < share
        ef = 20
        assert np.count_nonzero(allowed) ** 2 > ef * 8 * N_REAL  # and not by scoring all
        hits = search(index, real.queries, allowed=allowed, ef=ef)
        docs = only(real.docs, allowed)
        assert denied(hits, allowed) == 0
        assert 0.95 <= recall(hits, exhaustive(docs, real.queries)) < 1
        assert_among(hits, exhaustive(docs, real.queries, N_REAL))


def test_a_search_goes_on_until_it_has_enough_that_are_allowed(real: Case, sparse_index: thresher.GraphIndex) -> None:
    allowed = np.random.default_rng(2).random(N_REAL) < 0.25
    assert np.count_nonzero(allowed) ** 2 > 10 * 4 * N_REAL
    hits = search(sparse_index, real.queries, allowed=allowed, ef=10, entry_terms=1)
    assert np.all(hits.ids >= 0)
    assert denied(hits, allowed) == 0


def test_a_walk_goes_through_documents_that_are_not_allowed(real: Case) -> None:
    # Where a search may start, nothing is allowed: the only entry point of each of the query's terms.
    index = build(real.docs, m=8, ef_construction=32, entry_points=1)
    allowed = np.ones(N_REAL, np.bool_)
    queries = real.queries.rows(np.arange(12))
    for row in range(12):
        entries = slice(queries.indptr[row], queries.indptr[row + 1])
        terms, weights = queries.indices[entries], queries.data[entries]
        for term, weight in zip(terms, weights, strict=True):
            allowed[index.search_one([term], [weight], 1, ef=1).ids] = False
    exact = exhaustive(only(real.docs, allowed), queries)
    assert np.count_nonzero(allowed) ** 2 > 100 * 8 * N_REAL
    hits = search(index, queries, allowed=allowed, ef=100, entry_terms=1)
    assert denied(hits, allowed) == 0
    assert recall(hits, exact) > 0.8


CALLS = pytest.mark.parametrize(("call", "arguments"), [("search", (DOCS,)), ("search_one", ([0, 2], [1.0, 1.0]))])


@CALLS
def test_forms_of_allowed(call: str, arguments: Anything) -> None:
    index = thresher.GraphIndex.build(DOCS)
    mask = np.array([True, False, True, True, False])
    expected = getattr(index, call)(*arguments, 3, allowed=mask)
    assert {0, 3} <= set(expected.ids.ravel().tolist()) <= {0, 3, -1}
    readonly = mask.copy()
    readonly.flags.writeable = False
    twisted = np.zeros((5, 2), np.bool_, order="F")
    twisted[:, 0] = mask
    for form in (mask.tolist(), tuple(mask), np.repeat(mask, 3)[::3], mask[::-1].copy()[::-1], readonly, twisted[:, 0]):
        assert same(getattr(index, call)(*arguments, 3, allowed=form), expected)
    assert mask.tolist() == [True, False, True, True, False]


# ----------------------------------------------------------------------------------------- parameters and parts


def test_parameters_unless_said() -> None:
    assert thresher.GraphIndex.build(DOCS).params == {"m": 16, "ef_construction": 64, "entry_points": 32, "reorder": 1}
    many = sp.csr_array((40_000, 3), dtype=np.float32)  # a fifth of the square root
    assert thresher.GraphIndex.build(many, reorder=False).params["entry_points"] == 40


def test_nbytes_by_part(real: Case, real_index: thresher.GraphIndex, tmp_path: Path) -> None:
    sizes = real_index.nbytes
    assert set(sizes) == {"vocabulary", "forward", "order", "edges", "entries"}
    assert sizes["order"] == 2 * 4 * N_REAL  # and the way back
    real_index.save(tmp_path / "docs.thresher")
    sections = thresher.describe(tmp_path / "docs.thresher")["sections"]
    for part, size in sizes.items():
        assert size == sum(section["nbytes"] for section in sections if section["name"].split("/")[0] == part)
    assert sum(sizes.values()) == sum(section["nbytes"] for section in sections if section["name"] != "parameters")
    edges = graph(real_index).nnz
    assert 0 <= sizes["edges"] - 4 * (N_REAL + 1) - 64 - edges <= edges  # one byte or two for each
    assert "order" not in build(real.docs.rows(np.arange(200)), reorder=False).nbytes


def test_parameters_decide_the_size(real: Case, real_index: thresher.GraphIndex) -> None:
    small = build(real.docs, m=4, entry_points=2).nbytes
    assert small["edges"] < real_index.nbytes["edges"] / 2
    assert small["entries"] < real_index.nbytes["entries"] / 2
    assert small["forward"] == real_index.nbytes["forward"]
