"""Statistics of a corpus: those of parts add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders.counting import count
from thresher.encoders.statistics import TextStatistics
from thresher.encoders.tokenizing import CustomTokenizer

SPLIT = CustomTokenizer(str.split, "split")
TEXTS = st.lists(st.text("ab ", max_size=8), max_size=6)


def of(texts: list[str]) -> TextStatistics:
    return TextStatistics.of(count(texts, SPLIT))


@given(TEXTS, TEXTS, TEXTS)
def test_parts_add_up(one: list[str], two: list[str], three: list[str]) -> None:
    whole = of(one + two + three)
    assert whole == of(one) + of(two) + of(three) == of(three) + (of(two) + of(one))
    added = of(one)
    added += of(two)
    added.add(count(three, SPLIT))
    assert added == whole
    assert of(one) + TextStatistics() == of(one)


@given(TEXTS)
def test_against_sets(texts: list[str]) -> None:
    statistics = of(texts)
    split = [text.split() for text in texts]
    assert statistics.n_docs == len(texts)
    assert statistics.total_length == sum(map(len, split))
    words = {word for row in split for word in row}
    assert statistics.document_frequencies == {word: sum(word in row for row in split) for word in words}


def test_adding_leaves_the_parts_alone() -> None:
    one, two = of(["a b"]), of(["a"])
    assert one + two == TextStatistics(2, 3, {"a": 2, "b": 1})
    assert (one, two) == (of(["a b"]), of(["a"]))
    one += one
    assert one == TextStatistics(2, 4, {"a": 2, "b": 2})
    with pytest.raises(TypeError):
        one + 1  # type: ignore[operator]


def test_mean_length() -> None:
    assert TextStatistics().mean_length == 0
    assert TextStatistics(2, 3).mean_length == 1.5
    assert repr(TextStatistics(2, 3, {"a": 1})) == "<TextStatistics: 2 documents of 1.5 terms, 1 words>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1,), "n_docs must be a whole number >= 0, got -1"),
        ((1.5,), "n_docs must be a whole number >= 0, got 1.5"),
        ((True,), "n_docs must be a whole number >= 0, got True"),
        ((1, "2"), "total_length must be a whole number >= 0, got '2'"),
        ((1, 2, {"a": 2}), "'a' must have 1 to n_docs, 1, got 2"),
        ((1, 2, {"a": 0}), "'a' must have 1 to n_docs, 1, got 0"),
        ((1, 2, {"a": 1.0}), "'a' must have a whole number, got 1.0"),
        ((1, 2, {3: 1}), "document_frequencies must be of str, got 3"),
    ],
)
def test_numbers_of_no_corpus(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        TextStatistics(*arguments)
