"""The page of ``thresher-bench``, and what the command refuses; tests/benchmarks.py runs it from vectors to a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

import thresher
from helpers import run_python
from strategies import learned
from thresher.formats import bigann
from thresher_bench.app import app
from thresher_bench.page import write_report
from thresher_bench.plots import absence
from thresher_bench.results import Build, Figures, Library, Point, Results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors and their ground truth."""
    folder = tmp_path_factory.mktemp("bench")
    case = learned(300, 20, seed=8)
    for name, part in (("base.csr", case.docs), ("queries.csr", case.queries)):
        matrix = sparse.csr_matrix((part.data, part.indices.astype(np.int32), part.indptr), shape=part.shape)
        bigann.write_csr(folder / name, matrix)
    index = thresher.ExactIndex.build(bigann.read_csr(folder / "base.csr"))
    hits = index.search(bigann.read_csr(folder / "queries.csr"), 10)
    bigann.write_ground_truth(folder / "truth.gt", hits.ids, hits.scores)
    return folder


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def drawn(tmp_path: Path, *libraries: Library) -> str:
    facts = {"machine": "<this> & that", "documents": "3 x 4", "k": "10"}
    return write_report(Results(facts, list(libraries)), tmp_path / "plots").read_text()


def library(recall: float) -> Library:
    latency = {"mean": 40.0, "p50": 30.0, "p95": 60.0, "p99": 90.0}
    figures = Figures(recall, 12345.0, [0.1], quiet=True, latency=latency)
    build = Build({}, 1.0, 2.0, 3, 4, 5_000_000, points=[Point({"ef": 7}, figures, figures)])
    return Library("fake", "Fake", ours=False, version="1", builds=[build])


def test_the_page_needs_no_other_file(tmp_path: Path) -> None:
    text = drawn(tmp_path, library(1.0))
    assert "http" not in text
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,)', text) == []
    assert text.count("data:image/png;base64,") == 2
    assert "url(" not in text
    assert "@import" not in text


def test_a_library_whose_settings_all_failed_was_not_run() -> None:
    failed = Library("bm25s", "bm25s", ours=False, builds=[Build({}, points=[Point({}, reason="no weights")])])
    assert (absence(failed), absence(library(0.4))) == ("not run", "not reached")


def test_the_page_has_the_figures_and_the_failures(tmp_path: Path) -> None:
    gone = Library("gone", "Gone", ours=True, reason="not installed: pip install <gone>")
    text = drawn(tmp_path, library(0.96), gone)
    for cell in (
        "12,345",
        "0.9600",
        "ef 7",
        "5.0",
        "not installed: pip install &lt;gone&gt;",
        "&lt;this&gt; &amp; that",
    ):
        assert cell in text


@pytest.mark.parametrize("recall", [0.0, 0.4, 1.0])
def test_a_page_of_little(tmp_path: Path, recall: float) -> None:
    assert "Fake" in drawn(tmp_path, library(recall))
    assert "nothing was measured" in drawn(tmp_path, Library("empty", "Empty", ours=False, builds=[Build({})]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--libraries", "exact,sindy"], "--libraries has sindy; there are exact, block-max"),
        (["--libraries", ","], "--libraries names none"),
        (["--cpu", "100000"], "--cpu is 100000; this process may use"),
    ],
)
def test_bad_options(folder: Path, arguments: list[str], message: str) -> None:
    code, _, err = invoke("peers", folder / "base.csr", folder / "queries.csr", *arguments)
    assert code == 1
    assert message in err


def test_bad_input(folder: Path, tmp_path: Path) -> None:
    base, queries, truth = (folder / name for name in ("base.csr", "queries.csr", "truth.gt"))
    assert "leave out either TRUTH or --docs" in invoke("peers", base, queries, truth, "--docs", 9)[2]
    assert "k = 20" in invoke("peers", base, queries, truth, "--k", 20)[2]
    assert "nowhere.csr" in invoke("peers", base, tmp_path / "nowhere.csr")[2]
    narrow = tmp_path / "narrow.csr"
    bigann.write_csr(narrow, sparse.csr_matrix(np.ones((2, 3), np.float32)))
    assert "30522 terms" in invoke("peers", base, narrow)[2]
    one = tmp_path / "one.csr"
    bigann.write_csr(one, sparse.csr_matrix(np.ones((1, 3), np.float32)))
    assert "has 1 queries" in invoke("peers", narrow, one)[2]
    (tmp_path / "other.json").write_text(json.dumps({"form": "other"}))
    assert "does not hold results" in invoke("report", tmp_path / "other.json", tmp_path)[2]


def test_thresher_does_without() -> None:
    done = run_python("import sys, thresher; print('thresher_bench' in sys.modules)")
    assert done.stdout == "False\n"
