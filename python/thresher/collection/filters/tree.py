"""The tree of a filter: seven kinds of nodes, immutable, hashable, in one canonical form.

Filters that say the same by the same conditions are equal, however they are written: `$ne`, `$nin` and `$not` are
`Not`, `$eq` and `$in` are `OneOf`, null is a matter of `Exists`; children are flat, sorted and without repeats. So a
tree can be the key of a cache. Build trees with `all_of`, `any_of`, `negated` and `one_of`, which keep the form; nodes
check their depth and size themselves, so that nothing that walks a tree recurses without bound.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

from thresher.collection.filters.values import Scalar

MAX_DEPTH = 64  # of nodes in nodes
MAX_SIZE = 1_000_000  # conditions, and values of `$in`

ID = "$id"  # the path of a document's own id

Order: TypeAlias = Literal["$gt", "$gte", "$lt", "$lte"]


class Filter(abc.ABC):
    """A condition on a document: `&`, `|` and `~` combine them."""

    __slots__ = ()

    depth: int = 1
    size: int = 1

    @abc.abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON, which parses to an equal one."""

    @abc.abstractmethod
    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by: any total order."""

    def __and__(self, other: object) -> Filter:
        """Return what both match."""
        return all_of([self, other]) if isinstance(other, Filter) else NotImplemented

    def __or__(self, other: object) -> Filter:
        """Return what either matches."""
        return any_of([self, other]) if isinstance(other, Filter) else NotImplemented

    def __invert__(self) -> Filter:
        """Return what does not match."""
        return negated(self)

    def __bool__(self) -> bool:
        """Refuse: `and`, `or`, `not` and chains such as ``1 < F("a") < 3`` would lose a condition."""
        raise TypeError("a filter is neither true nor false; combine filters by &, | and ~, each in parentheses")


@dataclass(frozen=True, slots=True)
class Condition(Filter):
    """A condition on the values at one path."""

    path: str


@dataclass(frozen=True, slots=True)
class Exists(Condition):
    """There is a value that is not null."""

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        return {self.path: {"$exists": True}}

    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by."""
        return ("exists", self.path)


@dataclass(frozen=True, slots=True)
class OneOf(Condition):
    """A value equals one of these, which are sorted and differ."""

    values: tuple[Scalar, ...]
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check the number of values."""
        object.__setattr__(self, "size", _within(max(len(self.values), 1)))

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        if len(self.values) == 1:
            return {self.path: {"$eq": self.values[0].value}}
        return {self.path: {"$in": [value.value for value in self.values]}}

    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by."""
        return ("in", self.path, self.values)


@dataclass(frozen=True, slots=True)
class Compare(Condition):
    """A value of the same sort lies on this side of another."""

    order: Order
    value: Scalar

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        return {self.path: {self.order: self.value.value}}

    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by."""
        return ("order", self.path, self.order, self.value)


@dataclass(frozen=True, slots=True)
class Contains(Condition):
    """A list has this element, or a string this part."""

    value: Scalar

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        return {self.path: {"$contains": self.value.value}}

    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by."""
        return ("contains", self.path, self.value)


@dataclass(frozen=True, slots=True)
class Like(Condition):
    """A string matches this pattern."""

    pattern: str

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        return {self.path: {"$like": self.pattern}}

    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by."""
        return ("like", self.path, self.pattern)


@dataclass(frozen=True, slots=True)
class Junction(Filter):
    """Several filters as one."""

    operator: ClassVar[str]
    children: tuple[Filter, ...] = ()
    depth: int = field(init=False, compare=False, repr=False)
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check depth and size."""
        object.__setattr__(self, "depth", _not_deeper(1 + max((child.depth for child in self.children), default=0)))
        object.__setattr__(self, "size", _within(1 + sum(child.size for child in self.children)))

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        return {self.operator: [child.to_json() for child in self.children]}

    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by."""
        return (self.operator, len(self.children), *(child.sort_key() for child in self.children))


@dataclass(frozen=True, slots=True)
class And(Junction):
    """All match; of nothing, everything does."""

    operator: ClassVar[str] = "$and"

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        return Junction.to_json(self) if self.children else {}


@dataclass(frozen=True, slots=True)
class Or(Junction):
    """Any matches; of nothing, nothing does."""

    operator: ClassVar[str] = "$or"


@dataclass(frozen=True, slots=True)
class Not(Filter):
    """The exact complement."""

    child: Filter
    depth: int = field(init=False, compare=False, repr=False)
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check depth and size."""
        object.__setattr__(self, "depth", _not_deeper(1 + self.child.depth))
        object.__setattr__(self, "size", _within(1 + self.child.size))

    def to_json(self) -> dict[str, Any]:
        """Return the filter as JSON."""
        return {"$not": self.child.to_json()}

    def sort_key(self) -> tuple[Any, ...]:
        """Return what nodes are sorted by."""
        return ("not", self.child.sort_key())


def _not_deeper(depth: int) -> int:
    if depth > MAX_DEPTH:
        raise ValueError(f"the filter is nested more than {MAX_DEPTH} deep")
    return depth


def _within(size: int) -> int:
    if size > MAX_SIZE:
        raise ValueError(f"the filter has more than {MAX_SIZE} conditions and values")
    return size


EVERYTHING = And()
NOTHING = Or()


def all_of(children: Iterable[Filter]) -> Filter:
    """Return what all match, in canonical form."""
    return _joined(And, Or, children)


def any_of(children: Iterable[Filter]) -> Filter:
    """Return what any matches, in canonical form."""
    return _joined(Or, And, children)


def negated(child: Filter) -> Filter:
    """Return the complement, in canonical form."""
    if isinstance(child, Not):
        return child.child
    if child in (EVERYTHING, NOTHING):
        return NOTHING if child == EVERYTHING else EVERYTHING
    return Not(child)


def one_of(path: str, values: Iterable[Scalar | None]) -> Filter:
    """Return what equals one of the values, in canonical form; null is that there is none."""
    wanted = set(values)
    found = sorted(value for value in wanted if value is not None)
    conditions: list[Filter] = [OneOf(path, tuple(found))] if found else []
    if None in wanted:
        conditions.append(negated(Exists(path)))
    return any_of(conditions)


def conditions_of(tree: Filter) -> Iterator[Condition]:
    """Yield the conditions of a tree."""
    if isinstance(tree, Condition):
        yield tree
    elif isinstance(tree, Not):
        yield from conditions_of(tree.child)
    elif isinstance(tree, Junction):
        for child in tree.children:
            yield from conditions_of(child)


def _joined(kind: type[Junction], other: type[Junction], children: Iterable[Filter]) -> Filter:
    flat: list[Filter] = []
    for child in children:
        flat += child.children if isinstance(child, kind) else [child]
    distinct = set(flat)
    if other() in distinct:  # nothing in all of them, or everything in any
        return other()
    if len(distinct) == 1:
        return distinct.pop()
    return kind(tuple(sorted(distinct, key=lambda child: child.sort_key())))
