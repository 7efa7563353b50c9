"""``thresher collection info``: what a collection holds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from thresher.collection import Collection


def info(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Show a collection: its documents, vectors, fields and segments, and where its bytes are."""
    with Collection.open(path) as collection:
        facts = {
            "path": str(path),
            "vectors": {name: dataclasses.asdict(vector) for name, vector in collection.vectors.items()},
            "id_kind": collection.id_kind,
            **collection.stats().to_dict(),
        }
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=10_000)  # a pipe has no width to cut at
    console.print(_summary(facts))
    if facts["segments"]:
        console.print()
        console.print(_segments(facts))


def _summary(facts: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    ids = {"str": "strings", "int": "whole numbers", None: "none yet"}
    rows = {
        "documents": f"{facts['n_docs']:,}, and {facts['n_dead']:,} dead",
        "waiting": f"{facts['n_waiting']:,}",
        "ids": ids[facts["id_kind"]],
        **{
            f"vector {name}": f"{vector['engine']}, terms are {'words' if vector['words'] else 'numbers'}"
            + (f", texts are encoded by {vector['encoder']['fingerprint']}" if vector["encoder"] else "")
            for name, vector in facts["vectors"].items()
        },
        "fields": ", ".join(f"{name}: {kind}" for name, kind in facts["fields"].items()) or "none declared",
        **{
            f"searches of {name}": ", ".join(f"{key} = {value}" for key, value in tuning["search_params"].items())
            + (", out of date" if name in facts["out_of_date"] else "")
            for name, tuning in facts["tunings"].items()
        },
        **{
            f"segment {segment['number']}, {name}": doubt
            for segment in facts["segments"]
            for name, doubt in segment["doubts"].items()
        },
        **{
            f"mean length of {name}": f"{drift['present']:.1f} terms, weights are for {drift['in_force']:.1f}"
            for name, drift in facts["mean_lengths"].items()
        },
        "version": f"{facts['version']:,}",
        "on disk": f"{facts['nbytes']:,} bytes",
        "resident": f"{facts['resident_nbytes']:,} bytes",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _segments(facts: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("segment", "engine"):
        table.add_column(name, no_wrap=True)
    for name in ("documents", "dead", "bytes", "resident"):
        table.add_column(name, justify="right", no_wrap=True)
    for segment in facts["segments"]:
        table.add_row(
            "memory" if segment["number"] is None else str(segment["number"]),
            "/".join(dict.fromkeys(segment["engines"].values())),
            *(f"{segment[key]:,}" for key in ("n_docs", "n_dead", "file_nbytes", "resident_nbytes")),
        )
    return table
