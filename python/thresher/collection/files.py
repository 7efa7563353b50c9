"""The files of a collection: how they appear, vanish and are locked. Every change of the disk but sqlite's is here.

A file is written beside its place, brought to the disk and renamed; nothing refers to it before that. The lock of the
writer and the marks of readers are locks of the operating system, which the kernel frees when a process dies.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO
    from typing import BinaryIO

CATALOGUE = "catalogue.sqlite"
SEGMENTS = "segments"
READERS = "readers"
LOCK = "lock"
_UNFINISHED = ".new"


class LockedError(OSError):
    """Another process, or another object in this one, writes to the collection."""


# ------------------------------------------------------------------------------------------ files appear and vanish


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears at `path` once the block ends, on the disk, or not at all."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        with unfinished.open("wb") as out:
            yield out
            out.flush()
            sync(out.fileno())
        rename(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            unfinished.unlink(missing_ok=True)
        raise


def sync(descriptor: int) -> None:
    """Bring a file to the disk."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give a file or a folder its name."""
    source.rename(target)


def remove(path: Path) -> None:
    """Remove a file if it is there; who has it open keeps it."""
    path.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Make a folder that appears at `path` once the block ends, whole, or not at all.

    Raises
    ------
    FileExistsError
        If something is at `path`, but for an empty folder.
    """
    _refuse_taken(path)
    _sweep_unfinished(path)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    unfinished.mkdir()
    descriptor = -1
    try:
        descriptor = os.open(unfinished, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # as long as it is being made
        yield unfinished
        for folder, _, _ in os.walk(unfinished):
            sync_folder(Path(folder))
        _name_folder(unfinished, path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _name_folder(unfinished: Path, path: Path) -> None:
    """Give a folder its name, on the disk; it loses it again where the disk refuses."""
    _refuse_taken(path)
    try:
        rename(unfinished, path)  # an empty folder is replaced
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            _refuse_taken(path)
        raise
    try:
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            rename(path, unfinished)
        raise


def _sweep_unfinished(path: Path) -> None:
    """Remove what processes left behind that died while they made a folder at `path`."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_UNFINISHED}"):
        with contextlib.suppress(OSError):  # not ours to remove, or being made
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)


def _refuse_taken(path: Path) -> None:
    taken = any(path.iterdir()) if path.is_dir() else path.exists() or path.is_symlink()
    if taken:
        raise FileExistsError(errno.EEXIST, "there is something already", str(path))


# ------------------------------------------------------------------------------------------------- who is at work


class WriterLock:
    """The right to write to a collection, until it is released or the process ends."""

    _file: FileIO | None = None

    def __init__(self, folder: Path) -> None:
        """Take it.

        Raises
        ------
        LockedError
            Naming the host and the process that has it.
        """
        self._path = path = folder / LOCK
        self._pid = os.getpid()
        self._file = path.open("ab", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            holder = _holder(path)
            raise LockedError(errno.EAGAIN, f"another writer has the collection open ({holder})", str(folder)) from None
        own = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
        with contextlib.suppress(OSError):  # it is for the message alone, and the disk may be full
            self._file.truncate(0)
            self._file.write(own)

    def check(self) -> None:
        """Raise unless the file that is locked is still the one in the folder.

        Files of segments go by the folder's path, and the catalogue by its open files: of a folder that was moved, or
        restored over, each would get a part.

        Raises
        ------
        OSError
            Naming the folder.
        """
        if self._file is None:
            return
        own = os.fstat(self._file.fileno())
        try:
            is_same = os.path.samestat(own, self._path.stat())
        except FileNotFoundError:
            is_same = False
        if not is_same:
            raise OSError(
                errno.ESTALE,
                "the folder was moved, removed or replaced while the collection was open for writing: open it anew",
                str(self._path.parent),
            )

    def release(self) -> None:
        """Let another have it. In a forked child this closes its copy, and the parent keeps the lock."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if self._pid == os.getpid():
                fcntl.flock(file, fcntl.LOCK_UN)  # of children's copies too
        finally:
            file.close()

    def __del__(self) -> None:
        """Let another have it where an interrupt came before somebody could keep this object."""
        if self._file is not None:
            self._file.close()


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        return f"process {int(holder['pid'])} on {holder['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown process"


class ReaderMark:
    """What tells the writer that somebody reads a version of the collection: payloads of that version are kept.

    A locked file that is named after the version. Where none can be made, as on read-only media, there is no writer
    that would have to know.
    """

    _file: FileIO | None = None

    def __init__(self, folder: Path, version: int) -> None:
        """Set the mark."""
        self._pid = os.getpid()
        self._path: Path | None = None
        while self._path is None:
            path = folder / READERS / f"{version}.{os.getpid()}.{secrets.token_hex(4)}"
            try:
                self._file = path.open("ab", buffering=0)
            except OSError:
                return
            fcntl.flock(self._file, fcntl.LOCK_SH)
            if path.exists():  # the writer may have taken it for one of a process that died
                self._path = path
            else:
                self.close()

    def release(self) -> None:
        """Take the mark away. A forked child closes its copy alone: the mark is its parent's."""
        if self._path is not None and self._pid == os.getpid():
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._path = None
        self.close()

    def close(self) -> None:
        """Close the file alone."""
        if self._file is not None:
            self._file.close()

    def __del__(self) -> None:
        """Let the kernel take the mark for one that is gone, where an interrupt ended `release`."""
        self.close()


def marked_versions(folder: Path) -> Iterator[int]:
    """Yield the versions that are read somewhere; marks of processes that died are removed."""
    for path in (folder / READERS).iterdir():
        version = path.name.partition(".")[0]
        if not version.isdigit():
            continue
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield int(version)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
        finally:
            os.close(descriptor)
