"""From the catalogue to a view: what was acknowledged is there, whatever became of the process that wrote it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher._core import FormatError
from thresher.collection.batches import chosen, joined, unpack
from thresher.collection.catalogue import Catalogue
from thresher.collection.documents import payloads_of, state_of
from thresher.collection.files import SEGMENTS
from thresher.collection.fresh import compacted, fresh_segment, is_fresh
from thresher.collection.segment import Part, Segment, columns_file, open_segment, reopened, stored_columns
from thresher.collection.tuning import tunings_of
from thresher.collection.view import View
from thresher.collection.weighing import means_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.catalogue import SegmentRow
    from thresher.collection.filters import Fields
    from thresher.collection.schema import Schema

_TRIES = 100


def loaded(
    catalogue: Catalogue, folder: Path, schema: Schema, before: View | None = None, in_work: Container[int] = ()
) -> View:
    """Return the present view.

    Parameters
    ----------
    before
        One that was loaded earlier, whose segments are used again.
    in_work
        Segments of it to be left as they are, by their identity.

    Raises
    ------
    thresher.FormatError, OSError
        Naming a file that is damaged or missing.
    """
    for left in reversed(range(_TRIES)):
        try:
            with catalogue.reading():
                return seen(catalogue, folder, schema, before, in_work)
        except FileNotFoundError as error:
            # A writer has merged the segment away meanwhile: then the catalogue names another.
            if not left or not _has_moved(catalogue, folder):
                raise _unreadable(f"{error.filename}: the file is missing", folder) from error
        except FormatError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError) as error:  # of what the catalogue holds
            raise FormatError(f"{catalogue.path}: it is damaged: {type(error).__name__}: {error}") from error
    raise AssertionError


def seen(
    catalogue: Catalogue, folder: Path, schema: Schema, before: View | None = None, in_work: Container[int] = ()
) -> View:
    """Return the view of a transaction that the catalogue is in; FileNotFoundError if a segment's file is missing."""
    version = int(catalogue.meta("version"))
    if before is not None and before.version == version:
        return before
    fields: Any = catalogue.fields()
    has_whole_ids = catalogue.meta("id_kind") == "int"
    opened = (
        {part.segment.row.file: part.segment for part in before.parts if part.segment.row} if before is not None else {}
    )
    segments: list[Segment] = []
    rows = catalogue.segments()
    _check_counters(catalogue, rows)
    for row in rows:
        try:
            segments.append(
                reopened(opened[row.file], folder, row)
                if row.file in opened
                else open_segment(folder, row, schema, has_whole_ids=has_whole_ids)
            )
        except FormatError as error:
            raise _unreadable(error, folder) from error
        if segments[-1].columns.fields != fields:
            raise _unreadable(f"{columns_file(folder, row.columns)}: columns of other fields than declared", folder)
    flushed = segments[-1].last if segments else 0
    if before is not None and before.fields == fields:
        # Of documents before the first that waits, the catalogue need not know any more that they are dead.
        waiting = max(flushed + 1, catalogue.first_waiting())
        segments += [part.segment for part in before.parts if is_fresh(part) and part.segment.first >= waiting]
    segments += _waiting(catalogue, schema, fields, version, segments[-1].last if segments else 0)
    parts = [with_updates(catalogue, Part.whole(segment), fields) for segment in segments]
    n_terms = {name: max((segment.indexes[name].n_terms for segment in segments), default=0) for name in schema.vectors}
    tunings, means = tunings_of(catalogue, schema), means_of(catalogue, schema)
    view = View(version, tuple(parts), fields, n_terms, tunings, means).without(catalogue.dead())
    return compacted(view, schema, lambda seqs: stored_payloads(catalogue, seqs, version), in_work)


def stored_payloads(catalogue: Catalogue, seqs: npt.NDArray[np.int64], version: int) -> list[dict[str, Any]]:
    """Return the payloads of documents in a version, by the numbers of their upserts."""
    found = {state.seq: state for state in catalogue.states(seqs.tolist(), version)}
    return payloads_of([state_of(found, seq) for seq in seqs.tolist()])


def _check_counters(catalogue: Catalogue, rows: Sequence[SegmentRow]) -> None:
    """Raise thresher.FormatError if numbers that are taken would be given away again."""
    next_file, next_seq = catalogue.meta("next_file"), catalogue.meta("next_seq")
    last = 0
    for row in rows:
        if not last < row.first <= row.last < next_seq or max(row.file, row.columns) >= next_file:
            raise FormatError(
                f"{catalogue.path}: segment {row.file}, columns {row.columns}, of upserts {row.first} to {row.last} "
                f"does not fit what is before it, next_file = {next_file} and next_seq = {next_seq}: it is damaged"
            )
        last = row.last


def _waiting(catalogue: Catalogue, schema: Schema, fields: Fields, version: int, after: int) -> Iterator[Segment]:
    """Yield a segment of the documents after one that are in no segment's file, if there are any."""
    vectors: dict[str, list[CsrArrays]] = {name: [] for name in schema.vectors}
    seqs: list[npt.NDArray[np.int64]] = []
    for batch in catalogue.batches(after):
        for name, rows in unpack(batch.vectors, schema.vectors, str(catalogue.path)).items():
            if len(rows.indptr) - 1 != batch.n:
                raise FormatError(f"{catalogue.path}: {len(rows.indptr) - 1} vectors in a batch of {batch.n}")
            vectors[name].append(rows)
        seqs.append(np.arange(batch.first, batch.first + batch.n))
    if not seqs:
        return
    all_seqs = np.concatenate(seqs)
    if (np.diff(all_seqs) <= 0).any() or all_seqs[-1] >= catalogue.meta("next_seq"):
        raise FormatError(f"{catalogue.path}: batches overlap, or are of upserts to come: it is damaged")
    states = list(catalogue.states_between(int(all_seqs[0]), int(all_seqs[-1]), version))
    own = np.array([state.seq for state in states], np.int64)
    places = np.searchsorted(all_seqs, own)
    if (all_seqs[places] != own).any() or (np.diff(own) <= 0).any():
        raise FormatError(f"{catalogue.path}: documents do not fit the batches: it is damaged")
    yield fresh_segment(
        all_seqs[places],
        [state.id for state in states],
        {name: chosen(joined(parts), places) for name, parts in vectors.items()},
        payloads_of(states),
        fields=fields,
        version=version,
        last=int(all_seqs[-1]),
        threads=0,
    )


def with_updates(catalogue: Catalogue, part: Part, fields: Fields) -> Part:
    """Return a part with the payloads that changed since its columns were written."""
    segment = part.segment
    states = catalogue.updated(segment.columns_version, segment.first, segment.last)
    places = segment.places(np.array([state.seq for state in states], np.int64))
    here = [number for number, place in enumerate(places.tolist()) if place >= 0]
    if not here:
        return part
    return part.updated(places[here], stored_columns(fields, payloads_of([states[number] for number in here])))


def _unreadable(problem: object, folder: Path) -> FormatError:
    """Return what to raise for a segment that is missing or altered, with what can be done."""
    return FormatError(
        f"{problem}; Collection.check_folder({str(folder)!r}, repair=True), or 'thresher collection check --repair "
        f"{folder}', gives the segment up, and lists the documents that are lost"
    )


def _has_moved(catalogue: Catalogue, folder: Path) -> bool:
    """Tell whether all files are there that the catalogue names by now."""
    return all(
        any((folder / SEGMENTS).glob(f"{row.file:08d}.*.thresher")) and columns_file(folder, row.columns).exists()
        for row in catalogue.segments()
    )
