"""The module of the messages, which needs protobuf: an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thresher._extras import missing

if TYPE_CHECKING:
    from types import ModuleType


def needed_messages() -> ModuleType:
    """Return the module of the messages, which needs an extra."""
    try:
        from thresher.formats.ciff import _messages  # noqa: PLC0415  (an optional extra)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "google":
            raise
        raise ImportError(missing("CIFF files need protobuf", "ciff")) from error
    return _messages
