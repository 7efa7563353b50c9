"""Turns docstrings and questions into sparse vectors: BM25 weights, computed by the bm25s library.

The inner product of a docstring's weights with a question's stems is its BM25 score. Identifiers count as themselves
and as their parts: ``read_csv`` is also ``read`` and ``csv``, ``OrderedDict`` also ``ordered`` and ``dict``.

References
----------
Lù: *BM25S: Orders of magnitude faster lexical search via eager sparse scoring*, 2024.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import bm25s
import numpy as np
import Stemmer
from bm25s.stopwords import STOPWORDS_EN_PLUS
from scipy import sparse

_COMPOUND = re.compile(r"\b\w*(?:_|[a-z0-9][A-Z])\w*\b")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORD = re.compile(r"\b\w\w+\b")
_SILENT = frozenset(STOPWORDS_EN_PLUS)


def weighed(texts: Sequence[str]) -> tuple[sparse.csr_array, list[str]]:
    """Weigh the stems of texts.

    Parameters
    ----------
    texts
        The passages; one row each.

    Returns
    -------
    tuple
        Weights, (len(texts), n_stems) float32, and the stems.
    """
    stem = Stemmer.Stemmer("english")
    retriever = bm25s.BM25()
    retriever.index([stem.stemWords(_telling(_words(text))) for text in texts], show_progress=False)
    scores = retriever.scores  # compressed by column, a column a stem
    shape = (len(texts), len(scores["indptr"]) - 1)
    stems = sorted(retriever.vocab_dict, key=retriever.vocab_dict.__getitem__)[
        : shape[1]
    ]  # after them is "", of no column
    by_stem = sparse.csc_array((scores["data"], scores["indices"], scores["indptr"]), shape=shape)
    return by_stem.tocsr().astype(np.float32, copy=False), stems


class StemCounts:
    """Encodes questions: weight 1 for each stem that is present.

    Parameters
    ----------
    vocabulary
        The stems, a column each.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._columns = {stem: column for column, stem in enumerate(vocabulary)}
        self._stemmer = Stemmer.Stemmer("english")

    def words(self, text: str) -> list[str]:
        """Return the words of a text and the parts of its identifiers, lower case."""
        return _words(text)

    def encode_queries(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return the vectors of texts, (len(texts), n_stems)."""
        stems = [set(self._stemmer.stemWords(_telling(_words(text)))) for text in texts]
        rows = [sorted(self._columns[stem] for stem in row if stem in self._columns) for row in stems]
        indices = np.array([column for row in rows for column in row], dtype=np.int64)
        indptr = np.cumsum([0, *map(len, rows)])
        ones = np.ones(len(indices), dtype=np.float32)
        return sparse.csr_array((ones, indices, indptr), shape=(len(rows), len(self._columns)))


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


def _words(text: str) -> list[str]:
    return _WORD.findall(with_parts(text).lower())


def _telling(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in _SILENT]
