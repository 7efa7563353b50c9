"""The pictures: recall against speed, and latencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from thresher_bench.choice import FLOORS, best, curve, name_of
from thresher_bench.table import ranked, titled

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from thresher_bench.results import Library, Results

CURVES = "recall-qps.png"
LATENCIES = "latency.png"

OURS = ("#0b5fa5", "#1b9e77", "#d95f02", "#7a3fb0", "#d01c6b", "#8a6d00")
_PEERS = ("#6b7280", "#b45309", "#0e7490", "#9d174d", "#4d7c0f", "#4338ca", "#111827", "#7c2d12")
MARKERS = "osD^vP"
_PEER_MARKERS = "osD^vPX*"
_LOWEST = 0.85  # recall at the left edge, unless nothing is better
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e7eb",
    "axes.edgecolor": "#9ca3af",
    "axes.axisbelow": True,
}
_DPI = 160


def draw(results: Results, folder: Path) -> None:
    """Write both pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        save(_curves(results), folder / CURVES)
        save(_latencies(results), folder / LATENCIES)


def absence(library: Library) -> str:
    """Return why a library has no latencies at some recall."""
    return "not reached" if curve(library) else "not run"


def save(figure: Figure, path: Path) -> None:
    """Write a picture as a PNG file."""
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=_DPI, bbox_inches="tight", facecolor="white")


def _styles(libraries: list[Library]) -> dict[str, dict[str, object]]:
    """Return colour, marker and line of each library: filled and solid for ours, thin and dashed for peers."""
    styles: dict[str, dict[str, object]] = {}
    ours = [library.name for library in libraries if library.ours]
    peers = [library.name for library in libraries if not library.ours]
    for place, name in enumerate(ours):
        styles[name] = {
            "color": OURS[place % len(OURS)],
            "marker": MARKERS[place % len(MARKERS)],
            "linestyle": "-",
            "linewidth": 1.8,
            "markersize": 5,
        }
    for place, name in enumerate(peers):
        styles[name] = {
            "color": _PEERS[place % len(_PEERS)],
            "marker": _PEER_MARKERS[place % len(_PEER_MARKERS)],
            "linestyle": "--",
            "linewidth": 1.2,
            "markersize": 5.5,
            "markerfacecolor": "white",
            "markeredgewidth": 1.3,
        }
    return styles


def _curves(results: Results) -> Figure:
    figure = Figure(figsize=(9.5, 6))
    axes = figure.add_subplot()
    libraries = ranked(results.libraries)
    styles = _styles(libraries)
    lowest = _LOWEST
    curves = {library.name: [choice.held_out for choice in curve(library)] for library in libraries}
    recalls = [one.recall for figures in curves.values() for one in figures]
    if recalls and max(recalls) < _LOWEST:
        lowest = min(recalls)
    missing = []
    for library in libraries:
        shown = [one for one in curves[library.name] if one.recall >= lowest]
        if shown:
            axes.plot(
                [one.recall for one in shown],
                [one.qps for one in shown],
                label=titled(library),
                **styles[library.name],  # type: ignore[arg-type]
            )
        else:
            missing.append(titled(library))
    axes.set_yscale("log")
    _plain_numbers(axes)
    axes.set_xlim(lowest, 1 + (1 - lowest) * 0.02)
    axes.set_xlabel(f"recall@{results.facts.get('k', '')} on held-out queries")
    axes.set_ylabel("queries a second, one thread")
    axes.set_title(f"Recall and speed, {results.facts.get('documents', '')}", loc="left", fontsize=11)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    if missing:
        text = "Not shown: " + ", ".join(missing)
        figure.text(0.125, -0.01, text, fontsize=8, color="#6b7280", ha="left", va="top", wrap=True)
    return figure


def _latencies(results: Results) -> Figure:
    libraries = ranked(results.libraries)
    styles = _styles(libraries)
    floors = (FLOORS[0], FLOORS[1], FLOORS[3], FLOORS[4])
    figure = Figure(figsize=(12, 1.6 + 0.36 * len(libraries) * 2), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, sharey=True).ravel()
    for axes, floor in zip(grid, floors, strict=True):
        for row, library in enumerate(libraries):
            choice = best(library, floor)
            if choice is None or choice.held_out.latency is None:
                place = ("axes fraction", "data")
                axes.annotate(absence(library), (0.01, row), xycoords=place, color="#9ca3af", va="center", fontsize=8)
                continue
            times = [choice.held_out.latency[key] for key in ("p50", "p95", "p99")]
            colour = styles[library.name]["color"]
            axes.plot([times[0], times[-1]], [row, row], color=colour, linewidth=2, alpha=0.5)
            for time, marker, size in zip(times, "o|D", (6, 11, 4.5), strict=True):
                axes.plot(time, row, marker=marker, color=colour, markersize=size, markeredgewidth=1.8, linestyle="")
        floor_name = "exact" if floor == FLOORS[-1] else f"recall of at least {name_of(floor)}"
        axes.set_title(floor_name, loc="left", fontsize=10)
        axes.set_yticks(range(len(libraries)), [titled(library) for library in libraries])
        axes.set_ylim(len(libraries) - 0.5, -0.5)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _duration(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    figure.suptitle(
        "Latency of one query a call, one thread: median (dot), 95th (bar) and 99th percentile (diamond)",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    return figure


def _plain_numbers(axes: Axes) -> None:
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _duration(microseconds: float) -> str:
    return f"{microseconds / 1000:g} ms" if microseconds >= 1000 else f"{microseconds:g} µs"
