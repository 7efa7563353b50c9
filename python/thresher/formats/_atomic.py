"""Write a file so that a crash leaves the old one or the new one, never a half.

The bytes go to a temporary file, reach the disk, and then take the target's name in one step. The temporary has no
name until then where the system has such files (Linux: O_TMPFILE), so that a process that is killed leaves nothing
behind. Elsewhere it has a name beside the target, and the next writer of the same target removes it. The core writes
index files by the same rules. Something that is not a regular file, such as ``/dev/null`` or a pipe, is written to
directly, since replacing it would destroy it.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAX_NAME = 100  # bytes of the target's name in a temporary's, which any file system takes
_SWEPT = 8  # names are taken from 0 on, so that these are all there is in practice


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open `path` for writing; it changes only if the block ends without an exception.

    Parameters
    ----------
    path
        The file to create or replace. A symbolic link is followed, also to a file that does not exist; permissions
        are kept.

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
    temporary: Path | None = None
    with _naming(target, resolved):
        _sweep(resolved)
        temporary, descriptor = _opened(resolved)
        try:
            with os.fdopen(descriptor, "wb") as out:
                if mode is not None:
                    os.fchmod(out.fileno(), stat.S_IMODE(mode))
                yield out
                out.flush()
                os.fsync(out.fileno())
                if temporary is None:
                    temporary = _named(out.fileno(), resolved)
                temporary.replace(resolved)
        except BaseException:
            if temporary is not None:
                with contextlib.suppress(OSError):  # the error that led here is the one to tell
                    temporary.unlink(missing_ok=True)
            raise
    _sync_folder(resolved.parent)


def _prefix(target: Path) -> str:
    """Return how temporaries for `target` are called, but for a number: hidden, beside it, short enough anywhere."""
    name = os.fsencode(target.name)
    if len(name) > _MAX_NAME:
        end = _MAX_NAME
        while end and name[end] & 0xC0 == 0x80:  # between two characters
            end -= 1
        name = name[:end]
    return str(target.with_name(f".{os.fsdecode(name)}.thresher-"))


def _temporary_name(target: Path, number: int) -> Path:
    return Path(f"{_prefix(target)}{number}")


def _sweep(target: Path) -> None:
    """Remove temporaries of `target` whose writers are gone: a writer holds the lock of its file as long as it lives.

    Nobody else removes a file without its lock.
    """
    for number in range(_SWEPT):
        name = _temporary_name(target, number)
        with contextlib.suppress(OSError):  # not there, or with a writer
            descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_name_of(name, descriptor):
                    name.unlink()
            finally:
                os.close(descriptor)


def _opened(target: Path) -> tuple[Path | None, int]:
    """Open a temporary for `target`, locked, and return its name and descriptor; None if it has no name."""
    with contextlib.suppress(AttributeError, OSError):  # no such flag, or not in this folder
        descriptor = os.open(target.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
        if os.path.exists(_link_to(descriptor)):  # noqa: PTH110 - otherwise it could not be given a name
            _lock(descriptor)
            return None, descriptor
        os.close(descriptor)
    for number in itertools.count():
        name = _temporary_name(target, number)
        try:
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            continue
        _lock(descriptor)
        if _is_name_of(name, descriptor):
            return name, descriptor
        os.close(descriptor)  # swept before it was locked
    raise AssertionError("unreachable")


def _named(descriptor: int, target: Path) -> Path:
    """Give a temporary without a name one of its target's."""
    for number in itertools.count():
        name = _temporary_name(target, number)
        try:
            # A source folder, though it has no part in an absolute path: only with one is the link followed.
            os.link(_link_to(descriptor), name, src_dir_fd=descriptor, follow_symlinks=True)
        except FileExistsError:
            continue
        return name
    raise AssertionError("unreachable")


def _link_to(descriptor: int) -> str:
    """Return where the system shows the file behind a descriptor."""
    return f"/proc/self/fd/{descriptor}"


def _lock(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # some file systems have no locks, and nothing is swept there
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_name_of(path: Path, descriptor: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    return False


@contextlib.contextmanager
def _naming(target: Path, resolved: Path | None = None) -> Iterator[None]:
    """Let what the system refuses be told by the name the caller knows, not by a temporary's."""
    try:
        yield
    except OSError as error:
        ours = ("/proc/self/fd/",) if resolved is None else ("/proc/self/fd/", _prefix(resolved))
        if error.errno is None or not (error.filename is None or str(error.filename).startswith(ours)):
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
