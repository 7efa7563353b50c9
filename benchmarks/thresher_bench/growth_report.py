"""Tables and pictures of what grows with the number of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from thresher_bench.growth import BILLION, MS_MARCO_V2, growth, quantities
from thresher_bench.plots import MARKERS, OURS, STYLE, save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from thresher_bench.growth import Entry, Quantity

NOT_THERE = "-"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table: the first column to the left, the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def recalls_of(entries: Sequence[Entry]) -> list[float]:
    """Return the recalls that were asked for, the highest first."""
    return sorted({point.wanted for entry in entries for point in entry.points}, reverse=True)


def engines_of(entries: Sequence[Entry]) -> list[str]:
    """Return the engines, in the order of their names."""
    return sorted({entry.engine for entry in entries})


def report(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the parts of the report."""
    for name, value in dict.fromkeys(pair for entry in entries for pair in entry.facts.items()):
        yield f"{name}: {value}  "
    yield f"\n## Builds\n\n{_builds(entries)}"
    for recall in recalls_of(entries):
        yield f"\n## Searches at a recall of {recall:g}\n\n{_searches(entries, recall)}"
    if any(entry.reason for entry in entries):
        lines = [f"- {entry.engine}, {entry.n_docs:,}: {entry.reason}" for entry in entries if entry.reason]
        yield "\n## What failed\n\n" + "\n".join(lines)
    yield f"\n## Growth\n\n{_growths(entries)}"
    yield f"\n## By these powers\n\n{_extrapolated(entries)}"


def _builds(entries: Sequence[Entry]) -> str:
    header = ["documents", "engine", "nonzeros", "build s", "CPU s", "expected CPU s", "index GB", "expected GB"]
    header += ["bytes a document", "bytes a nonzero", "file GB", "build memory GB", "peak GB"]
    rows = []
    for entry in entries:
        built = entry.built
        if built is None:
            rows.append([f"{entry.n_docs:,}", entry.engine, *[NOT_THERE] * (len(header) - 2)])
            continue
        rows.append(
            [
                f"{entry.n_docs:,}",
                entry.engine,
                f"{built.nnz:,}",
                f"{built.seconds:,.1f}",
                f"{built.cpu_seconds:,.1f}",
                f"{built.expected_cpu_seconds:,.1f}",
                f"{built.index_bytes / 1e9:.3f}",
                f"{built.expected_bytes / 1e9:.3f}",
                f"{built.index_bytes / entry.n_docs:,.0f}",
                f"{built.index_bytes / max(1, built.nnz):.2f}",
                f"{built.file_bytes / 1e9:.3f}",
                f"{built.anonymous_bytes / 1e9:.3f}",
                f"{built.peak_bytes / 1e9:.3f}",
            ]
        )
    return markdown(header, rows)


def _searches(entries: Sequence[Entry], recall: float) -> str:
    header = ["documents", "engine", "recall", "QPS", "CPU us", "batch us", "mean us", "p50 us", "p99 us", "CPUs"]
    header += ["queries", "parameters"]
    rows = []
    for entry in entries:
        for point in entry.points:
            if point.wanted != recall:
                continue
            rows.append(
                [
                    f"{entry.n_docs:,}",
                    entry.engine,
                    f"{point.recall:.4f}" + ("" if point.is_met else " (missed)"),
                    f"{1e6 / point.cpu_us:,.0f}",
                    *(f"{us:,.0f}" for us in (point.cpu_us, point.wall_us, point.mean_us, point.p50_us, point.p99_us)),
                    f"{point.cpus:.2f}",
                    f"{point.n_queries:,}",
                    ", ".join(f"{name} {value}" for name, value in point.params.items()) or "defaults",
                ]
            )
    return markdown(header, rows)


def _growths(entries: Sequence[Entry]) -> str:
    wanted = quantities(recalls_of(entries))
    rows = []
    for quantity in wanted:
        cells = [quantity.title]
        for engine in engines_of(entries):
            power = growth(entries, engine, quantity)
            if power is None:
                cells.append(NOT_THERE)
                continue
            off = f"{100 * power.residual:.1f}%" if len(power.sizes) > 2 else "2 sizes"
            cells.append(f"n^{power.exponent:.3f} ({off})")
        rows.append(cells)
    return markdown(["", *engines_of(entries)], rows)


def _extrapolated(entries: Sequence[Entry]) -> str:
    wanted = quantities(recalls_of(entries))
    header = ["documents", "engine", "measured up to", *(f"{quantity.title}, {quantity.unit}" for quantity in wanted)]
    rows = []
    for n_docs in (MS_MARCO_V2, BILLION):
        for engine in engines_of(entries):
            powers = [(quantity, growth(entries, engine, quantity)) for quantity in wanted]
            if not any(power for _, power in powers):
                continue
            most = max(power.sizes[-1] for _, power in powers if power)
            cells = [_number(power.at(n_docs) / quantity.scale) if power else NOT_THERE for quantity, power in powers]
            rows.append([f"{n_docs:,}", engine, f"{most:,}", *cells])
    return markdown(header, rows)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def draw(entries: Sequence[Entry], folder: Path) -> list[Path]:
    """Write a picture of each quantity into a folder: what was measured, and the power that fits it."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with mpl.rc_context(STYLE):
        for quantity in quantities(recalls_of(entries)):
            if any(quantity.of(entry) for entry in entries):
                paths.append(folder / f"{quantity.title.lower().replace(' ', '-')}.png")
                save(_picture(entries, quantity), paths[-1])
    return paths


def _picture(entries: Sequence[Entry], quantity: Quantity) -> Figure:
    figure = Figure(figsize=(8, 5))
    axes = figure.add_subplot()
    for place, engine in enumerate(engines_of(entries)):
        pairs = [(one.n_docs, value) for one in entries if one.engine == engine and (value := quantity.of(one))]
        if not pairs:
            continue
        colour = OURS[place % len(OURS)]
        sizes, values = zip(*pairs, strict=True)
        power = growth(entries, engine, quantity)
        label = engine
        if power is not None:
            label += f", n^{power.exponent:.2f}"
            along = np.geomspace(min(sizes), max(sizes), 50)
            axes.plot(along, [power.at(n) / quantity.scale for n in along], color=colour, linewidth=1.2, alpha=0.6)
        scaled = [value / quantity.scale for value in values]
        axes.plot(sizes, scaled, color=colour, marker=MARKERS[place % len(MARKERS)], linestyle="", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("documents")
    axes.set_ylabel(quantity.unit)
    axes.set_title(quantity.title, loc="left", fontsize=11)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return figure
