"""The entry of the BigANN sparse track, driven as that repository's runner does."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import yaml

import thresher
import track_stand_in
from helpers import exhaustive, expect, recall
from reference import Collection
from strategies import Case, learned
from thresher.formats import bigann

FOLDER = Path(__file__).parents[2] / "benchmarks" / "bigann"
CONFIG = yaml.safe_load((FOLDER / "config.yaml").read_text())
POINTS = [(dataset, definition) for dataset in CONFIG for definition in track_stand_in.definitions(CONFIG, dataset)]
CLUSTERED = {"engine": "clustered"}


@pytest.fixture(scope="module")
def case() -> Case:
    return learned(600, 40, seed=5)


@pytest.fixture
def entry(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The entry's module, in a folder with the case's vectors where the track keeps them."""
    for name, module in track_stand_in.modules(case.docs.shape[0], case.queries.shape[0]).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    Path("data/sparse").mkdir(parents=True)
    bigann.write_csr("data/sparse/base_small.csr", matrix(case.docs))
    bigann.write_csr("data/sparse/queries.dev.csr", matrix(case.queries))
    spec = importlib.util.spec_from_file_location("neurips23.sparse.thresher.entry", FOLDER / "entry.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def matrix(rows: Collection) -> sp.csr_matrix:
    return sp.csr_matrix((rows.data, rows.indices.astype(np.int32), rows.indptr), shape=rows.shape)


def built(entry: Any, **index_params: Any) -> Any:
    algorithm = entry.Thresher("ip", index_params or CLUSTERED)
    algorithm.fit("sparse-small")
    return algorithm


def answers(algorithm: Any, entry: Any, k: int = 10, **query_args: Any) -> Any:
    algorithm.set_query_arguments(query_args)
    algorithm.query(entry.DATASETS["sparse-small"]().get_queries(), k)
    return algorithm.get_results()


@pytest.mark.parametrize(("dataset", "definition"), POINTS, ids=lambda value: getattr(value, "algorithm", value))
def test_every_operating_point_runs(
    entry: Any, case: Case, dataset: str, definition: track_stand_in.Definition
) -> None:
    outcomes = track_stand_in.run(entry, definition, dataset, 10)
    parameters = dict(definition.arguments[1])
    engine: Any = thresher.engines()[parameters.pop("engine")]
    index = engine.build(case.docs.triple, shape=case.docs.shape, **parameters)
    for outcome, (point,) in zip(outcomes, definition.query_argument_groups, strict=True):
        assert np.array_equal(outcome.neighbors, index.search(matrix(case.queries), 10, **point).ids)
    best = exhaustive(case.docs, case.queries)
    assert recall(thresher.Hits(outcomes[-1].neighbors.astype(np.int64), best.scores), best) >= 0.99
    names = [outcome.name for outcome in outcomes]
    assert len(set(names)) == len(names)


def test_the_config_is_as_the_track_wants_it(entry: Any) -> None:
    assert set(CONFIG) == set(entry.DATASETS)
    for dataset in CONFIG:
        found = track_stand_in.definitions(CONFIG, dataset)
        assert [definition.algorithm for definition in found] == ["thresher", "thresher-graph"]
        for definition in found:
            assert definition.docker_tag == "neurips23-sparse-thresher"
            assert definition.module == entry.__name__
            assert len(definition.query_argument_groups) <= 10


def test_a_second_run_loads_what_the_first_saved(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = POINTS[0][1]
    first = track_stand_in.run(entry, definition, "sparse-small", 10)
    monkeypatch.setattr(entry.Thresher, "fit", lambda *_: pytest.fail("built again"))
    second = track_stand_in.run(entry, definition, "sparse-small", 10)
    assert all(np.array_equal(a.neighbors, b.neighbors) for a, b in zip(first, second, strict=True))


def test_there_is_nothing_to_load_at_first(entry: Any) -> None:
    assert entry.Thresher("ip", CLUSTERED).load_index("sparse-small") is False


def test_an_index_of_another_build_is_not_loaded(entry: Any) -> None:
    built(entry)
    assert entry.Thresher("ip", CLUSTERED).load_index("sparse-small")
    assert not entry.Thresher("ip", CLUSTERED | {"cluster_size": 8}).load_index("sparse-small")
    assert not entry.Thresher("ip", {"engine": "graph"}).load_index("sparse-small")


def test_an_index_of_another_version_is_not_loaded(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    built(entry)
    monkeypatch.setattr(thresher, "__version__", "0.0.0")
    assert not entry.Thresher("ip", CLUSTERED).load_index("sparse-small")


def test_an_index_older_than_the_documents_is_not_loaded(entry: Any, capsys: pytest.CaptureFixture[str]) -> None:
    built(entry)
    later = entry.Thresher("ip", CLUSTERED)._path("sparse-small").stat().st_mtime_ns + 10**9
    os.utime("data/sparse/base_small.csr", ns=(later, later))
    assert not entry.Thresher("ip", CLUSTERED).load_index("sparse-small")
    assert "older" in capsys.readouterr().out


def test_an_index_can_be_loaded_without_the_documents(entry: Any) -> None:
    built(entry)
    Path("data/sparse/base_small.csr").unlink()
    assert entry.Thresher("ip", CLUSTERED).load_index("sparse-small")


def test_a_damaged_index_is_not_loaded(entry: Any, capsys: pytest.CaptureFixture[str]) -> None:
    built(entry)
    path = entry.Thresher("ip", CLUSTERED)._path("sparse-small")
    path.write_bytes(path.read_bytes()[:-1])
    assert not entry.Thresher("ip", CLUSTERED).load_index("sparse-small")
    assert "building anew" in capsys.readouterr().out


def test_an_index_of_other_documents_is_not_loaded(entry: Any, case: Case) -> None:
    path = entry.Thresher("ip", CLUSTERED)._path("sparse-small")
    path.parent.mkdir(parents=True)
    for index in (
        thresher.ClusteredIndex.build(case.queries.triple, shape=case.queries.shape),
        thresher.ExactIndex.build(case.docs.triple, shape=case.docs.shape),
    ):
        index.save(path)
        assert not entry.Thresher("ip", CLUSTERED).load_index("sparse-small")


def test_what_is_stored_is_what_was_saved(entry: Any) -> None:
    folder, prefix, components = built(entry, engine="graph", m=8).index_files_to_store("sparse-small")
    assert all(Path(folder + "/" + prefix + component).is_file() for component in components)
    assert Path(folder).parts[:2] == ("data", "indices")


def test_results_are_int32_and_padded(entry: Any, case: Case) -> None:
    algorithm = built(entry, engine="exact")
    ids = answers(algorithm, entry, k=2000)
    assert ids.dtype == np.int32
    assert ids.shape == (case.queries.shape[0], 2000)
    best = exhaustive(case.docs, case.queries, 2000).ids
    assert np.array_equal(ids[:, : best.shape[1]], best)
    assert (ids[:, best.shape[1] :] == -1).all()


def test_queries_may_be_wider_than_the_documents(entry: Any) -> None:
    bigann.write_csr("data/sparse/base_small.csr", sp.csr_matrix(np.tile([[3.0, 1.0], [2.0, 2.0]], (300, 1))))
    algorithm = built(entry, engine="exact")
    algorithm.query(sp.csr_matrix(np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], np.float32)), 2)
    assert algorithm.get_results().tolist() == [[0, 2], [1, 3], [-1, -1]]


def test_an_operating_point_replaces_the_one_before(entry: Any) -> None:
    algorithm = built(entry)
    wide, narrow = answers(algorithm, entry), answers(algorithm, entry, cluster_budget=1, query_cut=2)
    assert str(algorithm) == "clustered cluster_budget=1 query_cut=2"
    assert not np.array_equal(wide, narrow)
    assert np.array_equal(wide, answers(algorithm, entry))
    assert str(algorithm) == "clustered"


def test_a_build_has_its_parameters(entry: Any) -> None:
    assert built(entry, engine="graph", m=5)._index.params["m"] == 5
    algorithm = entry.Thresher("ip", {"engine": "graph", "m": 5})
    assert algorithm.load_index("sparse-small")
    assert algorithm._index.params["m"] == 5


def test_documents_must_be_as_many_as_the_dataset_has(entry: Any, case: Case) -> None:
    bigann.write_csr("data/sparse/base_small.csr", matrix(case.queries))
    with expect(ValueError, "'sparse-small'", "600", "40"):
        built(entry)


def test_a_dense_dataset_is_refused(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry.DATASETS["sparse-small"], "data_type", lambda _: "dense")
    with expect(ValueError, "sparse-small"):
        built(entry)


@pytest.mark.parametrize(
    ("metric", "parameters", "words"),
    [
        ("euclidean", CLUSTERED, ("metric", "'euclidean'")),
        ("ip", {}, ("engine", "clustered", "None")),
        ("ip", {"engine": "hnsw"}, ("engine", "graph", "'hnsw'")),
        ("ip", CLUSTERED | {"cluster_size": "../8"}, ("cluster_size", "'../8'")),
    ],
)
def test_a_bad_build_is_refused(entry: Any, metric: str, parameters: dict[str, Any], words: tuple[str, ...]) -> None:
    with expect(ValueError, *words):
        entry.Thresher(metric, parameters)


def test_calls_out_of_order_are_refused(entry: Any) -> None:
    algorithm = entry.Thresher("ip", CLUSTERED)
    with expect(RuntimeError, "fit"):
        answers(algorithm, entry)
    with expect(RuntimeError, "query"):
        algorithm.get_results()


def test_the_end_lets_the_index_go(entry: Any) -> None:
    algorithm = built(entry)
    algorithm.done()
    algorithm.done()
    with expect(RuntimeError, "fit"):
        answers(algorithm, entry)


def test_it_is_of_the_sparse_track(entry: Any) -> None:
    assert entry.Thresher("ip", CLUSTERED).track() == "sparse"
