"""Print what pyproject.toml requires, one requirement a line: for ``pip install -r``, which then builds nothing.

``requirements.py build`` prints the build's own requirements, ``requirements.py EXTRA`` those of an extra, with the
extras of this package that it names.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def requirements(pyproject: dict[str, list[str]], name: str, extra: str) -> list[str]:
    """Return an extra's requirements, those of the package `name` itself replaced by what its extras are."""
    found: list[str] = []
    for requirement in pyproject[extra]:
        own = re.fullmatch(rf"{name}\[(.*)\]", requirement)
        nested = [part for each in own[1].split(",") for part in requirements(pyproject, name, each)] if own else []
        found += nested if own else [requirement]
    return found


def main() -> None:
    """Run the command line."""
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    project = pyproject["project"]
    extras = {**project["optional-dependencies"], "build": pyproject["build-system"]["requires"]}
    print(*requirements(extras, project["name"], sys.argv[1]), sep="\n")


if __name__ == "__main__":
    main()
