"""``thresher info``: what an index file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import thresher


def info(
    index_path: Annotated[Path, typer.Argument(metavar="INDEX", help="An index that `build` wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Show an index: its engine, its parameters, where its bytes go."""
    facts = _facts(index_path)
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=10_000)  # a pipe has no width to cut at
    console.print(_summary(facts))
    console.print()
    console.print(_sections(facts))


def _facts(path: Path) -> dict[str, Any]:
    index = thresher.open(path)
    resident = sum(index.nbytes.values())
    return {
        "path": str(path),
        **thresher.describe(path),
        "params": index.params,
        "search_params": index.search_params,
        "n_docs": index.n_docs,
        "n_terms": index.n_terms,
        "nnz": index.nnz,
        "weights": index.weights,
        "weight_error": index.weight_error,
        "n_words": None if index.words is None else len(index.words),
        "n_names": None if index.names is None else len(index.names),
        "file_nbytes": path.stat().st_size,
        "resident_nbytes": index.nbytes,
        "bytes_per_nonzero": resident / index.nnz if index.nnz else None,
    }


def _summary(facts: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    each = facts["bytes_per_nonzero"]
    rows = {
        "engine": facts["engine"],
        "version": f"format {facts['format_version']}, written by thresher {facts['library_version']}",
        "parameters": ", ".join(f"{name} = {value}" for name, value in facts["params"].items()) or "none",
        "searches": ", ".join(f"{name} = {value}" for name, value in facts["search_params"].items()) or "no parameters",
        "documents": f"{facts['n_docs']:,}",
        "terms": f"{facts['n_terms']:,}",
        "nonzeros": f"{facts['nnz']:,}",
        "weights": _kept_weights(facts["weights"], facts["weight_error"]),
        "words": _kept(facts["n_words"], "terms"),
        "names": _kept(facts["n_names"], "documents"),
        "file": f"{facts['file_nbytes']:,} bytes",
        "resident": f"{sum(facts['resident_nbytes'].values()):,} bytes",
        "per nonzero": "-" if each is None else f"{each:.2f} bytes",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _kept_weights(weights: str, error: float) -> str:
    return weights if weights != "uint8" else f"uint8, off by {error:.3g} at most"


def _kept(count: int | None, what: str) -> str:
    return f"none: {what} go by number" if count is None else f"of {count:,} {what}"


def _sections(facts: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("section", "type"):
        table.add_column(name, no_wrap=True)
    for name in ("elements", "bytes", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    total = sum(section["nbytes"] for section in facts["sections"]) or 1
    for section in facts["sections"]:
        share = f"{100 * section['nbytes'] / total:.1f}%"
        elements, nbytes = f"{section['length']:,}", f"{section['nbytes']:,}"
        table.add_row(section["name"], section["dtype"], elements, nbytes, share)
    return table
