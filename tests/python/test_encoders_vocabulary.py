"""A vocabulary that grows."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders.vocabulary import Vocabulary


@given(st.lists(st.lists(st.text("abc", max_size=2))))
def test_numbers_are_in_order_of_first_appearance(lists: list[list[str]]) -> None:
    vocabulary = Vocabulary()
    order: dict[str, int] = {}
    for words in lists:
        wanted = [order.setdefault(word, len(order)) for word in words]
        assert vocabulary.add(words).tolist() == wanted
        assert vocabulary.find([*words, "zzz"]).tolist() == [*wanted, -1]
    assert len(vocabulary) == len(order)
    assert vocabulary.words(np.arange(len(order))) == list(order)


def test_words_of_numbers() -> None:
    vocabulary = Vocabulary(["a", "b", "a"])
    assert vocabulary.words([1, 0, 1]) == ["b", "a", "b"]
    assert vocabulary.words([]) == []
    for wrong in (2, -1):
        with pytest.raises(IndexError, match=f"there is no term {wrong}: they are 2"):
            vocabulary.words([0, wrong])
    others: list[Any] = [[0.5], [[0]], 0, ["a"]]
    for other in others:
        with pytest.raises(TypeError, match="ids must be whole numbers in one dimension"):
            vocabulary.words(other)


def test_threads_agree() -> None:
    vocabulary = Vocabulary()
    words = [f"word {number}" for number in range(2000)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda shift: vocabulary.add(words[shift:] + words[:shift]), range(0, 2000, 250)))
    assert len(vocabulary) == 2000
    for shift, numbers in zip(range(0, 2000, 250), found, strict=True):
        assert vocabulary.words(numbers) == words[shift:] + words[:shift]


def test_pickled() -> None:
    vocabulary = pickle.loads(pickle.dumps(Vocabulary(["b", "a"])))
    assert vocabulary.add(["a", "b", "c"]).tolist() == [1, 0, 2]
