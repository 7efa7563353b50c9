"""What the caller calls terms and documents: the words that an index keeps, and rows whose terms are words."""

from __future__ import annotations

import itertools
import operator
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, SupportsIndex, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher import _core
from thresher._arguments import as_threads
from thresher._kinds import Array, kind_of

_AT_ONCE = 4096  # words that an iteration reads at a time
_SHOWN = 3


class Words(Sequence[str]):
    """Different strings in a compressed form, numbered from 0: a sequence that finds the number of each as well.

    What an index calls its terms (`Index.words`) and its documents (`Index.names`). In an index that was opened from a
    file they are read where they are, a few hundred bytes for each look-up; they stay after the index is closed. It
    never changes, and any number of threads may use it.

    Parameters
    ----------
    words
        The strings, no two of them equal. Or a dict of the number of each, from 0 on, as tokenizers have it.
    threads
        Threads to compress them with; 0 means one for each core.

    Raises
    ------
    ValueError
        If a string is there twice, or has half a surrogate pair.
    TypeError
        If they are not strings.

    Examples
    --------
    >>> import thresher
    >>> words = thresher.Words(["dog", "cat", "emu"])
    >>> words[1], words[-1], list(words)
    ('cat', 'emu', ['dog', 'cat', 'emu'])
    >>> words.find("cat"), words.find("yak"), "yak" in words
    (1, None, False)
    >>> words.find_all(["emu", "yak", "dog"])
    array([ 2, -1,  0])
    >>> words.take([2, 0])
    ['emu', 'dog']
    """

    __slots__ = ("_core",)

    def __init__(self, words: WordsLike | _core.Words, *, threads: SupportsIndex = 0) -> None:
        """Compress strings."""
        core = words if isinstance(words, _core.Words) else as_core_words(words, "words", as_threads(threads))
        self._core: _core.Words = core

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._core)

    @overload
    def __getitem__(self, number: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: SupportsIndex | slice) -> str | list[str]:
        """Return the word of a number, or a list of those of a slice."""
        if isinstance(number, slice):
            return self._core.take(np.arange(*number.indices(len(self)), dtype=np.int64))
        place, n = operator.index(number), len(self._core)
        if not -n <= place < n:
            raise IndexError(f"there is no word {place}: they are {n}")
        return self._core.at(place + n if place < 0 else place)

    def __contains__(self, word: object) -> bool:
        """Return whether it is one of the words."""
        return isinstance(word, str) and self._core.find(word) is not None

    def __iter__(self) -> Iterator[str]:
        """Go through the words by rising number."""
        for begin in range(0, len(self), _AT_ONCE):
            yield from self[begin : begin + _AT_ONCE]

    def __reversed__(self) -> Iterator[str]:
        """Go through the words by falling number."""
        for end in range(len(self), 0, -_AT_ONCE):
            yield from reversed(self[max(end - _AT_ONCE, 0) : end])

    def find(self, word: str) -> int | None:
        """Return the number of a word, or None if it is not there."""
        if not isinstance(word, str):
            raise TypeError(f"word must be a str, got {type(word).__name__}")
        return self._core.find(word)

    def find_all(self, words: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the numbers of words, shape (n,): -1 for those that are not there."""
        return self._core.find_all(_checked(words, "words"), "words")

    def take(self, numbers: npt.ArrayLike) -> list[str]:
        """Return the words of numbers, shape (n,), each in [0, len(self))."""
        wanted = np.asarray(numbers)
        if wanted.ndim != 1:
            raise ValueError(f"numbers must have one dimension, got {wanted.ndim}")
        if wanted.size and wanted.dtype.kind not in "iu":
            raise TypeError(f"numbers must be whole numbers, got dtype {wanted.dtype}")
        return self._core.take(np.ascontiguousarray(wanted, dtype=np.int64))

    def index(self, word: Any, start: int = 0, stop: int | None = None) -> int:  # noqa: ANN401 - as sequences have it
        """Return the number of a word as lists do: ValueError if it is not there."""
        found = self._core.find(word) if isinstance(word, str) else None
        if found is None or found not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{word!r} is not there")
        return found

    def count(self, word: object) -> int:
        """Return 1 if it is one of the words, otherwise 0."""
        return int(word in self)

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return self._core.nbytes

    def __repr__(self) -> str:
        """Show the first ones."""
        shown = [reprlib.repr(word) for word in self[:_SHOWN]]
        dots = ["..."] if len(self) > _SHOWN else []
        return f"<Words: {len(self):,}" + (f": {', '.join([*shown, *dots])}>" if shown else ">")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the strings."""
        return Words, (list(self),)


WordsLike: TypeAlias = Words | Iterable[str] | Mapping[str, SupportsIndex]
"""Strings by their numbers, or the number of each."""


def as_core_words(words: WordsLike, name: str, threads: int) -> _core.Words:
    """Return words as the core has them, or raise TypeError or ValueError that calls them `name`."""
    if isinstance(words, Words):
        return words._core  # noqa: SLF001 - of this module
    if isinstance(words, Mapping):
        words = _by_number(words, name)
    return _core.Words(_checked(words, name), name, threads)


def as_words(core: _core.Words | None) -> Words | None:
    """Return what the core has as the caller sees it."""
    return None if core is None else Words(core)


def _checked(words: Iterable[str], name: str) -> Iterable[str]:
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise TypeError(f"{name} must be a sequence of str, got {kind_of(words)}")
    return words


def _by_number(numbers: Mapping[str, SupportsIndex], name: str) -> list[str]:
    """Return the words of a dict of their numbers, which are 0 to len - 1."""
    words = sorted(numbers, key=lambda word: operator.index(numbers[word]))
    for place, word in enumerate(words):
        if operator.index(numbers[word]) != place:
            raise ValueError(
                f"{name}: the numbers must be 0 to {len(words) - 1}, one each, but {word!r} has {numbers[word]}"
            )
    return words


# ---------------------------------------------------------------------------------------- rows whose terms are words


class KnownWords:
    """The terms of the words of rows, in the order of a dictionary."""

    def __init__(self, words: _core.Words, owner: str, *, ignore: bool = False) -> None:
        """Make words that are not there an error, whose message calls the dictionary `owner`, or leave them out."""
        self._words = words
        self._owner = owner
        self._ignore = ignore
        self.n_terms = len(words)

    def terms_of(self, row: Sequence[str], where: str) -> tuple[Array, Array | None]:
        """Return the terms of a row's words, and which of these they are if some were left out."""
        terms = self._words.find_all(row, where)
        known = terms >= 0
        if known.all():
            return terms, None
        if not self._ignore:
            word = reprlib.repr(row[int(known.argmin())])
            raise ValueError(f"{where} has the term {word}, which is not among {self._owner}")
        return terms[known], known


class IndexWords:
    """The terms of the words of queries, if the index keeps any."""

    n_terms = 0

    def __init__(self, handle: _core.Index, unknown_terms: object = "error") -> None:
        """Look the words up in `handle`; those that are not there are what the option `unknown_terms` says."""
        self._handle = handle
        self._ignore = unknown_terms == "ignore"

    def terms_of(self, row: Sequence[str], where: str) -> tuple[Array, Array | None]:
        """Return the terms of a row's words, and which of these they are if some were left out."""
        words = self._handle.words
        if words is None:
            raise TypeError(
                f"{where} has the term {reprlib.repr(row[0])}, a str; terms must be whole numbers, since the index "
                "keeps no words: build it with words=..., or give each token a number, such as its place in the "
                "vocabulary"
            )
        return KnownWords(words, "the index's words", ignore=self._ignore).terms_of(row, where)


class NewWords:
    """Words that rows bring with them, numbered in ascending order."""

    def __init__(self, rows: Iterable[Any], name: str) -> None:
        """Collect the words of all rows, or raise TypeError for one that has others."""
        found: set[str] = set()
        for number, row in enumerate(rows):
            if not (isinstance(row, Mapping) and all(isinstance(term, str) for term in row)):
                raise TypeError(f"{name}: row {number} is not a dict {{word: weight}}, as others are")
            found.update(row)
        self.words = sorted(found)
        self._terms = dict(zip(self.words, itertools.count(), strict=False))
        self.n_terms = len(self.words)

    def terms_of(self, row: Sequence[str], where: str) -> tuple[Array, Array | None]:  # noqa: ARG002 - as the others
        """Return the terms of a row's words."""
        return np.fromiter(map(self._terms.__getitem__, row), np.int64, len(row)), None


def words_of_docs(docs: Any, given: WordsLike | None, threads: int) -> tuple[_core.Words | None, Any]:  # noqa: ANN401
    """Return the words that an index of `docs` keeps, and what knows the terms of rows that have words.

    Raises
    ------
    TypeError, ValueError
        If the words that are given can't be, or only some rows have words.
    """
    if given is not None:
        core = as_core_words(given, "words", threads)
        return core, KnownWords(core, "words")
    if not (isinstance(docs, list | tuple) and _has_words(docs)):
        return None, None
    new = NewWords(docs, "docs")
    return _core.Words(new.words, "docs", threads), new


def _has_words(rows: Sequence[Any]) -> bool:
    """Return whether the first row that has a term is a dict, and the term a word."""
    first = next((row for row in rows if sp.issparse(row) or not isinstance(row, Mapping) or row), None)
    return isinstance(first, Mapping) and not sp.issparse(first) and isinstance(next(iter(first), None), str)
