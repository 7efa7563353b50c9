"""From the options of a search to its hits: each is checked, and made a step of a question.

A step that narrows what may be found goes first (`where`, `must`, `exclude`, `after`); then the ranking, by inner
products or with boosts; then what is made of it, groups or diverse hits.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher._arguments import as_flag, as_k, as_number, as_progress, as_threads, set_params
from thresher._kinds import kind_of
from thresher.collection.boosting import Boosts, as_boosts, boosted
from thresher.collection.diversity import as_diversity, diverse, vectors_of
from thresher.collection.documents import as_id
from thresher.collection.filters import Filter, parse
from thresher.collection.grouping import Grouping, grouped
from thresher.collection.hits import CollectionHits
from thresher.collection.must import as_musts, having
from thresher.collection.narrowing import Narrowing
from thresher.collection.question import Question, Ranking
from thresher.collection.searching import Found
from thresher.collection.selecting import matching
from thresher.collection.texts import encoded_queries, words_of
from thresher.collection.weighing import asked, is_counting
from thresher.engines.options import SearchOptions

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.catalogue import Id
    from thresher.collection.must import Find
    from thresher.collection.narrowing import Sets
    from thresher.collection.store import Store
    from thresher.collection.view import View
    from thresher.engines.index import Index

OPTIONS = (
    "vector", "shape", "where", "must", "include", "exclude", "min_score", "fill", "after", "exact", "deadline_us",
    "group_by", "per_group", "boost", "diversity", "threads", "progress",
)  # fmt: skip
"""What every search of a collection takes, beside the dials of its engines."""


class Asked(NamedTuple):
    """Queries, and what their terms are called, where they have words."""

    rows: CsrArrays
    words: Callable[[], dict[int, str] | None] = lambda: None


@dataclasses.dataclass(frozen=True)
class Asking:
    """Where a search takes place: a view, and what reads it.

    Attributes
    ----------
    store, view
        What is searched.
    vector
        The name of the vector that queries are compared with.
    find
        Gives the terms of words, if its terms are words.
    ids_of
        Gives the ids of documents by the numbers of their upserts.
    """

    store: Store
    view: View
    vector: str
    find: Find | None
    ids_of: Callable[[npt.NDArray[np.int64]], list[Id]]

    def of_texts(self, texts: Sequence[str]) -> Asked:
        """Return queries of texts."""
        encoder = self.store.encoders.of(self.vector)
        if is_counting(encoder) and self.find is not None:
            rows, words = asked(encoder, texts, self.view, self.vector, self.find)
            return Asked(rows, lambda: words)
        found = encoded_queries(encoder, texts)
        if self.find is None or found.words is None:
            terms = np.unique(found.rows.indices)
            return Asked(found.rows, lambda: dict(zip(terms.tolist(), words_of(encoder, terms, "query"), strict=True)))
        known = self.find(found.words)
        return Asked(found.numbered(lambda _: known), lambda: {term: word for word, term in known.items()})

    def hits(self, queries: CsrArrays, k: int | None, given: Mapping[str, Any], call: str = "search") -> CollectionHits:
        """Search, by options of `OPTIONS` and dials, those of None left out, as `call` was told.

        Raises
        ------
        TypeError, ValueError
            For an option that is no such thing, does not go with another, or is unknown.
        """
        known = {name: value for name, value in given.items() if name in OPTIONS and value is not None}
        takes = ["k", *OPTIONS] if call == "search" else ["k", *(name for name in OPTIONS if name != "shape")]
        dials = self.dials({name: value for name, value in given.items() if name not in OPTIONS}, call, takes)
        if "deadline_us" in known:
            dials["deadline_us"] = _deadline(known["deadline_us"])
        n_queries = int(queries.shape[0])
        k = None if k is None else as_k(k)
        options = _core_options(known)
        before = _before(known["after"], n_queries) if "after" in known else None
        page = self._seqs(before, "after") if before is not None else None
        allowed = self._narrowed(known, n_queries)
        if page is not None:
            if k is None:
                raise ValueError("after goes with a number of hits: a search for all (k=None) has no pages")
            allowed = allowed.without_each(page)
        question = Question(
            self.view, self.vector, queries, allowed, options, dials, as_progress(known.get("progress")),
            page=max(map(len, page), default=0) if page is not None else 0,
        )  # fmt: skip
        include = _include(known.get("include", False))
        found, values = self._found(question, k, known, page)
        hits = CollectionHits(
            found.seqs,
            found.scores,
            found.exact,
            ids_of=self.ids_of,
            payloads_of=lambda seqs: self.store.payloads(seqs, self.view),
            offsets=found.offsets,
            groups=None if values is None else _as_objects(values, found),
            fields=include if isinstance(include, tuple) else None,
            before=before,
        )
        if include:
            hits.payloads()
        return hits

    # ------------------------------------------------------------------------------------- which documents there are

    def _narrowed(self, known: Mapping[str, Any], n_queries: int) -> Narrowing:
        allowed = Narrowing(self.view)
        if "where" in known:
            allowed = self._meeting(allowed, known["where"], n_queries)
        if "must" in known:
            allowed = self._having(allowed, known["must"], n_queries)
        if "exclude" in known:
            rows = _ids_of_each(known["exclude"], n_queries, "exclude")
            seqs = self._seqs(rows, "exclude")
            allowed = allowed.without(seqs[0]) if len(seqs) == 1 else allowed.without_each(seqs)
        return allowed

    def _meeting(self, allowed: Narrowing, where: Any, n_queries: int) -> Narrowing:  # noqa: ANN401 - filters
        if isinstance(where, Filter | Mapping):
            return allowed.within(list(matching(self.view, parse(where), self.store)))
        if not isinstance(where, list | tuple):
            raise TypeError(f"where must be a filter, or a list with one for each query, got {kind_of(where)}")
        if len(where) != n_queries:
            raise ValueError(f"where: {len(where)} filters for {n_queries} queries")
        trees = [parse(one, name=f"where[{number}]") for number, one in enumerate(where)]
        met: dict[Filter, Sets] = {tree: list(matching(self.view, tree, self.store)) for tree in dict.fromkeys(trees)}
        return allowed.within_each(lambda query: met[trees[query]])

    def _having(self, allowed: Narrowing, must: Any, n_queries: int) -> Narrowing:  # noqa: ANN401 - terms
        rows = as_musts(must, n_queries, None if self.find is None else self._find_forms)
        have = functools.partial(
            having, self.view, self.vector, is_signed=self.store.schema.vectors[self.vector].signed
        )
        if len(rows) == 1:
            return allowed.within(have(rows[0]))
        return allowed.within_each(lambda query: have(rows[query]))

    def _find_forms(self, words: Sequence[str]) -> dict[str, int]:
        """Return the terms of words; where an encoder counts words, of any form of them."""
        assert self.find is not None
        found = dict(self.find(words))
        missing = [word for word in words if word not in found]
        encoder = self.store.encoders.made(self.vector) if missing else None
        if is_counting(encoder):
            become = {word: terms[0] for word in missing if len(terms := encoder.count([word]).words) == 1}
            known = self.find(list(become.values()))
            found |= {word: known[term] for word, term in become.items() if term in known}
        return found

    def _seqs(self, rows: Sequence[Sequence[Id]], name: str) -> list[npt.NDArray[np.int64]]:
        """Return the documents of some ids, for each row; ids that are not there are left out."""
        checked = [[as_id(one, f"{name}: an id") for one in row] for row in rows]
        wanted = list(dict.fromkeys(one for row in checked for one in row))
        there = self.store.seqs_of(wanted, self.view)
        return [np.array([there[one] for one in row if one in there], np.int64) for row in checked]

    # ------------------------------------------------------------------------------------------- what is made of them

    def _found(
        self, question: Question, k: int | None, known: Mapping[str, Any], page: Sequence[npt.NDArray[np.int64]] | None
    ) -> tuple[Found, list[list[Any]] | None]:
        """Return hits, and for groups the value of each hit's."""
        boosts = as_boosts(known["boost"]) if "boost" in known else []
        adding = Boosts(boosts, self.view) if boosts else None
        per_group = as_k(known.get("per_group", 1), "per_group")
        if "group_by" not in known and "per_group" in known:
            raise ValueError("per_group goes with group_by")
        if "diversity" in known and ("group_by" in known or k is None):
            raise ValueError("diversity goes with a number of hits, and not with group_by")

        def rank(asked: Question, depth: int | None, which: npt.NDArray[np.int64] | None) -> Ranking:
            if adding is not None:
                return boosted(asked, adding, depth, which)
            return Ranking.of(asked.find(depth, which))

        if "group_by" in known:
            grouping = Grouping(_field(known["group_by"]), self.view, self.store)
            ranking, values = grouped(question, grouping, k, per_group, rank=rank, before=page)
            return ranking.found(None if k is None else k * per_group), values
        if "diversity" in known and k is not None:
            wanted = as_diversity(known["diversity"])
            ranking = rank(question, wanted.depth(k), None)
            rows = [
                diverse(row, k, wanted.trade_off, vectors_of(self.view, self.vector, row.seqs)) for row in ranking.rows
            ]
            return Ranking(rows, ranking.exact).found(k), None
        return (question.find(k) if adding is None else rank(question, k, None).found(k)), None

    def dials(
        self, given: Mapping[str, Any], call: str = "search", options: Sequence[str] = ("k", *OPTIONS)
    ) -> dict[str, Any]:
        """Return search parameters of engines, each as an engine takes it.

        Raises
        ------
        TypeError
            For one that none has, naming the `call`, its `options`, and the parameters of the engines that there are.
        """
        schema = self.store.schema.vectors[self.vector]
        classes: dict[type[Index], None] = {schema.engine_class(small=small): None for small in (False, True)}
        classes.update(dict.fromkeys(type(part.segment.indexes[self.vector]) for part in self.view.parts))
        owners = {
            name: engine
            for engine in classes
            for name in engine._search_options.__annotations__  # noqa: SLF001 - of this package
            if name not in SearchOptions.__annotations__
        }
        dials: dict[str, Any] = {}
        for name, value in given.items():
            if name not in owners:
                own = sorted(owners.keys() - set(options))
                takes = f"; search parameters of the engines here are {', '.join(own)}" if own else ""
                raise TypeError(f"{call} has no option {name!r}; it has {', '.join(options)}{takes}")
            make: Any = owners[name]._search_params  # noqa: SLF001 - of this package
            if value is not None:
                dials[name] = getattr(set_params(make(), {name: value}), name)
        return dials


def _core_options(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of the core's."""
    options: dict[str, Any] = {"threads": as_threads(known.get("threads", 0))}
    for name in ("fill", "exact"):
        options[name] = as_flag(known.get(name, False), name)
    if "min_score" in known:
        wanted = as_number(known["min_score"], "min_score")
        if np.isnan(wanted):
            raise ValueError("min_score must be a number, got nan")
        with np.errstate(over="ignore"):
            rounded = float(np.float32(wanted))
        if rounded <= 0 and not options["fill"]:
            raise ValueError(f"min_score must be > 0 in float32, got {wanted:g}: lower ones go with fill=True")
        options["min_score"] = rounded
    return options


def _deadline(given: Any) -> float:  # noqa: ANN401 - a number
    deadline = as_number(given, "deadline_us")
    if not 0 <= deadline < np.inf:
        raise ValueError(f"deadline_us must be >= 0 and finite, got {deadline}")
    return deadline


def _field(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError(f"group_by must be the name of a field, got {kind_of(given)}")
    if not given or given.startswith("$"):
        raise ValueError(f"group_by: {given!r} is no field")
    return given


def _include(given: object) -> tuple[str, ...] | bool:
    if isinstance(given, bool):
        return given
    if not isinstance(given, list | tuple | set | frozenset) or not all(isinstance(field, str) for field in given):
        raise TypeError(f"include must be True or a list of fields, got {kind_of(given)}")
    return tuple(given)


def _before(after: Any, n_queries: int) -> list[list[Id]]:  # noqa: ANN401 - hits or a cursor
    """Return what pages before have had of each query."""
    cursor = after.cursor if isinstance(after, CollectionHits) else after
    if isinstance(cursor, np.ndarray):
        cursor = cursor.tolist()
    if not isinstance(cursor, list | tuple):
        raise TypeError(f"after must be hits or their cursor, got {kind_of(after)}")
    rows: list[Any] = list(cursor)
    if n_queries == 1 and not any(isinstance(row, list | tuple) for row in rows):
        rows = [rows]
    if not all(isinstance(row, list | tuple) for row in rows):
        raise TypeError("after must be hits or their cursor: a list of ids for each query")
    if len(rows) != n_queries:
        raise ValueError(f"after is of {len(rows)} queries, there are {n_queries}")
    return [[one for one in row if one is not None] for row in rows]


def _ids_of_each(given: Any, n_queries: int, name: str) -> list[list[Id]]:  # noqa: ANN401 - ids
    """Return lists of ids: one for all queries, or one for each."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, set | frozenset):
        given = list(given)
    if not isinstance(given, list | tuple):
        raise TypeError(f"{name} must be a list of ids, or one for each query, got {kind_of(given)}")
    lists = (list, tuple, set, frozenset, np.ndarray)
    if not any(isinstance(row, lists) or row is None for row in given):
        return [list(given)]
    if len(given) != n_queries:
        raise ValueError(f"{name}: {len(given)} lists of ids for {n_queries} queries")
    rows: list[list[Id]] = []
    for number, row in enumerate(given):
        if not (row is None or isinstance(row, lists)):
            raise TypeError(f"{name}[{number}] must be a list of ids, as the others are, got {kind_of(row)}")
        plain = row.tolist() if isinstance(row, np.ndarray) else row
        rows.append([] if plain is None else [one for one in plain if one is not None])
    return rows


def _as_objects(values: Sequence[Sequence[Any]], found: Found) -> npt.NDArray[np.object_]:
    """Put the values of hits into an array as the ids are in."""
    array = np.full(found.seqs.shape, None, dtype=object)
    if found.offsets is not None:
        for begin, row in zip(found.offsets.tolist(), values, strict=False):
            for place, value in enumerate(row, begin):
                array[place] = value
        return array
    for number, row in enumerate(values):
        for place, value in enumerate(row):
            array[number, place] = value
    return array
