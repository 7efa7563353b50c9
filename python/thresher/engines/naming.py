"""What terms and documents of an index are called: words and names given to it, and whether they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thresher._words import WordsLike, as_core_words

if TYPE_CHECKING:
    from thresher import _core


def names_of(names: WordsLike | None, threads: int) -> _core.Words | None:
    """Return names of documents as the core has them."""
    return None if names is None else as_core_words(names, "names", threads)


def renamed(handle: _core.Index, words: WordsLike | None, names: WordsLike | None, threads: int) -> _core.Index:
    """Return the same index with other words or names; those that are None stay."""
    return handle.with_words(
        None if words is None else as_core_words(words, "words", threads), names_of(names, threads)
    )


def require_fit(words: _core.Words | None, names: _core.Words | None, shape: tuple[int, int]) -> None:
    """Raise what the core's `with_words` would, before an index of documents of this shape is built."""
    if words is not None and len(words) > shape[1]:
        raise ValueError(f"words: {len(words)} for {shape[1]} terms")
    if names is not None and len(names) != shape[0]:
        raise ValueError(f"names: {len(names)} for {shape[0]} documents")
