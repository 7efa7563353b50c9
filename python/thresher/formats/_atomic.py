"""Write a file so that a crash leaves the old one or the new one, never a half.

The bytes go to a temporary file beside the target, reach the disk, and then take the target's
name in one step. Something that is not a regular file, such as ``/dev/null`` or a pipe, is
written to directly, since replacing it would destroy it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open `path` for writing; it changes only if the block ends without an exception.

    Parameters
    ----------
    path
        The file to create or replace. A symbolic link is followed, permissions are kept.

    Yields
    ------
    BinaryIO
        A file to write to.

    Raises
    ------
    OSError
        Naming `path`, if its folder is missing or can't be written, or the disk is full.
    """
    target = Path(path)
    mode = _mode_of(target)
    if mode is not None and not stat.S_ISREG(mode):
        with _naming(target), target.open("wb") as special:
            yield special
        return
    resolved = target.resolve()
    temporary = resolved.with_name(f".{resolved.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        with _naming(target, temporary):
            with temporary.open("xb") as out:
                if mode is not None:
                    temporary.chmod(stat.S_IMODE(mode))
                yield out
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(resolved)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(resolved.parent)


@contextlib.contextmanager
def _naming(target: Path, temporary: Path | None = None) -> Iterator[None]:
    """Let what the system refuses be told by the name the caller knows."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error


def _mode_of(path: Path) -> int | None:
    """Return the mode bits of what `path` leads to, None where there is nothing yet."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
