"""`thresher.evaluate` against ir_measures called directly, and what it says of queries that are left out or empty."""

from __future__ import annotations

import json
import math
import sys
import warnings
from typing import Any

import hypothesis.strategies as st
import ir_measures
import numpy as np
import pytest
from hypothesis import given

import thresher
from helpers import run_python
from thresher.evaluation import _library

MEASURES = [
    "nDCG@10",
    "RR@10",
    "R@5",
    "AP",
    "P@3",
    "AP(rel=2)@4",
    "Judged@5",
    "NumRet",
    "nDCG(judged_only=True)@2",
    "RR",
]

QUERIES = st.sampled_from(["q1", "q2", "q3", "q4"])
DOCUMENTS = st.sampled_from([f"d{number}" for number in range(12)])
RUNS = st.dictionaries(QUERIES, st.dictionaries(DOCUMENTS, st.integers(-3, 9).map(float), min_size=1), min_size=1)
QRELS = st.dictionaries(QUERIES, st.dictionaries(DOCUMENTS, st.integers(-1, 3), min_size=1), min_size=1)


@given(RUNS, QRELS)
def test_values_are_those_of_ir_measures(run: Any, qrels: Any) -> None:
    if run.keys().isdisjoint(qrels):
        return
    measures = [ir_measures.parse_measure(name) for name in MEASURES]
    wanted: Any = ir_measures.calc(measures, qrels, {query: own for query, own in run.items() if query in qrels})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = thresher.evaluate(run, qrels, MEASURES)
    assert found.measures == tuple(MEASURES)
    assert found.means == {str(measure): value for measure, value in wanted.aggregated.items()}
    assert found.query_ids == tuple(qrels)
    for value in wanted.per_query:
        assert found.per_query[str(value.measure)][value.query_id] == value.value
    assert sum(map(len, found.per_query.values())) == len(wanted.per_query)
    assert set(found.without_hits) == set(qrels) - set(run) == set(found.absent)
    assert set(found.without_judgements) == set(run) - set(qrels)


def test_queries_without_judgements_are_left_out_and_told() -> None:
    run = {"a": {"d": 1.0}, "b": {"d": 1.0}}
    with pytest.warns(UserWarning, match="1 of 2, such as 'b'"):
        found = thresher.evaluate(run, {"a": {"d": 1}, "b": {}}, "RR@10")
    assert (found["RR@10"], found.n_queries, found.without_judgements) == (1.0, 1, ("b",))
    assert "1 without judgements left out" in repr(found)


def test_queries_without_hits_count_zero_and_are_told() -> None:
    found = thresher.evaluate({"a": {"d": 1.0}, "b": {}}, {"a": {"d": 1}, "b": {"d": 1}, "c": {"d": 1}}, MEASURES)
    assert found["nDCG@10"] == pytest.approx(1 / 3)
    assert found.values("RR@10").tolist() == [1.0, 0.0, 0.0]
    assert (found.without_hits, found.absent) == (("b", "c"), ("c",))
    assert "2 without hits count 0" in repr(found)


def test_all_empty_is_zero_not_perfect() -> None:
    assert thresher.evaluate({"a": {}}, {"a": {"d": 1}}, MEASURES).means == dict.fromkeys(MEASURES, 0.0)


@pytest.mark.parametrize("run", [{}, {"x": {"d": 1.0}}])
def test_no_measure_over_nothing(run: Any) -> None:
    with pytest.raises(ValueError, match=r"none of its . queries has judgements.*'a'"):
        thresher.evaluate(run, {"a": {"d": 1}})
    with pytest.raises(ValueError, match="there are no judgements"):
        thresher.evaluate({"a": {"d": 1.0}}, {"a": {}})


def test_results_in_all_forms() -> None:
    found = thresher.evaluate(
        {"a": {"d": 1.0, "e": 2.0}, "b": {"d": 1.0}}, {"a": {"d": 1}, "b": {"d": 1}}, ["RR@10", "P@1"]
    )
    assert repr(found) == "<Evaluation: RR@10 0.7500, P@1 0.5000 over 2 queries>"
    table = found.to_pandas()
    assert table.columns.tolist() == ["query_id", "RR@10", "P@1"]
    assert table.to_numpy().tolist() == [["a", 0.5, 0.0], ["b", 1.0, 1.0]]
    read = json.loads(json.dumps(found.to_dict()))
    assert read["means"] == {"RR@10": 0.75, "P@1": 0.5}
    assert read["per_query"]["RR@10"] == {"a": 0.5, "b": 1.0}
    assert (read["n_queries"], read["absent"]) == (2, [])
    assert found["MRR@10"] == found[ir_measures.RR @ 10] == 0.75  # other names of the same
    with pytest.raises(KeyError, match=r"AP was not computed; there are RR@10, P@1"):
        found["AP"]


@pytest.mark.parametrize(
    "name",
    [*MEASURES, "MRR@10", "NDCG", "SetF(beta=0.5)", "IPrec@0.1", "nDCG(gains={0:1,1:2},dcg='log2')@3"],
)
def test_names_are_read_as_ir_measures_reads_them(name: str) -> None:
    assert _library.as_measure(name) == ir_measures.parse_measure(name)


@pytest.mark.parametrize(
    ("measures", "words"),
    [
        ([], "there are none"),
        ("nDCG@0", "'nDCG@0' has the cutoff 0"),
        ("P@-1", "'P@-1' has the cutoff -1"),
        (["AP", "P@True"], "the cutoff True"),
        (ir_measures.P @ 0, "'P@0' has the cutoff 0"),
        ("R@9999999999999", "from 1 to 1,000,000"),
        ("AP(rel=99999999999)", "has the rel 99999999999"),
        ("nDCG@1.5", "'nDCG@1.5'"),
        ("R", "'R' has a parameter"),
        ("nDCG(bla=1)", "none of its own"),
        ("IPrec@7", "'IPrec@7'"),
        ("foo@3", "'foo@3' is none that there is; there are AP,"),
        ("nDCG@", "is not written as"),
        ("nDCG(3)", "is not written as"),
        ("nDCG@__import__('os')", "is not written as"),
        ("nDCG@10 nDCG", "is not written as"),
        ("nDCG(gains={1:'a'})@3", "could not be computed"),
        ("alpha_nDCG@10", "pyndeval"),
    ],
)
def test_measures_that_are_none(measures: Any, words: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared below
        thresher.evaluate({"a": {"d": 1.0}}, {"a": {"d": 1}}, measures)
    assert words in str(error.value)


def test_a_measure_of_another_type() -> None:
    with pytest.raises(TypeError, match="expected a name or a measure of ir_measures, got int"):
        thresher.evaluate({"a": {"d": 1.0}}, {"a": {"d": 1}}, [10])  # type: ignore[list-item]


def test_hits_of_every_engine_with_names(engine: Any) -> None:
    rng = np.random.default_rng(3)
    docs = [{int(term): float(rng.integers(1, 9)) for term in rng.integers(0, 30, 8)} for _ in range(60)]
    names = [f"doc-{number}" for number in range(60)]
    index = engine.build(docs, names=names)
    hits = index.search(docs[:5], k=4)
    qrels = {f"q{number}": {f"doc-{number}": 1} for number in range(5)}
    found = thresher.evaluate(hits, qrels, "RR@4", queries=list(qrels), documents=index.names)
    for number, (ids, _) in enumerate(hits.rows()):
        place = ids.tolist().index(number) + 1 if number in ids else math.inf
        assert found.per_query["RR@4"][f"q{number}"] == pytest.approx(1 / place)


def test_nothing_of_it_is_imported_before_it_is_used() -> None:
    code = """
import sys, thresher
print([name for name in ("ir_measures", "ir_datasets", "pytrec_eval", "thresher.evaluation") if name in sys.modules])
thresher.evaluate
print([name for name in ("ir_measures", "ir_datasets", "pytrec_eval", "pandas") if name in sys.modules])
"""
    assert run_python(code).stdout == "[]\n[]\n"


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(ImportError, match=r'need ir_measures, which the extra "evaluation" brings'):
        thresher.evaluate({"a": {"d": 1.0}}, {"a": {"d": 1}})
