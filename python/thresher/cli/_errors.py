"""How a command ends when it can't do what it was asked: one line, no traceback, a fitting exit code."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import NoReturn, ParamSpec

import typer

import thresher
from thresher.cli._terminal import note, stderr

UNUSABLE = 2  # the command can't be run as it was called
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
        The command, ending with exit code 1 after an error in its input, 2 where there is no standard
        output for its results, 130 after Ctrl-C, and quietly when the reader of its output has gone.
        A UserWarning is a line on stderr too.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with _warnings_as_notes():
                command(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _discard_stdout()
            raise typer.Exit(BROKEN_PIPE) from None
        except MemoryError as error:
            _fail(str(error) or "out of memory")
        except ModuleNotFoundError:  # which extra brings it, `run` knows
            raise
        except ImportError as error:
            _fail(str(error))
        except OSError as error:
            if error.errno == errno.EBADF:
                _discard_stdout()
                _fail("standard output is closed", UNUSABLE)
            _fail(_describe(error))
        except (thresher.FormatError, ValueError) as error:
            _fail(str(error))

    return run


def _fail(message: str, code: int = 1) -> NoReturn:
    stderr().print(f"error: {' '.join(message.split())}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


@contextlib.contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Show what the library warns of as a note, without the place in the source."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        note(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


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
