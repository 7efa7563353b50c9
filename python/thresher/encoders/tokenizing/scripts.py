"""Where words are in a text, by the properties of its characters.

A word is a run of letters, digits, marks and underscores, with apostrophes inside. An emoji is a word, with what modifies
it. A run of a script that is written without spaces becomes all pairs of neighbouring characters, as Lucene's
CJKAnalyzer does for Chinese, Japanese and Korean: this needs no dictionary. One character alone stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from thresher._extras import missing

try:
    import regex
except ImportError as error:
    raise ImportError(missing("words of texts need regex", "text")) from error

if TYPE_CHECKING:
    from collections.abc import Callable

_APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"

# Beside the scripts: marks of iteration and length, which belong to several.
_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    "\N{IDEOGRAPHIC ITERATION MARK}\N{IDEOGRAPHIC CLOSING MARK}\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}"
)
_CHARACTER = rf"[{_UNSPACED}--\p{{M}}]\p{{M}}*"  # with the marks on it
_EMOJI = (
    r"\p{Regional_Indicator}{2}"
    r"|\p{Extended_Pictographic}\p{Emoji_Modifier}?(?:\N{ZERO WIDTH JOINER}\p{Extended_Pictographic}\p{Emoji_Modifier}?)*"
)

unspaced = regex.compile(rf"(?V1)[{_UNSPACED}--\p{{M}}]")
_runs = regex.compile(rf"(?V1)((?:{_CHARACTER})+)|((?:(?!{_CHARACTER}).)+)", regex.DOTALL)
_characters = regex.compile(rf"(?V1){_CHARACTER}")


def words_of_ascii(*, elides: bool) -> Callable[[str], list[str]]:
    """Return what finds the words in ASCII, as `words_of_any` does."""
    return re.compile(r"\w+" if elides else r"\w+(?:'\w+)*", re.ASCII).findall


def words_of_any(*, elides: bool) -> Callable[[str], list[str]]:
    """Return what finds words and emoji in any text; those of scripts without spaces are runs as yet.

    `elides`: whether apostrophes end words.
    """
    word = r"\w+" if elides else rf"\w+(?:[{_APOSTROPHES}]\w+)*"
    found: Callable[[str], list[str]] = regex.compile(rf"(?V1){word}|{_EMOJI}").findall
    return found


def with_pairs(words: list[str]) -> Iterator[str]:
    """Yield words, and the pairs of characters of those that are of scripts without spaces."""
    for word in words:
        if not unspaced.search(word):
            yield word
            continue
        for run, other in _runs.findall(word):
            if not run:
                yield other
                continue
            characters = _characters.findall(run)
            if len(characters) == 1:
                yield run
            for left, right in zip(characters, characters[1:], strict=False):
                yield left + right
