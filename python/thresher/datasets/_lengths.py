"""Length factors: what the odds of all terms are multiplied by, so that a vector has the length wanted.

With shares p of its terms and `tail` rare ones, a document of factor f has
sum p f / (1 - p + p f) + tail f terms on average. That grows with f, so it can be inverted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_LIMIT = 7.0  # of log factors
_HALVINGS = 17


def log_factors(share: Floats, starts: Ints, tail: Floats, lengths: Floats) -> Floats:
    """Return (n_topics, n) log factors that give the lengths (n_topics, n) that are wanted."""
    low, high = np.full(lengths.shape, -_LIMIT), np.full(lengths.shape, _LIMIT)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_long = mean_lengths(share, starts, tail, middle) > lengths
        high, low = np.where(too_long, middle, high), np.where(too_long, low, middle)
    return np.asarray((low + high) / 2)


def mean_lengths(share: Floats, starts: Ints, tail: Floats, factors: Floats) -> Floats:
    """Return the mean lengths, (n_topics, n), that log factors give."""
    lengths = np.empty(factors.shape)
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    for column in range(factors.shape[1]):
        factor = np.exp(factors[:, column])
        there = shares_at(share, factor[rows])
        lengths[:, column] = np.bincount(rows, weights=there, minlength=len(tail)) + tail * factor
    return lengths


def shares_at(share: Floats, factor: Floats) -> Floats:
    """Return shares whose odds are multiplied by a factor."""
    scaled = share * factor
    return np.asarray(scaled / (1 - share + scaled))


def mean_shares(share: Floats, starts: Ints, factors: Floats) -> Floats:
    """Return each term's share over all vectors of its topic, whose log factors lie between the columns."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    total = np.zeros(len(share))
    for column in range(factors.shape[1] - 1):
        total += shares_at(share, np.exp((factors[:, column] + factors[:, column + 1]) / 2)[rows])
    return np.asarray(total / (factors.shape[1] - 1))
