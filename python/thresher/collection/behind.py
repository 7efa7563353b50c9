"""Work that goes on behind, in a thread of its own, as long as there is some."""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable

_log = logging.getLogger("thresher.collection")

# Seconds until what failed, as for want of space, is tried again.
_PAUSE = 10.0


class StoppedError(Exception):
    """Work is ended, since the collection is closed."""


class Worker:
    """A thread that works whenever it is told that there is something to do. It begins when it is first told so.

    It is told by a queue alone, which an interrupt can't leave locked, as it can an event.

    Parameters
    ----------
    name
        Of the thread.
    work
        Does what there is to do. It calls `check` now and then, which raises where it is to end.
    what
        What it means that `work` raised, for the log.
    """

    def __init__(self, name: str, work: Callable[[], object], what: str) -> None:
        self.failure: Exception | None = None
        """What the last work raised; None if it was done."""
        self._name, self._work, self._what = name, work, what
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def notify(self) -> None:
        """Look whether there is something to do."""
        if self._told.empty():
            self._told.put(None)
        with self._lock:
            if self._thread is None and not self._is_stopped:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                # The interpreter does not wait for daemons, and work must not outlive it.
                self._at_exit = functools.partial(_close, weakref.ref(self))
                atexit.register(self._at_exit)
                self._thread.start()

    def check(self, *_: int) -> None:
        """Raise StoppedError if work is to end; can be the progress of a build or a search."""
        if self._is_stopped:
            raise StoppedError

    def close(self) -> None:
        """End what is being done; idempotent. In a forked child there is nothing to end: the thread is the parent's."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._is_stopped = True
            self._told.put(None)
        if self._thread is None:
            return
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        atexit.unregister(self._at_exit)

    def _run(self) -> None:
        while not self._is_stopped:
            self._wait()
            try:
                self.check()
                self._work()
                self.failure = None
            except StoppedError:
                return
            except Exception as error:  # noqa: BLE001 - told by `stats`, and tried again
                self.failure = error
                _log.warning("%s, and is tried again: %s", self._what, error)

    def _wait(self) -> None:
        """Wait until there may be something to do; after a failure for a while, and then try again."""
        if self.failure is None:
            self._told.get()
            return
        end = time.monotonic() + _PAUSE
        while not self._is_stopped and (left := end - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                self._told.get(timeout=left)


def _close(reference: weakref.ref[Worker]) -> None:
    if (found := reference()) is not None:
        found.close()
