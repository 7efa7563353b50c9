"""What ``make demo`` prints: an answer, or the tour; then, on a terminal, it asks for questions."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from thresher.demo import tour
from thresher.demo.answers import answer, fitted, footnote, lines
from thresher.demo.corpus import Corpus
from thresher.demo.dictionary import Dictionary
from thresher.demo.documentation import Documentation
from thresher.demo.shelf import Shelf, opened

NO_DICTIONARY = "a wheel comes without the dictionary, which a checkout has: this is the documentation on this machine"


class _Output(Console):
    """Standard output, whose reader may go away."""

    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the command, which ends quietly."""
        raise BrokenPipeError


def run(question: str | None = None, *, documentation: bool = False) -> None:
    """Answer a question; without one, show the tour, and ask for questions if there is a terminal.

    Parameters
    ----------
    question
        What to ask.
    documentation
        Whether to search the documentation on this machine, in place of the dictionary.
    """
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # texts hold more than a plain terminal shows
    waiting = Console(stderr=True, highlight=False)
    dictionary = Dictionary()
    if not (documentation or dictionary.is_here()):
        documentation = True
        waiting.print(NO_DICTIONARY, style="dim", soft_wrap=True)
    corpus: Corpus = Documentation() if documentation else dictionary
    console = _Output(highlight=False)
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        with waiting.status(f"opening {corpus.passages_are}"):
            shelf = stack.enter_context(opened(corpus))
        if question is not None:
            _answer(console, corpus, shelf, question)
            return
        _print(console, Text.assemble(_opened(corpus, shelf, time.perf_counter() - started), "\n"))
        if not documentation:
            tour.run(dictionary, shelf, lambda line: _print(console, line), console.width)
        if all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
            _ask(console, corpus, shelf)
        elif documentation:
            _answer(console, corpus, shelf, corpus.examples[0])
        else:
            _print(
                console,
                Text.assemble("Ask it yourself: ", (f'make demo Q="{corpus.examples[0]}"', "bold green")),
            )


def _opened(corpus: Corpus, shelf: Shelf, seconds: float) -> str:
    stats = shelf.collection.stats()
    return f"{stats.n_docs:,} {corpus.passages_are} as {corpus.vectors_are}, opened in {seconds * 1e3:.0f} ms"


def _ask(console: Console, corpus: Corpus, shelf: Shelf) -> None:
    """Answer questions until there are none: an empty line, Ctrl-D or Ctrl-C."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - gives `input` a history and keys to edit with
    console.print(f"Ask, such as: {', '.join(corpus.examples)}. Enter alone ends.", style="dim")
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while (text := input("? ")).strip():
            _answer(console, corpus, shelf, text)
        return
    console.print()


def _answer(console: Console, corpus: Corpus, shelf: Shelf, text: str) -> None:
    found = answer(shelf, text)
    for line in lines(found, console.width):
        _print(console, line)
    if found.hits:
        console.print(footnote(found, len(shelf.collection), corpus.passages_are), style="dim")


def _print(console: Console, line: Text) -> None:
    console.print(fitted(line, console.width), no_wrap=True, overflow="crop")
