"""Random numbers that are functions of what they are for, so that any part of a collection can be made alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint32]


def mixed(first: Keys, second: Keys | np.uint32) -> Keys:
    """Return a 32-bit hash of each pair; for one `second`, different firsts have different hashes."""
    keys = first * np.uint32(0x9E3779B1)
    keys ^= np.atleast_1d(second) * np.uint32(0x85EBCA6B)  # not of scalars, whose overflow warns
    keys ^= keys >> np.uint32(15)
    keys *= np.uint32(0x2C1B3C6D)
    keys ^= keys >> np.uint32(12)
    keys *= np.uint32(0x297A2D39)
    keys ^= keys >> np.uint32(15)
    return keys


def uniform(keys: Keys) -> NDArray[np.float32]:
    """Return numbers in (0, 1), 24 bits of each key."""
    numbers = (keys >> np.uint32(8)).astype(np.float32)
    numbers *= np.float32(2**-24)
    numbers += np.float32(2**-25)
    np.minimum(numbers, np.float32(1 - 2**-24), out=numbers)
    return numbers


def salted(seed: int, purpose: int) -> np.uint32:
    """Return the second half of a pair for a seed (any whole number from 0) and a purpose."""
    state = np.random.SeedSequence([seed, purpose]).generate_state(1)
    return np.uint32(state[0])
