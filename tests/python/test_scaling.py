"""What engines cost at several sizes: exact answers slice by slice, the powers that fit, and both commands."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import scaling
import thresher
from thresher import datasets
from thresher.formats import bigann
from thresher_bench import growth
from thresher_bench.growth import Built, Entry, Operating, fit, quantities
from thresher_bench.growth_report import report
from thresher_bench.process import WorkerError, in_time
from thresher_bench.sized import Job, build
from thresher_bench.slices import Answers, mapped, merged, shape_of_file, slices

DOCS, QUERIES, K = 1_500, 60, 5


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("scaling")
    model = datasets.Model.shipped()
    datasets.generate_to(folder / "base.csr", model, DOCS, seed=3)
    datasets.generate_to(folder / "queries.csr", model, QUERIES, kind="queries", seed=3)
    return folder / "base.csr", folder / "queries.csr"


def nothing(_: str) -> None:
    """Listen to no progress."""


# ------------------------------------------------------------------------------------------------ exact answers


@pytest.mark.parametrize(("start", "stop"), [(0, DOCS), (0, 700), (700, DOCS), (3, 4), (5, 5)])
def test_mapped_rows_are_those_of_the_file(files: tuple[Path, Path], start: int, stop: int) -> None:
    rows = mapped(files[0], start, stop)
    wanted = bigann.read_csr(files[0])[start:stop]
    assert rows.shape == wanted.shape
    np.testing.assert_array_equal(rows.indptr, wanted.indptr)
    np.testing.assert_array_equal(rows.indices, wanted.indices)
    np.testing.assert_array_equal(rows.data, wanted.data)


def test_a_truncated_file_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "cut.csr"
    path.write_bytes(files[0].read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"cut\.csr: .* bytes are not 1500 rows"):
        shape_of_file(path)


def test_collections_share_all_slices_but_the_last() -> None:
    assert slices(2_500, 1_000) == [(0, 1_000), (1_000, 2_000), (2_000, 2_500)]
    assert slices(4_000, 1_000)[:2] == slices(2_500, 1_000)[:2]
    assert slices(1_000, 1_000) == [(0, 1_000)]


def test_merged_ties_go_by_id_and_missing_hits_last() -> None:
    inf = float("inf")
    one = thresher.Hits(np.array([[4, 7, -1]]), np.array([[3.0, 1.0, -inf]], np.float32))
    other = thresher.Hits(np.array([[0, 2, -1]]), np.array([[3.0, 2.0, -inf]], np.float32))
    found = merged([other, one], [10, 0], 5)
    assert found.ids.tolist() == [[4, 10, 12, 7, -1]]
    assert found.scores.tolist() == [[3.0, 3.0, 2.0, 1.0, -inf]]


def test_answers_of_slices_are_those_of_the_whole(files: tuple[Path, Path], tmp_path: Path) -> None:
    answers = Answers(*files, QUERIES, K, tmp_path, step=400, threads=1, limit=60)
    for n_docs in (1_000, DOCS):
        found = answers.of_first(n_docs, nothing)
        docs = bigann.read_csr(files[0])[:n_docs]
        wanted = thresher.ExactIndex.build(docs).search(bigann.read_csr(files[1]), K)
        np.testing.assert_array_equal(found.ids, wanted.ids)
        np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-6)
    kept = {path.name.split("-", 2)[2] for path in tmp_path.iterdir()}
    assert kept == {"0-400.npz", "400-800.npz", "800-1000.npz", "800-1200.npz", "1200-1500.npz"}


def test_kept_answers_are_of_these_queries_alone(files: tuple[Path, Path], tmp_path: Path) -> None:
    names = set()
    for n_queries, k in ((QUERIES, K), (QUERIES - 1, K), (QUERIES, K + 1)):
        found = Answers(*files, n_queries, k, tmp_path, step=DOCS, threads=1, limit=60).of_first(300, nothing)
        assert found.ids.shape == (n_queries, k)
        names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == 3


# ---------------------------------------------------------------------------------------------------- processes


def test_a_call_in_a_process_ends_at_its_limit_or_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fresh process can import this, wherever the tests are run from.
    (tmp_path / "waiting.py").write_text("def wait(tell, path):\n    open(path)\n    while True:\n        pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    wait = importlib.import_module("waiting").wait
    with pytest.raises(WorkerError, match="FileNotFoundError"):
        in_time(60, nothing, wait, tmp_path / "missing")
    (tmp_path / "there").write_text("")
    with pytest.raises(WorkerError, match=r"0\.3 s of wait, the time limit"):
        in_time(0.3, nothing, wait, tmp_path / "there")


# ------------------------------------------------------------------------------------------------------ the fit


def test_the_fit_of_a_power_is_that_power() -> None:
    sizes = [1_000, 2_000, 5_000, 70_000]
    power = fit(sizes, [3.5 * n**0.4 for n in sizes])
    assert power is not None
    assert power.factor == pytest.approx(3.5)
    assert power.exponent == pytest.approx(0.4)
    assert power.residual == pytest.approx(0, abs=1e-9)
    assert power.at(1e9) == pytest.approx(3.5 * 1e9**0.4)
    assert power.sizes == tuple(sizes)


def test_the_residual_is_that_of_logarithms() -> None:
    # Up and down by 10% around n, so that neither exponent nor factor moves.
    sizes = [100, 1_000, 10_000, 100_000]
    power = fit(sizes, [n * off for n, off in zip(sizes, (1.1, 1 / 1.1, 1 / 1.1, 1.1), strict=True)])
    assert power is not None
    assert power.exponent == pytest.approx(1)
    assert power.factor == pytest.approx(1)
    assert power.residual == pytest.approx(np.log(1.1))


def test_one_size_or_a_zero_is_not_fitted() -> None:
    assert fit([], []) is None
    assert fit([1_000], [3.0]) is None
    assert fit([1_000, 1_000], [3.0, 4.0]) is None
    assert fit([1_000, 2_000], [0.0, 4.0]) is None


def entry(engine: str, n_docs: int, cpu_us: float = 1.0, recall: float = 0.96) -> Entry:
    built = Built(n_docs * 100, 2.0, n_docs * 0.0036, 9, 7, {"a": n_docs, "b": 3 * n_docs}, 5, 0.1, 6, 1.0)
    point = Operating(0.95, {"ef": 7}, recall, 0.01, 50, cpu_us, 1.0, 2.0, 2.0, 4.0, 1.0)
    return Entry(engine, n_docs, 2, 10, 100, {"machine": "one"}, built, [point])


def test_a_recall_that_is_missed_is_shown_and_not_fitted() -> None:
    entries = [entry("graph", 1_000, 1.0), entry("graph", 2_000, 2.0), entry("graph", 4_000, 400.0, recall=0.94)]
    quantity = next(one for one in quantities([0.95]) if one.title == "CPU a query at 0.95")
    power = growth.growth(entries, "graph", quantity)
    assert power is not None
    assert power.sizes == (1_000, 2_000)
    assert power.exponent == pytest.approx(1)
    assert "0.9400 (missed)" in "\n".join(report(entries))


def test_extrapolations_are_powers_in_their_units() -> None:
    entries = [entry("graph", 1_000), entry("graph", 2_000), entry("exact", 1_000)]
    text = "\n".join(report(entries))
    last = [line for line in text.splitlines() if line.startswith("| 1,000,000,000")]
    assert len(last) == 1  # one size is not fitted
    cells = [cell.strip() for cell in last[0].strip("|").split("|")]
    assert cells[1:5] == ["graph", "2,000", "1,000", "4"]  # 3.6 ms of CPU and 4 bytes a document


def test_the_last_entry_of_an_engine_and_size_counts(tmp_path: Path) -> None:
    failed = Entry("graph", 1_000, 2, 10, 100, {}, reason="too slow")
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join(one.line() for one in (failed, entry("exact", 500), entry("graph", 1_000))) + "\n\n")
    assert growth.read(path) == [entry("exact", 500), entry("graph", 1_000)]
    path.write_text('{"engine": "graph"}\n')
    with pytest.raises(ValueError, match=r"results\.jsonl: line 1 is no entry"):
        growth.read(path)


# ------------------------------------------------------------------------------------------------- the commands


def test_run_and_report(files: tuple[Path, Path], tmp_path: Path) -> None:
    results, work = tmp_path / "results.jsonl", tmp_path / "work"
    arguments = ["run", *map(str, files), str(results), "--sizes", f"700,{DOCS}", "--work", str(work), "-k", str(K)]
    arguments += ["--engines", "exact,clustered", "--queries", str(QUERIES), "--threads", "1", "--slice-docs", "700"]
    runner = CliRunner()
    made = runner.invoke(scaling.app, [*arguments, "--search-limit", "5", "--recall", "0.9"])
    assert made.exit_code == 0, made.output
    entries = growth.read(results)
    assert [(one.engine, one.n_docs) for one in entries] == [
        ("clustered", 700),
        ("exact", 700),
        ("clustered", DOCS),
        ("exact", DOCS),
    ]
    for one in entries:
        assert one.reason is None
        assert one.built is not None
        docs: Any = bigann.read_csr(files[0])[: one.n_docs]
        index = thresher.engines()[one.engine].build(docs)
        assert one.built.nbytes == index.nbytes
        assert one.built.nnz == docs.nnz
        assert one.built.file_bytes >= one.built.index_bytes * 0.9
        point = one.points[0]
        assert point.n_queries == QUERIES // 2
        assert point.is_met
        assert point.p50_us <= point.p99_us
        found: Any = index
        ids = found.search(bigann.read_csr(files[1])[QUERIES // 2 :], K, **point.params).ids
        best = thresher.ExactIndex.build(docs).search(bigann.read_csr(files[1])[QUERIES // 2 :], K).ids
        shared = sum(len(set(a) & set(b)) for a, b in zip(ids.tolist(), best.tolist(), strict=True))
        assert point.recall == pytest.approx(shared / best.size)
    assert not list(work.glob("*.thresher"))

    before = results.read_text()
    again = runner.invoke(scaling.app, [*arguments, "--recall", "0.9"])
    assert again.exit_code == 0
    assert results.read_text() == before

    shown = runner.invoke(scaling.app, ["report", str(results), str(tmp_path / "plots")])
    assert shown.exit_code == 0, shown.output
    assert "| 138,364,198 | clustered | 1,500 |" in shown.output
    names = {path.name for path in (tmp_path / "plots").iterdir()}
    assert {"build.png", "index.png", "mean-latency-at-0.9.png"} <= names


def test_a_build_out_of_time_is_recorded_and_can_be_tried_again(files: tuple[Path, Path], tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    failed = Entry("exact", 300, 1, K, QUERIES, {}, reason="too slow")
    results.write_text(failed.line() + "\n")
    arguments = ["run", *map(str, files), str(results), "--sizes", "300", "--work", str(tmp_path), "-k", str(K)]
    arguments += ["--engines", "exact", "--queries", str(QUERIES), "--threads", "1"]
    runner = CliRunner()
    assert runner.invoke(scaling.app, arguments).exit_code == 0
    assert growth.read(results) == [failed]
    assert runner.invoke(scaling.app, [*arguments, "--retry"]).exit_code == 0
    assert growth.read(results)[0].reason is None
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert [line["reason"] for line in lines] == ["too slow", growth.UNSEARCHED, None]


def test_a_hopeless_build_is_not_begun(files: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "graph.thresher"
    job = Job(*files, QUERIES, DOCS, "graph", 1, K, (0.9,), limit=1e-9, search_limit=5, pass_limit=5, file=path)
    with pytest.raises(TimeoutError, match="not begun"):
        build(nothing, job)  # type: ignore[arg-type]
    assert not path.exists()


@pytest.mark.parametrize(
    ("changed", "message"), [(["--sizes", "1501"], "--sizes must be from 1 to 1500"), (["--engines", "hnsw"], "'hnsw'")]
)
def test_impossible_arguments(files: tuple[Path, Path], tmp_path: Path, changed: list[str], message: str) -> None:
    arguments = ["run", *map(str, files), str(tmp_path / "r.jsonl"), "--sizes", "10", "--work", str(tmp_path)]
    made = CliRunner().invoke(scaling.app, [*arguments, *changed])
    assert made.exit_code == 1
    assert message in " ".join(made.output.split())
