"""Everything that the input may have wrong: an exception that names the argument, the row and the value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import same

Anything: TypeAlias = Any  # arguments that are wrong on purpose

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))


def altered(row: int, term: int, weight: float) -> Anything:
    dense = np.full((6, 4), 0.5, np.float32)
    dense[row, term] = weight
    return sp.csr_array(dense)


def expect(error: type[Exception], *words: str) -> Anything:
    """Expect an exception whose message holds the words in this order."""
    return pytest.raises(error, match=".*".join(re.escape(word) for word in words))


@pytest.mark.parametrize("weight", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(weight: float, engine: Anything) -> None:
    bad = altered(4, 2, weight)
    with expect(ValueError, "docs", "row 4", f"weight {weight}", "term 2", "finite"):
        engine.build(bad)
    index = engine.build(altered(0, 0, 1))
    with expect(ValueError, "queries", "row 4", f"weight {weight}", "term 2", "finite"):
        index.search(bad)
    with expect(ValueError, f"weight {weight}", "term 3", "finite"):
        index.search_one([1, 3], [1.0, weight])


@pytest.mark.parametrize("bad_rows", [(0, 8191), (4095, 4096), (4095, 4096, 8191, 8192)])
def test_the_first_of_several_bad_rows_is_named(engine: Anything, bad_rows: tuple[int, ...]) -> None:
    # Far into one thread's part, and early in another's: whichever is found first, the same one is named.
    dense = np.full((20_000, 3), 0.5, np.float32)
    dense[bad_rows, 1] = np.inf
    docs = sp.csr_array(dense)
    for turn in range(60):
        with expect(ValueError, f"docs: row {bad_rows[0]} has weight inf"):
            engine.build(docs, threads=1 + turn % 3)


def test_weights_that_overflow_float32(engine: Anything) -> None:
    with expect(ValueError, "docs", "row 0", "weight 1e+300", "term 1"):
        engine.build(sp.csr_array(np.array([[1.0, 1e300]])))
    index = engine.build(DOCS)
    with expect(ValueError, "queries", "row 0", "weight 1e+300", "term 1"):
        index.search(sp.csr_array(np.array([[1.0, 1e300]])))
    with expect(ValueError, "weight"):
        index.search_one([1], np.array([1e300]))


def test_duplicates_whose_sum_overflows_float32(engine: Anything) -> None:
    twice = np.array([0, 0, 2]), np.array([1, 1]), np.array([3e38, 3e38], np.float32)
    with expect(ValueError, "docs", "row 1", "term 1", "overflow"):
        engine.build(twice, shape=(2, 3))


@pytest.mark.parametrize("dtype", [np.complex64, np.object_, "U3"])
def test_weights_of_a_wrong_dtype(dtype: Anything, engine: Anything) -> None:
    raw = np.array([0, 1]), np.array([0]), np.array([1]).astype(dtype)
    with expect(TypeError, "docs", "weights must be real numbers", str(np.dtype(dtype))):
        engine.build(raw, shape=(1, 1))
    with expect(TypeError, "queries", "weights must be real numbers", str(np.dtype(dtype))):
        engine.build(DOCS).search(raw, shape=(1, 1))
    with expect(TypeError, "weights must be real numbers"):
        engine.build(DOCS).search_one([0], raw[2])


def test_term_ids_of_a_wrong_dtype(engine: Anything) -> None:
    raw = np.array([0, 1]), np.array([0.5]), np.array([1.0])
    with expect(TypeError, "docs", "indices must be integers", "float64"):
        engine.build(raw, shape=(1, 1))
    with expect(TypeError, "terms must be whole numbers", "float64"):
        engine.build(DOCS).search_one([0.5], [1.0])


@pytest.mark.parametrize("bad", [None, 3, "docs", [[1.0, 2.0]], np.ones((2, 3)), {}])
def test_what_is_no_sparse_matrix(bad: Anything, engine: Anything) -> None:
    with expect(TypeError, "docs must be", "scipy.sparse", "got"):
        engine.build(bad)
    with expect(TypeError, "queries must be", "scipy.sparse", "got"):
        engine.build(DOCS).search(bad)


def test_term_ids_out_of_range(engine: Anything) -> None:
    for term in (3, -1, 2**40):
        raw = np.array([0, 0, 1]), np.array([term]), np.ones(1, np.float32)
        with expect(ValueError, "docs", "row 1", f"term {term}", "[0, 3)"):
            engine.build(raw, shape=(2, 3))
        with expect(ValueError, "queries", "row 1", f"term {term}", "[0, 3)"):
            engine.build(DOCS).search(raw, shape=(2, 3))


def test_a_decreasing_indptr_names_the_row(engine: Anything) -> None:
    raw = np.array([0, 2, 1, 3]), np.array([0, 1, 2]), np.ones(3, np.float32)
    with expect(ValueError, "docs", "indptr", "row 1", "2", "1"):
        engine.build(raw, shape=(3, 3))
    negative = np.array([0, -5, 3]), np.array([0, 1, 2]), np.ones(3, np.float32)
    with expect(ValueError, "queries", "indptr", "row 0", "-5"):
        engine.build(DOCS).search(negative, shape=(2, 3))


@pytest.mark.parametrize(
    ("indptr", "words"),
    [
        ([1, 3], ["indptr[0] must be 0", "1"]),
        ([0, 2], ["indptr[-1] is 2", "3"]),
        ([0, 4], ["indptr[-1] is 4", "3"]),
        ([0, 1, 3], ["indptr has length 3", "2"]),
        ([], ["indptr has length 0", "2"]),
    ],
)
def test_an_indptr_that_does_not_fit(indptr: list[int], words: list[str], engine: Anything) -> None:
    raw = np.array(indptr, np.int64), np.array([0, 1, 2]), np.ones(3, np.float32)
    with expect(ValueError, "docs", *words):
        engine.build(raw, shape=(1, 3))


def test_too_many_rows_and_terms(engine: Anything) -> None:
    nothing = np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0, np.float32)
    with expect(ValueError, "docs", "rows", str(2**31 + 1)):
        engine.build(nothing, shape=(2**31 + 1, 3))
    with expect(ValueError, "docs", "terms", str(2**32)):
        engine.build(nothing, shape=(0, 2**32))


def test_queries_wider_than_the_index(engine: Anything) -> None:
    index = engine.build(DOCS)
    for term in (3, 7, 2**32 - 2):
        with expect(ValueError, "queries", "row 1", f"term {term}", "3 terms"):
            index.search((np.array([0, 1, 2]), np.array([2, term]), np.ones(2)), shape=(2, term + 1))
    with expect(ValueError, "row 0", "term 3", "3"):
        index.search_one([0, 3], [1.0, 1.0])
    with expect(ValueError, "terms", "-1"):
        index.search_one([0, -1], [1.0, 1.0])
    with expect(ValueError, "terms", str(2**32)):
        index.search_one([0, 2**32], [1.0, 1.0])


@pytest.mark.parametrize("width", [4, 8, 2**32 - 1])
def test_columns_beyond_the_index_that_hold_nothing(width: int, engine: Anything) -> None:
    index = engine.build(DOCS)
    expected = index.search(DOCS, 3)
    wide = (DOCS.indptr, DOCS.indices, DOCS.data), (DOCS.shape[0], width)
    assert same(index.search(wide[0], 3, shape=wide[1]), expected)
    backwards = DOCS.indptr, np.array([2, 0, 2, 1, 0]), DOCS.data[[1, 0, 3, 2, 4]]  # which the core has to sort
    assert same(index.search(backwards, 3, shape=wide[1]), expected)


@pytest.mark.parametrize("k", [0, -1, -(2**70)])
def test_k_below_1(k: int, engine: Anything) -> None:
    index = engine.build(DOCS)
    with expect(ValueError, "k must be >= 1", f"got {k}"):
        index.search(DOCS, k)
    with expect(ValueError, "k must be >= 1", f"got {k}"):
        index.search_one([0], [1.0], k)


def test_k_that_is_too_large_or_no_whole_number(engine: Anything) -> None:
    index = engine.build(DOCS)
    for k in (2**24 + 1, 2**70):
        with expect(ValueError, "k must be at most 2**24", f"got {k}"):
            index.search(DOCS, k)
    for wrong in (1.0, "10"):
        with expect(TypeError, "k must be a whole number", type(wrong).__name__):
            index.search(DOCS, wrong)
        with expect(TypeError, "k must be a whole number", type(wrong).__name__):
            index.search_one([0], [1.0], wrong)
    assert index.search(DOCS, np.int32(2)).ids.shape == (4, 2)


def test_hits_that_do_not_fit_in_memory(engine: Anything) -> None:
    index = engine.build(DOCS)
    wide = sp.csr_array((100_000, 3), dtype=np.float32)
    with pytest.raises((MemoryError, ValueError)):
        index.search(wide, 2**31)


@pytest.mark.parametrize("threads", [-1, 1025, 2**70])
def test_threads_out_of_range(threads: int, engine: Anything) -> None:
    with expect(ValueError, "threads must be from 0", f"got {threads}"):
        engine.build(DOCS, threads=threads)
    with expect(ValueError, "threads must be from 0", f"got {threads}"):
        engine.build(DOCS).search(DOCS, threads=threads)


def test_threads_that_are_no_whole_number(engine: Anything) -> None:
    with expect(TypeError, "threads must be a whole number", "float"):
        engine.build(DOCS, threads=1.5)
    with expect(TypeError, "threads must be a whole number", "str"):
        engine.build(DOCS).search(DOCS, threads="all")


def test_terms_and_weights_of_different_lengths(engine: Anything) -> None:
    index = engine.build(DOCS)
    with expect(ValueError, "3", "2"):
        index.search_one([0, 1, 2], [1.0, 1.0])
    with expect(ValueError, "terms", "one dimension"):
        index.search_one([[0, 1]], [[1.0, 1.0]])
    with expect(ValueError, "weights", "one dimension"):
        index.search_one([0, 1], [[1.0, 1.0]])


def test_ids_of_no_document(engine: Anything) -> None:
    index = engine.build(DOCS)
    for wrong in (4, -1, 2**62):
        with expect(ValueError, "ids", str(wrong), "4"):
            index.vectors([0, wrong])
    with expect(TypeError, "ids must be whole numbers", "float64"):
        index.vectors([0.0])
    with expect(ValueError, "ids", "one dimension"):
        index.vectors([[0, 1]])


def test_a_closed_index(engine: Anything, tmp_path: Path) -> None:
    index = engine.build(DOCS)
    index.close()
    uses: list[Anything] = [
        lambda: index.search(DOCS),
        lambda: index.search_one([0], [1.0]),
        lambda: index.vectors([0]),
        lambda: index.save(tmp_path / "closed.thresher"),
        lambda: index.n_docs,
        lambda: index.n_terms,
        lambda: index.nnz,
        lambda: index.nbytes,
        lambda: index.params,
        lambda: len(index),
    ]
    for use in uses:
        with expect(ValueError, "the index is closed"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_the_input_is_left_alone(engine: Anything) -> None:
    raw = np.array([0, 3, 3]), np.array([2, 0, 2], np.int32), np.array([1, 0, 1], np.float32)
    copies = [part.copy() for part in raw]
    index = engine.build(raw, shape=(2, 3))
    index.search(raw, shape=(2, 3))
    for part, copy in zip(raw, copies, strict=True):
        np.testing.assert_array_equal(part, copy)
    raw[1][:] = 1
    raw[2][:] = 7
    assert index.vectors([0]).toarray().tolist() == [[0, 0, 2]]


def test_a_query_of_too_many_terms() -> None:
    index = thresher.ExactIndex.build(DOCS, threads=1)
    wide = thresher.ExactIndex.build(([0, 1], [4_000_000], [1.0]), shape=(1, 4_000_001))
    terms, weights = np.arange(4_000_001, dtype=np.uint32), np.ones(4_000_001, np.float32)
    assert wide.search_one(terms[1:], weights[1:], 1).ids.tolist() == [0]
    with expect(ValueError, "queries", "row 0", "4000001 terms", "at most 4000000"):
        wide.search_one(terms, weights, 1)
    with expect(ValueError, "row 0", "term 3"):
        index.search_one(terms, weights, 1)


def test_whole_numbers_beyond_a_float_name_their_argument() -> None:
    docs = sp.csr_array(np.eye(3, dtype=np.float32))
    for index, name in (
        (thresher.BlockMaxIndex.build(docs), "alpha"),
        (thresher.ClusteredIndex.build(docs), "heap_factor"),
    ):
        with pytest.raises(ValueError, match=f"{name} must be finite, got a whole number beyond float64"):
            index.search(docs, 1, **{name: 10**400})  # type: ignore[arg-type]
