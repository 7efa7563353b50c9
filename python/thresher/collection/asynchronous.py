"""Calls that wait without holding up an event loop: they run in a few threads of their own."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from thresher.engines.options import Progress

Result = TypeVar("Result")

_THREADS = 4
_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


class CancelledSearchError(Exception):
    """A search is ended, since who waited for it does so no more."""


class Stop:
    """Ends a search from another thread: its progress raises once this is set."""

    def __init__(self, progress: Progress | None) -> None:
        """Tell `progress` as well, if there is one."""
        self._progress = progress
        self._is_set = threading.Event()

    def set(self) -> None:
        """End the search soon."""
        self._is_set.set()

    def progress(self, done: int, total: int) -> None:
        """Be told of the search."""
        if self._is_set.is_set():
            raise CancelledSearchError
        if self._progress is not None:
            self._progress(done, total)


async def waited(call: Callable[..., Result], *arguments: Any, **named: Any) -> Result:  # noqa: ANN401 - the call's
    """Return what a call does, run in another thread; cancelled, it goes on there if it has begun."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), functools.partial(call, *arguments, **named))


async def searched(
    search: Callable[..., Result],
    *arguments: Any,  # noqa: ANN401 - the search's
    progress: Progress | None = None,
    **named: Any,  # noqa: ANN401
) -> Result:
    """Return what a search finds, run in another thread; cancelled, it ends there soon."""
    stop = Stop(progress)
    try:
        return await waited(search, *arguments, progress=stop.progress, **named)
    except asyncio.CancelledError:
        stop.set()
        raise


def _threads() -> ThreadPoolExecutor:
    global _pool  # noqa: PLW0603 - threads are the process's
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="thresher-search")
        return _pool


def _after_fork() -> None:
    """Begin anew in a child, which has no threads."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
