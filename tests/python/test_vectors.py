"""The vectors that an index gives back."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

from strategies import Case, learned

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own


@pytest.fixture(scope="module")
def small() -> Case:
    return learned(800, 40, seed=3)


def build(engine: Engine, case: Case) -> Any:
    return engine.build(case.docs.triple, shape=case.docs.shape)


@pytest.mark.kernels
def test_vectors(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    wanted = np.array([799, 0, 5, 5])
    stored = index.vectors(wanted)
    expected = small.docs.rows(wanted)
    assert isinstance(stored, sp.csr_array)
    assert stored.dtype == np.float32
    assert stored.shape == expected.shape
    np.testing.assert_array_equal(stored.indptr, expected.indptr)
    np.testing.assert_array_equal(stored.indices, expected.indices)
    np.testing.assert_array_equal(stored.data, expected.data)
    assert index.vectors([]).shape == (0, small.docs.shape[1])
    assert index.vectors(np.array([3], np.uint8)).shape[0] == 1
