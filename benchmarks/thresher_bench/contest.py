"""The contest: every library with every setting of its grid, one process working at a time.

Each index is built in a process of its own, which stays while there is memory for it. All its settings are measured
on the first half of the queries as soon as it is built. Those that no other setting of the library clearly beats in
both recall and speed are then measured on both halves, in rounds over all processes: one pass is a matter of luck, and
the luckiest of many would be picked. A process without such a setting ends early.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from thresher_bench.choice import worth_reporting
from thresher_bench.process import SettingError, Worker, WorkerError
from thresher_bench.results import Build, Figures, Library, Point
from thresher_bench.worker import Job, Question, class_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from thresher_bench.grids import Grid
    from thresher_bench.measure import Asked
    from thresher_bench.truth import Truth

_PROCESS_BYTES = 200_000_000  # of a process that has loaded its libraries


class Watcher(Protocol):
    """Who is told what goes on."""

    def plan(self, steps: int) -> None:
        """So many steps more are to be done."""

    def step(self, what: str) -> None:
        """One step is about to be done."""

    def note(self, line: str) -> None:
        """Something has happened that is worth a line."""


@dataclass(frozen=True)
class Options:
    """How to measure."""

    base: Path
    queries: Path
    n_docs: int | None
    n_queries: int
    k: int
    rounds: int
    time_limit: float
    """Seconds of one build, and of one pass of a search."""
    cpu: int
    memory: int
    """Bytes that all processes together may take."""
    input_bytes: int
    """What loading the documents takes."""


@dataclass
class Entry:
    """An index that waits for its turn."""

    library: Library
    build: Build
    worker: Worker
    weight: int
    """Bytes that its process takes."""
    again: bool = False
    """Whether it has been built before, in a process that has ended."""


class Half:
    """Half of the queries, and what settings were found to do on it, in as many rounds as there were.

    Parameters
    ----------
    rows
        Its queries.
    truth
        Of all queries.
    latencies
        Whether to measure one query a call, too.
    """

    def __init__(self, rows: slice, truth: Truth, *, latencies: bool) -> None:
        self.rows, self.latencies = rows, latencies
        self._truth = truth.part(rows)
        self._rounds: dict[int, list[Asked]] = {}
        self._recalls: dict[int, float] = {}

    def figures(self, point: Point, asked: Asked) -> Figures:
        """Return a setting's figures, with those of one more round."""
        rounds = self._rounds.setdefault(id(point), [])
        if not rounds:
            self._recalls[id(point)] = self._truth.recall(asked.ids)
        rounds.append(replace(asked, ids=np.zeros((0, 0), np.int64)))  # answers of all settings would be gigabytes
        latency = None
        if self.latencies:
            times = np.median([one.latencies for one in rounds], axis=0) * 1e6
            p50, p95, p99 = np.percentile(times, [50, 95, 99]).tolist()
            latency = {"mean": float(times.mean()), "p50": p50, "p95": p95, "p99": p99}
        seconds = [one.seconds for one in rounds]
        return Figures(
            self._recalls[id(point)],
            (self.rows.stop - self.rows.start) / statistics.median(seconds),
            seconds,
            all(one.quiet for one in rounds),
            latency,
        )


@dataclass
class Contest:
    """All libraries; `run` measures them.

    Parameters
    ----------
    grids
        What to try, by library.
    options
        How to measure.
    truth
        Of all queries.
    watcher
        Who is told.
    """

    grids: Mapping[str, Grid]
    options: Options
    truth: Truth
    watcher: Watcher
    libraries: list[Library] = field(default_factory=list)
    """What was measured, if `run` is interrupted: so far."""
    _entries: list[Entry] = field(default_factory=list)
    _peaks: dict[str, int] = field(default_factory=dict)

    def run(self) -> list[Library]:
        """Measure everything; what goes wrong is in the results."""
        self.watcher.plan(sum(len(grid.builds) * (1 + len(grid.searches)) for grid in self.grids.values()))
        try:
            for name, grid in self.grids.items():
                library = enrol(name, grid)
                self.libraries.append(library)
                for settings in grid.builds:
                    build = Build(dict(settings), points=[Point(dict(search)) for search in grid.searches])
                    library.builds.append(build)
                    if library.reason is None:
                        self._try(library, build, grid)
                if library.reason is not None:
                    library.builds.clear()
                    self.watcher.note(f"{name}: {library.reason}")
            self._report()
        finally:
            for entry in self._entries:
                entry.worker.close()
        return self.libraries

    def _try(self, library: Library, build: Build, grid: Grid) -> None:
        """Build an index and measure its settings on the first half of the queries."""
        need = max(self._peaks.get(library.name, 0), 4 * self.options.input_bytes) + _PROCESS_BYTES
        if self._entries and need + sum(entry.weight for entry in self._entries) > self.options.memory:
            self._report()
        entry = self._build(library, build, grid, first=True)
        while entry is not None:
            waiting = [point for point in build.points if point.tuned is None and point.reason is None]
            if not waiting:
                break
            if not self._tune(entry, waiting):
                self._entries.remove(entry)
                entry = self._again(entry, grid)
        if entry is not None:
            self._thin_out()

    def _build(self, library: Library, build: Build, grid: Grid, *, first: bool) -> Entry | None:
        """Return an index, which is among the entries from now on, or None: the reason is in the results then."""
        options = self.options
        name = _named(library, build)
        self.watcher.step(f"{name}: building")
        job = Job(
            grid.engine,
            build.settings,
            options.base,
            options.queries,
            options.n_docs,
            options.n_queries,
            options.k,
            options.cpu,
            options.time_limit,
        )
        worker = Worker(job, options.time_limit)
        try:
            built = worker.build()
        except WorkerError as error:
            worker.close()
            build.reason = str(error)
            self.watcher.note(f"{name}: {error}")
            return None
        except BaseException:
            worker.close()
            raise
        if first:
            build.seconds, build.cpu_seconds = built.seconds, built.cpu_seconds
            build.peak_bytes, build.resident_bytes = built.peak_bytes, built.resident_bytes
            build.saved_bytes = built.saved_bytes
        self._peaks[library.name] = max(self._peaks.get(library.name, 0), built.peak_bytes + options.input_bytes)
        self.watcher.note(f"{name}: built in {built.seconds:.1f} s")
        entry = Entry(library, build, worker, built.resident_bytes + _PROCESS_BYTES)
        self._entries.append(entry)
        return entry

    def _again(self, entry: Entry, grid: Grid) -> Entry | None:
        """Build an index whose process has ended once more, but not a third time."""
        left = any(point.tuned is not None or point.reason is None for point in entry.build.points)
        if entry.again or not left:
            for point in entry.build.points:
                if point.tuned is None and point.reason is None:
                    point.reason = "not measured, since the process has ended twice"
            return None
        reason, entry.build.reason = entry.build.reason, None
        again = self._build(entry.library, entry.build, grid, first=False)
        if again is None:
            entry.build.reason = f"{reason}; then, again: {entry.build.reason}"
            return None
        again.again = True
        return again

    def _tune(self, entry: Entry, waiting: list[Point]) -> bool:
        """Measure settings on the first half of the queries; return whether the process still runs."""
        first, _ = self._halves()
        for point in waiting:
            self.watcher.step(f"{_named(entry.library, entry.build)}: {_text(point.search)}")
            point.tuned = self._measured(entry, point, first)
            if entry.build.reason is not None:
                return False
        return True

    def _thin_out(self) -> None:
        """End processes that have nothing to report."""
        kept = []
        for entry in self._entries:
            if self._wanted(entry):
                kept.append(entry)
            else:
                entry.worker.close()
        self._entries = kept

    @staticmethod
    def _wanted(entry: Entry) -> list[Point]:
        return [
            choice.point
            for choice in worth_reporting(entry.library)
            if choice.build is entry.build and choice.point.reason is None
        ]

    def _report(self) -> None:
        """Measure on both halves of the queries what is worth it, in rounds over all processes; end them."""
        everything = [(entry, point) for entry in self._entries for point in self._wanted(entry)]
        self.watcher.plan(len(everything) * self.options.rounds)
        first, other = self._halves()  # afresh: the pass that made a setting worth it was a lucky one
        for number in range(self.options.rounds):
            self.watcher.note(f"round {number + 1} of {self.options.rounds}: {len(everything)} settings")
            for entry, point in everything:
                what = f"{_named(entry.library, entry.build)}: {_text(point.search)}"
                self.watcher.step(f"round {number + 1} of {self.options.rounds}, {what}")
                point.tuned = self._measured(entry, point, first) or point.tuned
                point.held_out = self._measured(entry, point, other) or point.held_out
        for entry in self._entries:
            entry.worker.close()
        self._entries.clear()

    def _halves(self) -> tuple[Half, Half]:
        """Return both halves of the queries, of which no setting has been asked yet."""
        middle = self.options.n_queries // 2
        rest = slice(middle, self.options.n_queries)
        return Half(slice(0, middle), self.truth, latencies=False), Half(rest, self.truth, latencies=True)

    def _measured(self, entry: Entry, point: Point, half: Half) -> Figures | None:
        """Return a setting's figures, or None: the reason is in the results then."""
        if entry.build.reason is not None or point.reason is not None:
            return None
        try:
            return half.figures(point, entry.worker.ask(Question(point.search, half.rows, half.latencies)))
        except SettingError as error:
            point.reason = str(error)
        except WorkerError as error:
            point.reason = entry.build.reason = str(error)
            entry.worker.close()
            self.watcher.note(f"{_named(entry.library, entry.build)} {_text(point.search)}: {error}")
        return None


def enrol(name: str, grid: Grid) -> Library:
    """Return a library that takes part, or the reason why it does not."""
    library = Library(name, grid.title, grid.ours)
    try:
        kind = class_of(grid.engine)
        library.version = kind.version()
    except ImportError as error:
        library.reason = f"not usable: {error}"
        return library
    if library.version is None:
        library.reason = f"not installed: pip install {kind.distribution}"
    return library


def _named(library: Library, build: Build) -> str:
    return f"{library.name} {_text(build.settings)}".rstrip() if build.settings else library.name


def _text(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items()) or "defaults"
