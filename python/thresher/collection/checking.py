"""Looks a collection over: every checksum, and the catalogue against the segments; and gives up what can't be read.

What is in the catalogue is never dropped but for the documents of a segment whose index is missing or altered: their
vectors are gone. Columns are made anew, of the payloads.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import thresher
from thresher._core import FormatError
from thresher.collection.batches import unpack
from thresher.collection.catalogue import FORMAT, Catalogue
from thresher.collection.documents import payload_of
from thresher.collection.files import SEGMENTS, WriterLock, sync_folder
from thresher.collection.filters import validate_payload
from thresher.collection.schema import Schema
from thresher.collection.segment import columns_file, index_file, open_columns, stored_columns, unpacked_seqs
from thresher.collection.tuning import tunings_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.catalogue import Id, SegmentRow, State
    from thresher.engines.index import Index

_log = logging.getLogger("thresher.collection")

_TRIES = 100
_AT_ONCE = 4096  # ids that are compared at once


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What `Collection.check` found.

    Attributes
    ----------
    problems
        What is wrong, a line each, naming the file or the document.
    dropped
        Files of the segments that can't be read: a repair drops them.
    lost
        Ids of the documents in them, which a repair loses.
    rebuilt
        Column files that a repair makes anew, of the payloads.
    is_repaired
        Whether the repair was done.
    """

    problems: list[str]
    dropped: list[str] = dataclasses.field(default_factory=list)
    lost: list[Id] = dataclasses.field(default_factory=list)
    rebuilt: list[str] = dataclasses.field(default_factory=list)
    is_repaired: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def can_be_repaired(self) -> bool:
        """Whether there is something that a repair mends."""
        return bool(self.dropped or self.rebuilt)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {**dataclasses.asdict(self), "is_sound": self.is_sound}

    def __repr__(self) -> str:
        """Describe it in one line."""
        if self.is_sound:
            return "<CheckReport: sound>"
        done = "were" if self.is_repaired else "would be"
        return (
            f"<CheckReport: {len(self.problems)} problems; {len(self.lost):,} documents {done} lost with "
            f"{len(self.dropped)} files, {len(self.rebuilt)} column files {done} made anew>"
        )


def check_folder(folder: Path, *, repair: bool = False) -> CheckReport:
    """Look a collection over that nobody need have open; see `Collection.check_folder`."""
    report = _checked(folder)
    if not repair or not report.can_be_repaired:
        return report
    lock = WriterLock(folder)
    try:
        catalogue = Catalogue(folder)
        try:
            with catalogue.transaction():
                report = repaired(catalogue, folder)
                catalogue.set_meta(version=int(catalogue.meta("version")) + 1)
        finally:
            catalogue.close()
    finally:
        lock.release()
    return report


def repaired(catalogue: Catalogue, folder: Path) -> CheckReport:
    """Mend what can be mended, within a transaction of the catalogue, as its only writer."""
    found = _Examination(catalogue, folder)
    found.run()
    version = int(catalogue.meta("version"))
    for row, lost in found.unreadable:
        _log.warning("giving up segment %d, with %d documents", row.file, len(lost))
        catalogue.bury(list(lost), version + 1)
        catalogue.replace_segments([row.first], [])
    for row, seqs in found.without_columns:
        number = catalogue.take("next_file")
        payloads = _payloads(seqs, catalogue.states_between(row.first, row.last, version))
        stored_columns(found.fields, payloads).write(columns_file(folder, number))
        catalogue.replace_segments([row.first], [row._replace(columns=number, columns_version=version)])
    sync_folder(folder / SEGMENTS)
    return dataclasses.replace(found.report(), is_repaired=True)


def _payloads(seqs: npt.NDArray[np.int64], states: Iterator[State]) -> Iterator[dict[str, Any] | None]:
    """Yield the payloads of a segment's documents, None for the dead; both ascend."""
    state = next(states, None)
    for seq in seqs.tolist():
        while state is not None and state.seq < seq:
            state = next(states, None)
        yield payload_of(state) if state is not None and state.seq == seq else None


def _checked(folder: Path) -> CheckReport:
    """Look at one version, while a writer may go on: what it merged away meanwhile is looked for again."""
    try:
        catalogue = Catalogue(folder, readonly=True)
    except FormatError as error:
        return CheckReport([str(error)])
    version = None
    try:
        version = catalogue.format()
        catalogue.check_format()
        if problems := catalogue.problems():  # then what it says of segments is not to be gone by
            return CheckReport(problems)
        for _ in range(_TRIES):
            with catalogue.reading():
                found = _Examination(catalogue, folder)
                found.run()
            with catalogue.reading():
                if not found.can_be_repaired or catalogue.segments() == found.rows:
                    break
        return found.report()
    except FormatError as error:
        if version not in (None, FORMAT):  # it may be sound
            raise
        return CheckReport([str(error)])
    except (KeyError, TypeError, ValueError, OverflowError) as error:  # of values that sqlite did not find damaged
        return CheckReport([f"{catalogue.path}: it is damaged: {type(error).__name__}: {error}"])
    finally:
        catalogue.close()


class _Examination:
    """Goes through a collection at one version."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._catalogue = catalogue
        self._folder = folder
        self._problems: list[str] = []
        self.fields: Any = {}
        self.rows: list[SegmentRow] = []
        self.unreadable: list[tuple[SegmentRow, dict[int, Id]]] = []  # with the documents, by their upserts
        self.without_columns: list[tuple[SegmentRow, npt.NDArray[np.int64]]] = []

    @property
    def can_be_repaired(self) -> bool:
        return bool(self.unreadable or self.without_columns)

    def report(self) -> CheckReport:
        return CheckReport(
            self._problems,
            [str(path) for row, _ in self.unreadable for path in self._index_files(row)],
            [one for _, lost in self.unreadable for one in lost.values()],
            [str(columns_file(self._folder, row.columns)) for row, _ in self.without_columns],
        )

    def run(self) -> None:
        try:
            self._schema = Schema.of_json(self._catalogue.meta("schema"))
            self.fields = self._catalogue.fields()
            self.rows = self._catalogue.segments()
            tunings_of(self._catalogue, self._schema)
        except FormatError as error:
            self._tell(error)
            return
        except ValueError as error:
            self._tell(f"{self._catalogue.path}: {error}")
            return
        self._version = int(self._catalogue.meta("version"))
        last = 0
        for row in self.rows:
            if row.first <= last or row.last < row.first:
                self._tell(
                    f"{self._catalogue.path}: segment {row.file} is of upserts {row.first} to {row.last}, after {last}"
                )
            self._belong_nowhere(last + 1, row.first - 1)
            self._segment(row)
            last = row.last
        self._waiting(last)

    def _tell(self, problem: object) -> None:
        self._problems.append(str(problem))

    def _index_files(self, row: SegmentRow) -> list[Path]:
        return [index_file(self._folder, row.file, name) for name in self._schema.vectors]

    # ------------------------------------------------------------------------------------------------- segments

    def _segment(self, row: SegmentRow) -> None:
        for state in self._between(row.first, row.last):
            self._payload(state)
        try:
            seqs = unpacked_seqs(row, self._folder)
            indexes = [self._index(path, row) for path in self._index_files(row)]
            self._compare(row, seqs, indexes[0])
        except (FormatError, FileNotFoundError) as error:
            self._tell(_described(error))
            self.unreadable.append((row, {state.seq: state.id for state in self._between(row.first, row.last)}))
            return
        except OSError as error:  # it may be there, though not to be read now
            self._tell(error)
            return
        try:
            columns = open_columns(self._folder, row)
            if columns.fields != self.fields:
                raise FormatError(f"{columns_file(self._folder, row.columns)}: columns of other fields than declared")  # noqa: TRY301
        except (FormatError, FileNotFoundError) as error:
            self._tell(_described(error))
            self.without_columns.append((row, seqs))
        except OSError as error:
            self._tell(error)

    def _index(self, path: Path, row: SegmentRow) -> Index:
        index = thresher.open(path)
        if index.n_docs != row.n:
            raise FormatError(f"{path}: {index.n_docs} documents, where the catalogue has {row.n}")
        return index

    def _compare(self, row: SegmentRow, seqs: npt.NDArray[np.int64], index: Index) -> None:
        """Compare what the catalogue has of a segment's documents with the file; raise if that is one of others."""
        path = self._index_files(row)[0]
        names = index.names
        if names is None or len(names) != row.n:
            raise FormatError(f"{path}: it does not have the ids of its documents")
        states = self._between(row.first, row.last)
        while some := list(itertools.islice(states, _AT_ONCE)):
            wanted = np.array([state.seq for state in some], np.int64)
            places = np.minimum(np.searchsorted(seqs, wanted), len(seqs) - 1)
            here = seqs[places] == wanted
            found = names.take(places)
            for state, is_here, name in zip(some, here.tolist(), found, strict=True):
                if not is_here:
                    self._tell(f"document {state.id!r} is in no segment, though upsert {state.seq} is of {path}")
                elif str(state.id) != name:
                    raise FormatError(f"{path}: document {name!r}, where the catalogue has {state.id!r}")
        unknown = np.setdiff1d(seqs, self._catalogue.known(row.first, row.last))
        if unknown.size:
            self._tell(
                f"{path}: {unknown.size} documents that the catalogue does not know, the first upsert {unknown[0]}"
            )

    # ---------------------------------------------------------------------------------------- what the catalogue has

    def _waiting(self, after: int) -> None:
        """Look at the vectors that are in no segment yet."""
        last = after
        for batch in self._catalogue.batches(after):
            where = f"{self._catalogue.path}: batch {batch.first}"
            try:
                vectors: Mapping[str, Any] = unpack(batch.vectors, self._schema.vectors, where)
            except FormatError as error:
                self._tell(error)
            else:
                for name, rows in vectors.items():
                    if len(rows.indptr) - 1 != batch.n:
                        self._tell(f"{where}: {len(rows.indptr) - 1} of {name!r}, and {batch.n} documents")
            if batch.first <= last:
                self._tell(f"{where}: it begins before upsert {last} ends")
            self._belong_nowhere(last + 1, batch.first - 1)
            last = batch.first + batch.n - 1
            for state in self._between(batch.first, last):
                self._payload(state)
        self._belong_nowhere(last + 1, int(self._catalogue.meta("next_seq")))

    def _between(self, first: int, last: int) -> Iterator[State]:
        return self._catalogue.states_between(first, last, self._version) if first <= last else iter(())

    def _belong_nowhere(self, first: int, last: int) -> None:
        for state in self._between(first, last):
            self._tell(f"document {state.id!r}, upsert {state.seq}, is in no segment and no batch")

    def _payload(self, state: State) -> None:
        try:
            validate_payload(payload_of(state), self.fields, state.id)
        except ValueError as error:
            self._tell(f"{self._catalogue.path}: document {state.id!r}: the payload is damaged: {error}")


def _described(error: Exception) -> str:
    return f"{error.filename}: the file is missing" if isinstance(error, FileNotFoundError) else str(error)
