"""``thresher demo``: search the documentation that is on this machine."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    question: Annotated[str | None, typer.Argument(metavar="QUESTION", help="What to look for first.")] = None,
) -> None:
    """Search the docstrings of Python and of the packages installed.

    Gathers thousands of passages without importing what they belong to, weighs their words with
    BM25, builds every engine, answers your question and a few more, and compares the engines.
    """
    from thresher.demo import show  # noqa: PLC0415  (the other commands need no tokeniser)

    show.run(question)
