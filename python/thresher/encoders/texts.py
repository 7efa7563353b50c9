"""The check of every text that comes in: strings, without halves of surrogate pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from thresher._kinds import kind_of


def checked(texts: Iterable[Any], name: str = "texts", first: int = 0) -> Iterator[str]:
    """Yield texts, each looked at when it is taken.

    Parameters
    ----------
    texts
        Strings.
    name
        What messages call them.
    first
        The place of the first one, as messages count them.

    Raises
    ------
    TypeError
        If they are one string, or not strings; the place is named.
    ValueError
        If one has half a surrogate pair, which no UTF-8 has; the place is named.
    """
    if isinstance(texts, str | bytes | bytearray) or not isinstance(texts, Iterable):
        raise TypeError(f"{name} must be a sequence of str, got {kind_of(texts)}")
    return _each(texts, name, first)


def _each(texts: Iterable[Any], name: str, first: int) -> Iterator[str]:
    for place, text in enumerate(texts, first):
        if not isinstance(text, str):
            hint = "; decode it first: text.decode()" if isinstance(text, bytes | bytearray) else ""
            raise TypeError(f"{name}[{place}] must be a str, got {kind_of(text)}{hint}")
        if not text.isascii():
            check_encodable(text, f"{name}[{place}]")
        yield text


def check_encodable(text: str, where: str) -> None:
    """Raise ValueError for a text that has half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{where} has half a surrogate pair, {text[error.start]!r}, at character {error.start}"
        ) from None
