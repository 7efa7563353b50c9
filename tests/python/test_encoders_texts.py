"""The check of texts that come in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders.texts import check_encodable, checked


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_come_through(texts: list[str]) -> None:
    assert list(checked(texts)) == texts
    assert list(checked(iter(texts))) == texts


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(), st.sampled_from("\ud800\udbff\udc00\udfff"))
def test_halves_of_pairs_are_found(before: str, after: str, half: str) -> None:
    with pytest.raises(ValueError, match=rf"^here has half a surrogate pair, .* at character {len(before)}$"):
        check_encodable(before + half + after, "here")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("text", "docs must be a sequence of str, got str"),
        (b"text", "docs must be a sequence of str, got bytes"),
        (3, "docs must be a sequence of str, got int"),
        (None, "docs must be a sequence of str, got NoneType"),
        (["a", 3], r"docs\[11\] must be a str, got int$"),
        ([["a"]], r"docs\[10\] must be a str, got list of 1"),
        ([bytearray(b"a")], r"docs\[10\] must be a str, got bytearray; decode it first: text.decode\(\)"),
    ],
)
def test_what_is_no_text(texts: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        list(checked(texts, "docs", first=10))
