"""Sets of documents as packed bits: bit d mod 64 of word floor(d / 64) is document d, those beyond the last are 0."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Bits: TypeAlias = npt.NDArray[np.uint64]
Mask: TypeAlias = npt.NDArray[np.bool_]

WORD = np.dtype("<u8")


def n_words(n_docs: int) -> int:
    """Return how many words hold a bit for each document."""
    return (n_docs + 63) // 64


def pack(mask: Mask) -> Bits:
    """Return a mask as bits."""
    bits = np.zeros(n_words(mask.size), WORD)
    packed = np.packbits(mask, bitorder="little")
    bits.view(np.uint8)[: packed.size] = packed
    return bits


def of(documents: npt.NDArray[np.int64], n_docs: int) -> Bits:
    """Return documents by their numbers as bits; IndexError if one is not below `n_docs`."""
    mask = np.zeros(n_docs, np.bool_)
    mask[documents] = True
    return pack(mask)


def unpack(bits: Bits, n_docs: int) -> Mask:
    """Return bits as a mask of `n_docs`."""
    return np.unpackbits(bits.view(np.uint8), count=n_docs, bitorder="little").view(np.bool_)


def positions(bits: Bits, n_docs: int) -> npt.NDArray[np.int64]:
    """Return the documents in a set, in order."""
    return np.flatnonzero(unpack(bits, n_docs))


def count(bits: Bits) -> int:
    """Return how many documents a set has."""
    return int.from_bytes(bits.tobytes(), "little").bit_count()


def none(n_docs: int) -> Bits:
    """Return the empty set."""
    return np.zeros(n_words(n_docs), WORD)


def every(n_docs: int) -> Bits:
    """Return the set of all documents."""
    return complement(none(n_docs), n_docs)


def complement(bits: Bits, n_docs: int) -> Bits:
    """Return the documents that are not in a set."""
    others = ~bits
    if n_docs % 64:
        others[-1] &= np.uint64(2 ** (n_docs % 64) - 1)
    return others


def are_within(bits: Bits, n_docs: int) -> bool:
    """Tell whether bits are of `n_docs` documents: as many words, and none beyond the last document."""
    return bits.size == n_words(n_docs) and (n_docs % 64 == 0 or not int(bits[-1]) >> n_docs % 64)
