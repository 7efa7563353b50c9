"""``thresher collection create``: an empty collection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import thresher
from thresher.cli._terminal import note
from thresher.cli.collection._options import ENCODER, encoder_of
from thresher.collection import Collection
from thresher.collection.filters import KINDS


def create(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="The folder to make.")],
    *,
    n_terms: Annotated[int | None, typer.Option(min=1, help="Terms that vectors may have; without, they grow.")] = None,
    words: Annotated[bool, typer.Option("--words", help="Terms are words, which the collection numbers.")] = False,
    signed: Annotated[bool, typer.Option("--signed", help="Weights may be negative.")] = False,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", help=f"A field to filter by, NAME:KIND, one of {', '.join(KINDS)}; may be repeated."),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help=f"The index of large segments: {', '.join(thresher.engines())}. Without it the library's choice."
        ),
    ] = None,
    vectors: Annotated[
        list[str] | None, typer.Option("--vector", help="A name for each of several vectors; may be repeated.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help=ENCODER),
    ] = None,
    keep_texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="Keep the texts that documents are made of, or not.")
    ] = True,
) -> None:
    """Make an empty collection of documents that change.

    `add` puts documents into it. Fields that are declared are filtered by fast; others may be filtered by too.
    """
    declared: dict[str, Any] = {}
    for field in fields or []:
        name, colon, kind = field.rpartition(":")
        if not colon or kind not in KINDS:
            raise typer.BadParameter(
                f"{field!r} is not NAME:KIND, KIND one of {', '.join(KINDS)}.", param_hint="--field"
            )
        declared[name] = kind
    if engine is not None and engine not in thresher.engines():
        raise typer.BadParameter(f"{engine!r} is not one of {', '.join(thresher.engines())}.", param_hint="--engine")
    Collection.create(
        path,
        n_terms=n_terms,
        words=words,
        signed=signed,
        fields=declared,
        engine=engine,
        vectors={name: {} for name in vectors} if vectors else None,
        encoder=None if encoder is None else encoder_of(encoder),
        keep_texts=keep_texts,
    ).close()
    note(f"{path}: an empty collection")
