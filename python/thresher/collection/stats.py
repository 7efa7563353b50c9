"""What a collection is made of at the moment, for people and for monitoring."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thresher.collection.fresh import is_fresh
from thresher.collection.segment import files_of
from thresher.collection.tuning import largest_segment
from thresher.collection.weighing import SLIGHT, Drift, drifts

if TYPE_CHECKING:
    from thresher.collection.segment import Part
    from thresher.collection.store import Store
    from thresher.collection.tuning import Tuning
    from thresher.collection.upkeep import Upkeep
    from thresher.collection.view import View


@dataclasses.dataclass(frozen=True)
class SegmentStats:
    """One segment.

    Attributes
    ----------
    number
        Of its files; None if it is in memory alone.
    engines
        The engine of each vector's index.
    n_docs, n_dead
        Documents in it, and those of them that were deleted or replaced.
    file_nbytes
        Bytes of its files.
    resident_nbytes
        Bytes that searches and filters go through.
    columns
        The fields that it has columns of.
    tunings
        The search parameters that its searches go by, of the vectors that were tuned; none where those are the
        library's.
    doubts
        For vectors that were tuned, why searches of the segment may miss the target: it was not tuned again after a
        merge, or in vain.
    """

    number: int | None
    engines: dict[str, str]
    n_docs: int
    n_dead: int
    file_nbytes: int
    resident_nbytes: int
    columns: list[str]
    tunings: dict[str, Tuning]
    doubts: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Stats:
    """What `Collection.stats` tells.

    Attributes
    ----------
    n_docs
        Documents that there are.
    n_waiting
        Those of them that are in no segment's file yet.
    version
        The number of the operation that was seen last.
    versions
        Those that are read somewhere: what is older is forgotten.
    fields
        The kinds of the declared fields.
    undeclared
        For fields that are not declared, how many filters had to read payloads since the collection was opened.
    segments
        Each segment.
    nbytes
        Bytes of the folder.
    resident_nbytes
        Bytes that searches and filters go through.
    tunings
        The search parameters that were tuned, by vector: those of the largest segment.
    out_of_date
        Vectors with a segment whose parameters were tuned for another engine or a very different size.
    upkeep
        When segments are built and tuned.
    mean_lengths
        How far the mean length of documents is from the one that weights go by (BM25), by vector.
    failure
        What went wrong last in the background, where segments are built and tuned, and was not done since; or None.
    """

    n_docs: int
    n_waiting: int
    version: int
    versions: list[int]
    fields: dict[str, str]
    undeclared: dict[str, int]
    segments: list[SegmentStats]
    nbytes: int
    resident_nbytes: int
    tunings: dict[str, Tuning]
    out_of_date: list[str]
    upkeep: Upkeep
    mean_lengths: dict[str, Drift]
    failure: str | None

    @property
    def n_dead(self) -> int:
        """Documents in segments that were deleted or replaced."""
        return sum(segment.n_dead for segment in self.segments)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {**dataclasses.asdict(self), "n_dead": self.n_dead}

    def __repr__(self) -> str:
        """Describe it in some lines."""
        lines = [
            f"{self.n_docs:,} documents, {self.n_waiting:,} of them waiting, and {self.n_dead:,} dead ones",
            f"{self.nbytes:,} bytes on disk, {self.resident_nbytes:,} in memory; version {self.version}",
            *(f"segment {_shown(segment)}" for segment in self.segments),
        ]
        if self.undeclared:
            counts = ", ".join(f"{field} ({n})" for field, n in self.undeclared.items())
            lines.append(f"filters read payloads for undeclared fields: {counts}")
        lines += [
            f"searches of {vector!r} in segment {segment.number}: {doubt}"
            for segment in self.segments
            for vector, doubt in segment.doubts.items()
        ]
        lines += [f"search parameters of {vector!r} are out of date: tune again" for vector in self.out_of_date]
        lines += [
            f"vector {vector}: weights are for a mean length of {drift.in_force:.1f} terms, and it is "
            f"{drift.present:.1f}: optimize weighs all anew"
            for vector, drift in self.mean_lengths.items()
            if drift.relative > SLIGHT
        ]
        lines.append(f"upkeep: {', '.join(f'{k}={v}' for k, v in dataclasses.asdict(self.upkeep).items())}")
        if self.failure is not None:
            lines.append(f"the background failed: {self.failure}")
        return "<Stats: {}>".format("\n  ".join(lines))


def stats_of(view: View, store: Store, failure: Exception | None) -> Stats:
    """Return what a view is made of."""
    upkeep = store.schema.upkeep
    segments = [_of_part(part, view, store) for part in view.parts]
    largest = largest_segment(view)
    return Stats(
        n_docs=len(view),
        n_waiting=sum(part.n_live for part in view.parts if is_fresh(part)),
        version=view.version,
        versions=store.versions(),
        fields=dict(view.fields),
        undeclared={field: n for field, n in sorted(store.undeclared.items()) if field not in view.fields},
        segments=segments,
        nbytes=sum(_size(path) for path in store.folder.rglob("*")),
        resident_nbytes=sum(segment.resident_nbytes for segment in segments),
        tunings={
            vector: (largest and tunings.nearest(largest.indexes[vector].engine, len(largest))) or tunings.found[-1]
            for vector, tunings in view.tunings.items()
        },
        out_of_date=[
            vector
            for vector, tunings in view.tunings.items()
            if any(tunings.is_out_of_date(part, vector, upkeep) for part in view.parts)
        ],
        upkeep=upkeep,
        mean_lengths=drifts(view, store),
        failure=None if failure is None else f"{type(failure).__name__}: {failure}",
    )


def _of_part(part: Part, view: View, store: Store) -> SegmentStats:
    segment = part.segment
    tunings, doubts = {}, {}
    for vector, known in view.tunings.items():
        if (tuning := known.nearest(segment.indexes[vector].engine, len(segment))) is not None:
            tunings[vector] = tuning
        if (doubt := known.doubt(part, vector, store.schema.upkeep)) is not None:
            doubts[vector] = doubt
    files = [] if segment.row is None else files_of(store.folder, segment.row, store.schema)
    return SegmentStats(
        number=None if segment.row is None else segment.row.file,
        engines={name: index.engine for name, index in segment.indexes.items()},
        n_docs=len(segment),
        n_dead=len(segment) - part.n_live,
        file_nbytes=sum(map(_size, files)),
        resident_nbytes=sum(index.resident_nbytes for index in segment.indexes.values()) + segment.columns.nbytes,
        columns=list(segment.columns.fields),
        tunings=tunings,
        doubts=doubts,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # it was merged away, or is not to be seen
        return 0


def _shown(segment: SegmentStats) -> str:
    where = "in memory" if segment.number is None else str(segment.number)
    engines = ", ".join(dict.fromkeys(segment.engines.values()))
    return (
        f"{where}: {segment.n_docs:,} documents, {segment.n_dead:,} dead, {engines}, {segment.resident_nbytes:,} bytes"
    )
