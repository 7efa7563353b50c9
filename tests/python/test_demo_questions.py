from __future__ import annotations

import numpy as np
import pytest

from thresher.demo.dictionary import TokenWeights
from thresher.demo.questions import one_line, read
from thresher.demo.wordpiece import UNKNOWN

VOCABULARY = [UNKNOWN, "the", "of", "telescope", "star", "##s", "giant"]
ENCODER = TokenWeights(VOCABULARY, np.arange(7, dtype=np.uint16), np.array([0, 0, 0, 2, 1, 0.5, 3], dtype=np.float32))
KNOWN = frozenset((*VOCABULARY, "stars"))


def test_each_term_is_known_by_the_word_that_brought_it() -> None:
    question = read("The GIANT stars, giant star", ENCODER, KNOWN)
    assert question.weights == {6: 3.0, 4: 1.0, 5: 0.5}
    assert question.words == {6: "giant", 4: "stars", 5: "stars"}
    assert (question.common, question.unknown, question.trouble) == (["the"], {}, "")


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("", "there is no word in the question"),
        (" \t\n ", "there is no word in the question"),
        ("?!  $() \N{GRINNING FACE} \x1b[31m"[:12], "there is no word in the question"),
        ("the of The", "only words that say nothing by themselves: the, of"),
        ("telescpoe", "no word of the question is known: telescpoe (did you mean telescope?)"),
        ("the telescpoe", "no word of the question is known: telescpoe (did you mean telescope?)"),
        ("xyzzyq", "no word of the question is known: xyzzyq"),
        ("telescpoe star", "not known: telescpoe (did you mean telescope?)"),
        ("qa qb qc qd qe", "no word of the question is known: qa, qb, qc"),
        ("q" * 1000, f"no word of the question is known: {'q' * 30}"),
        ("star", ""),
    ],
)
def test_what_is_said_of_words_that_find_nothing(text: str, trouble: str) -> None:
    assert read(text, ENCODER, KNOWN).trouble == trouble


def test_one_line_obeys_nobody() -> None:
    assert one_line("a\n b\x1b[31m\ud800 c\u202e") == "a b[31m c"
