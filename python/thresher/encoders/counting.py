"""How often terms stand in texts: rows of term frequencies, and lengths."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher.encoders.texts import checked

if TYPE_CHECKING:
    from thresher.encoders.tokenizing.tokenizer import TokenizerLike

AT_ONCE = 1 << 13  # texts that are counted at a time where they are many
_MOST_CHARACTERS = 1 << 24  # of them


class Occurrences(NamedTuple):
    """The terms of some texts in their order, in columns of their own."""

    columns: npt.NDArray[np.int32]
    """The column of each term, text after text."""
    indptr: npt.NDArray[np.int64]
    """Where each text begins, and the last one ends: shape (n_texts + 1,)."""
    words: list[str]
    """The term of each column, in the order in which they first came."""


class Counts(NamedTuple):
    """Term frequencies of some texts, in columns of their own."""

    frequencies: sp.csr_array
    """How often each term stands in each text: shape (n_texts, len(words)), int32, >= 1, indices sorted and unique."""
    lengths: npt.NDArray[np.int64]
    """Terms of each text, shape (n_texts,): the sums of the rows."""
    words: list[str]
    """The term of each column, in the order in which they first came."""


def occurrences(texts: Iterable[str], tokenizer: TokenizerLike, *, first: int = 0) -> Occurrences:
    """Find the terms of texts; the parameters and errors are those of `count`."""
    columns = _Columns(tokenizer.terms)
    column_of = columns.__getitem__
    split = tokenizer.split
    found, ends = array("i"), array("q", [0])
    for text in checked(texts, first=first):
        found.extend(map(column_of, split(text)))
        ends.append(len(found))
    every = np.frombuffer(found, np.int32) if found else np.empty(0, np.int32)
    kept = every >= 0  # words without a term have the column -1
    kept_before = np.concatenate([[0], np.cumsum(kept)])
    return Occurrences(every[kept], kept_before[np.frombuffer(ends, np.int64)], list(columns.words))


def count(texts: Iterable[str], tokenizer: TokenizerLike, *, first: int = 0) -> Counts:
    """Count the terms of texts.

    Parameters
    ----------
    texts
        Strings.
    tokenizer
        Finds their terms.
    first
        The place of the first text, as messages count them.

    Returns
    -------
    Counts
        A row a text. It depends on the texts and the tokenizer alone.

    Raises
    ------
    TypeError, ValueError
        Naming a text that is no string, or has half a surrogate pair, and its place.
    """
    columns, indptr, words = occurrences(texts, tokenizer, first=first)
    shape = (indptr.size - 1, len(words))
    frequencies = sp.csr_array((np.ones(columns.size, np.int32), columns, indptr.copy()), shape=shape)
    frequencies.sum_duplicates()
    return Counts(frequencies, np.diff(indptr), words)


def pieces(texts: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield texts in pieces that are counted at once, each with the place of its first one."""
    if isinstance(texts, str | bytes | bytearray) or not isinstance(texts, Iterable):
        checked(texts)
    source, first = iter(texts), 0
    while piece := _piece(source):
        yield first, piece
        first += len(piece)


def _piece(source: Iterator[Any]) -> list[str]:
    """Take texts until they are many or long."""
    piece: list[str] = []
    characters = 0
    for text in islice(source, AT_ONCE):
        piece.append(text)
        characters += len(text) if isinstance(text, str) else 0
        if characters >= _MOST_CHARACTERS:
            break
    return piece


class _Columns(dict[str, int]):
    """The columns of words: that of their term, which is new where the term is; -1 for words without a term."""

    def __init__(self, terms: Mapping[str, str | None]) -> None:
        super().__init__()
        self._terms = terms
        self.words: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        term = self._terms[word]
        column = -1 if term is None else self.words.setdefault(term, len(self.words))
        self[word] = column
        return column
