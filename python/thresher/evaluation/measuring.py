"""Searches to judge by: hits, recall against exact search, and the time of each query, of several indexes in turns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from thresher import open as open_index
from thresher._matrix import as_csr
from thresher._recall import Wanted
from thresher._words import IndexWords
from thresher.engines.exact import ExactIndex
from thresher.engines.index import Index

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._hits import Hits
    from thresher._matrix import MatrixLike
    from thresher.engines.options import Progress
    from thresher.evaluation.specs import Spec


class Plan(NamedTuple):
    """How to measure."""

    k: int
    """Hits for each query."""
    rounds: int
    """Times that each query is timed, after a search that is not."""
    threads: int
    """To build with, and to search exactly with."""
    progress: Progress | None
    """Called as ``progress(done, steps)``: a step for each index that was searched, and each that was timed once."""


class Measured(NamedTuple):
    """What was found of one index."""

    hits: Hits
    names: Sequence[str] | None
    """What the index calls its documents."""
    recall: float
    """The fraction of the best k documents that was found, ties counting as right; nan where there are none."""
    latency_us: npt.NDArray[np.float64]
    """Microseconds of CPU time of each query, one thread, one query a call: the median of the rounds."""
    nbytes: int
    """Bytes that searches go through."""


def measured(
    specs: Sequence[Spec],
    docs: MatrixLike | None,
    queries: MatrixLike,
    plan: Plan,
) -> list[Measured]:
    """Build or open indexes, ask them all the queries, and time them in turns, so that what disturbs one disturbs all.

    Parameters
    ----------
    specs
        The indexes.
    docs
        To build indexes of; None where none is built.
    queries
        Anything that `search` takes; terms that an index does not have count nothing.
    plan
        How to measure.

    Raises
    ------
    ValueError
        If indexes are not of as many documents.
    """
    indexes = list(_indexes(specs, docs, plan.threads))
    built = [index for spec, index in zip(specs, indexes, strict=True) if spec.is_built or docs is None]
    reference = _reference(built, docs, plan.threads)
    for spec, index in zip(specs, indexes, strict=True):
        if index.n_docs != reference.n_docs:
            raise ValueError(f"{spec.text!r} has {index.n_docs} documents, and there are {reference.n_docs}")
    truth = Truth(reference, _questions(reference, queries), plan.k, plan.threads)
    asked = [_questions(index, queries) for index in indexes]
    advance = _steps(plan, len(indexes))
    hits = []
    for index, matrix in zip(indexes, asked, strict=True):
        hits.append(index.search(matrix, plan.k, threads=plan.threads))
        next(advance)
    seconds = np.zeros((plan.rounds, len(indexes), asked[0].shape[0]))
    calls = [list(_calls(matrix)) for matrix in asked]
    for each in seconds:
        for index, own, taken in zip(indexes, calls, each, strict=True):
            _time(index, own, plan.k, taken)
            next(advance)
    recalls = [truth.recall(index, found) for index, found in zip(indexes, hits, strict=True)]
    latencies = 1e6 * np.median(seconds, axis=0)
    return [
        Measured(found, index.names, recall, latency, index.resident_nbytes)
        for found, index, recall, latency in zip(hits, indexes, recalls, latencies, strict=True)
    ]


def _indexes(specs: Iterable[Spec], docs: MatrixLike | None, threads: int) -> Iterator[Index]:
    """Yield the index of each spec; those that differ in how they are searched alone are built once."""
    built: dict[tuple[Any, ...], Index] = {}
    for spec in specs:
        key = (id(spec.source) if isinstance(spec.source, Index) else spec.source, *sorted(spec.build.items()))
        if key not in built:
            built[key] = _index(spec, docs, threads)
        try:
            yield built[key].with_search_params(**spec.search)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{spec.text!r}: {error}") from None


def _index(spec: Spec, docs: MatrixLike | None, threads: int) -> Index:
    if isinstance(spec.source, Index):
        return spec.source
    if not isinstance(spec.source, type):
        return open_index(spec.source)
    if docs is None:
        raise ValueError(f"{spec.text!r} takes docs, to build an index of them")
    engine: Any = spec.source
    try:
        index: Index = engine.build(docs, threads=threads, **spec.build)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{spec.text!r}: {error}") from None
    return index


def _reference(indexes: Sequence[Index], docs: MatrixLike | None, threads: int) -> Index:
    """Return what says which documents are best: full weights, searched exactly."""
    if docs is not None:
        found = next((index for index in indexes if isinstance(index, ExactIndex) and index.weights == "float"), None)
        return ExactIndex.build(docs, threads=threads) if found is None else found
    return next((index for index in indexes if index.weights != "uint8"), indexes[0])


def _questions(index: Index, queries: MatrixLike) -> sp.csr_array:
    """Return queries in the terms of an index, without those that it does not have."""
    words = IndexWords(index._live, "ignore")  # noqa: SLF001 - of this package
    indptr, indices, data, shape = as_csr(queries, name="queries", words=words)
    there = indices < index.n_terms
    places = np.concatenate([[0], np.cumsum(there)])[indptr]
    return sp.csr_array((data[there], indices[there].astype(np.int64), places), shape=(shape[0], index.n_terms))


class Truth:
    """Which documents are best for queries, as an index with the right weights says."""

    def __init__(self, index: Index, queries: sp.csr_array, k: int, threads: int) -> None:
        self._index, self._queries, self._k = index, queries, k
        self._options: dict[str, Any] = {"threads": threads, "unknown_terms": "ignore"}
        self._wanted = Wanted.of(index.search(queries, k, exact=True, **self._options).scores)

    def recall(self, index: Index, hits: Hits) -> float:
        """Return the fraction of the best documents that an index of the same vectors found."""
        if index.weights == "uint8" and index is not self._index:  # its scores are of other weights
            return self.recall_of(hits)
        return self._wanted.recall(hits.scores)

    def recall_of(self, hits: Hits) -> float:
        """Return the fraction of the best documents that are among hits, whatever their scores are."""
        found = [ids for ids, _ in hits.rows()]
        return self._wanted.recall(self._index.search(self._queries, self._k, allowed=found, **self._options).scores)


def _steps(plan: Plan, n_indexes: int) -> Iterator[None]:
    """Tell of a step each time that it goes on."""
    steps = n_indexes * (1 + plan.rounds)
    for done in range(1, steps + 1):
        if plan.progress is not None:
            plan.progress(done, steps)
        yield


def _calls(queries: sp.csr_array) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]]:
    """Yield terms and weights of each query, as `search_one` takes them without a copy."""
    terms, weights = queries.indices.astype(np.uint32), queries.data.astype(np.float32)
    for begin, end in zip(queries.indptr[:-1], queries.indptr[1:], strict=True):
        yield terms[begin:end], weights[begin:end]


def _time(index: Index, calls: Sequence[tuple[Any, Any]], k: int, seconds: npt.NDArray[np.float64]) -> None:
    """Write the CPU seconds of each query."""
    clock, search_one = time.thread_time, index.search_one
    for place, (terms, weights) in enumerate(calls):
        started = clock()
        search_one(terms, weights, k)
        seconds[place] = clock() - started
