"""What every engine's build and search parameters owe: the same hits in every way to ask, and errors that name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from engine_forms import (
    DOCS,
    Engine,
    Options,
    build,
    builds_of,
    each,
    engines_that_take,
    exact_of,
    searches_of,
)
from helpers import Recorded, assert_among, exhaustive, expect, orders, same, search
from strategies import Case, topical

N_REAL = 1500


@pytest.fixture(scope="module")
def real() -> Case:
    return topical(N_REAL, 60, seed=21)


@pytest.fixture(scope="module")
def everything(real: Case) -> thresher.Hits:
    return exhaustive(real.docs, real.queries, N_REAL)


@pytest.fixture(scope="module")
def indexes(real: Case) -> dict[str, thresher.Index]:
    """Each engine's index, with every part that a search parameter needs."""
    return {name: build(engine, real.docs, **builds_of(name)[0]) for name, engine in thresher.engines().items()}


# ------------------------------------------------------------------------------------------ search parameters


@pytest.mark.kernels
@pytest.mark.parametrize(("engine", "params"), each(searches_of))
def test_a_search_is_the_same_however_it_is_asked(
    engine: Engine,
    params: Options,
    real: Case,
    indexes: dict[str, thresher.Index],
    everything: thresher.Hits,
    tmp_path: Path,
) -> None:
    index = indexes[engine.engine]
    hits = search(index, real.queries, 25, threads=1, **params)
    assert_among(hits, everything)
    for row in range(0, real.queries.shape[0], 3):
        entries = slice(real.queries.indptr[row], real.queries.indptr[row + 1])
        one = index.search_one(real.queries.indices[entries], real.queries.data[entries], 25, **params)
        assert one.ids.tobytes() == hits.ids[row].tobytes()
        assert one.scores.tobytes() == hits.scores[row].tobytes()
        assert bool(one.exact) == hits.exact[row]
    times = np.arange(600) % 60  # more queries than share a window, or a thread's marks tell apart
    for threads in (1, 2, 5):
        many = search(index, real.queries.rows(times), 25, threads=threads, **params)
        assert same(many, thresher.Hits(hits.ids[times], hits.scores[times]))
        np.testing.assert_array_equal(many.exact, hits.exact[times])
    index.save(tmp_path / "docs.thresher")
    for verify in (True, False):
        opened = thresher.open(tmp_path / "docs.thresher", verify=verify)
        assert type(opened) is engine
        again = search(opened, real.queries, 25, **params)
        assert same(again, hits)
        np.testing.assert_array_equal(again.exact, hits.exact)


@pytest.mark.parametrize(("engine", "options"), each(builds_of))
def test_hits_are_padded(engine: Engine, options: Options) -> None:
    index = engine.build(DOCS, **options)
    queries = sp.csr_array(np.array([[1, 0, 0], [0, 0, 0]], np.float32))
    for params in exact_of(engine.engine):
        ids, scores = index.search(queries, 7, **params)
        assert ids.tolist() == [[3, 0, 4, -1, -1], [-1] * 5]
        assert scores[0, :3].tolist() == [4, 1, 1]
        assert np.all(np.isneginf(scores[0, 3:]))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 0), (1, 3), (2, 3), (5, 0), (300, 1)])
def test_collections_without_weights(engine: Engine, shape: tuple[int, int], tmp_path: Path) -> None:
    for number, options in enumerate(builds_of(engine.engine)):
        index = engine.build(sp.csr_array(shape, dtype=np.float32), **options)
        index.save(tmp_path / f"{number}.thresher")
        for one in (index, thresher.open(tmp_path / f"{number}.thresher")):
            for params in searches_of(engine.engine) if number == 0 else exact_of(engine.engine):
                queries = sp.csr_array((2, shape[1]), dtype=np.float32)
                hits = one.search(queries, 2, **params)
                assert hits.ids.tolist() == [[-1] * min(2, shape[0])] * 2
                assert hits.exact.tolist() == [True, True]
            assert one.vectors(np.arange(shape[0])).shape == shape


@pytest.mark.parametrize("params", ["default", "given"])
def test_bad_queries(engine: Engine, params: str) -> None:
    index = engine.build(DOCS)
    given = {} if params == "default" else exact_of(engine.engine)[0]
    with expect(ValueError, "queries", "row 0", "nan", "term 1", "finite"):
        index.search(sp.csr_array(np.array([[0, np.nan, 1]], np.float32)), **given)
    with expect(ValueError, "queries", "3 terms"):
        index.search(sp.csr_array(np.array([[0, 0, 0, 1]], np.float32)), **given)
    with expect(TypeError, "queries"):
        index.search([[1.0, 0, 0]], **given)
    with expect(ValueError, "term 3"):
        index.search_one([3], [1.0], **given)
    with expect(ValueError, "k must be"):
        index.search_one([0], [1.0], 0, **given)
    index.close()
    with expect(ValueError, "the index is closed"):
        index.search(DOCS, **given)
    with expect(ValueError, "the index is closed"):
        index.search_one([0], [1.0], **given)


@pytest.mark.parametrize(("engine", "params"), each(searches_of))
def test_progress_of_a_search(engine: Engine, params: Options, real: Case, indexes: dict[str, thresher.Index]) -> None:
    progress = Recorded()
    many = real.queries.rows(np.arange(1200) % 60)
    before = search(indexes[engine.engine], many, progress=progress, **params)
    progress.assert_rises_to(1200)

    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError("from progress")

    with pytest.raises(ZeroDivisionError, match="from progress"):
        search(indexes[engine.engine], many, progress=fail, **params)
    assert same(search(indexes[engine.engine], many, **params), before)


# ------------------------------------------------------------------------------------------- build parameters


@pytest.mark.parametrize(("engine", "options"), each(builds_of))
def test_build_parameters_are_kept(engine: Engine, options: Options, tmp_path: Path) -> None:
    index = engine.build(DOCS, **options)
    index.save(tmp_path / "docs.thresher")
    assert index.params == thresher.open(tmp_path / "docs.thresher").params
    assert {name: index.params[name] for name in options} == options
    assert {name: type(value) for name, value in index.params.items()} == {
        name: type(value) for name, value in engine.build(DOCS).params.items()
    }
    again = engine.build(DOCS, **index.params)
    assert again.params == index.params


@pytest.mark.parametrize(("engine", "options"), each(builds_of))
@pytest.mark.parametrize("order", [0, 1, 2])
def test_threads_and_progress_of_a_build(
    engine: Engine, options: Options, order: int, real: Case, tmp_path: Path
) -> None:
    if any(engine is one.values[0] for one in engines_that_take("reorder")):
        options = options | {"reorder": orders(N_REAL, 1)[order]}
    elif order > 0:
        return  # it has one order
    files = []
    for threads in (1, 2, 5):
        progress = Recorded()
        index = build(engine, real.docs, threads=threads, progress=progress, **options)
        index.save(tmp_path / "docs.thresher")
        files.append((tmp_path / "docs.thresher").read_bytes())
        progress.assert_rises_to(N_REAL)
    assert files[0] == files[1] == files[2]


def test_nbytes_are_those_of_the_file(engine: Engine, indexes: dict[str, thresher.Index], tmp_path: Path) -> None:
    index = indexes[engine.engine]
    index.save(tmp_path / "docs.thresher")
    sections = thresher.describe(tmp_path / "docs.thresher")["sections"]
    assert sum(index.nbytes.values()) == sum(s["nbytes"] for s in sections if s["name"] != "parameters")


# ------------------------------------------------------------------------------------------ order of storage

ordered = pytest.mark.parametrize("engine", engines_that_take("reorder"))


@ordered
def test_the_order_changes_no_answer(engine: Engine, real: Case, tmp_path: Path) -> None:
    best = exhaustive(real.docs, real.queries, 50)
    wanted = np.random.default_rng(9).integers(0, N_REAL, 500)
    expected = real.docs.rows(wanted)
    for number, order in enumerate([*orders(N_REAL, 3), np.arange(N_REAL)[::-1]]):
        index = build(engine, real.docs, reorder=order)
        index.save(tmp_path / f"{number}.thresher")
        for one in (index, thresher.open(tmp_path / f"{number}.thresher")):
            for params in exact_of(engine.engine):
                assert same(search(one, real.queries, 50, **params), best)
            stored = one.vectors(wanted)
            np.testing.assert_array_equal(stored.indptr, expected.indptr)
            np.testing.assert_array_equal(stored.indices, expected.indices)
            np.testing.assert_array_equal(stored.data, expected.data)


@ordered
@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64, np.uint16])
def test_orders_of_any_integer_type(engine: Engine, dtype: Any) -> None:
    order = np.repeat(np.array([4, 2, 0, 1, 3], dtype), 2)[::2]  # strided
    for given in (order, order.tolist()):
        index = engine.build(DOCS, reorder=given)
        assert index.params["reorder"] == 1
        assert index.search_one([0, 2], [1.0, 1.0], 4).ids.tolist() == [3, 0, 4, 1]
        assert index.vectors([3]).toarray().tolist() == [[4, 0, 0]]


@ordered
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
        (2, (ValueError, TypeError), []),
        (None, (ValueError, TypeError), []),
        ("docs", (ValueError, TypeError), []),
        (np.arange(5.0), TypeError, ["document ids", "float64"]),
        ([True, False, True, False, True], TypeError, ["document ids", "bool"]),
        (list("abcde"), TypeError, ["document ids", "<U1"]),
    ],
    ids=str,
)
def test_what_is_no_order(engine: Engine, order: Any, error: Any, words: list[str]) -> None:
    with expect(error, "reorder", *words):
        engine.build(DOCS, reorder=order)


# -------------------------------------------------------------------------------------------------- ranges

# Of whole numbers: what is told of one out of range, and what is.
COUNTS: list[tuple[str, str, str, list[int]]] = [
    ("exact", "window", "must be a multiple of 64 from 64 to 65536", [0, 32, 65, 100, 65_600, -64, 2**31, -(2**40)]),
    *(
        (engine, name, "must be 4, 8, 16, 32 or 64, or 0 to choose", [1, 2, 3, 5, 12, 128, -4, 2**31, 2**32 + 4])
        for engine, name in (("block-max", "block_size"), ("clustered", "cluster_size"))
    ),
    ("clustered", "n_postings", "must be >= 0", [-1, -(2**63)]),
    ("clustered", "neighbours", "must be from 0 to 256", [-1, 257, 2**40]),
    ("graph", "m", "must be from 1 to 256", [0, 257, 2**32 + 1, 2**63 - 1, -(2**63)]),
    ("graph", "ef_construction", "must be from 1 to 65536", [0, 65_537, 2**32 + 1, 2**63 - 1, -(2**63)]),
    ("graph", "entry_points", "must be from 0 to 65536", [-1, 65_537, 2**32 + 1, 2**63 - 1, -(2**63)]),
]
# Of numbers: the range, and good ones at its ends.
FRACTIONS: list[tuple[str, str, str, list[float]]] = [
    ("exact", "row_density", "must be in (0, 1]", [0.0, -0.5, 1.01, np.nan, np.inf, -np.inf]),
    ("block-max", "bound_frequency", "must be in (0, 1]", [0.0, -0.5, 1.01, np.nan, np.inf, -np.inf]),
    ("block-max", "tile_frequency", "must be in (0, 1]", [0.0, -0.5, 1.01, np.nan, np.inf, -np.inf]),
    ("clustered", "dense_frequency", "must be in (0, 1]", [0.0, -0.5, 1.01, np.nan, np.inf, -np.inf]),
    ("clustered", "tile_frequency", "must be in (0, 1]", [0.0, -0.5, 1.01, np.nan, np.inf, -np.inf]),
    ("clustered", "summary_energy", "must be in (0, 1]", [0.0, -0.5, 1.01, np.nan, np.inf, -np.inf]),
    ("clustered", "group_frequency", "must be in (0, 1], or 0 to choose", [-0.5, 1.01, np.nan, np.inf]),
]


def named(engine: str) -> Engine:
    return thresher.engines()[engine]


@pytest.mark.parametrize(("engine", "name", "rule", "wrong"), COUNTS)
def test_build_counts_out_of_range(engine: str, name: str, rule: str, wrong: list[int]) -> None:
    for count in wrong:
        with expect(ValueError, f"{name} {rule}", f"got {count}"):
            named(engine).build(DOCS, **{name: count})
    for count in (2**63, -(2**70)):
        with expect(ValueError, name, f"got {count}"):
            named(engine).build(DOCS, **{name: count})
    for no_number in (4.0, "4", None):
        with expect(TypeError, f"{name} must be a whole number", type(no_number).__name__):
            named(engine).build(DOCS, **{name: no_number})


@pytest.mark.parametrize(("engine", "name", "rule", "wrong"), FRACTIONS)
def test_build_fractions_out_of_range(engine: str, name: str, rule: str, wrong: list[float]) -> None:
    for fraction in wrong:
        with expect(ValueError, f"{name} {rule}", "got"):
            named(engine).build(DOCS, **{name: fraction})
    for no_number in ("0.5", None, [0.5]):
        with expect(TypeError, f"{name} must be a", type(no_number).__name__):
            named(engine).build(DOCS, **{name: no_number})
    assert isinstance(named(engine).build(DOCS, **{name: 1}).params[name], float)


SEARCH_COUNTS = [
    *(("block-max", name) for name in ("block_budget", "superblock_budget")),
    *(("clustered", name) for name in ("query_cut", "cluster_budget", "group_budget", "refine")),
    *(("graph", name) for name in ("ef", "entry_terms")),
    *(("impact", name) for name in ("postings_budget", "rescored")),
]
SEARCH_NUMBERS: list[tuple[str, str, str, list[float], list[Any]]] = [
    ("block-max", "alpha", "must be in (0, 1]", [0, 0.0, -0.5, 1.5, np.nan, np.inf], [1, True]),
    ("block-max", "beta", "must be in (0, 1]", [0, 0.0, -0.5, 1.5, np.nan, np.inf], [1, True]),
    ("clustered", "heap_factor", "must be in (0, 1]", [0, 0.0, -0.5, 1.5, np.nan, np.inf], [1, True]),
    ("graph", "early_stop", "must be in [0, 1]", [-0.5, -1e-9, 1.5, np.nan, np.inf, -np.inf], [0, 1, 5e-324]),
    ("impact", "deadline_us", "must be >= 0", [-0.5, -1e-9, np.nan, -np.inf], [0, 10**9, np.float32(1e9), np.inf]),
]
CALLS = pytest.mark.parametrize(("call", "arguments"), [("search", (DOCS,)), ("search_one", ([0, 2], [1.0, 1.0]))])


@CALLS
@pytest.mark.parametrize(("engine", "name"), SEARCH_COUNTS)
def test_search_counts_out_of_range(engine: str, name: str, call: str, arguments: Any) -> None:
    ask = getattr(named(engine).build(DOCS, **builds_of(engine)[0]), call)
    for count in (-1, -(2**63)):
        with expect(ValueError, f"{name} must be >= 0", f"got {count}"):
            ask(*arguments, **{name: count})
    for count in (2**63, -(2**63) - 1, 10**30):
        with expect(ValueError, f"{name} is out of range", f"got {count}"):
            ask(*arguments, **{name: count})
    for no_number in (1.0, "1", [1]):
        with expect(TypeError, f"{name} must be a whole number", type(no_number).__name__):
            ask(*arguments, **{name: no_number})
    for good in (2**63 - 1, 2**64 // 3 + 1, 0, np.int8(9)):  # a product of the second with 3 wraps
        assert same(ask(*arguments, 3, **{name: good}), ask(*arguments, 3))


@CALLS
@pytest.mark.parametrize(("engine", "name", "rule", "wrong", "good"), SEARCH_NUMBERS)
def test_search_numbers_out_of_range(
    engine: str, name: str, rule: str, wrong: list[float], good: list[Any], call: str, arguments: Any
) -> None:
    ask = getattr(named(engine).build(DOCS), call)
    for number in wrong:
        with expect(ValueError, f"{name} {rule}", "got"):
            ask(*arguments, **{name: number})
    for no_number in ("x", b"1", [0.5]):
        with expect(TypeError, f"{name} must be a number", type(no_number).__name__):
            ask(*arguments, **{name: no_number})
    for number in good:
        assert ask(*arguments, 3, **{name: number}).ids.size
