"""Render the tables of README and docs from docs/results.json; ``--check`` only says which of them differ.

A page has a table between ``<!-- table: name -->`` and ``<!-- end -->``. The name is that of a measurement, whose
columns and rows it shows, or of a selection from one. A column is its title, or a title and a format. Every table is
shown once.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REGION = re.compile(r"(<!-- table: (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Return the pages that may show tables."""
    return [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("benchmarks/**/*.md"))]


def cell(value: str | float | None, form: str) -> str:
    """Return a value as a table shows it: whole numbers with thousands apart, what is missing as nothing."""
    if value is None:
        return ""
    if form == "{}" and isinstance(value, int):
        return f"{value:,}"
    return form.format(value) if "{" in form else format(value, form)


def table(results: dict[str, Any], name: str) -> str:
    """Return the named table in Markdown. Raises KeyError for a name that is neither measurement nor selection."""
    selection = results["selections"].get(name, {"of": name})
    measurement = results["measurements"][selection["of"]]
    columns: dict[str, tuple[str, str]] = {}
    for key in selection.get("columns", measurement["columns"]):
        given = measurement["columns"][key]
        title, form = given if isinstance(given, list) else (given, "{}")
        columns[key] = selection.get("titles", {}).get(key, title), form
    wanted = selection.get("rows", {})
    rows = [row for row in measurement["rows"] if all(row[key] in values for key, values in wanted.items())]
    lines = [[title for title, _ in columns.values()], ["---"] * len(columns)]
    lines += [[cell(row.get(key), form) for key, (_, form) in columns.items()] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Write the tables, or with ``--check`` return 1 if one differs; return 1 if one is not shown once."""
    results = json.loads((ROOT / "docs/results.json").read_text())
    check = "--check" in sys.argv[1:]
    shown: list[str] = []
    failed = False
    for path in pages():
        page = path.read_text()
        shown += [region["name"] for region in REGION.finditer(page)]
        wanted = REGION.sub(lambda region: region[1] + table(results, region["name"]) + region[3], page)
        if wanted == page:
            continue
        if check:
            failed = True
            name = str(path.relative_to(ROOT))
            print(
                *difflib.unified_diff(page.splitlines(), wanted.splitlines(), name, "results.json", lineterm=""),
                sep="\n",
            )
        else:
            path.write_text(wanted)
    for name in sorted(results["selections"] | results["measurements"]):
        if shown.count(name) != 1:
            failed = True
            print(f"docs/results.json: table {name!r} is shown {shown.count(name)} times")
    if failed and check:
        print("run tools/tables.py")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
