"""PostingsIndex, by each of its algorithms, against a float64 brute force and against ExactIndex."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import thresher
from reference import Collection, assert_exact
from strategies import Case, cases
from thresher.engines.postings import Algorithm

pytestmark = pytest.mark.kernels

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))

algorithms = st.sampled_from(ALGORITHMS)


def build(docs: Collection, **options: Any) -> thresher.PostingsIndex:
    return thresher.PostingsIndex.build(docs.triple, shape=docs.shape, **options)


@given(
    case=cases(), algorithm=algorithms, k=st.one_of(st.integers(1, 5), st.integers(1, 320)), threads=st.integers(0, 3)
)
def test_equals_brute_force(case: Case, algorithm: Algorithm, k: int, threads: int) -> None:
    index = build(case.docs, threads=threads)
    hits = index.search(case.queries.triple, k, shape=case.queries.shape, threads=threads, algorithm=algorithm)
    assert_exact(hits, case.docs, case.queries, k)


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
