"""One search over the parts of a view: the best k documents by score, of equal scores the earlier upsert."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher import _core
from thresher.collection.filters.bits import Bits

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.segment import Part
    from thresher.collection.tuning import Tunings
    from thresher.engines.index import Index
    from thresher.engines.options import Progress

# Search parameters that are for the whole search, of which each segment gets its part.
_DIVIDED = frozenset(
    (
        "cluster_budget",
        "group_budget",
        "block_budget",
        "superblock_budget",
        "postings_budget",
        "rescored",
        "deadline_us",
    )
)

Choice = Bits | Sequence[Bits]
"""Which documents of a part may be returned: bits for all queries, or for each."""


class Found(NamedTuple):
    """Hits by the numbers of their upserts, -1 where there are fewer, and scores; shape (n_queries, k).

    `offsets`: where each query's hits begin, of hits one behind the other where all of them were asked for.
    """

    seqs: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    exact: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64] | None = None


@dataclasses.dataclass(frozen=True)
class Request:
    """What a search is to find in every part.

    Attributes
    ----------
    vector
        The name of the vector that is compared.
    queries
        A row each; terms that a part has never seen count nothing.
    k
        Documents for each query; None for all.
    options
        Of the core's `SearchOptions`, by name, as it takes them.
    dials
        Search parameters of engines, by name.
    progress
        As in `Index.search`.
    tunings
        The search parameters that go where there are no dials, if there are such.
    """

    vector: str
    queries: CsrArrays
    k: int | None
    options: Mapping[str, Any]
    dials: Mapping[str, Any]
    progress: Progress | None = None
    tunings: Tunings | None = None


def find(parts: Sequence[Part], allowed: Sequence[Choice], request: Request) -> Found:
    """Search all parts for the documents that are allowed in each."""
    searched = [(part, choice) for part, choice in zip(parts, allowed, strict=True) if part.n_live]
    n_docs = sum(len(part.segment) for part, _ in searched)
    indexes = [_index(part, request, len(part.segment) / n_docs) for part, _ in searched]
    options = _core.SearchOptions()
    options.k = max(n_docs, 1) if request.k is None else request.k
    options.unknown_terms = "ignore"
    for name, value in request.options.items():
        setattr(options, name, value)
    found: Any = _core.search_segments(
        indexes,
        [_selections(part, choice, request.vector) for part, choice in searched],
        request.queries.indptr,
        request.queries.indices,
        request.queries.data,
        request.queries.shape[1],
        options,
        request.k is None,
        request.progress,
    )
    every = np.concatenate([*(part.segment.seqs for part, _ in searched), [-1]])  # of no document, -1, the last
    if request.k is None:
        ids, scores, offsets, exact = found
        return Found(every[ids], scores, exact, offsets)
    ids, scores, exact = found
    missing = request.k - ids.shape[1]
    seqs = every[ids]
    if missing > 0:
        seqs = np.pad(seqs, ((0, 0), (0, missing)), constant_values=-1)
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=-np.inf)
    return Found(seqs, scores, exact)


def _index(part: Part, request: Request, fraction: float) -> _core.Index:
    """Return the index to search, with those dials that it has: budgets are for all segments."""
    index, tunings = part.segment.indexes[request.vector], request.tunings
    own = _own(index, request.dials, fraction)
    if tunings is not None and not request.dials and not request.options.get("exact"):
        own = tuned_params(tunings, index, len(part.segment))
    return (index.with_search_params(**own) if own else index)._live  # noqa: SLF001 - of this package


def tuned_params(tunings: Tunings, index: Index, n_docs: int) -> dict[str, Any]:
    """Return the search parameters that a segment of so many documents goes by; none are the library's."""
    tuning = tunings.nearest(index.engine, n_docs)
    return {} if tuning is None else _own(index, tuning.search_params, tuning.fraction(n_docs))


def _own(index: Index, dials: Mapping[str, Any], fraction: float) -> dict[str, Any]:
    """Return those of some dials that an index has, budgets multiplied by a fraction."""
    return {
        name: _divided(value, fraction) if name in _DIVIDED else value
        for name, value in dials.items()
        if name in index.search_params and value is not None
    }


def _divided(budget: Any, fraction: float) -> Any:  # noqa: ANN401 - a number
    """Return a segment's part of a budget, at least 1; 0 is the library's choice."""
    return budget if isinstance(budget, bool) or budget <= 0 else max(math.ceil(budget * fraction), 1)


def _selections(part: Part, choice: Choice, vector: str) -> list[Any]:
    """Return which documents may be returned, as the core takes them: none is all, one is for all queries."""
    if isinstance(choice, np.ndarray):
        selection = part.selection(choice, vector)
        return [] if selection is None else [selection]
    index = part.segment.indexes[vector]
    found = [part.selection(one, vector) for one in choice]
    return [index.select(np.ones(len(part.segment), np.bool_)) if one is None else one for one in found]
