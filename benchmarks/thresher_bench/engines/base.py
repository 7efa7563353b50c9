"""What a library must tell to take part in a benchmark.

A search is timed as the calls that `calls` returns: one for a whole batch, or one for each query where that
is how the library works. Queries are converted before the clock starts, ids are read after it stops.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from copy import copy
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    import numpy.typing as npt
    from scipy import sparse

    Vector: TypeAlias = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]

Settings: TypeAlias = "Mapping[str, Any]"


class UnsuitableError(ValueError):
    """A library can't answer such queries."""


class Engine(ABC):
    """One library, searching on one thread.

    Parameters
    ----------
    build
        Parameters of the build beside `BUILD`, or instead of them.
    """

    name: str
    distribution: ClassVar[str]
    """The package that installs it."""
    BUILD: ClassVar[Settings] = {}
    """Parameters of every build."""
    SEARCH: ClassVar[Settings] = {}
    """Parameters of every search."""

    def __init__(self, build: Settings | None = None) -> None:
        self.parameters = {**self.BUILD, **(build or {})}
        self.search = dict(self.SEARCH)

    @classmethod
    def version(cls) -> str | None:
        """Return the installed version, or None."""
        try:
            return metadata.version(cls.distribution)
        except metadata.PackageNotFoundError:
            return None

    @abstractmethod
    def build(self, docs: sparse.csr_matrix) -> None:
        """Index documents, with as many threads as the library takes by itself."""

    def searching(self, search: Settings) -> Self:
        """Return the same index, searched with parameters beside `SEARCH`, or instead of them."""
        other = copy(self)
        other.search = {**self.SEARCH, **search}
        return other

    @abstractmethod
    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        """Return the calls that answer all queries; raise UnsuitableError if the library can't."""

    def one_a_call(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        """Return calls that answer one query each."""
        return self.calls(queries, k)

    @abstractmethod
    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        """Return the ids in the answers of all calls, (n_queries, k), padded with -1."""

    def latencies(self, answers: list[Any]) -> list[float]:  # noqa: ARG002 - most can't tell
        """Return the seconds of each query, if one call has answered all of them and they are known."""
        return []

    def others(self) -> list[Engine]:
        """Return engines that search the same index otherwise."""
        return []

    def index_bytes(self) -> int | None:
        """Return what the index takes in memory, or None: measure how much a fresh process grows by it."""
        return None

    def saved_bytes(self) -> int | None:
        """Return what the index takes when it is saved, or None if it can't be."""
        return self.index_bytes()

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of what outlives the object."""


class Saved(Engine):
    """A library whose index can be written to a file, which is what its size is measured by."""

    index: Any = None

    def save(self, path: Path) -> None:
        """Write the index to a file of this name, or one that begins with it."""
        self.index.save(str(path))

    def saved_bytes(self) -> int:
        with tempfile.TemporaryDirectory(prefix="thresher-") as folder:
            self.save(Path(folder, "index"))
            return sum(file.stat().st_size for file in Path(folder).iterdir())


class OneACall(Engine):
    """An engine that is built, one query a call."""

    def __init__(self, built: Engine) -> None:
        super().__init__()
        self.name = f"{built.name}, one a call"
        self.distribution = built.distribution  # type: ignore[misc]
        self.built = built

    def version(self) -> str | None:  # type: ignore[override]
        return self.built.version()

    def build(self, docs: sparse.csr_matrix) -> None:
        self.built.build(docs)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return self.built.one_a_call(queries, k)

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return self.built.ids(answers, k)


def vectors(matrix: sparse.csr_matrix) -> list[Vector]:
    """Return the terms and the weights of every row."""
    starts = matrix.indptr[1:-1]
    return list(zip(np.split(matrix.indices, starts), np.split(matrix.data, starts), strict=True))


def as_lists(vector: Vector) -> tuple[list[int], list[float]]:
    """Return a vector as Python lists."""
    terms, weights = vector
    return terms.tolist(), weights.tolist()


def padded(rows: list[Any], k: int) -> npt.NDArray[np.int64]:
    """Return rows of up to k ids as one array, the rest -1."""
    ids = np.full((len(rows), k), -1, np.int64)
    for row, found in enumerate(rows):
        ids[row, : len(found)] = found
    return ids
