"""The distinct values of a column, sorted: a condition on them is a few runs of neighbours.

A value's code is its place, counted from 1; code 0 stands for no value. So a condition on a column is a comparison of
small numbers, and a document without a value never meets it. `Words` sorts strings as UTF-8, which is the order of
their code points, as Python has it. `Numbers` are int64 or float64.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from thresher import FormatError
from thresher.collection.filters import tree
from thresher.collection.filters.bits import Mask
from thresher.collection.filters.matching import test_of
from thresher.collection.filters.values import INT64, Plain

Array: TypeAlias = npt.NDArray[Any]
Codes: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]
Run: TypeAlias = tuple[int, int]
"""Places from the first up to but without the second."""

_FEW_RUNS = 4  # above it a table with an entry for each value is faster than comparisons


class Words(Sequence[bytes]):
    """Distinct strings, sorted, as UTF-8 one behind the other."""

    def __init__(self, text: npt.NDArray[np.uint8], ends: npt.NDArray[np.unsignedinteger[Any]]) -> None:
        """Take the bytes, and where each string ends behind a leading 0."""
        self.text = text
        self.ends = ends

    @classmethod
    def of(cls, words: Sequence[bytes]) -> Words:
        """Make a dictionary of strings that are sorted and differ."""
        ends = np.zeros(len(words) + 1, np.int64)
        np.cumsum([len(word) for word in words], out=ends[1:])
        return cls(np.frombuffer(b"".join(words), np.uint8), ends.astype(np.uint32 if ends[-1] < 2**32 else np.uint64))

    def check(self) -> None:
        """Raise FormatError unless this is what `of` makes."""
        ends = self.ends.astype(np.int64)
        if ends.size == 0 or ends[0] != 0 or ends[-1] != self.text.size or (ends[1:] < ends[:-1]).any():
            raise FormatError("the ends of words don't ascend to their size")
        starts = ends[:-1][ends[:-1] < self.text.size]
        try:
            str(self.text.data, "utf-8")
        except UnicodeDecodeError:
            raise FormatError("words that are no UTF-8") from None
        if (self.text[starts] & 0xC0 == 0x80).any():
            raise FormatError("a word begins within a character")
        if any(left >= right for left, right in pairwise(self)):
            raise FormatError("words are not sorted")

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.ends.size) - 1

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        """Return a word, or several."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self.text[self.ends[place] : self.ends[place + 1]].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        """Yield all words, in less time than one by one."""
        text = self.text.tobytes()
        return (text[start:end] for start, end in pairwise(self.ends.tolist()))

    def plain(self) -> list[str]:
        """Return all words as strings."""
        return [word.decode() for word in self]

    def runs(self, condition: tree.Condition) -> list[Run]:
        """Return which words meet a condition."""
        if isinstance(condition, tree.Exists):
            return [(0, len(self))]
        if isinstance(condition, tree.OneOf) and len(condition.values) <= len(self):
            words = [str(value).encode() for sort, value in condition.values if sort == "string"]
            places = ((bisect_left(self, word), word) for word in words)
            return joined((place, place + 1) for place, word in places if place < len(self) and self[place] == word)
        if isinstance(condition, tree.Compare):
            if condition.value.sort != "string":
                return []
            word = str(condition.value.value).encode()
            found = {"$lt": bisect_left, "$gte": bisect_left}.get(condition.order, bisect_right)(self, word)
            return joined([(0, found) if condition.order in ("$lt", "$lte") else (found, len(self))])
        test = test_of(condition)
        return joined((place, place + 1) for place, word in enumerate(self) if test(word.decode()))


class Numbers:
    """Distinct numbers, sorted."""

    def __init__(self, values: Array) -> None:
        """Take int64 or float64 values that are sorted and differ."""
        self.values = values

    def check(self) -> None:
        """Raise FormatError unless numbers are finite, sorted and differ."""
        if not np.isfinite(self.values).all():
            raise FormatError("a number that is not finite")
        if (self.values[1:] <= self.values[:-1]).any():
            raise FormatError("numbers are not sorted")

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.values.size)

    def plain(self) -> list[int | float]:
        """Return all numbers as Python's."""
        found: list[int | float] = self.values.tolist()
        return found

    def runs(self, condition: tree.Condition) -> list[Run]:
        """Return which numbers meet a condition."""
        spans = intervals(condition, self.values.dtype)
        lows = np.searchsorted(self.values, np.array([low for low, _ in spans], self.values.dtype), "left")
        highs = np.searchsorted(self.values, np.array([high for _, high in spans], self.values.dtype), "right")
        return joined(zip(lows.tolist(), highs.tolist(), strict=True))


Dictionary: TypeAlias = Words | Numbers


def joined(runs: Iterable[Run]) -> list[Run]:
    """Return ascending runs without the empty ones, neighbours as one."""
    found: list[Run] = []
    for low, high in runs:
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        elif low < high:
            found.append((low, high))
    return found


def codes_in(codes: Codes, runs: Sequence[Run], n_values: int) -> Mask:
    """Return where codes are of values in some of the runs."""
    if len(runs) > _FEW_RUNS:
        table = np.zeros(n_values + 1, np.bool_)
        for low, high in runs:
            table[low + 1 : high + 1] = True
        member: Mask = table[codes]
        return member
    found = np.zeros(codes.size, np.bool_)
    for place, (low, high) in enumerate(runs):
        mask = _codes_between(codes, low + 1, high, n_values)
        found = np.logical_or(found, mask, out=found) if place else mask
    return found


def _codes_between(codes: Codes, first: int, last: int, top: int) -> Mask:
    kind = codes.dtype.type
    if first == last:
        mask: Mask = codes == kind(first)
    elif last == top:
        mask = codes >= kind(first)
    else:
        mask = (codes - kind(first)) <= kind(last - first)  # what is below the first wraps around
    return mask


def intervals(condition: tree.Condition, dtype: np.dtype[Any]) -> list[tuple[Any, Any]]:
    """Return which finite numbers of a dtype, int64 or float64, meet a condition: closed intervals, ascending.

    Exact, however large or odd the numbers are that the condition names.
    """
    lowest, highest = (INT64[0], INT64[-1]) if dtype.kind == "i" else (-math.inf, math.inf)
    if isinstance(condition, tree.Exists):
        return [(lowest, highest)]
    if isinstance(condition, tree.OneOf):
        wanted = (value for sort, value in condition.values if sort == "number")
        return [(value, value) for value in wanted if _is_of(value, dtype)]
    if not isinstance(condition, tree.Compare) or condition.value.sort != "number":
        return []
    bound = condition.value.value
    assert not isinstance(bound, str)
    below = _last_below if dtype.kind == "i" else _last_float_below
    # The greatest number that is less than the bound, or not greater.
    last = below(bound, strict=condition.order in ("$lt", "$gte"))
    if condition.order in ("$lt", "$lte"):
        return [(lowest, min(last, highest))] if last >= lowest else []
    first = last + 1 if isinstance(last, int) else _next_float(last)
    return [(max(first, lowest), highest)] if first <= highest else []


def _is_of(value: Plain, dtype: np.dtype[Any]) -> bool:
    if dtype.kind == "i":
        return isinstance(value, int) and value in INT64
    assert not isinstance(value, str)
    return math.isfinite(near := _near(value)) and near == value


def _last_below(bound: float, *, strict: bool) -> int | float:
    """Return the greatest whole number below a bound, or the infinite bound itself."""
    if bound in (math.inf, -math.inf):
        return INT64[-1] if bound > 0 else INT64[0] - 1
    whole = math.floor(bound)
    return whole - 1 if strict and whole == bound else whole


def _last_float_below(bound: float, *, strict: bool) -> float:
    """Return the greatest float64 below a bound."""
    near = _near(bound)
    return math.nextafter(near, -math.inf) if near > bound or (strict and near == bound) else near


def _next_float(value: float) -> float:
    return math.nextafter(value, math.inf)


def _near(value: float) -> float:
    """Return a float64 with no other between it and a number."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
