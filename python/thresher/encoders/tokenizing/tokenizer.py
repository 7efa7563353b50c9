"""Tokenizers: from a text to the terms that stand in it, one for each time that they do.

What a word becomes is found once for each distinct word, and remembered: normal form, stop word or not, stem. The text
itself is only cut, which is what makes it fast.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias
from unicodedata import normalize

from thresher._extras import missing
from thresher._kinds import kind_of
from thresher.encoders.texts import check_encodable
from thresher.encoders.tokenizing.languages import Language, language_of, stop_words_of

LONGEST = 255  # characters of a term; what is longer is cut, as Lucene's tokenizers do
_REMEMBERED = 1 << 20  # words
_RULES = 1  # what makes words of texts here: to be raised when it makes others
# Words that the rules of the English stemmer take apart; of other languages, stop words are many enough.
_ENGLISH_PROBE = (
    "abilities", "agreed", "argument", "communism", "controlling", "customization", "dog's", "dying", "formally",
    "generously", "happy", "hopefulness", "hoping", "kindly", "national", "oddities", "past", "proceed", "radically",
    "relational", "running", "skies", "succeeding", "university", "wildly", "yielded",
)  # fmt: skip

_DOTS = {ord("I"): "\N{LATIN SMALL LETTER DOTLESS I}", ord("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"): "i"}
_INVISIBLE = str.maketrans(
    dict.fromkeys("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}\N{COMBINING ENCLOSING KEYCAP}")
)


class TokenizerLike(Protocol):
    """What `count` counts by: a text is split into words, of which each distinct one is looked up once."""

    @property
    def fingerprint(self) -> str:
        """What the terms depend on."""

    @property
    def config(self) -> dict[str, Any] | None:
        """What makes an equal one of; None if nothing does."""

    @property
    def terms(self) -> Mapping[str, str | None]:
        """The term of a word, any word; None if it has none."""

    def split(self, text: str) -> list[str]:
        """Return the words of a text, in order."""

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order."""


class Tokenizer:
    """Finds the words of a text, without stop words, stemmed.

    Words are runs of letters, digits and marks, in NFKC and without case, and emoji. Chinese, Japanese, Korean, Thai,
    Lao, Khmer and Burmese become all pairs of neighbouring characters, whatever the language that is named.

    Parameters
    ----------
    language
        By ISO 639-1 code or English name, such as ``"de"`` or ``"german"``; None for none in particular, without
        stemming and stop words.
    stop_words
        Which to leave out: True for the language's own, False for none, or a list.
    stem
        Whether to reduce words to stems, where Snowball has a stemmer of the language.

    Raises
    ------
    ImportError
        If PyStemmer, stopwordsiso or regex is missing, which the extra ``text`` brings.
    ValueError
        If the language is not known.

    Examples
    --------
    >>> from thresher.encoders import Tokenizer
    >>> Tokenizer("en")("The Runners were running")
    ['runner', 'were', 'run']
    >>> Tokenizer("ja")("東京タワー 2024")
    ['東京', '京タ', 'タワ', 'ワー', '2024']
    """

    def __init__(
        self, language: str | None = "en", *, stop_words: bool | Iterable[str] = True, stem: bool = True
    ) -> None:
        """Load what the language needs."""
        from thresher.encoders.tokenizing import scripts  # noqa: PLC0415 - which needs an extra

        if not isinstance(stem, bool):
            raise TypeError(f"stem must be a bool, got {kind_of(stem)}")
        known = None if language is None else language_of(language)
        self._language = known
        self._stem = stem
        self._scripts = scripts
        elides = known is not None and known.elides
        self._ascii = None if known is not None and known.dotted_i else scripts.words_of_ascii(elides=elides)
        self._any = scripts.words_of_any(elides=elides)
        self._given = stop_words if isinstance(stop_words, bool) else _strings(stop_words)
        # Of a stop word that is several words, such as "as well", none is dropped.
        listed = map(self.split, _listed(self._given, known))
        self._dropped = frozenset(_plain(words[0]) for words in listed if len(words) == 1)
        self._stemmer = _stemmer_of(known) if stem else None
        self.terms: Mapping[str, str | None] = _Terms(self._dropped, self._stemmer)
        probe = [*sorted(self._dropped), *map(self._stemmer, _probe(known))] if self._stemmer else sorted(self._dropped)
        digest = hashlib.sha256("\n".join(probe).encode()).hexdigest()[:12]
        self._fingerprint = f"words{_RULES}:{self.language or 'any'}:{'stems' if self._stemmer else 'forms'}:{digest}"

    @property
    def language(self) -> str | None:
        """The language's code."""
        return None if self._language is None else self._language.code

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make an equal one, as JSON has them."""
        given = self._given if isinstance(self._given, bool) else list(self._given)
        return {"language": self.language, "stop_words": given, "stem": self._stem}

    @property
    def fingerprint(self) -> str:
        """What the terms depend on: the language, and a digest of the stop words and of what stemming makes of them."""
        return self._fingerprint

    def split(self, text: str) -> list[str]:
        """Return the words of a text, in order, normalized."""
        if self._ascii is not None and text.isascii():
            return self._ascii(text.lower())
        normal = self._normal(text)
        words = self._any(normal)
        return list(self._scripts.with_pairs(words)) if self._scripts.has_unspaced(normal) else words

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order."""
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, got {kind_of(text)}")
        check_encodable(text, "text")
        return [term for term in map(self.terms.__getitem__, self.split(text)) if term is not None]

    def _normal(self, text: str) -> str:
        """Return a text in NFKC without case, what is invisible left out."""
        text = normalize("NFKC", text)
        if self._language is not None and self._language.dotted_i:
            text = text.translate(_DOTS)
        if self._language is not None and self._language.code == "fa":
            text = text.replace("\N{ZERO WIDTH NON-JOINER}", " ")
        text = text.replace("\N{SOFT HYPHEN}", "").replace("\N{VARIATION SELECTOR-16}", "")
        return normalize("NFKC", text.casefold())

    def __eq__(self, other: object) -> bool:
        """Return whether another one makes the same terms."""
        return isinstance(other, Tokenizer) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        """Return the same number for equal ones."""
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        """Show the arguments."""
        given = self._given if isinstance(self._given, bool) else list(self._given)
        return f"Tokenizer({self.language!r}, stop_words={given!r}, stem={self._stem})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments."""
        return _made, (self.config,)


class CustomTokenizer:
    """A function of your own that splits texts, and the name that stands for it.

    Parameters
    ----------
    function
        Takes a text and returns its terms, a list of str; empty ones are left out. It is called for one text at a time.
    name
        Stands for the function in fingerprints: change it with what the function does.

    Examples
    --------
    >>> from thresher.encoders import CustomTokenizer
    >>> CustomTokenizer(str.split, "spaces")("to be or not")
    ['to', 'be', 'or', 'not']
    """

    config = None

    def __init__(self, function: Callable[[str], list[str]], name: str) -> None:
        """Remember them."""
        if not callable(function):
            raise TypeError(
                f"tokenizer must be a Tokenizer or a function from str to list of str, got {kind_of(function)}"
            )
        if not name or not isinstance(name, str):
            raise TypeError(f"a tokenizer's name must be a str that is not empty, got {name!r}")
        self.function = function
        self.name = name
        self.terms: Mapping[str, str | None] = _Same()

    @property
    def fingerprint(self) -> str:
        """The name."""
        return f"custom:{self.name}"

    def split(self, text: str) -> list[str]:
        """Return what the function returns for a text.

        Raises
        ------
        TypeError
            If it is no list or tuple.
        """
        words: Any = self.function(text)
        if not isinstance(words, list | tuple):
            raise TypeError(f"tokenizer {self.name!r} must return a list of str, got {kind_of(words)}")
        return words if isinstance(words, list) else list(words)

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order."""
        return [term for term in map(self.terms.__getitem__, self.split(text)) if term is not None]

    def __repr__(self) -> str:
        """Show the function and the name."""
        return f"CustomTokenizer({self.function!r}, {self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the function and the name."""
        return CustomTokenizer, (self.function, self.name)


AnyTokenizer: TypeAlias = Tokenizer | CustomTokenizer


def as_tokenizer(
    given: TokenizerLike | None,
    *,
    language: str | None = "en",
    stop_words: bool | Iterable[str] = True,
    stem: bool = True,
) -> TokenizerLike:
    """Return a tokenizer that was given, or make one of the other arguments."""
    if given is None:
        return Tokenizer(language, stop_words=stop_words, stem=stem)
    if all(hasattr(given, name) for name in ("fingerprint", "config", "terms", "split")):
        return given
    raise TypeError(
        "tokenizer must be a Tokenizer, or CustomTokenizer(function, name) with a name for its function, "
        f"got {kind_of(given)}"
    )


def _made(config: dict[str, Any]) -> Tokenizer:
    return Tokenizer(**config)


def _strings(words: Iterable[str]) -> tuple[str, ...]:
    """Return stop words that were given, each once."""
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise TypeError(f"stop_words must be a bool or a list of str, got {kind_of(words)}")
    listed = tuple(words)
    for word in listed:
        if not isinstance(word, str):
            raise TypeError(f"stop_words must be str, got {kind_of(word)}")
        check_encodable(word, "stop_words")
    return tuple(sorted(set(listed)))


def _listed(given: bool | tuple[str, ...], language: Language | None) -> Iterable[str]:
    if isinstance(given, bool):
        return stop_words_of(language) if given and language is not None else ()
    return given


def _probe(language: Language | None) -> list[str]:
    """Return words by whose stems two versions of a stemmer probably differ, if they do."""
    if language is None:
        return []
    return [*_ENGLISH_PROBE] if language.code == "en" else sorted(map(_plain, stop_words_of(language)))


def _plain(word: str) -> str:
    """Return a word with plain apostrophes and nothing invisible."""
    return word.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").translate(_INVISIBLE)


def _stemmer_of(language: Language | None) -> Callable[[str], str] | None:
    if language is None or language.stemmer is None:
        return None
    try:
        import Stemmer  # noqa: PLC0415 - brought by an extra
    except ImportError as error:
        raise ImportError(missing(f"stems of {language.name} need PyStemmer", "text")) from error
    try:
        stemmer = Stemmer.Stemmer(language.stemmer, 0)  # words are remembered here
    except KeyError:
        raise ImportError(
            missing(f"stems of {language.name} need a newer PyStemmer than {Stemmer.version()}", "text")
        ) from None
    stem: Callable[[str], str] = stemmer.stemWord
    return stem


class _Terms(dict[str, "str | None"]):
    """The terms of words, each found when it is first asked for."""

    def __init__(self, dropped: frozenset[str], stem: Callable[[str], str] | None) -> None:
        super().__init__()
        self._dropped = dropped
        self._stem = stem
        self._lock = threading.Lock()  # a stemmer is for one thread at a time

    def __missing__(self, word: str) -> str | None:
        term: str | None = _plain(word[:LONGEST])
        if term in self._dropped:
            term = None
        elif term and self._stem is not None:
            with self._lock:
                term = self._stem(term)
        term = term or None
        if len(word) <= LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[word] = term
        return term


class _Same(Mapping[str, "str | None"]):
    """Words that are terms already, as a function of others' made them."""

    def __getitem__(self, word: str) -> str | None:
        if not isinstance(word, str):
            raise TypeError(f"a tokenizer must return str, got {kind_of(word)}")
        check_encodable(word, f"the term {word!r}")
        return word or None

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Any:  # noqa: ANN401 - of nothing
        return iter(())
