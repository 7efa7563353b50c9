"""Tables of cells as text, Markdown or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence


def as_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines of columns that are aligned: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return "  ".join([first.strip().ljust(widths[0]), *others]).rstrip()

    return "".join(f"{line(cells)}\n" for cells in [header, *rows])


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of Markdown, the first column to the left, the others to the right."""
    rules = ["---", *["---:"] * (len(header) - 1)]
    return "".join(
        "| " + " | ".join(cell.strip().replace("|", "\\|").replace("*", "\\*") for cell in cells) + " |\n"
        for cells in [header, rules, *rows]
    )


def as_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return comma-separated values, None as nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
