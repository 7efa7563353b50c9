"""What pruning costs, against what its parts give one by one."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import expect
from strategies import learned
from thresher.encoders.pruning import expected_flops, keep_best, keep_mass, keep_terms
from thresher.evaluation import evaluate, pruning_cost


@pytest.fixture(scope="module")
def vectors() -> tuple[Any, Any]:
    case = learned(400, 15, seed=9)
    return tuple(sp.csr_array(rows.triple[::-1], shape=rows.shape) for rows in case)


def test_figures_are_what_the_parts_give(vectors: tuple[Any, Any]) -> None:
    docs, queries = vectors
    light, short = keep_mass(docs, 0.5), keep_terms(queries, 5)
    index, small = thresher.ExactIndex.build(docs), thresher.ExactIndex.build(light)
    best, found = index.search(queries), small.search(short)
    qrels = {f"q{row}": {f"d{ids[0]}": 1} for row, ids in enumerate(best.ids)}
    names: dict[str, Any] = {
        "query_ids": [f"q{row}" for row in range(15)],
        "doc_ids": [f"d{row}" for row in range(400)],
    }
    cost: Any = pruning_cost(docs, light, queries, short, qrels=qrels, measures="RR@10", **names)
    shared = sum(len({*left} & {*right}) for left, right in zip(best.ids.tolist(), found.ids.tolist(), strict=True))
    assert cost.recall == pytest.approx(shared / 150)
    assert 0.1 < cost.recall < 0.95  # or the figures would say nothing
    assert cost.nonzeros == (docs.nnz, light.nnz)
    assert cost.query_nonzeros == (queries.nnz, short.nnz)
    assert cost.nbytes == (index.resident_nbytes, small.resident_nbytes)
    assert cost.flops == (expected_flops(docs, queries), expected_flops(light, short))
    assert cost.nonzeros.saved == pytest.approx(1 - light.nnz / docs.nnz)
    assert cost.n_empty == 0
    assert cost.before is not None
    assert cost.after is not None
    assert cost.before["RR@10"] == 1.0
    ids = {"queries": names["query_ids"], "documents": names["doc_ids"]}
    assert cost.after.means == evaluate(found, qrels, "RR@10", **ids).means
    read = json.loads(json.dumps(cost.to_dict()))
    assert read["after"] == cost.after.means
    assert read["nonzeros"] == {"before": docs.nnz, "after": light.nnz, "saved": cost.nonzeros.saved}
    assert repr(cost).startswith(
        f"<PruningCost: recall@10 {cost.recall:.4f}, RR@10 1.0000 to {cost.after['RR@10']:.4f}; saves "
    )


def test_nothing_pruned_costs_nothing(vectors: tuple[Any, Any]) -> None:
    docs, queries = vectors
    cost = pruning_cost(docs, docs, queries, k=7)
    assert (cost.recall, cost.k, cost.before, cost.after) == (1.0, 7, None, None)
    assert [cost.nonzeros.saved, cost.nbytes.saved, cost.flops.saved] == [0.0, 0.0, 0.0]


def test_passages_that_are_left_out_are_told(vectors: tuple[Any, Any]) -> None:
    docs, queries = vectors
    cost = pruning_cost(docs, keep_best(docs, np.arange(400), 0.25), queries)
    assert cost.n_empty == 100
    assert cost.recall < 1.0


def test_queries_without_answers() -> None:
    cost = pruning_cost([{0: 1.0}], [{0: 1.0}], [{1: 1.0}])
    assert math.isnan(cost.recall)
    assert cost.to_dict()["recall"] is None
    assert cost.flops.saved == 0.0


def test_vectors_that_do_not_belong_together() -> None:
    with expect(ValueError, "pruned has 1 rows, and docs 2"):
        pruning_cost([{0: 1.0}] * 2, [{0: 1.0}], [{0: 1.0}])
    with expect(ValueError, "pruned_queries has 2 rows, and queries 1"):
        pruning_cost([{0: 1.0}], [{0: 1.0}], [{0: 1.0}], [{0: 1.0}] * 2)
