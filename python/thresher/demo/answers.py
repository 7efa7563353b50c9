"""Lays out the answer to a question: the best passages, and the words behind each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.text import Text

import thresher
from thresher.demo.questions import Question, one_line, read
from thresher.demo.shelf import Shelf

HITS = 5


class Hit(NamedTuple):
    """A passage that was found."""

    score: float
    payload: Mapping[str, Any]
    shares: dict[str, float]
    """What each word of the question brought to the score, the greatest first."""
    unsaid: set[str]
    """Those of the words that the passage itself does not have."""


class Answer(NamedTuple):
    """What a question found."""

    question: Question
    hits: list[Hit]
    seconds: float
    """Of the search, payloads read."""


def answer(shelf: Shelf, text: str, *, k: int = HITS, **options: Any) -> Answer:  # noqa: ANN401 - of a search
    """Search a corpus.

    Parameters
    ----------
    shelf
        The corpus.
    text
        The question.
    k
        The most hits.
    **options
        Of `thresher.Collection.search_one`.
    """
    question = read(text, shelf.encoder, shelf.known)
    if not question.weights:
        return Answer(question, [], 0.0)
    started = time.perf_counter()
    found = shelf.collection.search_one(question.weights, k=k, include=True, **options)
    seconds = time.perf_counter() - started
    explained = shelf.collection.explain(question.weights, found)
    hits = [_hit(shelf, question, *pair) for pair in zip(explained, found.payloads(), strict=True)]
    return Answer(question, hits, seconds)


def _hit(shelf: Shelf, question: Question, explanation: thresher.Explanation, payload: Mapping[str, Any]) -> Hit:
    shares: defaultdict[str, float] = defaultdict(float)
    for term, product in zip(explanation.terms.tolist(), explanation.products.tolist(), strict=True):
        shares[question.words[term]] += product
    said = shelf.encoder.words(f"{payload['title']} {payload['text']}")
    ordered = dict(sorted(shares.items(), key=lambda share: -share[1]))
    return Hit(explanation.score, payload, ordered, {word for word in shares if not _is_said(word, said)})


def _is_said(word: str, said: list[str]) -> bool:
    """Tell whether a text has a word in some form: ``spiders`` is said where there is a spiderweb."""
    stem = word[: max(3, len(word) - 2)]
    return any(stem in other for other in said)


def lines(given: Answer, width: int) -> list[Text]:
    """Lay out an answer, each line at most `width` columns: two lines a hit."""
    shown = [Text(given.question.trouble, style="yellow")] if given.question.trouble else []
    if given.question.weights and not given.hits:
        shown.append(Text("no passage has any of these words", style="yellow"))
    for rank, hit in enumerate(given.hits, 1):
        shown.append(fitted(Text.assemble((f"{rank} ", "bold"), entry(hit.payload)), width))
        shown.append(fitted(Text.assemble("  ", behind(hit)), width))
    return shown


def entry(payload: Mapping[str, Any]) -> Text:
    """Return a passage on a line, of any length."""
    title = str(payload["title"]).partition(", ")[0]
    return Text.assemble((one_line(title), "bold cyan"), "  ", one_line(payload["text"]))


def behind(hit: Hit) -> Text:
    """Return what makes up a score on a line, of any length."""
    shares = [
        Text.assemble((word, "magenta"), "*" if word in hit.unsaid else "", f" {share:.2f}")
        for word, share in hit.shares.items()
    ]
    return Text.assemble((f"{hit.score:.2f}", "green"), " = ", Text(" + ").join(shares))


def fitted(text: Text, width: int) -> Text:
    """Cut a line where it is longer than `width` columns."""
    if text.cell_len > width:
        text.truncate(max(0, width - 3))
        text.append("..."[:width])
    return text


def footnote(given: Answer, n_passages: int, passages_are: str) -> str:
    """Return what stands below the hits: how long it took, and what a star means."""
    told = f"top {len(given.hits)} of {n_passages:,} {passages_are} in {given.seconds * 1e3:.1f} ms"
    return f"{told}; * a word that the text has in no form" if any(hit.unsaid for hit in given.hits) else told
