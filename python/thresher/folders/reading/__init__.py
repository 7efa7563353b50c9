"""Files become passages: by paragraphs, headings, lines or rows, as their kind has them."""

from __future__ import annotations

from thresher.folders.reading.decoding import Decoded, decoded, is_binary
from thresher.folders.reading.passages import Passage, Reading, passages_of

__all__ = ["Decoded", "Passage", "Reading", "decoded", "is_binary", "passages_of"]
