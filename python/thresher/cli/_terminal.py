"""What a person sees while a command runs: progress and notes, all on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from tqdm import tqdm

Progress = Callable[[int, int], None]


def stderr() -> Console:
    """Return a console on stderr; colours only on a terminal, and never where NO_COLOR is set."""
    return Console(stderr=True, highlight=False)


def note(message: str) -> None:
    """Print a line that is not a result."""
    stderr().print(message, style="dim", markup=False, soft_wrap=True)


@contextlib.contextmanager
def progress_bar(what: str, *, unit: str) -> Iterator[Progress | None]:
    """Show a progress bar while the block runs, if stderr is a terminal.

    Parameters
    ----------
    what
        What is going on, such as "searching".
    unit
        What is counted, such as "documents"; "B" stands for bytes.

    Yields
    ------
    callable or None
        To be called with how much is done and how much there is; None without a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with tqdm(desc=what, unit=unit if unit == "B" else f" {unit}", unit_scale=True, leave=False) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


def printable(text: str) -> str:
    """Return a text without characters that a terminal obeys; lines and tabs stay."""
    return "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)
