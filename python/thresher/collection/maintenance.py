"""What goes on behind: waiting documents are written to segments, and neighbouring segments are merged.

Segments grow in tiers. Four neighbours of one size class, powers of 4, become one of the next, so that a document is
merged a logarithmic number of times; and a segment of which much is dead is written again without that.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import queue
import threading
import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from thresher.collection.fresh import is_fresh

if TYPE_CHECKING:
    from thresher.collection.segment import Part
    from thresher.collection.view import View
    from thresher.collection.writer import Writer

_log = logging.getLogger("thresher.collection")

# Documents that wait, from which on they are written to a segment.
FLUSH = 32_768
# Upserts that wait, from which on they are written too, though most were replaced since.
_UPSERTS = 4 * FLUSH
# Times as many may wait.
_MANY = 4
# Neighbours that are merged.
_WIDTH = 4
# The fraction of dead documents from which on a segment is written again.
_DEAD = 0.3
# Seconds until what failed, as for want of space, is tried again.
_PAUSE = 10.0


class _StoppedError(Exception):
    """A build is ended, since the collection is closed."""


def to_flush(view: View) -> Sequence[Part]:
    """Return the parts that wait, if they are many, or were often replaced: the log has all of their upserts."""
    fresh = [part for part in view.parts if is_fresh(part)]
    flushed = max((part.segment.last for part in view.parts if not is_fresh(part)), default=0)
    is_long = bool(fresh) and fresh[-1].segment.last - flushed >= _UPSERTS
    return fresh if is_long or sum(len(part.segment) for part in fresh) >= FLUSH else []


def to_merge(view: View) -> Sequence[Part]:
    """Return neighbours that are to become one segment, the latest first; or one of which much is dead."""
    parts = [part for part in view.parts if not is_fresh(part)]
    for end in range(len(parts), 0, -1):
        begin = end - 1
        while begin > 0 and size_class(parts[begin - 1]) <= size_class(parts[end - 1]):
            begin -= 1
        if end - begin >= _WIDTH:
            return parts[begin:end]
    for part in parts:
        if part.n_live < (1 - _DEAD) * len(part.segment):
            return [part]
    return []


def make_room(writer: Writer) -> None:
    """Write waiting documents to a segment here and now if they are so many that the thread does not keep up."""
    if sum(len(part.segment) for part in writer.view.parts if is_fresh(part)) >= _MANY * FLUSH:
        writer.rebuild(to_flush)


def size_class(part: Part) -> int:
    """Return the power of 4 that a part's live documents come to."""
    return (max(part.n_live, 1).bit_length() - 1) // 2


class Maintenance:
    """A thread that builds segments as long as there are some to build.

    It is told by a queue alone, which an interrupt can't leave locked, as it can an event.
    """

    def __init__(self, writer: Writer) -> None:
        """Start it."""
        self._writer = writer
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_stopped = False
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="thresher-collection", daemon=True)
        self._thread.start()
        # The interpreter does not wait for daemons, and a build must not outlive it.
        reference = weakref.ref(self)
        self._at_exit = functools.partial(_close, reference)
        atexit.register(self._at_exit)

    def notify(self) -> None:
        """Look whether there is something to do."""
        if self._told.empty():
            self._told.put(None)

    def close(self) -> None:
        """End what is being built, which loses nothing."""
        self._is_stopped = True
        self._told.put(None)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        atexit.unregister(self._at_exit)

    def _run(self) -> None:
        while not self._is_stopped:
            self._wait()
            try:
                while self._build():
                    pass
                self._writer.tidy(_UPSERTS)
                self.failure = None
            except _StoppedError:
                return
            except Exception as error:  # noqa: BLE001 - told by `stats`, and tried again
                self.failure = error
                _log.warning("a segment could not be built, and is tried again: %s", error)

    def _wait(self) -> None:
        """Wait until there may be something to do; after a failure for a while."""
        if self.failure is None:
            self._told.get()
            return
        end = time.monotonic() + _PAUSE
        while not self._is_stopped and (left := end - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                self._told.get(timeout=left)

    def _build(self) -> bool:
        """Build a segment; return whether there was one to build."""
        return not self._is_stopped and any(
            self._writer.rebuild(choose, threads=1, progress=self._progress) for choose in (to_flush, to_merge)
        )

    def _progress(self, done: int, total: int) -> None:  # noqa: ARG002 - as builds call it
        if self._is_stopped:
            raise _StoppedError


def _close(reference: weakref.ref[Maintenance]) -> None:
    if (found := reference()) is not None:
        found.close()
