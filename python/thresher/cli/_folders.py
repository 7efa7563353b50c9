"""Where the collection of a folder is."""

from __future__ import annotations

from pathlib import Path

from thresher.collection.files import CATALOGUE

NAME = ".thresher"


def is_collection(path: Path) -> bool:
    """Tell whether there is a collection."""
    return (path / CATALOGUE).exists()


def beside(target: Path) -> Path:
    """Return where the collection of a folder, or of a file, is made: in the folder."""
    target = target.resolve()
    return (target if target.is_dir() else target.parent) / NAME


def found_for(target: Path) -> Path:
    """Return the collection in a folder, or in the nearest one that it is in.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    start = beside(target).parent
    for folder in (start, *start.parents):
        if is_collection(folder / NAME):
            return folder / NAME
    raise FileNotFoundError(f"{target}: nothing is indexed there yet: thresher index {target}")
