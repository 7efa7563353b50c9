"""Indexes of the documents of other indexes, against indexes of the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings

import thresher

ENGINES = list(thresher.engines().values())


def random_docs(n_docs: int, n_terms: int, seed: int) -> sp.csr_array:
    return sp.random_array(
        (n_docs, n_terms), density=0.1, format="csr", dtype=np.float32, rng=np.random.default_rng(seed)
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weights", ["float", "uint8", "uint8+float"])
def test_is_the_index_of_the_same_rows(engine: Any, weights: Any, tmp_path: Path) -> None:
    docs = random_docs(300, 60, 1)
    live = np.arange(100) % 3 > 0
    parts = [
        thresher.ImpactIndex.build(docs[:150]),
        thresher.ClusteredIndex.build(docs[150:250]),
        thresher.ExactIndex.build(docs[250:]),
    ]
    merged = engine.merge(parts, live=[None, live, None], weights=weights)
    kept = sp.vstack([docs[:150], docs[150:250][live], docs[250:]]).tocsr()
    expected = engine.build(kept, weights=weights)
    merged.save(tmp_path / "merged")
    expected.save(tmp_path / "expected")
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "expected").read_bytes()


@settings(max_examples=30)
@given(data=st.data())
def test_merges_of_merges_keep_every_weight(data: st.DataObject) -> None:
    rows = [random_docs(data.draw(st.integers(0, 30)), data.draw(st.integers(1, 40)), seed) for seed in range(4)]
    indexes = [data.draw(st.sampled_from(ENGINES)).build(part) for part in rows]
    while len(indexes) > 1:
        at = data.draw(st.integers(0, len(indexes) - 2))
        indexes[at : at + 2] = [data.draw(st.sampled_from(ENGINES)).merge(indexes[at : at + 2])]
    n_terms = max(part.shape[1] for part in rows)
    expected = np.zeros((sum(part.shape[0] for part in rows), n_terms), np.float32)
    begin = 0
    for part in rows:
        expected[begin : begin + part.shape[0], : part.shape[1]] = part.toarray()
        begin += part.shape[0]
    assert indexes[0].n_terms == n_terms
    np.testing.assert_array_equal(indexes[0].vectors(np.arange(indexes[0].n_docs)).toarray(), expected)


def test_weights_in_8_bits_stay_as_far_off_as_they_were() -> None:
    docs = random_docs(50, 20, 1)
    index = thresher.ExactIndex.build(docs, weights="uint8")
    assert index.weight_error > 0
    merged = thresher.PostingsIndex.merge([index, index], weights="uint8")
    assert merged.weight_error == index.weight_error
    np.testing.assert_array_equal(merged.vectors([0]).toarray(), index.vectors([0]).toarray())
    for weights in ("float", "uint8+float"):
        with pytest.raises(ValueError, match=r"indexes\[0\] has weights in 8 bits alone, off by up to 0\.0"):
            thresher.ExactIndex.merge([index], weights=weights)


def test_takes_build_parameters() -> None:
    index = thresher.ExactIndex.build(random_docs(50, 20, 1))
    assert thresher.ClusteredIndex.merge([index], cluster_size=8, reorder=False).params["cluster_size"] == 8
    with pytest.raises(TypeError, match=r"ClusteredIndex\.merge has no parameter 'clusters'"):
        thresher.ClusteredIndex.merge([index], clusters=8)
    with pytest.raises(ValueError, match="cluster_size must be"):
        thresher.ClusteredIndex.merge([index], cluster_size=7)


def test_refuses_what_is_no_index_or_no_mask() -> None:
    index = thresher.ExactIndex.build(random_docs(50, 20, 1))
    with pytest.raises(TypeError, match=r"indexes\[1\] must be an index, got"):
        thresher.ExactIndex.merge([index, "index"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="live: 2 masks for 1 indexes"):
        thresher.ExactIndex.merge([index], live=[None, None])
    with pytest.raises(ValueError, match=r"live\[0\] has shape \(49,\); the index has 50 documents"):
        thresher.ExactIndex.merge([index], live=[np.ones(49, np.bool_)])
    with pytest.raises(TypeError, match=r"live\[0\] must be booleans"):
        thresher.ExactIndex.merge([index], live=[np.ones(50)])
    with pytest.raises(NotImplementedError, match="Index has no merge"):
        thresher.Index.merge([index])
    index.close()
    with pytest.raises(ValueError, match="the index is closed"):
        thresher.ExactIndex.merge([index])


def test_of_nothing_is_empty() -> None:
    assert thresher.GraphIndex.merge([]).n_docs == 0
