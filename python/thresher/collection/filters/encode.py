"""Columns from what documents hold, and from other columns: both end in the same arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from thresher.collection.filters import bits
from thresher.collection.filters.bits import Mask
from thresher.collection.filters.column import (
    Coded,
    Column,
    Flags,
    Lists,
    Plain,
    code_dtype,
    dtype_of,
    numbers_and_presence,
)
from thresher.collection.filters.dictionaries import Array, Numbers, Words
from thresher.collection.filters.fields import Kind, Value

_MOST_CODED = 2**16 - 1  # distinct numbers that are given codes: those of up to two bytes


def column_of(values: Sequence[Value | None], kind: Kind) -> Column:
    """Return the column of a field: for each document what `fields.value_of` gives."""
    if kind == "keyword":
        words, codes = _encoded(values)
        return _words(words, codes)
    if kind == "keywords":
        words, codes = _encoded(chain.from_iterable(value for value in values if isinstance(value, list)))
        starts = np.zeros(len(values) + 1, np.int64)
        np.cumsum([len(value) if isinstance(value, list) else 0 for value in values], out=starts[1:])
        return _lists(words, codes, starts, _presence(values))
    present = _presence(values)
    filled = [0 if value is None else value for value in values]
    if kind == "bool":
        return Flags(bits.pack(np.array(filled, np.bool_)), bits.pack(present), len(values))
    return _numbers(np.array(filled, dtype_of(kind)), present)


def merged(columns: Sequence[Column], keeps: Sequence[Mask], kind: Kind) -> Column:
    """Return the column of those documents of several columns that are to be kept, one column's behind another's."""
    if kind == "keyword":
        words, tables = _united([_dictionary(column) for column in columns])
        kept = [
            table[column.codes[keep]]
            for column, keep, table in zip(columns, keeps, tables, strict=True)
            if isinstance(column, Coded)
        ]
        return _words(words, _joined(kept, np.int64))
    if kind == "keywords":
        return _merged_lists([column for column in columns if isinstance(column, Lists)], keeps)
    if kind == "bool":
        flags = [column for column in columns if isinstance(column, Flags)]
        values = [bits.unpack(column.values, column.n_docs)[keep] for column, keep in zip(flags, keeps, strict=True)]
        present = [bits.unpack(column.presence, column.n_docs)[keep] for column, keep in zip(flags, keeps, strict=True)]
        joined = _joined(values, np.bool_)
        return Flags(bits.pack(joined), bits.pack(_joined(present, np.bool_)), joined.size)
    pairs = [numbers_and_presence(column) for column in columns]
    numbers = [values[keep] for (values, _), keep in zip(pairs, keeps, strict=True)]
    there = [present[keep] for (_, present), keep in zip(pairs, keeps, strict=True)]
    return _numbers(_joined(numbers, dtype_of(kind)), _joined(there, np.bool_))


def _encoded(values: Iterable[Any]) -> tuple[list[bytes], Array]:
    """Return distinct strings, sorted as UTF-8, and the code of each value, 0 for None."""
    numbers: dict[str | None, int] = {None: 0}
    first = np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)
    ordered = sorted(word for word in numbers if word is not None)
    ranks = np.zeros(len(ordered) + 1, np.int64)
    ranks[[numbers[word] for word in ordered]] = np.arange(1, len(ordered) + 1)
    return [word.encode() for word in ordered], ranks[first]


def _united(dictionaries: Sequence[Words]) -> tuple[list[bytes], list[Array]]:
    """Return the words of several dictionaries, sorted, and for each dictionary the new code of every code."""
    words = sorted(set(chain.from_iterable(dictionaries)))
    codes = {word: number for number, word in enumerate(words, 1)}
    return words, [np.array([0, *(codes[word] for word in dictionary)], np.int64) for dictionary in dictionaries]


def _words(words: Sequence[bytes], codes: Array) -> Column:
    return Coded(*_used(words, codes))


def _used(words: Sequence[bytes], codes: Array) -> tuple[Words, Array]:
    """Return a dictionary of the words that have a code among these, and their codes in it."""
    used = np.zeros(len(words) + 1, np.bool_)
    used[codes] = True
    used[0] = False
    ranks = np.cumsum(used) * used
    kept = [words[number] for number in np.flatnonzero(used[1:]).tolist()]
    return Words.of(kept), ranks[codes].astype(code_dtype(len(kept)))


def _numbers(values: Array, present: Mask) -> Column:
    """Return a column of numbers: coded where that is smaller and codes have at most two bytes."""
    distinct = np.unique(values[present])
    if distinct.size <= _MOST_CODED:
        dtype = code_dtype(distinct.size)
        if distinct.nbytes + dtype.itemsize * values.size < values.nbytes:
            codes = np.where(present, np.searchsorted(distinct, values) + 1, 0)
            return Coded(Numbers(distinct), codes.astype(dtype))
    return Plain(values, None if present.all() else bits.pack(present))


def _lists(words: Sequence[bytes], codes: Array, starts: npt.NDArray[np.int64], present: Mask) -> Column:
    """Return a column of lists: each sorted, without repeats."""
    rows = np.repeat(np.arange(present.size), _lengths(starts))
    order = np.lexsort((codes, rows))
    rows, codes = rows[order], codes[order]
    first = np.ones(codes.size, np.bool_)
    first[1:] = (codes[1:] != codes[:-1]) | (rows[1:] != rows[:-1])
    ends = np.zeros(present.size + 1, np.int64)
    np.cumsum(np.bincount(rows[first], minlength=present.size), out=ends[1:])
    dictionary, small = _used(words, codes[first])
    dtype = np.uint32 if ends[-1] < 2**32 else np.uint64
    return Lists(dictionary, ends.astype(dtype), small, bits.pack(present))


def _merged_lists(columns: Sequence[Lists], keeps: Sequence[Mask]) -> Column:
    words, tables = _united([column.dictionary for column in columns])
    codes, lengths, present = [], [], []
    for column, keep, table in zip(columns, keeps, tables, strict=True):
        each = _lengths(column.starts)
        codes.append(table[column.codes[np.repeat(keep, each)]])
        lengths.append(each[keep])
        present.append(bits.unpack(column.presence, column.n_docs)[keep])
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(_joined(lengths, np.int64))])
    return _lists(words, _joined(codes, np.int64), starts, _joined(present, np.bool_))


def _dictionary(column: Column) -> Words:
    assert isinstance(column, Coded)
    assert isinstance(column.dictionary, Words)
    return column.dictionary


def _lengths(starts: Array) -> npt.NDArray[np.int64]:
    return (starts[1:] - starts[:-1]).astype(np.int64)


def _presence(values: Sequence[object]) -> Mask:
    return np.array([value is not None for value in values], np.bool_)


def _joined(arrays: Sequence[Array], dtype: Any) -> Array:  # noqa: ANN401 - a dtype in any form
    return np.concatenate([np.zeros(0, dtype), *arrays])
