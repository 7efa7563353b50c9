"""Explanations: the terms that make up a score, to the last bit."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from engine_forms import DOCS, Engine, build
from helpers import expect, search
from strategies import Case


def test_products_add_up_to_the_score_of_a_search(engine: Engine, case: Case) -> None:
    index = build(engine, case.docs)
    hits = search(index, case.queries, 10)
    for row, (ids, scores) in enumerate(hits.rows()):
        span = slice(case.queries.indptr[row], case.queries.indptr[row + 1])
        terms, weights = case.queries.indices[span], case.queries.data[span]
        explanations = index.explain(terms, ids, weights)
        assert [one.id for one in explanations] == ids.tolist()
        assert [np.float32(one.score) for one in explanations] == scores.tolist()
        for one in explanations:
            assert np.isclose(one.products.sum(), one.score, rtol=1e-6)
            assert np.all(one.products[1:] <= one.products[:-1])
            assert np.allclose(one.products, one.query_weights.astype(float) * one.document_weights)
            document = index.vectors([one.id])
            assert set(one.terms.tolist()) == set(document.indices.tolist()) & set(terms.tolist())


def test_queries_and_documents_in_every_form(engine: Engine) -> None:
    index = engine.build(DOCS)
    query = {0: 0.5, 2: -1.0, 1: 2.0}
    hits = index.search_one(query, k=2)
    by_hits = index.explain(query, hits)
    assert [one.id for one in by_hits] == [1, 3]
    assert repr(by_hits[0]) == "document 1, score 5.5\n    term 1: 2 x 3 = 6\n    term 2: -1 x 0.5 = -0.5"
    assert repr(index.explain(query, 3)) == "[document 3, score 2\n    term 0: 0.5 x 4 = 2]"
    row = sp.csr_array(np.array([[0.5, 2, -1]], np.float32))
    assert repr(index.explain(row, [1, 3])) == repr(by_hits)
    assert repr(index.explain([0, 2, 1], [1, 3], [0.5, -1.0, 2.0])) == repr(by_hits)
    twice = index.explain([0, 0], [3, 2, 3], [0.25, 0.25])
    assert [(one.id, one.score) for one in twice] == [(3, 2.0), (2, 0.0), (3, 2.0)]
    assert twice[1].terms.size == 0
    assert index.explain({0: 1.0}, []) == []
    long = engine.build([dict.fromkeys(range(20), 1.0)])
    assert repr(long.explain(dict.fromkeys(range(20), 1.0), 0)[0]).endswith("and 8 more: 8")


def test_what_cannot_be_explained(engine: Engine) -> None:
    index = engine.build(DOCS)
    with expect(ValueError, "ids: 5 is not a document; the index has 5"):
        index.explain({0: 1.0}, [5])
    with expect(ValueError, "ids: the hits are of several queries"):
        index.explain({0: 1.0}, index.search(DOCS))
    with expect(ValueError, "term 7"):
        index.explain({7: 1.0}, [0])
    with expect(TypeError, "search_one takes terms and weights"):
        index.explain("a text", [0])
