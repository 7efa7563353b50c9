"""``thresher demo``: a minute with thresher."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    question: Annotated[str | None, typer.Argument(metavar="[QUESTION]", help="What to look for.")] = None,
    docs: Annotated[bool, typer.Option("--docs", help="Search the documentation on this machine instead.")] = False,
) -> None:
    """Ask a dictionary in SPLADE vectors: five passages, and the words behind each.

    Without a question, shows what thresher does in five short steps, then asks for questions if there is a terminal.
    With --docs, searches the docstrings of Python and of the packages installed. What is searched stays in the cache
    folder (XDG_CACHE_HOME, or ~/.cache).
    """
    from thresher.demo import show  # noqa: PLC0415 - the other commands need no demonstration

    show.run(question, documentation=docs)
