"""PostingsIndex, by each of its algorithms, against a float64 brute force and against ExactIndex."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import thresher
from helpers import same
from reference import Collection, assert_exact
from strategies import Case, cases, learned
from thresher.engines.postings import Algorithm

pytestmark = pytest.mark.kernels

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))

algorithms = st.sampled_from(ALGORITHMS)


def build(docs: Collection, **options: Any) -> thresher.PostingsIndex:
    return thresher.PostingsIndex.build(docs.triple, shape=docs.shape, **options)


@given(case=cases(), algorithm=algorithms, k=st.integers(1, 320), threads=st.integers(0, 3))
def test_equals_brute_force(case: Case, algorithm: Algorithm, k: int, threads: int) -> None:
    index = build(case.docs, threads=threads)
    hits = index.search(case.queries.triple, k, shape=case.queries.shape, threads=threads, algorithm=algorithm)
    assert_exact(hits, case.docs, case.queries, k)


@given(case=cases(most_docs=80), algorithm=algorithms, k=st.integers(1, 5))
def test_few_of_many_equal_brute_force(case: Case, algorithm: Algorithm, k: int) -> None:
    hits = build(case.docs).search(case.queries.triple, k, shape=case.queries.shape, algorithm=algorithm)
    assert_exact(hits, case.docs, case.queries, k)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("k", [1, 10, 1000])
def test_equals_exact_index_on_learned_vectors(algorithm: Algorithm, k: int) -> None:
    case = learned(20_000, 30, seed=7)
    exact = thresher.ExactIndex.build(case.docs.triple, shape=case.docs.shape)
    expected = exact.search(case.queries.triple, k, shape=case.queries.shape)
    hits = build(case.docs).search(case.queries.triple, k, shape=case.queries.shape, algorithm=algorithm)
    assert same(hits, expected)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_query_is_a_batch_of_one(algorithm: Algorithm, tmp_path: Path) -> None:
    case = learned(3000, 20, seed=8)
    index = build(case.docs)
    index.save(tmp_path / "f.thresher")
    opened = thresher.open(tmp_path / "f.thresher")
    assert isinstance(opened, thresher.PostingsIndex)
    whole = index.search(case.queries.triple, 10, shape=case.queries.shape, algorithm=algorithm)
    for row in range(case.queries.shape[0]):
        entries = slice(case.queries.indptr[row], case.queries.indptr[row + 1])
        terms, weights = case.queries.indices[entries], case.queries.data[entries]
        for one in (index, opened):
            hit = one.search_one(terms, weights, 10, algorithm=algorithm)
            np.testing.assert_array_equal(hit.ids, whole.ids[row])
            np.testing.assert_array_equal(hit.scores, whole.scores[row])


def test_unknown_algorithms_are_named() -> None:
    index = thresher.PostingsIndex.build(DOCS)
    wrong: Any
    for wrong in ("", "WAND", "bmw"):
        with pytest.raises(ValueError, match=f"algorithm must be one of 'auto', .*, got '{wrong}'"):
            index.search(DOCS, 1, algorithm=wrong)
        with pytest.raises(ValueError, match="algorithm must be one of"):
            index.search_one([0], [1.0], 1, algorithm=wrong)
    for wrong in (3, b"wand"):
        with pytest.raises(TypeError, match="algorithm must be a string, got"):
            index.search(DOCS, 1, algorithm=wrong)


def test_every_algorithm_of_the_annotation_exists_and_the_default_is_the_cores() -> None:
    index = thresher.PostingsIndex.build(DOCS)
    for algorithm in ALGORITHMS:
        assert index.search_one([0], [1.0], 2, algorithm=algorithm).ids.tolist() == [3, 0]
    for call in (thresher.PostingsIndex.search, thresher.PostingsIndex.search_one):
        assert inspect.signature(call).parameters["algorithm"].default is None


def test_nbytes_are_named_by_part() -> None:
    parts = thresher.PostingsIndex.build(DOCS).nbytes
    assert set(parts) == {"vocabulary", "forward", "quantiser", "blocks", "skips", "rare"}
    assert parts["rare"] == 5 * DOCS.nnz
