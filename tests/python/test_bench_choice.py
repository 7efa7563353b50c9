"""Settings are picked on one half of the queries and reported on the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from thresher_bench import grids
from thresher_bench.choice import EXACT, FLOORS, best, curve, front, points, trouble, worth_reporting
from thresher_bench.grids import quick, usual, whole
from thresher_bench.results import Build, Figures, Library, Point, Results
from thresher_bench.table import details, overview


def figures(recall: float, qps: float) -> Figures:
    return Figures(recall, qps, [1 / qps], quiet=True, latency={"mean": 1.0, "p50": 2.0, "p95": 3.0, "p99": 4.0})


def point(name: str, tuned: tuple[float, float], held_out: tuple[float, float] | None = None) -> Point:
    return Point({"name": name}, figures(*tuned), None if held_out is None else figures(*held_out))


def library(*found: Point, builds: int = 1) -> Library:
    parts = [
        Build({"build": number}, 2.0, 3.0, 4, 5, 6, points=list(found[number::builds])) for number in range(builds)
    ]
    return Library("fake", "Fake", ours=False, version="1", builds=parts)


def names(choices: list[object]) -> list[str]:
    return [choice.point.search["name"] for choice in choices]  # type: ignore[attr-defined]


def test_the_fastest_that_reaches_the_floor_on_the_first_half_is_reported_on_the_other() -> None:
    lucky = point("lucky", (0.94, 900), (0.96, 950))
    chosen = point("chosen", (0.951, 500), (0.949, 300))
    slower = point("slower", (0.97, 400), (0.97, 800))
    choice = best(library(lucky, chosen, slower), 0.95)
    assert choice is not None
    assert choice.point is chosen
    assert (choice.held_out.recall, choice.held_out.qps) == (0.949, 300)


def test_a_floor_that_is_reached_exactly_counts() -> None:
    assert best(library(point("a", (0.95, 1), (0.95, 1))), 0.95) is not None
    assert best(library(point("a", (0.9499, 1), (0.99, 1))), 0.95) is None


def test_builds_compete() -> None:
    choice = best(library(point("a", (0.99, 10), (0.99, 10)), point("b", (0.99, 20), (0.99, 20)), builds=2), 0.99)
    assert choice is not None
    assert choice.build.settings == {"build": 1}
    assert choice.setting == "build 1, name b"


def test_exact_has_lost_nothing_on_either_half() -> None:
    lossy = point("lossy", (1.0, 900), (0.9998, 900))
    whole = point("whole", (1.0, 100), (1.0, 100))
    first_only = point("second half only", (0.9998, 950), (1.0, 950))
    everything = library(lossy, whole, first_only)
    exact = best(everything, EXACT)
    assert exact is not None
    assert exact.point is whole
    below = best(everything, 0.99)
    assert below is not None
    assert below.point is first_only


def test_nothing_reaches_the_floor() -> None:
    found = library(point("a", (0.8, 1), (0.8, 1)))
    assert [best(found, floor) for floor in FLOORS] == [None] * len(FLOORS)
    _, rows = overview([found])
    assert rows[0][-1] == "its greatest recall is 0.800"


def test_the_front_is_what_nothing_beats() -> None:
    found = library(
        point("worse in both", (0.90, 100)),
        point("fast", (0.91, 300)),
        point("as fast, less", (0.905, 300)),
        point("middle", (0.95, 200)),
        point("as much, slower", (0.95, 150)),
        point("best", (0.99, 50)),
    )
    assert names(list(front(points(found)))) == ["best", "middle", "fast"]


def test_what_is_worth_reporting() -> None:
    found = library(
        *(point(f"exact {qps}", (1.0, qps)) for qps in (10, 20, 30, 40)),
        point("dominated", (0.91, 75)),
        point("fast", (0.92, 100)),
        point("perhaps as fast", (0.91, 85)),
        point("as fast, but of a lower floor", (0.89, 95)),
        point("useless", (0.2, 1000)),
    )
    found.builds[0].points.append(Point({}, figures(1.0, 5)))
    searches = [choice.point.search for choice in worth_reporting(found)]
    wanted = "exact 40", "fast", "perhaps as fast", "exact 30", "exact 20"
    assert searches == [{"name": name} for name in wanted] + [{}]


def test_a_library_whose_recall_is_low_is_reported_still() -> None:
    assert names(list(worth_reporting(library(point("low", (0.3, 10)), point("lower", (0.2, 20)))))) == ["low"]


def test_the_curve_rises_in_recall_and_has_what_was_reported() -> None:
    found = library(
        point("b", (0.95, 20), (0.96, 21)),
        point("a", (0.9, 30), (0.89, 31)),
        point("dominated", (0.89, 5), (0.9, 5)),
        point("not reported", (0.99, 10)),
    )
    assert names(list(curve(found))) == ["a", "b"]


def test_tables() -> None:
    good = library(point("a", (1.0, 1000), (1.0, 2000)), point("b", (0.96, 4000), (0.955, 3000)))
    good.builds[0].points.append(Point({"name": "c"}, reason="too slow"))
    gone = Library("gone", "Gone", ours=True, reason="not installed: pip install gone")
    header, rows = overview([gone, good])
    assert header[2:7] == ["0.90", "0.95", "0.97", "0.99", "exact"]
    assert rows == [
        ["Fake", "1", "3,000", "3,000", "2,000", "2,000", "2,000", "2.0", "0.0", "1 failure, see below"],
        ["thresher Gone", "-", "-", "-", "-", "-", "-", "-", "-", "not installed: pip install gone"],
    ]
    assert trouble(good) == ["build 0: name c: too slow"]
    assert [row[:4] for row in details([gone, good])] == [
        ["Fake", "0.90", "0.9550", "3,000"],
        ["Fake", "0.95", "0.9550", "3,000"],
        ["Fake", "0.97", "1.0000", "2,000"],
        ["Fake", "0.99", "1.0000", "2,000"],
        ["Fake", "exact", "1.0000", "2,000"],
    ]


def test_results_survive_their_file(tmp_path: Path) -> None:
    found = library(point("a", (1.0, 1000), (1.0, 2000)), point("b", (0.5, 1)))
    found.builds.append(Build({"build": 9}, reason="abort"))
    results = Results({"machine": "this"}, [found, Library("gone", "Gone", ours=True, reason="not there")])
    results.write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == results


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": "thresher-bench peers 1"}', '{"form": "other"}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"results\.json does not hold results"):
        Results.read(path)


def test_grids_name_settings_once() -> None:
    for name in grids.names():
        grid, small = whole(name, 300_000, 10), quick(name, 300_000, 10)
        for settings in (grid.builds, grid.searches, small.builds, small.searches):
            assert settings
            assert all(settings.count(one) == 1 for one in settings)
        assert len(small.builds) * len(small.searches) <= len(grid.builds) * len(grid.searches)


def test_seismic_has_longer_lists_on_large_collections() -> None:
    sizes = (100_000, 1_000_000)
    lengths = [[build["n_postings"] for build in whole("seismic", n_docs, 10).builds] for n_docs in sizes]
    assert max(lengths[0]) <= min(lengths[1])
    assert whole("sindi", 1_000_000, 10) == whole("sindi", 1000, 10)


def test_the_usual_libraries() -> None:
    assert {"sindi", "seismic", "kannolo", "bmp", "pisa", "sparse-dot-topn"} <= set(usual())
    assert sum(whole(name, 1000, 10).ours for name in usual()) == 6
