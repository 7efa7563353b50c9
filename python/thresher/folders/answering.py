"""The passages that answer a question; and where there are none, what the collection knows of its words."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from thresher.collection.weighing import is_counting
from thresher.encoders import from_config

if TYPE_CHECKING:
    from thresher.collection import Collection, Highlight
    from thresher.collection.weighing import Counting

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")
_MOST_WORDS = 32  # of a question, that are looked up one by one
_NEAR = 3  # words that are suggested for each
_ALIKE = 0.7


class Passages(NamedTuple):
    """A passage that was found."""

    id: str
    score: float
    payload: dict[str, Any]
    highlight: Highlight


@dataclasses.dataclass(frozen=True)
class Answer:
    """What there is for a question.

    Attributes
    ----------
    hits
        Passages, the best first.
    ignored
        Words of the question that the encoder leaves out, such as "the".
    unknown
        Words that no passage has, each with those that are spelt like it, the most alike first.
    """

    hits: list[Passages]
    ignored: list[str]
    unknown: dict[str, list[str]]

    @property
    def has_words(self) -> bool:
        """Whether the question has words that can be searched for, known or not; true where nobody can tell."""
        return self._has_words

    _has_words: bool = True


def ask(
    collection: Collection, question: str, *, k: int = 5, where: Mapping[str, Any] | None = None, size: int = 300
) -> Answer:
    """Return the passages that answer a question best.

    Parameters
    ----------
    collection
        With an encoder, as `index_folder` fills it.
    question
        Any text: nothing in it has a meaning of its own.
    k
        How many passages at most.
    where
        A filter over their fields.
    size
        Characters that are shown of each, about.

    Raises
    ------
    ValueError
        If the collection takes no texts, or the filter is none.
    """
    question = question.encode("utf-8", "replace").decode()
    hits = collection.search_one(question, k=k, where=where)
    ids = [str(one) for row, _ in hits.rows() for one in row]
    marked = collection.highlight(question, ids, fragments=2, size=size) if ids else []
    found = [
        Passages(one, shown.score, payload, shown)
        for one, payload, shown in zip(ids, hits.payloads(), marked, strict=True)
    ]
    encoder = _encoder_of(collection)
    if encoder is None:
        return Answer(found, [], {}, bool(question.strip()))
    ignored, terms = _terms_of(question, encoder)
    words = set(collection.words()) if terms else set()
    unknown = {word: own for word, own in terms.items() if not any(_form(collection, term, words) for term in own)}
    near = {word: _near(collection, [word.casefold(), *own], words) for word, own in unknown.items()}
    return Answer(found, ignored, near, bool(terms))


def _encoder_of(collection: Collection) -> Counting | None:
    """Return the collection's encoder, if it counts words, and can say what becomes of them."""
    vector = next(iter(collection.vectors.values()))
    if vector.encoder is None or vector.encoder.config is None or not vector.words:
        return None
    made = from_config(vector.encoder.config)
    return made if is_counting(made) else None


def _terms_of(question: str, encoder: Counting) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words that become no term, and the terms of the others."""
    ignored: list[str] = []
    terms: dict[str, list[str]] = {}
    for word in list(dict.fromkeys(found[0] for found in _WORD.finditer(question)))[:_MOST_WORDS]:
        own = list(encoder.count([word]).words)
        if own:
            terms[word] = own
        else:
            ignored.append(word)
    return ignored, terms


def _form(collection: Collection, term: str, words: set[str]) -> str | None:
    """Return a word of a passage that is this term; None if no passage has it."""
    if term not in words:  # as most are that are spelt wrong
        return None
    hits = collection.search_one({term: 1.0}, k=1)
    ids = [str(one) for row, _ in hits.rows() for one in row]
    if not ids:
        return None  # the passages that had it are gone
    shown = collection.highlight({term: 1.0}, ids, fragments=1)[0]
    if shown.text is None or not shown.spans:
        return term
    return shown.text[shown.spans[0].begin : shown.spans[0].end].casefold()


def _near(collection: Collection, spellings: Sequence[str], words: set[str]) -> list[str]:
    """Return words of passages that are spelt like a word that none has, as it stands or as a term."""
    alike: dict[str, float] = {}
    for spelling in spellings:
        around = range(len(spelling) - 3, len(spelling) + 3)  # stems are shorter than words
        candidates = sorted(word for word in words if len(word) in around)
        for match in difflib.get_close_matches(spelling, candidates, n=2 * _NEAR, cutoff=_ALIKE):
            alike[match] = max(alike.get(match, 0.0), difflib.SequenceMatcher(None, match, spelling).ratio())
    best = sorted(alike, key=lambda match: (-alike[match], match))
    forms = [form for match in best if (form := _form(collection, match, words)) is not None]
    return list(dict.fromkeys(forms))[:_NEAR]
