"""What kind a file is, and the passages that its text is cut into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from thresher.folders.reading import hypertext, markdown, records, text
from thresher.folders.reading.passage import Passage, Reading

_READERS: dict[str, Callable[[str, str], Reading]] = {
    **dict.fromkeys((".md", ".markdown", ".mdown"), markdown.read),
    **dict.fromkeys((".html", ".htm", ".xhtml"), hypertext.read),
    **dict.fromkeys((".jsonl", ".ndjson"), records.read_lines),
    ".csv": records.read_table,
    ".tsv": records.read_tabs,
}


def passages_of(name: str, content: str) -> Reading:
    """Return the passages of a file.

    Parameters
    ----------
    name
        What it is called; the suffix tells its kind. What is of no known kind is plain text.
    content
        Its text.
    """
    path = PurePath(name)
    return _READERS.get(path.suffix.lower(), text.read)(path.stem, content)


__all__ = ["Passage", "Reading", "passages_of"]
