"""The typer application: the list of commands and the options they have in common."""

from __future__ import annotations

from typing import Annotated

import typer

import thresher
from thresher.cli._errors import reported
from thresher.cli.ask import ask
from thresher.cli.build import build
from thresher.cli.collection.app import app as collection
from thresher.cli.demo import demo
from thresher.cli.eval import eval  # noqa: A004 - the command's name
from thresher.cli.export import export
from thresher.cli.index import index
from thresher.cli.info import info
from thresher.cli.search import search
from thresher.cli.truth import truth
from thresher.cli.tune import tune

app = typer.Typer(
    name="thresher",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,  # or what stands in brackets would be lost
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _command in (demo, index, ask, build, tune, search, info, truth, eval, export):
    app.command()(reported(_command))
app.add_typer(collection, name="collection")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thresher {thresher.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Top-k inner-product search over learned sparse vectors.

    Matrices are read from BigANN .csr files, scipy .npz files and JSON lines
    ({"id": ..., "vector": {term: weight, ...}}, also gzipped), documents also from CIFF files
    (.ciff, also gzipped), which need the extra: pip install ".[ciff]" in a checkout of thresher.
    """
