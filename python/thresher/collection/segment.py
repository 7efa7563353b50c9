"""Segments: the documents that were upserted in a stretch of time, in immutable indexes; and which of them are live.

A `Segment` never changes: an index for each vector, a column for each declared field, and who its documents are. What
changes is kept beside it, in a `Part`: bits of the documents that are there still, and the payloads that were updated
since. A part is never changed either, but replaced, so that whoever holds one sees what was there then.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

import thresher
from thresher.collection.files import CATALOGUE, SEGMENTS
from thresher.collection.filters import Columns, bits

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher import Selection
    from thresher.collection.catalogue import Id, SegmentRow
    from thresher.collection.filters import Fields, Filter
    from thresher.collection.filters.bits import Bits
    from thresher.collection.schema import Schema
    from thresher.engines.index import Index

Key = TypeVar("Key")
Value = TypeVar("Value")

_KEPT = 64  # filters and sets of documents
_MOST_PACKED = 1100  # times as long as packed numbers they are at most, as zlib has it
_KEPT_NUMBERS = 4  # fields whose numbers are kept as arrays: up to 9 bytes a document each


class Numbers(NamedTuple):
    """A field of documents as numbers, 0 where there is none, and which of them have one."""

    values: npt.NDArray[Any]
    presence: npt.NDArray[np.bool_]


class Extremes(NamedTuple):
    """The least and the greatest number that some documents have in a field, None if none has one."""

    ends: npt.NDArray[Any] | None
    is_everywhere: bool
    """Whether all of the documents have one."""


@dataclasses.dataclass(frozen=True, eq=False)
class Segment:
    """Documents in immutable indexes, in the order in which they were upserted.

    Attributes
    ----------
    first, last
        The stretch of upserts that it holds documents of.
    seqs
        The number of each document's upsert, int64, ascending.
    indexes
        An index for each vector, by name; documents are numbered by their place here.
    columns
        The declared fields, as of `columns_version`.
    has_whole_ids
        Whether ids are whole numbers.
    names
        The ids of a segment in memory; those of others are in the files.
    row
        What the catalogue says of its files; None of a segment in memory.
    filters, numbers
        What filters over the columns were found to select, and fields as numbers, kept for the next search.
    """

    first: int
    last: int
    seqs: npt.NDArray[np.int64]
    indexes: Mapping[str, Index]
    columns: Columns
    columns_version: int
    has_whole_ids: bool
    names: Sequence[Id] | None = None
    row: SegmentRow | None = None
    filters: dict[Filter, Bits] = dataclasses.field(default_factory=dict, repr=False)
    numbers: dict[str, Numbers] = dataclasses.field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Return the number of documents, dead ones too."""
        return len(self.seqs)

    def ids(self, places: npt.NDArray[np.int64]) -> list[Id]:
        """Return the ids of the documents at some places."""
        if self.names is not None:
            return [self.names[place] for place in places.tolist()]
        names = next(iter(self.indexes.values())).names
        if names is None:
            raise thresher.FormatError(f"the segment of {self.first} to {self.last} has no ids")
        found = names.take(places)
        if not self.has_whole_ids:
            return [*found]
        try:
            return [int(name) for name in found]
        except ValueError as error:
            raise thresher.FormatError(
                f"the segment of {self.first} to {self.last} has ids of words: {error}"
            ) from None

    def places(self, seqs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return where documents are, -1 for those that are not here."""
        at = np.searchsorted(self.seqs, seqs)
        at[at == len(self.seqs)] = 0
        found: npt.NDArray[np.int64] = np.where(self.seqs[at] == seqs, at, -1) if len(self.seqs) else at * 0 - 1
        return found


@dataclasses.dataclass(frozen=True, eq=False)
class Updates:
    """The payloads of a segment's documents that were updated since its columns were written."""

    places: npt.NDArray[np.int64]
    columns: Columns


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """A segment and which of its documents are live.

    Attributes
    ----------
    live
        A bit for each document, in words of 64 bits.
    n_live
        How many are set.
    updates
        Payloads that replace those of the columns, or None.
    filters, selections, numbers, extremes
        The live documents that filters were found to select, sets of documents as indexes take them, fields as numbers
        where some were updated, and their extremes over sets of documents, kept for the next search.
    """

    segment: Segment
    live: Bits
    n_live: int
    updates: Updates | None = None
    filters: dict[Filter, Bits] = dataclasses.field(default_factory=dict, repr=False)
    selections: dict[tuple[str, int], tuple[Bits, Selection]] = dataclasses.field(default_factory=dict, repr=False)
    numbers: dict[str, Numbers] = dataclasses.field(default_factory=dict, repr=False)
    extremes: dict[tuple[str, int], tuple[Bits, Extremes]] = dataclasses.field(default_factory=dict, repr=False)

    @staticmethod
    def whole(segment: Segment) -> Part:
        """Return a segment all of whose documents are live."""
        return Part(segment, bits.every(len(segment)), len(segment))

    def has_columns(self, fields: Fields) -> bool:
        """Tell whether the segment's columns are those of these fields, and hold the present payloads."""
        return self.updates is None and self.segment.columns.fields == fields

    def updated(self, places: npt.NDArray[np.int64], columns: Columns) -> Part:
        """Return the same with other payloads of some documents, in `columns`."""
        before = self.updates
        if before is None:
            return self.changed(updates=Updates(places, columns))
        kept = ~np.isin(before.places, places)
        both = Updates(
            np.concatenate([before.places[kept], places]),
            Columns.merge(columns.fields, [(before.columns, kept), (columns, None)]),
        )
        return self.changed(updates=both)

    def selection(self, chosen: Bits, vector: str) -> Selection | None:
        """Return some of the documents as the index of a vector takes them; None if they are all that it has."""
        n = len(self.segment)
        if chosen is self.live and self.n_live == n:
            return None
        key = vector, id(chosen)
        known = self.selections.get(key)
        if known is None:
            known = chosen, self.segment.indexes[vector].select(bits.unpack(chosen, n))
            keep(self.selections, key, known)
        return known[1]

    def columns_of(self, some: Bits) -> Iterator[tuple[Columns, Bits]]:
        """Yield columns, each with those of some documents whose present payloads it holds."""
        updates = self.updates
        if updates is None:
            yield self.segment.columns, some
            return
        n = len(self.segment)
        yield self.segment.columns, some & ~bits.of(updates.places, n)
        yield updates.columns, bits.pack(bits.unpack(some, n)[updates.places])

    def numeric(self, field: str) -> Numbers:
        """Return the present numbers of a declared field of the kind int, float or datetime."""
        segment, updates = self.segment, self.updates
        known = segment.numbers.get(field)
        if known is None:
            known = Numbers(*segment.columns.numeric(field))
            keep(segment.numbers, field, known, _KEPT_NUMBERS)
        if updates is None:
            return known
        present = self.numbers.get(field)
        if present is None:
            present = Numbers(known.values.copy(), known.presence.copy())
            present.values[updates.places], present.presence[updates.places] = updates.columns.numeric(field)
            keep(self.numbers, field, present, _KEPT_NUMBERS)
        return present

    def extremes_of(self, field: str, some: Bits) -> Extremes:
        """Return the extremes of a declared field over some documents."""
        key = field, id(some)
        known = self.extremes.get(key)
        if known is None:
            numbers = self.numeric(field)
            mask = bits.unpack(some, len(self.segment))
            values = numbers.values[mask & numbers.presence]
            ends = np.array([values.min(), values.max()]) if values.size else None
            known = some, Extremes(ends, values.size == np.count_nonzero(mask))
            keep(self.extremes, key, known)
        return known[1]

    def changed(self, **fields: Any) -> Part:  # noqa: ANN401 - of the class
        """Return the same with other live documents or updates."""
        return dataclasses.replace(self, filters={}, selections={}, numbers={}, extremes={}, **fields)

    def without(self, places: npt.NDArray[np.int64]) -> Part:
        """Return the same without some documents."""
        gone = np.zeros(len(self.segment), np.bool_)
        gone[places] = True
        live = self.live & ~bits.pack(gone)
        return self.changed(live=live, n_live=bits.count(live))

    def places_gone(self, later: Part) -> npt.NDArray[np.int64]:
        """Return the places of the documents that are live here, but not in a later part of the same segment."""
        return bits.positions(self.live & ~later.live, len(self.segment))

    def live_places(self) -> npt.NDArray[np.int64]:
        """Return the places of the documents that are live."""
        return bits.positions(self.live, len(self.segment))


def keep(cache: dict[Key, Value], key: Key, value: Value, most: int = _KEPT) -> None:
    """Put something into a cache of at most so many, in the place of what came first."""
    while len(cache) >= most:
        cache.pop(next(iter(list(cache)), key), None)  # of a copy: other threads keep things too
    cache[key] = value


def wholes(segment: Segment) -> list[Part]:
    """Return a segment as a part, or nothing if it has no documents."""
    return [Part.whole(segment)] if len(segment) else []


def file_of(folder: Path, number: int, what: str) -> Path:
    """Return where a file of a segment is."""
    return folder / SEGMENTS / f"{number:08d}.{what}"


def index_file(folder: Path, number: int, vector: str) -> Path:
    """Return where the index of one of a segment's vectors is."""
    return file_of(folder, number, f"{vector}.thresher")


def columns_file(folder: Path, number: int) -> Path:
    """Return where the columns of a segment are."""
    return file_of(folder, number, "columns")


def files_of(folder: Path, row: SegmentRow, schema: Schema) -> list[Path]:
    """Return a segment's files: an index for each vector, and the columns."""
    return [*(index_file(folder, row.file, name) for name in schema.vectors), columns_file(folder, row.columns)]


def open_segment(folder: Path, row: SegmentRow, schema: Schema, *, has_whole_ids: bool) -> Segment:
    """Map a segment's files.

    Raises
    ------
    thresher.FormatError, OSError
        Naming the file that is damaged or missing.
    """
    indexes: dict[str, Index] = {}
    for vector in schema.vectors:
        path = index_file(folder, row.file, vector)
        indexes[vector] = thresher.open(path)
        if indexes[vector].n_docs != row.n:
            raise thresher.FormatError(f"{path}: {indexes[vector].n_docs} documents, where the catalogue has {row.n}")
    columns = open_columns(folder, row)
    seqs = unpacked_seqs(row, folder)
    return Segment(
        row.first, row.last, seqs, indexes, columns, row.columns_version, has_whole_ids=has_whole_ids, row=row
    )


def reopened(segment: Segment, folder: Path, row: SegmentRow) -> Segment:
    """Return a segment as the catalogue has it now: another column file may be beside the same indexes."""
    if segment.row == row:
        return segment
    columns = open_columns(folder, row)
    return dataclasses.replace(
        segment, columns=columns, columns_version=row.columns_version, row=row, filters={}, numbers={}
    )


def open_columns(folder: Path, row: SegmentRow) -> Columns:
    """Map a segment's column file; raises as `open_segment`."""
    path = columns_file(folder, row.columns)
    columns = Columns.open(path)
    if columns.n_docs != row.n:
        raise thresher.FormatError(f"{path}: {columns.n_docs} documents, where the catalogue has {row.n}")
    return columns


def stored_columns(fields: Fields, payloads: Iterable[Mapping[str, Any] | None]) -> Columns:
    """Return columns of payloads that were checked when they were stored; thresher.FormatError if they don't fit."""
    try:
        return Columns.of(fields, payloads)
    except ValueError as error:
        raise thresher.FormatError(f"{CATALOGUE}: a payload is damaged: {error}") from None


def packed_seqs(seqs: npt.NDArray[np.int64]) -> bytes:
    """Return ascending numbers in few bytes, where most follow the one before."""
    return zlib.compress(np.diff(seqs, prepend=0).astype("<i8").tobytes(), 1)


def unpacked_seqs(row: SegmentRow, folder: Path) -> npt.NDArray[np.int64]:
    """Return the numbers of a segment's documents, or raise thresher.FormatError."""
    try:
        raw = zlib.decompressobj().decompress(row.seqs, 8 * min(max(row.n, 0), len(row.seqs) * _MOST_PACKED) + 1)
        seqs = np.cumsum(np.frombuffer(raw, "<i8"), dtype=np.int64)
    except (zlib.error, ValueError, TypeError) as error:
        raise thresher.FormatError(f"{folder}: the numbers of segment {row.file} are damaged: {error}") from None
    is_ascending = bool((np.diff(seqs) > 0).all())
    if len(seqs) != row.n or not is_ascending or (row.n and not row.first <= seqs[0] <= seqs[-1] <= row.last):
        raise thresher.FormatError(f"{folder}: the numbers of segment {row.file} do not fit it")
    return seqs
