"""Tables against what their parts give one by one: measures, recall, sizes, tests, and what they say of it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import Recorded, exhaustive, recall, search
from strategies import Case, learned
from thresher.evaluation import Table, compare, evaluate, table
from thresher.evaluation.significance import corrected_p_values

MEASURES = ["nDCG@10", "RR@10"]
ENGINES = ["exact", "clustered:cluster_budget=1", "block-max", "graph:ef=10"]


@pytest.fixture(scope="module")
def one() -> Case:
    return learned(800, 24, seed=5)


@pytest.fixture(scope="module")
def docs(one: Case) -> Any:
    return sp.csr_array(one.docs.triple[::-1], shape=one.docs.shape)


@pytest.fixture(scope="module")
def queries(one: Case) -> Any:
    return sp.csr_array(one.queries.triple[::-1], shape=one.queries.shape)


@pytest.fixture(scope="module")
def qrels(one: Case) -> dict[str, dict[str, int]]:
    """Two of the best documents of each query but the last."""
    hits = exhaustive(one.docs, one.queries, 4)
    return {f"q{row}": {f"d{ids[0]}": 2, f"d{ids[3]}": 1} for row, (ids, _) in enumerate(hits.rows()) if row < 23}


NAMES: dict[str, Any] = {
    "query_ids": [f"q{row}" for row in range(24)],
    "doc_ids": [f"d{document}" for document in range(800)],
}


@pytest.fixture(scope="module")
def made(docs: Any, queries: Any, qrels: Any) -> Table:
    with pytest.warns(UserWarning, match="left out: 1, such as 'q23'"):
        return table(ENGINES, qrels, MEASURES, docs=docs, queries=queries, rounds=2, **NAMES)


def test_rows_are_what_the_parts_give(made: Table, one: Case, qrels: Any) -> None:
    assert [row.name for row in made.rows] == ENGINES
    assert (made.k, made.measures, made.baseline, made.not_asked) == (10, tuple(MEASURES), "exact", 0)
    exact = exhaustive(one.docs, one.queries)
    for row in made.rows:
        engine, _, params = row.name.partition(":")
        index = thresher.engines()[engine].build(one.docs.triple, shape=one.docs.shape)
        given = {name: int(value) for name, value in [params.split("=")]} if params else {}
        hits = search(index, one.queries, 10, **given)
        asked = {f"q{number}": own for number, own in enumerate(_runs(hits)) if number < 23}
        assert row.evaluation.means == evaluate(asked, qrels, MEASURES).means
        assert row.recall == recall(hits, exact)
        assert row.nbytes == index.resident_nbytes
        assert row.p50_us is not None
        assert row.p99_us is not None
        assert 0 < row.p50_us <= row.p99_us
    assert made["exact"].recall == made["block-max"].recall == 1.0
    assert (made["clustered:cluster_budget=1"].recall or 1.0) < 0.9  # or the table would say nothing
    assert made["clustered:cluster_budget=1"].evaluation["nDCG@10"] < made["exact"].evaluation["nDCG@10"]


def _runs(hits: thresher.Hits) -> list[dict[str, float]]:
    return [{f"d{doc}": float(score) for doc, score in zip(ids, scores, strict=True)} for ids, scores in hits.rows()]


def test_p_values_are_corrected_over_the_whole_table(made: Table) -> None:
    first = made.rows[0].evaluation
    assert made.rows[0].p_values == {}
    raw, found = [], []
    for row in made.rows[1:]:
        compared = compare(first, row.evaluation, correction="none")
        raw += [compared[name].p_value for name in MEASURES]
        found += [row.p_values[name] for name in MEASURES]
    assert found == corrected_p_values(raw, "holm")
    assert min(found) < 0.05 < max(found)  # some are marked, some are not


def test_layouts(made: Table) -> None:
    text = made.to_text()
    assert repr(made) + "\n" == text
    lines = text.splitlines()
    assert lines[0].split() == ["nDCG@10", "RR@10", "recall@10", "p50", "us", "mean", "us", "p99", "us", "MB"]
    assert len({len(line) for line in lines[1:5]}) == 1  # columns are aligned
    assert lines[1].split()[:4] == ["exact", f"{made.rows[0].evaluation['nDCG@10']:.4f}", "1.0000", "1.0000"]
    assert "*" in lines[2]
    assert "*" not in lines[1]
    assert lines[5] == "23 queries"
    assert "* differs from exact, p <= 0.05: paired t test, correction holm over 6" in lines
    assert "clustered:cluster_budget=1: 1 queries without judgements are left out" in lines
    marked = made.to_markdown()
    assert marked.splitlines()[1] == "| --- |" + " ---: |" * 7
    assert "\\*" in marked.splitlines()[3]
    records = list(csv.DictReader(io.StringIO(made.to_csv())))
    for record, row in zip(records, made.rows, strict=True):
        assert record["name"] == row.name
        assert float(record["RR@10"]) == row.evaluation["RR@10"]
        assert record["RR@10 p"] == ("" if row.name == "exact" else repr(row.p_values["RR@10"]))
        assert float(record["recall@10"]) == row.recall
        assert int(record["nbytes"]) == row.nbytes
    assert made.to_pandas()["name"].tolist() == ENGINES
    read = json.loads(made.to_json())
    assert read == json.loads(json.dumps(made.to_dict()))
    assert read["rows"][1]["p_values"] == made.rows[1].p_values
    with pytest.raises(KeyError, match="no row 'tea'; there are exact, clustered"):
        made["tea"]


def test_runs_stand_in_the_same_table(docs: Any, queries: Any, qrels: Any, tmp_path: Path) -> None:
    run = {query: dict.fromkeys(grades, 1.0) for query, grades in list(qrels.items())[:20]}
    more = qrels | {"never asked": {"d1": 1}}
    asked = {"docs": docs, "queries": queries[:23], "query_ids": NAMES["query_ids"][:23], "doc_ids": NAMES["doc_ids"]}
    made = table(["exact"], more, MEASURES, runs={"mine": run}, baseline="exact", rounds=1, **asked)
    assert [row.name for row in made.rows] == ["mine", "exact"]
    assert (made["mine"].recall, made["mine"].nbytes, made["exact"].p_values) == (None, None, {})
    assert made.not_asked == 1
    lines = made.to_text().splitlines()
    assert lines[1].split()[-5:] == ["-"] * 5
    assert "1 queries with judgements were not asked and do not count" in lines
    assert "mine: 3 queries are not in it and count 0" in lines


def test_runs_alone(qrels: Any) -> None:
    run = {query: dict.fromkeys(grades, 1.0) for query, grades in qrels.items()}
    made = table([], qrels, "P@2", runs={"a": run, "b": run})
    assert made.k is None
    assert made.to_text().splitlines()[0].split() == ["P@2"]
    assert made["b"].p_values == {"P@2": 1.0}
    assert list(csv.DictReader(io.StringIO(made.to_csv())))[1] == {"name": "b", "P@2": "1.0", "P@2 p": "1.0"}


def test_files_and_indexes(docs: Any, queries: Any, qrels: Any, tmp_path: Path) -> None:
    index = thresher.ClusteredIndex.build(docs, names=NAMES["doc_ids"])
    index.save(tmp_path / "docs.thresher")
    given: list[Any] = [index, tmp_path / "docs.thresher", f"{tmp_path}/docs.thresher:cluster_budget=1"]
    made = table(given, qrels, "nDCG@10", queries=queries[:23], query_ids=NAMES["query_ids"][:23], rounds=1)
    assert [row.name for row in made.rows] == ["clustered index", *map(str, given[1:])]
    assert made.rows[0].evaluation.means == made.rows[1].evaluation.means
    assert made.rows[0].recall == made.rows[1].recall
    asked, ids = queries[:23], NAMES["query_ids"][:23]
    exact = thresher.ExactIndex.build(docs).search(asked)
    assert made.rows[2].recall == recall(index.search(asked, cluster_budget=1), exact)
    poor = table([index.with_search_params(cluster_budget=1)], qrels, queries=asked, query_ids=ids, rounds=1)
    assert poor.rows[0].recall == made.rows[2].recall  # it is no truth to itself
    assert (made.rows[2].recall or 1.0) < (made.rows[0].recall or 0.0)


def test_recall_of_compact_weights_is_by_the_full_ones(docs: Any, queries: Any, qrels: Any) -> None:
    with pytest.warns(UserWarning, match="left out"):
        made = table(["exact:weights=uint8"], qrels, docs=docs, queries=queries, rounds=1, **NAMES)
    exact, compact = (thresher.ExactIndex.build(docs, weights=weights) for weights in ("float", "uint8"))
    hits = compact.search(queries)
    found = exact.search(queries, allowed=[ids for ids, _ in hits.rows()])
    assert made.rows[0].recall == recall(found, exact.search(queries))


def test_words_and_terms_that_no_document_has() -> None:
    docs = [{"cat": 1.0, "dog": 2.0}, {"emu": 1.5}]
    made = table(["exact", "graph"], {"0": {"1": 1}}, "RR@10", docs=docs, queries=[{"emu": 1.0, "yak": 9.0}], rounds=1)
    assert [(row.evaluation["RR@10"], row.recall) for row in made.rows] == [(1.0, 1.0)] * 2
    assert [row.p_values for row in made.rows] == [{}, {}]  # one query is too few to test


class Letters:
    """An encoder whose terms are letters."""

    n_terms = 26
    fingerprint = "letters"
    config = None

    def __init__(self, power: float) -> None:
        self.power = power

    def encode_documents(self, texts: Any, *, progress: Any = None) -> Any:
        counts = np.array([[text.count(chr(97 + letter)) for letter in range(26)] for text in texts], np.float32)
        return sp.csr_array(counts**self.power)

    encode_queries = encode_documents

    def terms(self, ids: Any) -> list[str]:
        return [chr(97 + letter) for letter in ids]


def test_encoders() -> None:
    texts, asked = ["aaab", "abbb", "cc"], ["a", "b", "c"]
    qrels = {"0": {"0": 1}, "1": {"1": 1}, "2": {"2": 1}}
    encoders = {"counts": Letters(1.0), "flat": Letters(0.0)}
    made = table(["exact", "impact"], qrels, "RR@10", docs=texts, queries=asked, encoders=encoders, rounds=1)
    assert [row.name for row in made.rows] == ["counts exact", "counts impact", "flat exact", "flat impact"]
    assert made["counts exact"].evaluation["RR@10"] == 1.0
    assert made["flat exact"].evaluation["RR@10"] < 1.0
    assert {row.recall for row in made.rows} == {1.0}


def test_how_deep_it_searches(docs: Any, queries: Any, qrels: Any) -> None:
    def depth(measures: Any, **options: Any) -> Any:
        asked = {"docs": docs, "queries": queries[:2], **options}
        return table(["exact"], {"0": {"1": 1}, "1": {"1": 1}}, measures, rounds=1, **asked).k

    assert [depth("RR@5"), depth(["RR@5", "R@30"]), depth("AP"), depth("AP", k=7)] == [10, 30, 1000, 7]
    with pytest.warns(UserWarning, match="R@30 looks at 30 hits, and k is 7"):
        depth("R@30", k=7)


def test_progress(docs: Any, queries: Any) -> None:
    progress = Recorded()
    table(["exact", "impact"], {"0": {"1": 1}}, docs=docs, queries=queries[:1], rounds=3, progress=progress)
    progress.assert_rises_to(8)


@pytest.mark.parametrize(
    ("engines", "options", "error", "words"),
    [
        (["exact"], {"queries": None}, TypeError, "queries: engines take some"),
        (["exact"], {"docs": None}, ValueError, "'exact' takes docs"),
        (["exact", "exact"], {}, ValueError, "two rows are called 'exact'"),
        ([], {}, ValueError, "there are none, and no runs"),
        (["exact"], {"baseline": "tea"}, ValueError, "baseline: there is no row 'tea'; there are exact"),
        (["exact"], {"rounds": 0}, ValueError, "rounds must be >= 1"),
        (["exact"], {"test": "sign"}, ValueError, "test must be one of"),
        (["exact"], {"query_ids": ["a", "b"]}, ValueError, "2 names for 3 rows"),
        (["exact"], {"query_ids": ["a", "b", "c"]}, ValueError, "none of its 3 queries has judgements"),
        (["exact"], {"doc_ids": ["a"]}, ValueError, "documents: there are 1, and the run has the id"),
        (["clustered:cluster_budget=-1"], {}, ValueError, "'clustered:cluster_budget=-1': "),
        (["clustered:cluster_size=5"], {}, ValueError, "'clustered:cluster_size=5': "),
        ([thresher.ExactIndex.build([{0: 1.0}])], {}, ValueError, "'exact index' has 1 documents, and there are 800"),
    ],
)
def test_what_is_wrong(engines: Any, options: Any, error: type[Exception], words: str, docs: Any, queries: Any) -> None:
    given = {"docs": docs, "queries": queries[:3], "rounds": 1, **options}
    with pytest.raises(error) as caught:
        table(engines, {"0": {"1": 1}, "1": {"1": 1}, "2": {"1": 1}}, **given)
    assert words in str(caught.value)
