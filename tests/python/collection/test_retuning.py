"""Collections whose segments are tuned again after merges: behind, in bounded time, and at no one's cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from strategies import learned
from thresher.collection import Collection, Upkeep, retuning
from thresher.collection.retuning import due, retune
from thresher.tuning.brief import Brief, tune_briefly

N = 2400
UPKEEP = Upkeep(flush_docs=200, merge_width=2, exact_docs=100)
NO_TARGET = r"the target, .*, is not met"


def matrix(case: Any) -> sp.csr_array:
    """Return rows as scipy has them."""
    indptr, indices, data = case.triple
    return sp.csr_array((data, indices, indptr), shape=case.shape)


@pytest.fixture(scope="module")
def rows() -> tuple[sp.csr_array, sp.csr_array]:
    """Documents, and queries like those to come."""
    case = learned(N, 200, seed=4)
    return matrix(case.docs), matrix(case.queries)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """An empty collection, of which nothing goes on behind."""
    with Collection.create(tmp_path / "c", upkeep=UPKEEP, background=False) as opened:
        yield opened


def upsert(collection: Collection, docs: sp.csr_array, begin: int, end: int) -> None:
    """Upsert some of the documents, and put them into one segment with all others."""
    collection.upsert(range(begin, end), docs[begin:end])
    collection.optimize()


def retuned(collection: Collection) -> int:
    """Tune what is due; return how many segments that were."""
    writer = collection._writer
    assert writer is not None
    n = 0
    while retune(writer, collection.stats().upkeep):
        n += 1
    return n


def waited_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; tests are ended where it never is."""
    while not is_so():
        time.sleep(0.001)


@pytest.mark.parametrize("are_given", [True, False])
def test_the_recall_asked_is_met_after_growth(
    collection: Collection, rows: tuple[sp.csr_array, sp.csr_array], are_given: bool
) -> None:
    docs, queries = rows
    upsert(collection, docs, 0, 60)
    collection.tune(queries if are_given else None, recall=0.95, k=5, budget_s=60, retune_s=60)
    assert collection.stats().tunings["vector"].engine == "exact"
    end = 60
    while end < N:
        begin, end = end, min(N, 2 * end)
        upsert(collection, docs, begin, end)
        is_due = end > 2 * begin - 1  # not from 1,920 documents to 2,400
        assert collection.stats().out_of_date == (["vector"] if is_due and end > UPKEEP.exact_docs else [])
        assert retuned(collection) == (is_due and end > UPKEEP.exact_docs)
        (segment,) = collection.stats().segments
        assert segment.doubts == {}
        assert collection.stats().out_of_date == []
        if end > UPKEEP.exact_docs:
            tuning = segment.tunings["vector"]
            assert tuning.is_met
            assert tuning.recall >= 0.95
            assert UPKEEP.is_alike(tuning.n_docs, end)
            assert collection.recall(queries if are_given else None, k=5) >= 0.93  # of other queries, by chance
    assert [tuning.n_docs for tuning in collection._view().tunings["vector"].found] == [60, 120, 240, 480, 960, 1920]


def test_segments_of_all_sizes_meet_the_recall_together(
    collection: Collection, rows: tuple[sp.csr_array, sp.csr_array]
) -> None:
    docs, queries = rows
    for begin, end in ((0, 1300), (1300, 2000), (2000, 2250), (2250, 2390)):
        collection.upsert(range(begin, end), docs[begin:end])
        collection.flush()
    collection.upsert(range(2390, N), docs[2390:])
    collection.tune(queries, recall=0.95, k=10, budget_s=60, retune_s=60)
    assert retuned(collection) > 0
    assert {len(segment.doubts) for segment in collection.stats().segments} == {0}
    assert collection.recall(queries, k=10) >= 0.94


def test_no_time_for_it_leaves_a_note(collection: Collection, rows: tuple[sp.csr_array, sp.csr_array]) -> None:
    docs, queries = rows
    upsert(collection, docs, 0, 200)
    collection.tune(queries, recall=0.9, k=5, budget_s=60, retune_s=0)
    upsert(collection, docs, 200, 399)
    assert collection.stats().segments[0].doubts == {}
    upsert(collection, docs, 399, 400)
    assert retuned(collection) == 0
    stats = collection.stats()
    assert stats.out_of_date == ["vector"]
    assert stats.segments[0].doubts["vector"].endswith("it is not tuned again (retune_s=0)")
    assert "it is not tuned again (retune_s=0)" in repr(stats)
    assert "is not tuned again" in str(stats.to_dict()["segments"])
    with Collection.open(collection.path) as reader:
        assert reader.stats().segments[0].doubts == stats.segments[0].doubts


def test_a_time_that_ends_first_leaves_a_note_and_is_not_tried_again(
    collection: Collection, rows: tuple[sp.csr_array, sp.csr_array]
) -> None:
    docs, queries = rows
    upsert(collection, docs, 0, 200)
    collection.tune(queries, recall=0.9, k=5, budget_s=60, retune_s=1e-9)
    upsert(collection, docs, 200, 500)
    assert collection.stats().segments[0].doubts["vector"].endswith("it waits to be tuned again")
    assert retuned(collection) == 1
    assert retuned(collection) == 0
    stats = collection.stats()
    assert "the time for it ended first (retune_s=1e-09)" in stats.segments[0].doubts["vector"]
    assert stats.out_of_date == ["vector"]
    upsert(collection, docs, 500, 900)
    assert retuned(collection) == 0  # that is of about the same size
    upsert(collection, docs, 900, 1500)
    assert retuned(collection) == 1
    with Collection.open(collection.path) as reader:
        assert "ended first" in reader.stats().segments[0].doubts["vector"]


def test_a_target_that_is_not_met_leaves_a_note(
    collection: Collection, rows: tuple[sp.csr_array, sp.csr_array]
) -> None:
    docs, queries = rows
    upsert(collection, docs, 0, 200)
    with pytest.warns(UserWarning, match=NO_TARGET):
        collection.tune(queries, latency_us=1e-9, k=5, budget_s=60, retune_s=60)
    upsert(collection, docs, 200, 500)
    assert retuned(collection) == 1
    (segment,) = collection.stats().segments
    assert segment.tunings["vector"].n_docs == 500
    assert segment.doubts["vector"].startswith("the target was not met: recall@5 ")
    assert collection.stats().out_of_date == []


def test_an_error_is_told_and_loses_nothing(
    collection: Collection, rows: tuple[sp.csr_array, sp.csr_array], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, queries = rows
    upsert(collection, docs, 0, 200)
    collection.tune(queries, recall=0.9, k=5, budget_s=60)
    upsert(collection, docs, 200, 500)
    before = collection.search(queries, 5, exact=True).ids

    def fails(*_: Any, **__: Any) -> Brief:
        raise MemoryError("no room")

    monkeypatch.setattr(retuning, "tune_briefly", fails)
    assert retuned(collection) == 1
    assert collection.stats().segments[0].doubts["vector"].endswith("it failed: MemoryError: no room")
    np.testing.assert_array_equal(collection.search(queries, 5, exact=True).ids, before)
    upsert(collection, docs, 500, 520)
    path = collection.path
    collection.close()
    with Collection.open(path, "rw", background=False) as again:
        assert len(again) == 520
        assert retuned(again) == 0
        monkeypatch.undo()
        again.tune(queries, recall=0.9, k=5, budget_s=60)
        assert again.stats().segments[0].doubts == {}


def test_what_can_not_be_stored_is_raised_and_due_again(
    collection: Collection, rows: tuple[sp.csr_array, sp.csr_array], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, queries = rows
    upsert(collection, docs, 0, 200)
    collection.tune(queries, recall=0.9, k=5, budget_s=60)
    upsert(collection, docs, 200, 500)
    before = collection._view()

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("thresher.collection.writer.keep", full)
    with pytest.raises(OSError, match="no space left"):
        retuned(collection)
    assert collection._view() is before
    monkeypatch.undo()
    collection.upsert([9999], docs[:1])
    assert retuned(collection) == 1
    assert len(collection) == 501


def test_tuning_by_hand_meanwhile_counts(
    collection: Collection, rows: tuple[sp.csr_array, sp.csr_array], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, queries = rows
    upsert(collection, docs, 0, 200)
    collection.tune(queries, recall=0.5, k=5, budget_s=60)
    upsert(collection, docs, 200, 500)

    def meanwhile(*arguments: Any, **named: Any) -> Brief:
        collection.tune(queries, recall=0.5, k=5, budget_s=60)
        return tune_briefly(*arguments, **named)

    monkeypatch.setattr(retuning, "tune_briefly", meanwhile)
    assert retuned(collection) == 1
    assert len(collection._view().tunings["vector"].found) == 1


def test_dead_documents_make_no_queries(collection: Collection, rows: tuple[sp.csr_array, sp.csr_array]) -> None:
    docs, _ = rows
    upsert(collection, docs, 0, 200)
    collection.tune(recall=0.9, k=5, budget_s=60)
    upsert(collection, docs, 200, 500)
    collection.delete(range(19, 500))
    writer = collection._writer
    assert writer is not None
    assert due(writer.view, UPKEEP) is not None
    assert retuned(collection) == 1
    assert "queries find a document; at least 20 are needed" in collection.stats().segments[0].doubts["vector"]


def slowly(begun: threading.Event, may_end: threading.Event) -> Callable[..., Brief]:
    """Return what tunes until it may end, or is told to."""

    def tune(*_: Any, check: Callable[[], object], **__: Any) -> Brief:
        begun.set()
        while not may_end.wait(0.001):
            check()
        raise ValueError("it may end")

    return tune


@pytest.fixture
def grown(tmp_path: Path, rows: tuple[sp.csr_array, sp.csr_array]) -> Path:
    """A collection with a segment to be tuned, that nobody has open."""
    docs, queries = rows
    with Collection.create(tmp_path / "grown", upkeep=UPKEEP, background=False) as made:
        upsert(made, docs, 0, 200)
        made.tune(queries, recall=0.9, k=5, budget_s=60, retune_s=60)
        upsert(made, docs, 200, 500)
    return tmp_path / "grown"


def test_close_ends_it(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    monkeypatch.setattr(retuning, "tune_briefly", slowly(begun, threading.Event()))
    for _ in range(2):
        with Collection.open(grown, "rw") as collection:
            assert begun.wait(60)
            begun.clear()
            assert "waits" in collection.stats().segments[0].doubts["vector"]
    monkeypatch.undo()
    with Collection.open(grown, "rw") as collection:
        waited_for(lambda: not collection.stats().out_of_date)
        assert collection.stats().failure is None


def test_nobody_waits_for_it(
    grown: Path, rows: tuple[sp.csr_array, sp.csr_array], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, queries = rows
    begun, may_end = threading.Event(), threading.Event()
    monkeypatch.setattr(retuning, "tune_briefly", slowly(begun, may_end))
    with Collection.open(grown, "rw") as collection:
        assert begun.wait(60)
        for begin in range(500, 1500, 50):
            collection.upsert(range(begin, begin + 50), docs[begin : begin + 50])
        waited_for(lambda: collection.stats().n_waiting < UPKEEP.flush_docs)  # the builder goes on
        collection.delete(range(10))
        collection.flush()
        collection.optimize()
        collection.tune(queries, recall=0.9, k=5, budget_s=60)
        assert len(collection.stats().segments) == 1
        assert collection.stats().out_of_date == []
        may_end.set()
    with Collection.open(grown) as reader:
        assert len(reader) == 1490
        assert reader.stats().out_of_date == []


def test_merges_behind_are_tuned_behind(
    tmp_path: Path, rows: tuple[sp.csr_array, sp.csr_array], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, queries = rows
    with Collection.create(tmp_path / "c", upkeep=UPKEEP) as collection:
        collection.upsert(range(150), docs[:150])
        collection.flush()
        collection.tune(queries, recall=0.95, k=10, budget_s=60, retune_s=60)
        for begin in range(150, N, 50):
            collection.upsert(range(begin, min(begin + 50, N)), docs[begin : begin + 50])
        collection.flush()
        waited_for(lambda: not collection.stats().out_of_date)
        assert collection.recall(queries, k=10) >= 0.94
        assert collection.stats().failure is None
