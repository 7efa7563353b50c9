"""``thresher collection check``: whether a collection is whole, and what to do if it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from thresher.cli._terminal import note
from thresher.collection import Collection

_SHOWN = 20


def check(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Drop segments that can't be read, and make columns anew.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with all ids that are lost.")] = False,
) -> None:
    """Compare all checksums, and the catalogue with the segments; exit with 1 if something is left that is wrong.

    --repair drops the segments whose files are missing or altered, whose documents are lost; columns
    are made anew of the documents' payloads. Nothing else is dropped.
    """
    report = Collection.check_folder(path, repair=repair)
    is_sound = report.is_sound or (report.is_repaired and Collection.check_folder(path).is_sound)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2))
    else:
        for problem in report.problems:
            typer.echo(problem)
        done = "were" if report.is_repaired else "would be"
        if report.dropped:
            more = f" and {len(report.lost) - _SHOWN:,} more" if len(report.lost) > _SHOWN else ""
            lost = ", ".join(map(str, report.lost[:_SHOWN]))
            note(f"{len(report.lost):,} documents {done} lost: {lost or 'none'}{more}")
        if report.rebuilt:
            note(f"{len(report.rebuilt)} column files {done} made anew")
        note(f"{path}: {'sound' if is_sound else 'damaged'}")
    if not is_sound:
        raise typer.Exit(1)
