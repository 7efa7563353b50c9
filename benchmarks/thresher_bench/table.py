"""The tables on stdout."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from thresher_bench.choice import FLOORS, best, name_of, points, trouble
from thresher_bench.common import print_facts, print_table

if TYPE_CHECKING:
    from thresher_bench.choice import Choice
    from thresher_bench.results import Library, Results

NOTHING = "-"

DETAILS = (
    "library",
    "floor",
    "recall",
    "QPS",
    "mean us",
    "p50 us",
    "p95 us",
    "p99 us",
    "build s",
    "CPU s",
    "MB",
    "setting",
)


def overview(libraries: list[Library]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table that has one row a library: queries a second at each floor."""
    header = ["library", "version", *map(name_of, FLOORS), "build s", "MB", "remarks"]
    rows = []
    for library in ranked(libraries):
        choices = [best(library, floor) for floor in FLOORS]
        builds = list({id(choice.build): choice.build for choice in choices if choice is not None}.values())
        rows.append(
            [
                titled(library),
                library.version or NOTHING,
                *(NOTHING if choice is None else f"{choice.held_out.qps:,.0f}" for choice in choices),
                _range([build.seconds for build in builds], 1),
                _range([build.saved_bytes for build in builds], 1e6),
                remark(library),
            ]
        )
    return header, rows


def details(libraries: list[Library]) -> list[list[str]]:
    """Return the rows of the table that has one row for each library and floor, for the header `DETAILS`."""
    rows = []
    for floor in FLOORS:
        found = [(library, best(library, floor)) for library in libraries]
        reached = [(library, choice) for library, choice in found if choice is not None]
        reached.sort(key=lambda pair: -pair[1].held_out.qps)
        rows += [_detail(library, floor, choice) for library, choice in reached]
    return rows


def ranked(libraries: list[Library]) -> list[Library]:
    """Return libraries: ours first, those that took no part last."""
    return sorted(libraries, key=lambda library: (library.reason is not None, not library.ours))


def titled(library: Library) -> str:
    """Return what a library is called."""
    return f"thresher {library.title}" if library.ours else library.title


def remark(library: Library) -> str:
    """Return in one line why a library has no figures, or which of them are missing."""
    lines = trouble(library)
    highest = max((choice.tuned.recall for choice in points(library)), default=None)
    if highest is None:
        return "; ".join(lines) or "nothing was measured"
    parts = []
    if highest < FLOORS[0]:
        parts.append(f"its greatest recall is {highest:.3f}")
    if lines:
        parts.append(f"{len(lines)} {'failure' if len(lines) == 1 else 'failures'}, see below")
    shown = [choice for choice in map(partial(best, library), FLOORS) if choice is not None]
    if not all(choice.held_out.quiet for choice in shown):
        parts.append("CPU time, since other work ran")
    return "; ".join(parts)


def show(results: Results) -> None:
    """Print everything on stdout."""
    print_facts(results.facts)
    print("Queries a second at a recall of at least")
    _print_wide(*overview(results.libraries))
    print("\nThe settings behind it, picked on the first half of the queries, measured on the other half")
    _print_wide(list(DETAILS), details(results.libraries))
    failures = [f"{titled(library)}: {line}" for library in results.libraries for line in trouble(library)]
    if failures:
        print("\nWhat failed")
        print("\n".join(failures))


def _print_wide(header: list[str], rows: list[list[str]]) -> None:
    """Print a table whose last column is text: to the left, at the end of its line."""
    width = max(len(row[-1]) for row in [header, *rows])
    header, *rows = ([*row[:-1], f"{row[-1]:<{width}}"] for row in [header, *rows])
    print_table(header, rows)


def _detail(library: Library, floor: float, choice: Choice) -> list[str]:
    held, build = choice.held_out, choice.build
    times = [NOTHING if held.latency is None else f"{held.latency[key]:,.0f}" for key in ("mean", "p50", "p95", "p99")]
    return [
        titled(library),
        name_of(floor),
        f"{held.recall:.4f}",
        f"{held.qps:,.0f}",
        *times,
        _range([build.seconds], 1),
        _range([build.cpu_seconds], 1),
        _range([build.saved_bytes], 1e6),
        choice.setting,
    ]


def _range(values: list[float | None] | list[int | None], unit: float) -> str:
    known = sorted(value / unit for value in values if value is not None)
    if not known:
        return NOTHING
    low, high = (f"{value:,.1f}" if value < 100 else f"{value:,.0f}" for value in (known[0], known[-1]))
    return low if low == high else f"{low} to {high}"
