"""Plain text: paragraphs, put together and cut to about 200 words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from thresher.folders.reading.passage import Passage, Reading

MOST_WORDS = 200
MOST_CHARACTERS = 2000  # where words are long, or not told apart by spaces

_PARAGRAPH = re.compile(r"(?:[^\S\n]*\S[^\n]*(?:\n|\Z))+")
_WORD = re.compile(r"\S{1,100}")
_SENTENCE = re.compile(r"[.!?]['\")\]]*\s+|[\u3002\uff01\uff1f]")


def read(title: str, content: str) -> Reading:
    """Return the passages of a text."""
    return Reading([Passage(piece, title, f"line {line}") for line, piece in cut(content)])


def cut(content: str, line: int = 1) -> Iterator[tuple[int, str]]:
    """Yield the passages of a text, each with the number of the line that it begins on.

    Parameters
    ----------
    content
        A text; paragraphs are parted by blank lines. Short ones stay together, up to `MOST_WORDS`; one that is longer
        is cut, behind a sentence if there is one in its second half.
    line
        The number of its first line.
    """
    counted = 0
    begin = end = words = 0
    for found in _PARAGRAPH.finditer(content):
        for first, behind, n in _pieces(content, found.start(), found.end()):
            if words and (words + n > MOST_WORDS or behind - begin > MOST_CHARACTERS):
                line += content.count("\n", counted, begin)
                counted = begin
                yield line, content[begin:end].strip()
                words = 0
            if not words:
                begin = first + _blank(content, first)
            end, words = behind, words + n
    if words:
        yield line + content.count("\n", counted, begin), content[begin:end].strip()


def _blank(content: str, first: int) -> int:
    """Return how many characters there are before the first word."""
    found = _WORD.search(content, first)
    return 0 if found is None else found.start() - first


def _pieces(content: str, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield where pieces of a paragraph begin and end, and their words."""
    while begin < end:
        n, behind = 0, begin
        for found in _WORD.finditer(content, begin, end):
            if n and (n == MOST_WORDS or found.end() - begin > MOST_CHARACTERS):
                break
            n, behind = n + 1, found.end()
        if n == 0:
            return
        if content[behind:end].strip():
            stops = [found.end() for found in _SENTENCE.finditer(content, begin + (behind - begin) // 2, behind)]
            if stops:
                behind = stops[-1]
                n = sum(1 for _ in _WORD.finditer(content, begin, behind))
        else:
            behind = end
        yield begin, behind, n
        begin = behind
