"""Hashes of n-grams: the same for ever, and no n-gram across two texts."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders.hashing import hash_ngrams, hash_words

GOLDEN_WORDS = ["dcd20899f512a477", "7abdae6370219ba4", "b4b2797457a0a6e4", "66e8bd1e305eb794"]
GOLDEN_PAIRS = ["f02fc8ac2c518a66", "1d19116a7ff9da0c"]


def test_hashes_never_change() -> None:
    words = hash_words(["new", "york", "", "北京"])
    assert [f"{value:016x}" for value in words.tolist()] == GOLDEN_WORDS
    ngrams, begins = hash_ngrams(words, np.array([0, 2, 4]), 2)
    assert [f"{value:016x}" for value in ngrams.tolist()] == GOLDEN_PAIRS
    assert begins.tolist() == [0, 1, 2]


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6), max_size=5), st.integers(1, 5))
def test_ngrams_are_those_of_each_text(texts: list[list[str]], size: int) -> None:
    words = hash_words([word for text in texts for word in text])
    indptr = np.cumsum([0, *map(len, texts)])
    hashes, begins = hash_ngrams(words, indptr, size)
    wanted = [[tuple(text[at : at + size]) for at in range(len(text) - size + 1)] for text in texts]
    assert np.diff(begins).tolist() == list(map(len, wanted))
    flat = [ngram for text in wanted for ngram in text]
    assert len(hashes) == len(flat)
    # Equal n-grams have equal hashes, others have others.
    assert len({*zip(flat, hashes.tolist(), strict=True)}) == len({*flat}) == len({*hashes.tolist()})


def test_order_and_size_matter() -> None:
    words = hash_words("abcdefgh")
    found = set()
    for size in range(1, 4):
        for ngram in itertools.permutations(words, size):
            found.add(int(hash_ngrams(np.array(ngram), np.array([0, size]), size)[0][0]))
    assert len(found) == 8 + 8 * 7 + 8 * 7 * 6


def test_buckets_are_even() -> None:
    words = hash_words([f"word{number}" for number in range(1 << 14)])
    ngrams, _ = hash_ngrams(words, np.array([0, words.size]), 2)
    counts = np.bincount((ngrams >> np.uint64(64 - 8)).astype(np.int64), minlength=256)
    assert counts.min() > 30
    assert counts.max() < 110
