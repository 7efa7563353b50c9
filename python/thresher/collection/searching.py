"""One search over the parts of a view: the best k documents by score, of equal scores the earlier upsert."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher.collection.filters import bits
from thresher.collection.filters.bits import Bits

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.segment import Part

Choice = Bits | Sequence[Bits]
"""Which documents of a part may be returned: bits for all queries, or for each."""


class Found(NamedTuple):
    """Hits by the numbers of their upserts, -1 where there are fewer, and scores; shape (n_queries, k).

    `offsets`: where each query's hits begin, of hits one behind the other where all of them were asked for.
    """

    seqs: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    exact: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64] | None = None


@dataclasses.dataclass(frozen=True)
class Request:
    """What a search is to find in every part.

    Attributes
    ----------
    vector
        The name of the vector that is compared.
    queries
        A row each; terms that a part has never seen count nothing.
    k
        Documents for each query; None for all.
    options, dials
        Options of `Index.search`, and search parameters of engines, by name.
    """

    vector: str
    queries: CsrArrays
    k: int | None
    options: Mapping[str, Any]
    dials: Mapping[str, Any]


def find(parts: Sequence[Part], allowed: Sequence[Choice], request: Request) -> Found:
    """Search all parts for the documents that are allowed in each."""
    n = request.queries.shape[0]
    found = [_of_part(part, choice, request) for part, choice in zip(parts, allowed, strict=True) if part.n_live]
    exact = np.ones(n, np.bool_)
    for one in found:
        exact &= one.exact
    return _all(found, n, exact) if request.k is None else _best(found, n, request.k, exact)


def _of_part(part: Part, choice: Choice, request: Request) -> Found:
    index = part.segment.indexes[request.vector]
    n = index.n_docs
    if isinstance(choice, np.ndarray):
        allowed: Any = None if bits.count(choice) == n else bits.unpack(choice, n)
    else:
        allowed = [bits.unpack(one, n) for one in choice]
    own = {name: value for name, value in request.dials.items() if name in index.search_params}
    hits: Any = index.search(
        request.queries, request.k, allowed=allowed, unknown_terms="ignore", **request.options, **own
    )
    ids = hits.ids
    seqs = np.where(ids >= 0, part.segment.seqs[ids], -1)
    return Found(seqs, hits.scores, hits.exact, hits.offsets if request.k is None else None)


def _best(found: Sequence[Found], n: int, k: int, exact: npt.NDArray[np.bool_]) -> Found:
    """Put the hits of parts together: parts are in the order of upserts, so that a stable sort settles ties."""
    if not found:
        return Found(np.full((n, k), -1), np.full((n, k), -np.inf, np.float32), exact)
    seqs = np.concatenate([one.seqs for one in found], axis=1)
    scores = np.concatenate([one.scores for one in found], axis=1)
    if len(found) > 1:
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        seqs, scores = np.take_along_axis(seqs, order, 1), np.take_along_axis(scores, order, 1)
    missing = k - seqs.shape[1]
    if missing > 0:
        seqs = np.pad(seqs, ((0, 0), (0, missing)), constant_values=-1)
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=-np.inf)
    return Found(seqs, scores, exact)


def _all(found: Sequence[Found], n: int, exact: npt.NDArray[np.bool_]) -> Found:
    queries = np.concatenate(
        [
            np.zeros(0, np.int64),
            *(np.repeat(np.arange(n), np.diff(one.offsets)) for one in found if one.offsets is not None),
        ]
    )
    seqs = np.concatenate([np.zeros(0, np.int64), *(one.seqs for one in found)])
    scores = np.concatenate([np.zeros(0, np.float32), *(one.scores for one in found)])
    order = np.lexsort((seqs, -scores, queries))
    offsets = np.searchsorted(queries[order], np.arange(n + 1))
    return Found(seqs[order], scores[order], exact, offsets)
