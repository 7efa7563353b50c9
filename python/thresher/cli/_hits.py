"""What commands that search have in common: their options, and where hits go."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from thresher.formats._atomic import atomic_write


class Layout(StrEnum):
    """How hits are written."""

    IDS = "ids"
    TREC = "trec"
    JSONL = "jsonl"


K = Annotated[int, typer.Option("--k", "-k", min=1, help="Hits for each query.")]
Threads = Annotated[int, typer.Option(min=0, help="Threads to search with; 0 means all cores.")]
Format = Annotated[
    Layout,
    typer.Option(
        "--format",
        help="ids: a line a query, tabs between; trec: a run; jsonl: an object a query, with scores, and payloads of "
        "collections.",
    ),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of stdout.")]
Tag = Annotated[str, typer.Option(help="Name of the run in a TREC run.")]


def write(lines: Iterable[str], output: Path | None) -> None:
    """Write lines to a file, which appears whole, or to stdout for None."""
    if output is None:
        sys.stdout.writelines(lines)
        return
    with atomic_write(output) as out:
        out.writelines(line.encode() for line in lines)
