"""Finding search parameters for an index that is in use, in little time and memory.

What should be found is told by the index itself, by exact searches, for as many queries as most of the time is enough
for: no second index is built, and no document is read twice. The rest goes to `DialSearch`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher.tuning.dial_search import DialSearch, Target
from thresher.tuning.queries import Questions

if TYPE_CHECKING:
    import numpy.typing as npt
    import scipy.sparse as sp

    from thresher.engines.index import Index

FEWEST_QUERIES = 20
_AT_ONCE = 2 * FEWEST_QUERIES  # queries that are answered before a look at the clock
_SHARE = 0.7  # of the time, for what should be found


class Brief(NamedTuple):
    """What was found: search parameters, and what held-out queries gave by them."""

    search_params: dict[str, Any]
    recall: float
    latency_us: float
    is_met: bool
    is_cut_short: bool
    """Whether time was up before parameters were found, so that these are the library's."""


def tune_briefly(
    index: Index,
    queries: sp.csr_array,
    own: npt.NDArray[np.int64] | None,
    target: Target,
    *,
    k: int,
    budget_s: float,
    known: Mapping[str, Any] | None = None,
    threads: int = 1,
    check: Callable[..., object] = lambda *_: None,
) -> Brief:
    """Find the search parameters that meet a target.

    Parameters
    ----------
    index
        Of any engine, with full weights.
    queries
        In random order, shape (n, n_terms); the first of them count if there is not the time for all.
    own
        The document that each was made of, which does not count; None if they were made of none.
    target, k
        What is wanted of the best k.
    budget_s
        Seconds to take, about.
    known
        Parameters that the index goes by now, which stay if no others meet the target, and these come nearer to it.
    threads
        To search with.
    check
        Called now and then; what it raises ends the search.

    Raises
    ------
    TimeoutError
        If time was up before it was known what enough queries should find.
    ValueError
        If fewer than 20 queries find a document.
    """
    started = time.monotonic()
    deadline = started + budget_s
    depth = k if own is None else k + 1
    answers = _answered(index, queries, depth, threads=threads, end=started + _SHARE * budget_s, check=check)
    n = len(answers.ids)
    truth: Any = answers
    questions = Questions(queries[:n], None if own is None else own[:n], truth, k, threads)
    questions = questions.answered()
    if len(questions) < FEWEST_QUERIES:
        raise ValueError(f"{len(questions)} queries find a document; at least {FEWEST_QUERIES} are needed")
    search = DialSearch(questions, _safer(target, k, len(questions) // 2), threads, deadline, check)

    def brief(params: Mapping[str, Any], recall: float, latency_us: float) -> Brief:
        named = index.with_search_params(**params).search_params
        return Brief(named, recall, latency_us, target.is_met(recall, latency_us), search.fell_back)

    (_, _, step), found = search.best(index)[0]
    best = brief(step.params, found.recall, step.latency_us)
    if best.is_met or not known:
        return best
    started = search.clock()
    hits = index.with_search_params(**known).search(search.held_out.matrix, search.held_out.depth, threads=threads)
    latency_us = 1e6 * (search.clock() - started) / len(search.held_out)
    other = brief(known, search.held_out.measure(hits).recall, latency_us)
    return min(best, other, key=lambda one: target.rank(one.recall, one.latency_us))


def _safer(target: Target, k: int, n_queries: int) -> Target:
    """Return a target that few queries, which know their recall up to chance, are asked to meet: a standard error more.

    A sample that happens to look well would otherwise be taken for enough.
    """
    if target.recall is None:
        return target
    return target.with_margin(math.sqrt(target.recall * (1 - target.recall) / (k * n_queries)))


class _Answers(NamedTuple):
    """What exact searches found of the first queries, for whoever searches for these."""

    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]

    def search(self, *_: object, **__: object) -> _Answers:
        return self


def _answered(
    index: Index, queries: sp.csr_array, depth: int, *, threads: int, end: float, check: Callable[..., object]
) -> _Answers:
    """Answer as many queries as there is time for, some at a time; TimeoutError if it is enough for none."""

    def on_progress(*_: int) -> None:
        check()
        if time.monotonic() > end:
            raise TimeoutError

    found = []
    for begin in range(0, max(int(queries.shape[0]), 1), _AT_ONCE):
        some = queries[begin : begin + _AT_ONCE]
        try:
            on_progress()
            found.append(index.search(some, depth, exact=True, threads=threads, progress=on_progress))
        except TimeoutError:
            if not found:
                raise
            break
    return _Answers(np.concatenate([hits.ids for hits in found]), np.concatenate([hits.scores for hits in found]))
