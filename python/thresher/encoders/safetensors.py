"""One tensor out of a safetensors file: 8 bytes of length, a header of JSON, and raw little-endian data."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from thresher import FormatError

_LARGEST_HEADER = 100_000_000  # bytes; the format allows no more
_TYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}


def read_vector(path: str | os.PathLike[str], name: str) -> npt.NDArray[np.float32]:
    """Return a tensor of one dimension, as float32.

    Parameters
    ----------
    path
        The file.
    name
        The tensor's; it may be of float16, bfloat16, float32 or float64.

    Raises
    ------
    thresher.FormatError
        If the file is damaged, or has no such tensor.
    OSError
        If it can't be read.
    """
    where = os.fsdecode(path)
    with Path(where).open("rb") as file:
        try:
            kind, data = _read(file, name)
        except ValueError as error:
            raise FormatError(f"{where}: {error}") from error
    if kind == "BF16":
        return (data.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # of float64: infinite, which is found where it is used
        return data.astype(np.float32)


def _read(file: BinaryIO, name: str) -> tuple[str, npt.NDArray[Any]]:
    """Return the type and the values of a tensor."""
    header, begin = _header(file)
    kind, length, first, last = _place(header, name)
    held = os.fstat(file.fileno()).st_size - begin
    if last > held:
        raise ValueError(f'"{name}" ends at byte {last} of the data, which has {held}')
    file.seek(begin + first)
    return kind, np.frombuffer(file.read(last - first), _TYPES[kind], length)


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Return the header, and where the data begin."""
    size = os.fstat(file.fileno()).st_size
    if size < 8:
        raise ValueError(f"has {size} bytes, which is too short for a safetensors file")
    length = int.from_bytes(file.read(8), "little")
    if length > min(size - 8, _LARGEST_HEADER):
        raise ValueError(f"the header is said to have {length} bytes, in a file of {size}")
    try:
        header = json.loads(file.read(length).decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise ValueError("the header is no object")  # noqa: TRY004 - of the file, not of an argument
    return header, 8 + length


def _place(header: dict[str, Any], name: str) -> tuple[str, int, int, int]:
    """Return the type and length of a tensor, and where it begins and ends in the data."""
    entry: Any = header.get(name)
    if not isinstance(entry, dict):
        known = ", ".join(sorted(key for key in header if key != "__metadata__")[:5])
        raise ValueError(f'has no tensor "{name}", but {known or "none"}')  # noqa: TRY004
    kind: Any = entry.get("dtype")
    shape: Any = entry.get("shape")
    offsets: Any = entry.get("data_offsets")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f'"{name}" is of type {kind!r}, not one of {", ".join(_TYPES)}')
    if not _whole(shape, 1):
        raise ValueError(f'"{name}" must have one dimension, got the shape {shape!r}')
    if not _whole(offsets, 2) or offsets[0] > offsets[1]:
        raise ValueError(f'"{name}" has the offsets {offsets!r}, which are none')
    expected = math.prod(shape) * _TYPES[kind].itemsize
    if offsets[1] - offsets[0] != expected:
        raise ValueError(f'"{name}" takes {offsets[1] - offsets[0]} bytes, its shape {shape} {expected}')
    return kind, shape[0], offsets[0], offsets[1]


def _whole(values: Any, length: int) -> bool:  # noqa: ANN401 - of JSON
    """Return whether it is a list of so many whole numbers >= 0."""
    if not isinstance(values, list) or len(values) != length:
        return False
    return all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values)
