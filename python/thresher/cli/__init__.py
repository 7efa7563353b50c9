"""The ``thresher`` command: build, search and look at indexes from a shell.

One file a command; `app` puts them together, and files with an underscore are what they share.
"""

from __future__ import annotations

import sys
from importlib import import_module

__all__ = ["main", "run"]


def main() -> None:
    """Run the command that ``sys.argv`` names; the console entry point."""
    run("thresher.cli.app", "cli", ("typer", "tqdm", "rich", "bm25s", "Stemmer"))


def run(module: str, extra: str, packages: tuple[str, ...]) -> None:
    """Run a command's application, or say in a line why it can't run.

    Parameters
    ----------
    module
        Where the application is: a callable of the name ``app``.
    extra
        The extra of this package that it needs.
    packages
        The modules which that brings.
    """
    try:
        import_module(module).app()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in packages:
            raise
        sys.stderr.write(f'error: {missing} is missing: pip install "thresher[{extra}]"\n')
        sys.exit(1)
    except ImportError as error:  # the core says so of a foreign THRESHER_ISA
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
