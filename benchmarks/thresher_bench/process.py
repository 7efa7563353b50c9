"""The end of a worker that asks: it starts the process, waits no longer than allowed, and says why one ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from thresher_bench.worker import Built, Failed, Told, serve, serve_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from thresher_bench.measure import Asked
    from thresher_bench.worker import Job, Question

T = TypeVar("T")

_SPAWN = multiprocessing.get_context("spawn")
_TO_END = 5.0  # seconds that a process gets to end by itself
_SLACK = 10.0  # seconds beyond the limit of a pass, times the passes of a question
_PASSES = 3


class SettingError(Exception):
    """A worker can't measure one setting; the others are not touched."""


class WorkerError(Exception):
    """A worker has ended, or was ended."""


class Child:
    """A process that sends answers until it ends or is ended.

    Parameters
    ----------
    target
        A module-level function.
    args
        Its arguments; a connection to answer on and a file for what it prints follow them.
    """

    def __init__(self, target: Callable[..., None], *args: object) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="thresher-bench-")
        self._log = Path(self._folder.name, "log")
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=target, args=(*args, theirs, self._log), daemon=True)
        with _environment(self._folder.name):
            self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, by force if need be."""
        self._connection.close()
        self._process.join(_TO_END)
        self._kill()
        self._folder.cleanup()

    def receive(self, limit: float, doing: str, *, waited: float = 0.0) -> Any:  # noqa: ANN401
        """Return the next answer, if it comes within `limit` seconds of which some may have been waited already.

        Raises
        ------
        WorkerError
            If the process has ended, or does not answer in time: then it is ended.
        """
        try:
            if self._connection.poll(max(0.0, limit - waited)):
                return self._connection.recv()
        except (EOFError, OSError):
            raise WorkerError(self._epitaph()) from None
        self._kill()
        raise WorkerError(f"ended after {limit:g} s of {doing}, the time limit")

    def _kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def _epitaph(self) -> str:
        """Return how the process ended, with the last that it has said."""
        self._process.join(_TO_END)
        self._kill()
        code = self._process.exitcode or 0
        reason = f"exited with code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            reason += ", perhaps out of memory"
        last = self._last_words()
        return f"{reason}: {last}" if last else reason

    def _last_words(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return next((" ".join(line.split())[:300] for line in reversed(lines) if line.strip()), "")


class Worker(Child):
    """A process that builds an index and is asked about it.

    Parameters
    ----------
    job
        What to build.
    build_limit
        Seconds that loading and building may take.
    """

    def __init__(self, job: Job, build_limit: float) -> None:
        self.job = job
        self._build_limit = build_limit
        super().__init__(serve, job)

    def build(self) -> Built:
        """Wait for the index.

        Raises
        ------
        WorkerError
            If there is none, or not in time.
        """
        answer = self.receive(self._build_limit, "building")
        if isinstance(answer, Failed):
            self.close()
            raise WorkerError(answer.reason)
        built: Built = answer
        return built

    def ask(self, question: Question) -> Asked:
        """Wait for the figures of a setting.

        Raises
        ------
        SettingError
            If the library has raised an exception.
        WorkerError
            If it has ended the process, or has not answered in time.
        """
        try:
            self._connection.send(question)
        except OSError:
            raise WorkerError(self._epitaph()) from None
        answer = self.receive(self.job.limit * _PASSES + _SLACK, "searching")
        if isinstance(answer, Failed):
            raise SettingError(answer.reason)
        asked: Asked = answer
        return asked


def in_time(limit: float, on_step: Callable[[str], object], call: Callable[..., T], *args: object) -> T:
    """Return what a module-level function returns in a fresh process.

    Parameters
    ----------
    limit
        Seconds that it may take.
    told
        Called with each line that the function tells.
    call
        Called with a `Tell` and `args`.

    Raises
    ------
    WorkerError
        If it raises, takes too long, or its process is ended.
    """
    started = time.monotonic()
    with Child(serve_call, call, args) as child:
        while True:
            answer = child.receive(limit, call.__name__, waited=time.monotonic() - started)
            if isinstance(answer, Told):
                on_step(answer.line)
            elif isinstance(answer, Failed):
                raise WorkerError(answer.reason)
            else:
                result: T = answer
                return result


@contextmanager
def _environment(folder: str) -> Iterator[None]:
    """Let a process that starts here put its files into a folder that goes with it, and take one thread for OpenMP."""
    wanted = {"TMPDIR": folder, "OMP_NUM_THREADS": "1"}
    kept = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
