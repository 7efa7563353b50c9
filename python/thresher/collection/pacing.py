"""The pace of what goes on behind: no more documents a second than was asked."""

from __future__ import annotations

import time
from collections.abc import Callable

_AT_ONCE = 0.05  # seconds of a pause, until it is looked whether it may end


class Pace:
    """The progress of a build, which pauses where it is ahead of its pace.

    Parameters
    ----------
    docs_per_s
        Documents a second; None for no limit.
    is_pressed
        Tells whether others wait for the build, which then goes on as fast as it can.
    check
        Called now and then; what it raises ends the build.
    """

    def __init__(self, docs_per_s: float | None, is_pressed: Callable[[], bool], check: Callable[[], object]) -> None:
        self._docs_per_s, self._is_pressed, self._check = docs_per_s, is_pressed, check
        self.begin(0)

    def begin(self, n_docs: int) -> None:
        """Begin to build a segment of so many documents."""
        self._n_docs, self._began = n_docs, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Pause until the pace allows for the part that is done."""
        self._check()
        if self._docs_per_s is None or not total:
            return
        due = self._began + self._n_docs * done / total / self._docs_per_s
        while (ahead := due - time.monotonic()) > 0 and not self._is_pressed():
            time.sleep(min(ahead, _AT_ONCE))
            self._check()
