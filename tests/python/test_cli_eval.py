from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

from thresher.cli.app import app
from thresher.formats import bigann, trec

DOCS = np.array([[1.5, 0, 2, 0], [0, 0.25, 0, 0], [0.5, 0, 0, 3]], dtype=np.float32)
QUERIES = np.array([[2, 0, 0, 0], [0, 1, 0, 0], [0, 4, 0, 1]], dtype=np.float32)
# best first: 0 2, 1, 2 1


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Documents and queries with words and ids, judgements, a run and an index, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name, prefix, rows in (("docs", "d", DOCS), ("queries", "q", QUERIES)):
        vectors = [{f"w{c}": float(w) for c, w in enumerate(row) if w} for row in rows]
        records = [{"id": f"{prefix}{number}", "vector": vector} for number, vector in enumerate(vectors)]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    Path("qrels").write_text("q0 0 d2 1\nq1 0 d1 1\nq2 0 d2 1\n")
    invoked("build", "docs.jsonl", "docs.thresher")
    invoked("search", "docs.thresher", "queries.jsonl", "--format", "trec", "-o", "run")
    return tmp_path


def invoked(*arguments: str, stdin: bytes | None = None) -> Any:
    result = CliRunner().invoke(app, arguments, input=stdin)
    assert result.exit_code == 0, result.output
    return result


def test_a_run(files: Path) -> None:
    shown = invoked("eval", "run", "qrels", "-m", "RR@10", "-m", "P@1").stdout
    assert [line.split() for line in shown.splitlines()] == [
        ["RR@10", "P@1"],
        ["run", "0.8333", "0.6667"],
        ["3", "queries"],
    ]
    assert "nDCG@10" in invoked("eval", "run", "qrels").stdout


def test_standard_input_is_a_run_or_judgements(files: Path) -> None:
    wanted = invoked("eval", "run", "qrels").stdout.split()[3:]
    for arguments, stdin in ((["-", "qrels"], "run"), (["run", "-"], "qrels")):
        assert invoked("eval", *arguments, stdin=Path(stdin).read_bytes()).stdout.split()[3:] == wanted
    assert CliRunner().invoke(app, ["eval", "-", "-"], input="").exit_code == 2


def test_runs_are_compared_with_the_first(files: Path) -> None:
    qrels = {f"q{query}": {"right": 1} for query in range(9)}
    Path("qrels").write_text("".join(f"{query} 0 right 1\n" for query in qrels))
    for name, place in (("worse", 3), ("better", 1)):
        found = {"right": 5.0 - place, "x": 3.5, "y": 2.5}
        Path(name).write_text("".join(trec.scored_lines(dict.fromkeys(qrels, found))))
    lines = invoked("eval", "worse", "better", "qrels", "-m", "RR@10", "-m", "R@5").stdout.splitlines()
    assert lines[2].split() == ["better", "1.0000*", "1.0000"]
    assert lines[1].split() == ["worse", "0.3333", "1.0000"]
    assert lines[4] == "* differs from worse, p <= 0.05: paired t test, correction holm over 2"
    options = ["--baseline", "better", "--test", "randomisation", "--correction", "bonferroni", "--level", "0.001"]
    lines = invoked("eval", "worse", "better", "qrels", "-m", "RR@10", *options).stdout.splitlines()
    assert lines[1].split() == ["worse", "0.3333"]  # 2 of 512 ways are as far
    assert lines[4] == "* differs from better, p <= 0.001: randomisation test, correction bonferroni over 1"


@pytest.mark.parametrize("with_docs", [True, False])
def test_engines_and_index_files(with_docs: bool, files: Path) -> None:
    docs = ["--docs", "docs.jsonl", "-e", "clustered:cluster_budget=9"] if with_docs else []
    arguments = ["-e", "docs.thresher", *docs, "--queries", "queries.jsonl", "-m", "RR@10", "--rounds", "1"]
    read = json.loads(invoked("eval", "run", "qrels", *arguments, "--format", "json").stdout)
    names = ["run", "docs.thresher"] + ["clustered:cluster_budget=9"] * with_docs
    assert [row["name"] for row in read["rows"]] == names
    for row in read["rows"]:
        assert row["means"]["RR@10"] == pytest.approx(5 / 6)
        assert row["recall"] == (None if row["name"] == "run" else 1.0)
    assert (read["k"], read["n_queries"]) == (10, 3)


def test_rows_by_number(files: Path) -> None:
    bigann.write_csr("docs.csr", sparse.csr_array(DOCS))
    bigann.write_csr("queries.csr", sparse.csr_array(QUERIES))
    Path("qrels").write_text("0 0 2 1\n1 0 1 1\n2 0 2 1\n")
    arguments = ["--docs", "docs.csr", "--queries", "queries.csr", "-e", "exact", "-m", "RR@10", "--rounds", "1"]
    assert invoked("eval", "qrels", *arguments).stdout.splitlines()[1].split()[:3] == ["exact", "0.8333", "1.0000"]


@pytest.mark.parametrize(
    ("layout", "start"), [("text", " "), ("markdown", "|  | nDCG"), ("csv", "name,"), ("json", "{")]
)
def test_layouts_and_output(layout: str, start: str, files: Path) -> None:
    shown = invoked("eval", "run", "qrels", "--format", layout).stdout
    assert shown.startswith(start)
    assert invoked("eval", "run", "qrels", "--format", layout, "-o", "out").stdout == ""
    assert Path("out").read_text() == shown


def test_queries_without_judgements_are_told(files: Path) -> None:
    Path("qrels").write_text("q0 0 d2 1\n")
    result = invoked("eval", "run", "qrels")
    assert "warning: queries without judgements are left out: 2, such as 'q1'" in result.stderr
    assert "run: 2 queries without judgements are left out" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["qrels"], 2, "a RUN before QRELS, or --engine, is needed"),
        (["qrels", "-e", "exact"], 2, "--engine takes --queries"),
        (["qrels", "-e", "exact", "--queries", "queries.jsonl"], 1, "'exact' takes --docs"),
        (["qrels", "-e", "exct", "--queries", "queries.jsonl"], 1, "'exct' names neither an engine"),
        (["run", "missing"], 1, "missing: neither a file nor a dataset"),
        (["missing", "qrels"], 1, "missing: No such file"),
        (["run", "run"], 1, "run: line 1: judgements have 4 columns"),
        (["run", "qrels", "-m", "tea@10"], 1, "'tea@10' is none that there is"),
        (["run", "qrels", "-o", "run"], 1, "would overwrite"),
        (["run", "qrels", "--test", "sign"], 2, "sign"),
        (["run", "qrels", "--baseline", "tea"], 1, "no row 'tea'"),
    ],
)
def test_what_is_wrong(arguments: list[str], code: int, words: str, files: Path) -> None:
    result = CliRunner().invoke(app, ["eval", *arguments])
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in " ".join(result.stderr.split())
    assert code == 2 or result.stderr.count("\n") == 1


def test_an_index_of_other_words_is_refused(files: Path) -> None:
    Path("other.jsonl").write_text('{"id": "d0", "vector": {"w3": 1, "w0": 2}}\n' * 1)
    invoked("build", "other.jsonl", "other.thresher")
    arguments = ["eval", "qrels", "-e", "docs.thresher", "-e", "other.thresher", "--queries", "queries.jsonl"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "other.thresher: terms have other words than those of docs.thresher" in result.stderr


def test_help_fits(files: Path) -> None:
    shown = CliRunner().invoke(app, ["eval", "-h"], env={"COLUMNS": "80"}).stdout
    assert "[RUN]... {QRELS}" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_without_the_extra_one_line_says_so(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    result = CliRunner().invoke(app, ["eval", "run", "qrels"])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert 'which the extra "evaluation" brings' in result.stderr
