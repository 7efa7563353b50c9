"""Run the tests that were built, all of them whatever fails, and end with what failed, was skipped or left out.

A part is ``python`` or a CMake preset whose tree is built: ``release`` runs on every instruction set of this machine,
as the Python tests marked ``kernels`` do, and the sanitizers' trees on the best. The exit code is 1 if anything failed;
with ``--strict`` also if anything was left out, for want of GoogleTest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"


@dataclass(frozen=True)
class Run:
    """One run of a test program: its name, its command, the report that it writes as JUnit's XML."""

    name: str
    command: list[str]
    report: Path
    isa: str

    def passes(self) -> bool:
        """Run it; its output goes where ours does."""
        print(f"---- {self.name}", flush=True)
        self.report.unlink(missing_ok=True)
        environment = {**os.environ, "THRESHER_ISA": self.isa}
        return subprocess.run(self.command, check=False, cwd=ROOT, env=environment).returncode == 0

    def skips(self) -> Iterator[tuple[str, str]]:
        """Yield name and reason of each test that was skipped."""
        if not self.report.exists():
            return
        for case in ET.parse(self.report).iter("testcase"):
            if (skipped := case.find("skipped")) is not None:
                suite, name = case.get("classname", ""), case.get("name", "")
                yield name if name == suite else f"{suite}.{name}", reason(case, skipped)


def reason(case: ET.Element, skipped: ET.Element) -> str:
    """Return why a test was skipped: pytest says it in the report, GoogleTest in the line after the place."""
    output = (case.findtext("system-out") or "").splitlines()
    places = [number for number, line in enumerate(output) if line.endswith(": Skipped")]
    told = [output[number + 1] for number in places if number + 1 < len(output)]
    return told[0] if told else skipped.get("message") or "no reason given"


@cache
def instruction_sets() -> list[str]:
    """Return the instruction sets of this machine, best first."""
    return subprocess.run([ROOT / "tools/isas.sh"], check=True, capture_output=True, text=True).stdout.split()


def python_runs() -> Iterator[Run]:
    """Yield the runs of pytest."""
    best, *others = instruction_sets()
    for isa in [best, *others]:
        report = BUILD / f"python-{isa}.xml"
        which_tests = [] if isa == best else ["-m", "kernels"]
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", f"--junitxml={report}", *which_tests]
        yield Run(f"Python tests{' of kernels' if which_tests else ''}, {isa}", command, report, isa)


def cpp_runs(preset: str) -> Iterator[Run]:
    """Yield the runs of ctest in a preset's tree."""
    best, *others = instruction_sets()
    # ThreadSanitizer's memory layout collides with the address randomisation of newer kernels.
    prefix = ["setarch", "-R"] if preset == "tsan" and which("setarch") else []
    if prefix and subprocess.run([*prefix, "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        prefix = []
    everywhere = preset == "release" and not left_out(preset)  # what is left without GoogleTest runs once
    for isa in [best, *others] if everywhere else [best]:
        report = BUILD / f"{preset}-{isa}.xml"
        ctest = [*prefix, "ctest", "--preset", preset, "--parallel", str(os.cpu_count()), "--output-junit", str(report)]
        once = [] if isa == best else ["--label-exclude", "build"]
        yield Run(f"C++ tests, {preset}, {isa}", [*ctest, "--progress", *once], report, isa)


def left_out(preset: str) -> str:
    """Return why a tree has no C++ tests, or nothing."""
    told = BUILD / preset / "tests/cpp/left_out.txt"
    return f"the C++ tests ({preset}) were LEFT OUT: {told.read_text().strip()}" if told.exists() else ""


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", metavar="PART")
    parser.add_argument("--strict", action="store_true", help="nothing may be left out")
    given = parser.parse_args()

    failed: list[str] = []
    skipped: dict[tuple[str, str], list[str]] = {}
    runs = [run for part in given.parts for run in (python_runs() if part == "python" else cpp_runs(part))]
    for run in runs:
        if not run.passes():
            failed.append(run.name)
        for skip in run.skips():
            skipped.setdefault(skip, []).append(run.name)

    print(f"---- {len(runs)} runs of tests, {len(failed)} failed")
    for why, count in Counter(why for _, why in skipped).most_common():
        names = sorted(name for name, each in skipped if each == why)
        print(f"skipped: {names[0]}{f' and {count - 1} others' if count > 1 else ''}: {why}")
    for name in failed:
        print(f"FAILED: {name}")
    absent = [told for part in given.parts if (told := left_out(part))]
    print("\n".join(absent), end="\n" if absent else "")
    return int(bool(failed) or (given.strict and bool(absent)))


if __name__ == "__main__":
    sys.exit(main())
