"""Vectors as the catalogue keeps them until they are in a segment: compressed rows, in the order that they came in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from thresher import _core
from thresher._matrix import CsrArrays, check_offsets

if TYPE_CHECKING:
    import numpy.typing as npt

_HEADER = struct.Struct("<4sIIQQ")  # magic, checksum of what follows, rows, nonzeros, terms
_MAGIC = b"TVB1"
MAX_BYTES = 1 << 28  # of a batch: sqlite takes values of less than 2^30


def encoded(rows: CsrArrays) -> bytes:
    """Return rows as bytes."""
    lengths = np.diff(rows.indptr).astype("<u4")
    body = b"".join((lengths.tobytes(), rows.indices.astype("<u4").tobytes(), rows.data.astype("<f4").tobytes()))
    header = struct.pack("<IQQ", len(lengths), rows.indices.size, rows.shape[1])
    return _MAGIC + struct.pack("<I", zlib.crc32(body, zlib.crc32(header))) + header + body


def decoded(data: bytes, where: str) -> tuple[CsrArrays, int]:
    """Return the rows that bytes begin with, and how many bytes those are.

    Raises
    ------
    thresher.FormatError
        If they are damaged, saying `where` they come from.
    """
    if len(data) < _HEADER.size:
        raise _core.FormatError(f"{where}: vectors are cut short")
    magic, checksum, n, nnz, n_terms = _HEADER.unpack_from(data)
    end = _HEADER.size + 4 * n + 8 * nnz
    if magic != _MAGIC or end > len(data):
        raise _core.FormatError(f"{where}: these are no vectors")
    if zlib.crc32(memoryview(data)[8:end]) != checksum:
        raise _core.FormatError(f"{where}: the checksum of vectors is wrong")
    lengths = np.frombuffer(data, "<u4", n, _HEADER.size)
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(lengths, out=indptr[1:])
    if indptr[-1] != nnz:
        raise _core.FormatError(f"{where}: vectors have {nnz} entries, and rows of {indptr[-1]}")
    indices = np.frombuffer(data, "<u4", nnz, _HEADER.size + 4 * n)
    weights = np.frombuffer(data, "<f4", nnz, _HEADER.size + 4 * n + 4 * nnz)
    return CsrArrays(indptr, indices, weights, (n, n_terms)), end


def pack(vectors: Mapping[str, CsrArrays]) -> bytes:
    """Return the vectors of some documents, in the order of their names in the schema."""
    return b"".join(map(encoded, vectors.values()))


def unpack(data: bytes, names: Mapping[str, object], where: str) -> dict[str, CsrArrays]:
    """Return what `pack` was given."""
    vectors = {}
    for name in names:
        vectors[name], end = decoded(data, where)
        data = data[end:]
    if data:
        raise _core.FormatError(f"{where}: {len(data)} bytes behind the vectors")
    return vectors


def part_of(rows: CsrArrays, begin: int, end: int) -> CsrArrays:
    """Return some consecutive rows."""
    first, last = rows.indptr[begin], rows.indptr[end]
    return CsrArrays(
        rows.indptr[begin : end + 1] - first,
        rows.indices[first:last],
        rows.data[first:last],
        (end - begin, rows.shape[1]),
    )


def joined(parts: Sequence[CsrArrays]) -> CsrArrays:
    """Return the rows of several matrices, one's behind the other's."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(rows.indices.size for rows in parts)])
    return CsrArrays(
        np.concatenate([*(rows.indptr[:-1] + start for rows, start in zip(parts, starts, strict=False)), starts[-1:]]),
        np.concatenate([rows.indices for rows in parts]),
        np.concatenate([rows.data for rows in parts]),
        (sum(rows.shape[0] for rows in parts), max(rows.shape[1] for rows in parts)),
    )


def chosen(rows: CsrArrays, places: Sequence[int] | npt.NDArray[np.int64]) -> CsrArrays:
    """Return the rows at some places."""
    check_offsets(rows.indptr, "vectors")
    picked = np.asarray(places, np.int64)
    if picked.size == rows.shape[0] and (np.diff(picked) == 1).all():
        return rows  # all of them
    lengths = np.diff(rows.indptr)[picked]
    indptr = np.zeros(picked.size + 1, np.int64)
    np.cumsum(lengths, out=indptr[1:])
    entries = np.repeat(rows.indptr[picked] - indptr[:-1], lengths) + np.arange(indptr[-1])
    return CsrArrays(indptr, rows.indices[entries], rows.data[entries], (picked.size, rows.shape[1]))


def stretches(vectors: Mapping[str, CsrArrays], n: int) -> Iterator[tuple[int, int]]:
    """Divide documents into stretches whose vectors take a bounded number of bytes together."""
    sizes = sum((4 + 8 * np.diff(rows.indptr) for rows in vectors.values()), np.zeros(n, np.int64))
    begin = total = 0
    for place, size in enumerate(sizes.tolist()):
        if total + size > MAX_BYTES and place > begin:
            yield begin, place
            begin, total = place, 0
        total += size
    if n > begin:
        yield begin, n
