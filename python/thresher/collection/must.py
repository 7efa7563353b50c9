"""Terms that a document must have: its posting in the term's list says so."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from thresher._arguments import as_int
from thresher._kinds import kind_of
from thresher._matrix import MAX_TERMS
from thresher.collection.filters import bits
from thresher.collection.segment import keep

if TYPE_CHECKING:
    from thresher.collection.narrowing import Sets
    from thresher.collection.segment import Segment
    from thresher.collection.view import View
    from thresher.engines.index import Index

Find: TypeAlias = Callable[[Sequence[str]], Mapping[str, int]]
"""Gives the terms of words, without those that there are not."""

_known: weakref.WeakKeyDictionary[Segment, dict[tuple[str, int], bits.Bits]] = weakref.WeakKeyDictionary()


def as_musts(given: object, n_queries: int, find: Find | None) -> list[list[int | None]]:
    """Return terms that documents must have: a list for all queries, or one for each.

    Parameters
    ----------
    given
        A term, terms, or for each query its own.
    n_queries
        Queries that there are.
    find
        Gives the terms of words, if terms are words.

    Returns
    -------
    list of list of int or None
        None is a word that no document has.
    """
    if isinstance(given, str | int | np.integer):
        given = [given]
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, Sequence | set | frozenset) or isinstance(given, bytes):
        raise TypeError(f"must: terms are expected, or a list of them for each query, got {kind_of(given)}")
    rows: list[Any] = list(given)
    if not any(isinstance(row, list | tuple | set | frozenset | np.ndarray) or row is None for row in rows):
        return [_terms(rows, "must", find)]
    if len(rows) != n_queries:
        raise ValueError(f"must: {len(rows)} lists of terms for {n_queries} queries")
    return [_terms([] if row is None else row, f"must[{number}]", find) for number, row in enumerate(rows)]


def _terms(given: Any, name: str, find: Find | None) -> list[int | None]:  # noqa: ANN401 - terms
    if isinstance(given, str | int | np.integer):
        raise TypeError(f"{name} must be a list of terms, as the others are, got {kind_of(given)}")
    terms = list(given)
    if find is not None:
        for term in terms:
            if not isinstance(term, str):
                raise TypeError(f"{name} has the term {term!r}; the collection's terms are words")
        known = find(terms) if terms else {}
        return [known.get(word) for word in terms]
    numbers: list[int | None] = []
    for term in terms:
        number = as_int(term, f"{name}: a term")
        if not 0 <= number < MAX_TERMS:
            raise ValueError(f"{name}: {number} is not in [0, 2**32 - 1)")
        numbers.append(number)
    return numbers


def having(view: View, vector: str, terms: Sequence[int | None], *, is_signed: bool) -> Sets:
    """Return the live documents of each part that have all terms."""
    found = []
    for part in view.parts:
        segment = part.segment
        index = segment.indexes[vector]
        left = part.live
        if any(term is None or term >= index.n_terms for term in terms):
            left = bits.none(len(segment))
        else:
            for term in terms:
                left = left & _postings(segment, vector, int(term or 0), is_signed=is_signed)
        found.append(left)
    return found


def _postings(segment: Segment, vector: str, term: int, *, is_signed: bool) -> bits.Bits:
    """Return the documents of a segment that have a term, which the segment's next search finds here."""
    known = _known.setdefault(segment, {})
    found = known.get((vector, term))
    if found is None:
        mask = np.zeros(len(segment), np.bool_)
        for weight in (1.0, -1.0) if is_signed else (1.0,):
            mask[_matching(segment.indexes[vector], term, weight)] = True
        found = bits.pack(mask)
        keep(known, (vector, term), found)
    return found


def _matching(index: Index, term: int, weight: float) -> Any:  # noqa: ANN401 - ids
    return index.search_one([term], [weight], k=None, exact=True, threads=1).ids
