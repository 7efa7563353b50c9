"""Markdown: a passage a section, titled by the headings that it stands under; long ones are cut as text is."""

from __future__ import annotations

import re

from thresher.folders.reading.passage import Passage, Reading
from thresher.folders.reading.text import cut

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_PARAGRAPH = re.compile(r" {0,3}(?:[-+*>|]|\d+[.)]|#{1,6}\s)|\s{4}|\s*$")


def read(title: str, content: str) -> Reading:
    """Return the passages of Markdown."""
    reading = Reading()
    lines = content.split("\n")
    headings: dict[int, str] = {}
    first = _behind_front_matter(lines)
    begin = 0

    def end_section(behind: int) -> None:
        called = " > ".join(headings.values()) or title
        section = "\n".join(lines[begin:behind])
        reading.passages += [Passage(piece, called, f"line {line}") for line, piece in cut(section, begin + 1)]

    fence = ""
    for number in range(first, len(lines)):
        line = lines[number]
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not line[found.end() :].strip():
                fence = ""
            continue
        if found:
            fence = found[1]
            continue
        at, level, heading = number, 0, ""
        if (marked := _HEADING.match(line)) is not None:
            level, heading = len(marked[1]), marked[2] or ""
        elif (under := _UNDERLINE.match(line)) and number > first and not _NO_PARAGRAPH.match(lines[number - 1]):
            at, level, heading = number - 1, 1 if under[1][0] == "=" else 2, lines[number - 1].strip()
        if level:
            end_section(at)
            begin = at
            headings = {above: name for above, name in headings.items() if above < level}
            if heading:
                headings[level] = heading
    end_section(len(lines))
    return reading


def _behind_front_matter(lines: list[str]) -> int:
    """Return the line behind the settings that a page may begin with, between lines of three dashes."""
    if lines[0].rstrip() == "---":
        for number in range(1, len(lines)):
            if lines[number].rstrip() in ("---", "..."):
                return number + 1
    return 0
