"""Reads a question: which of its words are known, what they weigh, and what a misspelt one was to be."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from thresher.demo.corpus import Encoder

_MOST_TOLD = 3  # unknown words that are told, and looked up, which takes some 50 ms each
_WIDEST = 30  # characters of each


class Question(NamedTuple):
    """A question as a sparse vector, and what became of its words."""

    text: str
    """As it was asked, on one line."""
    weights: dict[int, float]
    """Of terms."""
    words: dict[int, str]
    """The word that brought each term."""
    common: list[str]
    """Words that say nothing by themselves."""
    unknown: dict[str, str | None]
    """Words that are not known, each with the known one that is spelt most like it, if any is."""

    @property
    def trouble(self) -> str:
        """What is to be said of words that have no part in the search; empty if all have or are common."""
        unknown = [
            f"{word[:_WIDEST]} (did you mean {near}?)" if near else word[:_WIDEST]
            for word, near in list(self.unknown.items())[:_MOST_TOLD]
        ]
        if self.weights:
            return f"not known: {', '.join(unknown)}" if unknown else ""
        if unknown:
            return f"no word of the question is known: {', '.join(unknown)}"
        if self.common:
            return f"only words that say nothing by themselves: {', '.join(self.common)}"
        return "there is no word in the question"


def read(text: str, encoder: Encoder, known: Collection[str]) -> Question:
    """Read a question.

    Parameters
    ----------
    text
        Anything that a person can type.
    encoder
        Of the corpus that is asked.
    known
        The words that some passage or the vocabulary has.

    Returns
    -------
    Question
        Words of letters or digits; a word counts once.
    """
    words = [word for word in dict.fromkeys(encoder.words(text)) if any(map(str.isalnum, word))]
    question = Question(one_line(text), {}, {}, [], {})
    encoded = encoder.encode_queries(words)
    for row, word in enumerate(words):
        terms = slice(encoded.indptr[row], encoded.indptr[row + 1])
        if word not in known:
            question.unknown[word] = _nearest(word, known) if len(question.unknown) < _MOST_TOLD else None
        elif terms.start == terms.stop:
            question.common.append(word)
        else:
            for term, weight in zip(encoded.indices[terms].tolist(), encoded.data[terms].tolist(), strict=True):
                question.weights.setdefault(term, weight)
                question.words.setdefault(term, word)
    return question


def one_line(text: str) -> str:
    """Return a text on one line, without characters that a terminal obeys."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def _nearest(word: str, known: Collection[str]) -> str | None:
    candidates = [other for other in known if abs(len(other) - len(word)) <= 2]
    return next(iter(difflib.get_close_matches(word, candidates, n=1, cutoff=0.75)), None)
