"""Print the build requirements of pyproject.toml, for an environment that builds without isolation."""

from __future__ import annotations

import tomllib
from pathlib import Path

pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
print(*pyproject["build-system"]["requires"])
