"""Boosts: numbers of documents that are added to their scores, as popularity or how new they are.

A document's score is the inner product, in float32 as without a boost, plus its boosts, summed in double and rounded to
float32 once. Only documents that match are hits.

The search goes by inner products. With a bound on the largest boost, a document whose inner product falls short of the
k-th score by more can't be among the best; a search that has gone so deep has found all that can. So hits of engines
that are exact are exact.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from thresher._arguments import as_number
from thresher._kinds import kind_of
from thresher.collection.filters import bits
from thresher.collection.filters.values import microseconds
from thresher.collection.question import DEEPER, Question, Ranking, Row

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.segment import Extremes
    from thresher.collection.view import View

Values: TypeAlias = "npt.NDArray[np.float64]"

_DAY = 86_400 * 10**6  # microseconds


@dataclasses.dataclass(frozen=True)
class Boost:
    """What is added to the score of a document, by a declared field; one that has no value adds nothing.

    Made by `field` or `recency`; several are added by giving a list of them.

    Attributes
    ----------
    name
        The field, of the kind int, float or datetime.
    weight
        What the value, or the recency, is multiplied by.
    half_life_days
        Of recency: the days after which it is half as much. None takes the value itself.
    now
        Of recency: what age is counted from, in microseconds since 1970 in UTC; None for the time of the search.

    Examples
    --------
    >>> import thresher
    >>> from thresher.collection import Boost, Collection
    >>> with Collection.create("news", fields={"likes": "int"}) as news:
    ...     _ = news.upsert(["a", "b"], [{0: 1.0}, {0: 2.0}], [{"likes": 30}, {}])
    ...     print(news.search_one({0: 1.0}, boost=Boost.field("likes", weight=0.1)).to_dicts(payloads=False))
    [{'id': 'a', 'score': 4.0}, {'id': 'b', 'score': 2.0}]
    """

    name: str
    weight: float = 1.0
    half_life_days: float | None = None
    now: int | None = None

    @staticmethod
    def field(name: str, weight: float = 1.0) -> Boost:
        """Add `weight` times the value of a field.

        Parameters
        ----------
        name
            A declared field of the kind int, float or datetime; a moment counts as microseconds since 1970 in UTC.
        weight
            Finite; less than 0 takes off.

        Raises
        ------
        TypeError, ValueError
            If `name` is no string, or `weight` no finite number.
        """
        return Boost(_as_name(name), _as_finite(weight, "weight"))

    @staticmethod
    def recency(
        name: str, *, half_life_days: float, weight: float = 1.0, now: dt.date | np.datetime64 | None = None
    ) -> Boost:
        """Add `weight` for what is from now, half of it after `half_life_days`, a quarter after twice these.

        Parameters
        ----------
        name
            A declared field of the kind datetime (or int, in microseconds since 1970 in UTC).
        half_life_days
            Days, above 0.
        weight
            Finite: what a document from `now` gets, or from later.
        now
            The moment that age is counted from, one without a zone is read as UTC; None for the time of each search.

        Raises
        ------
        TypeError, ValueError
            If an argument is no such thing.
        """
        days = _as_finite(half_life_days, "half_life_days")
        if days <= 0:
            raise ValueError(f"half_life_days must be > 0, got {half_life_days}")
        if now is not None and not isinstance(now, dt.date | np.datetime64):
            raise TypeError(f"now must be a datetime, got {kind_of(now)}")
        return Boost(_as_name(name), _as_finite(weight, "weight"), days, None if now is None else microseconds(now))

    def of(self, values: npt.NDArray[Any]) -> Values:
        """Return what values of the field add; of recency `now` is given."""
        with np.errstate(over="ignore"):
            if self.half_life_days is None:
                return self.weight * values.astype(np.float64)
            age = np.maximum(np.float64(self.now or 0) - values.astype(np.float64), 0.0)
            return self.weight * np.exp2(-age / (self.half_life_days * _DAY))

    def ends(self, extremes: Extremes) -> list[float]:
        """Return numbers between which lies all that the boost adds to documents, by the extremes of the field."""
        added = [] if extremes.is_everywhere else [0.0]
        if extremes.ends is None:
            return added
        ends = self.of(extremes.ends)
        # A power of 2 is rounded, and does not quite rise with its exponent.
        slack = 0.0 if self.half_life_days is None else 8 * np.finfo(np.float64).eps * np.abs(ends)
        return [*added, *(ends - slack).tolist(), *(ends + slack).tolist()]


class Boosts:
    """What boosts add to the documents of a view.

    Of most documents nobody asks. A boost rises or falls with the number that it goes by, so that the extremes of the
    field, which parts remember, bound the largest; hits alone are looked up.
    """

    def __init__(self, boosts: Sequence[Boost], view: View) -> None:
        """Check them; raise ValueError naming a field that has no numbers, or if one is beyond float64."""
        self._view = view
        now = int(dt.datetime.now(dt.UTC).timestamp() * 1e6)
        self._boosts = [boost if boost.now is not None else dataclasses.replace(boost, now=now) for boost in boosts]
        for boost in boosts:
            kind = view.fields.get(boost.name)
            if kind not in ("int", "float", "datetime"):
                held = "not a declared field" if kind is None else f"a field of the kind {kind}"
                raise ValueError(f"boost: {boost.name!r} is {held}; it takes one of int, float or datetime")
        live = [part.live for part in view.parts]
        reached = [*self._reached(live, max), *self._reached(live, min)]
        if not all(math.isfinite(sum(map(abs, added))) for added in reached):
            raise ValueError("boost: a document's is beyond float64")

    def largest(self, among: Iterable[bits.Bits]) -> float:
        """Return a bound on the boosts of documents, 0 if there are none."""
        return max(map(sum, self._reached(among, max)), default=0.0)

    def _reached(self, among: Iterable[bits.Bits], bound: Callable[[Iterable[float]], float]) -> Iterator[list[float]]:
        """Yield for each part that has some of these documents how far each boost goes."""
        for part, some in zip(self._view.parts, among, strict=True):
            if some.any():
                yield [bound(boost.ends(part.extremes_of(boost.name, some))) for boost in self._boosts]

    def added(self, row: Row) -> Row:
        """Return hits with their boosts, best first, of equal scores the earlier upsert."""
        total = row.scores.astype(np.float64)
        for located in self._view.locate(row.seqs):
            part, places = self._view.parts[located.part], located.places
            added = np.zeros(len(places))
            for boost in self._boosts:
                numbers = part.numeric(boost.name)
                added += np.where(numbers.presence[places], boost.of(numbers.values[places]), 0.0)
            total[located.which] += added
        with np.errstate(over="ignore"):
            scores = total.astype(np.float32)
        order = np.lexsort((row.seqs, -scores))
        return Row(row.seqs[order], scores[order])


def as_boosts(given: object) -> list[Boost]:
    """Return boosts, or raise TypeError: one, or a list of them."""
    boosts = [given] if isinstance(given, Boost) else given
    if not isinstance(boosts, list | tuple) or not all(isinstance(boost, Boost) for boost in boosts):
        raise TypeError(f"boost must be a Boost, such as Boost.field('likes'), or a list of them, got {kind_of(given)}")
    return list(boosts)


def boosted(question: Question, boosts: Boosts, k: int | None, which: npt.NDArray[np.int64] | None = None) -> Ranking:
    """Return the best k documents of queries with their boosts; all that match for None."""
    queries = np.arange(question.n_queries) if which is None else which
    if k is None:
        ranking = Ranking.of(question.find(None, which))
        return Ranking(list(map(boosts.added, ranking.rows)), ranking.exact)
    largest = boosts.largest(question.allowed.shared)
    rows: list[Row] = [Row(np.zeros(0, np.int64), np.zeros(0, np.float32))] * len(queries)
    exact = np.ones(len(queries), np.bool_)
    left = np.arange(len(queries))
    asked: float | None = question.options.get("min_score")
    floor, depth = asked, k
    while left.size:
        found = Ranking.of(
            question.find(depth, None if depth == k and which is None else queries[left], min_score=floor)
        )
        reaches = []
        for place, row, is_exact in zip(left.tolist(), found.rows, found.exact, strict=True):
            rows[place] = boosts.added(row).first(k)
            exact[place] = is_exact
            may_be_more = len(row.seqs) == depth < question.n_docs
            reaches.append(lowest(float(rows[place].scores[-1]), largest) if may_be_more else np.inf)
        deeper = [
            len(row.seqs) > 0 and float(row.scores[-1]) >= reach for row, reach in zip(found.rows, reaches, strict=True)
        ]
        left = left[deeper]
        if left.size and question.is_overdue:
            exact[left] = False
            break
        floor = _floor(min((reach for reach, is_deeper in zip(reaches, deeper, strict=True) if is_deeper), default=0.0),
                       asked, fills=bool(question.options.get("fill")))  # fmt: skip
        depth = min(depth * DEEPER, max(question.n_docs, k))
    return Ranking(rows, exact)


def lowest(score: float, boost: float) -> float:
    """Return a float32 number: an inner product below it can't come to a score with a boost of so much at most."""
    if not math.isfinite(score):
        return -math.inf
    margin = float(np.spacing(np.float32(abs(score))))  # of which rounding takes half
    with np.errstate(over="ignore"):
        return float(np.nextafter(np.float32(score - boost - margin), np.float32(-np.inf)))


def _floor(reach: float, asked: float | None, *, fills: bool) -> float | None:
    """Return the `min_score` of a search for inner products that reach so much."""
    if not math.isfinite(reach) or (reach <= 0 and not fills):
        return asked
    return reach if asked is None else max(reach, asked)


def _as_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a boost's field must be a string, got {kind_of(name)}")
    return name


def _as_finite(value: Any, name: str) -> float:  # noqa: ANN401 - a number
    number = as_number(value, name)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    return number
