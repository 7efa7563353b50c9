"""Folders for temporary files, in which builds keep what may be larger than memory."""

from __future__ import annotations

import contextlib
import os
from typing import TypeAlias

from thresher import _core
from thresher._arguments import as_path

Folder: TypeAlias = str | os.PathLike[str]


def scratch_files(folder: Folder | None) -> _core.ScratchFiles | None:
    """Return what makes temporary files in a folder, None for None; or raise OSError if none can be made there."""
    return None if folder is None else _core.ScratchFiles(as_path(folder, "scratch"))


def kept_in(files: _core.ScratchFiles | None) -> contextlib.AbstractContextManager[object]:
    """Return a context within which this thread's builds keep large arrays in temporary files; None: in memory."""
    return contextlib.nullcontext() if files is None else _core.ScratchScope(files)
