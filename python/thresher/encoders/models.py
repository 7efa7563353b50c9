"""Where a model is: a folder, or a name that a library knows."""

from __future__ import annotations

import os
from pathlib import Path


def located(model: str | os.PathLike[str]) -> str:
    """Return the absolute path of a folder that is there, so that a configuration holds elsewhere; a name as it is."""
    name = os.fsdecode(model)
    return str(Path(name).absolute()) if Path(name).is_dir() else name
