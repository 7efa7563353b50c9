"""The protobuf messages of a CIFF file: described at run time, read and sent behind their lengths.

Code that protoc generates works with the versions of protobuf that it was generated for; a
description works with any. It has a pool of its own, so that it never collides with generated code
for the same format elsewhere in the process.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from thresher import FormatError

Message: TypeAlias = Any  # or the class of one: these are made at run time

VERSION = 1
"""Of the format, in headers."""

_PACKAGE = "io.osirrc.ciff"

# The fields of each message, numbered from 1 in this order.
_MESSAGES = {
    "Header": (
        "int32 version",
        "int32 num_postings_lists",
        "int32 num_docs",
        "int32 total_postings_lists",
        "int32 total_docs",
        "int64 total_terms_in_collection",
        "double average_doclength",
        "string description",
    ),
    "Posting": ("int32 docid", "int32 tf"),
    "PostingsList": ("string term", "int64 df", "int64 cf", "Posting postings"),
    "DocRecord": ("int32 docid", "string collection_docid", "int32 doclength"),
}

_LONGEST = 2**31 - 1  # bytes of a message
_PIECE = 1 << 20  # bytes read at once, and between two progress reports


def _classes() -> dict[str, Message]:
    """Return the class of each message."""
    field_kinds = descriptor_pb2.FieldDescriptorProto
    scalars = {kind: getattr(field_kinds, f"TYPE_{kind.upper()}") for kind in ("int32", "int64", "double", "string")}
    file = descriptor_pb2.FileDescriptorProto(name="ciff.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (kind, field) in enumerate((field.split() for field in fields), 1):
            described = message.field.add(name=field, number=number)
            if kind in scalars:
                described.type, described.label = scalars[kind], field_kinds.LABEL_OPTIONAL
            else:  # the format has messages in messages only repeatedly
                described.type, described.label = field_kinds.TYPE_MESSAGE, field_kinds.LABEL_REPEATED
                described.type_name = f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    described_as = {name: pool.FindMessageTypeByName(f"{_PACKAGE}.{name}") for name in _MESSAGES}
    return {name: message_factory.GetMessageClass(descriptor) for name, descriptor in described_as.items()}


_CLASSES = _classes()

Header: Message = _CLASSES["Header"]
PostingsList: Message = _CLASSES["PostingsList"]
DocRecord: Message = _CLASSES["DocRecord"]


class MessageReader:
    """The messages of a file, one after the other; gzipped if its name ends in ``.gz``."""

    def __init__(
        self, path: str | os.PathLike[str], raw: BinaryIO, progress: Callable[[int, int], None] | None
    ) -> None:
        """Start at the first message of `raw`, which is the file at `path`."""
        self.path = path
        self.offset = 0
        self._raw = raw
        self._size = raw.seek(0, os.SEEK_END)
        raw.seek(0)
        self._source = gzip.GzipFile(fileobj=raw) if Path(path).suffix == ".gz" else raw
        self._progress = progress
        self._reported = 0

    def read(self, kind: Message, what: str) -> tuple[str, Message]:
        """Return where the next message is, as errors say it, and the message, which must be of the class `kind`."""
        if self._progress is not None and self.offset - self._reported >= _PIECE:
            self._reported = self.offset
            self._progress(self._raw.tell(), self._size)
        where = f"{self.path}: offset {self.offset}: {what}"
        content = self._take(self._length(where), where)
        try:
            return where, kind.FromString(content)
        except (DecodeError, UnicodeDecodeError) as error:  # the second where protobuf has no compiled part
            raise FormatError(f"{where}: not a {kind.DESCRIPTOR.name}: {error}") from error

    def finish(self) -> None:
        """Raise FormatError unless the file ends here."""
        if self._source.read(1):
            raise FormatError(f"{self.path}: offset {self.offset}: bytes after the last message")
        if self._progress is not None:
            self._progress(self._size, self._size)

    def _length(self, where: str) -> int:
        """Return the varint that comes next: seven bits a byte, the lowest first, the last without the highest bit."""
        length = shift = 0
        more = True
        while more and length <= _LONGEST and shift < 70:
            byte = self._take(1, where)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            more = byte > 0x7F
        if more or length > _LONGEST:
            raise FormatError(f"{where}: of impossible length")
        return length

    def _take(self, length: int, where: str) -> bytes:
        """Return so many bytes; read in pieces, so that a length beyond the end of the file asks for no memory."""
        pieces: list[bytes] = []
        missing = length
        while missing:
            piece = self._source.read(min(missing, _PIECE))
            if not piece:
                raise FormatError(f"{where}: truncated at offset {self.offset}: {missing} of {length} bytes missing")
            pieces.append(piece)
            missing -= len(piece)
            self.offset += len(piece)
        return b"".join(pieces)


def send(out: BinaryIO, message: Message) -> None:
    """Write a message behind its length."""
    content = message.SerializeToString()
    prefix = bytearray()
    length = len(content)
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    out.write(prefix)
    out.write(content)
