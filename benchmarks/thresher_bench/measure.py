"""What a worker measures of one setting."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from scipy import sparse

    from thresher_bench.engines.base import Engine

ENOUGH = 0.2  # seconds of passes that a round is made of, if the queries take less
PASSES = 9  # at most
FEW = 16  # queries to warm up with, and to tell whether all would take too long
QUIET = 0.95  # CPU seconds over seconds of a pass that nothing disturbed
DISTURBED = 6  # passes that may be made again because they were disturbed
SLOW = 2.0  # seconds of a pass that needs no other pass before it to be warm


class TooSlowError(Exception):
    """A setting would take longer than it may."""


class Pass(NamedTuple):
    """All queries once."""

    answers: list[Any]
    wall: float
    cpu: float
    latencies: list[float]
    """Seconds of each query, if each was a call."""

    @property
    def quiet(self) -> bool:
        """Whether the process had the processor for itself."""
        return self.cpu >= QUIET * self.wall


@dataclass
class Asked:
    """One setting on some queries, in one round."""

    ids: npt.NDArray[np.int64]
    seconds: float
    """The median of the passes."""
    quiet: bool
    """Whether these are seconds of passes that nothing disturbed; if there were none, they are CPU seconds."""
    latencies: list[float] = field(default_factory=list)
    """Seconds of each query, one query a call, the median of the passes."""


def run(calls: Sequence[Callable[[], Any]]) -> Pass:
    """Make all calls once."""
    clock = time.perf_counter
    answers = []
    cpu = time.process_time()
    times = [clock()]
    for call in calls:
        answers.append(call())
        times.append(clock())
    cpu = time.process_time() - cpu
    return Pass(answers, times[-1] - times[0], cpu, np.diff(times).tolist())


def ask(engine: Engine, queries: sparse.csr_matrix, k: int, limit: float, *, latencies: bool = True) -> Asked:
    """Measure a setting: warm up, pass over the queries until that has taken a while, then one query a call.

    Raises
    ------
    TooSlowError
        If a pass would take longer than the limit, in seconds.
    """
    n_queries = queries.shape[0]
    gc.collect()
    gc.disable()
    try:
        few = run(engine.calls(queries[:FEW], k))
        if (expected := few.wall / min(FEW, n_queries) * n_queries) > limit:
            raise TooSlowError(f"{n_queries} queries would take about {expected:.0f} s, more than {limit:g} s")
        calls = engine.calls(queries, k)
        first = run(calls)
        passes = _passes(calls, first)
        times = [engine.latencies(one.answers) or one.latencies for one in passes]
        if latencies and len(times[0]) != n_queries:
            times = [one.latencies for one in _passes(engine.one_a_call(queries, k))]
        return Asked(
            engine.ids(first.answers, k),
            statistics.median(one.wall if one.quiet else one.cpu for one in passes),
            all(one.quiet for one in passes),
            np.median(times, axis=0).tolist() if latencies else [],
        )
    finally:
        gc.enable()


def _passes(calls: list[Callable[[], Any]], first: Pass | None = None) -> list[Pass]:
    """Pass over the queries until that has taken a while.

    Parameters
    ----------
    calls
        What answers the queries.
    first
        A pass that has warmed up, or None: there was none. If it was long, it is all that is needed.

    Returns
    -------
    list
        Passes that other work did not disturb, or if there is none, those that it did.
    """
    if first is None:
        first = run(calls)
    if first.wall > SLOW:
        return [first]
    quiet: list[Pass] = []
    disturbed: list[Pass] = []
    while sum(one.wall for one in quiet) < ENOUGH and len(quiet) < PASSES and len(disturbed) < DISTURBED:
        one = run(calls)
        (quiet if one.quiet else disturbed).append(one)
    return quiet or disturbed
