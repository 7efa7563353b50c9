"""Stand-ins for what `benchmarks/bigann/entry.py` meets in the big-ann-benchmarks repository.

Written anew after that repository's `benchmark/datasets.py`, `benchmark/algorithms/base.py`, `base_runner.py`,
`definitions.py`, `benchmark/runner.py` and `neurips23/sparse/base.py`: the same names, arguments, types and order of
calls, without its downloads, containers and files of results.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp


class SparseDataset:
    """Vectors in `data/sparse/`, below the folder in which the runner was started."""

    nb = 0
    nq = 0

    def short_name(self) -> str:
        return f"SparseDataset-{self.nb}"

    def distance(self) -> str:
        return "ip"

    def search_type(self) -> str:
        return "knn"

    def data_type(self) -> str:
        return "sparse"

    def get_dataset_fn(self) -> str:
        path = Path("data/sparse/base_small.csr")
        if path.exists():
            return str(path)
        raise RuntimeError("file not found")

    def get_dataset(self) -> Any:
        raise AssertionError("for at most a million documents: dataset too large, use iterator")

    def get_data_in_range(self, start: int, end: int) -> Any:
        raise AssertionError("for dense vectors")

    def get_queries(self) -> sp.csr_matrix:
        with Path("data/sparse/queries.dev.csr").open("rb") as file:
            n_rows, n_cols, nnz = np.fromfile(file, dtype="int64", count=3)
            indptr = np.fromfile(file, dtype="int64", count=n_rows + 1)
            indices = np.fromfile(file, dtype="int32", count=nnz)
            data = np.fromfile(file, dtype="float32", count=nnz)
        assert n_rows == self.nq
        return sp.csr_matrix((data, indices, indptr), shape=(n_rows, n_cols))


class BaseSparseANN:
    name: str
    res: Any

    def track(self) -> str:
        return "sparse"

    def done(self) -> None: ...

    def fit(self, dataset: str) -> None:
        raise NotImplementedError

    def load_index(self, dataset: str) -> bool:
        raise NotImplementedError

    def index_files_to_store(self, dataset: str) -> tuple[str, str, list[str]]:
        raise NotImplementedError

    def query(self, X: Any, k: int) -> None:  # noqa: N803
        raise NotImplementedError

    def get_results(self) -> Any:
        return self.res

    def get_additional(self) -> dict[str, Any]:
        return {}

    def __str__(self) -> str:
        return self.name

    def get_memory_usage(self) -> float:
        return 0.0


class Definition(NamedTuple):
    """One build of an algorithm, and its operating points."""

    algorithm: str
    docker_tag: str
    module: str
    constructor: str
    arguments: list[Any]
    query_argument_groups: list[list[Any]]


class Outcome(NamedTuple):
    """What the runner stores of an operating point."""

    name: str
    neighbors: npt.NDArray[np.int32]


def definitions(config: dict[str, Any], dataset: str) -> list[Definition]:
    """Return what the runner makes of a `config.yaml`."""
    found = []
    for algorithm, entry in config[dataset].items():
        for group in entry["run-groups"].values():
            for arguments in json.loads(group["args"].strip()):
                base = ["ip" if argument == "@metric" else argument for argument in entry["base-args"]]
                points = [
                    point if isinstance(point, list) else [point] for point in json.loads(group["query-args"].strip())
                ]
                names = (entry["docker-tag"], entry["module"], entry["constructor"])
                found.append(Definition(algorithm, *names, [*base, arguments], points))
    return found


def run(entry: Any, definition: Definition, dataset: str, count: int, *, rebuild: bool = False) -> list[Outcome]:
    """Do what the runner does with a definition, on a new instance, and return what it would store."""
    algorithm = getattr(entry, definition.constructor)(*json.loads(json.dumps(definition.arguments)))
    described = entry.DATASETS[dataset]()
    outcomes = []
    try:
        assert algorithm.get_memory_usage() >= 0
        if rebuild or not algorithm.load_index(dataset):
            algorithm.fit(dataset)
        for arguments in definition.query_argument_groups:
            algorithm.set_query_arguments(*json.loads(json.dumps(arguments)))
            queries = described.get_queries()
            for _ in range(2):
                algorithm.query(queries, count)
                results = algorithm.get_results()
                assert results.shape[0] == queries.shape[0]
            assert algorithm.get_additional() == {}
            stored = np.empty((len(results), count), "i")
            assert results.shape == stored.shape
            stored[:] = results
            outcomes.append(Outcome(str(algorithm), stored))
    finally:
        algorithm.done()
    return outcomes


def modules(n_docs: int, n_queries: int) -> dict[str, ModuleType]:
    """Return the modules that the entry imports, for datasets of this size."""

    class Dataset(SparseDataset):
        nb = n_docs
        nq = n_queries

    names = ("benchmark", "benchmark.datasets", "neurips23", "neurips23.sparse", "neurips23.sparse.base")
    made = {name: ModuleType(name) for name in names}
    vars(made["benchmark.datasets"])["DATASETS"] = dict.fromkeys(("sparse-small", "sparse-1M", "sparse-full"), Dataset)
    vars(made["neurips23.sparse.base"])["BaseSparseANN"] = BaseSparseANN
    return made
