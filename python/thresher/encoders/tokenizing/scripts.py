"""Where words are in a text, by the properties of its characters.

A word is a run of letters, digits, marks and underscores, with apostrophes inside. An emoji is a word, with what
modifies it. A run of a script that is written without spaces becomes all pairs of neighbouring characters, as Lucene's
CJKAnalyzer does for Chinese, Japanese and Korean: this needs no dictionary. One character alone stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
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
_PICTURE = r"\p{Extended_Pictographic}\p{Emoji_Modifier}?"
_EMOJI = rf"\p{{Regional_Indicator}}{{2}}|{_PICTURE}(?:\N{{ZERO WIDTH JOINER}}{_PICTURE})*"

# Blocks that hold them all, and little else: found much faster than properties are.
_blocks = re.compile(
    "[\u02ea\u02eb\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u19e0-\u19ff\u2e80-\u9fff\ua960-\ua97f\ua9e0-\uaa7f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdf\U000116d0-\U000116ff\U00016f00-\U00018fff\U0001aff0-\U0001b16f\U0001f200-\U0001f2ff\U00020000-\U0003ffff]"
)
_unspaced = regex.compile(rf"(?V1)[{_UNSPACED}--\p{{M}}]")
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


def has_unspaced(text: str) -> bool:
    """Return whether a text has characters of scripts without spaces."""
    return _blocks.search(text) is not None and _unspaced.search(text) is not None


def with_pairs(words: list[str]) -> Iterator[str]:
    """Yield words, and the pairs of characters of those that are of scripts without spaces."""
    for word in words:
        if not has_unspaced(word):
            yield word
            continue
        for run, other in _runs.findall(word):
            if not run:
                yield other
                continue
            characters = _characters.findall(run)
            if len(characters) == 1:
                yield run
            for left, right in pairwise(characters):
                yield left + right
