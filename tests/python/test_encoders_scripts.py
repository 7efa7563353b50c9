"""Scripts that are written without spaces."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders.tokenizing import scripts


def test_blocks_hold_every_character_of_the_scripts() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    found = [character for character in characters if scripts._unspaced.search(character)]
    assert len(found) > 90_000
    assert [character for character in found if not scripts.has_unspaced(character)] == []
    assert [character for character in found if "LATIN" in unicodedata.name(character, "")] == []


def test_which_texts_have_such_scripts() -> None:
    assert all(map(scripts.has_unspaced, ["a中", "の", "ガ", "한", "ไ", "ລ", "ខ", "မ", "ー", "々", "\U00020000"]))
    assert not any(map(scripts.has_unspaced, ["", "abc", "é", "Ж", "عربي", "हिन्दी", "👍🏽", "、。", "“”"]))


@given(st.text("中日のー한ไท", min_size=2))
def test_a_run_becomes_its_pairs(run: str) -> None:
    assert list(scripts.with_pairs([run])) == [run[at : at + 2] for at in range(len(run) - 1)]


@given(st.lists(st.text("ab1_'é中日ท", min_size=1)))
def test_nothing_is_lost(words: list[str]) -> None:
    assert {*"".join(words)} == {*"".join(scripts.with_pairs(words))}


def test_marks_stay_with_their_characters() -> None:
    assert list(scripts.with_pairs(["ที่นี่มี"])) == ["ที่นี่", "นี่มี"]
    assert list(scripts.with_pairs(["ม", "a中b文字"])) == ["ม", "a", "中", "b", "文字"]
