"""The retrieval script of lsr-benchmark, called as its containers call it."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lsr_stand_in
import thresher
from helpers import exhaustive
from reference import Collection
from strategies import Case, learned

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "lsr-benchmark" / "thresher_retrieval.py"


@pytest.fixture(scope="module")
def case() -> Case:
    return learned(600, 30, seed=6)


@pytest.fixture
def tracker() -> lsr_stand_in.Tracker:
    return lsr_stand_in.Tracker()


@pytest.fixture
def script(tracker: lsr_stand_in.Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script's module, in a folder of its own."""
    for name, module in lsr_stand_in.modules(tracker).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("thresher_retrieval", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "thresher_retrieval", module)
    spec.loader.exec_module(module)
    return module


def place(rows: Collection, kind: str, dtype: type = np.float32) -> None:
    folder = Path("embeddings") / kind
    folder.mkdir(parents=True)
    arrays = {"data": rows.data.astype(dtype), "indices": rows.indices, "indptr": rows.indptr}
    np.savez(folder / f"{kind}-embeddings.npz", **arrays)  # type: ignore[arg-type] # numpy says a bool is among them
    (folder / f"{kind}-ids.txt").write_text("".join(f"{name(kind, row)}\n" for row in range(rows.shape[0])))


def name(kind: str, row: int) -> str:
    return f"{kind}/{row * 7 % 1000:04}"


def call(script: Any, *options: object) -> Result:
    always = ["--dataset", "tiny-example", "--embedding", "embeddings", "--output", "out/deep"]
    return CliRunner().invoke(script.main, [*always, *map(str, options)])


def lines() -> list[list[str]]:
    with gzip.open("out/deep/run.txt.gz", "rt") as run:
        return [line.split() for line in run]


@pytest.mark.parametrize("k", [10, 1000])
def test_an_exact_run_has_the_best_documents(script: Any, case: Case, k: int) -> None:
    place(case.docs, "doc")
    place(case.queries, "query")
    result = call(script, "--engine", "exact", "--k", k)
    assert result.exit_code == 0, result.output
    best = exhaustive(case.docs, case.queries, k)
    assert lines() == [
        [name("query", query), "Q0", name("doc", doc), str(rank), f"{score:.9g}", "thresher"]
        for query, (ids, scores) in enumerate(zip(*best, strict=True))
        for rank, (doc, score) in enumerate(zip(ids.tolist(), scores.tolist(), strict=True), start=1)
        if doc >= 0
    ]
    assert (best.ids < 0).any() == (k == 1000)


def test_build_and_searches_are_tracked_apart(
    script: Any, case: Case, tracker: lsr_stand_in.Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(case.docs, "doc")
    place(case.queries, "query")
    phases = []

    def noted(function: Any) -> Any:
        def call_it(*arguments: Any, **options: Any) -> Any:
            phases.append((function.__name__, tracker.phase))
            return function(*arguments, **options)

        return call_it

    for step in ("load_embeddings", "build_index", "retrieve", "write_run"):
        monkeypatch.setattr(script, step, noted(getattr(script, step)))
    assert call(script).exit_code == 0
    assert phases == [
        ("embeddings", None),
        ("embeddings", None),
        ("build_index", "index-metadata.yml"),
        ("retrieve", "retrieval-metadata.yml"),
        ("write_run", None),
    ]
    assert tracker.datasets == ["tiny-example"]
    assert sorted(path.name for path in Path("out/deep").iterdir()) == [
        "index-metadata.yml",
        "retrieval-metadata.yml",
        "run.txt.gz",
    ]


@pytest.mark.parametrize(
    ("options", "engine", "arguments", "tag"),
    [
        ([], thresher.ClusteredIndex, {}, "thresher-clustered-embeddings-10"),
        (
            ["--engine", "clustered", "--cluster-budget", 3, "--ef", 20],
            thresher.ClusteredIndex,
            {"cluster_budget": 3},
            "thresher-clustered-3-embeddings-10",
        ),
        (
            ["--engine", "graph", "--ef", 12, "--cluster-budget", 3],
            thresher.GraphIndex,
            {"ef": 12},
            "thresher-graph-12-embeddings-10",
        ),
        (["--engine", "block-max", "--threads", 1], thresher.BlockMaxIndex, {}, "thresher-block-max-embeddings-10"),
    ],
)
def test_options_reach_the_engine(
    script: Any, case: Case, tracker: lsr_stand_in.Tracker, options: list[Any], engine: Any, arguments: Any, tag: str
) -> None:
    place(case.docs, "doc")
    place(case.queries, "query")
    result = call(script, *options)
    assert result.exit_code == 0, result.output
    index = engine.build(case.docs.triple, shape=case.docs.shape)
    hits = index.search(case.queries.triple, 10, shape=case.queries.shape, **arguments)
    assert [line[2] for line in lines()] == [name("doc", row) for row in hits.ids.ravel().tolist() if row >= 0]
    assert tracker.metadata == {"actor": {"team": "reneuir-baselines"}, "tag": tag}


@pytest.mark.parametrize("options", [["--engine", "hnsw"], ["--ef", "-1"], ["--threads", "x"]])
def test_bad_options_are_refused(script: Any, options: list[str]) -> None:
    result = call(script, *options)
    assert result.exit_code == 2
    assert options[0] in result.output


def test_queries_may_have_terms_that_no_document_has(script: Any) -> None:
    docs = script.to_vectors([("a", ["3", "1"], [1.0, 2.0]), ("b", ["0"], [5.0]), ("empty", [], [])])
    queries = script.to_vectors([("x", ["9", "1"], np.array([4, 1], np.uint8)), ("y", ["9"], [1.0]), ("z", [], [])])
    index = script.build_index(docs, "exact", 10)
    assert (docs.n_terms, queries.n_terms, index.n_terms) == (4, 10, 10)
    assert script.retrieve(index, docs.ids, queries, 5, {}) == [[("a", 2.0)], [], []]


def test_integer_weights_and_terms_of_queries_alone_are_taken(script: Any) -> None:
    docs = Collection(np.array([0, 2, 3]), np.array([0, 1, 1], np.uint32), np.array([2, 1, 3], np.float32), (2, 2))
    queries = docs._replace(indices=np.array([0, 1, 7], np.uint32), shape=(2, 8))
    place(docs, "doc", np.uint8)
    place(queries, "query", np.int8)
    result = call(script, "--engine", "exact")
    assert result.exit_code == 0, result.output
    assert [line[:1] + line[2:5] for line in lines()] == [
        ["query/0000", "doc/0000", "1", "5"],
        ["query/0000", "doc/0007", "2", "3"],
    ]


def test_no_embeddings_are_no_vectors(script: Any) -> None:
    nothing = script.to_vectors([])
    assert (nothing.ids, nothing.indptr.tolist(), nothing.n_terms) == ([], [0], 0)
