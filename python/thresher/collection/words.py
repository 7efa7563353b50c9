"""Terms that are words: the collection gives each word a number when it first comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from thresher._kinds import kind_of

if TYPE_CHECKING:
    from thresher._kinds import Array


class CollectionWords:
    """The terms of rows' words, found all at once before the rows are read."""

    n_terms = 0

    def __init__(self, rows: object, find: Callable[[Sequence[str]], Mapping[str, int]], name: str) -> None:
        """Look up the words of all rows; those that are not found count nothing.

        Raises
        ------
        TypeError
            If the rows are not dicts of words.
        """
        if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
            raise TypeError(f"{name} must be a list of dicts {{word: weight}}, got {kind_of(rows)}")
        words: dict[str, None] = {}
        for number, row in enumerate(rows):
            if sp.issparse(row) or not isinstance(row, Mapping):
                raise TypeError(f"{name}: row {number} must be a dict {{word: weight}}, got {kind_of(row)}")
            for word in row:
                if not isinstance(word, str):
                    raise TypeError(f"{name}: row {number} has the term {word!r}; the collection's terms are words")
            words |= dict.fromkeys(row)
        self._terms = find(list(words)) if words else {}

    def terms_of(self, row: Sequence[str], where: str) -> tuple[Array, Array | None]:  # noqa: ARG002 - as the others
        """Return the terms of a row's words, and which of these they are if some were left out."""
        terms = np.fromiter((self._terms.get(word, -1) for word in row), np.int64, len(row))
        known = terms >= 0
        return (terms, None) if known.all() else (terms[known], known)


def check_words(words: Iterable[str], name: str) -> None:
    """Raise ValueError for a word that is no text."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name}: {word!r} has half a surrogate pair") from None
