"""Checks shared by the readers: whatever comes from a file is looked at before it is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ScipySparse: TypeAlias = Any  # a matrix or array of any layout

MAX_DOCUMENTS = 2**31
MAX_TERMS = 2**32 - 1

_CHUNK = 1 << 20  # elements looked at together, so that a mapped file is never held whole


def chunks(length: int) -> Iterator[slice]:
    """Yield the slices that cover `length` elements, a bounded number at a time."""
    for start in range(0, length, _CHUNK):
        yield slice(start, min(start + _CHUNK, length))


def shape_problem(n_rows: int, n_cols: int) -> str | None:
    """Return what is wrong with a shape that a file claims, or None."""
    if not 0 <= n_rows <= MAX_DOCUMENTS:
        return f"impossible number of rows {n_rows} (must be 0 to {MAX_DOCUMENTS})"
    if not 0 <= n_cols <= MAX_TERMS:
        return f"impossible number of columns {n_cols} (must be 0 to {MAX_TERMS})"
    return None


def first_bad_weight(weights: NDArray[Any], *, allow_negative: bool) -> int | None:
    """Return the position of the first weight that is not finite (or negative), or None."""
    for part in chunks(len(weights)):
        values = weights[part]
        bad = ~np.isfinite(values)
        if not allow_negative:
            bad |= values < 0
        if bad.any():
            return int(part.start) + int(bad.argmax())
    return None


def weight_problem(weight: float, *, allow_negative: bool) -> str:
    """Say what is wrong with a weight that `first_bad_weight` found."""
    wanted = "finite" if allow_negative else "finite and >= 0"
    return f"weight {weight} (must be {wanted})"


def row_of(indptr: NDArray[Any], position: int) -> int:
    """Return the row that holds the entry at `position`."""
    return int(np.searchsorted(indptr, position, side="right")) - 1
