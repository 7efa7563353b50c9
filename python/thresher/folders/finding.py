"""Which files of a folder are looked at: in order, without hidden ones, collections, and what is no file.

Links are left out, unless they are to be followed; then each folder is entered once, so that loops end.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from thresher.collection.files import CATALOGUE

MOST_BYTES = 32 << 20  # of a file, unless the caller says otherwise
_MOST_KEY_BYTES = 480  # which leaves room for `#n` in an id


class File(NamedTuple):
    """A file that is there."""

    path: Path
    name: str
    """What answers call it: relative to the folder that has the collection, or absolute."""
    key: str
    """What ids begin with: the name; where that is too long, or not UTF-8, with a digest."""
    size: int
    mtime: int
    """Nanoseconds since 1970."""


@dataclasses.dataclass
class Found:
    """What is in a folder.

    Attributes
    ----------
    files
        In the order of their names.
    skipped
        Names of what was left out, by the reason.
    unreadable
        Keys that folders' files would begin with, had they been readable: nothing is known of those.
    """

    files: list[File] = dataclasses.field(default_factory=list)
    skipped: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    unreadable: list[str] = dataclasses.field(default_factory=list)

    def skip(self, reason: str, name: str) -> None:
        """Leave a file out, and keep why."""
        self.skipped.setdefault(reason, []).append(name)


def find(target: Path, base: Path, *, most_bytes: int = MOST_BYTES, follow: bool = False) -> Found:
    """Find the files of a folder, or the one file that is named.

    Parameters
    ----------
    target
        A folder or a file. It may be a link, and may be hidden.
    base
        The folder that names are relative to; those of files elsewhere are absolute.
    most_bytes
        A larger file is left out.
    follow
        Whether links are followed.

    Returns
    -------
    Found
        Files, and what was left out.

    Raises
    ------
    OSError
        If `target` is not there, or can't be read.
    """
    found = Found()
    target, base = target.resolve(), base.resolve()
    if stat.S_ISDIR(target.stat().st_mode):
        with os.scandir(target):
            pass  # or raise
        paths = _walked(target, base, found, follow, {_identity(target.stat())})
    else:
        paths = iter([(target, target.stat())])
    for path, facts in paths:
        name, key = names_of(path, base)
        if not stat.S_ISREG(facts.st_mode):
            found.skip("no file", name)
        elif facts.st_size > most_bytes:
            found.skip(f"larger than {most_bytes:,} bytes", name)
        else:
            found.files.append(File(path, name, key, facts.st_size, facts.st_mtime_ns))
    found.files.sort(key=lambda file: file.key)
    return found


def names_of(path: Path, base: Path) -> tuple[str, str]:
    """Return what a path is called, and what ids begin with."""
    relative = os.fspath(path.relative_to(base) if path.is_relative_to(base) else path)
    raw = os.fsencode(relative)
    name = raw.decode("utf-8", "replace")
    if len(raw) <= _MOST_KEY_BYTES and name.encode() == raw:
        return name, name
    start = raw[: _MOST_KEY_BYTES - 80].decode("utf-8", "ignore")
    return name, f"{start}~{hashlib.sha256(raw).hexdigest()[:32]}"


def _walked(
    folder: Path, base: Path, found: Found, follow: bool, entered: set[tuple[int, int]]
) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what is in a folder and in those within it, and tell what is left out."""
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: os.fsencode(entry.name))
        except OSError:
            name, key = names_of(folder, base)
            found.skip("unreadable", name)
            found.unreadable.append(f"{key}/")
            continue
        inside: list[Path] = []
        for entry in entries:
            path = folder / entry.name
            name, key = names_of(path, base)
            if entry.name.startswith("."):
                if not (path / CATALOGUE).exists():  # the collection of the folder, which nobody put there to be read
                    found.skip("hidden", name)
                continue
            if entry.is_symlink() and not follow:
                found.skip("a link", name)
                continue
            try:
                facts = entry.stat()
            except OSError:
                found.skip("unreadable", name)
                found.unreadable.append(key)
                continue
            if not stat.S_ISDIR(facts.st_mode):
                yield path, facts
            elif (path / CATALOGUE).exists():
                found.skip("a collection", name)
            elif _identity(facts) in entered:
                found.skip("a folder that was entered already", name)
            else:
                entered.add(_identity(facts))
                inside.append(path)
        waiting += reversed(inside)


def _identity(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_dev, facts.st_ino
