"""Hashes of n-grams that are the same everywhere: in every process, on every machine, in every version.

A word's hash is BLAKE2b's of its UTF-8; an n-gram's is mixed of its words', in their order, by the finalizer of
SplitMix64, for all n-grams at once. They are part of what is stored: never change them.

References
----------
Steele, Lea and Flood: *Fast splittable pseudorandom number generators* (SplitMix64), OOPSLA 2014.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def hash_words(words: Iterable[str]) -> Hashes:
    """Return a hash of each word, shape (n,)."""
    return np.frombuffer(b"".join(blake2b(word.encode(), digest_size=8).digest() for word in words), "<u8")


def hash_ngrams(words: Hashes, indptr: npt.NDArray[np.int64], size: int) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Return hashes of all runs of `size` words.

    Parameters
    ----------
    words
        The hashes of words, text after text.
    indptr
        Where each text begins, and the last one ends: shape (n_texts + 1,).
    size
        Words of an n-gram, at least 1.

    Returns
    -------
    tuple
        A hash of each n-gram, none of which reaches from one text to the next, and where those of each text begin.
    """
    lengths = np.diff(indptr)
    n_starts = max(words.size - size + 1, 0)
    mixed = np.full(n_starts, size, np.uint64)
    for place in range(size):
        mixed = _mix((mixed ^ words[place : place + n_starts]) + _GOLDEN)
    # The last words of a text begin no n-gram.
    ends = np.repeat(indptr[1:], lengths)[:n_starts]
    kept = np.arange(n_starts) + size <= ends
    return mixed[kept], np.concatenate([[0], np.cumsum(np.maximum(lengths - size + 1, 0))])


def _mix(value: Hashes) -> Hashes:
    """Spread each bit over all."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
