"""The oracle: every inner product in float64, and the comparison that every exact answer must pass.

The comparison is tie-aware: a returned document counts if its exact score reaches the exact k-th score, at a
relative 1e-5. Where terms of both signs cancel, the rounding of float64 sums is allowed for too.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

import thresher

RELATIVE = 1e-5
CANCELLATION = 1e-12  # float64 rounding, relative to the sum of absolute products

Array: TypeAlias = npt.NDArray[Any]


class Collection(NamedTuple):
    """Sparse rows in the raw form that `build` and `search` take, for matrices that scipy can't hold too."""

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.uint32]
    data: npt.NDArray[np.float32]
    shape: tuple[int, int]

    @property
    def triple(self) -> tuple[Array, Array, Array]:
        return self.indptr, self.indices, self.data

    @property
    def row_of(self) -> npt.NDArray[np.int64]:
        """The row of each entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def rows(self, wanted: npt.ArrayLike) -> Collection:
        """Return the given rows, in that order."""
        chosen = np.asarray(wanted, np.int64)
        spans = [np.arange(self.indptr[row], self.indptr[row + 1]) for row in chosen]
        entries = np.concatenate([np.zeros(0, np.int64), *spans])
        indptr = np.cumsum([0, *(span.size for span in spans)], dtype=np.int64)
        return Collection(indptr, self.indices[entries], self.data[entries], (chosen.size, self.shape[1]))


def from_scipy(matrix: Any) -> Collection:
    """Return a scipy matrix's rows as they are stored in CSR."""
    csr = sp.csr_array(matrix)
    return Collection(
        csr.indptr.astype(np.int64),
        csr.indices.astype(np.uint32),
        csr.data.astype(np.float32),
        (int(csr.shape[0]), int(csr.shape[1])),
    )


class Products(NamedTuple):
    """Of each query with each document, shape (n_queries, n_docs)."""

    scores: npt.NDArray[np.float64]
    slacks: npt.NDArray[np.float64]
    """How far another order of the same float64 additions may be from the score."""


def products(docs: Collection, queries: Collection) -> Products:
    """Return every inner product; duplicates in a row are summed."""
    terms = np.unique(docs.indices)
    left, right = _over(terms, queries), _over(terms, docs).T
    return Products((left @ right).toarray(), (abs(left) @ abs(right)).toarray() * CANCELLATION)


def _over(terms: Array, rows: Collection) -> Any:
    """Return rows as a float64 matrix over `terms` alone, so that huge term ids need no huge matrix."""
    places = np.searchsorted(terms, rows.indices)
    known = np.isin(rows.indices, terms)
    entries = rows.data[known].astype(np.float64), (rows.row_of[known], places[known])
    return sp.coo_array(entries, shape=(rows.shape[0], terms.size)).tocsr()


def assert_exact(hits: thresher.Hits, docs: Collection, queries: Collection, k: int) -> None:
    """Raise AssertionError unless `hits` are the k best documents of each query."""
    assert hits.ids.dtype == np.int64
    assert hits.scores.dtype == np.float32
    assert hits.ids.shape == hits.scores.shape == (queries.shape[0], min(k, docs.shape[0]))
    exact = products(docs, queries)
    for query in range(queries.shape[0]):
        _assert_row(hits.ids[query], hits.scores[query], exact.scores[query], exact.slacks[query], query)


def _assert_row(ids: Array, scores: Array, exact: Array, slacks: Array, query: int) -> None:
    k = ids.size
    found = int(np.count_nonzero(ids >= 0))
    assert np.all(ids[found:] == -1), f"query {query}: padding within the hits: {ids}"
    assert np.all(np.isneginf(scores[found:])), f"query {query}: padding has scores {scores[found:]}"
    ids, scores = ids[:found], scores[:found]

    at_least, at_most = _narrowed(exact - slacks), _narrowed(exact + slacks)
    fewest, most = (min(k, int(np.count_nonzero(bound > 0))) for bound in (at_least, at_most))
    assert fewest <= found <= most, f"query {query}: {found} hits, not {fewest} to {most}"
    assert np.all(ids < exact.size), f"query {query}: ids {ids} of {exact.size} documents"
    assert np.unique(ids).size == found, f"query {query}: ids {ids} repeat"
    assert np.all(scores > 0), f"query {query}: scores {scores} are not all positive"
    same = scores[1:] == scores[:-1]
    in_order = np.where(same, ids[1:] > ids[:-1], scores[1:] < scores[:-1])
    assert np.all(in_order), f"query {query}: not best first, ties by smaller id: {ids}, {scores}"

    tolerance = RELATIVE * np.abs(exact) + slacks
    wrong = (scores < _narrowed((exact - tolerance)[ids])) | (scores > _narrowed((exact + tolerance)[ids]))
    assert not wrong.any(), f"query {query}: scores {scores[wrong]} of {ids[wrong]}, not {exact[ids[wrong]]}"
    if found:
        kth = _narrowed(-np.sort(-exact)[found - 1 : found])[0]
        short = _narrowed((exact + tolerance)[ids]) < kth
        assert not short.any(), f"query {query}: {ids[short]} score {exact[ids[short]]}, the k-th {kth}"


def _narrowed(scores: Array) -> npt.NDArray[np.float64]:
    """Return scores as float32 has them: with infinities, and with zeros for what is too small."""
    with np.errstate(over="ignore", under="ignore"):
        return scores.astype(np.float32).astype(np.float64)
