"""The page: both pictures and every figure in one file that needs no other."""

from __future__ import annotations

import base64
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2

from thresher_bench.choice import points, trouble
from thresher_bench.plots import CURVES, LATENCIES, draw
from thresher_bench.table import DETAILS, details, overview, ranked, titled

if TYPE_CHECKING:
    from pathlib import Path

    from thresher_bench.results import Figures, Library, Results

PAGE = "report.html"


def write_report(results: Results, folder: Path) -> Path:
    """Draw the pictures and write the page into a folder; return the page's path."""
    draw(results, folder)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(resources.files(__package__).joinpath("page.html.j2").read_text())
    header, rows = overview(results.libraries)
    path = folder / PAGE
    path.write_text(
        template.render(
            facts=results.facts,
            curves=_embedded(folder / CURVES),
            latencies=_embedded(folder / LATENCIES),
            overview_header=header,
            overview=rows,
            details_header=DETAILS,
            details=details(results.libraries),
            failures=[(titled(library), line) for library in results.libraries for line in trouble(library)],
            points=[row for library in ranked(results.libraries) for row in _points(library)],
        )
    )
    return path


def _embedded(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _points(library: Library) -> list[list[Any]]:
    """Return every setting of a library: what picked it, what is reported of it."""
    rows = []
    for choice in points(library):
        held = choice.point.held_out
        rows.append([titled(library), choice.setting, *_cells(choice.tuned), *_cells(held)])
    return rows


def _cells(figures: Figures | None) -> list[str]:
    return ["-", "-"] if figures is None else [f"{figures.recall:.4f}", f"{figures.qps:,.0f}"]
