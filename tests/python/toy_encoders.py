"""Encoders for tests: of a fixed vocabulary, and of one that grows; both of words between spaces."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from thresher.engines.options import Progress

N_TERMS = 97


class FixedWords:
    """A vocabulary of 97 words, ``w0`` to ``w96``; other words are hashed to one of them."""

    n_terms: int | None = N_TERMS
    config: dict[str, Any] | None = None

    def __init__(self, fingerprint: str = "toy:fixed") -> None:
        self.fingerprint = fingerprint
        self.calls: list[int] = []

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        self.calls.append(len(texts))
        rows = [self.row(text) for text in texts]
        if progress is not None:
            progress(len(texts), len(texts))
        columns = [column for row in rows for column in row]
        return sp.csr_array(
            (
                np.array([weight for row in rows for weight in row.values()], np.float32),
                np.array(columns, np.int64),
                np.cumsum([0, *map(len, rows)]),
            ),
            shape=(len(texts), self.width()),
        )

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        return self.encode_documents(texts, progress=progress)

    def row(self, text: str) -> dict[int, float]:
        """Return a text's vector: how often each word stands in it."""
        row: dict[int, float] = {}
        for word in text.split():
            column = self.column(word)
            row[column] = row.get(column, 0.0) + 1.0
        return dict(sorted(row.items()))

    def column(self, word: str) -> int:
        if word[:1] == "w" and word[1:].isdigit() and int(word[1:]) < N_TERMS:
            return int(word[1:])
        return zlib.crc32(word.encode()) % N_TERMS

    def width(self) -> int:
        return N_TERMS

    def terms(self, ids: Any) -> list[str]:
        return [f"w{number}" for number in np.asarray(ids).tolist()]


class GrowingWords(FixedWords):
    """Words are numbered as they come, each encoder in an order of its own."""

    n_terms = None

    def __init__(self, fingerprint: str = "toy:growing") -> None:
        super().__init__(fingerprint)
        self.words: dict[str, int] = {}

    def column(self, word: str) -> int:
        return self.words.setdefault(word, len(self.words))

    def width(self) -> int:
        return len(self.words)

    def terms(self, ids: Any) -> list[str]:
        words = list(self.words)
        return [words[number] for number in np.asarray(ids).tolist()]
