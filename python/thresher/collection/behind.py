"""Work that goes on behind, in a thread of its own, as long as there is some."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import threading
import weakref
from collections.abc import Callable

_log = logging.getLogger("thresher.collection")

# Seconds until what failed, as for want of space, is tried again.
_PAUSE = 10.0


class StoppedError(Exception):
    """Work is ended, since the collection is closed."""


class Worker:
    """A thread that works whenever it is told that there is something to do. It begins when it is first told so.

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
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def notify(self) -> None:
        """Look whether there is something to do."""
        self._wanted.set()
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
                # The interpreter does not wait for daemons, and work must not outlive it.
                self._at_exit = functools.partial(_close, weakref.ref(self))
                atexit.register(self._at_exit)

    def check(self, *_: int) -> None:
        """Raise StoppedError if work is to end; can be the progress of a build or a search."""
        if self._stopped.is_set():
            raise StoppedError

    def close(self) -> None:
        """End what is being done; idempotent. In a forked child there is nothing to end: the thread is the parent's."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._stopped.set()
            self._wanted.set()
        if self._thread is None:
            return
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        atexit.unregister(self._at_exit)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wanted.wait()
            self._wanted.clear()
            try:
                self.check()
                self._work()
                self.failure = None
            except StoppedError:
                return
            except Exception as error:  # noqa: BLE001 - told by `stats`, and tried again
                self.failure = error
                _log.warning("%s, and is tried again: %s", self._what, error)
                self._stopped.wait(_PAUSE)
                self._wanted.set()


def _close(reference: weakref.ref[Worker]) -> None:
    if (found := reference()) is not None:
        found.close()
