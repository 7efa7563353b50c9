"""Segments in memory: documents that were just upserted, searchable at once, and merged until they are worth a file.

Sizes are kept as in a counter: so many neighbours of one size class (`Upkeep.merge_width`) become one of the next. So a
document is merged a logarithmic number of times, and there are few segments to search.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thresher.collection.filters import Columns
from thresher.collection.merging import Payloads, merged
from thresher.collection.segment import Part, Segment, wholes
from thresher.engines.exact import ExactIndex

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.catalogue import Id
    from thresher.collection.filters import Fields
    from thresher.collection.schema import Schema
    from thresher.collection.view import View


def fresh_segment(
    seqs: npt.NDArray[np.int64],
    ids: Sequence[Id],
    vectors: Mapping[str, CsrArrays],
    payloads: Sequence[Mapping[str, Any]],
    *,
    fields: Fields,
    version: int,
    last: int | None = None,
) -> Segment:
    """Return a segment of documents in memory.

    Parameters
    ----------
    seqs
        The numbers of their upserts, ascending.
    ids, vectors, payloads
        Of each document.
    last
        The last upsert that it stands for, if that is another than the last of these.

    Raises
    ------
    ValueError
        If a vector can't be in an index, naming its row and the term.
    """
    indexes = {name: ExactIndex.build(rows, threads=1) for name, rows in vectors.items()}
    return Segment(
        int(seqs[0]) if len(seqs) else last or 0,
        int(seqs[-1]) if last is None else last,
        seqs,
        indexes,
        Columns.of(fields, payloads),
        version,
        has_whole_ids=bool(ids) and not isinstance(ids[0], str),
        names=list(ids),
    )


def is_fresh(part: Part) -> bool:
    """Tell whether a part is in memory alone."""
    return part.segment.row is None


def compacted(view: View, schema: Schema, payloads: Payloads, in_work: Container[int] = ()) -> View:
    """Return a view of the same documents with few fresh parts.

    Parameters
    ----------
    payloads
        Those of the view, as `merged` asks for them.
    in_work
        Segments to be left alone, by their identity.
    """
    upkeep = schema.upkeep
    while True:
        run: list[Part] = []
        for part in reversed(view.parts):
            is_free = is_fresh(part) and id(part.segment) not in in_work
            if not is_free or (run and upkeep.size_class(part.n_live) > upkeep.size_class(run[0].n_live)):
                break
            run.append(part)
        if len(run) < upkeep.merge_width:
            return view
        run.reverse()
        segment = merged(run, schema, view.fields, version=view.version, payloads=payloads)
        view = view.replaced([part.segment for part in run], wholes(segment))
