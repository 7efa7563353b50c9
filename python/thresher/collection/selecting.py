"""Which documents of a view meet a filter: packed bits, part by part."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from thresher.collection.documents import payload_of
from thresher.collection.filters import bits, evaluate, tree
from thresher.collection.filters.evaluate import ids_among
from thresher.collection.filters.fields import in_terms_of
from thresher.collection.narrowing import among
from thresher.collection.segment import Part, Segment, keep

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.catalogue import Id, State
    from thresher.collection.filters import Columns, Filter
    from thresher.collection.filters.bits import Bits
    from thresher.collection.view import View


class Source(Protocol):
    """What knows the documents of a view: the catalogue as a reader sees it, or as a transaction does.

    `undeclared` counts the filters that had to read payloads for a field, by its name.
    """

    undeclared: Counter[str]

    def states(self, seqs: npt.NDArray[np.int64], view: View) -> dict[int, State]:
        """Return documents by the numbers of their upserts."""

    def seqs_of(self, ids: Sequence[Id], view: View) -> dict[Id, int]:
        """Return the numbers of the upserts of those documents that have one of these ids, by id."""


def matching(view: View, where: Filter, source: Source) -> Iterator[Bits]:
    """Yield for each part of a view the live documents that meet a filter.

    Raises
    ------
    ValueError
        If it compares a datetime field with a string that is no date.
    """
    where = in_terms_of(where, view.fields)
    named = _named(where)
    if named is None:
        search = _Search(view, where, source)
        is_new = False
        for part in view.parts:
            met = part.filters.get(where)
            if met is None:
                is_new = True
                met = search.of_part(part, part.live)
                keep(part.filters, where, met)
            yield met
        if is_new:
            _count(where, view, source)
        return
    _count(where, view, source)
    search = _Search(view, where, source)
    for part, some in zip(view.parts, among(view, search.seqs_of(named)), strict=True):
        yield search.of_part(part, some) if some.any() else some


def _count(where: Filter, view: View, source: Source) -> None:
    """Count the fields of a filter that are not declared."""
    source.undeclared.update({condition.path for condition in tree.conditions_of(where)} - {tree.ID, *view.fields})


@dataclasses.dataclass(frozen=True)
class _Documents:
    """Some documents of a segment, whose columns these are; `take` reads their ids."""

    segment: Segment
    columns: Columns
    places: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    def take(self, documents: npt.NDArray[np.int64], /) -> list[Id]:
        return self.segment.ids(self.places[documents])


class _Search:
    """A filter on its way through the parts of a view: the ids that it names are looked up once for all of them."""

    def __init__(self, view: View, where: Filter, source: Source) -> None:
        self._view = view
        self._where = where
        self._source = source
        self._paths = {condition.path for condition in tree.conditions_of(where)}
        self._seqs: dict[Id, int] | None = None

    def of_part(self, part: Part, some: Bits) -> Bits:
        """Return those documents of a part that meet the filter, of some that are live."""
        segment, where = part.segment, self._where
        if where == tree.EVERYTHING:
            return some
        if self._paths <= segment.columns.fields.keys():
            met = segment.filters.get(where)
            if met is None:
                met = evaluate(where, segment.columns, len(segment))
                keep(segment.filters, where, met)
            met = met & some
        else:
            met = self._evaluated(_Documents(segment, segment.columns, np.arange(len(segment))), some)
        if part.updates is None:
            return met
        places = part.updates.places
        later = self._evaluated(_Documents(segment, part.updates.columns, places), None)
        mask = bits.unpack(met, len(segment)).copy()
        mask[places] = bits.unpack(later, len(places))
        return bits.pack(mask) & some

    def seqs_of(self, ids: Iterable[Id]) -> npt.NDArray[np.int64]:
        """Return the numbers of the documents that have these ids, of those that the filter names."""
        if self._seqs is None:
            named = dict.fromkeys(one for condition in _on_ids(self._where) for one in ids_among(condition))
            self._seqs = self._source.seqs_of(list(named), self._view)
        return np.array([self._seqs[one] for one in ids if one in self._seqs], np.int64)

    def _evaluated(self, documents: _Documents, some: Bits | None) -> Bits:
        segment, places = documents.segment, documents.places

        def payloads(numbers: npt.NDArray[np.int64]) -> list[dict[str, Any] | None]:
            seqs = segment.seqs[places[numbers]]
            found = self._source.states(seqs, self._view)
            return [payload_of(found[seq]) if seq in found else None for seq in seqs.tolist()]

        def numbers_of(ids: list[Any]) -> npt.NDArray[np.int64]:
            at = segment.places(self.seqs_of(ids))
            return np.flatnonzero(np.isin(places, at[at >= 0]))

        return evaluate(
            self._where, documents.columns, len(places), payloads, documents, id_finder=numbers_of, among=some
        )


def _on_ids(where: Filter) -> Iterator[tree.OneOf]:
    """Yield the conditions of a filter that name ids."""
    for condition in tree.conditions_of(where):
        if isinstance(condition, tree.OneOf) and condition.path == tree.ID:
            yield condition


def _named(where: Filter) -> list[Id] | None:
    """Return the ids that a filter leaves, if it names them; the catalogue finds those without a look at all."""
    children = where.children if isinstance(where, tree.And) else (where,)
    return next(
        (ids_among(child) for child in children if isinstance(child, tree.OneOf) and child.path == tree.ID), None
    )
