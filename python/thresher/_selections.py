"""The documents that a search may return, in every form in which callers name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias, TypeGuard, cast

import numpy as np
import numpy.typing as npt

from thresher import _core
from thresher._hits import Hits
from thresher._kinds import kind_of

Documents: TypeAlias = _core.Selection | npt.ArrayLike | AbstractSet[int]
"""A set of documents: a Selection, booleans of shape (n_docs,), or ids in any order."""
Allowed: TypeAlias = Documents | Sequence[Documents | None]
"""One for all queries, or one for each."""


def as_selection(handle: _core.Index, documents: Documents, name: str) -> _core.Selection:
    """Return a Selection of the documents named, or raise naming the argument.

    Raises
    ------
    ValueError
        If there is not a bool for each document, an id is not one, or the array has not one dimension.
    TypeError
        If it is neither a Selection nor an array of booleans or whole numbers.
    """
    if isinstance(documents, _core.Selection):
        return documents
    given: Any = list(documents) if isinstance(documents, AbstractSet | range) else documents
    if isinstance(given, np.ma.MaskedArray):  # what is masked is not selected
        given = given.filled(False) if given.dtype == np.bool_ else given.compressed()
    array = np.asarray(given)
    if array.size == 0 and array.dtype.kind == "f":  # an empty list
        array = array.astype(np.int64)
    if array.dtype.kind not in "biu" or (isinstance(documents, AbstractSet) and array.dtype == np.bool_):
        raise TypeError(f"{name} must be booleans, document ids or a Selection, got {kind_of(documents)}")
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got {array.ndim}")
    if array.dtype == np.bool_:
        return handle.select_mask(np.ascontiguousarray(array).view(np.uint8), name)
    outside = array[array >= 2**63] if array.dtype == np.uint64 else array[:0]
    if outside.size:
        raise ValueError(f"{name}: {outside[0]} is not a document; the index has {handle.n_docs}")
    return handle.select_ids(np.ascontiguousarray(array, dtype=np.int64), name)


class Choice:
    """What is allowed, or excluded: one set of documents for all queries, or one for each."""

    def __init__(self, handle: _core.Index, given: Allowed, n_queries: int, name: str) -> None:
        """Take one set, or a sequence of them that is as long as there are queries; raise as `as_selection`."""
        self._handle = handle
        self._name = name
        self._shared: _core.Selection | None = None
        self._each: Sequence[Documents | None] = ()
        if not _is_of_each(given):
            self._shared = as_selection(handle, cast("Documents", given), name)
            return
        if len(given) != n_queries:
            raise ValueError(f"{name}: {len(given)} sets of documents for {n_queries} queries")
        self._each = given

    @property
    def is_of_each(self) -> bool:
        """Whether each query has its own."""
        return self._shared is None

    def of(self, queries: range) -> list[_core.Selection]:
        """Return the Selections of some of the queries: one, if it is of all."""
        if self._shared is not None:
            return [self._shared]
        return [self._one(query) for query in queries]

    def _one(self, query: int) -> _core.Selection:
        documents = self._each[query]
        if documents is None:
            return ~self._handle.select_ids(np.zeros(0, np.int64), self._name)
        return as_selection(self._handle, documents, f"{self._name}[{query}]")


class Pages:
    """What pages before have returned of each query, which is excluded, and how much that is."""

    def __init__(self, handle: _core.Index, after: Hits | npt.ArrayLike, n_queries: int) -> None:
        """Take hits, or the cursor of hits."""
        given = after.cursor if isinstance(after, Hits) else after
        try:
            cursor = np.asarray(given)
        except ValueError:  # rows of different lengths
            cursor = np.asarray(None)
        if cursor.dtype.kind not in "iu" or cursor.ndim not in (1, 2):
            raise TypeError(f"after must be hits or their cursor, got {kind_of(after)}")
        cursor = np.atleast_2d(cursor)
        if cursor.shape[0] != n_queries:
            raise ValueError(f"after is of {cursor.shape[0]} queries, there are {n_queries}")
        outside = cursor[(cursor < -1) | (cursor >= max(handle.n_docs, 1))]
        if outside.size:
            raise ValueError(f"after: {outside[0]} is not a document; the index has {handle.n_docs}")
        self._handle = handle
        self.ids: npt.NDArray[np.int64] = cursor.astype(np.int64, copy=False)

    @property
    def depth(self) -> int:
        """Documents that each query has had, at most."""
        return int((self.ids >= 0).sum(axis=1).max(initial=0))

    def of(self, queries: range) -> list[_core.Selection]:
        """Return the Selections of what some of the queries have had."""
        return [self._handle.select_ids(self.ids[query][self.ids[query] >= 0], "after") for query in queries]


def _is_of_each(given: object) -> TypeGuard[Sequence[Documents | None]]:
    """Tell several sets of documents from one."""
    if isinstance(given, np.ndarray):
        return given.ndim == 2 or (given.dtype == object and any(not _is_number(one) for one in given))
    if isinstance(given, _core.Selection | AbstractSet | range | str | bytes) or not isinstance(given, Iterable):
        return False
    return isinstance(given, Sequence) and any(not _is_number(one) for one in given)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | complex | np.generic)
