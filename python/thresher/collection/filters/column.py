"""One field of all documents of a segment, in the smallest of four forms.

=========  ===================  ==============================================================================
form       kinds                parts
=========  ===================  ==============================================================================
`Coded`    keyword, and         a dictionary; `codes`, one a document, of one, two or four bytes, 0 where there
           numbers that repeat  is no value
`Plain`    int, float,          `values`, 0 where there is none; `presence` bits, unless all documents have one
           datetime
`Flags`    bool                 `values` bits, 0 where there is none; `presence` bits
`Lists`    keywords             a dictionary; `codes` of all lists, ascending and without repeats in each; `starts`
                                of the lists; `presence` bits, since an empty list is a value
=========  ===================  ==============================================================================

The parts of a dictionary are `words` and `ends`, or `numbers`. What a column looks like follows from its values alone:
merging columns gives what building one from all documents gives, byte for byte. `check` holds parts that were read
from a file to all of this, so that no code leads out of a dictionary.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, Self, TypeAlias

import numpy as np

from thresher import FormatError
from thresher.collection.filters import bits, tree
from thresher.collection.filters.bits import Bits, Mask
from thresher.collection.filters.dictionaries import Array, Dictionary, Numbers, Words, codes_in, intervals
from thresher.collection.filters.fields import Kind
from thresher.collection.filters.matching import of_elements, test_of

Parts: TypeAlias = Mapping[str, Array]

MAX_VALUES = 2**32 - 2  # distinct ones of a column: the largest code


class Column(abc.ABC):
    """A field of all documents of a segment."""

    form: str
    n_docs: int

    @abc.abstractmethod
    def select(self, condition: tree.Condition) -> Bits:
        """Return the documents that meet a condition, as an array that nobody else has."""

    @abc.abstractmethod
    def parts(self) -> dict[str, Array]:
        """Return the arrays that make up the column."""

    @classmethod
    @abc.abstractmethod
    def from_parts(cls, parts: Parts, n_docs: int) -> Self:
        """Make a column of its arrays, which all are there and of the right dtypes."""

    @abc.abstractmethod
    def check(self) -> None:
        """Raise FormatError unless a builder makes such arrays."""


class Coded(Column):
    """A code for each document."""

    form = "codes"

    def __init__(self, dictionary: Dictionary, codes: Array) -> None:
        """Take a dictionary and codes from 1; 0 is no value."""
        self.dictionary = dictionary
        self.codes = codes
        self.n_docs = codes.size

    def select(self, condition: tree.Condition) -> Bits:
        """Return the documents that meet a condition."""
        return bits.pack(codes_in(self.codes, self.dictionary.runs(condition), len(self.dictionary)))

    def parts(self) -> dict[str, Array]:
        """Return the arrays that make up the column."""
        return parts_of_dictionary(self.dictionary) | {"codes": self.codes}

    @classmethod
    def from_parts(cls, parts: Parts, n_docs: int) -> Self:
        """Make a column of its arrays."""
        _check_size(parts["codes"], n_docs)
        return cls(dictionary_of_parts(parts), parts["codes"])

    def check(self) -> None:
        """Raise FormatError unless a builder makes such arrays."""
        self.dictionary.check()
        _check_codes(self.codes, self.dictionary, 0)


class Plain(Column):
    """A number for each document."""

    form = "values"

    def __init__(self, values: Array, presence: Bits | None) -> None:
        """Take int64 or float64 values, 0 where there is none, and which there are; None: all."""
        self.values = values
        self.presence = presence
        self.n_docs = values.size

    def select(self, condition: tree.Condition) -> Bits:
        """Return the documents that meet a condition."""
        if isinstance(condition, tree.Exists):
            return bits.every(self.n_docs) if self.presence is None else self.presence.copy()
        spans = intervals(condition, self.values.dtype)
        if not spans:
            return bits.none(self.n_docs)
        kind = self.values.dtype.type
        if len(spans) > 1:
            mask = np.isin(self.values, np.array([low for low, _ in spans], kind))
        else:
            mask = self._between(kind(spans[0][0]), kind(spans[0][1]))
        found = bits.pack(mask)
        return found if self.presence is None else found & self.presence

    def _between(self, low: Any, high: Any) -> Mask:  # noqa: ANN401 - of the dtype of the values
        info = np.iinfo(np.int64) if self.values.dtype.kind == "i" else np.finfo(np.float64)
        if low == high:
            mask: Mask = self.values == low
        elif high >= info.max:
            mask = self.values >= low
        else:
            mask = self.values <= high
            if low > info.min:
                mask &= self.values >= low
        return mask

    def parts(self) -> dict[str, Array]:
        """Return the arrays that make up the column."""
        return {"values": self.values} | ({} if self.presence is None else {"presence": self.presence})

    @classmethod
    def from_parts(cls, parts: Parts, n_docs: int) -> Self:
        """Make a column of its arrays."""
        _check_size(parts["values"], n_docs)
        return cls(parts["values"], parts.get("presence"))

    def check(self) -> None:
        """Raise FormatError unless a builder makes such arrays."""
        if not np.isfinite(self.values).all():
            raise FormatError("a value that is not finite")
        if self.presence is not None:
            _check_bits(self.presence, self.n_docs)
            if self.values[~bits.unpack(self.presence, self.n_docs)].any():
                raise FormatError("a value where there is none")


class Flags(Column):
    """A truth value for each document."""

    form = "bits"

    def __init__(self, values: Bits, presence: Bits, n_docs: int) -> None:
        """Take bits of the documents with true, and of those with either."""
        self.values = values
        self.presence = presence
        self.n_docs = n_docs

    def select(self, condition: tree.Condition) -> Bits:
        """Return the documents that meet a condition."""
        test = test_of(condition)
        found = bits.none(self.n_docs)
        if test(True):
            found |= self.values
        if test(False):
            found |= self.presence & ~self.values
        return found

    def parts(self) -> dict[str, Array]:
        """Return the arrays that make up the column."""
        return {"values": self.values, "presence": self.presence}

    @classmethod
    def from_parts(cls, parts: Parts, n_docs: int) -> Self:
        """Make a column of its arrays."""
        return cls(parts["values"], parts["presence"], n_docs)

    def check(self) -> None:
        """Raise FormatError unless a builder makes such arrays."""
        _check_bits(self.values, self.n_docs)
        _check_bits(self.presence, self.n_docs)
        if (self.values & ~self.presence).any():
            raise FormatError("a value where there is none")


class Lists(Column):
    """A set of codes for each document."""

    form = "lists"

    def __init__(self, dictionary: Words, starts: Array, codes: Array, presence: Bits) -> None:
        """Take a dictionary, where lists start and the last ends, their codes from 1, and which lists there are."""
        self.dictionary = dictionary
        self.starts = starts
        self.codes = codes
        self.presence = presence
        self.n_docs = starts.size - 1

    def select(self, condition: tree.Condition) -> Bits:
        """Return the documents that meet a condition."""
        if isinstance(condition, tree.Exists):
            return self.presence.copy()
        runs = self.dictionary.runs(of_elements(condition))
        if not runs:
            return bits.none(self.n_docs)
        before = np.zeros(self.codes.size + 1, self.starts.dtype)  # how many codes before each are wanted
        np.cumsum(codes_in(self.codes, runs, len(self.dictionary)), dtype=before.dtype, out=before[1:])
        at_starts = before[self.starts]
        return bits.pack(at_starts[1:] != at_starts[:-1])

    def parts(self) -> dict[str, Array]:
        """Return the arrays that make up the column."""
        own = {"starts": self.starts, "codes": self.codes, "presence": self.presence}
        return parts_of_dictionary(self.dictionary) | own

    @classmethod
    def from_parts(cls, parts: Parts, n_docs: int) -> Self:
        """Make a column of its arrays."""
        _check_size(parts["starts"], n_docs + 1)
        return cls(Words(parts["words"], parts["ends"]), parts["starts"], parts["codes"], parts["presence"])

    def check(self) -> None:
        """Raise FormatError unless a builder makes such arrays."""
        self.dictionary.check()
        _check_codes(self.codes, self.dictionary, 1)
        _check_bits(self.presence, self.n_docs)
        starts = self.starts.astype(np.int64)
        if starts[0] != 0 or starts[-1] != self.codes.size or (starts[1:] < starts[:-1]).any():
            raise FormatError("the starts of lists don't ascend to their size")
        if ((starts[1:] > starts[:-1]) & ~bits.unpack(self.presence, self.n_docs)).any():
            raise FormatError("a list where there is none")
        ascends = self.codes[1:] > self.codes[:-1]
        between = starts[(starts > 0) & (starts < self.codes.size)] - 1
        ascends[between] = True
        if not ascends.all():
            raise FormatError("codes of a list don't ascend")


FORMS: dict[Kind, tuple[type[Column], ...]] = {
    "keyword": (Coded,),
    "keywords": (Lists,),
    "int": (Coded, Plain),
    "float": (Coded, Plain),
    "bool": (Flags,),
    "datetime": (Coded, Plain),
}
"""Which forms columns of a kind have."""


def dtype_of(kind: Kind) -> np.dtype[Any]:
    """Return the dtype of a kind of numbers."""
    return np.dtype(np.float64 if kind == "float" else np.int64)


def code_dtype(n_values: int) -> np.dtype[Any]:
    """Return the smallest dtype for codes of so many values."""
    if n_values > MAX_VALUES:
        raise ValueError(f"a column holds {MAX_VALUES} distinct values, got {n_values}")
    return np.dtype(next(kind for kind in (np.uint8, np.uint16, np.uint32) if n_values <= np.iinfo(kind).max))


def numbers_and_presence(column: Column) -> tuple[Array, Mask]:
    """Return a column of numbers as values, 0 where there is none, and which there are."""
    if isinstance(column, Coded):
        assert isinstance(column.dictionary, Numbers)
        values = np.concatenate([np.zeros(1, column.dictionary.values.dtype), column.dictionary.values])
        return values[column.codes], column.codes != 0
    assert isinstance(column, Plain)
    values = column.values.view()
    values.flags.writeable = False  # others use them too
    if column.presence is None:
        return values, np.ones(column.n_docs, np.bool_)
    return values, bits.unpack(column.presence, column.n_docs)


def parts_of_dictionary(dictionary: Dictionary) -> dict[str, Array]:
    """Return the arrays of a dictionary."""
    if isinstance(dictionary, Words):
        return {"words": dictionary.text, "ends": dictionary.ends}
    return {"numbers": dictionary.values}


def dictionary_of_parts(parts: Parts) -> Dictionary:
    """Make a dictionary of its arrays."""
    return Numbers(parts["numbers"]) if "numbers" in parts else Words(parts["words"], parts["ends"])


def _check_size(array: Array, size: int) -> None:
    if array.size != size:
        raise FormatError(f"{array.size} elements, expected {size}")


def _check_codes(codes: Array, dictionary: Dictionary, first: int) -> None:
    if len(dictionary) > MAX_VALUES or codes.dtype != code_dtype(len(dictionary)):
        raise FormatError(f"codes of {codes.dtype} for {len(dictionary)} values")
    if codes.size and not first <= int(codes.min()) <= int(codes.max()) <= len(dictionary):
        raise FormatError(f"a code that none of {len(dictionary)} values has")


def _check_bits(found: Bits, n_docs: int) -> None:
    if not bits.are_within(found, n_docs):
        raise FormatError("bits that are not one a document")
