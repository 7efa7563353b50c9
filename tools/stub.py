"""Write python/thresher/_core.pyi from the built extension module, or with --check compare the two."""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

STUB = Path(__file__).parents[1] / "python" / "thresher" / "_core.pyi"
RUFF = Path(sysconfig.get_path("scripts")) / "ruff"


def generate() -> str:
    """Return the stub of the installed `thresher._core`, formatted."""
    with tempfile.TemporaryDirectory() as folder:
        stubgen = [sys.executable, "-m", "pybind11_stubgen", "--exit-code", "--output-dir", folder]
        if subprocess.run([*stubgen, "thresher._core"], check=False, stdout=subprocess.DEVNULL).returncode != 0:
            raise SystemExit("thresher._core gives no stub: see the errors above")
        stub = next(Path(folder).rglob("_core.pyi"))
        subprocess.run([RUFF, "format", "--quiet", "--isolated", "--line-length=110", stub], check=True)
        return stub.read_text()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail on a difference instead of writing")
    generated = generate()
    if not parser.parse_args().check:
        STUB.write_text(generated)
        return 0
    committed = STUB.read_text() if STUB.exists() else ""
    difference = difflib.unified_diff(
        committed.splitlines(keepends=True), generated.splitlines(keepends=True), "committed", "generated"
    )
    sys.stdout.writelines(difference)
    if committed != generated:
        print("python/thresher/_core.pyi is not what the module gives: run `make stubs`", file=sys.stderr)
    return int(committed != generated)


if __name__ == "__main__":
    sys.exit(main())
