"""A collection as plain dicts, searched by brute force: what a `Collection` of any history must equal.

Weights are eighths, so that every sum is exact in float32, and many documents tie.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from thresher.collection import Collection, Upkeep

N_TERMS = 24
FIELDS: Any = {"group": "keyword", "likes": "int", "price": "float", "day": "datetime"}

Vector = dict[int, float]
Score = Callable[[Vector, "Stored"], float]


class Stored(NamedTuple):
    """A document."""

    vector: Vector
    payload: dict[str, Any]


class Hit(NamedTuple):
    """A hit of the oracle: ordered by score, then by the order of upserts."""

    id: Any
    score: float


class Oracle:
    """The same operations as a collection has, on a dict in the order of upserts."""

    def __init__(self) -> None:
        self.documents: dict[Any, Stored] = {}

    def upsert(self, ids: Sequence[Any], vectors: Sequence[Vector], payloads: Sequence[dict[str, Any]]) -> None:
        for one, vector, payload in zip(ids, vectors, payloads, strict=True):
            self.documents.pop(one, None)
            self.documents[one] = Stored(vector, payload)

    def delete(self, ids: Sequence[Any]) -> None:
        for one in ids:
            self.documents.pop(one, None)

    def search(
        self,
        query: Vector,
        *,
        keep: Callable[[Any, Stored], bool] = lambda _, __: True,
        min_score: float | None = None,
        fill: bool = False,
        boost: Callable[[Stored], float] | None = None,
    ) -> list[Hit]:
        """Return all hits, best first."""
        found = []
        for place, (one, stored) in enumerate(self.documents.items()):
            score = product(query, stored.vector)
            lowest = (-np.inf if fill else 2.0**-149) if min_score is None else min_score
            if score < lowest or not keep(one, stored):
                continue
            total = np.float32(score) if boost is None else np.float32(float(np.float32(score)) + boost(stored))
            found.append((-float(total), place, one))
        return [Hit(one, -negative) for negative, _, one in sorted(found)]


def product(query: Vector, vector: Vector) -> float:
    """Return the inner product."""
    return sum(weight * vector[term] for term, weight in query.items() if term in vector)


def eighths(rng: np.random.Generator, n_terms: int = N_TERMS, *, least: int = 1, most: int = 8) -> Vector:
    """Draw a vector."""
    terms = rng.choice(n_terms, rng.integers(least, most + 1), replace=False)
    return {int(term): int(rng.integers(1, 17)) / 8 for term in terms}


def payload(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a payload, in which each field may be missing; `kind` is not declared."""
    day = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=int(rng.integers(0, 400)))
    whole = {
        "group": f"g{rng.integers(0, 7)}",
        "likes": int(rng.integers(-3, 40)),
        "price": int(rng.integers(0, 64)) / 16,
        "day": day.isoformat(),
        "kind": [1, 1.0, True, "1", ["a", "b"], "b", {"x": 1}][int(rng.integers(0, 7))],
    }
    return {name: value for name, value in whole.items() if rng.random() < 0.8}


def filled(path: Path, *, seed: int = 0, n: int = 400, engine: str = "exact") -> tuple[Collection, Oracle]:
    """Return a collection of several segments of an engine, documents that wait and dead ones, with its oracle."""
    rng = np.random.default_rng(seed)
    collection = Collection.create(path, fields=FIELDS, engine=engine, upkeep=Upkeep(exact_docs=0))
    oracle = Oracle()
    for batch in range(6):
        ids = [f"d{number}" for number in rng.choice(n, n // 5, replace=False)]
        vectors = [eighths(rng) for _ in ids]
        payloads = [payload(rng) for _ in ids]
        collection.upsert(ids, vectors, payloads)
        oracle.upsert(ids, vectors, payloads)
        if batch in (0, 2, 4):
            collection.flush()
        gone = [f"d{number}" for number in rng.choice(n, n // 40, replace=False)]
        collection.delete(gone)
        oracle.delete(gone)
    return collection, oracle


def budget(collection: Collection) -> dict[str, Any]:
    """Return a dial that makes searches approximate, if the collection's engine has one."""
    return {"cluster_budget": 1} if collection._store.schema.vectors["vector"].engine == "clustered" else {}


def queries(seed: int, n: int = 8) -> list[Vector]:
    """Draw queries: terms that no document has among them."""
    rng = np.random.default_rng(seed)
    return [{**eighths(rng, least=1, most=6), 1_000_000: 1.0} for _ in range(n)]


def rows(hits: Any) -> Iterator[list[Hit]]:
    """Yield hits as the oracle has them."""
    for ids, scores in hits.rows():
        yield [Hit(one, float(score)) for one, score in zip(ids, scores, strict=True)]


def as_matrix(vectors: Sequence[Mapping[int, float]], n_terms: int) -> sp.csr_array:
    """Return vectors as a matrix."""
    entries = [(row, term, weight) for row, vector in enumerate(vectors) for term, weight in vector.items()]
    at, terms, weights = zip(*entries, strict=True)
    return sp.csr_array((np.array(weights, np.float32), (at, terms)), shape=(len(vectors), n_terms))
