from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import thresher
from thresher.demo import measure


@pytest.fixture(scope="module")
def documents() -> sparse.csr_array:
    return sparse.csr_array(
        sparse.random(300, 30, density=0.5, dtype=np.float32, random_state=np.random.default_rng(1))
    )


def test_recall_and_the_peer(documents: sparse.csr_array) -> None:
    queries = documents[:40]
    exact = thresher.ExactIndex.build(documents)
    truth = exact.search(queries, k=measure.K).scores
    forgetful = truth.copy()
    forgetful[:, 0] = -np.inf
    found = measure.measured(
        {
            "exact": measure.of_index(exact),
            "scipy": measure.of_scipy(documents),
            "forgetful": lambda queries: forgetful,
            "cut": measure.of_index(thresher.BlockMaxIndex.build(documents).with_search_params(block_budget=1)),
        },
        queries,
        truth,
    )
    assert list(found) == ["exact", "scipy", "forgetful", "cut"]
    assert found["exact"].recall == found["scipy"].recall == 1
    assert found["forgetful"].recall == pytest.approx(0.9)
    assert found["cut"].recall < 0.9


def test_the_peer_finds_what_there_is(documents: sparse.csr_array) -> None:
    few, nothing = np.zeros((2, 300)), sparse.csr_array((1, 30), dtype=np.float32)
    few[0, :3] = 1
    some = sparse.csr_array(few.T[:, :1] * np.eye(1, 30, 4), dtype=np.float32)
    search = measure.of_scipy(some)
    scores = search(sparse.vstack([sparse.csr_array(np.eye(1, 30, 4, dtype=np.float32)), nothing], format="csr"))
    assert scores[0].tolist() == [1, 1, 1] + [-np.inf] * 7
    assert np.isneginf(scores[1]).all()
    truth = thresher.ExactIndex.build(documents).search(nothing, k=measure.K).scores
    assert measure.measured({"none": measure.of_scipy(documents)}, nothing, truth)["none"].recall == 0
