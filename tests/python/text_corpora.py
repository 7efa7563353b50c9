"""Texts for tests, drawn at random: words by Zipf's law, documents of very different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from thresher.encoders import BM25Encoder, CustomTokenizer


def encoder(**options: Any) -> BM25Encoder:
    """Return a BM25 encoder of words between spaces."""
    return BM25Encoder(tokenizer=CustomTokenizer(str.split, "spaces"), **options)


def drawn(n: int, *, n_words: int = 5000, mean: float = 20.0, seed: int = 0) -> list[str]:
    """Return texts."""
    rng = np.random.default_rng(seed)
    lengths = rng.geometric(1 / mean, n)
    words = np.minimum(rng.zipf(1.3, int(lengths.sum())), n_words)
    ends = np.cumsum(lengths)
    return [
        " ".join(f"v{word}" for word in words[end - length : end]) for length, end in zip(lengths, ends, strict=True)
    ]


def fresh_scores(texts: Sequence[str], queries: Sequence[str], **options: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the scores of all texts by an encoder that is fitted on them, shape (n_queries, n_texts)."""
    fitted = encoder(**options).fit(texts)
    documents, asked = fitted.encode_documents(texts), fitted.encode_queries(queries)
    width = max(documents.shape[1], asked.shape[1])
    documents.resize((len(texts), width))
    asked.resize((len(queries), width))
    return np.asarray((sp.csr_array(asked, dtype=np.float64) @ sp.csr_array(documents, dtype=np.float64).T).toarray())
