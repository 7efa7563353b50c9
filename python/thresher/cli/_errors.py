"""How a command ends when it can't do what it was asked: one line, no traceback, a fitting exit code."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

import thresher
from thresher.cli._terminal import stderr

INTERRUPTED = 128 + 2  # what a shell makes of SIGINT
BROKEN_PIPE = 128 + 13  # and of SIGPIPE

P = ParamSpec("P")


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that what the user can mend is told in one line on stderr.

    Parameters
    ----------
    command
        A command; its signature is kept for typer.

    Returns
    -------
    callable
        The command, ending with exit code 1 after an error in its input, 130 after Ctrl-C, and
        quietly when the reader of its output has gone.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _discard_stdout()
            raise typer.Exit(BROKEN_PIPE) from None
        except MemoryError as error:
            _fail(str(error) or "out of memory")
        except OSError as error:
            _fail(_describe(error))
        except (thresher.FormatError, ValueError) as error:
            _fail(str(error))

    return run


def _fail(message: str) -> NoReturn:
    stderr().print(f"error: {' '.join(message.split())}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)


def _describe(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    return error.strerror if error.filename is None else f"{os.fspath(error.filename)}: {error.strerror}"


def _discard_stdout() -> None:
    """Point stdout elsewhere, so that flushing it at exit does not fail again."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
