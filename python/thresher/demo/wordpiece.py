"""Cuts texts into BERT's word pieces: lower case, no accents, the longest piece that the vocabulary has first.

References
----------
Devlin et al.: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*, 2019.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence

UNKNOWN = "[UNK]"
_LONGEST_WORD = 100  # characters; of a longer one nothing is known
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))


class _Spacing(dict[int, str]):
    """What a character counts as, by its number: signs and ideographs are words of their own, accents are nothing."""

    def __missing__(self, number: int) -> str:
        self[number] = spaced = self._spaced(chr(number))
        return spaced

    @staticmethod
    def _spaced(character: str) -> str:
        category = unicodedata.category(character)
        if character.isspace():
            return " "
        if category == "Mn" or category[0] == "C" or character == "\ufffd":
            return ""
        sign = character in string.punctuation or category[0] == "P"
        if sign or any(first <= ord(character) <= last for first, last in _IDEOGRAPHS):
            return f" {character} "
        return character


_SPACING = _Spacing()


def words(text: str) -> list[str]:
    """Return the words and signs of a text, lower case and without accents."""
    return unicodedata.normalize("NFD", text.lower()).translate(_SPACING).split()


class WordPieces:
    """Cuts words by a vocabulary.

    Parameters
    ----------
    vocabulary
        The pieces by number; what goes on inside of a word begins with ``##``.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = vocabulary
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}

    def __contains__(self, piece: str) -> bool:
        """Tell whether something is a piece by itself."""
        return piece in self._numbers

    def cut(self, word: str) -> list[int]:
        """Return the numbers of a word's pieces: of `UNKNOWN` alone if it can't be cut."""
        pieces: list[int] = []
        start = 0
        while start < len(word) <= _LONGEST_WORD:
            for end in range(len(word), start, -1):
                number = self._numbers.get("##" * (start > 0) + word[start:end])
                if number is not None:
                    pieces.append(number)
                    start = end
                    break
            else:
                break
        return pieces if start == len(word) else [self._numbers[UNKNOWN]]
