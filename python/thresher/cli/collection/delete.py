"""``thresher collection delete``: documents by id, by a filter, or all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thresher.cli._terminal import note
from thresher.cli.collection._options import WHERE, ids_of, parsed
from thresher.collection import Collection


def delete(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Documents to delete.")] = None,
    *,
    listed: Annotated[Path | None, typer.Option("--ids", help="A file of ids, one a line.")] = None,
    where: Annotated[str | None, typer.Option(help=WHERE)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete all documents.")] = False,
) -> None:
    """Delete documents, and tell how many there were. Ids that are not there are no error."""
    if bool(ids) + (listed is not None) + (where is not None) + everything != 1:
        raise typer.BadParameter("give ids, --ids, --where or --all: one of them.", param_hint="ID")
    condition = parsed(where)
    with Collection.open(path, mode="rw") as collection:
        if everything:
            n = collection.delete(all=True)
        elif condition is not None:
            n = collection.delete(where=condition)
        else:
            names = list(ids or []) if listed is None else listed.read_text().splitlines()
            n = collection.delete(ids_of(names, collection))
        note(f"{path}: {n:,} documents deleted, {len(collection):,} left")
