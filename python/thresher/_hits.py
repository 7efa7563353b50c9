"""What a search returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Hits(NamedTuple):
    """Ids and scores of the best documents, best first.

    A batch of queries gives arrays of shape (n_queries, k), a single query (`Index.search_one`) arrays of shape
    (k,). It unpacks: ``ids, scores = index.search(queries)``.

    Attributes
    ----------
    ids
        int64 document ids: rows of the matrix that the index was built from. Where fewer than k documents have a
        positive score, the rest is -1.
    scores
        float32 inner products of the given weights, in descending order; ties are in ascending order of ids. The
        rest is -inf. A product beyond float32 is inf.
    """

    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
