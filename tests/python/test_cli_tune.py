from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

import thresher
from thresher.cli.app import app
from thresher.formats import bigann


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    for name, rows in (("base", 1500), ("queries", 60)):
        matrix = sparse.random(rows, 80, density=0.2, dtype=np.float32, random_state=rng)
        bigann.write_csr(tmp_path / f"{name}.csr", sparse.csr_array(matrix))
    return tmp_path


def test_saves_an_index_that_searches_by_what_was_found(folder: Path) -> None:
    base, queries, out = (str(folder / name) for name in ("base.csr", "queries.csr", "f.thresher"))
    result = CliRunner().invoke(
        app, ["tune", base, "--queries", queries, "--recall", "0.8", "--out", out, "--engine", "clustered", "-k", "5"]
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "recall@5" in result.stderr
    index = thresher.open(out)
    assert isinstance(index, thresher.ClusteredIndex)
    assert index.search_params != thresher.ClusteredIndex.build(index.vectors([0])).search_params
    info = CliRunner().invoke(app, ["info", out])
    assert f"cluster_budget = {index.search_params['cluster_budget']}" in info.stdout


def test_json_lines_keep_their_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    records = [{"id": f"d{i}", "vector": {f"w{t}": 1 + t for t in rng.choice(30, 5).tolist()}} for i in range(50)]
    (tmp_path / "base.jsonl").write_text("\n".join(json.dumps(record) for record in records))
    out = str(tmp_path / "f.thresher")
    result = CliRunner().invoke(
        app,
        [
            *("tune", str(tmp_path / "base.jsonl"), "--latency-us", "0.001", "--out", out, "--engine", "exact"),
            *("--weights", "uint8"),
        ],
    )
    assert result.exit_code == 0, result.output
    assert "the target is not met" in result.stderr
    assert thresher.open(out).weights == "uint8"
    names = thresher.open(out).names
    assert names is not None
    assert names[:2] == ["d0", "d1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "one of --recall and --latency-us"),
        (["--recall", "0.9", "--latency-us", "3"], "one of --recall and --latency-us"),
        (["--recall", "0.9", "--engine", "hnsw"], "'hnsw' is not one of exact"),
    ],
)
def test_what_is_wrong_is_told(folder: Path, options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["tune", str(folder / "base.csr"), "--out", str(folder / "f"), *options])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not (folder / "f").exists()


def test_does_not_overwrite_its_inputs(folder: Path) -> None:
    base, queries = folder / "base.csr", folder / "queries.csr"
    before = base.read_bytes(), queries.read_bytes()
    for output in (base, queries):
        options = ["--queries", str(queries), "--recall", "0.9", "--out", str(output)]
        result = CliRunner().invoke(app, ["tune", str(base), *options])
        assert result.exit_code == 1
        assert (base.read_bytes(), queries.read_bytes()) == before
