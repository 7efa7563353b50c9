"""The list of the commands on collections."""

from __future__ import annotations

import typer

from thresher.cli._errors import reported
from thresher.cli.collection.add import add
from thresher.cli.collection.care import backup, compact, restore
from thresher.cli.collection.check import check
from thresher.cli.collection.create import create
from thresher.cli.collection.delete import delete
from thresher.cli.collection.export import export
from thresher.cli.collection.info import info
from thresher.cli.collection.search import search

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Collections of documents that change: add, delete, search, look after them.",
)

for _command in (create, add, delete, search, info, check, compact, backup, restore, export):
    app.command()(reported(_command))
