"""A thread that works behind: it begins late, ends when it is told to, and goes on after a failure."""

from __future__ import annotations

import threading

import pytest

from thresher.collection import behind
from thresher.collection.behind import StoppedError, Worker


def test_it_works_when_it_is_told_to() -> None:
    done = threading.Semaphore(0)
    worker = Worker("thresher-test", done.release, "it failed")
    before = threading.active_count()
    assert not done.acquire(blocking=False)
    for _ in range(3):
        worker.notify()
        assert done.acquire(timeout=60)
    assert threading.active_count() == before + 1
    worker.close()
    worker.close()
    worker.notify()
    assert threading.active_count() == before
    assert not done.acquire(blocking=False)


def test_work_ends_when_it_is_closed() -> None:
    begun = threading.Event()

    def work() -> None:
        begun.set()
        while True:
            worker.check()

    worker = Worker("thresher-test", work, "it failed")
    worker.notify()
    assert begun.wait(60)
    worker.close()
    assert worker.failure is None
    with pytest.raises(StoppedError):
        worker.check(1, 2)


def test_what_failed_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "_PAUSE", 0.0)
    errors = [OSError("no space left"), ValueError("no")]
    told: list[Exception | None] = []
    is_over = threading.Event()

    def work() -> None:
        told.append(worker.failure)
        if errors:
            raise errors[0]
        is_over.set()

    worker = Worker("thresher-test", work, "it failed")
    first, second = errors
    worker.notify()
    while len(told) < 3:
        pass
    errors[0] = second
    while told[-1] is not second:
        pass
    errors.clear()
    assert is_over.wait(60)
    worker.close()
    assert worker.failure is None
    assert told[:2] == [None, first]


def test_one_that_was_never_told_to_has_no_thread() -> None:
    before = threading.active_count()
    worker = Worker("thresher-test", lambda: None, "it failed")
    assert threading.active_count() == before
    worker.close()
