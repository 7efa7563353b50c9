"""Estimates against what indexes then take; of time, only how it is put together, since machines differ."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from strategies import codes, learned
from thresher._matrix import as_matrix
from thresher.tuning import estimate as _estimate
from thresher.tuning.estimate import Trial

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own
ENGINES = sorted(thresher.engines())


@pytest.fixture(scope="module")
def vectors() -> Any:
    case = learned(4000, 1, seed=4)
    return as_matrix(case.docs.triple, shape=case.docs.shape)


@pytest.fixture(scope="module")
def words() -> Any:
    """Few terms of many a document, as often as words are: most of them once or twice."""
    rng = np.random.default_rng(3)
    terms = np.minimum(rng.zipf(1.3, 40_000) - 1, 99_999).astype(np.int32)
    weights = rng.gamma(2.0, 1.0, 40_000).astype(np.float32)
    docs = sp.csr_array((weights, terms, np.arange(0, 40_001, 10)), shape=(4000, 100_000))
    docs.sum_duplicates()
    return docs


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let samples be a part of the documents, as they are of a large collection, and be built once."""
    monkeypatch.setattr(_estimate, "MAX_SAMPLED", 2000)
    monkeypatch.setattr(_estimate, "REPETITIONS", 1)


def total(index: thresher.Index) -> int:
    return sum(index.nbytes.values())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weights", ["float", "uint8", "uint8+float"])
@pytest.mark.parametrize("form", ["float16", "float32", "whole", "words"])
def test_bytes_of_each_part(
    engine: str, form: str, weights: Any, vectors: Any, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    docs = words if form == "words" else vectors.copy()
    if form == "float32":
        docs.data = docs.data * np.float32(1.001)
    elif form == "whole":
        docs.data = np.ceil(docs.data * 40).astype(np.float32)
    built = thresher.engines()[engine].build(docs, weights=weights)
    expected = thresher.estimate(docs, engine=engine, weights=weights)[engine]
    assert (expected.engine, expected.n_docs, expected.nnz) == (engine, 4000, built.nnz)
    sampled = engine in ("clustered", "graph")  # something of these is extrapolated from samples
    assert expected.total_bytes == pytest.approx(total(built), rel=0.04 if sampled else 0.012)
    assert expected.nbytes.keys() == built.nbytes.keys()
    counted = {"vocabulary", "quantiser", "order", "rows", "superblocks", "summaries", "tiles"}
    for part, size in built.nbytes.items():
        if part in counted:
            assert expected.nbytes[part] == pytest.approx(size, rel=0.01, abs=200), part
        assert abs(expected.nbytes[part] - size) <= 0.04 * total(built) + 200, part


@pytest.mark.parametrize("engine", ENGINES)
def test_bytes_of_more_documents_like_these(
    engine: str, vectors: Any, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    for docs in (vectors, words):
        built = thresher.engines()[engine].build(docs)
        expected = thresher.estimate(docs[:1350], engine=engine, n_docs=4000)[engine]
        assert expected.n_docs == 4000
        assert expected.total_bytes == pytest.approx(total(built), rel=0.15)


def test_time_grows_as_the_trials_say(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = [Trial(2500, 0.4, 0.2, {}), Trial(10_000, 1.0, 0.5, {})]
    growth = {name: kind.build_growth() for name, kind in thresher.engines().items()}

    def grown(engine: str, trials: list[Trial], n_docs: int) -> float:
        return _estimate._grown(growth[engine], trials, n_docs)

    assert grown("exact", trials, 10_000) == pytest.approx(1.0)
    assert grown("exact", trials, 110_000) == pytest.approx(1.0 + 100_000 * 0.6 / 7500)
    slow_start = [Trial(2500, 0.99, 1, {}), trials[1]]
    assert grown("exact", slow_start, 110_000) == pytest.approx(3.5)  # no less than a quarter of what each took
    assert grown("clustered", trials, 20_000) == pytest.approx(2 * (1 + growth["clustered"].doubling))
    assert grown("graph", trials, 40_000) == pytest.approx(
        4 * (1 + 2 * growth["graph"].doubling + 0.03 * growth["graph"].million)
    )
    assert grown("graph", trials, 10_000_000) > 3 * grown("graph", trials, 5_000_000), "nearly their square"
    times = {"cpu": iter([0.0, 2.0, 10.0, 12.0]), "wall": iter([0.0, 1.0, 10.0, 11.0])}
    monkeypatch.setattr(time, "process_time", lambda: next(times["cpu"]))
    monkeypatch.setattr(time, "perf_counter", lambda: next(times["wall"]))
    docs = sp.csr_array(np.eye(400, dtype=np.float32))
    expected = thresher.estimate(docs, engine="exact", n_docs=800)["exact"]
    assert expected.cpu_seconds == pytest.approx(2.0 + 1.0 * 2.0, rel=0.5)
    assert expected.build_seconds == pytest.approx(expected.cpu_seconds / 2)


def test_all_engines_by_name(vectors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    expected = thresher.estimate(vectors[:500])
    assert list(expected) == list(thresher.engines())
    assert all(one.build_seconds > 0 and one.cpu_seconds > 0 for one in expected.values())
    assert list(thresher.estimate(vectors[:500], engine=["impact", thresher.ExactIndex])) == ["impact", "exact"]
    one = expected["exact"]
    assert repr(one).startswith(f"<Estimate: exact, 500 documents, {one.total_bytes / 1e6:,.1f} MB, ")


def test_small_collections(engine: Engine) -> None:
    for docs in (np.eye(1), np.eye(3), np.array([[0.0, 0, 0], [0, 2, 1]]), np.ones((40, 2))):
        matrix = sp.csr_array(docs.astype(np.float32))
        expected = thresher.estimate(matrix, engine=engine)[engine.engine]
        assert expected.nnz == matrix.nnz
        assert expected.total_bytes > 0
        assert thresher.estimate(matrix, engine=engine, n_docs=10**6)[engine.engine].n_docs == 10**6


def test_what_is_wrong_is_told() -> None:
    docs = sp.csr_array(np.eye(3, dtype=np.float32))
    with pytest.raises(ValueError, match="docs: no document has a term"):
        thresher.estimate(sp.csr_array((3, 3), dtype=np.float32))
    for wrong in (0, -1, 2**31 + 1):
        with pytest.raises(ValueError, match=f"n_docs must be from 1 to 2\\*\\*31, got {wrong}"):
            thresher.estimate(docs, n_docs=wrong)
    with pytest.raises(ValueError, match="weights must be one of 'float', 'uint8', 'uint8\\+float', got 'int4'"):
        thresher.estimate(docs, weights="int4")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="engine must be a class of index"):
        thresher.estimate(docs, engine="hnsw")
    with pytest.raises(ValueError, match="weight inf"):
        thresher.estimate(sp.csr_array(np.array([[1.0, np.inf]], np.float32)))


def test_documents_without_weights() -> None:
    docs = np.arange(4), np.arange(3), np.zeros(3)
    with pytest.raises(ValueError, match="docs: no document has a term"):
        thresher.estimate(docs, shape=(3, 3))


@pytest.mark.parametrize("n_docs", [None, 6000])
def test_documents_of_negative_weights(n_docs: int | None) -> None:
    docs = codes(3000, 0, seed=1).docs
    for name, estimate in thresher.estimate(docs.triple, shape=docs.shape, n_docs=n_docs).items():
        if n_docs is None:
            index = thresher.engines()[name].build(docs.triple, shape=docs.shape)
            assert estimate.total_bytes == pytest.approx(sum(index.nbytes.values()), rel=0.05), name


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["disjoint", "shared", "same"])
def test_few_documents_of_many_terms_have_no_rows(engine: str, kind: str) -> None:
    rng = np.random.default_rng(5)
    n, terms, columns = 30, 4000, {"disjoint": 2_000_000, "shared": 8000, "same": 4000}[kind]
    indices = np.concatenate([np.sort(rng.choice(columns, terms, replace=False)) for _ in range(n)])
    weights = rng.random(n * terms, np.float32) + np.float32(0.1)
    docs = sp.csr_array((weights, indices, np.arange(n + 1) * terms), shape=(n, columns))
    nbytes = thresher.engines()[engine].build(docs).nbytes
    rows = sum(nbytes.get(part, 0) for part in ("rows", "superblocks", "summaries", "tiles", "groups"))
    assert rows + (nbytes["blocks"] if engine == "block-max" else 0) == 0
    expected = thresher.estimate(docs, engine=engine)[engine]
    assert expected.total_bytes == pytest.approx(sum(nbytes.values()), rel=0.04)


def test_few_nonzeros_in_many_columns_take_what_they_are() -> None:
    rng = np.random.default_rng(6)
    for columns in (2**31 - 1, 2**32 - 1):
        indices = np.sort(rng.choice(columns, 5000, replace=False)).astype(np.uint32)
        docs = (np.arange(501) * 10, indices, rng.random(5000, np.float32) + np.float32(0.1))
        tracemalloc.start()
        expected = thresher.estimate(docs, shape=(500, columns))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20e6
        for engine, one in expected.items():
            built = thresher.engines()[engine].build(docs, shape=(500, columns))
            assert one.total_bytes == pytest.approx(total(built), rel=0.04)
            assert one.total_bytes < 1e6
