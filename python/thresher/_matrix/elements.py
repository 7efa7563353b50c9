"""One array at a time: shapes, term ids and weights, in the element types of the core."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from thresher._kinds import Array

MAX_ROWS = 2**31
MAX_TERMS = 2**32 - 1

RowOf: TypeAlias = Callable[[int], int]  # the row that holds the i-th stored entry


def as_terms(indices: Array, n_terms: int, row_of: RowOf, name: str) -> npt.NDArray[np.uint32]:
    check_integers(indices, "indices", name)
    entry = outside(indices, n_terms)
    if entry is not None:
        raise ValueError(f"{name}: row {row_of(entry)} has term {indices[entry]}, which is not in [0, {n_terms})")
    return as_uint32(indices)


def as_uint32(ids: Array) -> npt.NDArray[np.uint32]:
    if ids.dtype == np.int32:
        return np.require(ids, np.int32, ["C", "A"]).view(np.uint32)
    return np.require(ids, np.uint32, ["C", "A"])


def as_weights(data: Array, terms: Array, row_of: RowOf, name: str) -> npt.NDArray[np.float32]:
    check_real(data, name)
    try:
        with np.errstate(all="ignore", over="raise"):
            return np.require(data, np.float32, ["C", "A"])
    except FloatingPointError:
        with np.errstate(all="ignore"):
            entry = int(np.flatnonzero(np.isinf(data.astype(np.float32)) & np.isfinite(data))[0])
        raise ValueError(
            f"{name}: row {row_of(entry)} has weight {data[entry]} for term {terms[entry]}; "
            "weights must be finite float32 values"
        ) from None


def for_scipy(data: Array, name: str) -> Array:
    """Return `data` in a type that scipy can convert between formats: no float16, no foreign byte order."""
    check_real(data, name)
    return data.astype(np.float32 if data.dtype == np.float16 else data.dtype.newbyteorder("="), copy=False)


def check_real(data: Array, name: str) -> None:
    if data.dtype.kind not in "fiub":
        raise TypeError(f"{name}: weights must be real numbers, got dtype {data.dtype}")


def check_integers(part: Array, label: str, name: str) -> None:
    if part.dtype.kind not in "iu" and part.size:
        raise TypeError(f"{name}: {label} must be integers, got dtype {part.dtype}")


def outside(ids: Array, end: int) -> int | None:
    """Return the position of the first id that is not in ``[0, end)``, or None."""
    if ids.size and (int(ids.min()) < 0 or int(ids.max()) >= end):
        places = np.flatnonzero((ids < 0) | (ids >= end))
        return int(places[0]) if places.size else None  # another thread may have mended it meanwhile
    return None


def as_2d(shape: Sequence[int], name: str) -> tuple[int, ...]:
    if len(shape) not in (1, 2):
        raise ValueError(f"{name} must be 2-D (or 1-D: one row), got shape {tuple(shape)}")
    return (1, *shape) if len(shape) == 1 else tuple(shape)


def checked_shape(shape: Sequence[int], name: str) -> tuple[int, int]:
    try:
        n_rows, n_terms = (operator.index(size) for size in shape)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: shape must be two integers (n_rows, n_terms), got {shape!r}") from None
    if not 0 <= n_rows <= MAX_ROWS:
        raise ValueError(f"{name}: the number of rows must be in [0, 2**31], got {n_rows}")
    if not 0 <= n_terms <= MAX_TERMS:
        raise ValueError(f"{name}: the number of terms must be in [0, 2**32 - 1], got {n_terms}")
    return n_rows, n_terms
