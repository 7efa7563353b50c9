"""What a corpus gives to the demonstration: passages, their vectors, and an encoder of questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from scipy import sparse


class Passage(NamedTuple):
    """A text and what it is about."""

    title: str
    text: str
    kind: str = ""
    """What filters go by."""


class Contents(NamedTuple):
    """All that is searched."""

    passages: list[Passage]
    vectors: sparse.csr_array
    """(n_passages, n_terms), float32."""
    vocabulary: list[str]
    """What the terms are called."""


class Encoder(Protocol):
    """Turns questions into sparse vectors without a model."""

    def words(self, text: str) -> list[str]:
        """Return the words of a text in order, written as they are compared."""

    def encode_queries(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return vectors of shape (len(texts), n_terms), float32; words that say nothing have no weight."""


class Corpus(Protocol):
    """Something to search."""

    name: str
    """Of its folder in the cache."""
    passages_are: str
    """What its passages are called, in the plural."""
    vectors_are: str
    """What weighs their words."""
    examples: tuple[str, ...]
    """Questions to begin with."""

    def fingerprint(self) -> str:
        """Return what changes when the contents do, in a fraction of the time that `contents` takes."""

    def contents(self) -> Contents:
        """Return everything, made anew."""

    def encoder(self, vocabulary: Sequence[str]) -> Encoder:
        """Return the encoder of questions that goes with the vectors."""
