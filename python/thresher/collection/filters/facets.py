"""Facets: how many documents have each value of a field."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from thresher.collection.filters import bits
from thresher.collection.filters.bits import Bits
from thresher.collection.filters.column import Coded, Column, Flags, Lists, Plain
from thresher.collection.filters.columns import Columns

Facet: TypeAlias = str | int | float | bool


def facet(columns: Columns, field: str, documents: Bits | None = None) -> dict[Facet, int]:
    """Count documents by their values of a field.

    Parameters
    ----------
    columns
        The columns of a segment.
    field
        A declared field. A document counts once for each value of a list; those without a value count nowhere.
    documents
        The documents to count, as bits; None: all.

    Returns
    -------
    dict
        Counts of 1 and more by value, the most frequent first, then by value. Moments are int64 microseconds.

    Raises
    ------
    ValueError
        If the field is not declared, or `documents` are bits of another segment.
    FormatError
        If the column's file is altered.
    """
    if field not in columns.fields:
        raise ValueError(f"{field!r} is not a declared field; there are: {', '.join(columns.fields) or 'none'}")
    chosen = bits.every(columns.n_docs) if documents is None else documents
    if not bits.are_within(chosen, columns.n_docs):
        raise ValueError(f"documents: {chosen.size} words are not a bit for each of {columns.n_docs} documents")
    counted = [(value, count) for value, count in _counted(columns.column(field), chosen) if count]
    return dict(sorted(counted, key=lambda pair: -pair[1]))  # values ascend, and sorting keeps that


def _counted(column: Column, documents: Bits) -> list[tuple[Facet, int]]:
    """Return values, ascending, and how many documents have each."""
    if isinstance(column, Flags):
        true = bits.count(documents & column.values)
        return [(False, bits.count(documents & column.presence) - true), (True, true)]
    mask = bits.unpack(documents, column.n_docs)
    if isinstance(column, Plain):
        there = mask if column.presence is None else mask & bits.unpack(column.presence, column.n_docs)
        values, counts = np.unique(column.values[there], return_counts=True)
        return list(zip(values.tolist(), counts.tolist(), strict=True))
    assert isinstance(column, Coded | Lists)
    if isinstance(column, Lists):
        mask = np.repeat(mask, (column.starts[1:] - column.starts[:-1]).astype(np.int64))
    counts = np.bincount(column.codes[mask], minlength=len(column.dictionary) + 1)[1:]
    return list(zip(column.dictionary.plain(), counts.tolist(), strict=True))
