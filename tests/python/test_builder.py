"""Builder: what is built from parts is what would be built from the whole, for every engine."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import thresher
from helpers import expect
from reference import Collection
from strategies import Case, cases

Anything: TypeAlias = Any  # arguments that are wrong on purpose
Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))


def file_of(index: thresher.Index, folder: Path) -> bytes:
    index.save(folder / "docs.thresher")
    return (folder / "docs.thresher").read_bytes()


def whole(engine: Engine, docs: Collection, **params: Any) -> thresher.Index:
    index: thresher.Index = engine.build(docs.triple, shape=docs.shape, **params)
    return index


def in_parts(engine: Engine, docs: Collection, cuts: list[int]) -> thresher.Builder[Any]:
    """Return a builder to which the documents were added in parts, cut where it says."""
    builder = thresher.Builder(engine)
    edges = [0, *sorted(min(cut, docs.shape[0]) for cut in cuts), docs.shape[0]]
    for start, end in itertools.pairwise(edges):
        part = docs.rows(np.arange(start, end))
        assert builder.n_docs == start
        assert builder.add(part.triple, shape=part.shape) == range(start, end)
        assert builder.n_docs == end
    return builder


# ------------------------------------------------------------------------------------------ parts and the whole


@pytest.mark.parametrize("cuts", [[], [1], [0, 0, 100, 299], list(range(1, 300))], ids=len)
def test_parts_make_the_whole(engine: Engine, case: Case, cuts: list[int], tmp_path: Path) -> None:
    index = in_parts(engine, case.docs, cuts).freeze()
    assert type(index) is engine
    assert file_of(index, tmp_path) == file_of(whole(engine, case.docs), tmp_path)


@settings(max_examples=100)
@given(case=cases(), cuts=st.lists(st.integers(0, 300), max_size=5))
def test_parts_of_any_collection_make_the_whole(
    case: Case, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    index = in_parts(thresher.ExactIndex, case.docs, cuts).freeze(window=64)
    assert file_of(index, folder) == file_of(whole(thresher.ExactIndex, case.docs, window=64), folder)


def test_parameters_are_the_engines(case: Case, tmp_path: Path) -> None:
    params: dict[str, Any] = {"m": 3, "ef_construction": 9, "reorder": np.arange(300)[::-1], "threads": 2}
    index = in_parts(thresher.GraphIndex, case.docs, [40]).freeze(**params)
    assert (index.params["m"], index.params["ef_construction"]) == (3, 9)
    assert file_of(index, tmp_path) == file_of(whole(thresher.GraphIndex, case.docs, **params), tmp_path)
    calls: list[tuple[int, int]] = []
    in_parts(thresher.GraphIndex, case.docs, [40]).freeze(progress=lambda *call: calls.append(call))
    assert calls[-1] == (300, 300)


def test_a_builder_without_documents(engine: Engine, tmp_path: Path) -> None:
    nothing = sp.csr_array((0, 0), dtype=np.float32)
    builder = thresher.Builder(engine)
    assert builder.n_docs == 0
    assert file_of(builder.freeze(), tmp_path) == file_of(engine.build(nothing), tmp_path)
    builder = thresher.Builder(engine)
    assert builder.add(sp.csr_array((0, 7), dtype=np.float32)) == range(0)
    assert builder.add(sp.csr_array((2, 4), dtype=np.float32)) == range(2)
    index = builder.freeze()
    assert (index.n_docs, index.n_terms, index.nnz) == (2, 7, 0)


def test_the_widest_part_decides_the_number_of_terms(engine: Engine) -> None:
    builder = thresher.Builder(engine)
    for n_docs, width in enumerate((3, 7, 2**32 - 1, 5)):
        row = np.array([0, 1]), np.array([width - 1]), np.array([1 + n_docs])
        assert builder.add(row, shape=(1, width)) == range(n_docs, n_docs + 1)
    index = builder.freeze()
    assert (index.n_docs, index.n_terms, index.nnz) == (4, 2**32 - 1, 4)
    for doc, width in enumerate((3, 7, 2**32 - 1, 5)):
        assert index.search_one([width - 1], [1.0], 1).ids.tolist() == [doc]


def test_the_arrays_are_copied() -> None:
    raw = np.array([0, 2, 3]), np.array([0, 2, 1], np.uint32), np.array([1, 2, 3], np.float32)
    builder = thresher.Builder(thresher.ExactIndex)
    builder.add(raw, shape=(2, 3))
    for part, other in zip(raw, ([0, 1, 3], [2, 0, 1], [9, 8, 7]), strict=True):
        part[:] = other
    builder.add(raw, shape=(2, 3))
    index = builder.freeze()
    assert index.vectors(range(4)).toarray().tolist() == [[1, 0, 2], [0, 3, 0], [0, 0, 9], [8, 7, 0]]


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array, sp.coo_array, sp.lil_array, sp.dok_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8])
def test_formats_and_dtypes(container: Any, dtype: Any) -> None:
    builder = thresher.Builder(thresher.GraphIndex)
    builder.add(container(sp.csr_array(np.array([[1, 0, 2], [0, 3, 1]], dtype))))
    builder.add((np.array([0, 3]), np.array([2, 0, 2]), np.array([1, 5, 1], dtype)), shape=(1, 3))
    assert builder.freeze().vectors(range(3)).toarray().tolist() == [[1, 0, 2], [0, 3, 1], [5, 0, 2]]


# ------------------------------------------------------------------------------------------ what goes wrong


BAD: dict[str, tuple[Anything, type[Exception], list[str]]] = {
    "infinite": (np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, -np.inf, 1]]), ValueError, ["row 2", "-inf", "term 2"]),
    "nan": (np.array([[0, np.nan, 0, 0]]), ValueError, ["row 0", "nan", "term 1", "finite"]),
    "past float32": (np.array([[1, 0, 0, 1e300]]), ValueError, ["row 0", "1e+300", "term 3"]),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("before", [0, 1])
def test_a_bad_part_leaves_the_builder_as_it_was(engine: Engine, bad: str, before: int, tmp_path: Path) -> None:
    dense, error, words = BAD[bad]
    builder = thresher.Builder(engine)
    for _ in range(before):
        builder.add(DOCS)
    with expect(error, "docs", *words):
        builder.add(sp.csr_array(dense))
    assert builder.n_docs == 4 * before
    assert builder.add(DOCS) == range(4 * before, 4 * before + 4)
    expected = engine.build(sp.vstack([DOCS] * (before + 1), format="csr"))
    assert file_of(builder.freeze(), tmp_path) == file_of(expected, tmp_path)


def test_what_is_no_part() -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    raw = np.array([0, 1]), np.array([3]), np.ones(1, np.float32)
    for wrong in (None, 3, "docs", [[1.0]], np.ones((2, 3))):
        with expect(TypeError, "docs must be", "scipy.sparse", "got"):
            builder.add(wrong)
    with expect(ValueError, "docs", "row 0", "term 3", "[0, 3)"):
        builder.add(raw, shape=(1, 3))
    with expect(ValueError, "indptr has length 2", "3"):
        builder.add(raw, shape=(2, 4))
    with expect(ValueError, "threads must be from 0", "got -1"):
        builder.add(DOCS, threads=-1)
    with expect(TypeError, "threads must be a whole number", "str"):
        builder.add(DOCS, threads="all")  # type: ignore[arg-type]
    assert builder.n_docs == 0
    assert builder.freeze().n_terms == 0


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_the_first_of_several_bad_rows_is_named(threads: int) -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    dense = np.full((20_000, 3), 0.5, np.float32)
    builder.add(sp.csr_array(dense), threads=threads)
    dense[[4095, 4096, 19_000], 1] = np.inf
    with expect(ValueError, "docs: row 4095 has weight inf"):
        builder.add(sp.csr_array(dense), threads=threads)
    assert builder.n_docs == 20_000


def test_a_frozen_builder(engine: Engine) -> None:
    builder = thresher.Builder(engine)
    builder.add(DOCS)
    index = builder.freeze()
    with expect(ValueError, "the builder is frozen"):
        builder.freeze()
    with expect(ValueError, "the builder is frozen"):
        builder.add(DOCS)
    with expect(ValueError, "the builder is frozen"):
        _ = builder.n_docs
    del builder
    assert index.search_one([0], [1.0], 2).ids.tolist() == [3, 0]


def test_a_freeze_that_fails_keeps_the_documents(engine: Engine, tmp_path: Path) -> None:
    builder = thresher.Builder(engine)
    builder.add(DOCS)

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt("from progress")

    with pytest.raises(KeyboardInterrupt, match="from progress"):
        builder.freeze(progress=fail)
    with expect(ValueError, "threads must be from 0", "got 5000"):
        builder.freeze(threads=5000)
    with expect(TypeError, "speed"):
        builder.freeze(speed=9)
    assert builder.n_docs == 4
    assert builder.add(DOCS) == range(4, 8)
    expected = engine.build(sp.vstack([DOCS, DOCS], format="csr"))
    assert file_of(builder.freeze(), tmp_path) == file_of(expected, tmp_path)


def test_parameters_out_of_range_keep_the_documents() -> None:
    builder = thresher.Builder(thresher.GraphIndex)
    builder.add(DOCS)
    with expect(ValueError, "m must be from 1 to 256", "got 0"):
        builder.freeze(m=0)
    with expect(ValueError, "reorder: 5 documents", "there are 4"):
        builder.freeze(reorder=range(5))
    with pytest.raises(TypeError):
        builder.freeze(3)  # type: ignore[arg-type]
    assert builder.freeze(m=1).n_docs == 4


def test_an_engine_by_its_name(engine: Engine, tmp_path: Path) -> None:
    builder = thresher.Builder(engine.engine)
    builder.add(DOCS)
    index = builder.freeze()
    assert type(index) is engine
    assert file_of(index, tmp_path) == file_of(engine.build(DOCS), tmp_path)


def test_repr(engine: Engine) -> None:
    builder = thresher.Builder(engine)
    builder.add(sp.csr_array((1200, 3), dtype=np.float32))
    assert repr(builder) == f"<Builder: {engine.__name__}, 1,200 documents>"
    builder.freeze()
    assert repr(builder) == f"<Builder: {engine.__name__}, frozen>"


@pytest.mark.parametrize(
    "wrong", [None, "hnsw", "GraphIndex", 3, int, thresher.Index, thresher.GraphIndex.build(DOCS), list[int]], ids=repr
)
def test_what_is_no_engine(wrong: Anything) -> None:
    with expect(TypeError, "engine must be a class of index", "'exact', 'block-max'", repr(wrong)):
        thresher.Builder(wrong)


def test_no_attributes_can_be_added() -> None:
    with pytest.raises(AttributeError):
        thresher.Builder(thresher.ExactIndex).n_documents = 5  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        thresher.Builder(thresher.ExactIndex).n_docs = 5  # type: ignore[misc]


# ---------------------------------------------------------------------------------------- several at one builder


def test_nothing_is_added_during_a_freeze(engine: Engine, case: Case, tmp_path: Path) -> None:
    builder = in_parts(engine, case.docs, [100])
    calls: list[int] = []

    def meddle(done: int, total: int) -> None:
        calls.append(done)
        with expect(ValueError, "the builder is frozen"):
            builder.add(case.docs.triple, shape=case.docs.shape)
        with expect(ValueError, "the builder is frozen"):
            builder.freeze()

    index = builder.freeze(progress=meddle)
    assert calls
    assert file_of(index, tmp_path) == file_of(whole(engine, case.docs), tmp_path)


def test_threads_may_add_to_one_builder(case: Case) -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    start = threading.Barrier(4)

    def add(number: int) -> list[tuple[int, range]]:
        start.wait()
        added = []
        for turn in range(100):
            rows = (number * 70 + turn + np.arange(1 + turn % 20)) % 300
            part = case.docs.rows(rows)
            added.append((int(rows[0]), builder.add(part.triple, shape=part.shape, threads=1)))
        return added

    with ThreadPoolExecutor(4) as pool:
        added = [one for several in pool.map(add, range(4)) for one in several]
    n_docs = sum(len(ids) for _, ids in added)
    assert sorted(doc for _, ids in added for doc in ids) == list(range(n_docs))
    index = builder.freeze()
    assert index.n_docs == n_docs
    for first, ids in added:
        expected = case.docs.rows((first + np.arange(len(ids))) % 300)
        stored = index.vectors(np.array(ids))
        np.testing.assert_array_equal(stored.indices, expected.indices)
        np.testing.assert_array_equal(stored.data, expected.data)
