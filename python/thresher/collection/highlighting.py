"""Which words of a text made its score: spans of characters, and the fragments that have the most of them.

Spans come from the encoder, if it has `spans`. Otherwise words are looked for in the text. An encoder that counts words
(BM25) is asked what each word of the text becomes, so that stems lead back to all of their forms. Others' terms are
words themselves, or pieces of such: a word is found that matching pieces make up.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeGuard

from thresher.collection.weighing import is_counting
from thresher.encoders.marks import MARK

if TYPE_CHECKING:
    from thresher.collection.catalogue import Id
    from thresher.collection.weighing import Counting
    from thresher.encoders import Encoder

_SEEN = 0.25  # what a term counts in a fragment, where one before has it
_GAP = " … "


class Span(NamedTuple):
    """A word of a text that made its score."""

    begin: int
    end: int
    words: tuple[str, ...]
    """The terms that stand there, as the encoder calls them."""
    product: float
    """What these terms add to the score, wherever they stand in the text."""


class Fragment(NamedTuple):
    """A piece of a text."""

    begin: int
    end: int
    text: str
    spans: list[Span]
    """Those in it, by their places in the whole text."""


@dataclasses.dataclass(frozen=True)
class Highlight:
    """Where a document's text has what made its score.

    Attributes
    ----------
    id
        The document's.
    score
        As a search returns it.
    text
        The whole text; None if the document has none.
    spans
        All that match, in the order of the text.
    fragments
        The best pieces, in the order of the text.
    """

    id: Id
    score: float
    text: str | None
    spans: list[Span] = dataclasses.field(repr=False)
    fragments: list[Fragment]

    def marked(self, before: str = "**", after: str = "**", *, escape: Callable[[str], str] = str) -> str:
        """Return the fragments as one string, with marks around what matches.

        Parameters
        ----------
        before, after
            The marks.
        escape
            What text between marks goes through, such as `html.escape`.
        """
        pieces = [
            "".join(
                before + escape(piece) + after if is_match else escape(piece) for piece, is_match in _pieces(fragment)
            )
            for fragment in self.fragments
        ]
        return _GAP.join(pieces)


class Locating(Protocol):
    """An encoder that knows where its terms stand."""

    def spans(self, text: str) -> Sequence[tuple[int, int, str]]:
        """Return for each term in a text, also pieces of words, where it begins and ends, and what `terms` calls it."""


def _is_locating(encoder: object) -> TypeGuard[Locating]:
    return hasattr(encoder, "spans")


def highlighted(
    one: Id,
    score: float,
    text: str | None,
    products: Mapping[str, float],
    encoder: Encoder | None,
    *,
    fragments: int,
    size: int,
) -> Highlight:
    """Return where a text has the terms that made its score.

    Parameters
    ----------
    one, score, text
        The document.
    products
        What each term, by its word, adds to the score.
    encoder
        What made the terms; None if words were given.
    fragments, size
        How many at most, and characters of each at most.
    """
    wanted = {word: product for word, product in products.items() if product > 0 and word and MARK not in word}
    if text is None:
        return Highlight(one, score, None, [], [])
    spans = joined(located(text, wanted, encoder), wanted)
    return Highlight(one, score, text, spans, best_fragments(text, spans, wanted, fragments, size))


# ------------------------------------------------------------------------------------------------- where terms stand


def located(text: str, wanted: Mapping[str, float], encoder: Encoder | None) -> Iterator[tuple[int, int, str]]:
    """Yield where terms stand in a text, in no order."""
    if _is_locating(encoder):
        for begin, end, word in encoder.spans(text):
            if word in wanted and 0 <= begin < end <= len(text):
                yield begin, end, word
    elif is_counting(encoder):
        yield from _counted(text, wanted, encoder)
    elif (inner := getattr(encoder, "encoder", None)) is not None:  # one beside whose terms others stand, as phrases
        yield from located(text, wanted, inner)
    else:
        yield from _by_words(text, wanted)


def _counted(text: str, wanted: Mapping[str, float], encoder: Counting) -> Iterator[tuple[int, int, str]]:
    """Yield the words that become terms; of a word that becomes several, the parts that read as they do."""
    missing = set(wanted)
    for pattern in (_word(), re.compile(r"\S+")):  # a tokenizer of one's own may cut at spaces alone
        places: dict[str, list[int]] = {}
        for match in pattern.finditer(text):
            places.setdefault(match[0], []).append(match.start())
        words = list(places)
        counts = encoder.count(words)
        rows, names = counts.frequencies, counts.words
        found: set[str] = set()
        for number, word in enumerate(words):
            terms = [names[column] for column in rows.indices[rows.indptr[number] : rows.indptr[number + 1]].tolist()]
            for term in terms:
                if term not in missing:
                    continue
                for offset, end in _parts(word, term) if len(terms) > 1 else [(0, len(word))]:
                    for place in places[word]:
                        yield place + offset, place + end, term
                found.add(term)
        missing -= found
        if not missing:
            return
    for term in missing:  # one that is several words, of a tokenizer of one's own
        if not _word().fullmatch(term):
            yield from ((begin, end, term) for begin, end in _read(text, term))


def _parts(word: str, term: str) -> list[tuple[int, int]]:
    """Return where a word reads as a term, as in Chinese, whose words are pairs of characters; or all of it."""
    return _read(word, term) or [(0, len(word))]


def _read(text: str, term: str) -> list[tuple[int, int]]:
    """Return where a text, in normal form and without case, has a term."""
    pieces = [unicodedata.normalize("NFKC", character).casefold() for character in text]
    of = [place for place, piece in enumerate(pieces) for _ in piece]  # the character that each one comes of
    folded = "".join(pieces)
    found, at = [], folded.find(term)
    while at >= 0:
        found.append((of[at], of[at + len(term) - 1] + 1))
        at = folded.find(term, at + 1)
    return found


def _by_words(text: str, wanted: Mapping[str, float]) -> Iterator[tuple[int, int, str]]:
    """Yield the words of a text that are terms, or that pieces of words among the terms make up."""
    whole: dict[str, list[str]] = {}
    starts: dict[str, str] = {}
    inner: dict[str, str] = {}
    for term in wanted:
        plain = unicodedata.normalize("NFKC", term).casefold()
        if plain.startswith("##"):
            inner[plain[2:]] = term
        else:
            plain = plain.lstrip("▁Ġġ ")
            whole.setdefault(plain, []).append(term)
            starts[plain] = term
    for match in _word().finditer(text):
        word = unicodedata.normalize("NFKC", match[0]).casefold()
        found = whole.get(word) or (_made_up(word, starts, inner) if inner else [])
        for term in found:
            yield match.start(), match.end(), term


def _made_up(word: str, starts: Mapping[str, str], inner: Mapping[str, str]) -> list[str]:
    """Return the pieces that a word is made up of, the longest first; none unless all of it is."""
    found: list[str] = []
    begin = 0
    while begin < len(word):
        pieces = inner if begin else starts
        end = next((end for end in range(len(word), begin, -1) if word[begin:end] in pieces), None)
        if end is None:
            return []
        found.append(pieces[word[begin:end]])
        begin = end
    return found


@functools.cache
def _word() -> re.Pattern[str]:
    """Return a pattern of words: letters, digits, marks, and apostrophes between them; or other symbols, as emoji."""
    marks = "".join(chr(code) for code in range(0x10000) if unicodedata.category(chr(code)).startswith("M"))
    letter = rf"[\w{re.escape(marks)}\u200c\u200d]"
    return re.compile(rf"{letter}+(?:['\u2019]{letter}+)*|[^\w\s\x00-\x7f]+")


def joined(found: Iterable[tuple[int, int, str]], wanted: Mapping[str, float]) -> list[Span]:
    """Return spans in order; those that overlap are one, and so are pieces of one word."""
    groups: list[tuple[int, int, dict[str, None]]] = []
    for begin, end, word in sorted(set(found)):
        touches = groups and (begin < groups[-1][1] or (begin == groups[-1][1] and word.startswith("##")))
        if touches:
            first, last, words = groups[-1]
            groups[-1] = first, max(last, end), words | {word: None}
        else:
            groups.append((begin, end, {word: None}))
    return [Span(begin, end, tuple(words), sum(wanted[word] for word in words)) for begin, end, words in groups]


# --------------------------------------------------------------------------------------------------------- fragments


def best_fragments(text: str, spans: Sequence[Span], wanted: Mapping[str, float], n: int, size: int) -> list[Fragment]:
    """Return the pieces of a text that have the most of what made its score; terms shown already count less."""
    chosen: list[tuple[int, int]] = []  # of the first and behind the last span
    worth = dict(wanted)
    while len(chosen) < n:
        best = _best_window(spans, worth, size, chosen)
        if best is None:
            break
        chosen.append(best)
        for span in spans[slice(*best)]:
            worth |= {word: min(worth[word], _SEEN * wanted[word]) for word in span.words}
    chosen.sort()
    fragments: list[Fragment] = []
    for number, (first, behind) in enumerate(chosen):
        lowest = fragments[-1].end if fragments else 0
        highest = spans[chosen[number + 1][0]].begin if number + 1 < len(chosen) else len(text)
        begin, end = _around(text, spans[first].begin, spans[behind - 1].end, size, (lowest, highest))
        inside = [span for span in spans if begin <= span.begin and span.end <= end]
        fragments.append(Fragment(begin, end, text[begin:end], inside))
    return fragments


def _best_window(
    spans: Sequence[Span], worth: Mapping[str, float], size: int, taken: Sequence[tuple[int, int]]
) -> tuple[int, int] | None:
    """Return the stretch of spans, up to `size` long, whose distinct terms are worth most; the earliest of equals."""
    is_taken = bytearray(len(spans))
    for first, behind in taken:
        is_taken[first:behind] = b"\1" * (behind - first)
    best, best_worth = None, 0.0
    counts: dict[str, int] = {}
    total, behind = 0.0, 0
    for first, span in enumerate(spans):
        if behind < first:
            behind, total = first, 0.0
            counts.clear()
        while (
            behind < len(spans) and not is_taken[behind] and (behind == first or spans[behind].end - span.begin <= size)
        ):
            for word in spans[behind].words:
                counts[word] = counts.get(word, 0) + 1
                total += worth[word] if counts[word] == 1 else 0.0
            behind += 1
        if behind > first and total > best_worth * (1 + 1e-9):
            best, best_worth = (first, behind), total
        if behind > first:
            for word in span.words:
                counts[word] -= 1
                total -= worth[word] if counts[word] == 0 else 0.0
    return best


def _around(text: str, begin: int, end: int, size: int, within: tuple[int, int]) -> tuple[int, int]:
    """Widen a stretch of a text on both sides, up to a size, to where words begin and end."""
    lowest, highest = within
    room = max(size - (end - begin), 0)
    start = max(begin - room // 2, lowest)
    stop = min(start + max(size, end - begin), highest)
    start = max(min(start, stop - size), lowest)
    if start > lowest or (start and not text[start - 1].isspace()):
        start = next((place + 1 for place in range(start - 1 if start else 0, begin) if text[place].isspace()), begin)
    if stop < len(text) and not text[stop].isspace():
        stop = next((place for place in range(stop, end, -1) if text[place - 1].isspace()), end)
    while start < begin and text[start].isspace():
        start += 1
    while stop > end and text[stop - 1].isspace():
        stop -= 1
    return start, stop


def _pieces(fragment: Fragment) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a fragment, and whether each matches."""
    at = fragment.begin
    for span in fragment.spans:
        if span.begin > at:
            yield fragment.text[at - fragment.begin : span.begin - fragment.begin], False
        yield fragment.text[span.begin - fragment.begin : span.end - fragment.begin], True
        at = span.end
    if at < fragment.end:
        yield fragment.text[at - fragment.begin :], False
