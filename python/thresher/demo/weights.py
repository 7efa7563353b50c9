"""Turns passages and questions into sparse vectors: BM25 weights, computed by the bm25s library.

The inner product of a document's weights with a question's word counts is its BM25 score.
Identifiers count as themselves and as their parts: ``read_csv`` is also ``read`` and ``csv``,
``OrderedDict`` also ``ordered`` and ``dict``.

References
----------
Lù: *BM25S: Orders of magnitude faster lexical search via eager sparse scoring*, 2024.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import bm25s
import numpy as np
import Stemmer
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COMPOUND = re.compile(r"\b\w*(?:_|[a-z0-9][A-Z])\w*\b")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORD = r"(?u)\b\w\w+\b"


class Question(NamedTuple):
    """A question as a sparse vector."""

    terms: NDArray[np.int64]
    """Columns of the words that some passage has."""
    weights: NDArray[np.float32]
    """How often each occurs in the question."""
    words: list[str]
    """Each as it was typed."""


class Weights:
    """BM25 weights of a collection, and the words its columns stand for.

    Parameters
    ----------
    texts
        The passages; one row each.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        tokens = self._tokenize([with_parts(text) for text in texts])
        retriever = bm25s.BM25()
        retriever.index(tokens, show_progress=False)
        self.vocabulary: dict[str, int] = retriever.vocab_dict
        scores = retriever.scores  # compressed by column, a column a word
        shape = (len(texts), len(scores["indptr"]) - 1)
        by_word = sparse.csc_array((scores["data"], scores["indices"], scores["indptr"]), shape=shape)
        self.matrix: sparse.csr_array = by_word.tocsr().astype(np.float32, copy=False)
        """(n_passages, n_words)."""

    def question(self, text: str) -> Question:
        """Return `text` as a sparse vector; words that no passage has are left out."""
        counts: Counter[int] = Counter()
        words: dict[int, str] = {}
        for word in re.findall(_WORD, with_parts(text)):
            for stem in self._tokenize([word])[0]:
                if stem in self.vocabulary:
                    column = self.vocabulary[stem]
                    counts[column] += 1
                    words.setdefault(column, word.lower())
        columns = sorted(counts)
        return Question(
            np.array(columns, dtype=np.int64),
            np.array([counts[column] for column in columns], dtype=np.float32),
            [words[column] for column in columns],
        )

    def _tokenize(self, texts: list[str]) -> list[list[str]]:
        tokens: list[list[str]] = bm25s.tokenize(
            texts,
            token_pattern=_WORD,
            stopwords="en",
            stemmer=self._stemmer,
            return_ids=False,
            show_progress=False,
        )
        return tokens


def with_parts(text: str) -> str:
    """Return `text` with the parts of each compound identifier after it.

    Parameters
    ----------
    text
        A text that may hold names such as ``read_csv``.

    Returns
    -------
    str
        The text with, say, ``read_csv read csv``.
    """
    return _COMPOUND.sub(lambda match: " ".join([match[0], *_PART.findall(match[0])]), text)
