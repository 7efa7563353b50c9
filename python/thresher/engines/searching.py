"""From queries and options to hits: a batch, a single query, a count; and an index's own search parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher._arguments import as_k, as_terms, as_weights, set_params
from thresher._hits import AllHits, Hits
from thresher._matrix import MatrixLike, as_csr, as_query
from thresher._words import IndexWords
from thresher.engines.options import SearchOptions, require_known
from thresher.engines.request import Request

if TYPE_CHECKING:
    from typing import SupportsIndex

    import numpy.typing as npt

    from thresher import _core
    from thresher.engines.index import Index


def search(index: Index, queries: MatrixLike, k: SupportsIndex | None, options: Mapping[str, object]) -> Hits:
    """Search for each query, Hits, or AllHits where k is None: see `Index.search`."""
    require_known(options, index._search_options, f"{type(index).__name__}.search")
    handle = index._live
    common: dict[str, Any] = {name: options[name] for name in SearchOptions.__annotations__ if name in options}
    given = {name: value for name, value in options.items() if name not in common}
    params = _params_with(handle, given) if given else index._own_params
    shape = common.pop("shape", None)
    rows = as_csr(queries, shape=shape, name="queries", words=IndexWords(handle, common.get("unknown_terms")))
    return Request(handle, k, rows.shape[0], common).search(rows, params)


def search_one(
    index: Index,
    terms: Any,  # noqa: ANN401 - a QueryLike, which only run time tells apart
    weights: npt.ArrayLike | None,
    k: SupportsIndex | None,
    options: Mapping[str, object],
) -> Hits:
    """Search for one query: see `Index.search_one`."""
    handle: Any = index._handle
    if handle is None:
        raise ValueError("the index is closed")
    params = index._own_params
    if options or k is None:
        require_known(options, index._search_options, f"{type(index).__name__}.search_one")
        if k is None or not options.keys().isdisjoint(SearchOptions.__annotations__):
            return _search_batch_of_one(index, terms, weights, k, options)
        params = _params_with(handle, options)
    if weights is None:
        terms, weights = as_query(terms, IndexWords(handle))
    if params is None:
        return Hits(*handle.search_one(as_terms(terms), as_weights(weights), as_k(k)))
    return Hits(*handle.search_one_with(as_terms(terms), as_weights(weights), as_k(k), params))


def _search_batch_of_one(
    index: Index,
    terms: Any,  # noqa: ANN401 - a QueryLike
    weights: npt.ArrayLike | None,
    k: SupportsIndex | None,
    options: Mapping[str, object],
) -> Hits:
    """Search for one query with options of batches."""
    queries = terms
    if weights is None and not (isinstance(terms, tuple) and len(terms) == 3):  # no triple, which is a batch
        terms, weights = as_query(terms, IndexWords(index._live, options.get("unknown_terms")))
    if weights is not None:
        terms, weights = as_terms(terms), as_weights(weights)
        if terms.ndim != 1:
            raise ValueError(f"terms must have one dimension, got {terms.ndim}")
        if terms.shape != weights.shape:
            raise ValueError(f"terms and weights differ in length: {terms.size} and {weights.size}")
        queries = [0, terms.size], terms, weights
        options = {"shape": (1, max(index.n_terms, 1 + int(terms.max(initial=0)))), **options}
    hits = search(index, queries, k, options)
    if len(hits.exact) != 1:
        raise ValueError(f"search_one takes one query, got {len(hits.exact)}: search takes several")
    if isinstance(hits, AllHits):
        return Hits(hits.ids, hits.scores, bool(hits.exact[0]))
    after: Any = options.get("after")
    before = None if after is None else np.asarray(getattr(after, "cursor", after)).reshape(-1)
    return Hits(hits.ids[0], hits.scores[0], bool(hits.exact[0]), before)


def count(index: Index, queries: MatrixLike, options: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    """Return how many documents match each query: see `Index.count`."""
    handle = index._live
    words = IndexWords(handle, options["unknown_terms"])
    rows = as_csr(queries, shape=options["shape"], name="queries", words=words)
    return Request(handle, None, rows.shape[0], options).counts(rows)


def with_params(index: Index, given: Mapping[str, object]) -> _core.Index:
    """Return an index of the core with other search parameters: see `Index.with_search_params`."""
    handle: Any = index._live
    known = list(handle.search_params)
    for name in given:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise TypeError(f"{type(index).__name__} has no search parameter {name!r}: {has}")
    same: _core.Index = handle.with_search_params(_params_with(handle, given)) if given else handle
    return same


def _params_with(handle: Any, given: Mapping[str, object]) -> Any:  # noqa: ANN401 - each engine has a class of its own
    """Return the index's search parameters as the core takes them, but for those that are given and not None."""
    return set_params(handle.own_search_params(), {name: value for name, value in given.items() if value is not None})
