"""HTML: the text that a page shows, by its headings; without scripts, styles and what else is not shown."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from thresher.folders.reading.passage import Passage, Reading
from thresher.folders.reading.text import cut

_UNSEEN = frozenset(("script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_INLINE = frozenset((
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd",
    "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
))  # fmt: skip


def read(title: str, content: str) -> Reading:
    """Return the passages of a page."""
    page = _Page(title)
    page.feed(content)
    page.close()
    page.end_section()
    return Reading(page.passages)


class _Page(HTMLParser):
    """Collects what a page shows, section by section."""

    def __init__(self, title: str) -> None:
        super().__init__(convert_charrefs=True)
        self.passages: list[Passage] = []
        self._title = title
        self._heading = ""
        self._unseen: list[str] = []
        self._within = ""  # a title or a heading, whose text is kept
        self._kept: list[str] = []
        self._shown: list[tuple[str, int]] = []
        self._is_preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        if self._unseen or tag in _UNSEEN:
            if not self._unseen or tag == self._unseen[0]:
                self._unseen.append(tag)
            return
        if tag == "title" or tag in _HEADINGS:
            if tag in _HEADINGS:
                self.end_section()
            self._within, self._kept = tag, []
        self._is_preformatted += tag == "pre"
        if tag == "br":
            self._show("\n")
        elif tag in ("td", "th"):
            self._show(" ")
        elif tag not in _INLINE:
            self._show("\n\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN:  # which would have no end
            self.handle_starttag(tag, attrs)
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[0]:
                self._unseen.pop()
            return
        if tag == self._within:
            words = " ".join("".join(self._kept).split())
            if tag == "title":
                self._title = words or self._title
            else:
                self._heading = words
            self._within = ""
        if tag == "pre":
            self._is_preformatted = max(self._is_preformatted - 1, 0)
        if tag not in _INLINE and tag not in ("br", "td", "th"):
            self._show("\n\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._within:
            self._kept.append(data)
        if self._within != "title":
            self._show(data if self._is_preformatted else re.sub(r"\s+", " ", data))

    def _show(self, text: str) -> None:
        self._shown.append((text, self.getpos()[0]))

    def end_section(self) -> None:
        """Cut what was shown since the last heading into passages."""
        if any(text.strip() for text, _ in self._shown):
            # Where each line of what is shown begins on the page.
            places: list[int] = [0]
            for text, line in self._shown:
                if not places[-1] and text.strip():
                    places[-1] = line
                places += [line if piece.strip() else 0 for piece in text.split("\n")[1:]]
            called = " > ".join(dict.fromkeys(part for part in (self._title, self._heading) if part))
            for number, piece in cut("".join(text for text, _ in self._shown)):
                text = re.sub(r"\n[^\S\n]*(?:\n[^\S\n]*)+", "\n\n", piece)
                self.passages.append(Passage(text, called, f"line {places[number - 1]}"))
        self._shown = []
