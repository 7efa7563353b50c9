"""``thresher index``: a folder of files becomes a collection that questions can be put to."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli._folders import NAME, beside, is_collection
from thresher.cli._terminal import note, printable, progress_bar
from thresher.cli.collection._options import ENCODER, encoder_of
from thresher.collection import Collection
from thresher.folders.indexing import FIELDS, index_folder
from thresher.folders.watching import watch as watch_folder

if TYPE_CHECKING:
    from thresher.folders.indexing import Report

_SHOWN = 3  # names of a kind
_MEGABYTE = 1 << 20


def index(
    target: Annotated[Path, typer.Argument(metavar="FOLDER|FILE", help="What is to be searched.")],
    *,
    collection: Annotated[
        Path | None, typer.Option("--collection", "-c", help=f"Where the collection is, in place of FOLDER/{NAME}.")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help=f"{ENCODER} Without it bm25.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C: index what changes.")] = False,
    interval: Annotated[float, typer.Option(min=0.05, help="Seconds between looks, with --watch.")] = 1.0,
    follow: Annotated[bool, typer.Option("--follow", help="Follow links.")] = False,
    max_mb: Annotated[int, typer.Option(min=1, help="Leave larger files out.")] = 32,
) -> None:
    """Make a folder searchable: text, Markdown, HTML, JSON lines, CSV. `thresher ask` searches it.

    Run again, it reads what is new or has changed, and deletes what is gone. Hidden files, binary
    ones, links and large ones are left out, and told.
    """
    path = beside(target) if collection is None else collection
    base = path.resolve().parent
    if not target.exists():
        raise FileNotFoundError(f"{target}: no such file or folder")
    made = None if encoder is None else encoder_of(encoder)
    with (
        Collection.open(path, mode="rw", encoder=made)
        if is_collection(path)
        else Collection.create(path, encoder=made or encoder_of("bm25"), fields=FIELDS)
    ) as opened:
        with progress_bar("reading", unit="files") as progress:
            report = index_folder(opened, target, base, most_bytes=max_mb * _MEGABYTE, follow=follow, progress=progress)
        if report.has_changed:
            with progress_bar("optimizing", unit="documents") as progress:
                opened.optimize(progress=progress)
        _tell(report, path)
        if watch:
            note("watching; Ctrl-C ends it")
            try:
                watch_folder(
                    opened, target, base, lambda report: _tell(report, path), seconds=interval,
                    most_bytes=max_mb * _MEGABYTE, follow=follow,
                )  # fmt: skip
            except KeyboardInterrupt:
                note("ended")


def _tell(report: Report, path: Path) -> None:
    """Print what a run did."""
    note(
        f"{printable(shlex.quote(str(path)))}: {report.stored:,} files stored as {report.passages:,} passages, "
        f"{report.unchanged:,} unchanged, {report.deleted:,} deleted"
    )
    for reason, names in report.skipped.items():
        note(f"left out, {reason}: {_some(names)}")
    for problem in report.problems[:_SHOWN]:
        note(f"warning: {printable(problem)}")
    if len(report.problems) > _SHOWN:
        note(f"warning: and {len(report.problems) - _SHOWN:,} more such places")


def _some(names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more"
