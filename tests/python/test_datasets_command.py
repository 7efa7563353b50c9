from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thresher import datasets
from thresher.formats import bigann

COMMAND = Path(__file__).parents[2] / "benchmarks" / "datasets.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, COMMAND, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not COMMAND.exists(), reason="benchmarks/ is not here")
def test_generate_fit_check_and_fetch(tmp_path: Path) -> None:
    pytest.importorskip("tqdm")
    made = run("generate", "--docs", "300", "--queries", "20", "--seed", "3", tmp_path)
    assert made.stdout.split() == [str(tmp_path / "base.csr"), str(tmp_path / "queries.csr")], made.stderr
    base, queries, model = tmp_path / "base.csr", tmp_path / "queries.csr", tmp_path / "model.npz"
    expected = datasets.generate(datasets.Model.shipped(), 20, kind="queries", seed=3)
    assert np.array_equal(bigann.read_csr(queries).data, expected.data)
    fitted = run("fit", base, queries, model, "--topics", "3", "--no-calibrate")
    assert str(datasets.Sharing()) in fitted.stdout, fitted.stderr
    assert datasets.Model.load(model).n_topics <= 3
    checked = run("check", base, queries, "--docs", "100", "--model", model)
    assert "recall@10, cluster_budget 25" in checked.stdout, checked.stderr
    assert checked.returncode == ("FAIL" in checked.stdout)
    missing = run("fetch", "base_small", tmp_path, "--source", tmp_path)
    assert missing.returncode == 1
    assert missing.stderr.startswith(f"error: neither {tmp_path / 'base_small.csr'} nor ")
