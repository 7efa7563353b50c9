"""A folder that is looked at again and again, until somebody ends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from thresher.folders.finding import MOST_BYTES, find
from thresher.folders.indexing import Report, index_folder

if TYPE_CHECKING:
    from thresher.collection import Collection

_SETTLED = 2.0  # seconds after which a file that has changed shows it if it changes again


def watch(
    collection: Collection,
    target: Path,
    base: Path,
    tell: Callable[[Report], None],
    *,
    seconds: float,
    most_bytes: int = MOST_BYTES,
    follow: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Bring a collection up to date whenever a folder has changed; it returns by what `pause` or `tell` raise alone.

    Parameters
    ----------
    collection, target, base, most_bytes, follow
        As `index_folder` has them.
    tell
        Called with what a run did, if it stored or deleted something.
    seconds
        How long to wait between looks.
    pause
        Waits.
    """
    before: object = None
    n_same = 0
    while True:
        try:
            found = find(target, base, most_bytes=most_bytes, follow=follow)
            now = [(file.key, file.size, file.mtime) for file in found.files]
            # A file that has just changed may change again without showing it: it is looked at twice.
            n_same = n_same + 1 if now == before else 0
            if n_same * seconds <= 2 * _SETTLED:
                report = index_folder(collection, target, base, most_bytes=most_bytes, follow=follow)
                if report.has_changed:
                    tell(report)
            before = now
        except FileNotFoundError:  # taken away while it is replaced, say
            pass
        pause(seconds)
