"""The column file: the columns of a segment's declared fields, written once and mapped.

All numbers are little-endian::

    0    8 bytes  magic: THRCOLMN
    8    u32      format version: 1
    12   u32      checksum of header and directory, with this field zero
    16   u64      size of the file in bytes
    24   u64      number of documents
    32   u64      size of the directory in bytes, without its padding
    40   24 bytes reserved: zero
    64            directory: JSON in UTF-8, padded with zeros to a multiple of 64
    ...           parts in the order of the directory, each padded likewise; the file ends behind the last

The directory is ``{"fields": [{"name", "kind", "form", "parts": [{"name", "dtype", "offset", "size", "checksum"}]}]}``,
fields by name; offset and size in bytes, without the padding. Forms and their parts are those of `column`. A checksum
is the CRC-32 of zlib, of a part with its padding. Header and directory are checked when the file is opened; a
column's checksums and values before its first use.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thresher import FormatError
from thresher.collection.filters.column import FORMS, Column, dtype_of
from thresher.collection.filters.dictionaries import Array
from thresher.collection.filters.fields import Kind, check_fields

MAGIC = b"THRCOLMN"
VERSION = 1
MAX_DOCS = 2**32

_HEADER = struct.Struct("<8sIIQQQ24x")
_CHECKSUM_AT = slice(12, 16)
_ALIGNMENT = 64

_DTYPES = {
    "codes": ("|u1", "<u2", "<u4"),
    "words": ("|u1",),
    "ends": ("<u4", "<u8"),
    "starts": ("<u4", "<u8"),
    "presence": ("<u8",),
}


class Part(NamedTuple):
    """Where an array lies in the file."""

    name: str
    dtype: str
    offset: int
    size: int
    checksum: int


class Entry(NamedTuple):
    """A field's line of the directory."""

    kind: Kind
    form: type[Column]
    parts: tuple[Part, ...]


def write(path: str | os.PathLike[str], fields: Mapping[str, Kind], columns: Mapping[str, Column], n_docs: int) -> None:
    """Write a column file, which appears whole and is on the disk when this returns.

    Raises
    ------
    OSError
        If it can't be written.
    """
    # Imported here: only who writes needs the readers and writers of other files.
    from thresher.formats._atomic import atomic_write  # noqa: PLC0415

    arrays = {
        field: {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in parts.items()}
        for field, parts in ((field, columns[field].parts()) for field in sorted(fields))
    }
    directory, size = _directory(fields, columns, arrays)
    header = bytearray(_HEADER.pack(MAGIC, VERSION, 0, size, n_docs, len(directory)))
    header[_CHECKSUM_AT] = struct.pack("<I", zlib.crc32(directory, zlib.crc32(header)))
    with atomic_write(path) as out:
        out.write(header)
        out.write(_padded(directory))
        for parts in arrays.values():
            for array in parts.values():
                out.write(array.view(np.uint8).data)
                out.write(bytes(-array.nbytes % _ALIGNMENT))


def _directory(
    fields: Mapping[str, Kind], columns: Mapping[str, Column], arrays: Mapping[str, Mapping[str, Array]]
) -> tuple[bytes, int]:
    """Return the directory, and the size of the file.

    Offsets stand in the directory, and depend on its size: it is made longer until they fit.
    """
    room = 0
    while True:
        entries = []
        offset = _HEADER.size + room
        for field, parts in arrays.items():
            found = []
            for name, array in parts.items():
                checksum = zlib.crc32(bytes(-array.nbytes % _ALIGNMENT), zlib.crc32(array.view(np.uint8).data))
                found.append(Part(name, array.dtype.str, offset, array.nbytes, checksum)._asdict())
                offset += _aligned(array.nbytes)
            entries.append({"name": field, "kind": fields[field], "form": columns[field].form, "parts": found})
        directory = json.dumps({"fields": entries}, separators=(",", ":"), ensure_ascii=False).encode()
        if _aligned(len(directory)) == room:
            return directory, offset
        room = max(_aligned(len(directory)), room)


class ColumnFile:
    """An open column file: its directory, and columns as they are asked for."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Map a file and check its header and directory.

        Raises
        ------
        FormatError
            If it is no column file, is cut off, or header or directory are altered.
        OSError
            If the system can't open it.
        """
        self.path = path
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _HEADER.size:
                raise FormatError(f"{path}: no column file: it has {size} bytes")
            self._bytes = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        self.n_docs, self._entries = self._read_directory(size)
        self.fields = {name: entry.kind for name, entry in self._entries.items()}

    def column(self, field: str) -> Column:
        """Return a field's column, checked.

        Raises
        ------
        FormatError
            If the part of the file is altered.
        """
        entry = self._entries[field]
        parts = {}
        for part in entry.parts:
            if zlib.crc32(memoryview(self._bytes)[part.offset : part.offset + _aligned(part.size)]) != part.checksum:
                raise FormatError(f"{self.path}: {part.name} of {field!r} are altered: the checksum differs")
            dtype = np.dtype(part.dtype)
            parts[part.name] = np.frombuffer(self._bytes, dtype, part.size // dtype.itemsize, part.offset)
        try:
            column = entry.form.from_parts(parts, self.n_docs)
            column.check()
        except FormatError as error:
            raise FormatError(f"{self.path}: {field!r}: {error}") from None
        return column

    def _read_directory(self, size: int) -> tuple[int, dict[str, Entry]]:
        header = bytearray(self._bytes[: _HEADER.size])
        magic, version, checksum, told, n_docs, length = _HEADER.unpack(header)
        if magic != MAGIC:
            raise FormatError(f"{self.path}: no column file")
        if version != VERSION:
            raise FormatError(f"{self.path}: a column file of version {version}; this library reads {VERSION}")
        if told != size or _HEADER.size + _aligned(length) > size or n_docs > MAX_DOCS:
            raise FormatError(f"{self.path}: {size} bytes, where the header tells of {told}")
        header[_CHECKSUM_AT] = bytes(4)
        directory = self._bytes[_HEADER.size : _HEADER.size + length]
        padding = self._bytes[_HEADER.size + length : _HEADER.size + _aligned(length)]
        if zlib.crc32(directory, zlib.crc32(header)) != checksum or any(padding):
            raise FormatError(f"{self.path}: header or directory are altered: the checksum differs")
        try:
            entries = _entries(json.loads(directory), _HEADER.size + _aligned(length), size)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise FormatError(f"{self.path}: the directory is not one: {error}") from None
        return n_docs, entries


def _entries(directory: Any, offset: int, size: int) -> dict[str, Entry]:  # noqa: ANN401 - JSON
    """Return what a directory says, or raise one of several exceptions."""
    given = {entry["name"]: entry["kind"] for entry in directory["fields"]}
    fields = check_fields(given)
    if list(fields) != [entry["name"] for entry in directory["fields"]]:
        raise ValueError("fields are not sorted")
    found = {}
    for entry in directory["fields"]:
        kind = fields[entry["name"]]
        form = next((form for form in FORMS[kind] if form.form == entry["form"]), None)
        if form is None:
            raise ValueError(f"no column of the kind {kind} has the form {entry['form']!r}")
        parts = []
        for given_part in entry["parts"]:
            part = Part(**given_part)
            _check_part(part, kind, offset, size)
            offset += _aligned(part.size)
            parts.append(part)
        names = {part.name for part in parts}
        if names not in _part_names(kind, form.form) or len(names) != len(parts):
            raise ValueError(f"{entry['name']!r} has other parts than a column of its form")
        found[entry["name"]] = Entry(kind, form, tuple(parts))
    if offset != size:
        raise ValueError("parts do not fill the file")
    return found


def _part_names(kind: Kind, form: str) -> list[set[str]]:
    """Return which parts a column of a form may have."""
    words = {"words", "ends"}
    return {
        "codes": [{"codes"} | (words if kind == "keyword" else {"numbers"})],
        "values": [{"values"}, {"values", "presence"}],
        "bits": [{"values", "presence"}],
        "lists": [words | {"starts", "codes", "presence"}],
    }[form]


def _check_part(part: Part, kind: Kind, offset: int, size: int) -> None:
    if not all(type(number) is int for number in (part.offset, part.size, part.checksum)):
        raise ValueError(f"{part} has something else than whole numbers")
    if part.offset != offset or not 0 <= part.size <= size - offset or _aligned(part.size) > size - offset:
        raise ValueError(f"{part} is not in its place")
    own = "<u8" if kind == "bool" else dtype_of(kind).newbyteorder("<").str
    if part.dtype not in _DTYPES.get(part.name, (own,)) or part.name not in {*_DTYPES, "values", "numbers"}:
        raise ValueError(f"{part} has a dtype of another")
    if part.size % np.dtype(part.dtype).itemsize:
        raise ValueError(f"{part} has no whole number of elements")


def _aligned(size: int) -> int:
    return size + -size % _ALIGNMENT


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _ALIGNMENT)
