from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.demo.wordpiece import UNKNOWN, WordPieces, words

PIECES = WordPieces([UNKNOWN, "tele", "##scope", "##s", "telescope", "a", "##b", "中"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Crème BRÛLÉE", ["creme", "brulee"]),
        ("don't stop-gap", ["don", "'", "t", "stop", "-", "gap"]),
        ("a_b\tc\nd\u00a0e", ["a", "_", "b", "c", "d", "e"]),
        ("中文 x", ["中", "文", "x"]),
        ("bell\x07 zero\u200bwidth \ud800", ["bell", "zerowidth"]),
        ("$(rm -rf /)", ["$", "(", "rm", "-", "rf", "/", ")"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("telescope", [4]), ("telescopes", [4, 3]), ("telescope" * 2, [0]), ("ab", [5, 6]), ("b", [0]), ("a" * 101, [0])],
)
def test_the_longest_piece_comes_first(word: str, expected: list[int]) -> None:
    assert PIECES.cut(word) == expected


@given(st.text(alphabet=st.characters(blacklist_categories=()), max_size=30))
def test_anything_is_cut(text: str) -> None:
    for word in words(text):
        assert word
        pieces = [PIECES.vocabulary[number] for number in PIECES.cut(word)]
        assert pieces == [UNKNOWN] or "".join(piece.removeprefix("##") for piece in pieces) == word
