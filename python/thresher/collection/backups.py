"""Copies of a collection, made while a writer goes on; a backup is a collection itself.

The catalogue is copied as it is in one version, and segments' files, which never change, are linked where the file
system can, or else copied. The backup appears whole, and on the disk, or not at all.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from thresher._core import FormatError
from thresher.collection.catalogue import Catalogue
from thresher.collection.checking import check_folder
from thresher.collection.files import CATALOGUE, READERS, SEGMENTS, new_folder, remove, sync
from thresher.collection.schema import Schema
from thresher.collection.segment import files_of

_log = logging.getLogger("thresher.collection")

_TRIES = 100


def back_up(folder: Path, target: Path, *, link: bool = True) -> None:
    """Make a copy of the collection in a folder: see `Collection.backup`."""
    if folder.resolve() in target.resolve().parents:
        raise ValueError(f"path: a backup does not go into the collection itself: {target}")
    with new_folder(target) as unfinished:
        (unfinished / SEGMENTS).mkdir()
        (unfinished / READERS).mkdir()
        with contextlib.ExitStack() as opened:
            for path, file in _copied_catalogue(folder, unfinished, opened):
                _copy(path, file, unfinished / SEGMENTS / path.name, link=link)
        with (unfinished / CATALOGUE).open("rb") as copy:
            sync(copy.fileno())
    _log.info("%s: backed up to %s", folder, target)


def restore(backup: Path, target: Path) -> None:
    """Make a collection of a backup that is sound: see `Collection.restore`."""
    report = check_folder(backup)
    if not report.is_sound:
        more = f"; {len(report.problems) - 1} more problems" if len(report.problems) > 1 else ""
        raise FormatError(f"{backup}: the backup is damaged: {report.problems[0]}{more}")
    back_up(backup, target, link=False)


def _copied_catalogue(folder: Path, target: Path, opened: contextlib.ExitStack) -> list[tuple[Path, BinaryIO]]:
    """Copy the catalogue, and open the files that the copy names, which keeps them if they are merged away."""
    for left in reversed(range(_TRIES)):
        source = Catalogue(folder, readonly=True)
        try:
            source.check_format()
            source.copy_to(target / CATALOGUE)
        finally:
            source.close()
        try:
            with contextlib.ExitStack() as files:
                found: list[tuple[Path, BinaryIO]] = [
                    (path, files.enter_context(path.open("rb"))) for path in _named(target, folder)
                ]
                opened.push(files.pop_all())
                return found
        except FileNotFoundError as error:
            remove(target / CATALOGUE)
            if not left:
                raise FormatError(f"{error.filename}: the file is missing; see Collection.check_folder") from error
    raise AssertionError


def _named(copy: Path, folder: Path) -> list[Path]:
    """Return the files, in the folder of the original, that a copy of the catalogue names."""
    catalogue = Catalogue(copy)
    try:
        schema = Schema.of_json(catalogue.meta("schema"))
        paths = [path for row in catalogue.segments() for path in files_of(folder, row, schema)]
        catalogue.keep_a_log()
    finally:
        catalogue.close()
    return paths


def _copy(path: Path, file: BinaryIO, target: Path, *, link: bool) -> None:
    if link:
        with contextlib.suppress(OSError):  # another file system, one without links, or a file that is gone by now
            os.link(path, target)
            return
    with target.open("xb") as out:
        shutil.copyfileobj(file, out, 1 << 20)
        out.flush()
        sync(out.fileno())
