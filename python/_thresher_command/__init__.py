"""Where the ``thresher`` command starts: outside of the package, to tell in a line why that can't be imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that ``sys.argv`` names; the console entry point."""
    try:
        from thresher.cli import main as command  # noqa: PLC0415 - what may fail
    except ModuleNotFoundError:
        raise
    except ImportError as error:  # such as the core's of a foreign THRESHER_ISA
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    command()
