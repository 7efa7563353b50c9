"""Runs and judgements in every form that they come in, and what is wrong in them."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any, NamedTuple

import ir_datasets
import ir_measures
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import thresher
from thresher.evaluation import write_run
from thresher.evaluation.runs import as_qrels, as_run


class Pair(NamedTuple):
    """What lacks a document."""

    query_id: str
    score: float


RUN = {"q1": {"a": 2.0, "b": 1.5}, "q2": {"c": 0.5}}
QRELS = {"q1": {"a": 1, "c": 0}, "q2": {"c": 2}}
TRIPLES = [(query, document, score) for query, own in RUN.items() for document, score in own.items()]
GRADES = [(query, document, grade) for query, own in QRELS.items() for document, grade in own.items()]


def test_a_run_in_every_form(tmp_path: Path) -> None:
    lines = "".join(f"{query} Q0 {document} 1 {score} tag\n" for query, document, score in TRIPLES)
    (tmp_path / "run").write_text(lines)
    (tmp_path / "run.gz").write_bytes(gzip.compress(lines.encode()))
    scored = [ir_measures.ScoredDoc(*triple) for triple in TRIPLES]
    forms: list[Any] = [RUN, scored, iter(scored), tmp_path / "run", str(tmp_path / "run"), tmp_path / "run.gz"]
    forms += [pd.DataFrame(TRIPLES, columns=["query_id", "doc_id", "score"])]
    forms += [pd.DataFrame(TRIPLES, columns=["qid", "docno", "score"]).assign(query="its text")]
    for form in forms:
        assert as_run(form) == RUN


def test_hits_of_an_index() -> None:
    index = thresher.ExactIndex.build(sp.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]]), names=["a", "b"])
    hits = index.search([{0: 1.0}, {2: 1.0}, {}], k=2)
    assert as_run(hits) == {"0": {"0": 1.0}, "1": {"0": 2.0, "1": 0.5}, "2": {}}
    named = {"x": {"a": 1.0}, "y": {"a": 2.0, "b": 0.5}, "7": {}}
    for documents in (index.names, ["a", "b"], np.array(["a", "b"])):
        assert as_run(hits, queries=["x", "y", 7], documents=documents) == named
    assert as_run(index.search([{0: 1.0}, {2: 1.0}, {}], k=None), queries=["x", "y", 7], documents=["a", "b"]) == named
    assert as_run(index.search_one({2: 1.0}, k=1)) == {"0": {"0": 2.0}}
    assert as_run(hits.to_pandas(["a", "b"])) == {"0": {"a": 1.0}, "1": {"a": 2.0, "b": 0.5}}


@pytest.mark.parametrize("ids", [["a", "b"], [7, 8]])
def test_hits_of_a_collection(ids: list[Any], tmp_path: Path) -> None:
    with thresher.Collection.create(tmp_path / "docs.collection") as collection:
        collection.upsert(ids, [{0: 1.0, 2: 2.0}, {1: 3.0, 2: 0.5}])
        hits = collection.search([{0: 1.0}, {2: 1.0}, {}], k=2)
        assert as_run(hits, queries=["x", "y", "z"]) == {
            "x": {str(ids[0]): 1.0},
            "y": {str(ids[0]): 2.0, str(ids[1]): 0.5},
            "z": {},
        }


def test_judgements_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("".join(f"{query} 0 {document} {grade}\n" for query, document, grade in GRADES))
    beir = "query-id\tcorpus-id\tscore\n" + "".join("\t".join(map(str, triple)) + "\n" for triple in GRADES)
    (tmp_path / "test.tsv").write_text(beir)
    tuples = [ir_measures.Qrel(*triple) for triple in GRADES]
    forms: list[Any] = [QRELS, {**QRELS, "q3": {}}, tuples, iter(tuples), tmp_path / "qrels", tmp_path / "test.tsv"]
    forms += [pd.DataFrame(GRADES, columns=["query_id", "doc_id", "relevance"])]
    forms += [pd.DataFrame(GRADES, columns=["qid", "docno", "label"]).astype({"label": float})]
    for form in forms:
        assert as_qrels(form) == QRELS


def dataset(tmp_path: Path) -> Any:
    """A dataset of ir_datasets whose files are at hand."""
    (tmp_path / "qrels.txt").write_text("".join(f"{query} 0 {document} {grade}\n" for query, document, grade in GRADES))
    return ir_datasets.create_dataset(qrels_trec=str(tmp_path / "qrels.txt"))


def test_judgements_of_a_dataset_or_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = dataset(tmp_path)
    assert as_qrels(made) == QRELS
    monkeypatch.setattr(ir_datasets, "load", {"mine/test": made, "mine": object()}.__getitem__)
    assert as_qrels("mine/test") == QRELS
    with pytest.raises(ValueError, match="the dataset mine has no judgements"):
        as_qrels("mine")
    with pytest.raises(FileNotFoundError, match="mine/dev: neither a file nor a dataset"):
        as_qrels("mine/dev")
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    with pytest.raises(ImportError, match=r"'mine/test' is no file.*\"evaluation\""):
        as_qrels("mine/test")


def test_whole_numbers_are_the_strings_that_show_them() -> None:
    assert as_run({1: {np.int64(2): 1}}) == as_run({"1": {"2": 1.0}})


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ({"q": {"d": float("nan")}}, "query 'q', document 'd' has the score nan"),
        ({"q": {"d": "1"}}, "has the score '1'"),
        ({"q": {"d": None}}, "has the score None"),
        ({"q": {1: 1.0, "1": 2.0}}, "document '1' is there twice"),
        ({1: {}, "1": {}}, "query '1' is there twice"),
        ([ir_measures.ScoredDoc("q", "d", 1.0)] * 2, "query 'q', document 'd' is there twice"),
        ({"q": {"\ud800": 1.0}}, "half a surrogate pair"),
        ({"q\0": {"d": 1.0}}, "null character"),
    ],
)
def test_values_that_are_wrong(run: Any, words: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared below
        as_run(run)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (7, "got int"),
        (b"run", "got bytes"),
        ([("q", "d", 1.0)], "item 0 must be a named tuple, got tuple"),
        ({"q": ["d"]}, "query 'q' must have a dict by document, got list"),
        ({True: {"d": 1.0}}, "query must be a string or a whole number, got True"),
        ({"q": {1.5: 1.0}}, "document must be a string or a whole number, got 1.5"),
        ({None: {}}, "got None"),
        ([Pair("q", 1.0)], "item 0 must have query_id or qid or query, doc_id"),
        (pd.DataFrame({"query_id": ["q"], "score": [1.0]}), "the table must have"),
    ],
)
def test_what_is_no_run(run: Any, words: str) -> None:
    with pytest.raises(TypeError) as error:
        as_run(run)
    assert words in str(error.value)


@pytest.mark.parametrize("grade", [0.5, float("nan"), float("inf"), "1", None, 10**10, -(10**10)])
def test_grades_that_are_none(grade: Any) -> None:
    with pytest.raises(ValueError, match="document 'd' has the"):
        as_qrels({"q": {"d": grade}})


def test_names_that_do_not_fit() -> None:
    hits = thresher.ExactIndex.build([{0: 1.0}, {0: 2.0}]).search([{0: 1.0}] * 2, k=2)
    with pytest.raises(ValueError, match="1 names for 2 rows"):
        as_run(hits, queries=["q"])
    with pytest.raises(ValueError, match="'q' is twice"):
        as_run(hits, queries=["q", "q"])
    with pytest.raises(ValueError, match="there are 1, and the run has the id 1"):
        as_run(hits, documents=["a"])
    with pytest.raises(ValueError, match="'a' is twice among the hits of query '0'"):
        as_run(hits, documents=["a", "a"])
    with pytest.raises(TypeError, match="the run is a dict"):
        as_run(RUN, queries=["q1", "q2"])


def test_a_run_that_is_written_reads_back(tmp_path: Path) -> None:
    write_run(tmp_path / "run", {"q": {"b": 1.0, "c": 1 / 3, "a": 1.0}, "p": {"z": -1e-9}}, tag="mine")
    assert (tmp_path / "run").read_text().splitlines()[:3] == [
        "q Q0 a 1 1.0 mine",
        "q Q0 b 2 1.0 mine",
        "q Q0 c 3 0.3333333333333333 mine",
    ]
    assert as_run(tmp_path / "run") == {"q": {"b": 1.0, "c": 1 / 3, "a": 1.0}, "p": {"z": -1e-9}}
    with pytest.raises(ValueError, match="document id 'a b'"):
        write_run(tmp_path / "run", {"q": {"a b": 1.0}})
    assert as_run(tmp_path / "run")["p"] == {"z": -1e-9}  # the old one is there still
