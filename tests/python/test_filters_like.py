"""Patterns of `$like` against an automaton, and without backtracking."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filter_cases import alike
from thresher.collection.filters.like import like

patterns = st.text(alphabet="%%_ab\\é\n.*", max_size=9)
texts = st.text(alphabet="ab%_\\é\n.*", max_size=9)


@given(patterns, texts)
@example("a%a", "a")
@example("ab%ba", "aba")
@example("a%b%a", "aba")
@example("%ab%b%", "ab")
@example("_%_", "a")
def test_as_an_automaton(pattern: str, text: str) -> None:
    assert like(pattern)(text) == alike(pattern, text)


@given(texts, texts, texts)
def test_parts(first: str, middle: str, last: str) -> None:
    def literal(text: str) -> str:
        return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

    whole = first + middle + last
    assert like(literal(whole))(whole)
    assert like(literal(first) + "%" + literal(last))(whole)
    assert like("%" + literal(middle) + "%")(whole)
    assert like(literal(first) + "_" * len(middle) + literal(last))(whole)
    assert not like(literal(whole) + "_")(whole)


@pytest.mark.parametrize("pattern", ["%a" * 5000 + "%b", "%" * 10_000 + "b", "%_" * 5000 + "b", "a%" * 9999 + "b"])
def test_no_backtracking(pattern: str) -> None:
    assert not like(pattern)("a" * 10_000)
