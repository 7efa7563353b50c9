"""Options of builds and searches, checked once."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import expect
from thresher import _core
from thresher.engines.index import SearchOptions

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))
COMMON = list(SearchOptions.__annotations__)


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
