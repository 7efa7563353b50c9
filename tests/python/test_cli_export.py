from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

import thresher
from helpers import run_python
from thresher._extras import missing
from thresher.cli.app import app
from thresher.formats import bigann, ciff

DENSE = np.array([[1.5, 0, 2, 0], [0, 0.25, 0, 0], [0, 0, 0, 3]], dtype=np.float32)


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    """An index whose rows and columns go by number."""
    bigann.write_csr(tmp_path / "docs.csr", sparse.csr_array(DENSE))
    return built(tmp_path / "docs.csr")


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """The same with names."""
    vectors = [{f"word{c}": float(w) for c, w in enumerate(row) if w} for row in DENSE]
    records = [{"id": f"d{number}", "vector": vector} for number, vector in enumerate(vectors)]
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return built(tmp_path / "docs.jsonl")


def built(source: Path) -> Path:
    run("build", source, source.with_suffix(".thresher"))
    return source.with_suffix(".thresher")


def run(*arguments: object) -> str:
    """Run a command that must not fail, and return what it printed on stderr."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    assert "search" in arguments or result.stdout == ""
    return result.stderr or result.stdout


@pytest.mark.parametrize("engine", list(thresher.engines()))
def test_an_index_of_any_kind(numbered: Path, tmp_path: Path, engine: str) -> None:
    run("build", tmp_path / "docs.csr", numbered, "--engine", engine)
    told = run("export", numbered, tmp_path / "out.ciff")
    assert "3 documents, 4 postings" in told
    assert f"a tf of 1 is a weight of {3 / 255:g}" in told
    written = ciff.read_ciff(tmp_path / "out.ciff")
    assert (written.ids, written.terms, written.scale) == (["0", "1", "2"], ["0", "1", "2", "3"], 3 / 255)
    np.testing.assert_array_equal(written.docs.toarray(), [[128, 0, 170, 0], [0, 21, 0, 0], [0, 0, 0, 255]])


def test_names_are_the_callers(named: Path, tmp_path: Path) -> None:
    run("export", named, tmp_path / "out.ciff.gz", "--bits", "4")
    written = ciff.read_ciff(tmp_path / "out.ciff.gz")
    assert (written.ids, written.terms) == (["d0", "d1", "d2"], ["word0", "word1", "word2", "word3"])
    np.testing.assert_array_equal(written.docs.toarray(), [[8, 0, 10, 0], [0, 1, 0, 0], [0, 0, 0, 15]])


def test_what_is_exported_is_searched_by_the_same_words(named: Path, tmp_path: Path) -> None:
    run("export", named, tmp_path / "out.ciff")
    again = built(tmp_path / "out.ciff")
    index = thresher.open(again)
    assert (list(index.names or []), list(index.words or [])) == (
        ["d0", "d1", "d2"],
        ["word0", "word1", "word2", "word3"],
    )
    assert run("search", again, tmp_path / "docs.jsonl", "-k", "1") == "d0\nd1\nd2\n"


def test_what_is_exported_is_searched_by_the_same_columns(tmp_path: Path) -> None:
    docs = sparse.diags_array(np.arange(1, 13, dtype=np.float32), format="csr")
    bigann.write_csr(tmp_path / "docs.csr", docs)
    run("export", built(tmp_path / "docs.csr"), tmp_path / "out.ciff")
    again = built(tmp_path / "out.ciff")
    assert thresher.open(again).words is None
    np.testing.assert_array_equal(thresher.open(again).vectors(np.arange(12)).toarray(), docs.toarray())
    assert run("search", again, tmp_path / "docs.csr").split() == [str(number) for number in range(12)]


def test_exact_answers_over_a_ciff_file(named: Path, tmp_path: Path) -> None:
    run("export", named, tmp_path / "out.ciff")
    run("truth", tmp_path / "out.ciff", tmp_path / "docs.jsonl", tmp_path / "truth.gt", "--k", "1")
    assert bigann.read_ground_truth(tmp_path / "truth.gt").ids.tolist() == [[0], [1], [2]]


def test_other_suffixes_are_usage_errors(numbered: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(numbered), str(tmp_path / "out.csr")])
    assert result.exit_code == 2
    assert ".ciff" in result.stderr
    assert not (tmp_path / "out.csr").exists()


def test_queries_are_not_read_from_ciff(numbered: Path, tmp_path: Path) -> None:
    run("export", numbered, tmp_path / "out.ciff")
    result = CliRunner().invoke(app, ["search", str(numbered), str(tmp_path / "out.ciff")])
    assert result.exit_code == 1
    assert "out.ciff: a CIFF file holds documents, not queries" in result.stderr.replace("\n", "")


def test_inputs_are_never_overwritten(numbered: Path, tmp_path: Path) -> None:
    index = numbered.rename(tmp_path / "index.ciff")
    before = index.read_bytes()
    result = CliRunner().invoke(app, ["export", str(index), str(index)])
    assert result.exit_code == 1
    assert "would overwrite what it is made from" in result.stderr
    assert index.read_bytes() == before


def test_a_damaged_file_is_told_in_one_line(numbered: Path, tmp_path: Path) -> None:
    run("export", numbered, tmp_path / "out.ciff")
    (tmp_path / "out.ciff").write_bytes((tmp_path / "out.ciff").read_bytes()[:-1])
    result = CliRunner().invoke(app, ["build", str(tmp_path / "out.ciff"), str(tmp_path / "again")])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {tmp_path / 'out.ciff'}: offset ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "again").exists()


def test_without_protobuf_one_line_says_how_to_get_it(numbered: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['google.protobuf'] = None; import thresher.cli; thresher.cli.main()"
    done = run_python(code, "export", numbered, tmp_path / "out.ciff")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == f"error: {missing('CIFF files need protobuf', 'ciff')}\n"
    assert not (tmp_path / "out.ciff").exists()
