"""sqlite, with Python's own errors: OSError for what the disk refuses, FormatError for what is damaged."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from thresher import _core

_BUSY_MS = 60_000

_ERRNO = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_CANTOPEN: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_AUTH: errno.EACCES,
    sqlite3.SQLITE_BUSY: errno.EAGAIN,
    sqlite3.SQLITE_LOCKED: errno.EAGAIN,
    sqlite3.SQLITE_PROTOCOL: errno.EAGAIN,
}


def told(path: Path, error: sqlite3.Error) -> Exception:
    """Return what to raise for an error of sqlite: it names the file, and says who is to blame."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of the module
        is_closed = isinstance(error, sqlite3.ProgrammingError)
        return ValueError(f"{path}: {error}") if is_closed else _core.FormatError(f"{path}: {error}")
    primary = code & 0xFF
    if primary in _ERRNO:
        return OSError(_ERRNO[primary], str(error), str(path))
    if primary == sqlite3.SQLITE_NOMEM:
        return MemoryError(f"{path}: {error}")
    if primary == sqlite3.SQLITE_TOOBIG:
        return ValueError(f"{path}: a payload or a text is too large: {error}")
    return _core.FormatError(f"{path}: {error}")


class Cursor(sqlite3.Cursor):
    """A cursor of a `Database`."""

    path: Path

    def execute(self, statement: str, values: Any = (), /) -> Self:  # noqa: ANN401 - as sqlite3 has it
        """Run a statement."""
        try:
            return super().execute(statement, values)
        except sqlite3.Error as error:
            raise told(self.path, error) from error

    def executemany(self, statement: str, rows: Iterable[Any], /) -> Self:
        """Run a statement for each of some rows."""
        try:
            return super().executemany(statement, rows)
        except sqlite3.Error as error:
            raise told(self.path, error) from error

    def fetchone(self) -> Any:  # noqa: ANN401 - as sqlite3 has it
        """Return the next row, or None."""
        try:
            return super().fetchone()
        except sqlite3.Error as error:
            raise told(self.path, error) from error

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        return list(self)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override] # it is its own iterator no more
        """Yield the rows that are left."""
        try:
            yield from iter(super().__next__, None)  # no row is None
        except sqlite3.Error as error:
            raise told(self.path, error) from error


class Database(sqlite3.Connection):
    """A connection to a database of a file."""

    path: Path

    def execute(self, statement: str, values: Any = (), /) -> Cursor:  # noqa: ANN401 - as sqlite3 has it
        """Run a statement."""
        return self._cursor().execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Any], /) -> Cursor:
        """Run a statement for each of some rows."""
        return self._cursor().executemany(statement, rows)

    def _cursor(self) -> Cursor:
        try:
            cursor = self.cursor(Cursor)
        except sqlite3.Error as error:
            raise told(self.path, error) from error
        cursor.path = self.path
        return cursor


def connected(path: Path, *, readonly: bool) -> Database:
    """Open a database, for any thread, one at a time.

    Raises
    ------
    OSError, thresher.FormatError
        If it is not there or can't be read; or if it is no database.
    """
    if not readonly:
        return _connected(path, "?mode=rwc")
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no collection", str(path.parent))
    database = _connected(path, "?mode=ro")
    try:
        database.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except OSError:
        database.close()
        # On media that take no file beside it the database is all there is, unless its log says more.
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        database = _connected(path, "?mode=ro&immutable=1")
        database.execute("SELECT 1 FROM sqlite_schema").fetchone()
    return database


def _connected(path: Path, options: str) -> Database:
    try:
        database = sqlite3.connect(
            path.absolute().as_uri() + options,
            uri=True,
            timeout=_BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=Database,
        )
    except sqlite3.Error as error:
        raise told(path, error) from error
    database.path = path
    return database
