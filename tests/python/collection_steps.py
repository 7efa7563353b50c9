"""A collection that is stopped at a chosen step of an operation: killed, interrupted, or refused by the disk.

Steps are counted by Python's profiler, so that each is met once and again in every run: calls of what changes the disk,
for deaths and refusals; the calls between which Python looks for signals, for interrupts.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import itertools
import os
import random
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from collection_crashes import (
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
)
from thresher import FormatError
from thresher.collection import Collection

OPERATIONS: dict[str, Any] = {
    "create": ["create"],
    "upsert": ["upsert", ["d1", "d2", "new"], [101, 102, 103]],
    "delete": ["delete", ["d3", "d4"]],
    "update": ["update", ["d1", "d5"], 7],
    "batch": ["batch", ["upsert", ["d1", "new"], [101, 102]], ["delete", ["d2"]], ["update", ["d1", "d5"], 7]],
    "flush": ["flush"],
    "optimize": ["optimize"],
    "backup": ["backup", "1"],
    "restore": ["restore", "1"],
}

_ON_THE_DISK = {
    "open", "fsync", "rename", "replace", "link", "unlink", "mkdir", "rmdir", "write", "flush", "execute",
    "executemany", "close", "flock", "copyfileobj", "save",
}  # fmt: skip

Hook = Callable[[Any, str, Any], None]
IsStep = Callable[[Any, str, Any], bool]


def _changes_the_disk(_: Any, event: str, function: Any) -> bool:
    """Tell whether something is about to change the disk, or has."""
    return event in ("c_call", "c_return") and function.__name__ in _ON_THE_DISK


def _can_be_refused(_: Any, event: str, function: Any) -> bool:
    """Tell whether the disk may refuse a call: not to close what was brought to it, or only read."""
    return event == "c_call" and function.__name__ in _ON_THE_DISK - {"close"}


def _looks_for_signals(frame: Any, event: str, _: Any) -> bool:
    """Tell whether Python looks for signals there; it begins threads by locks of its own, which these leave locked."""
    return event in ("call", "c_return") and frame.f_code.co_filename != threading.__file__


def _at(number: int, is_step: IsStep, act: Callable[[], None]) -> Hook:
    """Return a profiler that does something at a step, counted from 0."""
    count = itertools.count()

    def hook(frame: Any, event: str, function: Any) -> None:
        if is_step(frame, event, function) and next(count) == number:
            sys.setprofile(None)
            act()

    return hook


def template(folder: Path) -> State:
    """Make a collection of two segments, documents that wait, dead and updated ones; return what is there."""
    rng = random.Random(3)
    state: State = {}
    with created(folder / "docs", background=False) as collection:
        for number in range(24):
            operation = drawn(rng, number)
            if operation[0] in ("upsert", "update", "delete", "batch"):
                do(collection, operation)
                state = after(state, operation)
            if number in (8, 16):
                collection.flush()
    return state


class Trial:
    """A copy of the template, at which an operation is done."""

    def __init__(self, pattern: Path, folder: Path, kind: str, state: State) -> None:
        """Make the copy; none to be created."""
        self.path = folder / "docs"
        self.operation = OPERATIONS[kind]
        self.before = {} if kind == "create" else state
        self.after = after(self.before, self.operation)
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if kind != "create":
            shutil.copytree(pattern / "docs", self.path)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Collection | None]:
        """Open the collection, of which no thread builds segments; none that is to be created."""
        if self.operation == ["create"]:
            yield None
            return
        with Collection.open(self.path, mode="rw", background=False) as collection:
            yield collection

    def run(self, collection: Collection | None) -> None:
        """Do the operation."""
        if collection is None:
            made = created(self.path, background=False)
            sys.setprofile(None)
            made.close()
        else:
            do(collection, self.operation)

    def check(self, *, may_be_left: bool) -> None:
        """Compare what is there, once nobody has it open: the collection, and its copies."""
        if self.path.exists():
            compare(self.path, [self.before, self.after])
        else:
            assert self.operation == ["create"]
        for copy in copies(self.path):
            assert is_same(read_copy(copy), self.before)
        with self.opened() as collection:
            if collection is not None or not self.path.exists():
                self.run(collection)
        copied = copies(self.path)
        assert len(copied) == {"backup": 1, "restore": 2}.get(self.operation[0], 0)
        for copy in copied:
            assert is_same(read_copy(copy), self.after)
        compare(self.path, [self.after])
        assert may_be_left or self.left() == [], self.left()

    def left(self) -> list[str]:
        """Return what there is beside the collection and its copies."""
        return [path.name for path in self._folder.iterdir() if path != self.path and path not in copies(self.path)]


def stopped(how: Callable[[Trial, int], bool], folder: Path, kind: str, most: int | None = None) -> int:
    """Stop an operation at each of its steps, or at so many of them; return at how many. Errors name the step."""
    pattern = folder / "template"
    pattern.mkdir()
    state = template(pattern)
    n = _n_steps(Trial(pattern, folder / "trial", kind, state), _STEPS[how])
    steps = sorted({n * number // most for number in range(most)}) if most else range(n)
    for step in steps:
        try:
            how(Trial(pattern, folder / "trial", kind, state), step)
        except Exception as error:
            raise AssertionError(f"{kind}, {how.__name__} step {step} of {n}: {error}") from error
    shutil.rmtree(pattern)
    return len(steps)


def _n_steps(trial: Trial, is_step: IsStep) -> int:
    """Do the operation, and return how many steps it has."""
    found = []
    with trial.opened() as collection:
        sys.setprofile(lambda *step: found.append(True) if is_step(*step) else None)
        try:
            trial.run(collection)
        finally:
            sys.setprofile(None)
    return len(found)


def killed_at(trial: Trial, number: int) -> bool:
    """Do the operation in a process that is killed at a step, and check; return whether there was such a step."""
    pid = os.fork()
    if not pid:
        try:
            with trial.opened() as collection:
                sys.setprofile(_at(number, _changes_the_disk, lambda: os.kill(os.getpid(), signal.SIGKILL)))
                trial.run(collection)
                os._exit(0)
        except BaseException:  # noqa: BLE001 - shown, and told by the exit code
            traceback.print_exc()
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL)
    trial.check(may_be_left=False)
    return code != 0


def refused_at(trial: Trial, number: int) -> bool:
    """Do the operation, of which the disk refuses a step, and check; return whether there was such a step."""
    refused = []

    def refuse() -> None:
        refused.append(True)
        raise OSError(errno.EIO, "refused")

    with trial.opened() as collection:
        sys.setprofile(_at(number, _can_be_refused, refuse))
        error: Exception | None = None
        try:
            trial.run(collection)
        except (OSError, FormatError) as caught:  # the check before a restore tells of what it could not read
            error = caught
        finally:
            sys.setprofile(None)
        if error is None:
            assert collection is None or is_same(read(collection), trial.after)
        else:
            assert "refused" in str(error), error
            if trial.operation[0] == "backup":  # what is created or restored is opened too, which may have been refused
                assert not copies(trial.path), "it was refused, and is there"
            assert trial.left() == []
            assert collection is None or is_same(read(collection), trial.before)
    trial.check(may_be_left=False)
    return bool(refused)


def interrupted_at(trial: Trial, number: int) -> bool:
    """Do the operation, interrupted at a step, and check; return whether there was such a step."""
    interrupted = []

    def interrupt() -> None:
        interrupted.append(True)
        raise KeyboardInterrupt

    with trial.opened() as collection:
        sys.setprofile(_at(number, _looks_for_signals, interrupt))
        try:
            trial.run(collection)
        except KeyboardInterrupt:
            pass  # what it left open ends with its traceback, here
        finally:
            sys.setprofile(None)
        gc.collect()
        if collection is not None:
            seen = read(collection)
            assert is_same(seen, trial.before) or is_same(seen, trial.after)
            others = threading.Thread(target=collection.upsert, args=([], []), daemon=True)
            others.start()
            others.join(60)
            assert not others.is_alive(), "the lock was left"
            seen = read(collection)
            assert is_same(seen, trial.before) or is_same(seen, trial.after)
    trial.check(may_be_left=True)
    return bool(interrupted)


_STEPS: dict[Callable[[Trial, int], bool], IsStep] = {
    killed_at: _changes_the_disk,
    refused_at: _can_be_refused,
    interrupted_at: _looks_for_signals,
}
