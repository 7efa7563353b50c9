"""What a collection knows of itself, in one sqlite database: the catalogue and the log.

Every change is one transaction, and durable when it returns. Documents are rows of `documents`, one for each state that
a document was in: it is `seq`, the number of its upsert, that stays while its payload changes. A state lasts from
version `born` to version `died`, exclusive; a version is a transaction. So a reader that knows its version sees the
same payloads whatever is written meanwhile, and holds no transaction open.

Vectors wait in `batches`, a row for each upsert, until they are in a segment's file. What is in `segments` are the
segment files that there are: a file that it does not name is garbage.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from thresher import _core
from thresher.collection.database import Database, connected
from thresher.collection.files import CATALOGUE

if TYPE_CHECKING:
    from typing import Literal

    from thresher.collection.database import Database

    Durability: TypeAlias = Literal["full", "normal"]

Id: TypeAlias = "str | int"

FORMAT = 1
_PAGE = 8192
_FORGOTTEN = 4  # batches that are deleted in one transaction
_AT_ONCE = 20_000  # values of one statement's JSON list
_BOUND = 500  # values of one statement that it binds one by one

_NEEDED = {"version": int, "next_seq": int, "next_file": int, "schema": str, "durability": str}

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE fields (name TEXT PRIMARY KEY, kind TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE words (vector TEXT NOT NULL, word TEXT NOT NULL, term INTEGER NOT NULL, PRIMARY KEY (vector, word))
    WITHOUT ROWID;
CREATE TABLE documents (
    row INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    born INTEGER NOT NULL,
    died INTEGER,
    updated INTEGER,
    id NOT NULL,
    payload TEXT,
    text TEXT
);
CREATE UNIQUE INDEX documents_by_id ON documents (id) WHERE died IS NULL;
CREATE INDEX documents_by_seq ON documents (seq);
CREATE INDEX documents_dead_by_id ON documents (id) WHERE died IS NOT NULL;
CREATE INDEX documents_dead_by_seq ON documents (seq) WHERE died IS NOT NULL;
CREATE INDEX documents_updated ON documents (seq) WHERE updated IS NOT NULL;
CREATE TABLE batches (first INTEGER PRIMARY KEY, n INTEGER NOT NULL, vectors BLOB NOT NULL);
CREATE TABLE segments (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    file INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    columns_version INTEGER NOT NULL,
    n INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    seqs BLOB NOT NULL
);
"""

# What each counter is ahead of.
_COUNTED = (
    ("states of documents", "documents WHERE max(born, ifnull(died, 0)) >", "version"),
    ("upserts", "documents WHERE seq >=", "next_seq"),
    ("batches", "batches WHERE first + n >", "next_seq"),
    ("segments", "segments WHERE max(file, columns) >=", "next_file"),
)


class State(NamedTuple):
    """A document in the state that a version sees it in."""

    seq: int
    id: Id
    born: int
    payload: str | None
    text: str | None


class SegmentRow(NamedTuple):
    """A segment's files, and which documents are in them: of those upserted from `first` to `last`, the `n` of `seqs`.

    `dropped`: the version as of which dead documents were left out; `columns_version`: that of the payloads in the
    column file.
    """

    first: int
    last: int
    file: int
    columns: int
    columns_version: int
    n: int
    dropped: int
    seqs: bytes


class Batch(NamedTuple):
    """Vectors that are in no segment's file yet, of documents upserted from `first` on."""

    first: int
    n: int
    vectors: bytes


class Catalogue:
    """The database. Not safe for use by two threads at once."""

    def __init__(self, folder: Path, *, readonly: bool = False, durability: Durability = "full") -> None:
        """Open it, for `create_tables` too.

        Raises
        ------
        FileNotFoundError
            If it is not there, and is not to be written.
        thresher.FormatError
            If it is no catalogue, or one of a newer version.
        """
        self.path = folder / CATALOGUE
        self.durability = durability
        self._db = connected(self.path, readonly=readonly)
        try:
            if not readonly:
                self._db.execute(f"PRAGMA synchronous = {durability}")
        except BaseException:
            self._db.close()
            raise

    def create_tables(self, meta: Mapping[str, object]) -> None:
        """Lay out an empty database."""
        self._db.execute(f"PRAGMA page_size = {_PAGE}")
        self.keep_a_log()
        for statement in _TABLES.split(";"):
            self._db.execute(statement)
        with self.transaction():
            self.set_meta(format=FORMAT, version=1, next_seq=1, next_file=1, **meta)

    def check_format(self) -> None:
        """Raise thresher.FormatError unless this library reads the database, naming what is wrong."""
        version = self.format()
        if version == FORMAT:
            for key, kind in _NEEDED.items():
                if not isinstance(self.meta(key), kind):
                    raise _core.FormatError(f"{self.path}: {key} is {self.meta(key)!r}: it is damaged")
            return
        hint = "it is damaged"
        if version is not None and version > FORMAT:
            hint = "a newer thresher wrote it"
        elif version is not None:
            hint = "an older thresher wrote it, and opening it for writing brings it up to date"
        raise _core.FormatError(f"{self.path}: version {version} of the catalogue, where {FORMAT} was expected: {hint}")

    def format(self) -> int | None:
        """Return the version of the database's layout; None if it has none."""
        version = self.meta("format")
        return version if isinstance(version, int) else None

    def migrate(self, steps: Mapping[int, Callable[[Database], None]]) -> None:
        """Bring an older database to the present version, whole or not at all.

        Parameters
        ----------
        steps
            For each older version what makes the next of it.

        Raises
        ------
        thresher.FormatError
            If it is none of an older version that there is a way from.
        """
        with self.transaction():
            version = self.format()
            while version is not None and version < FORMAT and version in steps:
                steps[version](self._db)
                version += 1
                self.set_meta(format=version)
            self.check_format()

    def transaction(self) -> AbstractContextManager[None]:
        """Do what is in the block whole, and durably, or not at all."""
        return _Transaction(self._db, "BEGIN IMMEDIATE")

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """Do what is in the block, a part of a transaction, whole or not at all."""
        self._db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # sqlite ends it by itself where the disk is full
                with contextlib.suppress(Exception):
                    self._db.execute("ROLLBACK TO part")
            raise
        finally:
            if self._db.in_transaction:
                with contextlib.suppress(Exception):
                    self._db.execute("RELEASE part")

    def reading(self) -> AbstractContextManager[None]:
        """See one version of the database in all of the block."""
        return _Transaction(self._db, "BEGIN")

    def close(self) -> None:
        """Close it; the last one to do so folds the log into the database."""
        self._db.close()

    # ---------------------------------------------------------------------------------------------------- the small

    def meta(self, key: str) -> Any:  # noqa: ANN401 - numbers and strings
        """Return a value, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def set_meta(self, **values: object) -> None:
        """Set values."""
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def take(self, counter: str, n: int = 1) -> int:
        """Return the next number of a counter, and move it on by `n`."""
        value = int(self.meta(counter) or 0)
        self.set_meta(**{counter: value + n})
        return value

    def fields(self) -> dict[str, str]:
        """Return the kinds of the declared fields, by name."""
        return dict(self._db.execute("SELECT name, kind FROM fields ORDER BY name"))

    def set_field(self, name: str, kind: str | None) -> None:
        """Declare a field, or drop it where `kind` is None."""
        if kind is None:
            self._db.execute("DELETE FROM fields WHERE name = ?", (name,))
        else:
            self._db.execute("INSERT OR REPLACE INTO fields VALUES (?, ?)", (name, kind))

    def terms_of(self, vector: str, words: Sequence[str]) -> dict[str, int]:
        """Return the terms of the words that there are."""
        found: dict[str, int] = {}
        for among, part in _among(words):
            found.update(
                self._db.execute(
                    f"SELECT word, term FROM words WHERE vector = ? AND word {among}",  # noqa: S608 - ours
                    (vector, *part),
                )
            )
        return found

    def words_of(self, vector: str) -> list[str]:
        """Return all words of a vector, by term."""
        return [
            word for (word,) in self._db.execute("SELECT word FROM words WHERE vector = ? ORDER BY term", (vector,))
        ]

    def add_words(self, vector: str, words: Iterable[tuple[str, int]]) -> None:
        """Keep new words with their terms."""
        self._db.executemany("INSERT INTO words VALUES (?, ?, ?)", ((vector, word, term) for word, term in words))

    # -------------------------------------------------------------------------------------------------- documents

    def find(self, ids: Sequence[Id], version: int | None = None) -> list[State]:
        """Return the documents of these ids that are there, in no order: now, or as of a version."""
        if version is None:
            return self._states("id", ids, "died IS NULL")
        return [
            *self._states("id", ids, "died IS NULL AND born <= ?", version),
            *self._states("id", ids, "died IS NOT NULL AND born <= ? AND died > ?", version, version),
        ]

    def states(self, seqs: Sequence[int], version: int) -> list[State]:
        """Return the documents of these upserts that a version sees, in no order."""
        return self._states("seq", seqs, "born <= ? AND (died IS NULL OR died > ?)", version, version)

    def _states(self, column: str, values: Sequence[Any], condition: str, *more: int) -> list[State]:
        found: list[State] = []
        for among, part in _among(values):
            found += map(
                State._make,
                self._db.execute(
                    "SELECT seq, id, born, payload, text FROM documents "  # noqa: S608 - ours
                    f"WHERE {column} {among} AND {condition}",
                    (*part, *more),
                ),
            )
        return found

    def states_between(self, first: int, last: int, version: int) -> Iterator[State]:
        """Yield the documents that a version sees, upserted from `first` to `last`, by rising `seq`."""
        return map(
            State._make,
            self._db.execute(
                "SELECT seq, id, born, payload, text FROM documents "
                "WHERE seq BETWEEN ? AND ? AND born <= ? AND (died IS NULL OR died > ?) ORDER BY seq",
                (first, last, version, version),
            ),
        )

    def updated(self, after: int, first: int, last: int) -> list[State]:
        """Return the live documents from `first` to `last` whose payload changed after a version."""
        return [
            State._make(row)
            for row in self._db.execute(
                "SELECT seq, id, born, payload, text FROM documents "
                "WHERE updated IS NOT NULL AND seq BETWEEN ? AND ? AND born > ? AND died IS NULL",
                (first, last, after),
            )
        ]

    def dead(self) -> list[int]:
        """Return the `seq` of the documents that were deleted or replaced, as far as they are still known."""
        return [
            seq
            for (seq,) in self._db.execute(
                "SELECT DISTINCT seq FROM documents AS d WHERE died IS NOT NULL AND NOT EXISTS "
                "(SELECT 1 FROM documents WHERE seq = d.seq AND died IS NULL)"
            )
        ]

    def known(self, first: int, last: int) -> list[int]:
        """Return the upserts from `first` to `last` that there is any state of, live or not."""
        return [
            seq
            for (seq,) in self._db.execute(
                "SELECT DISTINCT seq FROM documents WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)
            )
        ]

    def n_live(self) -> int:
        """Return how many documents there are."""
        return int(self._db.execute("SELECT count(*) FROM documents WHERE died IS NULL").fetchone()[0])

    def insert(self, rows: Iterable[tuple[int, int, int | None, Id, str | None, str | None]]) -> None:
        """Add states of documents: seq, born, updated (1, or None for an upsert), id, payload, text."""
        self._db.executemany(
            "INSERT INTO documents (seq, born, updated, id, payload, text) VALUES (?, ?, ?, ?, ?, ?)", rows
        )

    def bury(self, seqs: Sequence[int], version: int) -> None:
        """End the present state of documents."""
        for part in _parts(seqs):
            self._db.execute(
                "UPDATE documents SET died = ? WHERE seq IN (SELECT value FROM json_each(?)) AND died IS NULL",
                (version, json.dumps(part)),
            )

    def purge(self, version: int) -> int:
        """Forget the states that ended by a version, but for documents that lie dead in a segment; return how many.

        A segment has none of the documents that were dead when it was made, and those that lie in no segment are in a
        batch, where the last state of each is needed, or nowhere.
        """
        flushed, done = 0, 0
        for segment in self.segments():
            done += self._forget(flushed + 1, segment.first - 1, version)
            done += self._forget(segment.first, segment.last, min(version, segment.dropped))
            done += self._forget(segment.first, segment.last, version, followed=True)
            flushed = segment.last
        waiting, end = self.first_waiting(), int(self.meta("next_seq"))
        done += self._forget(flushed + 1, waiting - 1, version)
        return done + self._forget(waiting, end - 1, version, followed=True)

    def _forget(self, first: int, last: int, version: int, *, followed: bool = False) -> int:
        """Forget states that ended by a version of documents from `first` to `last`.

        `followed`: those alone that a later state of the document followed, which may have ended in the same version.
        """
        if first > last:
            return 0
        condition = "seq BETWEEN ? AND ? AND died IS NOT NULL AND died <= ?"
        if followed:
            condition += (
                " AND EXISTS (SELECT 1 FROM documents AS later WHERE later.seq = documents.seq"
                " AND later.born = documents.died AND later.row > documents.row)"
            )
        return self._db.execute(f"DELETE FROM documents WHERE {condition}", (first, last, version)).rowcount  # noqa: S608 - ours

    # --------------------------------------------------------------------------------------- batches and segments

    def add_batch(self, batch: Batch) -> None:
        """Keep vectors until they are in a segment."""
        self._db.execute("INSERT INTO batches VALUES (?, ?, ?)", batch)

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """Yield the batches of documents upserted after `after`, in order."""
        return map(
            Batch._make,
            self._db.execute("SELECT first, n, vectors FROM batches WHERE first > ? ORDER BY first", (after,)),
        )

    def first_waiting(self) -> int:
        """Return the first document that is in a batch, or the next that will be."""
        return int(self._db.execute("SELECT min(first) FROM batches").fetchone()[0] or self.meta("next_seq"))

    def forget_batches(self, last: int) -> bool:
        """Forget some of the batches that end by a document; return whether there are more."""
        firsts = "SELECT first FROM batches WHERE first + n - 1 <= ? ORDER BY first LIMIT ?"
        forgotten = self._db.execute(f"DELETE FROM batches WHERE first IN ({firsts})", (last, _FORGOTTEN)).rowcount  # noqa: S608
        return forgotten == _FORGOTTEN

    def segments(self) -> list[SegmentRow]:
        """Return the segments, by rising `first`."""
        return [
            SegmentRow._make(row)
            for row in self._db.execute(
                "SELECT first, last, file, columns, columns_version, n, dropped, seqs FROM segments ORDER BY first"
            )
        ]

    def replace_segments(self, firsts: Iterable[int], segments: Iterable[SegmentRow]) -> None:
        """Name segments in the place of those that begin at `firsts`."""
        self._db.executemany("DELETE FROM segments WHERE first = ?", ((first,) for first in firsts))
        self._db.executemany("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?)", segments)

    # ------------------------------------------------------------------------------------------------ as a whole

    def copy_to(self, path: Path) -> None:
        """Write a copy of the database as it is now, in one piece."""
        try:
            self._db.execute("VACUUM INTO ?", (str(path),))
        except OSError as error:  # either's disk may be to blame
            raise OSError(error.errno, error.strerror, str(self.path), None, str(path)) from error

    def keep_a_log(self) -> None:
        """Write changes to a log first, so that readers and the writer do not wait for one another."""
        self._db.execute("PRAGMA journal_mode = WAL")

    def compact(self) -> None:
        """Give the space of what was forgotten back to the file system."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def problems(self) -> list[str]:
        """Return what is wrong in the database: what sqlite finds, and numbers beyond their counters; usually none."""
        try:
            rows = self._db.execute("PRAGMA integrity_check(20)").fetchall()
            found = [f"{self.path}: {text}" for (text,) in rows if text != "ok"]
            for what, condition, counter in _COUNTED:
                (n,) = self._db.execute(f"SELECT count(*) FROM {condition} ?", (self.meta(counter),)).fetchone()  # noqa: S608 - ours
                if n:
                    found.append(f"{self.path}: {n} {what} beyond {counter} = {self.meta(counter)}")
        except (OSError, _core.FormatError) as error:
            return [str(error)]
        return found


class _Transaction(AbstractContextManager[None]):
    """A transaction of a database. No generator, whose end may come late, in the midst of the next one."""

    def __init__(self, db: Database, begin: str) -> None:
        self._db = db
        self._begin = begin

    def __enter__(self) -> None:
        if self._db.in_transaction:  # an interrupt left it open
            self._db.execute("ROLLBACK")
        self._db.execute(self._begin)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                with contextlib.suppress(Exception):  # the error that led here is the one to tell
                    self._db.execute("ROLLBACK")


def _among(values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield conditions that a column is one of some values, a part of them at a time, and what the conditions bind.

    Values go as JSON, but for strings with a NUL: there sqlite's JSON ends them.
    """
    cut = [value for value in values if isinstance(value, str) and "\0" in value]
    whole = [value for value in values if not (isinstance(value, str) and "\0" in value)] if cut else values
    for part in _parts(whole, _AT_ONCE):
        yield "IN (SELECT value FROM json_each(?))", [json.dumps(part)]
    for part in _parts(cut, _BOUND):
        yield f"IN ({','.join('?' * len(part))})", [*part]


def _parts(values: Sequence[Any], n: int = _AT_ONCE) -> Iterator[Sequence[Any]]:
    return (values[begin : begin + n] for begin in range(0, len(values), n))
