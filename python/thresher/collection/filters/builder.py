"""`F`: filters written as Python expressions, which make the same trees as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thresher.collection.filters import tree
from thresher.collection.filters.language import condition, parse
from thresher.collection.filters.tree import Filter


class F:
    """A field by its path, to be compared; ``F("$id")`` is the document's own id.

    Comparisons make filters, which `&`, `|` and `~` combine. They bind tighter than comparisons do: each comparison
    needs its parentheses.

    Parameters
    ----------
    path
        A field of payloads, with dots between the steps into objects.

    Raises
    ------
    ValueError
        If `path` begins with ``$`` and is not ``$id``, or, from comparisons, if there is no such value.
    TypeError
        If `path` is no string.

    Examples
    --------
    >>> from thresher.collection.filters import F
    >>> ((F("year") >= 2020) & ~F("lang").in_(["de", "fr"])).to_json()
    {'$and': [{'$not': {'lang': {'$in': ['de', 'fr']}}}, {'year': {'$gte': 2020}}]}
    """

    __slots__ = ("_path",)
    __hash__ = None  # type: ignore[assignment] # as it is compared by what it stands for

    def __init__(self, path: str) -> None:
        """Name a field."""
        if not isinstance(path, str):
            raise TypeError(f"path must be a string, got {type(path).__name__}")
        parse(tree.Exists(path), name="F")
        self._path = path

    def __repr__(self) -> str:
        """Show the path."""
        return f"F({self._path!r})"

    def __bool__(self) -> bool:
        """Refuse: a field alone says nothing."""
        raise TypeError(f"{self!r} is a field and no filter; {self!r}.exists() is one")

    def __eq__(self, value: object) -> Filter:  # type: ignore[override] # it makes a filter
        """Match documents with this value; of None, those without the field."""
        return self._by("$eq", value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override] # it makes a filter
        """Match documents that `==` does not match."""
        return self._by("$ne", value)

    def __gt__(self, value: object) -> Filter:
        """Match documents with a greater value of the same type."""
        return self._by("$gt", value)

    def __ge__(self, value: object) -> Filter:
        """Match documents with a greater or equal value of the same type."""
        return self._by("$gte", value)

    def __lt__(self, value: object) -> Filter:
        """Match documents with a smaller value of the same type."""
        return self._by("$lt", value)

    def __le__(self, value: object) -> Filter:
        """Match documents with a smaller or equal value of the same type."""
        return self._by("$lte", value)

    def in_(self, values: Iterable[Any]) -> Filter:
        """Match documents with any of these values."""
        return self._by("$in", values)

    def not_in(self, values: Iterable[Any]) -> Filter:
        """Match documents that `in_` does not match."""
        return self._by("$nin", values)

    isin = in_  # as numpy and pandas call it

    def exists(self) -> Filter:
        """Match documents that have the field, and not null."""
        return self._by("$exists", True)

    def contains(self, value: object) -> Filter:
        """Match documents whose list has this element, or whose string has this part."""
        return self._by("$contains", value)

    def like(self, pattern: str) -> Filter:
        """Match strings by a pattern: ``%`` stands for any characters, ``_`` for one, a backslash takes the meaning."""
        return self._by("$like", pattern)

    def _by(self, operator: str, operand: object) -> Filter:
        try:
            return condition(self._path, operator, operand)
        except ValueError as error:
            raise ValueError(f"{self!r}, {operator}: {error}") from None
