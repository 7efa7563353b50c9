"""A process that builds one index and answers what it is asked about it; `Worker` in `process` is its other end."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from thresher.engines.index import Index
from thresher_bench.common import load, memory, pin, reset_peak, settle
from thresher_bench.engines.ours import wrapping
from thresher_bench.measure import Asked, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from thresher_bench.engines.base import Engine

EVERY = 30.0  # seconds between two lines that tell how far a call is


@dataclass(frozen=True)
class Job:
    """What a worker needs to know."""

    engine: str
    """Module and class."""
    build: dict[str, Any]
    base: Path
    queries: Path
    n_docs: int | None
    n_queries: int
    k: int
    cpu: int
    """That searches are kept on."""
    limit: float
    """Seconds that a pass over half of the queries may take."""


class Question(NamedTuple):
    """What a worker is asked: to measure a setting on some of the queries."""

    search: dict[str, Any]
    rows: slice
    latencies: bool


class Built(NamedTuple):
    """What a build has cost."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    resident_bytes: int
    saved_bytes: int | None


class Failed(NamedTuple):
    """An exception, as text."""

    reason: str


class Told(NamedTuple):
    """How far a call is."""

    line: str


class Tell:
    """Sends how far a call is, now and then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._next = time.monotonic() + EVERY

    def __call__(self, line: str) -> None:
        """Send a line, unless the last was sent a moment ago."""
        if time.monotonic() >= self._next:
            self._connection.send(Told(line))
            self._next = time.monotonic() + EVERY


def class_of(engine: str) -> type[Engine]:
    """Return the class that a job names: an engine, or an index of thresher, which is made one."""
    module, _, name = engine.partition(":")
    kind: type[Engine | Index] = attrgetter(name)(import_module(module))
    return wrapping(kind) if issubclass(kind, Index) else kind


def serve(job: Job, connection: Connection, log: Path) -> None:
    """Build, report, and answer questions until there are no more."""
    speak_to(log)
    die_first()
    engine: Engine | None = None
    try:
        try:
            engine = class_of(job.engine)(job.build)
            connection.send(_build(engine, job))
        except Exception as error:  # noqa: BLE001 - a peer may raise anything; its reason goes into the table
            connection.send(Failed(describe(error)))
            return
        queries = load(job.queries, job.n_queries)
        pin(job.cpu)
        while True:
            try:
                question: Question = connection.recv()
            except EOFError:  # no more of them
                return
            answer: Asked | Failed
            try:
                searching = engine.searching(question.search)
                answer = ask(searching, queries[question.rows], job.k, job.limit, latencies=question.latencies)
            except Exception as error:  # noqa: BLE001 - as above
                answer = Failed(describe(error))
            connection.send(answer)
    finally:
        if engine is not None:
            engine.close()


def serve_call(call: Callable[..., object], args: tuple[object, ...], connection: Connection, log: Path) -> None:
    """Call a function once and send what it returns."""
    speak_to(log)
    die_first()
    try:
        connection.send(call(Tell(connection), *args))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other end says why there is no answer
        connection.send(Failed(describe(error)))


def describe(error: BaseException) -> str:
    """Return an exception as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


def _build(engine: Engine, job: Job) -> Built:
    docs = load(job.base, job.n_docs)
    settle()
    reset_peak()
    before = memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    engine.build(docs)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = memory("VmHWM") - before
    settle()
    grown = memory("VmRSS") - before  # while the documents are still there
    saved = engine.saved_bytes()
    del docs
    settle()
    return Built(wall, cpu, max(peak, 0), max(grown, 0), saved)


def speak_to(log: Path) -> None:
    """Send what libraries print to a file: its end may tell why a process died."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)


def die_first() -> None:
    """Where memory runs out, let the system end this process rather than the one that reports."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return
