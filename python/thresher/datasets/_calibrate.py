"""Adjusts how much documents share until generated neighbours are as near as given ones.

The method of simulated moments: a small collection is generated and compared with as many given
documents. Compared are the profiles of neighbours, and the share of the best documents that
`ClusteredIndex` misses when it opens few clusters. One number after the other is moved where that
makes the difference smaller. Since a model's first documents do not depend on how many follow, a
small collection is to the model what a sample is to the collection given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from thresher import ClusteredIndex, ExactIndex
from thresher.datasets._generate import generate
from thresher.datasets._profile import distance, document_profile, query_profile, recalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from thresher.datasets._model import Model

    Floats = NDArray[np.float64]

_DOCUMENTS = 20_000
_ASKED = 150  # documents and
_QUERIES = 400  # queries whose neighbours are looked at
_K = 10
_BUDGETS = (12, 25, 50, 100)  # clusters
_ROUNDS = 3
_STEP = 0.7  # of a number's logit in the first round, half as much in each further one


def calibrated(
    model: Model, docs: sparse.csr_array, queries: sparse.csr_array, generator: np.random.Generator
) -> Model:
    """Return the model with `Sharing` fitted to documents and queries."""
    docs = docs[np.sort(generator.permutation(docs.shape[0])[:_DOCUMENTS])]
    docs = docs[generator.permutation(docs.shape[0])]
    queries = queries[np.sort(generator.permutation(queries.shape[0])[:_QUERIES])]
    given = _Neighbours(docs)
    wanted, asked = given.of_documents(), given.of_queries(queries)

    def queries_apart(tried: Model, made: _Neighbours) -> float:
        found = made.of_queries(generate(tried, _QUERIES, kind="queries"))
        return distance(found.profile, asked.profile) + 0.3 * distance(found.missed, asked.missed)

    def apart(tried: Model) -> float:
        made = _Neighbours(generate(tried, docs.shape[0]))
        return distance(made.of_documents(), wanted) + 2 * queries_apart(tried, made)

    model = _nearest(model, ("least", "most", "rare", "families", "groups", "copies"), apart)
    fixed = _Neighbours(generate(model, docs.shape[0]))
    return _nearest(model, ("query_most", "query_copies"), lambda tried: queries_apart(tried, fixed))


class _Found(NamedTuple):
    """What queries find: their profile, and the share of the best that each budget misses."""

    profile: Floats
    missed: Floats


class _Neighbours:
    """A small collection, to look at how near its documents are to each other and to queries."""

    def __init__(self, docs: sparse.csr_array) -> None:
        self._docs, self._columns = docs, sparse.csr_array(docs.T)
        self._exact, self._clustered = ExactIndex.build(docs), ClusteredIndex.build(docs)

    def of_documents(self) -> Floats:
        return document_profile(self._docs, self._columns, _ASKED)

    def of_queries(self, queries: sparse.csr_array) -> _Found:
        best = self._exact.search(queries, _K)
        found = np.nan_to_num(recalls(self._clustered, queries, best, _BUDGETS))
        return _Found(query_profile(queries, self._columns), 1.02 - found)


def _nearest(model: Model, names: tuple[str, ...], apart: Callable[[Model], float]) -> Model:
    """Return the model with these numbers of `Sharing` moved to where `apart` is small."""
    smallest = apart(model)
    step = _STEP
    for _ in range(_ROUNDS):
        for name in names:
            for direction in (step, -step):
                tried = model.sharing_as(**{name: _moved(name, getattr(model.sharing, name), direction)})
                found = apart(tried)
                if found < smallest:
                    model, smallest = tried, found
                    break
        step /= 2
    return model


def _moved(name: str, share: float, by: float) -> float:
    """Return a number whose logarithm is so much greater, or of a share its logit."""
    if name in ("families", "groups"):
        return float(share * np.exp(by))
    inside = min(max(share, 0.001), 0.999)
    odds = inside / (1 - inside) * np.exp(by)
    return float(odds / (1 + odds))
