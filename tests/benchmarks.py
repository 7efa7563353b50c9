"""The benchmarks end to end, as one types them, on a tiny collection: all that they say is checked against float64.

datasets.py generate, thresher truth, thresher-bench peers and report, make bigann, collection.py, collection_filters.py
and text_collection.py. Peers that are not installed must be reported as such. Needs thresher with its extra `test`, and
its commands on PATH.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread
from scipy import sparse

import thresher
from thresher._recall import TOLERANCE, Wanted
from thresher.formats import bigann

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
results_of, grids = import_module("thresher_bench.results").Results.read, import_module("thresher_bench.grids")

OURS: dict[str, Any] = dict(thresher.engines())
EXACT = "exact", "block-max", "impact", "postings", "sparse-dot-topn"  # these have a setting that loses nothing
PEERS = {"sparse-dot-topn": "sparse-dot-topn", "bmp": "bmp"}  # and what installs them

COPIES, N_DOCS, N_QUERIES, K = 3, 1_500, 60, 10  # K is no multiple of COPIES: the k-th best is tied
RECALLS = 5  # columns of the table


def run(*words: object, code: int = 0) -> str:
    """Return what a command writes to stdout."""
    done = subprocess.run([*map(str, words)], capture_output=True, check=False, text=True, cwd=ROOT)
    assert done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stderr}"
    return done.stdout


class Checked:
    """The collection, searched here with any setting, and recall by float64 scores, ties counted."""

    def __init__(self, base: Path, queries: Path) -> None:
        self.docs, self.queries = bigann.read_csr(base), bigann.read_csr(queries)
        product = self.queries.astype(np.float64) @ self.docs.astype(np.float64).T
        self.scores = product.toarray()
        self.order = np.argsort(-self.scores, axis=1, kind="stable")
        self.indexes: dict[str, Any] = {}

    def recall(self, name: str, build: dict[str, Any], search: dict[str, Any], rows: slice) -> float:
        """Return the recall of one of our engines on some of the queries."""
        if (key := name + json.dumps(build)) not in self.indexes:
            self.indexes[key] = OURS[name].build(self.docs, **build)
        ids = self.indexes[key].search(self.queries[rows], K, threads=1, **search).ids
        best = np.take_along_axis(self.scores[rows], self.order[rows, :K], axis=1)
        found = np.where(ids >= 0, np.take_along_axis(self.scores[rows], ids, axis=1), -np.inf)
        return Wanted.of(best).recall(found)


def generate(folder: Path) -> tuple[Path, Path]:
    """Return files of documents and queries: generated ones, each document several times."""
    command = sys.executable, "benchmarks/datasets.py", "generate", "--docs", N_DOCS, "--queries", N_QUERIES
    base, queries = map(Path, run(*command, folder).splitlines())
    docs = bigann.read_csr(base)
    assert docs.shape[0] == N_DOCS
    assert docs.nnz > N_DOCS
    bigann.write_csr(base, sparse.vstack([docs] * COPIES, format="csr"))
    return base, queries


def check_peers(checked: Checked, files: list[Path], folder: Path) -> int:
    """Run thresher-bench; return the number of settings."""
    results, plots, again = folder / "results.json", folder / "plots", folder / "again"
    options = "--quick", "--rounds", 1, "--libraries", ",".join([*OURS, *PEERS]), "--json", results, "--plot", plots
    table = run("thresher-bench", "peers", *files, *options)
    assert run("thresher-bench", "report", results, again) == table
    found = results_of(results)
    assert {"machine", "ISA", "versions", "documents", "queries", "k", "measured", "date"} <= found.facts.keys()
    assert [library.name for library in found.libraries] == [*OURS, *PEERS]
    lower, upper = slice(0, N_QUERIES // 2), slice(N_QUERIES // 2, N_QUERIES)
    settings, recalls = 0, set()
    page = (plots / "report.html").read_text()
    for library in found.libraries:
        row = row_of(table, f"thresher {library.title}" if library.ours else library.title)
        assert library.title in page
        if (reason := missing(library.name)) is not None:
            assert library.reason == reason, library
            assert reason in table
            continue
        assert library.reason is None, library
        assert row[:RECALLS] != ["-"] * RECALLS, row
        assert row[RECALLS - 1] != "-" or library.name not in EXACT, row
        grid = grids.quick(library.name, COPIES * N_DOCS, K)
        assert [build.settings for build in library.builds] == grid.builds
        for build in library.builds:
            assert build.reason is None
            assert min(build.seconds, build.cpu_seconds, build.saved_bytes) > 0, build
            assert [point.search for point in build.points] == grid.searches
            for point in build.points:
                assert point.reason is None
                for figures, rows in (point.tuned, lower), (point.held_out, upper):
                    if figures is None:
                        assert rows is upper
                        continue
                    if library.ours:
                        same(figures.recall, checked.recall(library.name, build.settings, point.search, rows), point)
                    assert figures.qps > 0
                    recalls.add(figures.recall)
                settings += 1
        reported = [point.held_out for build in library.builds for point in build.points if point.held_out is not None]
        assert reported
        assert all(0 < held.latency["p50"] <= held.latency["p95"] <= held.latency["p99"] for held in reported)
    assert min(recalls) < 1, "too easy a collection"
    assert (again / "report.html").read_text() == page
    assert page.count("data:image/png;base64,") == 2
    for path in (each / name for each in (plots, again) for name in ("recall-qps.png", "latency.png")):
        assert imread(path).std() > 0, f"{path} is blank"
    return settings


def row_of(table: str, title: str) -> list[str]:
    """Return what the overview has right of a library's title and version."""
    [row, *_] = [line[len(title) :] for line in table.splitlines() if line.startswith(f"{title}  ")]
    return row.split()[1:]


def missing(name: str) -> str | None:
    """Return the reason for which a library can't take part, or None."""
    if name not in PEERS:
        return None
    try:
        version(PEERS[name])
    except PackageNotFoundError:
        return f"not installed: pip install {PEERS[name]}"
    return None


def check_bigann(checked: Checked, files: list[Path], folder: Path) -> int:
    """Run `make bigann`; return the number of operating points."""
    base, queries, truth = files
    everything, points = slice(0, N_QUERIES), 0
    data = {"BASE": base, "QUERIES": queries, "REPEATS": 1}
    built = {}
    for name in OURS:
        lines = built[name] = make_bigann(**data, TRUTH=truth, ENGINE=name, THREADS=1, INDEX=folder / name)
        assert len(lines) > (name != "exact")
        for line in lines:
            assert (line["engine"], line["k"], line["threads"], line["truth"]) == (name, K, 1, "given")
            assert all(line[key] > 0 for key in ("qps", "mean_us", "p99_us", "build_s", "index_bytes")), line
            if "deadline_us" not in line["params"]:
                same(line["recall"], checked.recall(name, {}, line["params"], everything), line)
        points += len(lines)
    opened = make_bigann(QUERIES=queries, TRUTH=truth, INDEX=folder / "graph", REPEATS=1)
    assert [line["recall"] for line in opened] == [line["recall"] for line in built["graph"]], (built, opened)
    assert {line["build_s"] for line in opened} == {None}

    # The last copies are as good as the first ones, which ExactIndex returns; what scores least is wrong.
    known = bigann.read_ground_truth(truth)
    ids, scores = known.ids.copy(), known.scores.copy()
    ids = ids % N_DOCS + N_DOCS * (COPIES - 1)
    bigann.write_ground_truth(folder / "tied.gt", ids, scores)
    ids[::2], scores[::2] = checked.order[::2, -ids.shape[1] :], 1e6
    bigann.write_ground_truth(folder / "half.gt", ids, scores)
    for name, recall in ("tied.gt", 1), ("half.gt", 0.5):
        [line] = make_bigann(**data, TRUTH=folder / name, ENGINE="exact", THREADS=2)
        assert line["recall"] == recall, line
    assert not run("make", "bigann", "ENGINE=exact", code=2)
    return points


def check_collections(files: list[Path]) -> int:
    """Run the two benchmarks of collections, small enough to be exact; return the number of figures."""
    base, queries, _ = files
    common = base, queries, "--rounds", 1
    figures = figures_of(run(sys.executable, "benchmarks/collection.py", *common, "--reading", 0.5, "--peers", ""))
    assert {figure for figure, bar in figures if bar} == {
        "thresher: open 'r' after kill -9, 4,500 waiting",
        "thresher: open 'rw' after kill -9, 4,500 waiting",
        "thresher: one document upserted and found, p50",
        "thresher: a reader's p99 beside upserts, of that alone",
        "thresher: bytes after half is deleted, of a fresh one's",
    }
    told = {figure: value for (figure, _), value in figures.items()}
    assert all(value > 0 for value in told.values()), told
    assert told["thresher: search after flush, 1 segments, recall"] == told["thresher: search, recall"] == 100
    assert 50 < told["clustered: one index, recall"] <= 100
    n_docs = 2 * COPIES * N_DOCS  # half of them are copies with noise
    filters = figures_of(run(sys.executable, "benchmarks/collection_filters.py", *common, "--docs", n_docs))
    same = [value for (figure, _), value in filters.items() if figure.endswith("same hits")]
    assert same == [100] * 5, filters
    assert any(bar == "<= 3 ms at 1,000,000" for _, bar in filters), filters
    return len(figures) + len(filters)


def figures_of(table: str) -> dict[tuple[str, str], float]:
    """Return the values of a table of figures, by name and bar."""
    lines = table[table.index("\n---") :].strip().split("\n\n")[0].splitlines()[1:]
    cells = [re.split(r" {2,}", line) for line in lines]
    return {(what, "".join(bar[:1])): float(value.split()[0].replace(",", "")) for what, value, *bar in cells}


def make_bigann(**options: object) -> list[dict[str, Any]]:
    """Return the lines of the output; anything else on stdout is an error here."""
    return [json.loads(line) for line in run("make", "bigann", *(f"{k}={v}" for k, v in options.items())).splitlines()]


def same(theirs: float, ours: float, what: object) -> None:
    assert abs(theirs - ours) < 1e-9, f"recall {theirs}, but {ours} here: {what}"


def check_texts() -> None:
    """Run the benchmark of collections of texts, which compares the engines' scores itself."""
    told = run(sys.executable, "benchmarks/text_collection.py", "--docs", 300, "--queries", 20, "--rounds", 1)
    assert all(name in told for name in ("postings", "block-max", "exact", "searchable s", "one a call"))


def main() -> None:
    """Run all checks."""
    check_texts()
    with tempfile.TemporaryDirectory(prefix="thresher ") as name:  # a blank, as paths may have
        folder = Path(name)
        base, queries = generate(folder)
        checked = Checked(base, queries)
        truth = folder / "truth.gt"
        run("thresher", "truth", base, queries, truth, "--k", 2 * K)
        known = bigann.read_ground_truth(truth)
        best, found = (np.take_along_axis(checked.scores, ids, axis=1) for ids in (checked.order, known.ids))
        best = best[:, : 2 * K]
        assert np.allclose(found, best, rtol=TOLERANCE, atol=0)
        assert np.allclose(known.scores, best, rtol=TOLERANCE, atol=0)
        files = [base, queries, truth]
        settings, points = check_peers(checked, files, folder), check_bigann(checked, files, folder)
        figures = check_collections(files)
    sys.stderr.write(
        f"benchmarks: {settings} settings of thresher-bench, {points} points of make bigann, {figures} figures of"
        " collections\n"
    )


if __name__ == "__main__":
    main()
