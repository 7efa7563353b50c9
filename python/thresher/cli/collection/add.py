"""``thresher collection add``: documents of files, in the place of those of the same ids."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from thresher.cli._terminal import note
from thresher.cli.collection._rows import HELP, batches_of
from thresher.collection import Collection


def add(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help=HELP)],
    *,
    batch: Annotated[int, typer.Option(min=1, help="Documents that are stored at once.")] = 4096,
    if_absent: Annotated[bool, typer.Option("--if-absent", help="Leave documents that are there as they are.")] = False,
) -> None:
    """Add documents, or replace those of the same ids.

    A line is {"id": ..., "vector": {term: weight, ...}, ...}; what else it holds is the document's
    payload, which filters go by. Of several vectors, "vectors" has each by its name. Parquet and
    Arrow files have the same in columns, or the vector in "indices" and "values". Where the
    collection has an encoder, a line is {"id": ..., "text": ..., ...}.

    What was stored stays if a later line is wrong: each batch is stored whole.
    """
    started = time.monotonic()
    n = 0
    with Collection.open(path, mode="rw") as collection:
        for source in inputs:
            with batches_of(source, collection, batch) as batches:
                for some in batches:
                    try:
                        n += collection.upsert(
                            some.ids, some.vectors, some.payloads, texts=some.texts, if_absent=if_absent
                        )
                    except (TypeError, ValueError) as error:
                        raise ValueError(f"{some.where}: {error}") from error
        collection.flush()
        note(f"{path}: {n:,} documents stored in {time.monotonic() - started:.2f} s, {len(collection):,} in all")
