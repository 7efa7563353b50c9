"""Tokenizers: what becomes of words, in many languages."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders import CustomTokenizer, Tokenizer
from thresher.encoders.tokenizing import tokenizer as module
from thresher.encoders.tokenizing.tokenizer import as_tokenizer

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(
    "aZéßİIı'’_ 1.中日のガｶﾞ㍿한국ไทยที่ك\u064e\u200c\u200d\u00ad\ufe0f👍🏽🇩🇪", max_size=30
)


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("en", "Don't stop the dog’s café, NAÏVE ﬁles!", ["don't", "stop", "dog", "café", "naïv", "file"]),
        ("en", "foo_bar 3.14 x²", ["foo_bar", "3", "14", "x2"]),
        ("en", "e\u0301cole \u00c9COLE", ["école", "école"]),
        ("en", "soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zero", "width"]),
        ("de", "Die Häuser und die STRASSE, Straße", ["haus", "strass", "strass"]),
        ("fr", "L'avion d’aujourd'hui est à l’école", ["avion", "écol"]),
        ("it", "L'amico dell'università", ["amic", "univers"]),
        ("es", "Las casas de los niños", ["cas", "niñ"]),
        ("pt", "As cidades e os livros", ["cidad", "livr"]),
        ("nl", "De kinderen en het boek", ["kinder", "boek"]),
        ("sv", "Katterna och hundarna", ["katt", "hund"]),
        ("fi", "Talossa ja taloissa", ["talo", "talo"]),
        ("hu", "A házakban", ["ház"]),
        ("tr", "İSTANBUL'DA ISI ısı İyi KİTAPLAR", ["istanbul", "ıs", "ıs", "kitap"]),
        ("ru", "Кошки и собаки", ["кошк", "собак"]),
        ("el", "Ο ΣΚΎΛΟΣ σκύλοι", ["σκυλ", "σκυλ"]),
        ("ar", "السَّلامُ عليكم في البيت", ["سلام", "علي", "بيت"]),
        ("fa", "کتاب‌ها", ["کتاب"]),
        ("hi", "हिन्दी में किताबें", ["हिन्द", "किताब"]),
        ("uk", "м'який п’ять", ["м'який", "п'ять"]),
        ("th", "ภาษาไทย 5", ["ภา", "าษ", "ษา", "าไ", "ไท", "ทย", "5"]),
        ("th", "ที่นี่", ["ที่นี่"]),
        ("ko", "한국어 A", ["한국", "국어", "a"]),
        ("zh", "北京大学123abc，学", ["北京", "京大", "大学", "123abc", "学"]),
        ("ja", "ﾊﾟﾝダ がｶﾞ 東京2020 タワー", ["パン", "ンダ", "がガ", "東京", "2020", "タワ", "ワー"]),
        ("ja", "㍿", ["株式", "式会", "会社"]),
        ("ja", "㌔", ["キロ"]),
        ("en", "日本 dogs", ["日本", "dog"]),
        ("en", "I ❤️ ❤ 🇩🇪🇫🇷 👍🏽 ☕x 😀😀 1️⃣", ["i", "❤", "❤", "🇩🇪", "🇫🇷", "👍🏽", "☕", "x", "😀", "😀", "1"]),
        (
            None,
            "\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}",
            ["\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}"],
        ),
        (None, "The dogs’ ℌello", ["the", "dogs", "hello"]),
        ("en", "", []),
        ("en", "the of AND", []),
        ("en", "?! \t\n", []),
        ("en", "o" * 300, ["o" * 255]),
        ("en", "é" * 300 + " cat", ["é" * 255, "cat"]),
    ],
)
def test_terms_of_texts(language: str | None, text: str, terms: list[str]) -> None:
    assert Tokenizer(language)(text) == terms


@given(ANY_TEXT, st.sampled_from([None, "en", "fr", "tr", "fa", "ja"]))
def test_the_form_of_a_text_does_not_matter(text: str, language: str | None) -> None:
    tokenizer = Tokenizer(language, stop_words=False, stem=False)
    terms = tokenizer(text)
    assert all(terms)
    assert tokenizer(f" {text}\n") == terms
    assert all(len(term) <= module.LONGEST for term in terms)
    # What has its normal form already keeps it.
    assert tokenizer(" ".join(terms)) == [again for term in terms for again in tokenizer(term)]


@given(st.text(st.characters(max_codepoint=127), max_size=60), st.sampled_from([None, "en", "fr", "de"]))
def test_ascii_is_cut_as_other_texts_are(text: str, language: str | None) -> None:
    tokenizer = Tokenizer(language)
    assert tokenizer(f"{text} \N{GREEK SMALL LETTER ALPHA}")[:-1] == tokenizer(text)


def test_stop_words_that_are_given() -> None:
    tokenizer = Tokenizer("en", stop_words=["DOGS", "don’t", "as well", ""])
    assert tokenizer("the dog and dogs don't as well") == ["the", "dog", "and", "as", "well"]
    assert Tokenizer("en", stop_words=False)("the cats") == ["the", "cat"]
    assert Tokenizer("en", stop_words=True)("the cats") == ["cat"]
    assert Tokenizer("zh", stop_words=["我们"])("我们在") == ["们在"]
    assert Tokenizer("en", stem=False)("the cats") == ["cats"]


@pytest.mark.parametrize(
    "tokenizer",
    [Tokenizer("de"), Tokenizer(None), Tokenizer("fr", stop_words=["b", "a", "a"], stem=False), Tokenizer("ja")],
)
def test_configured_and_pickled(tokenizer: Tokenizer) -> None:
    for same in (Tokenizer(**json.loads(json.dumps(tokenizer.config))), pickle.loads(pickle.dumps(tokenizer))):
        assert same == tokenizer
        assert (repr(same), same.config, same.fingerprint) == (repr(tokenizer), tokenizer.config, tokenizer.fingerprint)
        assert len({same, tokenizer}) == 1


def test_fingerprints_follow_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Tokenizer("de").fingerprint
    assert Tokenizer("german").fingerprint == before
    monkeypatch.setattr(module, "_stemmer_of", lambda language: lambda word: word[:4])
    stems = Tokenizer("de").fingerprint
    monkeypatch.setattr(module, "stop_words_of", lambda language: frozenset(["und"]))
    assert len({before, stems, Tokenizer("de").fingerprint}) == 3


def test_words_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 100)
    tokenizer = Tokenizer("en")
    for number in range(1000):
        assert tokenizer(f"words{number} cats") == [f"words{number}", "cat"]
        assert len(tokenizer.terms) <= 100


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"language": 3}, TypeError, "language must be a str, such as 'en', or None, got int"),
        ({"language": "xx"}, ValueError, "language 'xx' is not known"),
        ({"stop_words": "the"}, TypeError, "stop_words must be a bool or a list of str, got str"),
        ({"stop_words": 3}, TypeError, "stop_words must be a bool or a list of str, got int"),
        ({"stop_words": [3]}, TypeError, "stop_words must be str, got int"),
        ({"stop_words": ["\ud800"]}, ValueError, "stop_words has half a surrogate pair"),
        ({"stem": "yes"}, TypeError, "stem must be a bool, got str"),
    ],
)
def test_arguments_that_are_none(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Tokenizer(**arguments)


def test_texts_that_are_none() -> None:
    with pytest.raises(TypeError, match="text must be a str, got bytes"):
        Tokenizer("en")(b"cat")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"text has half a surrogate pair, .* at character 1"):
        Tokenizer("en")("c\ud800")


def test_functions_of_your_own() -> None:
    assert CustomTokenizer(str.split, "x")("a  b") == ["a", "b"]
    some: Any = lambda text: (*text,)  # noqa: E731
    assert CustomTokenizer(some, "x")("ab") == ["a", "b"]
    assert CustomTokenizer(lambda text: ["", "a", ""], "x")("?") == ["a"]
    assert pickle.loads(pickle.dumps(CustomTokenizer(str.split, "x")))("a b") == ["a", "b"]
    assert as_tokenizer(CustomTokenizer(str.split, "x")).fingerprint == "custom:x"
    wrong: Any = CustomTokenizer(lambda text: text, "mine")  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="tokenizer 'mine' must return a list of str, got str"):
        wrong("a b")
    wrong = CustomTokenizer(lambda text: [1], "mine")  # type: ignore[list-item]
    with pytest.raises(TypeError, match="a tokenizer must return str, got int"):
        wrong("a b")
    with pytest.raises(ValueError, match="has half a surrogate pair"):
        CustomTokenizer(lambda text: ["\ud800"], "mine")("a")
    with pytest.raises(TypeError, match="a tokenizer's name must be a str that is not empty, got ''"):
        CustomTokenizer(str.split, "")
    with pytest.raises(TypeError, match="tokenizer must be a Tokenizer or a function"):
        CustomTokenizer("split", "x")  # type: ignore[arg-type]
