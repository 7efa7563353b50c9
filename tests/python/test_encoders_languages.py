"""Languages: every stemmer is there, every list of stop words."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import Stemmer
import stopwordsiso

from thresher.encoders import Tokenizer
from thresher.encoders.tokenizing import LANGUAGES, language_of
from thresher.encoders.tokenizing.languages import stop_words_of


def test_stemmers_are_those_of_snowball() -> None:
    used = {language.stemmer for language in LANGUAGES.values()} - {None}
    assert used <= set(Stemmer.algorithms())
    assert len(used) >= 30


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.name)
def test_every_language_makes_a_tokenizer(language: object) -> None:
    name = language.name  # type: ignore[attr-defined]
    tokenizer = Tokenizer(name.upper())
    assert tokenizer.language == language.code  # type: ignore[attr-defined]
    assert tokenizer("2024") == ["2024"]


def test_stop_words_are_there_for_most() -> None:
    with_words = [language.code for language in LANGUAGES.values() if stop_words_of(language)]
    assert len(with_words) >= 40
    assert {*"en de fr es pt it nl sv da no fi ru pl cs hu ro tr el ar he hi id uk vi".split()} <= {*with_words}  # noqa: SIM905
    assert len(stop_words_of(LANGUAGES["en"])) == 33
    assert stop_words_of(LANGUAGES["de"]) == frozenset(stopwordsiso.stopwords("de"))
    assert not any(stop_words_of(language) for language in LANGUAGES.values() if not language.spaced)


@pytest.mark.parametrize("name", ["de", "DE", " german ", "German"])
def test_names_and_codes(name: str) -> None:
    assert language_of(name).code == "de"


def test_other_names() -> None:
    assert language_of("nb") is language_of("nn") is language_of("norwegian")
    assert language_of("farsi") is language_of("persian")
    with pytest.raises(
        ValueError, match=r"language 'xx' is not known; None is none in particular. Known are .*de \(german\)"
    ):
        language_of("xx")


def test_a_stemmer_that_an_old_library_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str, size: int) -> None:
        raise KeyError(name)

    monkeypatch.setitem(sys.modules, "Stemmer", SimpleNamespace(Stemmer=none, version=lambda: "2.2.0"))
    with pytest.raises(ImportError, match=r"stems of polish need a newer PyStemmer than 2\.2\.0, which the extra"):
        Tokenizer("pl")
