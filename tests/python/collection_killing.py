"""Processes at one collection that are killed at random moments, again and again.

One writes, one reads, one keeps backups and restores them. Each writes down what it begins and what it has done, and
when. What was acknowledged must be there; what a reader saw, and what is in a backup, must be a state that was there at
some moment while it looked.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from collection_crashes import (
    KINDS,
    State,
    after,
    compare,
    copies,
    created,
    do,
    drawn,
    is_same,
    read,
    read_copy,
    unnamed,
)
from thresher.collection import Collection, Snapshot
from thresher.collection.files import marked_versions

Line = list[Any]

_LONGEST = 1 << 14  # bytes that no line exceeds


class Log:
    """What a process says, line by line: what it is about, when, and more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def tell(self, what: str, *more: Any) -> None:
        """Say something; what was said outlives the process."""
        with self._path.open("ab", buffering=0) as out:
            out.write(json.dumps([what, time.monotonic(), *more]).encode() + b"\n")

    def last(self) -> Line | None:
        """Return the last line, if it is whole."""
        with self._path.open("rb") as out:
            out.seek(max(out.seek(0, os.SEEK_END) - _LONGEST, 0))
            end = out.read().split(b"\n")[-2:]
        return json.loads(end[0]) if len(end) == 2 and not end[1] and end[0][:1] == b"[" else None

    def lines(self) -> list[Line]:
        """Return what was said, in whole lines."""
        return [json.loads(line) for line in self._path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


# --------------------------------------------------------------------------------------------------------- processes


def write(path: Path, log: Log, rng: random.Random) -> Iterator[None]:
    """Do random operations."""
    if path.exists():
        collection = Collection.open(path, mode="rw")
    else:
        log.tell("begin", ["create"])
        collection = created(path)
        log.tell("done")
    number = rng.randrange(100_000)
    while True:
        number += 1
        operation = drawn(rng, number)
        log.tell("begin", operation)
        if operation == ["reopen"]:
            collection.close()
            collection = Collection.open(path, mode="rw")
        else:
            do(collection, operation)
        log.tell("done")
        yield


def look(path: Path, log: Log, rng: random.Random) -> Iterator[None]:
    """Read what is there now, and versions that are held."""
    while True:
        if not path.exists():
            yield
            continue
        version = 0
        held: list[tuple[Snapshot, State]] = []
        begun = time.monotonic()
        with Collection.open(path) as collection:
            for _ in range(rng.randrange(40)):
                collection.refresh()
                ended = time.monotonic()
                now = collection.snapshot()
                assert now.version >= version
                version = now.version
                state = read(now)
                log.tell("saw", begun, ended, state)
                for snapshot, seen in held:
                    assert is_same(read(snapshot), seen)
                if rng.random() < 0.3:
                    held = [*held[-2:], (now, state)]
                yield
                begun = time.monotonic()


def keep(path: Path, log: Log, rng: random.Random) -> Iterator[None]:
    """Back up what is there, and restore it."""
    number = 0
    while True:
        if not path.exists():
            yield
            continue
        with Collection.open(path) as collection:
            for _ in range(rng.randrange(5)):
                number += 1
                name = f"{os.getpid()}k{number}"
                begun = time.monotonic()
                log.tell("begin", ["restore", name])
                do(collection, ["restore", name])
                log.tell("done")
                ended = time.monotonic()
                for copy in copies(path, name):
                    unread = copy.rename(copy.with_name(f"read-{copy.name}"))  # half of it is left if it is killed now
                    log.tell("saw", begun, ended, read_copy(unread))
                yield


class Process:
    """A process that goes on until it is killed."""

    def __init__(self, work: Callable[[Path, Log, random.Random], Iterator[None]], path: Path, seed: int) -> None:
        self.kind = work.__name__
        self.log = Log(path.with_name(f"log-{self.kind}-{seed}"))
        parent = os.getpid()
        self._pid = os.fork()
        if not self._pid:
            try:
                rng = random.Random(seed)
                for _ in work(path, self.log, rng):
                    if os.getppid() != parent:
                        break
                    if work is not write:
                        time.sleep(rng.random() * 0.02)
            except BaseException:  # noqa: BLE001 - shown, and told by the exit code
                traceback.print_exc()
            finally:
                os._exit(1)

    def kill(self) -> None:
        """Kill it; AssertionError if it ended by itself."""
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, f"{self.kind} ended by itself: {self.log.last()}"

    def is_at(self, kind: str) -> bool:
        """Tell whether it has begun an operation of a kind, and not done it."""
        last = self.log.last()
        return last is not None and last[0] == "begin" and last[2][0] == kind


# ------------------------------------------------------------------------------------------------------ what was when


class Span(NamedTuple):
    """A state, and from when until when it may have been seen."""

    begin: float
    end: float
    state: State


class Timeline:
    """The states that there were, as writers tell it."""

    def __init__(self) -> None:
        self._spans = [Span(-math.inf, math.inf, {})]

    @property
    def now(self) -> State:
        """The last state."""
        return self._spans[-1].state

    def follow(self, lines: list[Line]) -> tuple[float, Any] | None:
        """Go through what a writer told; return when it began what it did not end, and what that was."""
        begun = None
        for what, moment, *more in lines:
            if what == "begin":
                begun = moment, more[0]
            else:
                assert begun is not None
                self.add(begun[0], moment, after(self.now, begun[1]))
                begun = None
        return begun

    def add(self, begin: float, end: float, state: State) -> None:
        """Go on to a state that came between two moments."""
        if not is_same(state, self.now):
            self._spans[-1] = self._spans[-1]._replace(end=end)
            self._spans.append(Span(begin, math.inf, state))

    def had(self, state: State, begin: float, end: float) -> bool:
        """Tell whether a state was there at some moment between two."""
        return any(is_same(span.state, state) for span in self._spans if span.begin <= end and begin <= span.end)


# ------------------------------------------------------------------------------------------------------------ killing


class Killing:
    """A collection, and the processes at it.

    Attributes
    ----------
    killed
        How many processes were killed, by what they were about.
    seen
        How many states were seen by readers or in copies, and compared.
    """

    def __init__(self, folder: Path, rng: random.Random) -> None:
        """Begin with an empty folder."""
        self.path = folder / "docs"
        self.killed: Counter[str] = Counter()
        self.seen = 0
        self._timeline = Timeline()
        self._rng = rng
        self._others: dict[str, Process] = {}
        self._dead: list[Process] = []

    def run(self, n: int) -> None:
        """Kill `n` writers, and others as well; AssertionError if something is there that may not be."""
        try:
            for _ in range(n):
                for work in (look, keep):
                    if work.__name__ not in self._others:
                        self._others[work.__name__] = Process(work, self.path, self._rng.randrange(10**9))
                self._kill_writer()
            self._kill_others(1.0)
        finally:
            for process in self._others.values():
                with contextlib.suppress(AssertionError):
                    process.kill()
        self._check_others()
        if self.path.exists():
            assert not list(marked_versions(self.path)), "the dead still read"
            assert not list((self.path / "readers").iterdir())
            compare(self.path, [self._timeline.now])

    def _kill_writer(self) -> None:
        """Let a writer go on until it is at some operation, or for some time; kill it, and compare."""
        rng = self._rng
        aim = rng.choice([*KINDS, "", ""])
        if not self.path.exists():
            aim = rng.choice(["create", aim])
        end = time.monotonic() + rng.random() * (2.0 if aim else 0.3)
        writer = Process(write, self.path, rng.randrange(10**9))
        try:
            while time.monotonic() < end and not (aim and writer.is_at(aim)):
                time.sleep(0.0005)
            time.sleep(rng.random() * rng.choice([0.001, 0.005, 0.03]))
            self._kill_others(0.15)
        finally:
            writer.kill()
        now = time.monotonic()
        under_way = self._timeline.follow(writer.log.lines())
        self._count(writer)
        states = [self._timeline.now]
        if under_way is not None:
            states.append(after(states[0], under_way[1]))
        if self.path.exists():
            self.killed["(with files of segments unnamed)"] += bool(unnamed(self.path))
            there = compare(self.path, states)
            if under_way is not None:
                self._timeline.add(under_way[0], now, there)
        else:
            assert not states[0], "it is gone"
        self._check_copies(writer)

    def _kill_others(self, chance: float) -> None:
        for process in list(self._others.values()):
            if self._rng.random() < chance:
                del self._others[process.kind]
                process.kill()
                self._count(process)
                self._dead.append(process)

    def _count(self, process: Process) -> None:
        last = process.log.last()
        self.killed[f"{process.kind}: {last[2][0] if last is not None and last[0] == 'begin' else '-'}"] += 1

    def _check_others(self) -> None:
        """Compare what others saw with what there was."""
        for process in self._dead:
            for what, _, *more in process.log.lines():
                if what == "saw":
                    begun, ended, state = more
                    self._check_state(state, begun, ended)
            self._check_copies(process)

    def _check_copies(self, process: Process) -> None:
        """Compare the copies that a dead process left with what there was while it made them."""
        spans: dict[str, tuple[float, float]] = {}
        for what, moment, *more in process.log.lines():
            if what == "begin":
                begun, operation = moment, more[0]
                ended = math.inf
            elif what == "done":
                ended = moment
            if what in ("begin", "done") and operation[0] in ("backup", "restore"):
                spans[operation[1]] = begun, ended
        for name, (begun, ended) in spans.items():
            for copy in copies(self.path, name):
                self._check_state(read_copy(copy), begun, ended)
            for left in self.path.parent.glob(f".*-{name}.*.new"):
                self._make_again(left)

    def _make_again(self, left: Path) -> None:
        """Make a backup where one was left unfinished, of which nothing remains then."""
        self.killed["(with a copy unfinished)"] += 1
        again = left.with_name(left.name[1:].partition(".")[0])
        begun = time.monotonic()
        with Collection.open(self.path) as collection:
            collection.backup(again)
        assert not left.exists()
        self._check_state(read_copy(again), begun, math.inf)

    def _check_state(self, state: State, begun: float, ended: float) -> None:
        assert self._timeline.had(state, begun, ended), f"between {begun} and {ended} there was never {state}"
        self.seen += 1
