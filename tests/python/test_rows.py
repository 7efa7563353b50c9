"""Vectors a row at a time, as encoders give them: lists of dicts and of sparse rows, for builds and for searches."""

from __future__ import annotations

import fractions
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import thresher
from helpers import expect
from thresher._matrix import as_csr

Anything: TypeAlias = Any  # rows of any kind, and arguments that are wrong on purpose

DENSE = np.array([[3, 0, 1], [2, 0, 0], [0, 0, 0]], np.float32)
DICTS: list[dict[int, float]] = [{0: 3.0, 2: 1.0}, {0: 2.0}, {}]
MATRIX = sp.csr_array(DENSE)
KINDS: dict[str, Anything] = {
    "dicts": DICTS,
    "numpy numbers": [{np.int64(0): np.float32(3), np.uint8(2): np.int16(1)}, {0: fractions.Fraction(2)}, {}],
    "bools as weights": [{0: 3, 2: True}, {0: np.float16(2)}, {}],
    "other mappings": [MappingProxyType(row) for row in DICTS],
    "csr rows": [MATRIX[[row]] for row in range(3)],
    "coo rows": [sp.coo_matrix(DENSE[[row]]) for row in range(3)],
    "lil rows": [sp.lil_array(DENSE[[row]]) for row in range(3)],
    "dok rows": [sp.dok_matrix(DENSE[[row]]) for row in range(3)],
    "csc rows": [sp.csc_array(DENSE[[row]].astype(np.float64)) for row in range(3)],
    "one-dimensional": [sp.coo_array(DENSE[row]) for row in range(3)],
    "mixed": [MATRIX[[0]], DICTS[1], sp.coo_array(DENSE[2])],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", [list, tuple])
def test_rows_of_every_kind(kind: str, container: type, engine: Anything) -> None:
    rows = container(KINDS[kind])
    index = engine.build(rows)
    assert (index.n_docs, index.n_terms) == (3, 3)
    np.testing.assert_array_equal(index.vectors(range(3)).toarray(), DENSE)
    assert index.search(rows, 2).ids.tolist() == [[0, 1], [0, 1], [-1, -1]]


rows_of_numbers = st.lists(
    st.dictionaries(st.integers(0, 40), st.floats(0, 100, width=32), max_size=8), min_size=1, max_size=8
)


@given(rows=rows_of_numbers)
def test_dicts_mean_what_they_say(rows: list[dict[int, float]]) -> None:
    arrays = as_csr(rows)
    width = 1 + max((term for row in rows for term in row), default=-1)
    assert arrays.shape == (len(rows), width)
    dense = [[row.get(term, 0.0) for term in range(width)] for row in rows]
    matrix = sp.csr_array((arrays.data, arrays.indices, arrays.indptr), shape=arrays.shape)
    np.testing.assert_array_equal(matrix.toarray(), np.array(dense).reshape(len(rows), width))


def test_the_width_of_dicts() -> None:
    assert thresher.ExactIndex.build([{}, {}]).n_terms == 0
    assert thresher.ExactIndex.build(DICTS, shape=(3, 10)).n_terms == 10
    assert as_csr([{0: 1.0}, sp.csr_array((1, 7))]).shape == (2, 7)
    with expect(ValueError, "docs", "row 0 has term 2, which is not in [0, 2)"):
        thresher.ExactIndex.build(DICTS, shape=(3, 2))
    with expect(ValueError, "docs", "row 1 has term 7, which is not in [0, 7)"):
        as_csr([sp.csr_array((1, 7)), {7: 1.0}])
    with expect(ValueError, "docs: shape=(4, 3) was given but the matrix has shape (3, 3)"):
        thresher.ExactIndex.build(DICTS, shape=(4, 3))
    with expect(ValueError, "docs: row 2 has 4 terms, row 1 has 3"):
        as_csr([{0: 1.0}, sp.csr_array((1, 3)), sp.csr_array((1, 4))])


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        ({"cat": 1.0}, TypeError, ["row 1 has the term 'cat', a str", "whole numbers", "vocabulary"]),
        ({1.0: 1.0}, TypeError, ["row 1 has the term 1.0, a float", "whole numbers"]),
        ({True: 1.0}, TypeError, ["row 1 has the term True, a bool"]),
        ({(1, 2): 1.0}, TypeError, ["row 1 has the term (1, 2), a tuple"]),
        ({-1: 1.0}, ValueError, ["row 1 has term -1", "not in [0, 3)"]),
        ({2**70: 1.0}, ValueError, [f"row 1 has the term {2**70}", "64 bits"]),
        ({-(2**70): 1.0}, ValueError, [f"row 1 has the term -{2**70}", "64 bits"]),
        ({2**32: 1.0}, ValueError, ["the number of terms must be in [0, 2**32 - 1]", str(2**32 + 1)]),
        ({0: "1.5"}, TypeError, ["row 1 has a str as the weight of term 0: '1.5'"]),
        ({0: None}, TypeError, ["row 1 has a NoneType as the weight of term 0"]),
        ({0: 1j}, TypeError, ["row 1 has a complex as the weight of term 0"]),
        ({0: [1.0]}, TypeError, ["row 1 has a list as the weight of term 0"]),
        ({0: 10**400}, ValueError, ["row 1 has a weight beyond float64 for term 0", "finite"]),
        ({0: 1e300}, ValueError, ["row 1 has weight 1e+300 for term 0", "finite"]),
        ({0: float("nan")}, ValueError, ["row 1 has weight nan for term 0", "finite"]),
        ("a text", TypeError, ["row 1 must be a dict {term: weight}", "got str"]),
        ([0.0, 1.0], TypeError, ["row 1 must be a dict", "got list", "csr_array"]),
        (np.ones(3), TypeError, ["row 1 must be a dict", "got numpy.ndarray"]),
        (sp.csr_array((2, 3)), ValueError, ["row 1 must be one row, got shape (2, 3)"]),
    ],
)
def test_what_is_no_row(row: Anything, error: type[Exception], words: list[str], engine: Anything) -> None:
    with expect(error, "docs", *words):
        engine.build([{2: 1.0}, row])


def test_the_rows_are_left_alone() -> None:
    row = MATRIX[[0]]
    before = row.copy()
    thresher.ExactIndex.build([row, DICTS[1]])
    assert (row != before).nnz == 0
    assert DICTS[1] == {0: 2.0}


def test_lists_without_rows() -> None:
    assert as_csr([], shape=(0, 4)).shape == (0, 4)
    with expect(ValueError, "docs: an empty list needs shape=(0, n_terms)"):
        as_csr([])


def test_texts() -> None:
    for texts in (["a text", "another"], ("a text",), [b"a text"]):
        with expect(TypeError, "docs must be", "texts must be encoded first", "SparseEncoder"):
            thresher.ExactIndex.build(texts)


def test_pairs_of_terms_and_weights() -> None:
    for pairs in ([[(0, 1.0), (2, 3.0)]], [(0, 1.0), (2, 3.0)], [[(np.int64(0), 1.0)], []]):
        with expect(TypeError, "docs must be", "make a dict of pairs of a term and a weight: dict(pairs)"):
            as_csr(pairs)
