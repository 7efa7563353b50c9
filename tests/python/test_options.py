"""Options of builds and searches: stated once, checked once, and written out for readers."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import expect, same
from thresher import _core
from thresher.engines.index import BuildOptions, SearchOptions

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))
COMMON = list(SearchOptions.__annotations__)


def options_of(method: Any) -> list[str]:
    """Return the keywords that a method's signature names."""
    parameters = inspect.signature(method).parameters.values()
    return [one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]


# ------------------------------------------------------------------------------------------------ what is stated


def test_an_engine_states_the_options_that_its_core_has(engine: Engine) -> None:
    index = engine.build(DOCS)
    for method in (engine.search, engine.search_one):
        assert options_of(method) == [*COMMON, *index.search_params]
    assert sorted(options_of(engine.build)) == sorted([*BuildOptions.__annotations__, *index.params])


def test_what_is_documented_is_what_is_stated(engine: Engine) -> None:
    for method in (engine.build, engine.search, engine.search_one):
        text = inspect.getdoc(method) or ""
        for name in options_of(method):
            assert text.count(f"\n{name}\n    ") == 1, name
        assert "**options" not in text
        assert all(text.count(f"\n{section}\n---") == 1 for section in ("Parameters", "Returns", "Raises"))
        assert method.__name__ in pydoc.render_doc(method)


def test_defaults_of_builds_are_the_cores(engine: Engine) -> None:
    params = getattr(_core, f"{engine.__name__.removesuffix('Index')}Params", object)()
    parameters = inspect.signature(engine.build).parameters
    for name in set(options_of(engine.build)) - set(BuildOptions.__annotations__):
        assert parameters[name].default == getattr(params, name)


def test_a_subclass_may_name_its_options_itself() -> None:
    class Mine(thresher.ExactIndex):
        def search(self, queries: Any, k: Any = 10, *, often: int = 1, **options: Any) -> thresher.Hits:
            """Search for more."""
            return super().search(queries, int(k) * often, **options)

        def search_one(self, terms: Any, weights: Any = None, k: Any = 10) -> thresher.Hits:  # type: ignore[override]
            """Search once."""
            return super().search_one(terms, weights, k)

    index = Mine.build(DOCS)
    assert type(index) is Mine
    assert index.search(DOCS, 1, often=2, threads=1).ids.shape == (4, 2)
    assert index.search_one([0], [1.0], 1).ids.tolist() == [3]
    assert inspect.getdoc(Mine.search_one) == "Search once."


# -------------------------------------------------------------------------------------------- what is given


def test_options_that_there_are_not(engine: Engine) -> None:
    index = engine.build(DOCS)
    name = engine.__name__
    with expect(TypeError, f"{name}.build has no option 'thread'; it has shape, threads, progress"):
        engine.build(DOCS, thread=2)
    with expect(
        TypeError, f"{name}.search has no option 'top_k'; it has shape, threads, progress", *index.search_params
    ):
        index.search(DOCS, top_k=2)
    with expect(TypeError, f"{name}.search_one has no option 'window'; it has shape, threads, progress"):
        index.search_one([0], [1.0], window=64)


@pytest.mark.parametrize("wrong", [3, "bar", True])
def test_progress_that_cannot_be_called(wrong: Any, engine: Engine) -> None:
    index = engine.build(DOCS)
    message = f"progress must be callable, as progress(done, total), got {type(wrong).__name__}"
    with expect(TypeError, message):
        engine.build(DOCS, progress=wrong)
    with expect(TypeError, message):
        index.search(DOCS, progress=wrong)
    with expect(TypeError, message):
        index.search_one([0], [1.0], progress=wrong)
    builder = thresher.Builder(engine)
    builder.add(DOCS)
    with expect(TypeError, message):
        builder.freeze(progress=wrong)
    assert builder.n_docs == 4


def test_bools_are_no_whole_numbers(engine: Engine) -> None:
    index = engine.build(DOCS)
    for wrong in (True, np.False_):
        with expect(TypeError, "k must be a whole number, got bool"):
            index.search(DOCS, wrong)
        with expect(TypeError, "threads must be a whole number, got bool"):
            engine.build(DOCS, threads=wrong)
        with expect(TypeError, "terms must be whole numbers, got dtype bool"):
            index.search_one(np.array([wrong]), [1.0])


def test_one_query_takes_the_options_of_batches(engine: Engine) -> None:
    index = engine.build(DOCS)
    expected = index.search_one([0, 2], [1.0, 1.0], 3)
    row = sp.csr_array(np.array([[1, 0, 1]], np.float32))
    triple = row.indptr, row.indices, row.data
    for hits in (
        index.search_one([0, 2], [1.0, 1.0], 3, threads=2, progress=lambda *_: None),
        index.search_one([2, 0], [1.0, 1.0], 3, shape=(1, 3)),
        index.search_one({0: 1.0, 2: 1.0}, k=3, shape=(1, 3)),
        index.search_one(triple, k=3, shape=(1, 3)),
        index.search_one(row, k=3, threads=1),
    ):
        assert same(hits, expected)
        assert hits.exact.shape == ()
    with expect(ValueError, "search_one takes one query, got 2"):
        index.search_one((np.array([0, 1, 3]), np.array([0, 1, 2]), np.ones(3)), shape=(2, 3))
    with expect(TypeError, "threads must be a whole number"):
        index.search_one([0], [1.0], threads="all")


# ------------------------------------------------------------------------------------------- one query, one object


ROW = np.array([[1, 0, 0.5]], np.float32)
QUERIES: dict[str, Any] = {
    "dict": {0: 1.0, 2: 0.5},
    "dict of numpy numbers": {np.int32(2): np.float64(0.5), np.uint32(0): np.int8(1)},
    "csr array": sp.csr_array(ROW),
    "csr matrix": sp.csr_matrix(ROW.astype(np.float64)),
    "coo": sp.coo_array(ROW),
    "dok": sp.dok_matrix(ROW),
    "one dimension": sp.coo_array(ROW[0]),
    "narrower": sp.csr_array(([0.5, 1.0], ([0, 0], [2, 0])), shape=(1, 3)),
    "wider, and nothing there": sp.csr_array(([0.5, 1.0], ([0, 0], [2, 0])), shape=(1, 30)),
}


@pytest.mark.parametrize("kind", QUERIES)
def test_one_query_in_one_object(kind: str, engine: Engine) -> None:
    index = engine.build(DOCS)
    expected = index.search_one([0, 2], [1.0, 0.5], 3)
    assert same(index.search_one(QUERIES[kind], k=3), expected)
    assert index.search_one(QUERIES[kind]).ids.shape == (4,)
    assert same(thresher.Hits(*(part[0] for part in index.search([QUERIES[kind]], 3))), expected)
    assert index.search_one({}, k=1).ids.tolist() == [-1]


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        (sp.csr_array((2, 3)), ValueError, ["the query must be one row, got shape (2, 3)"]),
        (sp.csr_array((0, 3)), ValueError, ["the query must be one row, got shape (0, 3)"]),
        (ROW[0], TypeError, ["search_one takes terms and weights", "got numpy.ndarray", "csr_array"]),
        (ROW, TypeError, ["search_one takes terms and weights", "got numpy.ndarray", "csr_array"]),
        ([0, 2], TypeError, ["search_one takes terms and weights", "got list of 2", "int", "need their weights"]),
        ([(0, 1.0), (2, 0.5)], TypeError, ["got list of 2, the first of them tuple", "dict(pairs)"]),
        ([[1], [2, 3]], TypeError, ["got list of 2, the first of them list"]),
        ([], TypeError, ["search_one takes terms and weights", "got list of 0"]),
        (np.zeros(0), TypeError, ["search_one takes terms and weights", "got numpy.ndarray"]),
        ([1.0, 0.0, 2.0], TypeError, ["search_one takes terms and weights", "got list of 3", "csr_array"]),
        ("a text", TypeError, ["search_one takes terms and weights", "got str", "encode"]),
        (None, TypeError, ["search_one takes terms and weights", "got NoneType"]),
        (3, TypeError, ["search_one takes terms and weights", "got int"]),
        ({"cat": 1.0}, TypeError, ["the query has the term 'cat'", "whole numbers", "vocabulary"]),
        ({0: "x"}, TypeError, ["the query has a str as the weight of term 0: 'x'"]),
        ({3: 1.0}, ValueError, ["row 0", "term 3", "3 terms"]),
        ({-1: 1.0}, ValueError, ["terms: -1 is not in [0, 2**32)"]),
        ({0: float("inf")}, ValueError, ["weight inf for term 0"]),
        ({0: 1e300}, ValueError, ["weights: 1e+300 is beyond float32"]),
    ],
    ids=str,
)
def test_what_is_no_query(query: Any, error: type[Exception], words: list[str], engine: Engine) -> None:
    with expect(error, *words):
        engine.build(DOCS).search_one(query)


def test_k_where_weights_belong(engine: Engine) -> None:
    index = engine.build(DOCS)
    for query in ({0: 1.0}, sp.csr_array(ROW)):
        with expect(TypeError, "weights", "k goes by keyword", "search_one(query, k=5)"):
            index.search_one(query, 5)


# ------------------------------------------------------------------------------------------------- constructing


@pytest.mark.parametrize("arguments", [(), (DOCS,), (None,), ("docs.thresher",), (DOCS, 3), (_core,)], ids=str)
def test_an_index_is_built_not_constructed(arguments: tuple[Any, ...], engine: Engine) -> None:
    with expect(TypeError, f"{engine.__name__}.build(docs)", "thresher.open(path)"):
        engine(*arguments)
    with expect(TypeError, f"{engine.__name__}.build(docs)", "thresher.open(path)"):
        engine(*arguments, threads=2)
    with expect(TypeError, "ExactIndex.build(docs)", "thresher.open(path)"):
        thresher.Index(*arguments)


def test_the_handle_of_another_engine() -> None:
    handle = thresher.GraphIndex.build(DOCS)._handle
    assert thresher.GraphIndex(handle).n_docs == 4
    with expect(TypeError, "ExactIndex.build(docs)"):
        thresher.ExactIndex(handle)


def test_the_base_class_has_no_build() -> None:
    with expect(NotImplementedError, "Index has no build", "thresher.engines()"):
        thresher.Index.build(DOCS)


def test_numbers_beyond_float64() -> None:
    index = thresher.BlockMaxIndex.build(DOCS)
    with expect(ValueError, "alpha must be finite, got a whole number beyond float64"):
        index.search(DOCS, alpha=10**400)
