"""The contract that every engine keeps, whichever way it searches."""

from __future__ import annotations

import inspect
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from engine_forms import DOCS, exact_of
from helpers import same
from reference import Collection, assert_exact
from strategies import Case, learned

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own


@pytest.fixture(scope="module")
def small() -> Case:
    return learned(800, 40, seed=3)


def build(engine: Engine, case: Case, **options: Any) -> Any:
    return engine.build(case.docs.triple, shape=case.docs.shape, **options)


def search(index: thresher.Index, case: Case, k: int = 10, **options: Any) -> thresher.Hits:
    return index.search(case.queries.triple, k, shape=case.queries.shape, **options)


# ------------------------------------------------------------------------------------------------------- hits


@pytest.mark.kernels
def test_exact_on_learned_vectors(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    assert_exact(search(index, small, **exact_of(engine.engine)[0]), small.docs, small.queries, 10)


def test_hits_are_best_first_with_ties_by_smaller_id(engine: Engine) -> None:
    hits = engine.build(DOCS).search(sp.csr_array(np.array([[1, 1, 1]], np.float32)), 4)
    assert isinstance(hits, thresher.Hits)
    assert hits.ids.tolist() == [[3, 1, 0, 4]]
    assert hits.scores.tolist() == [[4, 3.5, 3, 3]]


def test_hits_are_padded(engine: Engine) -> None:
    ids, scores = engine.build(DOCS).search(sp.csr_array(np.array([[1, 0, 0], [0, 0, 0]], np.float32)), 7)
    assert ids.dtype == np.int64
    assert scores.dtype == np.float32
    assert ids.tolist() == [[3, 0, 4, -1, -1], [-1] * 5]
    assert scores[0].tolist() == [4, 1, 1, *[-np.inf] * 2]
    assert np.all(np.isneginf(scores[1]))


def test_k_is_10_unless_said(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    assert index.search(small.queries.triple, shape=small.queries.shape).ids.shape == (40, 10)
    assert index.search_one([1], [1.0]).ids.shape == (10,)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (3, 1), (1, 1)])
def test_empty_collections(engine: Engine, shape: tuple[int, int], tmp_path: Path) -> None:
    index = engine.build(sp.csr_array(shape, dtype=np.float32))
    index.save(tmp_path / "empty.thresher")
    for one in (index, thresher.open(tmp_path / "empty.thresher")):
        assert (one.n_docs, one.n_terms, one.nnz, len(one)) == (shape[0], shape[1], 0, shape[0])
        for n_queries in (0, 1, 3):
            hits = one.search(sp.csr_array((n_queries, shape[1]), dtype=np.float32), 2)
            assert hits.ids.tolist() == [[-1] * min(2, shape[0])] * n_queries
            assert hits.scores.shape == (n_queries, min(2, shape[0]))
        assert one.search_one([], [], 3).ids.tolist() == [-1] * min(3, shape[0])
        assert one.vectors(np.arange(shape[0])).toarray().tolist() == np.zeros(shape).tolist()


def test_no_queries(engine: Engine) -> None:
    hits = engine.build(DOCS).search(sp.csr_array((0, 3), dtype=np.float32), 5)
    assert hits.ids.shape == hits.scores.shape == (0, 5)


def test_one_document(engine: Engine) -> None:
    index = engine.build(sp.csr_array(np.array([[0.5]], np.float32)))
    assert index.search(sp.csr_array(np.array([[2.0]], np.float32)), 2).ids.tolist() == [[0]]
    assert index.search_one([0], [-1.0], 1).ids.tolist() == [-1]


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array, sp.coo_array, sp.lil_array, sp.dok_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8])
def test_formats_and_dtypes(engine: Engine, container: Any, dtype: Any) -> None:
    docs = container(sp.csr_array(np.array([[1, 0, 2], [0, 3, 1]], dtype)))
    index = engine.build(docs)
    hits = index.search(docs, 2)
    assert hits.ids.tolist() == [[0, 1], [1, 0]]
    assert hits.scores.tolist() == [[5, 2], [10, 2]]


def test_float16_weights(engine: Engine) -> None:
    raw = np.array([0, 2]), np.array([0, 2], np.int64), np.array([0.5, 2], np.float16)
    assert engine.build(raw, shape=(1, 3)).search(raw, 1, shape=(1, 3)).scores.tolist() == [[4.25]]


def test_raw_triples_of_any_integer_type(engine: Engine) -> None:
    for dtype in (np.int32, np.uint32, np.int64, np.uint64, np.uint16):
        raw = np.array([0, 2, 3]).astype(np.int32), np.array([2, 0, 1]).astype(dtype), [2.0, 1.0, 3.0]
        assert engine.build(raw, shape=(2, 3)).search(raw, 1, shape=(2, 3)).ids.tolist() == [[0], [1]]


@pytest.mark.kernels
def test_search_one_equals_search(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    hits = search(index, small, 25)
    rng = np.random.default_rng(8)
    for row in range(small.queries.shape[0]):
        entries = rng.permutation(np.arange(small.queries.indptr[row], small.queries.indptr[row + 1]))
        terms, weights = small.queries.indices[entries], small.queries.data[entries]
        wide = terms.astype(np.int64), weights.astype(np.float64)
        for given in ((terms, weights), wide, (list(terms), list(weights))):
            one = index.search_one(*given, 25)
            assert one.ids.dtype == np.int64
            assert one.scores.dtype == np.float32
            assert one.ids.tobytes() == hits.ids[row].tobytes()
            assert one.scores.tobytes() == hits.scores[row].tobytes()


def test_search_one_adds_repeated_terms(engine: Engine) -> None:
    hits = engine.build(DOCS).search_one([1, 0, 1], [0.25, 1, 0.75], 3)
    assert hits.ids.tolist() == [3, 1, 0]
    assert hits.scores.tolist() == [4, 3, 1]


def test_strided_arrays(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    row = small.queries.rows([0])
    terms, weights = np.repeat(row.indices, 2), np.repeat(row.data, 2)
    plain, strided = (index.search_one(row.indices, row.data), index.search_one(terms[::2], weights[::2]))
    assert same(plain, strided)


# ------------------------------------------------------------------------------------ threads and determinism


def test_the_result_does_not_depend_on_threads(engine: Engine, small: Case, tmp_path: Path) -> None:
    files, hits = [], []
    for threads in (0, 1, 2, 3, 7):
        index = build(engine, small, threads=threads)
        index.save(tmp_path / f"{threads}.thresher")
        files.append((tmp_path / f"{threads}.thresher").read_bytes())
        hits.append(search(index, small, 50, threads=threads))
    assert all(file == files[0] for file in files)
    assert all(same(one, hits[0]) for one in hits)


def test_searching_twice_gives_the_same(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    first = search(index, small, 5)
    search(index, small, 800)
    index.search_one([0, 1], [-1.0, -1.0])
    assert same(search(index, small, 5), first)


def test_many_threads_search_one_index(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    expected = {k: search(index, small, k, threads=1) for k in (1, 10, 100)}
    single = [small.queries.rows([row]) for row in range(40)]
    start = threading.Barrier(8)

    def work(number: int) -> int:
        start.wait()
        agreed = 0
        for turn in range(12):
            k = (1, 10, 100)[(number + turn) % 3]
            agreed += same(search(index, small, k, threads=1 + turn % 3), expected[k])
            row = (number * 12 + turn) % 40
            one = index.search_one(single[row].indices, single[row].data, k)
            agreed += one.ids.tobytes() == expected[k].ids[row].tobytes()
        return agreed

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [24] * 8


@pytest.fixture
def other_thread() -> Iterator[list[int]]:
    """Count the rounds of a thread that runs only while this one lets go of the GIL."""
    rounds, stop = [0], threading.Event()
    source = os.open(os.devnull, os.O_RDONLY)

    def turn() -> None:
        while not stop.is_set():
            rounds[0] += 1
            os.read(source, 1)  # hands the GIL back: nobody is ever forced to

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=turn)
    sys.setswitchinterval(1000)
    thread.start()
    try:
        yield rounds
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join()
        os.close(source)


@pytest.mark.parametrize("call", ["build", "search", "search_one", "save", "open"])
def test_the_gil_is_released(engine: Engine, call: str, other_thread: list[int], tmp_path: Path) -> None:
    # Small enough that numpy itself has no reason to release the GIL.
    rng = np.random.default_rng(0)
    terms = np.sort(rng.permutation(300).reshape(2, 150)).ravel().astype(np.uint32)
    raw = np.array([0, 150, 300]), terms, np.ones(300, np.float32)
    index = engine.build(raw, shape=(2, 300))
    path = os.fspath(tmp_path / "gil.thresher")
    index.save(path)
    calls: dict[str, Callable[[], object]] = {
        "build": lambda: engine.build(raw, shape=(2, 300), threads=2),
        "search": lambda: index.search(raw, 1, shape=(2, 300), threads=1),
        "search_one": lambda: index.search_one(raw[1][:150], raw[2][:150]),
        "save": lambda: index.save(path),
        "open": lambda: thresher.open(path),
    }
    for _ in range(20_000):
        before = other_thread[0]
        calls[call]()
        if other_thread[0] != before:
            return
    pytest.fail(f"no other thread ran during 20,000 calls of {call}")


# ---------------------------------------------------------------------------------------- progress and errors


def backwards(rows: Collection) -> Collection:
    """Return the rows with their terms in descending order, which the library has to sort."""
    order = np.lexsort((-rows.indices.astype(np.int64), rows.row_of))
    return rows._replace(indices=rows.indices[order], data=rows.data[order])


@pytest.mark.parametrize("call", ["build", "search"])
@pytest.mark.parametrize("in_order", [True, False])
def test_progress_rises_from_0_to_the_number_of_rows(engine: Engine, small: Case, call: str, in_order: bool) -> None:
    calls: list[tuple[int, int]] = []
    thread = threading.get_ident()

    def progress(done: int, total: int) -> None:
        assert threading.get_ident() == thread
        calls.append((done, total))

    case = small if in_order else Case(backwards(small.docs), backwards(small.queries))
    if call == "build":
        build(engine, case, progress=progress)
    else:
        search(build(engine, small), case, progress=progress)
    n_rows = 800 if call == "build" else 40
    assert {total for _, total in calls} == {n_rows}
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert calls[-1] == (n_rows, n_rows)
    assert calls.count(calls[-1]) == 1  # all passes are counted, and no more


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError, MemoryError])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_progress_raises_comes_out(engine: Engine, small: Case, error: type[BaseException], threads: int) -> None:
    def fail(done: int, total: int) -> None:
        raise error("from progress")

    with pytest.raises(error, match="from progress"):
        build(engine, small, progress=fail, threads=threads)
    index = build(engine, small, threads=threads)
    before = search(index, small)
    with pytest.raises(error, match="from progress"):
        search(index, small, progress=fail, threads=threads)
    assert same(search(index, small), before)


def test_build_takes_parameters_by_keyword_alone(engine: Engine) -> None:
    parameters = list(inspect.signature(engine.build).parameters.values())
    assert parameters[0].name == "docs"
    assert {parameter.kind for parameter in parameters[1:]} == {inspect.Parameter.KEYWORD_ONLY}
    assert engine.build(DOCS).params.keys() <= {parameter.name for parameter in parameters[1:]}


def test_every_engine_is_listed_and_public(engine: Engine) -> None:
    assert issubclass(engine, thresher.Index)
    assert thresher.engines()[engine.engine] is engine
    assert getattr(thresher, engine.__name__) is engine
    thresher.engines().clear()
    assert thresher.engines()
