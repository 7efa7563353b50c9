"""Recall is of exact float64 scores, and counts ties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import thresher
from strategies import learned
from thresher_bench.truth import Truth


@pytest.fixture(scope="module")
def vectors() -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    case = learned(150, 10, seed=3)
    docs, queries = (
        sparse.csr_matrix((part.data, part.indices.astype(np.int32), part.indptr), shape=part.shape) for part in case
    )
    return docs, queries


def test_the_best_are_found_whole(vectors: tuple[sparse.csr_matrix, sparse.csr_matrix]) -> None:
    docs, queries = vectors
    truth = Truth(docs, queries, 10)
    scores = (queries.astype(np.float64) @ docs.astype(np.float64).T).toarray()
    order = np.argsort(-scores, axis=1)
    assert truth.recall(order[:, :10]) == 1.0
    assert truth.recall(order[:, 10:20]) == 0.0
    half = order[:, :10].copy()
    half[:, 5:] = -1
    assert truth.recall(half) == 0.5


def test_a_document_counts_once(vectors: tuple[sparse.csr_matrix, sparse.csr_matrix]) -> None:
    docs, queries = vectors
    best = thresher.ExactIndex.build(docs).search(queries, 1).ids
    assert Truth(docs, queries, 10).recall(np.repeat(best, 10, axis=1)) == pytest.approx(0.1)


def test_ties_count() -> None:
    docs = sparse.csr_matrix(np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32))
    query = sparse.csr_matrix(np.array([[2, 0]], np.float32))
    truth = Truth(docs, query, 2)
    for ids in ([0, 1], [1, 2], [2, 0]):
        assert truth.recall(np.array([ids])) == 1.0
    assert truth.recall(np.array([[0, 3]])) == 0.5


def test_fewer_than_k() -> None:
    docs = sparse.csr_matrix(np.array([[1, 0], [0, 1]], np.float32))
    queries = sparse.csr_matrix(np.array([[1, 0], [0, 0]], np.float32))
    truth = Truth(docs, queries, 3)
    assert truth.wanted.counts.tolist() == [1, 0]
    assert truth.recall(np.array([[0, -1, -1], [-1, -1, -1]])) == 1.0
    assert truth.recall(np.array([[1, -1, -1], [0, 1, -1]])) == 0.0


def test_known_answers_give_the_same_truth(vectors: tuple[sparse.csr_matrix, sparse.csr_matrix]) -> None:
    docs, queries = vectors
    ids = thresher.ExactIndex.build(docs).search(queries, 15).ids
    whole, known = Truth(docs, queries, 10), Truth.checked(docs, queries, 10, ids)
    assert np.array_equal(whole.wanted.counts, known.wanted.counts)
    assert np.allclose(whole.wanted.lowest, known.wanted.lowest, rtol=1e-12)


def test_wrong_answers_are_noticed(vectors: tuple[sparse.csr_matrix, sparse.csr_matrix]) -> None:
    docs, queries = vectors
    ids = thresher.ExactIndex.build(docs).search(queries, 11).ids
    with pytest.raises(ValueError, match="query 0 are not the best 10 documents"):
        Truth.checked(docs, queries, 10, ids[:, 1:])
    with pytest.raises(ValueError, match=r"\(10, 5\).*k = 10"):
        Truth.checked(docs, queries, 10, ids[:, :5])
    with pytest.raises(ValueError, match="document 150"):
        Truth.checked(docs, queries, 10, np.where(ids == ids[0, 0], 150, ids))


def test_a_part_has_the_answers_of_its_queries(vectors: tuple[sparse.csr_matrix, sparse.csr_matrix]) -> None:
    docs, queries = vectors
    part = Truth(docs, queries, 10).part(slice(4, 9))
    assert np.array_equal(part.wanted.lowest, Truth(docs, queries[4:9], 10).wanted.lowest)


def test_there_is_no_recall_where_nothing_is_to_be_found() -> None:
    docs, queries = (
        sparse.csr_matrix(np.eye(3, dtype=np.float32)),
        sparse.csr_matrix([[1.0, 0, 0], [0, 0, 0], [0, -1, 0]]),
    )
    for ids in (None, np.full((2, 1), -1)):
        with pytest.raises(ValueError, match="none of 2 queries has a document of positive score: there is no recall"):
            Truth(docs, queries[1:], 1, ids)
    with pytest.raises(ValueError, match="none of 1 queries"):
        Truth(docs, queries, 1).part(slice(1, 2))
