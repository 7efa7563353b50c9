"""The engines that the benchmarks compare, each set up as one who knows it well would.

A search is timed as the calls that `calls` returns: one for a whole batch, or one for each query where that
is how the library works. Queries are converted before the clock starts, ids are read after it stops.
"""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from copy import copy
from functools import partial
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

import thresher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt
    from scipy import sparse

    Vector: TypeAlias = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]


class UnsuitableError(ValueError):
    """A library can't answer such queries."""


class Engine(ABC):
    """One library, searching on one thread."""

    name: ClassVar[str]
    distribution: ClassVar[str]
    """The package that installs it."""

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

    @abstractmethod
    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        """Return the calls that answer all queries; raise UnsuitableError if the library can't."""

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
        """Return what the index takes, or None: measure how much a fresh process grows by it."""
        return None

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of what outlives the object."""


class Saved(Engine):
    """A library whose index can be written to a file, which is what its size is measured by."""

    index: Any = None

    def save(self, path: Path) -> None:
        """Write the index to a file of this name, or one that begins with it."""
        self.index.save(str(path))


class Thresher(Saved):
    """thresher's ExactIndex, a batch a call."""

    name = "exact"
    distribution = "thresher"

    index: thresher.Index
    search: ClassVar[dict[str, Any]] = {}

    @classmethod
    def version(cls) -> str:
        return thresher.__version__

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = thresher.ExactIndex.build(docs)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [partial(self.index.search, queries, k, threads=1, **self.search)]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([row for hits in answers for row in np.atleast_2d(hits.ids)], k)

    def others(self) -> list[Engine]:
        return [OneACall(self)]

    def index_bytes(self) -> int:
        return sum(self.index.nbytes.values())


class BlockMax(Thresher):
    """thresher's BlockMaxIndex, a batch a call: exact, or with the search parameters given."""

    name = "block-max"

    def __init__(self, **search: float) -> None:
        self.search = search  # type: ignore[misc]

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = thresher.BlockMaxIndex.build(docs)


class Clustered(Thresher):
    """thresher's ClusteredIndex, a batch a call: its defaults, or with the search parameters given."""

    name = "clustered"

    def __init__(self, **search: float) -> None:
        self.search = search  # type: ignore[misc]

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = thresher.ClusteredIndex.build(docs)


class Graph(Thresher):
    """thresher's GraphIndex, a batch a call: its defaults, or with the search parameters given."""

    name = "graph"

    def __init__(self, **search: float) -> None:
        self.search = search  # type: ignore[misc]

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = thresher.GraphIndex.build(docs)


class Impact(Thresher):
    """thresher's ImpactIndex, a batch a call: to the exact end, or with the search parameters given."""

    name = "impact"

    def __init__(self, **search: float) -> None:
        self.search = search  # type: ignore[misc]

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = thresher.ImpactIndex.build(docs)


class Postings(Thresher):
    """thresher's PostingsIndex, a batch a call: the algorithm of its choice, or the one given."""

    name = "postings"

    ALGORITHMS: ClassVar = ("maxscore", "wand", "block_max_maxscore", "block_max_wand")

    def __init__(self, algorithm: str | None = None) -> None:
        if algorithm is not None:
            self.name = f"postings {algorithm}"  # type: ignore[misc]
            self.search = {"algorithm": algorithm}  # type: ignore[misc]

    def searching(self, algorithm: str) -> Postings:
        """Return the same index, searched otherwise."""
        other = Postings(algorithm)
        other.index = self.index
        return other

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = thresher.PostingsIndex.build(docs)

    def others(self) -> list[Engine]:
        return [OneACall(engine) for engine in (self, *map(self.searching, self.ALGORITHMS))]


class OneACall(Thresher):
    """An index that is built, one query a call."""

    def __init__(self, built: Thresher) -> None:
        self.name = f"{built.name}, one a call"  # type: ignore[misc]
        self.index = built.index
        self.search = built.search  # type: ignore[misc]

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [
            partial(self.index.search_one, terms.astype(np.uint32), weights, k, **self.search)
            for terms, weights in vectors(queries)
        ]

    def others(self) -> list[Engine]:
        return []


class Sindi(Saved):
    """SINDI of the VSAG library: nothing pruned, nothing quantised, one query a call.

    `use_term_lists_heap_insert` is not left at its default: candidates are then picked by a scan of the
    window's scores instead of a second walk over the posting lists. That is as exact, and half again as fast
    where lists are as long as those of learned vectors. With `use_quantization`, weights would be 8 bits and
    recall 0.96.
    """

    name = "sindi"
    distribution = "pyvsag"

    BUILD: ClassVar = {"doc_prune_ratio": 0.0, "use_reorder": False, "use_quantization": False}
    SEARCH: ClassVar = {
        "query_prune_ratio": 0.0,
        "term_prune_ratio": 0.0,
        "use_term_lists_heap_insert": False,
    }

    def __init__(self, build: dict[str, Any] | None = None) -> None:
        self.library: Any = import_module("pyvsag")
        self.parameters = {**self.BUILD, **(build or {})}
        self.search: dict[str, Any] = self.SEARCH

    def searching(self, search: dict[str, Any]) -> Sindi:
        """Return the same index, searched otherwise."""
        other = copy(self)
        other.search = {**self.SEARCH, **search}
        return other

    def build(self, docs: sparse.csr_matrix) -> None:
        n_docs, n_terms = docs.shape
        build = {**self.parameters, "term_id_limit": n_terms}
        parameters = {"dtype": "sparse", "metric_type": "ip", "dim": n_terms, "index_param": build}
        self.index = self.library.Index("sindi", json.dumps(parameters))
        arrays = docs.indptr.astype(np.uint32), docs.indices.astype(np.uint32), docs.data
        self.index.build(*arrays, np.arange(n_docs, dtype=np.int64))

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        search = json.dumps({"sindi": self.search})
        return [
            partial(self.index.knn_search, length(terms), terms.astype(np.uint32), weights, k, search)
            for terms, weights in vectors(queries)
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([found[0] for found, _ in answers], k)


class Seismic(Saved):
    """Seismic's raw index, one query a call: the build parameters given, its own defaults for the others."""

    name = "seismic"
    distribution = "pyseismic-lsr"

    SEARCH: ClassVar = {"query_cut": 10, "heap_factor": 0.8}

    def __init__(self, build: dict[str, Any] | None = None) -> None:
        self.library: Any = import_module("seismic")
        self.parameters = build or {}
        self.search: dict[str, Any] = self.SEARCH

    def searching(self, search: dict[str, Any]) -> Seismic:
        """Return the same index, searched otherwise."""
        other = copy(self)
        other.search = {**self.SEARCH, **search}
        return other

    def build(self, docs: sparse.csr_matrix) -> None:
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(np.uint32(docs.shape[0]).tobytes())
            for terms, weights in vectors(docs):
                file.write(np.uint32(terms.size).tobytes() + terms.astype(np.uint32).tobytes() + weights.tobytes())
            file.flush()
            self.index = self.library.SeismicIndexRaw.build(file.name, **self.parameters)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        cut, factor = self.search["query_cut"], self.search["heap_factor"]
        return [
            partial(self.index.search, terms.astype(np.int32), weights, k, cut, factor, 0, True)
            for terms, weights in vectors(queries)
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[doc for _, doc in found] for found in answers], k)


class Kannolo(Saved):
    """kANNolo's HNSW, a batch a call: weights as they are, or `packed` into 8 bits.

    Its batch call is the faster one, though by little, and on one thread a plain loop. `permuted` stores similar
    documents side by side. `early_exit_threshold` is the lambda of its distance-adaptive termination: the greater, the
    further a search goes on beyond `ef_search`.
    """

    name = "kannolo"
    distribution = "kannolo"

    BUILD: ClassVar = {"m": 32, "ef_construction": 200, "graph_type": "permuted"}
    SEARCH: ClassVar = {"ef_search": 100}

    def __init__(self, *, packed: bool = False) -> None:
        library: Any = import_module("kannolo")
        self.kind: Any = library.SparseDotPacking8HNSW if packed else library.SparsePlainHNSW
        self.search: dict[str, Any] = self.SEARCH

    def searching(self, search: dict[str, Any]) -> Kannolo:
        """Return the same index, searched otherwise."""
        other = copy(self)
        other.search = {**self.SEARCH, **search}
        return other

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = self.kind.build_from_arrays(*self.arrays(docs), **self.BUILD)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [partial(self.index.batch_search, *self.arrays(queries), k, num_threads=1, **self.search)]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        if any(ids.size % k for _, ids in answers):
            raise ValueError("kANNolo has found fewer documents than asked for")
        return np.concatenate([ids.reshape(-1, k).astype(np.int64) for _, ids in answers])

    @staticmethod
    def arrays(matrix: sparse.csr_matrix) -> tuple[npt.NDArray[Any], ...]:
        """Return terms, weights and where rows start, in the types that it takes."""
        return matrix.indices.astype(np.int32), matrix.data.astype(np.float32), matrix.indptr.astype(np.int64)


class Qdrant(Engine):
    """Qdrant's embedded edge: a sparse index in memory, in one segment, searched by one thread, one a call.

    Its inverted index is exact with the `exact` flag and without it; its batch call is no faster.
    """

    name = "qdrant"
    distribution = "qdrant-edge-py"

    VECTOR: ClassVar = "terms"
    BATCH: ClassVar = 1_000
    SEGMENT_KB: ClassVar = 100_000_000  # no collection reaches it, so that no search has to merge segments

    def __init__(self) -> None:
        self.library: Any = import_module("qdrant_edge")
        self.folder = tempfile.TemporaryDirectory(prefix="thresher-qdrant-")
        self.shard: Any = None

    def build(self, docs: sparse.csr_matrix) -> None:
        q = self.library
        config = q.EdgeConfig(
            sparse_vectors={self.VECTOR: q.EdgeSparseVectorParams()},
            optimizers=q.EdgeOptimizersConfig(default_segment_number=1, max_segment_size=self.SEGMENT_KB),
            max_search_threads=1,
            wal_enabled=False,
        )
        self.shard = q.EdgeShard.create(self.folder.name, config)
        for start in range(0, docs.shape[0], self.BATCH):
            rows = enumerate(vectors(docs[start : start + self.BATCH]), start)
            points = [q.Point(row, {self.VECTOR: q.SparseVector(*as_lists(pair))}) for row, pair in rows]
            self.shard.update(q.UpdateOperation.upsert_points(points))
        self.shard.optimize()
        self.shard.flush()

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        q = self.library
        exact = q.SearchParams(exact=True)
        wanted = (q.SparseVector(*as_lists(pair)) for pair in vectors(queries))
        return [
            partial(
                self.shard.search,
                q.SearchRequest(q.Query.Nearest(vector, using=self.VECTOR), k, params=exact),
            )
            for vector in wanted
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[point.id for point in answer] for answer in answers], k)

    def close(self) -> None:
        if self.shard is not None:
            self.shard.close()
        self.folder.cleanup()


class SparseDotTopn(Engine):
    """sparse-dot-topn: a sparse matrix product that keeps the best of each row, a batch a call."""

    name = "sparse-dot-topn"
    distribution = "sparse-dot-topn"

    def __init__(self) -> None:
        self.library: Any = import_module("sparse_dot_topn")
        self.columns: Any = None

    def build(self, docs: sparse.csr_matrix) -> None:
        self.columns = docs.T.tocsr()  # or every call would do it

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        multiply = self.library.sp_matmul_topn
        return [partial(multiply, queries, self.columns, top_n=k, sort=True, n_threads=1)]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        (best,) = answers
        return padded(np.split(best.indices, best.indptr[1:-1]), k)


class Bmp(Engine):
    """BMP, block-max pruning of its authors: blocks of 16, alpha = beta = 1, one query a call.

    It quantises documents and queries, so that its exact search is of other scores than those of the vectors given.
    """

    name = "bmp"
    distribution = "bmp"

    BLOCK: ClassVar = 16
    SCALE: ClassVar = 100  # integer weights, as its own retriever makes them

    def __init__(self) -> None:
        self.library: Any = import_module("bmp")
        self.folder = tempfile.TemporaryDirectory(prefix="thresher-bmp-")
        self.searcher: Any = None

    def build(self, docs: sparse.csr_matrix) -> None:
        path = f"{self.folder.name}/index.bmp"
        indexer = self.library.Indexer(path, bsize=self.BLOCK, compress_range=False)
        for row, (terms, weights) in enumerate(vectors(docs)):
            codes = np.maximum(np.rint(weights * self.SCALE), 1).astype(int).tolist()
            indexer.add_document(str(row), dict(zip(map(str, terms.tolist()), codes, strict=True)))
        indexer.finish()
        self.searcher = self.library.Searcher(path)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        pairs = (as_lists(vector) for vector in vectors(queries))
        wanted = (dict(zip(map(str, terms), weights, strict=True)) for terms, weights in pairs)
        return [partial(self.searcher.search, query, k, 1.0, 1.0) for query in wanted]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[int(doc) for doc in found[0]] for found in answers], k)

    def close(self) -> None:
        self.folder.cleanup()


def vectors(matrix: sparse.csr_matrix) -> list[Vector]:
    """Return the terms and the weights of every row."""
    starts = matrix.indptr[1:-1]
    return list(zip(np.split(matrix.indices, starts), np.split(matrix.data, starts), strict=True))


def as_lists(vector: Vector) -> tuple[list[int], list[float]]:
    """Return a vector as Python lists."""
    terms, weights = vector
    return terms.tolist(), weights.tolist()


def length(terms: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
    """Return the indptr of a matrix of one row."""
    return np.array([0, len(terms)], np.uint32)


def padded(rows: list[Any], k: int) -> npt.NDArray[np.int64]:
    """Return rows of up to k ids as one array, the rest -1."""
    ids = np.full((len(rows), k), -1, np.int64)
    for row, found in enumerate(rows):
        ids[row, : len(found)] = found
    return ids
