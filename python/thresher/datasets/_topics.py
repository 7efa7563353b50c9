"""Groups sparse vectors into topics: a randomised projection to a few dimensions, then k-means by cosine.

References
----------
Halko, Martinsson, Tropp: *Finding structure with randomness*, SIAM Review 2011.
Dhillon, Modha: *Concept decompositions for large sparse text data using clustering*, 2001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Dense = NDArray[np.float32]
    Labels = NDArray[np.int64]

_DIMENSIONS = 96
_SAMPLE = 20_000  # rows that the projection is made from
_LEARNERS = 60_000  # rows that the centres are made from
_ROUNDS = 10
_STEP = 16_384  # rows compared with all centres at a time


class Projection:
    """Maps sparse rows to unit vectors of a few dimensions, in which similar rows stay similar."""

    def __init__(self, matrix: sparse.csr_array, generator: np.random.Generator) -> None:
        n_rows, n_terms = matrix.shape
        counts = np.bincount(matrix.indices, minlength=n_terms)
        self._rarity = np.log1p(n_rows / np.maximum(counts, 1)).astype(np.float32)
        sample = self._scaled(matrix[np.sort(generator.permutation(n_rows)[:_SAMPLE])])
        norms = np.sqrt(np.asarray(sample.multiply(sample).sum(axis=1)).ravel())
        sample = sparse.csr_array(sparse.diags_array(1 / np.maximum(norms, 1e-9)).astype(np.float32) @ sample)
        dimensions = min(_DIMENSIONS, *sample.shape)
        basis = sample.T @ generator.standard_normal((sample.shape[0], dimensions)).astype(np.float32)
        basis = sample.T @ (sample @ np.linalg.qr(basis)[0])
        self._basis = np.linalg.qr(basis)[0].astype(np.float32)

    def __call__(self, matrix: sparse.csr_array) -> Dense:
        """Return unit rows, (n_rows, at most 96)."""
        points = np.asarray(self._scaled(matrix) @ self._basis)
        points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), np.float32(1e-9))
        return points.astype(np.float32)

    def _scaled(self, matrix: sparse.csr_array) -> sparse.csr_array:
        data = (matrix.data * self._rarity[matrix.indices]).astype(np.float32)
        return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def centres(points: Dense, count: int, generator: np.random.Generator) -> Dense:
    """Return `count` centres of unit rows."""
    learners = points[np.sort(generator.permutation(len(points))[:_LEARNERS])]
    found = learners[generator.permutation(len(learners))[:count]]
    for _ in range(_ROUNDS):
        labels = nearest(learners, found)
        sums = members(labels, len(found)) @ learners
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        found = np.where(norms > 0, sums / np.maximum(norms, 1e-9), found).astype(np.float32)
    return found


def nearest(points: Dense, found: Dense) -> Labels:
    """Return the nearest centre of each row."""
    parts = [(points[at : at + _STEP] @ found.T).argmax(axis=1) for at in range(0, len(points), _STEP)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def members(labels: Labels, count: int) -> sparse.csr_array:
    """Return a (count, n_rows) matrix whose product with rows sums those of each label."""
    ones = np.ones(len(labels), np.float32)
    return sparse.csr_array((ones, (labels, np.arange(len(labels)))), shape=(count, len(labels)))
