"""Counted terms, against Counter."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from text_cases import passages
from thresher.encoders.counting import count, pieces
from thresher.encoders.tokenizing import CustomTokenizer, Tokenizer

ALPHABET = "ab cdé'\N{SOFT HYPHEN}中文ก็THEthe .,\n\N{DOG}\N{ZERO WIDTH JOINER}_1"
SPLIT = CustomTokenizer(str.split, "split")


def plain(text: str, tokenizer: Tokenizer | CustomTokenizer) -> Counter[str]:
    return Counter(tokenizer(text))


@given(st.lists(st.text(ALPHABET, max_size=40) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)))
def test_counts_are_those_of_counter(texts: list[str]) -> None:
    for tokenizer in (Tokenizer("en"), Tokenizer(None), SPLIT):
        counts = count(texts, tokenizer)
        dense = counts.frequencies.toarray()
        assert dense.shape == (len(texts), len(counts.words))
        assert dense.sum(axis=1).tolist() == counts.lengths.tolist()
        assert counts.frequencies.has_canonical_format
        assert "" not in counts.words
        for row, text in zip(dense, texts, strict=True):
            found = {word: n for word, n in zip(counts.words, row.tolist(), strict=True) if n}
            assert found == plain(text, tokenizer)


def test_forms() -> None:
    counts = count(["b a b", "", "c a"], SPLIT)
    assert counts.words == ["b", "a", "c"]
    assert counts.frequencies.dtype == np.int32
    assert counts.lengths.dtype == np.int64
    assert counts.frequencies.toarray().tolist() == [[2, 1, 0], [0, 0, 0], [0, 1, 1]]
    nothing = count([], SPLIT)
    assert (nothing.frequencies.shape, nothing.lengths.shape, nothing.words) == ((0, 0), (0,), [])


def test_what_was_counted_before_does_not_matter() -> None:
    tokenizer = Tokenizer("en")
    first = count(["zebras and cats"], tokenizer)
    count(passages(100), tokenizer)
    again = count(["zebras and cats"], tokenizer)
    assert (again.words, again.lengths.tolist()) == (first.words, first.lengths.tolist()) == (["zebra", "cat"], [2])


def test_threads_share_a_tokenizer() -> None:
    texts, tokenizer = passages(2000), Tokenizer("en")
    parts = [texts[begin : begin + 250] for begin in range(0, 2000, 250)]
    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda part: count(part, tokenizer), parts))
    for part, counts in zip(parts, shared, strict=True):
        alone = count(part, Tokenizer("en"))
        assert counts.words == alone.words
        assert (counts.frequencies != alone.frequencies).nnz == 0


def test_pieces_are_bounded_by_number_and_by_size() -> None:
    texts = [*("a" for _ in range(10_000)), *("b" * 9_000_000 for _ in range(3))]
    found = list(pieces(iter(texts)))
    assert [(first, len(piece)) for first, piece in found] == [(0, 8192), (8192, 1810), (10_002, 1)]
    assert [text for _, piece in found for text in piece] == texts
