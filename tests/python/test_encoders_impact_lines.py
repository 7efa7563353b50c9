"""Word impacts in the forms that they are published in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thresher
from thresher.encoders import parse_impacts, read_impacts
from thresher.encoders.impact_lines import Impacts

WORDS = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=6)
WEIGHTS = st.dictionaries(WORDS, st.floats(2**-10, 1e6, width=32), min_size=1, max_size=6)


@given(WEIGHTS)
def test_all_forms_say_the_same(weights: dict[str, float]) -> None:
    pairs = [[word, weight] for word, weight in weights.items()]
    forms: list[Any] = [
        weights,
        {"id": "d1", "contents": "...", "vector": weights},
        {"vector": pairs},
        json.dumps(weights),
        json.dumps(pairs),
        json.dumps({"id": "d1", "vector": weights}) + "\n",
        json.dumps({"vector": pairs}),
        "d1\t" + json.dumps(pairs),
        "d1\t" + json.dumps(weights),
        "d1\t" + json.dumps({"vector": weights}),
        ", ".join(f"{word}: {weight!r}" for word, weight in pairs),
        ",".join(f"{word}:{weight!r}" for word, weight in pairs),
        "\t".join(["[CLS] 0.5", *(f"{word} {weight!r}" for word, weight in pairs)]),
    ]
    for form in forms:
        assert parse_impacts(form).weights == weights, form
    assert [parse_impacts(form).id for form in forms] == [
        *(None, "d1", None, None, None, "d1", None, "d1", "d1", "d1", None, None, None)
    ]


def test_kinds_of_terms() -> None:
    found = parse_impacts(
        '{"id": 7, "vector": {"cat": 1}, "entities": {"cat": 2}, "keyphrases": [["big cat", 3.5]], "other": "x"}'
    )
    assert found == Impacts("7", {"cat": 1.0, "entity␟cat": 2.0, "keyphrase␟big cat": 3.5})
    # Such keys are words where their values are weights.
    assert parse_impacts({"vector": 1.0, "entities": 2, "id": 3}).weights == {"vector": 1.0, "entities": 2.0, "id": 3.0}
    assert parse_impacts({"vector": {}, "id": "a"}) == Impacts("a", {})


def test_pieces_of_words_as_deepct_has_them() -> None:
    line = "[CLS] 0.1\tsearch 0.5\t##ing 0.9\tcat 0.2\tcat 0.4\tcat 0.3\tdog -0.01\tzero 0.0\t[SEP] 0.2\t[PAD] 1e-3\n"
    assert parse_impacts(line).weights == {"searching": 0.5, "cat": 0.4}


def test_words_with_colons_and_repeated_words() -> None:
    assert parse_impacts("12:30: 1.5, a|b: 2").weights == {"12:30": 1.5, "a|b": 2.0}
    assert parse_impacts('[["a", 1], ["a", 2]]').weights == {"a": 3.0}
    assert parse_impacts("a: 1, a: 0.5").weights == {"a": 1.5}


def test_numbers_of_numpy_and_nothing() -> None:
    assert parse_impacts({"a": np.float32(0.5), "b": np.int64(2), "c": 0, "d": np.float16(1)}).weights == {
        "a": 0.5, "b": 2.0, "d": 1.0,
    }  # fmt: skip
    empty: list[Any] = ["", "\n", "{}", "[]", '{"vector": []}', {}]
    for nothing in empty:
        assert parse_impacts(nothing) == Impacts(None, {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("the cat sat", "is no line of word impacts: 'the cat sat'"),
        ("cat: x", "is no line of word impacts"),
        (": 1", "a word is empty"),
        ('{"cat": 1', "not JSON"),
        ("[[" * 100_000, "not JSON"),
        ('{"cat": "1"}', "the weight of 'cat' must be a number, got '1'"),
        ('{"cat": true}', "the weight of 'cat' must be a number, got True"),
        ('{"cat": -1}', "the weight of 'cat' must be >= 0 and a float32, got -1"),
        ('{"cat": NaN}', "the weight of 'cat' must be >= 0 and a float32, got nan"),
        ('{"cat": 1e39}', "the weight of 'cat' must be >= 0 and a float32, got 1e"),
        ('{"cat": 1' + "0" * 400 + "}", "the weight of 'cat' must be >= 0 and a float32, got inf"),
        ("cat: 1e999", "the weight of 'cat' must be >= 0 and a float32, got inf"),
        ("cat nan\tdog 1", "is no line of word impacts"),
        ("cat 1e999\tdog 1", "the weight of 'cat' must be >= 0"),
        ('[["cat", 1, 2]]', r"it must be an object or a list of pairs \[word, weight\], got \['cat', 1, 2\] in it"),
        ('{"vector": ["cat"]}', r'"vector" must be an object or a list of pairs .*, got .cat. in it'),
        ('{"vector": {"": 1}}', "a word is empty"),
        ('{"vector": {"a␟b": 1}}', "a word 'a␟b' has the character ␟"),
        ('{"vector": {"\\ud800": 1}}', "a word has half a surrogate pair"),
        ('{"id": [1], "vector": {}}', r'"id" must be a string or a whole number, got \[1\]'),
        ('{"id": true, "vector": {}}', '"id" must be a string or a whole number, got True'),
        ({3: 1.0}, "a word must be a str, got 3"),
        (["cat"], "must be a dict of weights or a line of a file, got list"),
        (b"cat: 1", "must be a dict of weights or a line of a file, got bytes"),
    ],
)
def test_lines_that_are_none(line: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        parse_impacts(line)


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_files(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"docs.{suffix}"
    content = '\ufeff{"id": "a", "vector": {"cät": 1}}\n\ndog: 2.0\n'.encode()
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    assert list(read_impacts(path)) == [Impacts("a", {"cät": 1.0}), Impacts("1", {}), Impacts("2", {"dog": 2.0})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat: 1\nthe cat\n", "line 2: is no line"),
        (b"\xff\xfe", "line 1: 'utf-8' codec"),
        (b'\n{"a": -1}', "line 2: the w"),
    ],
)
def test_files_that_are_wrong(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "docs").write_bytes(content)
    with pytest.raises(thresher.FormatError, match=message):
        list(read_impacts(tmp_path / "docs"))
    whole = gzip.compress(content * 100)
    for broken in (whole[: len(whole) // 2], b"no gzip"):
        (tmp_path / "docs.gz").write_bytes(broken)
        with pytest.raises(thresher.FormatError, match=r"docs\.gz: line"):
            list(read_impacts(tmp_path / "docs.gz"))
