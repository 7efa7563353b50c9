from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

from thresher.cli.app import app
from thresher.formats import bigann

DENSE = np.array([[1.5, 0, 2, 0], [0, 0.25, 0, 0], [0.5, 0, 0, 3]], dtype=np.float32)
QUERIES = np.array([[2, 0, 0, 0], [0, 0, 0, 0], [0, 4, 0, -1]], dtype=np.float32)
# scores: [3, 0, 1], [0, 0, 0], [0, 1, -3]


@pytest.fixture
def numbered(tmp_path: Path) -> tuple[str, str]:
    """An index and queries whose rows go by number."""
    bigann.write_csr(tmp_path / "docs.csr", sparse.csr_array(DENSE))
    bigann.write_csr(tmp_path / "queries.csr", sparse.csr_array(QUERIES))
    return built(tmp_path / "docs.csr"), str(tmp_path / "queries.csr")


@pytest.fixture
def named(tmp_path: Path) -> tuple[str, str]:
    """The same with names."""
    for name, prefix, rows in (("docs", "d", DENSE), ("queries", "q", QUERIES)):
        vectors = ({f"w{c}": float(w) for c, w in enumerate(row) if w} for row in rows)
        records = [{"id": f"{prefix}{number}", "vector": vector} for number, vector in enumerate(vectors)]
        records[-1]["vector"].update({"unheard": 1.0} if prefix == "q" else {})  # type: ignore[attr-defined]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return built(tmp_path / "docs.jsonl"), str(tmp_path / "queries.jsonl")


def built(source: Path) -> str:
    output = source.with_suffix(".thresher")
    result = CliRunner().invoke(app, ["build", str(source), str(output)])
    assert result.exit_code == 0, result.output
    return str(output)


def searched(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["search", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_ids_a_line_a_query(numbered: tuple[str, str]) -> None:
    assert searched(*numbered) == "0\t2\n\n1\n"


def test_k(numbered: tuple[str, str]) -> None:
    assert searched(*numbered, "--k", "1", "--threads", "2") == "0\n\n1\n"


def test_trec(numbered: tuple[str, str]) -> None:
    run = searched(*numbered, "--format", "trec", "--tag", "mine")
    assert run == "0 Q0 0 1 3.0 mine\n0 Q0 2 2 1.0 mine\n2 Q0 1 1 1.0 mine\n"


def test_json_lines(numbered: tuple[str, str]) -> None:
    lines = [json.loads(line) for line in searched(*numbered, "--format", "jsonl").splitlines()]
    assert lines == [
        {"query": 0, "hits": [{"id": 0, "score": 3.0}, {"id": 2, "score": 1.0}]},
        {"query": 1, "hits": []},
        {"query": 2, "hits": [{"id": 1, "score": 1.0}]},
    ]


def test_names_are_the_callers(named: tuple[str, str]) -> None:
    assert searched(*named) == "d0\td2\n\nd1\n"
    assert searched(*named, "--format", "trec").splitlines()[-1] == "q2 Q0 d1 1 1.0 thresher"
    last = json.loads(searched(*named, "--format", "jsonl").splitlines()[-1])
    assert last == {"query": "q2", "hits": [{"id": "d1", "score": 1.0}]}


def test_terms_that_no_document_has_are_told_on_stderr(named: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["search", *named])
    assert "1 of 4 query terms are in no document" in result.stderr


def test_output_file(numbered: tuple[str, str], tmp_path: Path) -> None:
    assert searched(*numbered, "--output", str(tmp_path / "hits")) == ""
    assert (tmp_path / "hits").read_text() == "0\t2\n\n1\n"


def test_a_failing_run_leaves_no_output_file(named: tuple[str, str], tmp_path: Path) -> None:
    arguments = [
        "search",
        *named,
        "--format",
        "trec",
        "--tag",
        "two words",
        "--output",
        str(tmp_path / "run"),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "two words" in result.stderr
    assert not (tmp_path / "run").exists()


def test_queries_narrower_than_the_index(numbered: tuple[str, str], tmp_path: Path) -> None:
    bigann.write_csr(tmp_path / "narrow.csr", sparse.csr_array(QUERIES[:, :2]))
    assert searched(numbered[0], str(tmp_path / "narrow.csr")) == "0\t2\n\n1\n"


def test_queries_wider_than_the_index(numbered: tuple[str, str], tmp_path: Path) -> None:
    bigann.write_csr(tmp_path / "wide.csr", sparse.csr_array((2, 9)))
    result = CliRunner().invoke(app, ["search", numbered[0], str(tmp_path / "wide.csr")])
    assert result.exit_code == 1
    assert "queries have 9 terms, the documents 4" in result.stderr


def beside_an_older_index(index: str, nnz: int) -> None:
    """Write the names of the documents where `thresher build` once did."""
    names = {"format": "thresher names", "version": 1, "shape": [3, 4], "nnz": nnz}
    names |= {"documents": ["d0", "d1", "d2"], "terms": ["w0", "w1", "w2", "w3"]}
    Path(f"{index}.names").write_text(json.dumps(names))


def test_names_beside_an_older_index_are_used(named: tuple[str, str], numbered: tuple[str, str]) -> None:
    index = numbered[0]  # replaced by one without names
    beside_an_older_index(index, 5)
    beside = searched(index, named[1])
    assert built(Path(index).with_name("docs.jsonl")) == index
    assert not Path(f"{index}.names").exists()
    assert searched(index, named[1]) == beside


def test_names_of_another_index_are_not_used(numbered: tuple[str, str]) -> None:
    beside_an_older_index(numbered[0], 6)
    result = CliRunner().invoke(app, ["search", *numbered])
    assert result.exit_code == 1
    assert "belongs to another index" in result.stderr


def test_from_a_shell(numbered: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "thresher.cli", "search", *numbered]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "0\t2\n\n1\n"
    assert done.stderr == ""


def test_a_reader_that_has_gone_is_no_error(numbered: tuple[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "thresher.cli", "search", *numbered]
    buffered = {
        **os.environ,
        "PYTHONUNBUFFERED": "",
    }  # so that the pipe breaks at the end, when it is flushed
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 141


def test_does_not_overwrite_its_inputs(tmp_path: Path) -> None:
    queries, index = tmp_path / "queries.csr", tmp_path / "docs.thresher"
    bigann.write_csr(queries, sparse.csr_array(np.eye(3, dtype=np.float32)))
    assert CliRunner().invoke(app, ["build", str(queries), str(index)]).exit_code == 0
    before = index.read_bytes(), queries.read_bytes()
    for output in (index, queries):
        result = CliRunner().invoke(app, ["search", str(index), str(queries), "-o", str(output)])
        assert result.exit_code != 0
        assert (index.read_bytes(), queries.read_bytes()) == before


def test_an_index_without_words_is_an_error_not_an_empty_answer(
    named: tuple[str, str], numbered: tuple[str, str]
) -> None:
    without = built(Path(numbered[0]).with_name("docs.csr"))
    result = CliRunner().invoke(app, ["search", without, named[1]])
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.match(r"error: \S+queries\.jsonl: line 1: term 'w\d' is not a column's number, and ", result.stderr)
    assert result.stderr.endswith("docs.thresher keeps no words\n")


def test_a_word_that_a_collection_of_numbers_does_not_have_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "docs.jsonl").write_text('{"id": "a", "vector": {"1": 1}}\n')
    (tmp_path / "queries.jsonl").write_text('{"id": "q", "vector": {"1": 1, "cat": 1}}\n')
    assert searched(built(tmp_path / "docs.jsonl"), str(tmp_path / "queries.jsonl")) == "a\n"


@pytest.mark.parametrize(
    "arguments", [("search", "{index}", "{queries}"), ("info", "{index}"), ("info", "{index}", "--json")]
)
def test_a_closed_standard_output_is_told_in_one_line(numbered: tuple[str, str], arguments: tuple[str, ...]) -> None:
    given = [argument.format(index=numbered[0], queries=numbered[1]) for argument in arguments]
    done = closed(">&-", *given)
    assert (done.returncode, done.stderr) == (2, "error: standard output is closed\n")


def test_commands_that_print_nothing_need_no_streams(numbered: tuple[str, str], tmp_path: Path) -> None:
    output = tmp_path / "out"
    done = closed("<&- >&- 2>&-", "search", *numbered, "--output", str(output))
    assert done.returncode == 0
    assert output.read_text() == "0\t2\n\n1\n"
    assert closed("2>&-", "search", *numbered).stdout == "0\t2\n\n1\n"


def closed(streams: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with some of its standard streams closed."""
    shell = ["sh", "-c", f'exec "$0" -m thresher "$@" {streams}', sys.executable, *arguments]
    return subprocess.run(shell, capture_output=True, text=True, check=False)
