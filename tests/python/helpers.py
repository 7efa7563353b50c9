"""What several tests of files and processes use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import thresher
from strategies import Case


def search_bytes(index: thresher.Index, case: Case) -> bytes:
    """Return what a search of the case's queries gives, to be compared whole."""
    hits = index.search(case.queries.triple, 30, shape=case.queries.shape)
    return hits.ids.tobytes() + hits.scores.tobytes()


def listing(folder: Path) -> list[str]:
    """Return the names in a folder, sorted."""
    return sorted(entry.name for entry in folder.iterdir())


def environment() -> dict[str, str]:
    """Return this process's environment, with its module path and without a choice of instruction set."""
    inherited = {name: value for name, value in os.environ.items() if name != "THRESHER_ISA"}
    return inherited | {"PYTHONPATH": os.pathsep.join(sys.path)}


def run_python(code: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code with arguments and further environment variables in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment() | variables,
    )
