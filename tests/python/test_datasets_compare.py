from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from thresher import datasets


@pytest.fixture(scope="module")
def collection() -> tuple[sparse.csr_array, sparse.csr_array]:
    model = datasets.Model.shipped()
    return datasets.generate(model, 3_000), datasets.generate(model, 100, kind="queries")


def failed(comparison: datasets.Comparison) -> set[str]:
    return {check.what.strip() for check in comparison.checks if not check.passed}


def test_a_collection_is_like_itself(collection: tuple[sparse.csr_array, sparse.csr_array]) -> None:
    found = datasets.compare(*collection, *collection)
    assert found.passed
    assert all(check.real == check.generated for check in found.checks)
    lines = str(found).splitlines()
    assert len(lines) == len(found.checks) + 1 >= 16
    assert all(line.endswith("pass") for line in lines[1:])


def test_another_seed_is_alike(collection: tuple[sparse.csr_array, sparse.csr_array]) -> None:
    model = datasets.Model.shipped()
    other = datasets.generate(model, 3_000, seed=9), datasets.generate(model, 100, kind="queries", seed=9)
    assert failed(datasets.compare(*collection, *other)) <= {"terms a query", "postings a query / documents"}


def test_tells_terms_apart_that_are_shuffled(collection: tuple[sparse.csr_array, sparse.csr_array]) -> None:
    docs, queries = collection
    generator = np.random.default_rng(4)
    columns = docs.tocsc()
    for column in range(docs.shape[1]):  # each term moves to other documents: frequencies stay, topics go
        place = slice(columns.indptr[column], columns.indptr[column + 1])
        columns.indices[place] = generator.choice(docs.shape[0], place.stop - place.start, replace=False)
    columns.has_sorted_indices = False
    found = datasets.compare(docs, queries, sparse.csr_array(columns), queries)
    assert {"score at 100 / best", "recall@10, cluster_budget 25"} <= failed(found)
    assert "documents with term 10" not in failed(found)
    assert "FAIL" in str(found)
    assert not found.passed


def test_tells_weights_lengths_and_frequencies_apart(collection: tuple[sparse.csr_array, sparse.csr_array]) -> None:
    docs, queries = collection
    assert failed(datasets.compare(docs, queries, docs * 2, queries)) == {"weight in a document"}
    light = docs.copy()
    light.data[light.data < np.median(light.data)] = 0
    light.eliminate_zeros()
    assert {
        "terms a document",
        "90% have at most",
        "documents with term 100",
        "postings a query / documents",
    } <= failed(datasets.compare(docs, queries, light, queries))


def test_tightness_of_blocks_is_that_of_a_small_example() -> None:
    docs = sparse.csr_array(np.array([[2, 1, 0], [2, 0, 1], [0, 0, 0], [0, 0, 0]], np.float32))
    queries = sparse.csr_array(np.array([[1, 1, 1]], np.float32))
    checks = {check.what: check for check in datasets.compare(docs, queries, docs, queries).checks}
    assert checks["tightness of block bounds"].real == 0.75  # the best is 3, the maxima 2 + 1 + 1


def test_tolerances() -> None:
    assert datasets.Check("x", 1.0, 1.25, 1.25, relative=True).passed
    assert datasets.Check("x", 1.25, 1.0, 1.25, relative=True).passed
    assert not datasets.Check("x", 1.0, 1.26, 1.25, relative=True).passed
    assert datasets.Check("x", 0.9, 0.5, 0.5, relative=False).passed
    assert not datasets.Check("x", 0.9, 0.3, 0.5, relative=False).passed


def test_empty_collections(collection: tuple[sparse.csr_array, sparse.csr_array]) -> None:
    docs, queries = collection
    with pytest.raises(ValueError, match="the generated collection must have documents and queries"):
        datasets.compare(docs, queries, docs[:0], queries)
    with pytest.raises(ValueError, match="the real collection must have documents and queries"):
        datasets.compare(docs, queries[:0], docs, queries)


def test_queries_that_find_nothing_compare_nothing(collection: tuple[sparse.csr_array, sparse.csr_array]) -> None:
    docs, queries = collection
    foreign = sparse.csr_array(queries.shape, dtype=np.float32)
    with pytest.raises(ValueError, match="no query of the generated collection finds a document"):
        datasets.compare(docs, queries, docs, foreign)
    with pytest.raises(ValueError, match="the real documents have 30522 terms, the queries 5"):
        datasets.compare(docs, queries[:, :5], docs, queries)
