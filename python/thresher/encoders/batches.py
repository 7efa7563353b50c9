"""Texts given to a model in order of length, some at a time, and its vectors put into the order of the texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher.encoders.rows import stacked
from thresher.encoders.texts import checked

if TYPE_CHECKING:
    from thresher.engines.options import Progress


def encode_by_length(
    texts: Sequence[str],
    encode: Callable[[list[str]], sp.csr_array],
    n_terms: int,
    *,
    at_once: int,
    progress: Progress | None,
) -> sp.csr_array:
    """Return the vectors of texts, the longest of which are encoded first; empty ones have empty rows.

    Parameters
    ----------
    texts
        Strings, checked here.
    encode
        Returns the vectors of some texts as a matrix of their own, whose weights are checked here.
    n_terms
        Columns of the matrix.
    at_once
        Texts that `encode` gets: what memory is needed for beside the vectors.
    progress
        Called as ``progress(done, len(texts))`` after each of its calls.

    Raises
    ------
    TypeError, ValueError
        Naming the place of a text that is no string, or has a weight that is negative or not finite.
    """
    given = list(checked(texts))
    lengths = np.fromiter(map(len, given), np.int64, len(given))
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    n_empty = len(given) - order.size
    parts = [sp.csr_array((0, n_terms), dtype=np.float32)]
    for first in range(0, order.size, at_once):
        places = order[first : first + at_once]
        rows = encode([given[place] for place in places])
        _check(rows, places, n_terms)
        parts.append(rows)
        if progress is not None:
            progress(first + places.size + n_empty, len(given))
    return _in_places(stacked(parts, n_terms), order, len(given))


def _check(rows: sp.csr_array, places: npt.NDArray[np.int64], n_terms: int) -> None:
    """Raise ValueError for what no vectors of texts are."""
    if rows.shape != (places.size, n_terms):
        raise ValueError(f"the model gave {rows.shape[0]} vectors of {rows.shape[1]} terms, not {places.size, n_terms}")
    wrong = np.flatnonzero(~((rows.data >= 0) & np.isfinite(rows.data)))
    if wrong.size:
        row = int(np.searchsorted(rows.indptr, wrong[0], "right")) - 1
        raise ValueError(f"texts[{places[row]}]: the model gave a term the weight {rows.data[wrong[0]]}")


def _in_places(rows: sp.csr_array, places: npt.NDArray[np.int64], n_rows: int) -> sp.csr_array:
    """Return rows, each moved to its place among rows that are empty."""
    moved = rows[np.argsort(places)]
    counts = np.zeros(n_rows + 1, np.int64)
    counts[np.sort(places) + 1] = np.diff(moved.indptr)
    return sp.csr_array((moved.data, moved.indices, counts.cumsum()), shape=(n_rows, rows.shape[1]))
