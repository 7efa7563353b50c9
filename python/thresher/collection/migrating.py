"""Catalogues of older versions, brought to the present one when a collection is opened for writing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from thresher.collection import catalogue
from thresher.collection.catalogue import Catalogue
from thresher.collection.database import Database
from thresher.collection.files import WriterLock

_log = logging.getLogger("thresher.collection")

STEPS: dict[int, Callable[[Database], None]] = {}
"""For each older version what makes the next of it, within a transaction."""


def migrate(folder: Path) -> None:
    """Bring a collection's catalogue to the present version; that of a newer one is left as it is.

    Raises
    ------
    FileNotFoundError
        If there is no collection.
    thresher.FormatError
        If the catalogue is damaged, or there is no way from its version.
    thresher.collection.LockedError
        If it is of an older version, and somebody writes to the collection.
    """
    before = Catalogue(folder, readonly=True)
    try:
        version = before.format()
    finally:
        before.close()
    if version is None or version >= catalogue.FORMAT:
        return
    lock = WriterLock(folder)
    try:
        old = Catalogue(folder)
        try:
            old.migrate(STEPS)
        finally:
            old.close()
    finally:
        lock.release()
    _log.info("%s: brought from version %d to %d", folder, version, catalogue.FORMAT)
