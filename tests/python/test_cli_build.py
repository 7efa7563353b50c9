from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy import sparse
from typer.testing import CliRunner

import thresher
from thresher.cli.app import app
from thresher.formats import bigann, npz

MAPS = pa.map_(pa.int32(), pa.float32())

DENSE = np.array([[1.5, 0, 2, 0], [0, 0.25, 0, 0], [0, 0, 0, 3]], dtype=np.float32)
WORDS = [
    {"id": f"d{row}", "vector": {f"word{c}": float(w) for c, w in enumerate(v) if w}} for row, v in enumerate(DENSE)
]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The same documents as each kind of file."""
    paths = {suffix: tmp_path / f"docs.{suffix}" for suffix in ("csr", "npz", "jsonl")}
    bigann.write_csr(paths["csr"], sparse.csr_array(DENSE))
    npz.write_npz(paths["npz"], sparse.csr_array(DENSE))
    paths["jsonl"].write_text("".join(json.dumps(record) + "\n" for record in WORDS))
    return paths


@pytest.mark.parametrize("kind", ["csr", "npz"])
def test_builds_what_the_library_builds(files: dict[str, Path], tmp_path: Path, kind: str) -> None:
    output = tmp_path / "out.thresher"
    result = CliRunner().invoke(app, ["build", str(files[kind]), str(output), "--threads", "1"])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "3 documents" in result.stderr
    index = thresher.open(output)
    assert (index.engine, index.n_docs, index.n_terms, index.nnz) == ("exact", 3, 4, 4)
    np.testing.assert_array_equal(index.vectors(np.arange(3)).toarray(), DENSE)
    assert not Path(f"{output}.names").exists()


@pytest.mark.parametrize("engine", list(thresher.engines()))
def test_builds_and_searches_an_index_of_any_kind(files: dict[str, Path], tmp_path: Path, engine: str) -> None:
    output = tmp_path / "out.thresher"
    result = CliRunner().invoke(app, ["build", str(files["jsonl"]), str(output), "--engine", engine])
    assert result.exit_code == 0, result.output
    assert "3 documents" in result.stderr
    assert thresher.open(output).engine == engine
    told = CliRunner().invoke(app, ["info", str(output), "--json"])
    assert json.loads(told.stdout)["engine"] == engine
    found = CliRunner().invoke(app, ["search", str(output), str(files["jsonl"]), "-k", "1"])
    assert found.exit_code == 0, found.output
    assert found.stdout == "d0\nd1\nd2\n"


@pytest.mark.parametrize("kind", ["csr", "jsonl"])
def test_keeps_of_the_weights_what_is_asked_for(files: dict[str, Path], tmp_path: Path, kind: str) -> None:
    output = tmp_path / "out.thresher"
    for weights in ("uint8", "uint8+float"):
        done = CliRunner().invoke(app, ["build", str(files[kind]), str(output), "--weights", weights])
        assert done.exit_code == 0, done.output
        assert thresher.open(output).weights == weights
        told = CliRunner().invoke(app, ["info", str(output)]).stdout
        assert ("off by" in told) == (weights == "uint8")
    assert CliRunner().invoke(app, ["build", str(files[kind]), str(output), "--weights", "4"]).exit_code == 2


def test_the_help_lists_the_engines() -> None:
    result = CliRunner().invoke(app, ["build", "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(engine in result.stdout for engine in thresher.engines())


def test_an_index_of_json_lines_keeps_their_ids_and_words(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.thresher"
    assert CliRunner().invoke(app, ["build", str(files["jsonl"]), str(output)]).exit_code == 0
    assert not Path(f"{output}.names").exists()
    index = thresher.open(output)
    assert index.names is not None
    assert list(index.names) == ["d0", "d1", "d2"]
    assert index.words is not None
    assert list(index.words) == ["word0", "word2", "word1", "word3"]
    stored = index.vectors(np.arange(3)).toarray()
    np.testing.assert_array_equal(stored, DENSE[:, [0, 2, 1, 3]])


def test_names_beside_an_older_index_are_taken_away(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.thresher"
    for kind in ("jsonl", "csr"):
        Path(f"{output}.names").write_text("{}")
        assert CliRunner().invoke(app, ["build", str(files[kind]), str(output)]).exit_code == 0
        assert not Path(f"{output}.names").exists()


def test_an_unknown_engine_is_a_usage_error_that_lists_the_others(files: dict[str, Path], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["build", str(files["csr"]), str(tmp_path / "out"), "--engine", "steam"])
    assert result.exit_code == 2
    assert "steam" in result.stderr
    assert all(engine in result.stderr for engine in thresher.engines())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["csr", "npz", "jsonl"])
def test_documents_are_never_overwritten(files: dict[str, Path], kind: str) -> None:
    before = files[kind].read_bytes()
    result = CliRunner().invoke(app, ["build", str(files[kind]), str(files[kind])])
    assert result.exit_code == 1
    assert "would overwrite what it is made from" in result.stderr
    assert files[kind].read_bytes() == before


def test_documents_named_like_the_names_are_not_overwritten(files: dict[str, Path], tmp_path: Path) -> None:
    source = files["jsonl"].rename(tmp_path / "out.names")
    result = CliRunner().invoke(app, ["build", str(source), str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "would overwrite what it is made from" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["out", "out.names"])
def test_what_is_no_regular_file_is_never_replaced(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    result = CliRunner().invoke(app, ["build", str(files["jsonl"]), str(tmp_path / "out")])
    assert result.exit_code == 1
    assert f"{tmp_path / name}: is not a regular file" in result.stderr.replace("\n", "")
    assert (tmp_path / name).is_fifo()


def test_a_bad_file_leaves_the_old_index(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.thresher"
    assert CliRunner().invoke(app, ["build", str(files["csr"]), str(output)]).exit_code == 0
    before = output.read_bytes()
    files["csr"].write_bytes(files["csr"].read_bytes()[:-1])
    result = CliRunner().invoke(app, ["build", str(files["csr"]), str(output)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {files['csr']}: truncated")
    assert result.stderr.count("\n") == 1
    assert output.read_bytes() == before


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_parquet_and_arrow_files_with_their_ids(tmp_path: Path, kind: str) -> None:
    table = pa.table({"id": ["x", "y"], "vector": pa.array([[(1, 1.0)], [(4, 2.0), (0, 0.5)]], MAPS)})
    path = tmp_path / f"docs.{kind}"
    if kind == "parquet":
        parquet.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    output = tmp_path / "docs.thresher"
    done = CliRunner().invoke(app, ["build", str(path), str(output), "--engine", "clustered"])
    assert done.exit_code == 0, done.output
    index = thresher.open(output)
    assert index.vectors([0, 1]).toarray().tolist() == [[0, 1, 0, 0, 0], [0.5, 0, 0, 0, 2]]
    assert index.names is not None
    assert list(index.names) == ["x", "y"]
    assert index.words is None


def test_temporary_files_are_where_they_are_wanted(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "docs.thresher"
    arguments = ["build", str(files["npz"]), str(output), "--scratch"]
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "nowhere")])
    assert done.exit_code == 1
    assert "nowhere" in done.output
    assert not output.exists()
    (tmp_path / "folder").mkdir()
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "folder")])
    assert done.exit_code == 0, done.output
    assert list((tmp_path / "folder").iterdir()) == []
