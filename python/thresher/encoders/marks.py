"""Terms that are no words, beside words: entities, keyphrases, hashed phrases.

A mark in front of them, the kind and a character that no word has, keeps the kinds apart: ``entity␟Q42`` is not the
word "Q42", nor any other.
"""

from __future__ import annotations

from thresher.encoders.texts import check_encodable

MARK = "\N{SYMBOL FOR UNIT SEPARATOR}"
KINDS = ("entity", "keyphrase", "phrase")


def entity(name: str) -> str:
    """Return the term of an entity, such as a Wikidata or Wikipedia id.

    Raises
    ------
    TypeError, ValueError
        If the name is no string, empty, or has the mark itself.

    Examples
    --------
    >>> from thresher.encoders import entity
    >>> entity("Q42")
    'entity␟Q42'
    """
    return marked("entity", name)


def keyphrase(name: str) -> str:
    """Return the term of a keyphrase, of any number of words; errors as for `entity`.

    Examples
    --------
    >>> from thresher.encoders import keyphrase
    >>> keyphrase("sparse retrieval")
    'keyphrase␟sparse retrieval'
    """
    return marked("keyphrase", name)


def marked(kind: str, name: str) -> str:
    """Return the term of something of a kind."""
    return f"{kind}{MARK}{plain(name, kind)}"


def as_term(word: str) -> str:
    """Return a word, or a term that is marked already; errors as for `entity`."""
    given: object = word
    if isinstance(given, str) and MARK in given:
        kind, _, name = given.partition(MARK)
        if kind in KINDS:
            return marked(kind, name)
    return plain(word, "a word")


def plain(word: str, what: str) -> str:
    """Return a word that has no mark, or raise TypeError or ValueError that calls it `what`."""
    if not isinstance(word, str):
        raise TypeError(f"{what} must be a str, got {word!r}")
    if not word:
        raise ValueError(f"{what} is empty")
    if not word.isascii():
        check_encodable(word, what)
        if MARK in word:
            raise ValueError(f"{what} {word!r} has the character {MARK}, which marks terms that are no words")
    return word
