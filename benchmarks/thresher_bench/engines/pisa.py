"""PISA, by PyTerrier's package of it."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from thresher_bench.engines.base import Engine, Settings, UnsuitableError, vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt
    from scipy import sparse


class Pisa(Engine):
    """PISA: postings of `block_simdbp`, 8-bit impacts on one scale for all terms, maxima of blocks of 64.

    A query's weight is the number of times that a term is repeated, hence a whole number: weights that are not are
    taken a hundred times as large, and rounded. Scores are sums of quantised weights, and so is the ranking.

    All queries are answered in one call. It asks for the next query when it is done with the last, and that is how
    each is timed: the repetition is part of it.
    """

    name = "pisa"
    distribution = "pyterrier-pisa"
    SEARCH: ClassVar[Settings] = {"algorithm": "maxscore"}

    # ranked_or is exhaustive, and so is ranked_or_taat, which is term-at-a-time. Not ranked_or_taat_lazy: it ignores
    # the repetition of terms.
    ALGORITHMS: ClassVar = (
        "maxscore",
        "wand",
        "block_max_maxscore",
        "block_max_wand",
        "ranked_or",
        "ranked_or_taat",
    )
    BLOCK: ClassVar = 64
    TOP: ClassVar = 255
    SCALE: ClassVar = 100

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = pisathon()
        self.folder = tempfile.TemporaryDirectory(prefix="thresher-pisa-")
        self.context: Any = None
        self.name = f"pisa {self.search['algorithm']}"

    def others(self) -> list[Engine]:
        return [self.by(algorithm) for algorithm in self.ALGORITHMS[1:]]

    def by(self, algorithm: str) -> Pisa:
        """Return the same index, searched by an algorithm."""
        other = self.searching({"algorithm": algorithm})
        other.name = f"pisa {algorithm}"
        return other

    def build(self, docs: sparse.csr_matrix) -> None:
        columns = docs.tocsc(copy=True)
        columns.sum_duplicates()
        columns.eliminate_zeros()
        columns.data = quantised(columns.data, self.TOP)
        folder = self.folder.name
        write_collection(Path(folder), columns)
        self.context = self.library.RetrievalContext()
        with silence():
            self.library.build_binlex(f"{folder}/fwd.documents", f"{folder}/fwd.doclex")
            self.library.build_binlex(f"{folder}/fwd.terms", f"{folder}/fwd.termlex")
            self.library.prepare_index(self.context, folder, "block_simdbp", "quantized", "", block_size=self.BLOCK)

    def index_bytes(self) -> int:
        files = [*Path(self.folder.name).glob("quantized.*"), *Path(self.folder.name).glob("*lex")]
        return sum(file.stat().st_size for file in files)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        if (queries.data < 0).any():
            raise UnsuitableError("it has no negative weights")
        queries = queries.copy()
        queries.eliminate_zeros()
        scale = 1 if (queries.data == np.rint(queries.data)).all() else self.SCALE
        repeated = [
            (row, dict(zip(map(name_of, terms.tolist()), np.rint(weights * scale).clip(1).tolist(), strict=True)))
            for row, (terms, weights) in enumerate(vectors(queries))
        ]
        return [partial(self._retrieve, repeated, k)]

    def _retrieve(self, queries: list[tuple[int, dict[str, float]]], k: int) -> PisaAnswer:
        rows, ranks = np.empty((2, len(queries) * k), np.int32)
        names, scores = np.empty(len(rows), object), np.empty(len(rows), np.float32)
        seconds: list[float] = []
        found = self.library.retrieve(
            self.context,
            self.search["algorithm"],
            Timed(queries, seconds),
            k=k,
            threads=1,
            pretokenised=True,
            query_weighted=1,
            result_qidxs=rows,
            result_docnos=names,
            result_ranks=ranks,
            result_scores=scores,
        )
        return PisaAnswer(len(queries), rows[:found], ranks[:found], names[:found], seconds)

    def ids(self, answers: list[PisaAnswer], k: int) -> npt.NDArray[np.int64]:
        (answer,) = answers
        ids = np.full((answer.n_queries, k), -1, np.int64)
        ids[answer.rows, answer.ranks] = answer.names.astype(np.int64)
        return ids

    def latencies(self, answers: list[PisaAnswer]) -> list[float]:
        return answers[0].seconds

    def close(self) -> None:
        self.folder.cleanup()


class PisaAnswer(NamedTuple):
    """What PISA has found: for each hit the query's row, the rank, and the document's name."""

    n_queries: int
    rows: npt.NDArray[np.int32]
    ranks: npt.NDArray[np.int32]
    names: npt.NDArray[Any]
    seconds: list[float]


class Timed:
    """Queries to iterate over, which notes the seconds between asking for one and for the next."""

    def __init__(self, queries: list[tuple[int, dict[str, float]]], seconds: list[float]) -> None:
        self.queries = queries
        self.seconds = seconds

    def __len__(self) -> int:
        return len(self.queries)

    def __iter__(self) -> Iterator[tuple[int, dict[str, float]]]:
        clock = time.perf_counter
        for query in self.queries:
            started = clock()
            yield query
            self.seconds.append(clock() - started)


def pisathon() -> Any:  # noqa: ANN401
    """Return the extension of pyterrier-pisa alone: importing the package would start PyTerrier."""
    package = find_spec("pyterrier_pisa")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("pyterrier-pisa is not installed")
    (path,) = Path(package.submodule_search_locations[0]).glob("_pisathon*.so")
    spec = spec_from_file_location("_pisathon", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not an extension")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def quantised(weights: npt.NDArray[np.float32], top: int) -> npt.NDArray[np.uint32]:
    """Return weights > 0 as whole numbers from 1 on: 0 would drop a posting."""
    greatest = float(weights.max(initial=0)) or 1.0
    return np.rint(weights.astype(np.float64) * (top / greatest)).clip(1).astype(np.uint32)


def name_of(term: int) -> str:
    """Return a term's name; the order of names is that of terms."""
    return f"t{term:010d}"


def write_collection(folder: Path, columns: sparse.csc_matrix) -> None:
    """Write a matrix of impacts as PISA's binary collection, which is what its own indexer writes."""
    n_docs = columns.shape[0]
    lengths = np.diff(columns.indptr)
    used = np.flatnonzero(lengths)  # a list may not be empty
    is_posting = np.ones(columns.nnz + len(used), bool)
    is_posting[columns.indptr[used] + np.arange(len(used))] = False
    lists = np.empty(len(is_posting), np.uint32)  # each list after its length
    lists[~is_posting] = lengths[used]
    lists[is_posting] = columns.indices
    with (folder / "inv.docs").open("wb") as file:
        np.array([1, n_docs], np.uint32).tofile(file)
        lists.tofile(file)
    lists[is_posting] = columns.data
    lists.tofile(folder / "inv.freqs")
    sizes = np.bincount(columns.indices, weights=columns.data, minlength=n_docs)
    np.concatenate([[n_docs], sizes]).astype(np.uint32).tofile(folder / "inv.sizes")
    (folder / "fwd.documents").write_text("".join(f"{doc}\n" for doc in range(n_docs)))
    (folder / "fwd.terms").write_text("".join(f"{name_of(term)}\n" for term in used.tolist()))


@contextmanager
def silence() -> Iterator[None]:
    """Send the output of this process to nowhere: PISA reports its progress on both streams."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            for stream in (1, 2):
                os.dup2(nowhere.fileno(), stream)
        yield
    finally:
        for stream, copied in enumerate(kept, 1):
            os.dup2(copied, stream)
            os.close(copied)
