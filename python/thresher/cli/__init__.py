"""The ``thresher`` command: build, search and look at indexes from a shell.

One file a command; `app` puts them together, and files with an underscore are what they share.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

_EXTRA = ("typer", "tqdm", "rich", "bm25s", "Stemmer")


def main() -> None:
    """Run the command that ``sys.argv`` names; the console entry point."""
    try:
        from thresher.cli.app import app  # noqa: PLC0415  (an optional extra)

        app()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.stderr.write(f'error: {missing} is missing: pip install "thresher[cli]"\n')
        sys.exit(1)
    except ImportError as error:  # the core says so of a foreign THRESHER_ISA
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
