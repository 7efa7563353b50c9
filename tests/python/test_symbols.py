"""What the built extension module shows the dynamic linker."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

import thresher._core


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("nm") is None, reason="needs binutils on Linux")
def test_module_exports_its_entry_point_alone() -> None:
    command = ["nm", "--dynamic", "--defined-only", "--extern-only", thresher._core.__file__]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    strong = [line.split()[-1] for line in listing.splitlines() if line.split()[-2] not in {"V", "W", "u"}]
    assert strong == ["PyInit__core"]
