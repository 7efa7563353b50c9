"""Groups of hits by a field of the payload: the best k groups, each with its best documents.

Two steps. The search goes deeper until k groups are there, or nothing is left: groups come up in the order of their
best hit. Then groups that may have more members are searched alone. So the groups are exact if the hits are.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from thresher.collection.filters import parse
from thresher.collection.filters.fields import value_of, values_at
from thresher.collection.question import DEEPER, Question, Ranking, Row
from thresher.collection.selecting import matching

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.store import Store
    from thresher.collection.view import View

Rank: TypeAlias = Callable[[Question, "int | None", "npt.NDArray[np.int64] | None"], Ranking]
"""Gives the best documents of a question's queries, or of some: so many, or all for None."""

_LEAST = 32  # documents of the first search at least
_MAX_LISTED = 1000  # values of one filter


class Group(NamedTuple):
    """What documents have in common."""

    key: Hashable
    """Equal for equal values; a document without the field has one of its own."""
    value: Any
    """What the payload of its best document says; None where it says nothing."""


class Grouped(NamedTuple):
    """The hits of groups, members together, and the group's value of each hit."""

    ranking: Ranking
    values: list[list[Any]]


class Grouping:
    """Groups of documents of a view by a field, which need not be declared."""

    def __init__(self, field: str, view: View, store: Store) -> None:
        """Read payloads as groups are asked for."""
        self.field = field
        self._view = view
        self._store = store
        self._kind = view.fields.get(field)
        self._known: dict[int, Group] = {}

    def of(self, seqs: npt.NDArray[np.int64]) -> list[Group]:
        """Return the groups of documents."""
        new = [seq for seq in seqs.tolist() if seq not in self._known]
        for seq, payload in zip(new, self._store.payloads(np.array(new, np.int64), self._view), strict=True):
            self._known[seq] = self._group(seq, payload)
        return [self._known[seq] for seq in seqs.tolist()]

    def _group(self, seq: int, payload: Mapping[str, Any]) -> Group:
        found = values_at(payload, self.field)
        if not found:
            return Group(seq, None)
        value = found[0] if len(found) == 1 else found
        same = value if self._kind is None else value_of(payload, self.field, self._kind)
        return Group(_key(same), value)


def grouped(
    question: Question,
    grouping: Grouping,
    k: int | None,
    per_group: int,
    *,
    rank: Rank,
    before: Sequence[npt.NDArray[np.int64]] | None = None,
) -> Grouped:
    """Return the best k groups of each query with up to `per_group` members; all groups for None.

    Parameters
    ----------
    question, rank
        What is searched, and how.
    before
        For each query the documents of pages before, whose groups do not come again.
    """
    closed = [{group.key for group in grouping.of(seqs)} for seqs in before] if before is not None else None
    found = [
        _Members(grouping, per_group, k, closed[query] if closed else set()) for query in range(question.n_queries)
    ]
    exact = np.ones(len(found), np.bool_)
    left = np.arange(len(found))
    most = max(question.n_docs, 1)
    depth = None if k is None else min(max(DEEPER * k * per_group, _LEAST), most)
    while left.size:
        ranking = rank(question, depth, None if left.size == len(found) else left)
        exact[left] = ranking.exact
        for query, row in zip(left.tolist(), ranking.rows, strict=True):
            found[query].take(row, is_all=depth is None or depth >= most or len(row.seqs) < depth)
        left = np.array([query for query in left.tolist() if found[query].is_short], np.int64)
        if left.size and question.is_overdue:
            exact[left] = False
            break
        depth = None if depth is None else min(depth * DEEPER, most)
    for query, members in enumerate(found):
        if members.missing() and not question.is_overdue:
            exact[query] &= _completed(question, query, members, rank)
        elif members.missing():
            exact[query] = False
    rows = [members.row() for members in found]
    return Grouped(Ranking([row for row, _ in rows], exact), [values for _, values in rows])


class _Members:
    """The groups of one query, in the order of their best, and the best members of each that were found."""

    def __init__(self, grouping: Grouping, per_group: int, k: int | None, closed: set[Hashable]) -> None:
        self.grouping = grouping
        self.per_group = per_group
        self._k = k
        self._closed = closed
        self._groups: dict[Hashable, Group] = {}
        self._members: dict[Hashable, list[tuple[int, float]]] = {}
        self._is_all = False

    def take(self, row: Row, *, is_all: bool) -> None:
        """Begin anew with the best documents; `is_all`: there are no others."""
        self._groups, self._members, self._is_all = {}, {}, is_all
        for group, seq, score in zip(self.grouping.of(row.seqs), *row, strict=True):
            if group.key in self._closed:
                continue
            if group.key not in self._groups:
                if len(self._groups) == self._k:
                    continue
                self._groups[group.key] = group
                self._members[group.key] = []
            if len(self._members[group.key]) < self.per_group:
                self._members[group.key].append((int(seq), score))

    @property
    def is_short(self) -> bool:
        """Whether there may be more groups."""
        return not self._is_all and len(self._groups) != self._k

    def missing(self) -> list[Group]:
        """Return the groups that may have more members."""
        if self._is_all:
            return []
        return [
            group
            for key, group in self._groups.items()
            if group.value is not None and len(self._members[key]) < self.per_group
        ]

    def complete(self, row: Row, missing: Sequence[Group], *, is_all: bool) -> list[Group]:
        """Take the best documents of groups that may have more; return those that may have more still."""
        better: dict[Hashable, list[tuple[int, float]]] = {group.key: [] for group in missing}
        for group, seq, score in zip(self.grouping.of(row.seqs), *row, strict=True):
            members = better.get(group.key)
            if members is not None and len(members) < self.per_group:
                members.append((int(seq), score))
        for key, members in better.items():
            if len(members) >= len(self._members[key]):
                self._members[key] = members
        return [] if is_all else [group for group in missing if len(self._members[group.key]) < self.per_group]

    def row(self) -> tuple[Row, list[Any]]:
        """Return the members of all groups, and their groups' values."""
        flat = [member for members in self._members.values() for member in members]
        values = [group.value for key, group in self._groups.items() for _ in self._members[key]]
        return (
            Row(np.array([seq for seq, _ in flat], np.int64), np.array([score for _, score in flat], np.float32)),
            values,
        )


def _completed(question: Question, query: int, members: _Members, rank: Rank) -> bool:
    """Find the members that groups lack, by a search of these groups alone; return whether they are proven."""
    missing = members.missing()
    most = max(question.n_docs, 1)
    depth = min(max(DEEPER * members.per_group * len(missing), _LEAST), most)
    exact = True
    while missing:
        narrowed = _of_groups(question, members.grouping, missing)
        ranking = rank(narrowed, depth, np.array([query]))
        row = ranking.rows[0]
        missing = members.complete(row, missing, is_all=depth >= most or len(row.seqs) < depth)
        exact &= bool(ranking.exact[0])
        if missing and question.is_overdue:
            return False
        depth = min(depth * DEEPER, most)
    return exact


def _of_groups(question: Question, grouping: Grouping, groups: Sequence[Group]) -> Question:
    """Return the question to documents of some groups alone, as far as a filter can name them."""
    values = [group.value for group in groups]
    if len(values) > _MAX_LISTED or not all(isinstance(value, str | int | float) for value in values):
        return question
    # A list has every value that is in it: more than the group, which is sorted out later.
    within = list(matching(question.view, parse({grouping.field: {"$in": values}}), grouping._store))  # noqa: SLF001
    return dataclasses.replace(question, allowed=question.allowed.within(within))


def _key(value: Any) -> Hashable:  # noqa: ANN401 - of JSON
    """Return what is equal for equal values: 1 and 1.0 are, True is neither."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:  # noqa: ANN401 - of JSON
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value
