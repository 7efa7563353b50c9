"""Terms that are no words keep apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders import Tokenizer, entity, keyphrase
from thresher.encoders.marks import MARK, plain

NAMES = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("␟:"), min_size=1, max_size=5).filter(
    lambda name: MARK not in name
)


@given(NAMES, NAMES)
def test_kinds_never_clash(one: str, other: str) -> None:
    terms = {plain(one, "word"), entity(one), keyphrase(one), entity(other), keyphrase(other), plain(other, "word")}
    assert len(terms) == (3 if one == other else 6)


@given(st.text())
def test_words_of_texts_have_no_mark(text: str) -> None:
    tokenizer = Tokenizer(None)
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        assert not any(MARK in term for term in tokenizer(f"{text}{MARK}{text}"))


def test_names_that_are_none() -> None:
    assert entity("Q42") == "entity␟Q42"
    with pytest.raises(ValueError, match="entity is empty"):
        entity("")
    with pytest.raises(ValueError, match="keyphrase 'a␟b' has the character ␟"):
        keyphrase("a␟b")
    with pytest.raises(ValueError, match="entity has half a surrogate pair"):
        entity("\ud800")
    other: Any = 42
    with pytest.raises(TypeError, match="entity must be a str, got 42"):
        entity(other)
