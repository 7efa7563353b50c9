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
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from thresher import _core
from thresher.collection.database import Database, connected
from thresher.collection.files import CATALOGUE
from thresher.collection.filters import check_fields

if TYPE_CHECKING:
    from typing import Literal

    from thresher.collection.database import Database

    Durability: TypeAlias = Literal["full", "normal"]

Id: TypeAlias = "str | int"

FORMAT = 1
_PAGE = 8192
_LOG_BYTES = 1000 * _PAGE  # that sqlite keeps of its log, once all of it is in the database
_FORGOTTEN = 4  # batches that are deleted in one transaction
_AT_ONCE = 20_000  # values of one statement's JSON list
_BOUND = 500  # values of one statement that it binds one by one

# What values of `meta` are, by what stands before a colon; those that a collection can't be without.
_META = {
    **dict.fromkeys(("version", "next_seq", "next_file", "n_words"), int),
    **dict.fromkeys(("schema", "durability", "id_kind", "tuning"), str),
}
_NEEDED = ("version", "next_seq", "next_file", "schema", "durability")
_COUNTERS = range(2**62)
_TERMS = range(2**32 - 1)
_CHOICES = {"durability": ("full", "normal"), "id_kind": ("str", "int")}

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


_STATE = ", ".join(State._fields)


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


Row = TypeVar("Row", State, SegmentRow, Batch)

_TEXT: tuple[type, ...] = (str, type(None))
_IDS: tuple[type, ...] = (str, int)
_TYPES: dict[type, frozenset[tuple[type, ...]]] = {
    State: frozenset((int, one, int, payload, text) for one, payload, text in itertools.product(_IDS, _TEXT, _TEXT)),
    SegmentRow: frozenset([(*[int] * 7, bytes)]),
    Batch: frozenset([(int, int, bytes)]),
}


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
                self._db.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
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
            for key in (*_NEEDED, *_CHOICES):
                self.meta(key)
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

    def settle(self) -> None:
        """Undo a transaction that an interrupt left open; what was not committed was never there."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

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
        """Return a value, or None; raise thresher.FormatError if it is no such value."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        value = None if row is None else row[0]
        kind = _META.get(key.partition(":")[0])
        if kind is not None and not (value is None and key not in _NEEDED):
            is_one = type(value) is kind and (kind is str or value in _COUNTERS)
            if not is_one or (key in _CHOICES and value not in _CHOICES[key]):
                raise self._damaged(f"{key} is {str(value)[:60]!r}")
        return value

    def _damaged(self, what: str) -> _core.FormatError:
        return _core.FormatError(f"{self.path}: {what}: it is damaged")

    def _rows(self, kind: type[Row], statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield rows, each checked to be of the types that such a row has."""
        types = _TYPES[kind]
        for row in self._db.execute(statement, values):
            if tuple(map(type, row)) not in types:
                shown = ", ".join(
                    f"{name} = {str(value)[:40]!r}" for name, value in zip(kind._fields, row, strict=True)
                )
                raise self._damaged(f"{kind.__name__} of {shown}")
            yield kind._make(row)

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
        try:
            return {**check_fields(dict(self._db.execute("SELECT name, kind FROM fields ORDER BY name")))}
        except (TypeError, ValueError) as error:
            raise self._damaged(str(error)) from None

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
        for word, term in found.items():
            if type(term) is not int or term not in _TERMS:
                raise self._damaged(f"the term of the word {str(word)[:40]!r} is {str(term)[:40]!r}")
        return found

    def words_of(self, vector: str) -> list[str]:
        """Return all words of a vector, by term."""
        words: list[str] = []
        for word, term in self._db.execute("SELECT word, term FROM words WHERE vector = ? ORDER BY term", (vector,)):
            if type(word) is not str or term != len(words):
                raise self._damaged(f"the term of the word {str(word)[:40]!r} is {str(term)[:40]!r}, not {len(words)}")
            words.append(word)
        return words

    def add_words(self, vector: str, words: Iterable[tuple[str, int]]) -> None:
        """Keep new words with their terms."""
        self._db.executemany("INSERT INTO words VALUES (?, ?, ?)", ((vector, word, term) for word, term in words))

    # -------------------------------------------------------------------------------------------------- documents

    def find(self, ids: Sequence[Id], version: int | None = None) -> list[State]:
        """Return the documents of these ids that are there, in no order: now, or as of a version."""
        return [state for condition, more in _as_of(version) for state in self._states("id", ids, condition, *more)]

    def seqs_of(self, ids: Sequence[Id], version: int | None = None) -> dict[Id, int]:
        """Return the `seq` of the documents of these ids that are there, by id: now, or as of a version."""
        found: dict[Id, int] = {}
        for condition, more in _as_of(version):
            for among, part in _among(ids):
                found.update(
                    self._db.execute(f"SELECT id, seq FROM documents WHERE id {among} AND {condition}", (*part, *more))  # noqa: S608 - ours
                )
        wrong = next((one for one, seq in found.items() if type(seq) is not int), None)
        if wrong is not None:
            raise self._damaged(f"the upsert of document {wrong!r} is {found[wrong]!r}")
        return found

    def states(self, seqs: Sequence[int], version: int) -> list[State]:
        """Return the documents of these upserts that a version sees, in no order."""
        return self._states("seq", seqs, "born <= ? AND (died IS NULL OR died > ?)", version, version)

    def _states(self, column: str, values: Sequence[Any], condition: str, *more: int) -> list[State]:
        found: list[State] = []
        for among, part in _among(values):
            found += self._rows(
                State,
                f"SELECT {_STATE} FROM documents WHERE {column} {among} AND {condition}",  # noqa: S608 - ours
                (*part, *more),
            )
        return found

    def states_between(self, first: int, last: int, version: int) -> Iterator[State]:
        """Yield the documents that a version sees, upserted from `first` to `last`, by rising `seq`."""
        return self._rows(
            State,
            f"SELECT {_STATE} FROM documents "  # noqa: S608 - ours
            "WHERE seq BETWEEN ? AND ? AND born <= ? AND (died IS NULL OR died > ?) ORDER BY seq",
            (first, last, version, version),
        )

    def updated(self, after: int, first: int, last: int) -> list[State]:
        """Return the live documents from `first` to `last` whose payload changed after a version."""
        return list(
            self._rows(
                State,
                f"SELECT {_STATE} FROM documents "  # noqa: S608 - ours
                "WHERE updated IS NOT NULL AND seq BETWEEN ? AND ? AND born > ? AND died IS NULL",
                (first, last, after),
            )
        )

    def dead(self) -> list[int]:
        """Return the `seq` of the documents that were deleted or replaced, as far as they are still known."""
        return self._seqs(
            "SELECT DISTINCT seq FROM documents AS d WHERE died IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM documents WHERE seq = d.seq AND died IS NULL)"
        )

    def known(self, first: int, last: int) -> list[int]:
        """Return the upserts from `first` to `last` that there is any state of, live or not."""
        return self._seqs("SELECT DISTINCT seq FROM documents WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last))

    def _seqs(self, statement: str, values: Sequence[Any] = ()) -> list[int]:
        seqs = [seq for (seq,) in self._db.execute(statement, values)]
        wrong = next((seq for seq in seqs if type(seq) is not int), None)
        if wrong is not None:
            raise self._damaged(f"an upsert is {str(wrong)[:40]!r}")
        return seqs

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
        return self._rows(Batch, "SELECT first, n, vectors FROM batches WHERE first > ? ORDER BY first", (after,))

    def first_waiting(self) -> int:
        """Return the first document that is in a batch, or the next that will be."""
        (first,) = self._db.execute("SELECT min(first) FROM batches").fetchone()
        return int(first or self.meta("next_seq"))

    def forget_batches(self, last: int) -> bool:
        """Forget some of the batches that end by a document; return whether there are more."""
        firsts = "SELECT first FROM batches WHERE first + n - 1 <= ? ORDER BY first LIMIT ?"
        forgotten = self._db.execute(f"DELETE FROM batches WHERE first IN ({firsts})", (last, _FORGOTTEN)).rowcount  # noqa: S608
        return forgotten == _FORGOTTEN

    def segments(self) -> list[SegmentRow]:
        """Return the segments, by rising `first`."""
        columns = ", ".join(SegmentRow._fields)
        return list(self._rows(SegmentRow, f"SELECT {columns} FROM segments ORDER BY first"))  # noqa: S608 - ours

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
            for vector, n, last in self._db.execute(
                "SELECT vector, count(DISTINCT term), max(max(term) + 1, count(*)) FROM words GROUP BY vector"
            ).fetchall():
                counted = self.meta(f"n_words:{vector}")
                if not n == last == counted:
                    found.append(
                        f"{self.path}: {last} words of {vector!r}, {n} numbers of theirs, counted to {counted}"
                    )
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


def _as_of(version: int | None) -> list[tuple[str, list[int]]]:
    """Return conditions of the states that are there, now or as of a version, and what they bind; each has an index."""
    if version is None:
        return [("died IS NULL", [])]
    return [
        ("died IS NULL AND born <= ?", [version]),
        ("died IS NOT NULL AND born <= ? AND died > ?", [version, version]),
    ]


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
