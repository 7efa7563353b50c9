"""Which documents of a view meet a filter: packed bits, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from thresher.collection.documents import payload_of
from thresher.collection.filters import bits, evaluate, tree
from thresher.collection.filters.values import INT64
from thresher.collection.segment import Part, Segment, keep

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.catalogue import Id, State
    from thresher.collection.filters import Columns, Filter
    from thresher.collection.filters.bits import Bits
    from thresher.collection.view import View


class Source(Protocol):
    """What knows the documents of a view: the catalogue as a reader sees it, or as a transaction does."""

    def states(self, seqs: npt.NDArray[np.int64], view: View) -> dict[int, State]:
        """Return documents by the numbers of their upserts."""

    def named(self, ids: Sequence[Id], view: View) -> dict[Id, State]:
        """Return those documents that have one of these ids, by id."""


class Ids(Sequence[Any]):
    """The ids of a segment's documents, read as they are asked for."""

    def __init__(self, segment: Segment, places: npt.NDArray[np.int64] | None = None) -> None:
        """Take all documents, or those at some places."""
        self._segment = segment
        self._places = np.arange(len(segment)) if places is None else places

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._places)

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - an id
        """Return the id of a document."""
        return self._segment.ids(self._places[place : place + 1])[0]


def matching(view: View, where: Filter, source: Source) -> Iterator[Bits]:
    """Yield for each part of a view the live documents that meet a filter."""
    named = _named(where)
    if named is None:
        for part in view.parts:
            met = part.filters.get(where)
            if met is None:
                met = _of_part(part, where, source, view, part.live)
                keep(part.filters, where, met)
            yield met
        return
    found = source.named(list(named), view)
    among = [bits.none(len(part.segment)) for part in view.parts]
    for located in view.locate([state.seq for state in found.values()]):
        part = view.parts[located.part]
        mask = np.zeros(len(part.segment), np.bool_)
        mask[located.places] = True
        among[located.part] = bits.pack(mask) & part.live
    for part, some in zip(view.parts, among, strict=True):
        yield _of_part(part, where, source, view, some) if some.any() else some


def _of_part(part: Part, where: Filter, source: Source, view: View, among: Bits) -> Bits:
    segment = part.segment
    if where == tree.EVERYTHING:
        return among
    if _is_declared(where, segment.columns):
        met = segment.filters.get(where)
        if met is None:
            met = evaluate(where, segment.columns, len(segment))
            keep(segment.filters, where, met)
        met = met & among
    else:
        met = _evaluated(where, _Documents(segment, segment.columns, np.arange(len(segment))), source, view, among)
    if part.updates is None:
        return met
    places = part.updates.places
    later = _evaluated(where, _Documents(segment, part.updates.columns, places), source, view, None)
    mask = bits.unpack(met, len(segment)).copy()
    mask[places] = bits.unpack(later, len(places))
    return bits.pack(mask) & among


class _Documents(NamedTuple):
    """Some documents of a segment, whose columns these are."""

    segment: Segment
    columns: Columns
    places: npt.NDArray[np.int64]


def _evaluated(where: Filter, documents: _Documents, source: Source, view: View, among: Bits | None) -> Bits:
    segment, columns, places = documents

    def payloads(numbers: npt.NDArray[np.int64]) -> list[dict[str, Any] | None]:
        seqs = segment.seqs[places[numbers]]
        found = source.states(seqs, view)
        return [payload_of(found[seq]) if seq in found else None for seq in seqs.tolist()]

    return evaluate(where, columns, len(places), payloads, Ids(segment, places), among=among)


def _is_declared(where: Filter, columns: Columns) -> bool:
    return all(condition.path in columns.fields for condition in tree.conditions_of(where))


def _named(where: Filter) -> set[Id] | None:
    """Return the ids that a filter leaves, if it names them; the catalogue finds those without a look at all."""
    children = where.children if isinstance(where, tree.And) else (where,)
    for child in children:
        if isinstance(child, tree.OneOf) and child.path == tree.ID:
            found: set[Any] = {value.value for value in child.values if value.sort in ("string", "number")}
            return {one for one in found if not isinstance(one, float) and (isinstance(one, str) or one in INT64)}
    return None
