from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy import sparse
from typer.testing import CliRunner

from thresher.cli.app import app
from thresher.formats import bigann


def test_equals_brute_force(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    base = sparse.csr_array(sparse.random(200, 50, density=0.2, dtype=np.float32, random_state=rng))
    queries = sparse.csr_array(sparse.random(20, 50, density=0.2, dtype=np.float32, random_state=rng))
    bigann.write_csr(tmp_path / "base.csr", base)
    bigann.write_csr(tmp_path / "queries.csr", queries)
    paths = [str(tmp_path / name) for name in ("base.csr", "queries.csr", "out.gt")]
    result = CliRunner().invoke(app, ["truth", *paths, "--k", "7", "--threads", "1"])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    truth = bigann.read_ground_truth(tmp_path / "out.gt")
    scores = (queries @ base.T).toarray()
    assert truth.ids.shape == (20, 7)
    np.testing.assert_allclose(truth.scores, np.sort(scores, axis=1)[:, :-8:-1], rtol=1e-5)
    np.testing.assert_allclose(truth.scores, np.take_along_axis(scores, truth.ids, axis=1), rtol=1e-5)


def test_json_lines_share_the_words_of_the_base(tmp_path: Path) -> None:
    base = [{"id": "a", "vector": {"x": 1, "y": 2}}, {"id": "b", "vector": {"z": 3}}]
    queries = [{"id": "q", "vector": {"z": 1, "y": 1}}]
    for name, records in (("base", base), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(record) for record in records))
    paths = [str(tmp_path / name) for name in ("base.jsonl", "queries.jsonl", "out.gt")]
    result = CliRunner().invoke(app, ["truth", *paths])
    assert result.exit_code == 0, result.output
    truth = bigann.read_ground_truth(tmp_path / "out.gt")
    assert truth.ids.shape == (1, 100)
    assert truth.ids[0, :3].tolist() == [1, 0, -1]
    assert truth.scores[0, :3].tolist() == [3, 2, -np.inf]


def test_does_not_overwrite_its_inputs(tmp_path: Path) -> None:
    base, queries = tmp_path / "base.csr", tmp_path / "queries.csr"
    for path in (base, queries):
        bigann.write_csr(path, sparse.csr_array(np.eye(3, dtype=np.float32)))
    before = base.read_bytes(), queries.read_bytes()
    for output in (base, queries):
        result = CliRunner().invoke(app, ["truth", str(base), str(queries), str(output)])
        assert result.exit_code != 0
        assert (base.read_bytes(), queries.read_bytes()) == before


def test_words_are_an_error_where_documents_have_none(tmp_path: Path) -> None:
    bigann.write_csr(tmp_path / "base.csr", sparse.csr_array(np.eye(3, dtype=np.float32)))
    (tmp_path / "queries.jsonl").write_text('{"id": "q", "vector": {"1": 1, "cat": 1}}\n')
    paths = [str(tmp_path / name) for name in ("base.csr", "queries.jsonl", "out.gt")]
    result = CliRunner().invoke(app, ["truth", *paths])
    assert result.exit_code == 1
    assert "line 1: term 'cat' is not a column's number, and the documents have no words" in result.stderr
    assert not (tmp_path / "out.gt").exists()
