"""thresher as an entry of the sparse track of big-ann-benchmarks (NeurIPS 2023).

This file, `config.yaml` and the `Dockerfile` go into `neurips23/sparse/thresher/` of that repository: README.md beside
them. Its runner makes one `Thresher` for each build in `config.yaml` and calls `load_index`, then `fit` if there was
nothing to load; for each operating point `set_query_arguments`, then `query`, which is what it times, and
`get_results`, as often as `--runs` says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmark.datasets import DATASETS
from neurips23.sparse.base import BaseSparseANN

import thresher
from thresher.formats import bigann

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy import sparse

INDICES = Path("data") / "indices" / "sparse" / "thresher"  # data/ is what a container may write to, beside results/


class Thresher(BaseSparseANN):  # type: ignore[misc] # the repository has no types
    """One index of the track's documents, by the engine and with the parameters of a build in `config.yaml`.

    Parameters
    ----------
    metric
        What the runner puts for ``@metric``: "ip" on this track.
    index_params
        "engine", a name in `thresher.engines()`, and what else its `build` takes.

    Raises
    ------
    ValueError
        If the metric is another, there is no such engine, or a parameter is not a number.
    """

    def __init__(self, metric: str, index_params: dict[str, Any]) -> None:
        if metric != "ip":
            raise ValueError(f"metric must be 'ip', got {metric!r}")
        parameters = dict(index_params)
        engine = parameters.pop("engine", None)
        if engine not in thresher.engines():
            raise ValueError(f"engine must be one of {', '.join(thresher.engines())}, got {engine!r}")
        for name, value in parameters.items():
            if not isinstance(value, (bool, int, float)):
                raise ValueError(f"{name} must be a number, got {value!r}")  # noqa: TRY004 - it is the file that is wrong
        self._engine: Any = thresher.engines()[engine]
        self._build_arguments = parameters
        self._search_arguments: dict[str, Any] = {}
        self._index: thresher.Index | None = None
        self._ids: npt.NDArray[np.int64] | None = None
        self.name = _spelled(engine, parameters)

    def __str__(self) -> str:
        """Return what the results of an operating point are stored and plotted under."""
        return _spelled(self.name, self._search_arguments)

    def fit(self, dataset: str) -> None:
        """Build the index of a dataset, and save it where `load_index` looks."""
        described = DATASETS[dataset]()
        if described.data_type() != "sparse":
            raise ValueError(f"dataset must be a sparse one, got {dataset!r}")
        indptr, indices, data, shape = bigann.read_csr_arrays(described.get_dataset_fn())
        if shape[0] != described.nb:
            raise ValueError(f"{dataset!r} must have {described.nb} documents, its file has {shape[0]}")
        self._index = self._engine.build((indptr, indices, data), shape=shape, **self._build_arguments)
        path = self._path(dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._index.save(path)

    def load_index(self, dataset: str) -> bool:
        """Open the index that an earlier run saved, and return whether there is one that still holds."""
        path = self._path(dataset)
        if not path.exists():
            return False
        described = DATASETS[dataset]()
        try:
            documents = Path(described.get_dataset_fn())
        except RuntimeError:  # the index was downloaded without the documents
            documents = path
        if documents.stat().st_mtime_ns > path.stat().st_mtime_ns:
            print(f"{path} is older than {documents}: building anew")
            return False
        try:
            index = thresher.open(path)
        except thresher.FormatError as error:
            print(f"{error}: building anew")
            return False
        if not isinstance(index, self._engine) or index.n_docs != described.nb:
            print(f"{path} is not of {described.nb} documents by {self._engine.__name__}: building anew")
            return False
        self._index = index
        return True

    def index_files_to_store(self, dataset: str) -> tuple[str, str, list[str]]:
        """Return the folder, the common prefix and the names of the files that an upload would take."""
        path = self._path(dataset)
        return str(path.parent), "", [path.name]

    def set_query_arguments(self, query_args: dict[str, Any]) -> None:
        """Take an operating point: what the engine's `search` takes beside the queries and k."""
        self._search_arguments = dict(query_args)

    def query(self, X: sparse.csr_matrix, k: int) -> None:  # noqa: N803 - the base class's name
        """Search for all queries at once, on every core."""
        if self._index is None:
            raise RuntimeError("no index: fit or load_index comes first")
        ids = self._index.search(X, k, unknown_terms="ignore", **self._search_arguments).ids
        self._ids = np.pad(ids, ((0, 0), (0, k - ids.shape[1])), constant_values=-1)

    def get_results(self) -> npt.NDArray[np.int32]:
        """Return the ids of the best documents, (n_queries, k), best first; -1 where fewer than k have a score."""
        if self._ids is None:
            raise RuntimeError("no results: query comes first")
        return self._ids.astype(np.int32)

    def done(self) -> None:
        """Let the index go."""
        if self._index is not None:
            self._index.close()
        self._index = None

    def _path(self, dataset: str) -> Path:
        """Return where the index is kept: another version of thresher, or another build, has a file of its own."""
        folder: str = DATASETS[dataset]().short_name()
        return INDICES / folder / f"{self.name.replace(' ', '-')}-{thresher.__version__}.thresher"


def _spelled(name: str, arguments: dict[str, Any]) -> str:
    return " ".join([name, *(f"{key}={value}" for key, value in sorted(arguments.items()))])
