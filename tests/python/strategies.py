"""Hypothesis strategies for collections and queries.

Hypothesis draws the structure, which is what shrinks; a seeded generator fills it in, which makes hundreds of
rows cheap to draw.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from reference import Collection

Floats = npt.NDArray[np.float32]

SMALLEST = float(np.finfo(np.float32).smallest_subnormal)

# Weights, by kind: all > 0.
WEIGHTS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "equal": lambda rng, n: np.ones(n, np.float32),
    "levels": lambda rng, n: rng.integers(1, 4, n).astype(np.float32),
    "halves": lambda rng, n: rng.uniform(0.08, 3, n).astype(np.float16).astype(np.float32),
    "subnormal halves": lambda rng, n: (rng.integers(1, 1024, n) * 2.0**-24).astype(np.float32),
    "floats": lambda rng, n: rng.uniform(0.01, 3, n).astype(np.float32),
    "wide": lambda rng, n: (10.0 ** rng.uniform(-30, 30, n)).astype(np.float32),
    "denormal": lambda rng, n: (rng.integers(1, 1000, n) * SMALLEST).astype(np.float32),
    "one huge": lambda rng, n: _with_one(rng.uniform(0.01, 3, n), 1e30),
    "one denormal": lambda rng, n: _with_one(rng.uniform(0.01, 3, n), SMALLEST),
}


def _with_one(weights: npt.NDArray[np.float64], odd: float) -> Floats:
    weights[weights.size // 2 : weights.size // 2 + 1] = odd
    return weights.astype(np.float32)


SIGNS = ["positive", "one negative", "mixed", "negative"]


class Case(NamedTuple):
    """A collection and queries for it, of the same number of terms."""

    docs: Collection
    queries: Collection


@st.composite
def cases(draw: st.DrawFn, *, most_docs: int = 300, most_queries: int = 5, signed: bool = True) -> Case:
    """Draw a collection and queries for it.

    Empty rows and columns, duplicate documents, terms that are in every document, term ids up to 2^32 - 2,
    rows that are unsorted or hold duplicates and explicit zeros, documents and queries of any sign, the latter with
    terms that no document has. `signed`: whether documents may have negative weights.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
    n_docs = draw(st.one_of(st.sampled_from([0, 1, 2, 63, 64, 65, 128, 129]), st.integers(0, most_docs)))
    n_columns = draw(st.one_of(st.sampled_from([0, 1, 2, 64]), st.integers(0, 150)), label="columns")
    columns = np.arange(n_columns, dtype=np.int64)
    n_terms = n_columns
    if draw(st.booleans(), label="huge term ids"):
        columns = np.sort(rng.choice(2**31, n_columns, replace=False) * 2 + 1).astype(np.int64)
        columns[-1:] = 2**32 - 2
        n_terms = 2**32 - 1
    share = draw(st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]), label="share of the columns in a document")
    present = rng.random((n_docs, n_columns)) < share * rng.random(n_columns)
    present[:, draw(st.integers(0, 3), label="terms in few documents") :: 5] &= rng.random((n_docs, 1)) < 0.1
    present[:, : draw(st.integers(0, 3), label="terms in every document")] = True
    if draw(st.booleans(), label="empty rows"):
        present[rng.random(n_docs) < 0.3] = False
    docs = _filled(present, columns, n_terms, WEIGHTS[draw(st.sampled_from(sorted(WEIGHTS)))], rng)
    if signed:
        docs = _with_signs(docs, draw(st.sampled_from(SIGNS), label="signs of documents"), rng)
    if n_docs and draw(st.booleans(), label="duplicate documents"):
        docs = docs.rows(rng.integers(0, n_docs, n_docs) // 3)
    if draw(st.booleans(), label="raw rows"):
        docs = _raw(docs, rng)

    n_queries = draw(st.integers(0, most_queries), label="queries")
    share = draw(st.sampled_from([0.0, 0.05, 0.3, 1.0]), label="share of the columns in a query")
    asked = rng.random((n_queries, n_columns)) < share
    queries = _filled(asked, columns, n_terms, WEIGHTS[draw(st.sampled_from(sorted(WEIGHTS)))], rng)
    return Case(docs, _with_signs(queries, draw(st.sampled_from(SIGNS), label="signs of queries"), rng))


def _with_signs(rows: Collection, signs: str, rng: np.random.Generator) -> Collection:
    flipped = rng.random(rows.data.size) < {"positive": 0, "one negative": 0, "mixed": 0.5, "negative": 1}[signs]
    flipped[: signs == "one negative"] = True
    return rows._replace(data=np.where(flipped, -rows.data, rows.data))


def _filled(
    present: npt.NDArray[np.bool_],
    columns: npt.NDArray[np.int64],
    n_terms: int,
    weights: Callable[[np.random.Generator, int], Floats],
    rng: np.random.Generator,
) -> Collection:
    rows, places = np.nonzero(present)
    indptr = np.zeros(present.shape[0] + 1, np.int64)
    indptr[1:] = np.cumsum(present.sum(axis=1))
    shape = (present.shape[0], n_terms)
    return Collection(indptr, columns[places].astype(np.uint32), weights(rng, rows.size), shape)


def _raw(rows: Collection, rng: np.random.Generator) -> Collection:
    """Return the rows unsorted, some entries split into two and some explicit zeros."""
    twice = rng.random(rows.data.size) < 0.3
    zeroed = ~twice & (rng.random(twice.size) < 0.1)
    data = np.where(zeroed, 0, np.where(twice, rows.data / 2, rows.data))
    halves = np.where(rng.random(twice.size) < 0.5, rows.data - data, 0)[twice]
    row_of = np.concatenate([rows.row_of, rows.row_of[twice]])
    order = np.lexsort((rng.random(row_of.size), row_of))
    indptr = np.zeros(rows.shape[0] + 1, np.int64)
    indptr[1:] = np.cumsum(np.bincount(row_of, minlength=rows.shape[0]))
    indices = np.concatenate([rows.indices, rows.indices[twice]])[order]
    return Collection(indptr, indices, np.concatenate([data, halves])[order].astype(np.float32), rows.shape)


def learned(n_docs: int, n_queries: int, *, seed: int) -> Case:
    """Make vectors with the statistics of learned ones.

    Document frequencies form a plateau rather than Zipf's curve, a document has about 120 nonzero weights of
    0.08 to 3 over 30,522 terms, a query about 45.
    """
    rng = np.random.default_rng(seed)
    n_terms = 30_522
    frequency = _plateau(n_terms, rng)

    def rows(n: int, draws: int) -> Collection:
        return _drawn(rng.choice(n_terms, (n, draws), p=frequency), n_terms, rng)

    return Case(rows(n_docs, 123), rows(n_queries, 46))


def topical(n_docs: int, n_queries: int, *, seed: int) -> Case:
    """Make vectors with the statistics of learned ones, of documents and queries that have topics.

    A row has two of 150 topics, the first more than the second, and a background; a topic has 300 of 20,000 terms, some
    far more often than others. A document has about 130 nonzero weights, a query about 50.
    """
    rng = np.random.default_rng(seed)
    n_terms, n_topics, n_words = 20_000, 150, 300
    frequency = _plateau(n_terms, rng)
    topics = np.array([rng.choice(n_terms, n_words, replace=False, p=frequency) for _ in range(n_topics)])

    def rows(n: int, draws: int) -> Collection:
        mine = topics[rng.integers(0, n_topics, (n, 2))]
        which = (rng.random((n, draws)) < 0.3).astype(np.int64)
        words = np.minimum(rng.exponential(n_words / 4, (n, draws)), n_words - 1).astype(np.int64)
        of_topics = mine[np.arange(n)[:, np.newaxis], which, words]
        background = rng.choice(n_terms, (n, draws), p=frequency)
        return _drawn(np.where(rng.random((n, draws)) < 0.7, of_topics, background), n_terms, rng)

    return Case(rows(n_docs, 150), rows(n_queries, 55))


def _plateau(n_terms: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return how often each term occurs: a plateau, and some terms above it."""
    frequency = 1 / (1 + (np.arange(n_terms) / 2500) ** 2)
    frequency[:40] *= 6
    return rng.permutation(frequency / frequency.sum())


def _drawn(picks: npt.NDArray[np.int64], n_terms: int, rng: np.random.Generator) -> Collection:
    """Return a row for each row of terms that were drawn, perhaps some of them twice, with weights of 0.08 to 3."""
    picks = np.sort(picks, axis=1)
    first = np.ones(picks.shape, np.bool_)
    first[:, 1:] = picks[:, 1:] != picks[:, :-1]
    indptr = np.zeros(picks.shape[0] + 1, np.int64)
    indptr[1:] = np.cumsum(first.sum(axis=1))
    indices = picks[first].astype(np.uint32)
    weights = np.clip(rng.gamma(1.6, 0.4, indices.size), 0.08, 3).astype(np.float32)
    return Collection(indptr, indices, weights, (picks.shape[0], n_terms))


def codes(n_docs: int, n_queries: int, *, seed: int, n_terms: int = 512, kept: int = 24) -> Case:
    """Make signed codes as autoencoders do: a random projection of dense vectors in clusters, the largest kept.

    A row has the `kept` weights of greatest magnitude, of either sign.
    """
    rng = np.random.default_rng(seed)
    n_dims = 48
    centres = rng.normal(size=(60, n_dims))
    projection = rng.normal(size=(n_dims, n_terms)).astype(np.float32)

    def rows(n: int) -> Collection:
        dense = centres[rng.integers(0, len(centres), n)] + 0.6 * rng.normal(size=(n, n_dims))
        projected = dense.astype(np.float32) @ projection
        largest = np.sort(np.argpartition(-abs(projected), kept, axis=1)[:, :kept], axis=1)
        weights = np.take_along_axis(projected, largest, axis=1).ravel()
        return Collection(np.arange(0, n * kept + 1, kept), largest.ravel().astype(np.uint32), weights, (n, n_terms))

    return Case(rows(n_docs), rows(n_queries))
