"""Search parameters for an index that is in use, found in little time."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from strategies import learned
from thresher import _core
from thresher.tuning.brief import tune_briefly
from thresher.tuning.dial_search import Target


class GivenUpError(Exception):
    """Nobody waits for it any more."""


@pytest.fixture(scope="module")
def docs() -> sp.csr_array:
    """Documents as of a learned encoder."""
    indptr, indices, data = learned(2400, 200, seed=4).docs.triple
    return sp.csr_array((data, indices, indptr), shape=(2400, int(indices.max()) + 1))


@pytest.fixture(scope="module")
def queries(docs: sp.csr_array) -> sp.csr_array:
    """Queries of these documents."""
    indptr, indices, data = learned(2400, 200, seed=4).queries.triple
    return sp.csr_array(sp.csr_array((data, indices, indptr))[:, : docs.shape[1]])


def recall(docs: sp.csr_array, queries: sp.csr_array, scores: np.ndarray) -> float:
    """Return the fraction of the best documents that was found, ties counting as right."""
    exact = thresher.ExactIndex.build(docs).search(queries, scores.shape[1]).scores
    return float((scores >= exact[:, -1:] * (1 - 1e-5)).mean())


@pytest.mark.parametrize("engine", [thresher.ClusteredIndex, thresher.GraphIndex, thresher.ImpactIndex])
def test_the_target_is_met(engine: type[thresher.Index], docs: sp.csr_array, queries: sp.csr_array) -> None:
    index = engine.build(docs)
    brief = tune_briefly(index, queries, None, Target(0.95, None), k=10, budget_s=600)
    assert brief.is_met
    assert not brief.is_cut_short
    assert brief.recall >= 0.95
    assert recall(docs, queries, index.with_search_params(**brief.search_params).search(queries, 10).scores) >= 0.94


def test_known_parameters_stay_where_others_miss_the_target_and_they_do_not(
    docs: sp.csr_array, queries: sp.csr_array
) -> None:
    index = thresher.ClusteredIndex.build(docs)
    good, bad = {"cluster_budget": 1000}, {"cluster_budget": 1}

    def brief(recall: float, known: dict[str, int]) -> int:
        found = tune_briefly(index, queries, None, Target(recall, None), k=10, budget_s=600, known=known)
        return int(found.search_params["cluster_budget"])

    assert brief(0.9, good) not in (1, 1000)
    with pytest.MonkeyPatch.context() as patch:  # no dial is good enough
        patch.setattr("thresher.tuning.dial_search.Target.with_margin", lambda self, _: self)
        patch.setattr(thresher.ClusteredIndex, "dials", lambda *_: [_core.Dial({"cluster_budget": 2})])
        assert brief(0.9, good) == 1000
        assert brief(0.9, bad) == 2


def test_its_own_document_does_not_count(docs: sp.csr_array) -> None:
    index = thresher.ClusteredIndex.build(docs)
    own = np.arange(200)
    asked = sp.csr_array(docs[:200])
    brief = tune_briefly(index, asked, own, Target(0.99, None), k=1, budget_s=600)
    alone = tune_briefly(index, asked, None, Target(0.99, None), k=1, budget_s=600)
    best = index.search(asked, 2, exact=True)
    others = np.where(best.ids[:, 0] == own, best.scores[:, 1], best.scores[:, 0])

    def found(params: dict[str, object]) -> float:
        hits = index.with_search_params(**params).search(asked, 2)  # type: ignore[arg-type]
        scores = np.where(hits.ids[:, 0] == own, hits.scores[:, 1], hits.scores[:, 0])
        return float((scores >= others * (1 - 1e-5)).mean())

    assert found(alone.search_params) < 0.95 < found(brief.search_params)


def test_time_that_is_too_short_and_queries_that_are_too_few(docs: sp.csr_array, queries: sp.csr_array) -> None:
    index = thresher.ClusteredIndex.build(docs)
    target = Target(0.95, None)
    with pytest.raises(TimeoutError):
        tune_briefly(index, queries, None, target, k=10, budget_s=1e-9)
    with pytest.raises(ValueError, match="19 queries find a document; at least 20 are needed"):
        tune_briefly(index, queries[:19], None, target, k=10, budget_s=600)
    none = sp.csr_array((30, docs.shape[1]), dtype=np.float32)
    with pytest.raises(ValueError, match="0 queries find a document"):
        tune_briefly(index, none, None, target, k=10, budget_s=600)


@pytest.mark.parametrize("after", [0, 1, 5, 20])
def test_it_ends_when_nobody_waits(docs: sp.csr_array, queries: sp.csr_array, after: int) -> None:
    index = thresher.ClusteredIndex.build(docs)
    left = [after]

    def check(*_: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise GivenUpError

    with pytest.raises(GivenUpError):
        tune_briefly(index, queries, None, Target(0.95, None), k=10, budget_s=600, check=check)
