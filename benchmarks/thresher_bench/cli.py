"""The ``thresher-bench`` command."""

from __future__ import annotations

import sys

_EXTRA = ("jinja2", "matplotlib", "rich", "tqdm", "typer")


def main() -> None:
    """Run the command that ``sys.argv`` names; the console entry point."""
    try:
        from thresher_bench.app import app  # noqa: PLC0415 - an optional extra

        app()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.stderr.write(f'error: {missing} is missing: pip install "thresher[bench]"\n')
        sys.exit(1)
    except ImportError as error:  # the core says so of a foreign THRESHER_ISA
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
