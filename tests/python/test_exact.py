"""ExactIndex against a float64 brute force."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import thresher
from reference import Collection, assert_exact
from strategies import Case, cases, learned

pytestmark = pytest.mark.kernels

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))


def build(docs: Collection, **options: Any) -> thresher.ExactIndex:
    return thresher.ExactIndex.build(docs.triple, shape=docs.shape, **options)


def check(index: thresher.Index, docs: Collection, queries: Collection, k: int, threads: int = 1) -> None:
    assert_exact(index.search(queries.triple, k, shape=queries.shape, threads=threads), docs, queries, k)


windows = st.sampled_from([64, 128, 192, 1024, 4096])
densities = st.sampled_from([0.01, 0.1, 0.3, 1.0])


# ------------------------------------------------------------------------------------ against the brute force


@given(
    case=cases(),
    window=windows,
    row_density=densities,
    k=st.one_of(st.integers(1, 5), st.integers(1, 320)),
    threads=st.integers(0, 3),
)
def test_equals_brute_force(case: Case, window: int, row_density: float, k: int, threads: int) -> None:
    index = build(case.docs, window=window, row_density=row_density, threads=threads)
    check(index, case.docs, case.queries, k, threads)


@given(case=cases(most_docs=100))
def test_vectors_are_the_documents(case: Case) -> None:
    index = build(case.docs, window=64)
    queries = case.docs
    stored = index.vectors(np.arange(case.docs.shape[0]))
    assert stored.has_sorted_indices
    assert np.all(stored.data != 0)
    assert stored.nnz == index.nnz
    for row in range(queries.shape[0]):
        entries = slice(queries.indptr[row], queries.indptr[row + 1])
        terms, places = np.unique(queries.indices[entries], return_inverse=True)
        weights = np.zeros(terms.size, np.float32)
        np.add.at(weights, places, queries.data[entries])
        got = slice(stored.indptr[row], stored.indptr[row + 1])
        np.testing.assert_array_equal(stored.indices[got], terms[weights != 0])
        np.testing.assert_allclose(stored.data[got], weights[weights != 0], rtol=1e-6)


@pytest.fixture(scope="module")
def real() -> Case:
    return learned(5000, 60, seed=20)


@pytest.fixture(scope="module")
def real_index(real: Case) -> thresher.ExactIndex:
    return build(real.docs)


@pytest.mark.parametrize("k", [10, 100, 1000])
def test_learned_vectors(real: Case, real_index: thresher.ExactIndex, k: int) -> None:
    frequencies = np.bincount(real.docs.indices, minlength=real.docs.shape[1])
    assert 110 < real.docs.data.size / 5000 < 130
    assert frequencies.max() > 500  # rows, lists and rare terms all occur
    assert np.count_nonzero((frequencies > 0) & (frequencies < 4)) > 100
    check(real_index, real.docs, real.queries, k)


# -------------------------------------------------------------------------------------------- what is special


def test_parameters_unless_said() -> None:
    defaults = inspect.signature(thresher.ExactIndex.build).parameters
    params = thresher.ExactIndex.build(DOCS).params
    assert params == {name: defaults[name].default for name in ("window", "row_density")}


def test_bytes_for_each_nonzero(real: Case, real_index: thresher.ExactIndex) -> None:
    small = learned(800, 40, seed=3).docs
    assert sum(build(small).nbytes.values()) < small.data.size * 16 + 2**20
    assert sum(real_index.nbytes.values()) < real.docs.data.size * 11 + 2**20


def test_rows_take_over_as_row_density_falls(real: Case) -> None:
    rows = [build(real.docs, row_density=density).nbytes["rows"] for density in (1.0, 0.1, 0.02)]
    assert rows[0] < rows[1] < rows[2]
