"""The ``thresher-bench`` command."""

from __future__ import annotations

from thresher.cli import run


def main() -> None:
    """Run the command that ``sys.argv`` names; the console entry point."""
    run("thresher_bench.app")
