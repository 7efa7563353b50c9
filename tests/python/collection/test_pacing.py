"""The pace of merges: what they do in a time, and when they stop to keep it."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from thresher.collection import Collection, Upkeep, pacing
from thresher.collection.pacing import Pace


class Clock:
    """A clock that runs while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Any:
    found = Clock()
    with mock.patch.object(pacing, "time", found):
        yield found


def test_a_build_takes_as_long_as_its_documents_may(clock: Clock) -> None:
    pace = Pace(100.0, lambda: False, lambda: None)
    pace.begin(1000)
    for done in range(0, 21, 5):
        pace(done, 20)
        assert clock.now == pytest.approx(done / 2, abs=0.06)


def test_without_a_limit_it_never_pauses(clock: Clock) -> None:
    pace = Pace(None, lambda: False, lambda: None)
    pace.begin(1000)
    pace(20, 20)
    assert clock.now == 0


def test_it_goes_on_where_others_wait(clock: Clock) -> None:
    pace = Pace(1.0, lambda: clock.now >= 3, lambda: None)
    pace.begin(1000)
    pace(1, 1)
    assert clock.now == pytest.approx(3, abs=0.06)


def test_it_ends_where_the_collection_is_closed(clock: Clock) -> None:
    def check() -> None:
        if clock.now >= 2:
            raise KeyError

    pace = Pace(1.0, lambda: False, check)
    pace.begin(1000)
    with pytest.raises(KeyError):
        pace(1, 1)
    assert clock.now == pytest.approx(2, abs=0.06)


def test_merges_go_by_the_pace_and_flushes_do_not(tmp_path: Any) -> None:
    began: list[int] = []

    class Spy(Pace):
        def begin(self, n_docs: int) -> None:
            super().begin(n_docs)
            began.append(n_docs)

    upkeep = Upkeep(flush_docs=10, merge_width=2, merge_docs_per_s=1e9)
    with (
        mock.patch("thresher.collection.maintenance.Pace", Spy),
        Collection.create(tmp_path / "docs", upkeep=upkeep) as collection,
    ):
        for begin in range(0, 40, 10):
            collection.upsert(list(range(begin, begin + 10)), [{0: 1.0}] * 10)
        collection.optimize()
        assert len(collection) == 40
        assert collection.stats().upkeep.merge_docs_per_s == 1e9
    assert set(began) <= {0, 10, 20, 30, 40}


@pytest.mark.parametrize("wrong", [0, -1.0, float("inf"), float("nan")])
def test_a_pace_is_a_number_above_zero(wrong: float) -> None:
    with pytest.raises(ValueError, match="merge_docs_per_s must be above 0 and finite"):
        Upkeep(merge_docs_per_s=wrong)
