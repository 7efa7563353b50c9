"""Languages, by ISO 639-1 code and English name: the stemmer of each, and how it is written.

Stop words are those of Lucene for English, a short list, and of Stopwords ISO for all others.
"""

from __future__ import annotations

from typing import NamedTuple

from thresher._extras import missing

# Lucene's EnglishAnalyzer.
_ENGLISH_STOP_WORDS = (
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
)  # fmt: skip


class Language(NamedTuple):
    """How a language's words become terms."""

    code: str
    """ISO 639-1."""
    name: str
    """In English, lower case."""
    stemmer: str | None = None
    """The Snowball algorithm; None if there is none."""
    elides: bool = False
    """Whether an apostrophe ends a word, as in *l'eau*, rather than being inside, as in *don't*."""
    dotted_i: bool = False
    """Whether I and i are different letters, as in Turkish: the one without a dot, the other with one in both cases."""
    spaced: bool = True
    """Whether words stand between spaces; what is cut into pairs of characters has no stop words."""


# Those that Snowball has a stemmer of, by its name for them.
_STEMMED = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch",
    "en": "english", "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german",
    "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "fa": "persian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho", "es": "spanish", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_UNSTEMMED = {
    "af": "afrikaans", "bn": "bengali", "bg": "bulgarian", "hr": "croatian", "gl": "galician", "gu": "gujarati",
    "he": "hebrew", "lv": "latvian", "ms": "malay", "mr": "marathi", "sk": "slovak", "sl": "slovenian",
    "sw": "swahili", "tl": "tagalog", "uk": "ukrainian", "ur": "urdu", "vi": "vietnamese",
}  # fmt: skip
_UNSPACED = {
    "my": "burmese", "zh": "chinese", "ja": "japanese", "km": "khmer", "ko": "korean", "lo": "lao", "th": "thai",
}  # fmt: skip
_ELIDING = ("ca", "eo", "fr", "it")


def _table() -> dict[str, Language]:
    languages = [
        *(
            Language(code, name, stemmer=name, elides=code in _ELIDING, dotted_i=code == "tr")
            for code, name in _STEMMED.items()
        ),
        *(Language(code, name) for code, name in _UNSTEMMED.items()),
        *(Language(code, name, spaced=False) for code, name in _UNSPACED.items()),
    ]
    return {language.code: language for language in sorted(languages)}


LANGUAGES = _table()
"""The languages that are known, by code."""

_NAMES = {language.name: language for language in LANGUAGES.values()} | {
    "nb": LANGUAGES["no"],
    "nn": LANGUAGES["no"],
    "farsi": LANGUAGES["fa"],
}


def language_of(name: str) -> Language:
    """Return a language by its code or its English name, in any case.

    Raises
    ------
    ValueError
        If it is not known.
    """
    if not isinstance(name, str):
        raise TypeError(f"language must be a str, such as 'en', or None, got {type(name).__name__}")
    key = name.strip().lower()
    found = LANGUAGES.get(key) or _NAMES.get(key)
    if found is None:
        known = ", ".join(f"{language.code} ({language.name})" for language in LANGUAGES.values())
        raise ValueError(f"language {name!r} is not known; None is none in particular. Known are {known}")
    return found


def stop_words_of(language: Language) -> frozenset[str]:
    """Return the stop words of a language, as its list has them; none for what is written without spaces.

    Raises
    ------
    ImportError
        If stopwordsiso is not installed.
    """
    if language.code == "en":
        return frozenset(_ENGLISH_STOP_WORDS)
    if not language.spaced:
        return frozenset()
    try:
        import stopwordsiso  # noqa: PLC0415 - brought by an extra
    except ImportError as error:
        raise ImportError(missing(f"stop words of {language.name} need stopwordsiso", "text")) from error
    return frozenset(stopwordsiso.stopwords(language.code))
