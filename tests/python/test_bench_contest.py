"""Libraries that fail are reported with their reason, and take nothing else with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from scipy import sparse

import fake_libraries
from strategies import learned
from thresher.formats import bigann
from thresher_bench import process
from thresher_bench.choice import EXACT, best, trouble
from thresher_bench.common import load
from thresher_bench.contest import Contest, Options
from thresher_bench.grids import Grid
from thresher_bench.measure import TooSlowError, ask
from thresher_bench.results import Library
from thresher_bench.truth import Truth

LIMIT = 60.0
TINY_LIMIT = 0.3


class Silent:
    """Listens and says nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.planned = 0
        self.steps = 0

    def plan(self, steps: int) -> None:
        self.planned += steps

    def step(self, what: str) -> None:
        self.steps += 1

    def note(self, line: str) -> None:
        self.notes.append(line)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("bench")
    case = learned(200, 12, seed=5)
    for name, part in (("base.csr", case.docs), ("queries.csr", case.queries)):
        matrix = sparse.csr_matrix((part.data, part.indices.astype("int32"), part.indptr), shape=part.shape)
        bigann.write_csr(folder / name, matrix)
    return folder / "base.csr", folder / "queries.csr"


class Impatient(Silent):
    """Is interrupted before a step."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.last = last

    def step(self, what: str) -> None:
        super().step(what)
        if self.last in what:
            raise KeyboardInterrupt


def contest(files: tuple[Path, Path], grids: dict[str, Grid], **changed: Any) -> tuple[list[Library], Silent]:
    watcher = Silent()
    return prepared(files, grids, watcher, **changed).run(), watcher


def prepared(files: tuple[Path, Path], grids: dict[str, Grid], watcher: Silent, **changed: Any) -> Contest:
    base, queries = files
    options: dict[str, Any] = {
        "base": base,
        "queries": queries,
        "n_docs": None,
        "n_queries": 12,
        "k": 10,
        "rounds": 2,
        "time_limit": LIMIT,
        "cpu": min(os.sched_getaffinity(0)),
        "memory": 10**10,
        "input_bytes": 10**6,
    }
    truth = Truth(load(base), load(queries), 10)
    return Contest(grids, Options(**options | changed), truth, watcher)


def fake(*builds: str, searches: tuple[dict[str, Any], ...] = ({},), engine: str = "Fake") -> Grid:
    return Grid("Fake", f"fake_libraries:{engine}", [{"fails": how} if how else {} for how in builds], list(searches))


@pytest.mark.parametrize(
    ("last", "tuned", "measured"),
    [("b: keep=5", [1, 1, 0], 0), ("round 2 of 2, b", [1, 1, 1], 2), ("round 1 of 2, b", [1, 1, 1], 1)],
)
def test_what_was_measured_before_an_interruption(
    files: tuple[Path, Path], last: str, tuned: list[int], measured: int
) -> None:
    grids = {"a": fake(""), "b": fake("", searches=({}, {"keep": 5}))}
    interrupted = prepared(files, grids, Impatient(last))
    with pytest.raises(KeyboardInterrupt):
        interrupted.run()
    first, second = interrupted.libraries
    points = [*first.builds[0].points, *second.builds[0].points]
    assert [int(point.tuned is not None) for point in points] == tuned
    seconds = [0 if point.held_out is None else len(point.held_out.seconds) for point in points]
    assert seconds[0] == measured
    assert seconds[1] == max(0, measured - 1)


def test_builds_that_fail(files: tuple[Path, Path]) -> None:
    libraries, watcher = contest(files, {"fake": fake("raise", "memory", "abort", "exit", "", "raise")})
    raised, memory, aborted, exited, fine, last = libraries[0].builds
    assert raised.reason == last.reason == "RuntimeError: no good at all"
    assert memory.reason == "MemoryError"
    assert aborted.reason == "ended by SIGABRT: free(): invalid pointer"
    assert exited.reason == "exited with code 3"
    assert fine.reason is None
    assert fine.points[0].held_out is not None
    assert fine.points[0].held_out.recall == 1.0
    for build in (raised, memory, aborted, exited):
        assert build.seconds is None
        assert build.points[0].tuned is None
        assert any(str(build.reason) in note for note in watcher.notes)


def test_a_build_that_hangs(files: tuple[Path, Path]) -> None:
    libraries, _ = contest(files, {"fake": fake("hang")}, time_limit=TINY_LIMIT)
    assert libraries[0].builds[0].reason == "ended after 0.3 s of building, the time limit"


def test_a_search_that_hangs(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_SLACK", TINY_LIMIT)
    monkeypatch.setattr(process, "_PASSES", 0)
    libraries, _ = contest(files, {"fake": fake("", searches=({"fails": "hang"},))})
    (build,) = libraries[0].builds
    assert build.reason == build.points[0].reason == "ended after 0.3 s of searching, the time limit"
    assert trouble(libraries[0]) == ["fails hang: ended after 0.3 s of searching, the time limit"]


def test_a_search_that_would_take_too_long_is_not_begun(files: tuple[Path, Path]) -> None:
    (docs, queries), k = map(load, files), 10
    engine = fake_libraries.Fake()
    engine.build(docs)
    with pytest.raises(TooSlowError, match="12 queries would take about 0 s, more than 1e-09 s"):
        ask(engine, queries, k, 1e-9)
    assert ask(engine, queries, k, LIMIT).ids.shape == (12, k)


def test_searches_that_raise_leave_the_others(files: tuple[Path, Path]) -> None:
    searches: tuple[dict[str, Any], ...] = ({"keep": 3}, {"fails": "raise"}, {})
    libraries, _ = contest(files, {"fake": fake("", searches=searches)})
    (build,) = libraries[0].builds
    few, raised, whole = build.points
    assert raised.reason == "RuntimeError: no good at all"
    assert raised.tuned is None
    assert build.reason is None
    assert few.tuned is not None
    assert few.tuned.recall == pytest.approx(0.3)
    assert whole.held_out is not None
    assert best(libraries[0], EXACT) is not None


@pytest.mark.parametrize(("how", "reason"), [("abort", "ended by SIGABRT"), ("exit", "exited with code 3")])
def test_a_search_that_ends_the_process_costs_its_own_figures_only(
    files: tuple[Path, Path], how: str, reason: str
) -> None:
    libraries, _ = contest(files, {"fake": fake("", searches=({"keep": 5}, {"fails": how}, {}))})
    few, ended, whole = libraries[0].builds[0].points
    assert ended.reason is not None
    assert ended.reason.startswith(reason)
    assert few.tuned is not None
    assert whole.held_out is not None
    assert whole.held_out.recall == 1.0
    assert libraries[0].builds[0].reason is None


def test_a_search_that_always_ends_the_process_is_given_up(files: tuple[Path, Path]) -> None:
    searches: tuple[dict[str, Any], ...] = ({"fails": "exit"}, {"fails": "abort"}, {})
    libraries, watcher = contest(files, {"fake": fake("", searches=searches)})
    reasons = [point.reason for point in libraries[0].builds[0].points]
    ends = ["exited with code 3", "ended by SIGABRT: free(): invalid pointer"]
    assert reasons == [*ends, "not measured, since the process has ended twice"]
    assert sum("built in" in note for note in watcher.notes) == 2


def test_what_is_not_there_is_reported(files: tuple[Path, Path]) -> None:
    grids = {
        "missing": fake("", engine="Missing"),
        "nowhere": Grid("Nowhere", "no_such_module:Engine", [{}], [{}]),
        "fake": fake(""),
    }
    missing, nowhere, there = contest(files, grids)[0]
    assert missing.reason == "not installed: pip install no-such-distribution"
    assert nowhere.reason is not None
    assert "no_such_module" in nowhere.reason
    assert missing.builds == nowhere.builds == []
    assert there.reason is None


def test_what_a_build_costs(files: tuple[Path, Path]) -> None:
    (library,) = contest(files, {"fake": fake("")})[0]
    (build,) = library.builds
    for cost in (build.seconds, build.cpu_seconds, build.saved_bytes):
        assert cost is not None
        assert cost > 0
    (point,) = build.points
    assert point.held_out is not None
    assert len(point.held_out.seconds) == 2
    assert point.held_out.qps == pytest.approx(6 / (sum(point.held_out.seconds) / 2))
    assert point.tuned is not None
    assert len(point.tuned.seconds) == 2  # the pass before the rounds is forgotten
    assert point.tuned.qps == pytest.approx(6 / (sum(point.tuned.seconds) / 2))
    latency = point.held_out.latency
    assert latency is not None
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]


def test_where_memory_is_short_processes_take_turns(files: tuple[Path, Path]) -> None:
    grids: dict[str, Grid] = {f"fake {number}": fake("", searches=({}, {"keep": 5})) for number in range(3)}
    alone, _ = contest(files, grids, memory=1)
    together, _ = contest(files, grids)
    for libraries in (alone, together):
        for library in libraries:
            held_out = library.builds[0].points[0].held_out
            assert held_out is not None
            assert held_out.recall == 1.0


def test_settings_are_picked_on_the_first_half_and_reported_on_the_other(files: tuple[Path, Path]) -> None:
    queries = load(files[1])
    loses = queries.indices[queries.indptr[6:-1]].tolist()
    (library,) = contest(files, {"fake": fake("", searches=({"loses": loses},))})[0]
    (point,) = library.builds[0].points
    assert point.tuned is not None
    assert point.held_out is not None
    assert (point.tuned.recall, point.held_out.recall) == (1.0, 0.0)
    assert (len(point.tuned.seconds), len(point.held_out.seconds)) == (2, 2)
    assert point.tuned.latency is None
    assert best(library, 0.99) is not None
    assert best(library, EXACT) is None


def test_every_process_ends(files: tuple[Path, Path]) -> None:
    def children() -> set[str]:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        names = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in text.split()}
        return {pid for pid, line in names.items() if b"spawn_main" in line}

    before = children()
    contest(files, {"fake": fake("", "raise")})
    assert children() <= before
