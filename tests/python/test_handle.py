"""What an index tells of itself, and how it is closed."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pytest

import thresher
from engine_forms import DOCS
from helpers import same
from strategies import Case, learned

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own


@pytest.fixture(scope="module")
def small() -> Case:
    return learned(800, 40, seed=3)


def build(engine: Engine, case: Case) -> Any:
    return engine.build(case.docs.triple, shape=case.docs.shape)


def search(index: thresher.Index, case: Case, **options: Any) -> thresher.Hits:
    return index.search(case.queries.triple, 10, shape=case.queries.shape, **options)


def test_counts(engine: Engine) -> None:
    index = engine.build(DOCS)
    assert (index.n_docs, index.n_terms, index.nnz, len(index)) == (5, 3, 7, 5)
    assert bool(index)
    raw = np.array([0, 3, 3]), np.array([2, 0, 2]), np.array([1.0, 0.0, 1.0])
    assert engine.build(raw, shape=(2, 3)).nnz == 1  # duplicates summed, zeros dropped


def test_nbytes_by_part(engine: Engine, small: Case) -> None:
    sizes = build(engine, small).nbytes
    assert all(isinstance(part, str) and type(size) is int and size >= 0 for part, size in sizes.items())
    assert sizes["forward"] >= small.docs.data.size * 4


def test_params_are_numbers(engine: Engine) -> None:
    parameters = engine.build(DOCS).params.items()
    assert parameters or engine in (thresher.ImpactIndex, thresher.PostingsIndex)  # which are built in one way
    assert all(isinstance(name, str) and type(value) in (int, float) for name, value in parameters)


def test_repr(engine: Engine) -> None:
    index = engine.build(DOCS)
    assert repr(index) == f"<{engine.__name__}: 5 documents, 3 terms, 0.0 MB>"
    index.close()
    assert repr(index) == f"<{engine.__name__}: closed>"


def test_with_closes(engine: Engine) -> None:
    with engine.build(DOCS) as index:
        assert isinstance(index, engine)
        assert index.n_docs == 5
    with pytest.raises(ValueError, match="the index is closed"):
        index.search(DOCS)
    index.close()
    index.close()


def test_with_closes_after_an_error(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), engine.build(DOCS) as index:
        raise ZeroDivisionError
    assert "closed" in repr(index)


def test_closing_during_a_search_lets_it_finish(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    expected = search(index, small)
    closed = []

    def close(done: int, total: int) -> None:
        closed.append(done)
        index.close()

    assert same(search(index, small, progress=close), expected)
    assert closed
    with pytest.raises(ValueError, match="the index is closed"):
        search(index, small)


def test_no_attributes_can_be_added(engine: Engine) -> None:
    with pytest.raises(AttributeError):
        engine.build(DOCS).n_documents = 5
    with pytest.raises(AttributeError):
        engine.build(DOCS).n_docs = 5
