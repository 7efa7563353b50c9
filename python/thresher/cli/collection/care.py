"""``thresher collection compact``, ``backup`` and ``restore``: what keeps a collection small and safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thresher.cli._terminal import note, progress_bar
from thresher.collection import Collection


def compact(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    *,
    threads: Annotated[int, typer.Option(min=0, help="Threads to build with; 0 means all cores.")] = 0,
) -> None:
    """Merge all segments into one, without what was deleted, and give its space back."""
    with Collection.open(path, mode="rw") as collection:
        before = collection.stats().nbytes
        with progress_bar("merging", unit="documents") as progress:
            collection.optimize(threads=threads, progress=progress)
        note(f"{path}: {len(collection):,} documents, {before:,} bytes before, {collection.stats().nbytes:,} now")


def backup(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    target: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder to make.")],
) -> None:
    """Copy a collection as it is now, while others write to it. The backup is a collection itself.

    Segments are linked where the file system can: BACKUP on another disk has bytes of its own.
    """
    with Collection.open(path) as collection:
        collection.backup(target)
    with Collection.open(target) as copy:
        note(f"{target}: {len(copy):,} documents")


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `backup` made.")],
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="The folder to make.")],
) -> None:
    """Make a collection of a backup, which is checked first."""
    with Collection.restore(source, path, mode="r") as collection:
        note(f"{path}: {len(collection):,} documents")
