"""The small things that callers pass: numbers, paths and the arrays of a single query."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, SupportsFloat, SupportsIndex, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from thresher._kinds import is_row

Params = TypeVar("Params")
Choice = TypeVar("Choice")
Report = TypeVar("Report", bound=Callable[..., object])
Reorder: TypeAlias = bool | npt.ArrayLike

MAX_THREADS = 1024
MAX_HITS = 2**24
MAX_TERMS = 2**32

_UINT32, _FLOAT32 = np.dtype(np.uint32), np.dtype(np.float32)


def as_int(value: SupportsIndex, name: str) -> int:
    """Return a whole number, or raise naming the argument; a bool is none."""
    try:
        if not isinstance(value, bool | np.bool_):
            return int(value.__index__())
    except (AttributeError, TypeError):
        pass
    raise TypeError(f"{name} must be a whole number, got {type(value).__name__}")


def as_int64(value: SupportsIndex, name: str) -> int:
    """Return a whole number of 64 bits for the core to judge, or raise naming the argument."""
    whole = as_int(value, name)
    if not -(2**63) <= whole < 2**63:
        raise ValueError(f"{name} is out of range, got {whole}")
    return whole


def as_number(value: SupportsFloat, name: str) -> float:
    """Return a float, or raise naming the argument."""
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except TypeError:
        pass
    except OverflowError:
        raise ValueError(f"{name} must be finite, got a whole number beyond float64") from None
    raise TypeError(f"{name} must be a number, got {type(value).__name__}")


def as_choice(value: object, choices: Mapping[Any, Choice], name: str) -> Choice:
    """Return what a word stands for, or raise naming the argument and the words that there are."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {type(value).__name__}")
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return choices[value]


def as_name(value: str, name: str) -> str:
    """Return a name for the core to look up, or raise naming the argument."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {type(value).__name__}")
    return value


def set_params(params: Params, given: Mapping[str, Any]) -> Params:
    """Set parameters by name, each as the type it has, and return `params`; or raise naming one."""
    for name, value in given.items():
        setattr(params, name, _CONVERTERS[type(getattr(params, name))](value, name))
    return params


def as_progress(progress: Report | None, call: str = "progress(done, total)") -> Report | None:
    """Return what is called with the progress of a call, as `call` says, or None; or raise."""
    if progress is None or callable(progress):
        return progress
    raise TypeError(f"progress must be callable, as {call}, got {type(progress).__name__}")


def as_flag(flag: object, name: str) -> bool:
    """Return a bool, or raise naming the argument."""
    if isinstance(flag, bool | np.bool_):
        return bool(flag)
    raise TypeError(f"{name} must be a bool, got {type(flag).__name__}")


def as_threads(threads: SupportsIndex) -> int:
    """Return a number of threads from 0 (one for each core) to 1024, or raise."""
    count = as_int(threads, "threads")
    if not 0 <= count <= MAX_THREADS:
        raise ValueError(f"threads must be from 0 (one for each core) to {MAX_THREADS}, got {count}")
    return count


def as_k(k: SupportsIndex, name: str = "k") -> int:
    """Return a number of hits from 1 to 2**24, or raise naming the argument."""
    if type(k) is int and 0 < k <= MAX_HITS:  # the common case, in little time
        return k
    count = as_int(k, name)
    if count < 1:
        raise ValueError(f"{name} must be >= 1, got {count}")
    if count > MAX_HITS:
        raise ValueError(f"{name} must be at most 2**24, got {count}")
    return count


def as_reorder(reorder: Reorder, name: str) -> tuple[bool, npt.NDArray[np.uint32] | None]:
    """Return whether to reorder documents, and the order that was given as a contiguous uint32 array, or raise."""
    if isinstance(reorder, bool | np.bool_) or (isinstance(reorder, int) and reorder in (0, 1)):  # as in `params`
        return bool(reorder), None
    array = np.asarray(reorder)
    if array.ndim == 0:
        raise TypeError(f"{name} must be a bool or document ids, got {type(reorder).__name__}")
    if array.ndim != 1:
        raise ValueError(f"{name} must be a bool or have one dimension, got {array.ndim}")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be a bool or document ids, got dtype {array.dtype}")
    outside = array[(array < 0) | (array >= MAX_TERMS)]
    if outside.size:
        raise ValueError(f"{name}: {outside[0]} is not a document")
    return True, np.ascontiguousarray(array, dtype=np.uint32)


def as_path(path: str | os.PathLike[str], name: str = "path") -> bytes:
    """Return a path as the bytes that the system takes, or raise."""
    try:
        encoded = os.fsencode(path)
    except TypeError:
        raise TypeError(f"{name} must be a str, bytes or os.PathLike, got {type(path).__name__}") from None
    if b"\0" in encoded:
        raise ValueError(f"{name} has a null character: {path!r}")
    return encoded


def as_terms(terms: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Return term ids as a uint32 array, contiguous unless they are one already; the core copies then."""
    if type(terms) is np.ndarray and terms.dtype is _UINT32:
        return terms
    if is_row(terms):
        raise TypeError("weights: a whole query has its own, and k goes by keyword: search_one(query, k=5)")
    array = np.asarray(terms)
    if array.dtype != np.uint32:
        if array.size == 0:
            return np.empty(array.shape, np.uint32)
        if array.dtype.kind not in "iu":
            raise TypeError(f"terms must be whole numbers, got dtype {array.dtype}")
        outside = array[(array < 0) | (array >= MAX_TERMS)]
        if outside.size:
            raise ValueError(f"terms: {outside[0]} is not in [0, 2**32)")
    return np.ascontiguousarray(array, dtype=np.uint32)


def as_weights(weights: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return weights as a float32 array, contiguous unless they are one already; the core copies then."""
    if type(weights) is np.ndarray and weights.dtype is _FLOAT32:
        return weights
    array = np.asarray(weights)
    if array.dtype == np.float32:
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "fiub" and array.size:
        raise TypeError(f"weights must be real numbers, got dtype {array.dtype}")
    try:
        with np.errstate(all="ignore", over="raise"):
            return np.ascontiguousarray(array, dtype=np.float32)
    except FloatingPointError:
        largest = array.ravel()[np.argmax(np.abs(array))]
        raise ValueError(f"weights: {largest} is beyond float32; weights must be finite float32 values") from None


_CONVERTERS: dict[type, Callable[[Any, str], object]] = {
    bool: as_flag,
    int: as_int64,
    float: as_number,
    str: as_name,
}
