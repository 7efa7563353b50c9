"""Merging: neighbouring parts become one segment, without the documents that are dead.

Indexes are built from the forward indexes of others, so that weights stay what they were, bit for bit, through any
number of merges. Order is kept: a merged segment holds documents in the order of their upserts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from thresher._core import FormatError
from thresher.collection.catalogue import SegmentRow
from thresher.collection.files import SEGMENTS, sync_folder
from thresher.collection.filters import Columns, bits
from thresher.collection.segment import (
    Part,
    Segment,
    columns_file,
    index_file,
    open_segment,
    packed_seqs,
    stored_columns,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.filters import Fields
    from thresher.collection.schema import Schema
    from thresher.collection.weighing import Reweighing
    from thresher.engines.index import Index
    from thresher.engines.options import Progress

Payloads: TypeAlias = Callable[["npt.NDArray[np.int64]"], Sequence[Mapping[str, Any]]]
"""Gives the payloads of documents by the numbers of their upserts, in their order."""


def merged(
    parts: Sequence[Part],
    schema: Schema,
    fields: Fields,
    *,
    version: int,
    payloads: Payloads,
    threads: int = 1,
    progress: Progress | None = None,
    reweighing: Mapping[str, Reweighing] | None = None,
) -> Segment:
    """Return one segment of the live documents of parts, in memory.

    Parameters
    ----------
    parts
        Neighbours, at least one.
    fields
        The declared fields that it is to have columns of.
    version
        That of the view that they are of: the columns will hold its payloads.
    payloads
        Gives the payloads of documents in that version, by the numbers of their upserts. Only asked where columns do
        not have them: where fields were declared, or payloads updated, since they were written.
    threads, progress
        As in `build`.
    reweighing
        Of vectors whose documents get other weights.
    """
    places = [part.live_places() for part in parts]
    n = sum(part.n_live for part in parts)
    masks = [bits.unpack(part.live, len(part.segment)) for part in parts]
    is_small = n <= schema.upkeep.exact_docs
    indexes: dict[str, Index] = {}
    for name, vector in schema.vectors.items():
        engine = vector.engine_class(small=is_small)
        params = {} if is_small else vector.params
        anew = (reweighing or {}).get(name)
        if anew is not None:
            rows = anew.rows(parts, name)
            indexes[name] = engine.build(rows, weights=vector.weights, threads=threads, progress=progress, **params)
            continue
        indexes[name] = engine.merge(
            [part.segment.indexes[name] for part in parts],
            live=masks,
            weights=vector.weights,
            threads=threads,
            progress=progress,
            **params,
        )
    seqs = [part.segment.seqs[here] for part, here in zip(parts, places, strict=True)]
    return Segment(
        parts[0].segment.first,
        parts[-1].segment.last,
        np.concatenate(seqs),
        indexes,
        Columns.merge(
            fields,
            [
                (part.segment.columns, mask)
                if part.has_columns(fields)
                else (stored_columns(fields, payloads(there)), None)
                for part, mask, there in zip(parts, masks, seqs, strict=True)
            ],
        ),
        version,
        has_whole_ids=any(part.segment.has_whole_ids for part in parts),
        names=[one for part, here in zip(parts, places, strict=True) for one in part.segment.ids(here)],
    )


def _named(index: Index, names: Sequence[str], folder: Path) -> Index:
    try:
        return index.with_words(names=names)
    except ValueError as error:  # of ids that came out of the catalogue, or of files
        raise FormatError(f"{folder}: ids of documents are damaged: {error}") from None


def saved(segment: Segment, folder: Path, number: int, schema: Schema) -> Segment:
    """Write a segment's files, and return the same segment as it is there.

    The files are on the disk when it returns, under names that nothing refers to yet.
    """
    names = list(map(str, segment.ids(np.arange(len(segment)))))
    for name, index in segment.indexes.items():
        (_named(index, names, folder) if name == schema.default else index).save(index_file(folder, number, name))
    segment.columns.write(columns_file(folder, number))
    sync_folder(folder / SEGMENTS)
    row = SegmentRow(
        segment.first,
        segment.last,
        number,
        number,
        segment.columns_version,
        len(segment),
        segment.columns_version,
        packed_seqs(segment.seqs),
    )
    return open_segment(folder, row, schema, has_whole_ids=segment.has_whole_ids)
