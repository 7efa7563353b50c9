"""The ``thresher`` command: build, search and look at indexes from a shell.

One file a command; `app` puts them together, and files with an underscore are what they share.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

from thresher import _extras

__all__ = ["main", "run"]


def main() -> None:
    """Run the command that ``sys.argv`` names; the console entry point."""
    run("thresher.cli.app", "cli", ("typer", "tqdm", "rich", "bm25s", "Stemmer"))


def run(module: str, extra: str = "", packages: tuple[str, ...] = ()) -> None:
    """Run a command's application, or say in a line why it can't run.

    Parameters
    ----------
    module
        Where the application is: a callable of the name ``app``.
    extra
        The extra of this package that it needs, if any.
    packages
        The modules which that brings.
    """
    _open_standard_streams()
    try:
        import_module(module).app()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in packages:
            raise
        sys.stderr.write(f"error: {_extras.missing(f'{missing} is missing', extra)}\n")
        sys.exit(1)
    except ImportError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except OSError as error:  # of the help, say; commands report their own
        if error.errno != errno.EBADF:
            raise
        sys.stderr.write("error: standard output is closed\n")
        sys.stderr.flush()
        os._exit(2)  # or the exit would flush it
    except KeyboardInterrupt:
        sys.exit(130)


def _open_standard_streams() -> None:
    """Give a process that was started without standard output or error something in its place.

    Otherwise the next file to be opened would be taken for it. Notes go nowhere then; results, which would be lost, are
    an error.
    """
    for descriptor, name, flags in ((1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, flags)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(descriptor, "w", closefd=False))
