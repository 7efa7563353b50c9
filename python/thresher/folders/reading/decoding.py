"""Bytes become text: UTF-8, or UTF-16 and UTF-32 that say so by a byte order mark."""

from __future__ import annotations

import codecs
from typing import NamedTuple

# UTF-32 before UTF-16, whose mark its own begins with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 8192  # bytes that tell whether a file is binary
_MAGIC = (b"%PDF-", b"\x1f\x8b", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF")
_CONTROLS = frozenset({*range(32), 127}) - frozenset(b"\t\n\v\f\r\x08\x1b")
_MOST_CONTROLS = 0.1


class Decoded(NamedTuple):
    """The text of a file."""

    text: str
    replaced: bool
    """Whether some bytes were none of its encoding, and have U+FFFD in their place."""


def decoded(data: bytes) -> Decoded:
    """Return the text that bytes are; all line ends are line feeds, and NUL is left out."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    data = data[len(mark) :]
    try:
        text, replaced = data.decode(encoding), False
    except UnicodeDecodeError:
        text, replaced = data.decode(encoding, "replace"), True
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""), replaced)


def is_binary(data: bytes) -> bool:
    """Tell whether bytes, of which the first are looked at, are no text."""
    sample = data[:_SAMPLE]
    if any(sample.startswith(mark) for mark, _ in _MARKS):
        return False
    if sample.startswith(_MAGIC) or b"\0" in sample:
        return True
    return sum(byte in _CONTROLS for byte in sample) > _MOST_CONTROLS * len(sample)
