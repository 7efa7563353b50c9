"""Turning the dials of an index to where a target of recall or of time is met."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from thresher import _core

if TYPE_CHECKING:
    from thresher._hits import Hits
    from thresher.engines.index import Index
    from thresher.tuning.queries import Questions, RecallEstimate

SearchParams: TypeAlias = dict[str, Any]

SOME_QUERIES = 400  # that dials are compared on
SLACK = 1.15  # a dial that takes this much longer than the best, and is not there yet, is given up
FINALISTS = 4
ROUNDS = 7  # in which finalists are timed
DEFAULTS = _core.Dial({})  # the library's: nothing to turn
STEPS_UP = 8  # that a dial is turned further where held-out queries find less


class Target(NamedTuple):
    """What is asked for: a recall or a latency, the other being None."""

    recall: float | None
    latency_us: float | None

    def is_met(self, recall: float, latency_us: float) -> bool:
        """Return whether a point meets the target."""
        return recall >= self.recall if self.recall is not None else latency_us <= (self.latency_us or 0)

    def with_margin(self, error: float) -> Target:
        """Return the target for a recall that is only known up to a standard error."""
        if self.recall is None:
            return self
        return Target(min(self.recall + error, (1 + self.recall) / 2), None)

    def rank(self, recall: float, latency_us: float) -> tuple[bool, float]:
        """Return what to sort points by, best first: whether they miss the target, then what it leaves open."""
        is_met = self.is_met(recall, latency_us)
        by_time = (self.recall is not None) == is_met
        return not is_met, latency_us if by_time else -recall


class Step(NamedTuple):
    """One point that was measured."""

    params: SearchParams
    recall: float
    error: float
    """The recall's standard error."""
    latency_us: float
    n_queries: int


class Solution(NamedTuple):
    """A dial, where it stands, and what that gave."""

    dial: _core.Dial
    turn: float
    step: Step


class DialSearch:
    """Finds the best search parameters of an index.

    Parameters
    ----------
    questions
        Queries: the first half to choose on, the others to check on.
    target
        What is asked for.
    threads
        Threads of a search. With one, time is that of its thread alone, which other work on the machine disturbs less.
    deadline
        ``time.monotonic()`` at which to stop looking.
    on_step
        Called after each search.
    """

    def __init__(
        self, questions: Questions, target: Target, threads: int, deadline: float, on_step: Callable[[], object]
    ) -> None:
        half = (len(questions) + 1) // 2
        self.tuning, self.held_out = questions.part(slice(0, half)), questions.part(slice(half, None))
        self.target, self.threads, self.deadline, self.on_step = target, threads, deadline, on_step
        self.clock = time.thread_time if threads == 1 else time.perf_counter
        self.steps: list[Step] = []
        self.fell_back = False
        """Whether the deadline came before parameters were found, so that the library's defaults took part instead."""

    def best(self, index: Index) -> list[tuple[Solution, RecallEstimate]]:
        """Return the points that meet the target, or come close to it, best first; with what held-out queries gave."""
        solutions = self._solutions(index, self.tuning.part(slice(0, SOME_QUERIES)))
        promising = [one for one in solutions if self._met(one.step)] or solutions
        return self._compared(index, [self._refined(index, one) for one in promising[:FINALISTS]])

    def sketch(self, index: Index) -> Step:
        """Return about the best point, as few queries and dials tell."""
        return self._solutions(index, self.tuning.part(slice(0, SOME_QUERIES // 2)), most=3)[0].step

    def _solutions(self, index: Index, some: Questions, most: int | None = None) -> list[Solution]:
        """Return where each dial just meets the target, best first; without those that others are far better than."""
        solutions: list[Solution] = []
        known = type(index).dials(index.n_docs, self.tuning.k)
        try:
            for dial in known[:most]:
                alike = [one.turn for one in solutions if one.dial.name == dial.name]
                limit = SLACK * min((one.step.latency_us for one in solutions if self._met(one.step)), default=math.inf)
                found = self._turned(index, dial, some, alike[-1] if alike else 0.4, coarseness=4, limit=limit)
                solutions += found
        except TimeoutError:
            if not any(self._met(one.step) for one in solutions):
                solutions.append(Solution(DEFAULTS, 1.0, self._measure(index, {}, some, hurry=False)))
                self.fell_back = any(dial.name or dial.fixed for dial in known)
        return sorted(solutions, key=lambda one: self.target.rank(one.step.recall, one.step.latency_us))

    def _refined(self, index: Index, solved: Solution) -> Solution:
        """Turn the dial to where the target, with its margin, is met on all the queries for tuning."""
        try:
            return self._turned(index, solved.dial, self.tuning, solved.turn, coarseness=1, margin=True)[0]
        except TimeoutError:
            if solved.step.n_queries == len(self.tuning):
                return solved
            return solved._replace(step=self._measure(index, solved.step.params, self.tuning, hurry=False))

    def _turned(
        self,
        index: Index,
        dial: _core.Dial,
        questions: Questions,
        start: float,
        *,
        coarseness: int,
        margin: bool = False,
        limit: float = math.inf,
    ) -> list[Solution]:
        """Turn a dial to where the target is just met, or as near as it comes.

        From `start` in growing strides until that point is between two, then by halves. Nothing is returned if
        `limit`, a latency, is passed on the way up.
        """
        upward = self.target.recall is not None  # met from some point on, otherwise up to some point
        steps: dict[float, Step] = {}
        far: set[float] = set()  # turns at or beyond that point

        def is_far(turn: float) -> bool:
            if turn not in steps:
                known = [step for step in steps.values() if step.params == dial.at(turn)]
                step = steps[turn] = known[0] if known else self._measure(index, dial.at(turn), questions)
                target = self.target.with_margin(step.error) if margin else self.target
                if target.is_met(step.recall, step.latency_us) == upward:
                    far.add(turn)
            return turn in far

        try:
            edge = turn = start if dial.name is not None else 1.0
            stride = 2 * coarseness * dial.step
            downward = is_far(turn)
            while dial.name is not None and is_far(turn) == downward and turn != (0.0 if downward else 1.0):
                if upward and not downward and steps[turn].latency_us > limit:
                    return []
                edge, turn = turn, max(0.0, turn - stride) if downward else min(1.0, turn + stride)
                stride *= 2
            low, high = sorted((edge, turn))
            while high - low > coarseness * dial.step and is_far(high) and not is_far(low):
                middle = (low + high) / 2
                low, high = (low, middle) if is_far(middle) else (middle, high)
        except TimeoutError:
            if not steps:
                raise
        near = steps.keys() - far
        best = min(far) if far and (upward or not near) else max(near)
        return [Solution(dial, best, steps[best])]

    def _compared(self, index: Index, finalists: list[Solution]) -> list[tuple[Solution, RecallEstimate]]:
        """Check finalists on the held-out queries, and time them in turns, so that what disturbs one disturbs all."""
        checked = [self._checked(index, solved) for solved in finalists]
        seconds: list[list[float]] = [[] for _ in checked]
        for number in range(ROUNDS):
            if number > 1 and time.monotonic() > self.deadline:
                break
            for (solved, _), taken in zip(checked, seconds, strict=True):
                taken.append(self._search(index, solved.step.params, self.held_out)[1])
        compared = []
        for (solved, found), taken in zip(checked, seconds, strict=True):
            # The faster half of the rounds: the others were disturbed.
            typical = statistics.median(sorted(taken)[: (len(taken) + 1) // 2])
            timed = solved.step._replace(latency_us=1e6 * typical / len(self.held_out))
            compared.append((solved._replace(step=timed), found))
        return sorted(compared, key=lambda one: self.target.rank(one[1].recall, one[0].step.latency_us))

    def _checked(self, index: Index, solved: Solution) -> tuple[Solution, RecallEstimate]:
        """Return what the held-out queries find, and turn the dial further as long as that is too little."""
        found = self.held_out.measure(self._search(index, solved.step.params, self.held_out)[0])
        dial, turn = solved.dial, solved.turn
        for _ in range(STEPS_UP if dial.name is not None else 0):
            if self.target.recall is None or found.recall >= self.target.recall or turn >= 1:
                break
            if time.monotonic() > self.deadline:
                break
            turn = min(1.0, turn + 2 * dial.step)
            solved = Solution(dial, turn, self._measure(index, dial.at(turn), self.tuning, hurry=False))
            found = self.held_out.measure(self._search(index, solved.step.params, self.held_out)[0])
        return solved, found

    def _search(self, index: Index, params: SearchParams, questions: Questions) -> tuple[Hits, float]:
        searching: Any = index  # the parameters are its engine's
        started = self.clock()
        hits = searching.search(questions.matrix, questions.depth, threads=self.threads, **params)
        return hits, self.clock() - started

    def _measure(self, index: Index, params: SearchParams, questions: Questions, *, hurry: bool = True) -> Step:
        if hurry and time.monotonic() > self.deadline:
            raise TimeoutError
        hits, seconds = self._search(index, params, questions)
        step = Step(params, *questions.measure(hits), 1e6 * seconds / len(questions), len(questions))
        self.steps.append(step)
        self.on_step()
        return step

    def _met(self, step: Step) -> bool:
        return self.target.is_met(step.recall, step.latency_us)
