"""Weights kept in 8 bits, alone or beside the full ones: what scores, errors, flags and bytes are then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from engine_forms import Engine
from helpers import expect

EXACT = [engine for name, engine in thresher.engines().items() if name not in ("clustered", "graph")]
K = 10


def rows(n: int, n_terms: int, seed: int, *, signed: bool = False) -> sp.csr_array:
    rng = np.random.default_rng(seed)
    made = sp.random_array((n, n_terms), density=0.1, format="csr", dtype=np.float32, rng=rng)
    made.data = rng.gamma(2, 0.5, made.nnz).astype(np.float32) + np.float32(0.01)
    if signed:
        made.data[rng.random(made.nnz) < 0.4] *= -1
    return made


@pytest.mark.parametrize("signed", [False, True])
def test_both_grains_answer_as_the_full_weights(engine: Engine, signed: bool, tmp_path: Path) -> None:
    docs, queries = rows(3000, 200, 1, signed=signed), rows(50, 200, 2, signed=signed)
    full = engine.build(docs)
    both = engine.build(docs, weights="uint8+float")
    both.save(tmp_path / "both.thresher")
    for index in (both, thresher.open(tmp_path / "both.thresher")):
        assert (index.weights, index.weight_error) == ("uint8+float", 0)
        hits, expected = index.search(queries, K), full.search(queries, K)
        if engine is thresher.GraphIndex:  # which goes by what lies in memory, and scores by the full weights
            scores = (queries @ docs.T).toarray()
            np.testing.assert_allclose(hits.scores, np.take_along_axis(scores, hits.ids, 1), rtol=1e-5)
            assert (hits.ids == expected.ids).mean() > 0.9
        else:
            np.testing.assert_array_equal(hits.ids, expected.ids)
            np.testing.assert_array_equal(hits.scores, expected.scores)
            np.testing.assert_array_equal(hits.exact, expected.exact)
        assert (index.vectors(np.arange(3000)) != full.vectors(np.arange(3000))).nnz == 0


@pytest.mark.parametrize("signed", [False, True])
def test_codes_answer_as_the_weights_that_they_stand_for(engine: Engine, signed: bool, tmp_path: Path) -> None:
    docs, queries = rows(3000, 200, 3, signed=signed), rows(50, 200, 4, signed=signed)
    codes = engine.build(docs, weights="uint8")
    stored = codes.vectors(np.arange(3000))
    errors = np.abs((stored - docs).data)
    largest = abs(docs).max(axis=1).toarray().ravel()
    assert 0 < errors.max() <= codes.weight_error <= largest.max() / 255 * 1.01
    codes.save(tmp_path / "codes.thresher")
    again = engine.build(stored, weights="uint8")
    assert (again.vectors(np.arange(3000)) != stored).nnz == 0
    assert again.weight_error == 0
    for index in (codes, thresher.open(tmp_path / "codes.thresher")):
        assert index.weights == "uint8"
        for k in (K, None) if engine in EXACT else (K,):
            hits = index.search(queries, k)
            expected = thresher.ExactIndex.build(stored).search(queries, k)
            for (ids, scores), (best, best_scores) in zip(hits.rows(), expected.rows(), strict=True):
                if engine in EXACT:
                    np.testing.assert_array_equal(ids, best)
                    np.testing.assert_array_equal(scores, best_scores)
            assert not hits.exact.any(), "the largest error leaves it open"


def test_exact_is_what_the_error_proves(engine: Engine) -> None:
    docs = np.diag(np.array([3.0, 1.0, 2.0, 1.004], np.float32))
    docs[:, 0] = [3.0, 0.7, 1.1, 0.702]
    index = engine.build(sp.csr_array(docs), weights="uint8")
    assert index.weight_error > 0
    apart = index.search(sp.csr_array(np.array([[1.0, 0, 0, 0]], np.float32)), 4, exact=True)
    assert not apart.exact[0], "0.7 and 0.702 are nearer than codes are off"
    two = index.search(sp.csr_array(np.array([[0, 1.0, 5.0, 0]], np.float32)), 4, exact=True)
    assert two.exact[0]
    np.testing.assert_array_equal(two.ids[0, :2], [2, 1])
    assert not index.search(sp.csr_array(np.array([[0, 1.0, 5.0, 0]], np.float32)), 1, exact=True).exact[0]


def test_whole_numbers_lose_nothing(engine: Engine) -> None:
    docs, queries = rows(2000, 100, 5), rows(20, 100, 6)
    docs.data = np.random.default_rng(7).integers(1, 256, docs.nnz).astype(np.float32)
    codes = engine.build(docs, weights="uint8")
    assert codes.weight_error == 0
    hits, expected = codes.search(queries, K, exact=True), thresher.ExactIndex.build(docs).search(queries, K)
    np.testing.assert_array_equal(hits.ids, expected.ids)
    np.testing.assert_array_equal(hits.scores, expected.scores)
    assert hits.exact.all()


def test_bytes_in_memory_and_on_disk(engine: Engine, tmp_path: Path) -> None:
    docs = rows(3000, 200, 8)
    sizes = {}
    for weights in ("float", "uint8", "uint8+float"):
        index = engine.build(docs, weights=weights)
        assert index.weights == weights
        assert index.resident_nbytes == sum(index.nbytes.values())
        index.save(tmp_path / "saved.thresher")
        opened = thresher.open(tmp_path / "saved.thresher")
        assert opened.nbytes == index.nbytes
        sizes[weights] = opened.resident_nbytes
        assert ("fine" in index.nbytes) == (weights == "uint8+float")
        assert sum(index.nbytes.values()) - opened.resident_nbytes == index.nbytes.get("fine", 0)
    assert sizes["uint8"] == pytest.approx(
        sizes["uint8+float"], abs=100
    )  # a graph's edges go by the weights that it has
    assert sizes["uint8"] < sizes["float"] - docs.nnz


def test_what_weights_can_be(engine: Engine) -> None:
    docs = rows(10, 20, 9)
    with expect(ValueError, "weights must be one of 'float', 'uint8', 'uint8+float', got 'int4'"):
        engine.build(docs, weights="int4")
    with expect(TypeError, "weights must be a string, got int"):
        engine.build(docs, weights=8)
