"""One query in all the forms that it may have, against a batch of one."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import expect, same

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))


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
