from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.text import Text

import thresher
from thresher.demo.answers import answer, behind, entry, fitted, footnote, lines
from thresher.demo.dictionary import TokenWeights
from thresher.demo.shelf import Shelf

VOCABULARY = ["[UNK]", "dog", "##s", "pet", "cat"]


@pytest.fixture
def pets(tmp_path: Path) -> Any:
    with thresher.Collection.create(tmp_path / "pets", fields={"kind": "keyword"}) as collection:
        collection.upsert(
            [0, 1],
            [{1: 2.0, 3: 1.0}, {4: 2.0, 3: 0.5}],
            [
                {"title": "dogs, hounds", "text": "bark", "kind": "loud"},
                {"title": "Cat", "text": "a\npet", "kind": "soft"},
            ],
        )
        encoder = TokenWeights(VOCABULARY, np.arange(5, dtype=np.uint16), np.array([0, 1, 0.5, 4, 1], np.float32))
        yield Shelf(collection, encoder, frozenset(VOCABULARY))


def test_scores_are_the_sum_of_their_words(pets: Shelf) -> None:
    found = answer(pets, "dog pet")
    assert [hit.payload["title"] for hit in found.hits] == ["dogs, hounds", "Cat"]
    assert [(hit.score, hit.shares) for hit in found.hits] == [(6.0, {"pet": 4.0, "dog": 2.0}), (2.0, {"pet": 2.0})]
    assert list(found.hits[0].shares) == ["pet", "dog"]


def test_a_star_marks_words_that_the_text_has_in_no_form(pets: Shelf) -> None:
    dog, cat = answer(pets, "dog pet").hits
    assert (dog.unsaid, cat.unsaid) == ({"pet"}, set())
    assert behind(dog).plain == "6.00 = pet* 4.00 + dog 2.00"


def test_options_are_those_of_a_search(pets: Shelf) -> None:
    assert [hit.payload["title"] for hit in answer(pets, "dog pet", k=1, where={"kind": "soft"}).hits] == ["Cat"]


def test_an_answer_is_two_lines_a_hit(pets: Shelf) -> None:
    shown = [line.plain for line in lines(answer(pets, "dog pet zebra"), 40)]
    assert shown == [
        "not known: zebra",
        "1 dogs  bark",
        "  6.00 = pet* 4.00 + dog 2.00",
        "2 Cat  a pet",
        "  2.00 = pet 2.00",
    ]
    assert footnote(answer(pets, "cat"), 2, "pets").startswith("top 1 of 2 pets in ")
    assert "*" in footnote(answer(pets, "pet"), 2, "pets")


def test_a_known_word_that_no_passage_has(pets: Shelf) -> None:
    pets.collection.delete([0])
    assert [line.plain for line in lines(answer(pets, "dog"), 80)] == ["no passage has any of these words"]


def test_a_line_is_cut_by_columns_not_characters() -> None:
    assert fitted(Text("abcdef"), 6).plain == "abcdef"
    assert fitted(Text("abcdefg"), 6).plain == "abc..."
    assert fitted(Text("\u65e5" * 5), 9).cell_len <= 9
    assert fitted(Text("abcdef"), 2).plain == ".."


def test_titles_are_their_first_word_and_obey_nobody() -> None:
    assert entry({"title": "a\x1b[31m, b", "text": "c\nd"}).plain == "a[31m  c d"
