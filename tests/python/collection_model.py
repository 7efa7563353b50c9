"""What a collection ought to hold: a dict of documents in the order of their upserts, and everything read off that."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

import thresher
from thresher.collection.reading import Readable

MAIN_TERMS = 12
VECTORS: dict[str, dict[str, Any]] = {
    "main": {"n_terms": MAIN_TERMS},
    "words": {"words": True},
    "open": {"signed": True, "engine": "postings"},
}
FIELDS: dict[str, Any] = {"lang": "keyword", "year": "int"}

Row = Mapping[Any, float]
Predicate = Callable[[Any, dict[str, Any]], bool]


@dataclasses.dataclass
class Doc:
    """A document as it was given: rows by vector, terms or words to weights."""

    rows: dict[str, dict[Any, float]]
    payload: dict[str, Any]
    text: str | None


class Model:
    """The live documents, and the words that were ever seen, numbered."""

    def __init__(self) -> None:
        self.docs: dict[Any, Doc] = {}

    def copy(self) -> Model:
        """Return what stays as it is now."""
        return copy.deepcopy(self)

    def upsert(self, ids: Sequence[Any], docs: Sequence[Doc], *, if_absent: bool = False) -> int:
        """Store documents; of several of one id the last counts, and in its place."""
        last = {one: place for place, one in enumerate(ids)}
        places = [place for place in sorted(last.values()) if not (if_absent and ids[place] in self.docs)]
        for place in places:
            self.docs.pop(ids[place], None)
            self.docs[ids[place]] = docs[place]
        return len(places)

    def delete(self, ids: Iterable[Any]) -> int:
        """Delete documents; return how many there were."""
        return sum(self.docs.pop(one, None) is not None for one in dict.fromkeys(ids))

    def update(self, ids: Iterable[Any], payload: Mapping[str, Any], *, replace: bool) -> int:
        """Change payloads; a field that becomes None goes."""
        there = [one for one in dict.fromkeys(ids) if one in self.docs]
        for one in there:
            doc = self.docs[one]
            merged = dict(payload) if replace else {**doc.payload, **payload}
            kept = {key: value for key, value in merged.items() if replace or value is not None or key not in payload}
            self.docs[one] = dataclasses.replace(doc, payload=kept)
        return len(there)

    def meeting(self, meets: Predicate) -> list[Any]:
        """Return the ids of the documents that meet a condition."""
        return [one for one, doc in self.docs.items() if meets(one, doc.payload)]


def rows_as_matrix(rows: Sequence[Row], terms: Mapping[Any, int], n_terms: int) -> sp.csr_array:
    """Return rows as a matrix; what is no term counts nothing."""
    known = [[(terms[term], weight) for term, weight in row.items() if term in terms] for row in rows]
    entries = sorted((number, term, weight) for number, row in enumerate(known) for term, weight in row)
    indptr = np.cumsum([0, *map(len, known)])
    return sp.csr_array(
        (
            np.array([weight for _, _, weight in entries], np.float32),
            np.array([term for _, term, _ in entries], np.int64),
            indptr,
        ),
        shape=(len(rows), n_terms),
    )


def check(readable: Readable, model: Model, queries: Mapping[str, Sequence[Row]], wheres: Sequence[Any] = ()) -> None:
    """Raise AssertionError unless all that can be read is what the model has.

    Parameters
    ----------
    queries
        Rows to search with, by vector.
    wheres
        Filters, each with the condition that it means.
    """
    ids = list(model.docs)
    assert len(readable) == len(ids)
    scanned = list(readable.scan())
    assert [doc.id for doc in scanned] == ids
    assert [type(doc.id) for doc in scanned] == [type(one) for one in ids]
    got = readable.get(ids)
    assert [doc.id for doc in got] == ids
    for found, seen, one in zip(got, scanned, ids, strict=True):
        doc = model.docs[one]
        assert found.payload == seen.payload == doc.payload
        assert found.text == seen.text == doc.text
        for name in ("main", "open"):
            row = found.vectors[name]
            expected = sorted((term, np.float32(weight)) for term, weight in doc.rows[name].items() if weight)
            assert list(zip(row.indices.tolist(), row.data, strict=True)) == expected
        assert sorted(found.vectors["words"].data) == sorted(
            np.float32(weight) for weight in doc.rows["words"].values() if weight
        )
    assert "never there" not in readable
    assert all(one in readable for one in ids)
    assert readable.count() == len(ids)
    for field in FIELDS:
        counts: dict[Any, int] = {}
        for doc in model.docs.values():
            if doc.payload.get(field) is not None:
                counts[doc.payload[field]] = counts.get(doc.payload[field], 0) + 1
        assert readable.count_by(field) == counts
    for tree, meets in [(None, lambda _, __: True), *wheres]:
        chosen = model.meeting(meets)
        if tree is not None:
            assert readable.count(tree) == len(chosen)
            assert [doc.id for doc in readable.scan(tree)] == chosen
        for name, rows in queries.items():
            _check_search(readable, model, name, rows, tree, chosen)


def _check_search(
    readable: Readable,
    model: Model,
    name: str,
    queries: Sequence[Row],
    where: Any,
    chosen: Sequence[Any],
) -> None:
    docs = [model.docs[one].rows[name] for one in chosen]
    terms: dict[Any, int] = {}
    for row in docs:
        for term in sorted(row):
            terms.setdefault(term, len(terms) if name == "words" else term)
    n_terms = max(terms.values(), default=0) + 1
    given: Any = [dict(row) for row in queries]
    for k in (1, 3, len(model.docs) + 2):
        hits = readable.search(given, k, vector=name, where=where, exact=True, threads=1)
        assert hits.scores.shape == (len(queries), k)
        assert hits.exact.all()
        if not chosen:
            assert all(not len(ids) for ids, _ in hits.rows())
            continue
        index = thresher.ExactIndex.build(rows_as_matrix(docs, terms, n_terms))
        expected = index.search(rows_as_matrix(queries, terms, n_terms), k=k, threads=1)
        payloads = hits.payloads()
        for number, ((ids, scores), (places, true)) in enumerate(zip(hits.rows(), expected.rows(), strict=True)):
            assert list(ids) == [chosen[place] for place in places]
            assert scores.tobytes() == true.tobytes()
            assert payloads[number] == [model.docs[one].payload for one in ids]
