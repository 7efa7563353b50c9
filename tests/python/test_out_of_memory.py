"""Too little memory, in whatever thread it shows: a MemoryError, and a process that goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import thresher
from helpers import environment

SCRIPT = Path(__file__).parents[1] / "soak" / "out_of_memory.py"


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize("name", sorted(thresher.engines()))
def test_calls_end_with_a_result_or_a_memory_error(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--runs", "20", "--engine", name],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MemoryError: " in done.stdout
    assert "done: " in done.stdout
