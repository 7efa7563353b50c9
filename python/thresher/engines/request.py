"""One search of any engine, from its options to its hits: checked once, and divided where that bounds its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher import _core
from thresher._arguments import as_flag, as_k, as_name, as_number, as_progress, as_threads
from thresher._hits import AllHits, Hits
from thresher._matrix import CsrArrays, check_offsets
from thresher._selections import Choice, Pages

if TYPE_CHECKING:
    from typing import SupportsIndex

# Bytes of selections that are held at once, where each query has its own.
_MAX_SELECTED = 2**27


class Request:
    """What a search is to find, as the core takes it."""

    def __init__(self, handle: _core.Index, k: SupportsIndex | None, n_queries: int, given: Mapping[str, Any]) -> None:
        """Check options of all engines (`SearchOptions`, but for `shape`); raise TypeError or ValueError."""
        self.is_ragged = k is None
        self.progress = as_progress(given.get("progress"))
        options = _core.SearchOptions()
        options.k = max(handle.n_docs, 1) if k is None else as_k(k)
        options.threads = as_threads(given.get("threads", 0))
        if (min_score := given.get("min_score")) is not None:
            options.min_score = as_number(min_score, "min_score")
        options.fill = as_flag(given.get("fill", False), "fill")
        options.exact = as_flag(given.get("exact", False), "exact")
        options.unknown_terms = as_name(given.get("unknown_terms", "error"), "unknown_terms")
        self._options = options
        self._n_queries = n_queries
        self._handle = handle

        def choice(name: str) -> Choice | None:
            return None if given.get(name) is None else Choice(handle, given[name], n_queries, name)

        self._allowed, self._exclude = choice("allowed"), choice("exclude")
        self._pages = None if given.get("after") is None else Pages(handle, given["after"], n_queries)
        if self._pages is not None:
            options.depth = options.k + self._pages.depth

    def search(self, rows: CsrArrays, params: object | None) -> Hits:
        """Search for the rows, by an engine's own parameters or None."""
        handle: Any = self._handle
        name = "search_all" if self.is_ragged else "search"
        search = getattr(handle, name if params is None else f"{name}_with")
        arguments = () if params is None else (params,)
        parts = []
        for part, progress in self._parts(rows):
            found = search(part.indptr, part.indices, part.data, part.shape[1], self._options, progress, *arguments)
            parts.append(found)
        if self.is_ragged:
            return _all_hits(parts)
        arrays = parts[0] if len(parts) == 1 else [np.concatenate(each) for each in zip(*parts, strict=True)]
        ids, scores, exact = arrays
        return Hits(ids, scores, exact, None if self._pages is None else self._pages.ids)

    def counts(self, rows: CsrArrays) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return how many documents each row would find in all."""
        handle = self._handle
        parts = []
        for part, progress in self._parts(rows):
            parts.append(handle.count(part.indptr, part.indices, part.data, part.shape[1], self._options, progress))
        return np.concatenate(parts)

    def _parts(self, rows: CsrArrays) -> Iterator[tuple[CsrArrays, Callable[[int, int], object] | None]]:
        """Yield the rows, few at a time where each has selections of its own, which are set before."""
        each = self._pages is not None or any(
            one is not None and one.is_of_each for one in (self._allowed, self._exclude)
        )
        size = max(_MAX_SELECTED // (self._handle.n_docs // 8 + 1), 1) if each else max(self._n_queries, 1)
        if size >= self._n_queries:
            self._select(range(self._n_queries))
            yield rows, self.progress
            return
        check_offsets(rows.indptr, "queries")
        self._handle.check(rows.indptr, rows.indices, rows.data, rows.shape[1], self._options)  # names rows of all
        for begin in range(0, self._n_queries, size):
            queries = range(begin, min(begin + size, self._n_queries))
            self._select(queries)
            yield _part(rows, queries), _shifted(self.progress, begin, self._n_queries)

    def _select(self, queries: range) -> None:
        """Set the selections of some queries."""
        if self._allowed is not None:
            self._options.allowed = self._allowed.of(queries)
        excluded = [] if self._exclude is None else self._exclude.of(queries)
        if self._pages is not None:
            before = self._pages.of(queries)
            excluded = [page | excluded[i % len(excluded)] for i, page in enumerate(before)] if excluded else before
        if self._exclude is not None or self._pages is not None:
            self._options.exclude = excluded


class _Found(NamedTuple):
    ids: Any
    scores: Any
    offsets: Any
    exact: Any


def _all_hits(parts: list[Any]) -> AllHits:
    """Join what searches of consecutive queries found."""
    found = [_Found(*part) for part in parts]
    starts = np.cumsum([0, *(len(part.ids) for part in found)])
    offsets = [part.offsets[:-1] + start for part, start in zip(found, starts, strict=False)]
    return AllHits(
        np.concatenate([part.ids for part in found]),
        np.concatenate([part.scores for part in found]),
        np.concatenate([*offsets, starts[-1:]]),
        np.concatenate([part.exact for part in found]),
    )


def _part(rows: CsrArrays, queries: range) -> CsrArrays:
    begin, end = rows.indptr[queries.start], rows.indptr[queries.stop]
    return CsrArrays(
        rows.indptr[queries.start : queries.stop + 1] - begin,
        rows.indices[begin:end],
        rows.data[begin:end],
        (len(queries), rows.shape[1]),
    )


def _shifted(
    progress: Callable[[int, int], object] | None, done: int, total: int
) -> Callable[[int, int], object] | None:
    """Return a `progress` of a part, which tells of the whole."""
    return None if progress is None else lambda more, _: progress(done + more, total)
