from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy import sparse
from typer.testing import CliRunner

import thresher
from thresher.cli.app import app


@pytest.fixture
def index_path(tmp_path: Path) -> Path:
    docs = sparse.csr_array([[1.5, 0, 2], [0, 0.25, 0]], dtype="float32")
    thresher.ExactIndex.build(docs).save(tmp_path / "docs.thresher")
    return tmp_path / "docs.thresher"


def test_json_has_what_the_library_says(index_path: Path) -> None:
    result = CliRunner().invoke(app, ["info", str(index_path), "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    index = thresher.open(index_path)
    described = {**thresher.describe(index_path), "params": index.params}
    assert {name: facts[name] for name in described} == described
    assert (facts["n_docs"], facts["n_terms"], facts["nnz"]) == (2, 3, 3)
    assert facts["file_nbytes"] == index_path.stat().st_size
    assert facts["bytes_per_nonzero"] == pytest.approx(sum(index.nbytes.values()) / 3)


def test_words_and_names_are_told(index_path: Path, tmp_path: Path) -> None:
    plain = CliRunner().invoke(app, ["info", str(index_path)]).stdout
    assert "none: terms go by number" in plain
    assert "none: documents go by number" in plain
    thresher.open(index_path).with_words(["a", "b"], ["x", "y"]).save(tmp_path / "named")
    told = CliRunner().invoke(app, ["info", str(tmp_path / "named")]).stdout
    assert "of 2 terms" in told
    assert "of 2 documents" in told
    facts = json.loads(CliRunner().invoke(app, ["info", str(tmp_path / "named"), "--json"]).stdout)
    assert (facts["n_words"], facts["n_names"]) == (2, 2)


def test_tables_are_aligned_and_never_cut(index_path: Path) -> None:
    result = CliRunner().invoke(app, ["info", str(index_path)], env={"COLUMNS": "20"})
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0].split() == ["engine", "exact"]
    header = next(number for number, line in enumerate(lines) if line.startswith("section"))
    sections = thresher.describe(index_path)["sections"]
    rows = lines[header + 1 : header + 1 + len(sections)]
    assert [row.split()[0] for row in rows] == [section["name"] for section in sections]
    assert [row.split()[3] for row in rows] == [f"{section['nbytes']:,}" for section in sections]
    assert len({len(row) for row in rows}) == 1


def test_an_index_without_documents(tmp_path: Path) -> None:
    thresher.ExactIndex.build(sparse.csr_array((0, 0), dtype="float32")).save(tmp_path / "empty")
    result = CliRunner().invoke(app, ["info", str(tmp_path / "empty")])
    assert result.exit_code == 0, result.output
    assert json.loads(CliRunner().invoke(app, ["info", str(tmp_path / "empty"), "--json"]).stdout)["nnz"] == 0


def test_a_foreign_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 100)
    result = CliRunner().invoke(app, ["info", str(tmp_path / "text")])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert str(tmp_path / "text") in result.stderr
