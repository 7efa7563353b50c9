"""Filters over columns: packed bits of the documents that match.

A condition on a declared field is a comparison over its column, and `and`, `or`, `not` are over bits. Columns don't
tell of other fields, so that a filter has two answers: the documents that match whatever their payloads hold, and
those that may match. Of the documents between the two the payload is read, once, and asked what columns don't tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from thresher.collection.filters import bits, tree
from thresher.collection.filters.bits import Bits
from thresher.collection.filters.column import Plain
from thresher.collection.filters.columns import Columns
from thresher.collection.filters.fields import in_terms_of
from thresher.collection.filters.language import Where, parse
from thresher.collection.filters.matching import matcher
from thresher.collection.filters.tree import Filter
from thresher.collection.filters.values import INT64

PayloadReader: TypeAlias = Callable[[npt.NDArray[np.int64]], Iterable[Mapping[str, Any] | None]]
"""Gives the payloads of documents, whose numbers ascend, in their order; None has no fields."""
IdFinder: TypeAlias = Callable[[list[Any]], npt.NDArray[np.int64]]
"""Gives the numbers of the documents that have one of these ids, in any order; ids that nobody has are passed over."""


class IdReader(Protocol):
    """The ids of documents, read some at a time; numpy's arrays are such."""

    def __len__(self) -> int:
        """Return how many documents there are."""

    def take(self, documents: npt.NDArray[np.int64], /) -> Any:  # noqa: ANN401 - a list or an array
        """Return the ids of documents, whose numbers ascend, in their order."""


Ids: TypeAlias = Sequence[str | int] | IdReader
"""The id of each document; an int64 array is compared as a column is."""

_BATCH = 4096  # payloads that are asked for at once


def evaluate(
    where: Where,
    columns: Columns | None,
    n_docs: int,
    payload_reader: PayloadReader | None = None,
    ids: Ids | None = None,
    *,
    id_finder: IdFinder | None = None,
    among: Bits | None = None,
) -> Bits:
    """Return the documents of a segment that match a filter.

    Parameters
    ----------
    where
        A filter, as JSON or as what `parse` or `F` make of it.
    columns
        The columns of the segment's declared fields; None if there are none.
    n_docs
        Documents of the segment.
    payload_reader
        Called with numbers of documents, int64, ascending; gives their payloads in this order. Only asked where the
        filter names fields without a column, and only for documents that the rest of it leaves open.
    ids
        The documents' ids, for `$id`: looked through where the rest of the filter leaves a document open, but for an
        int64 array.
    id_finder
        Finds documents by their ids, so that `$id` by `$eq`, `$in` and their complements looks through nothing. It is
        called with strings and whole numbers of 64 bits.
    among
        Documents that are of interest, such as the live ones; others do not match. None: all.

    Returns
    -------
    numpy.ndarray
        uint64, a bit for each document, from the lowest bit of the first word on, padded with zeros to whole words.

    Raises
    ------
    ValueError
        If a field has no column and there is no reader, there are no ids for `$id`, or sizes differ.
    FormatError
        If a column's file is altered.
    """
    if columns is not None and columns.n_docs != n_docs:
        raise ValueError(f"columns are of {columns.n_docs} documents, n_docs is {n_docs}")
    if ids is not None and len(ids) != n_docs:
        raise ValueError(f"ids are of {len(ids)} documents, n_docs is {n_docs}")
    if among is not None and not bits.are_within(among, n_docs):
        raise ValueError(f"among has {among.size} words, which are not a bit for each of {n_docs} documents")
    declared = {} if columns is None else columns.fields
    adapted = in_terms_of(parse(where), declared)
    told: dict[tree.Condition, Bits] = {}
    rest: list[tree.Condition] = []
    for condition in dict.fromkeys(tree.conditions_of(adapted)):
        if columns is not None and condition.path in declared:
            told[condition] = columns.column(condition.path).select(condition)
        elif condition.path == tree.ID and isinstance(ids, np.ndarray) and ids.dtype == np.int64:
            told[condition] = Plain(ids, None).select(condition)
        elif condition.path == tree.ID and isinstance(condition, tree.OneOf) and id_finder is not None:
            told[condition] = bits.of(id_finder(ids_among(condition)), n_docs)
        else:
            rest.append(condition)
    sure, possible = _bounds(adapted, told, n_docs)
    if rest:
        undecided = possible & ~sure if among is None else possible & ~sure & among
        told |= _asked(rest, bits.positions(undecided, n_docs), n_docs, payload_reader, ids)
        sure, _ = _bounds(adapted, told, n_docs)
    return sure if among is None else sure & among


def ids_among(condition: tree.OneOf) -> list[str | int]:
    """Return those values of a condition that a document's id can be: strings, and whole numbers of 64 bits."""
    plain = [value.value for value in condition.values if value.sort != "boolean"]
    return [one for one in plain if isinstance(one, str) or (isinstance(one, int) and one in INT64)]


def _bounds(where: Filter, told: Mapping[tree.Condition, Bits], n_docs: int) -> tuple[Bits, Bits]:
    """Return the documents that match and those that may match: the same array if all conditions are told."""
    if isinstance(where, tree.Not):
        sure, possible = _bounds(where.child, told, n_docs)
        others = bits.complement(sure, n_docs)
        return (others, others) if sure is possible else (bits.complement(possible, n_docs), others)
    if isinstance(where, tree.Junction):
        combine = np.bitwise_and if isinstance(where, tree.And) else np.bitwise_or
        start = bits.every(n_docs) if isinstance(where, tree.And) else bits.none(n_docs)
        sure = possible = start
        for child in where.children:
            first, second = _bounds(child, told, n_docs)
            if sure is possible and first is second:
                sure = possible = combine(sure, first)
            else:
                sure, possible = combine(sure, first), combine(possible, second)
        return sure, possible
    assert isinstance(where, tree.Condition)
    if where in told:
        return told[where], told[where]
    return bits.none(n_docs), bits.every(n_docs)


def _asked(
    conditions: Sequence[tree.Condition],
    documents: npt.NDArray[np.int64],
    n_docs: int,
    reader: PayloadReader | None,
    ids: Ids | None,
) -> dict[tree.Condition, Bits]:
    """Return for each condition which of some documents meet it, by their payloads and ids."""
    unknown = [condition.path for condition in conditions if condition.path != tree.ID]
    if len(unknown) < len(conditions) and ids is None:
        raise ValueError("the filter names $id, and there are no ids")
    if unknown and reader is None:
        raise ValueError(f"the filter names {unknown[0]!r}, which is no declared field, and there are no payloads")
    masks = {condition: np.zeros(n_docs, np.bool_) for condition in conditions}
    tests = [(matcher(condition), masks[condition]) for condition in conditions]
    for start in range(0, documents.size, _BATCH):
        batch = documents[start : start + _BATCH]
        payloads = reader(batch) if unknown and reader is not None else repeat(None, batch.size)
        names = repeat(None, batch.size) if ids is None else map(_plain, _taken(ids, batch))
        for document, payload, name in zip(batch.tolist(), payloads, names, strict=True):
            for test, mask in tests:
                mask[document] = test({} if payload is None else payload, name)
    return {condition: bits.pack(mask) for condition, mask in masks.items()}


def _taken(ids: Ids, documents: npt.NDArray[np.int64]) -> Iterable[Any]:
    if isinstance(ids, Sequence):
        return (ids[document] for document in documents.tolist())
    found: Iterable[Any] = ids.take(documents)
    return found


def _plain(name: Any) -> Any:  # noqa: ANN401 - an id, perhaps one of numpy's
    return name.item() if isinstance(name, np.generic) else name
