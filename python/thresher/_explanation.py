"""What makes up a document's score: the query's terms that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher._hits import Hits

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._words import Words
    from thresher.engines.index import Index

_SHOWN = 12


class Explanation(NamedTuple):
    """Why a document scores what it does. Arrays are of the terms that it shares with the query, heaviest first."""

    id: Any
    """The document's: a whole number, of a collection what it is called there."""
    score: float
    """What a search returns: the products' sum, in float32."""
    terms: npt.NDArray[np.int64]
    """Shape (n,)."""
    query_weights: npt.NDArray[np.float32]
    """Shape (n,)."""
    document_weights: npt.NDArray[np.float32]
    """Shape (n,)."""
    products: npt.NDArray[np.float64]
    """Shape (n,): of the weights, the greatest first."""
    words: list[str] | None = None
    """What the terms are called, those beyond the words by number; None if the index keeps no words."""
    name: str | None = None
    """What the document is called, if the index keeps names."""

    def __repr__(self) -> str:
        """Show the heaviest terms, a line each."""
        named = "" if self.name is None else f" {self.name!r}"
        lines = [f"document {self.id}{named}, score {self.score:g}"]
        called = [f"term {term}" for term in self.terms[:_SHOWN]] if self.words is None else self.words[:_SHOWN]
        for term, asked, has, product in zip(
            called, self.query_weights, self.document_weights, self.products, strict=False
        ):
            lines.append(f"    {term}: {asked:g} x {has:g} = {product:g}")
        if len(self.terms) > _SHOWN:
            lines.append(f"    and {len(self.terms) - _SHOWN} more: {self.products[_SHOWN:].sum():g}")
        return "\n".join(lines)


def explained(index: Index, query: Any, ids: Any, weights: npt.ArrayLike | None) -> list[Explanation]:  # noqa: ANN401
    """Explain the scores of documents by one query: see `Index.explain`."""
    if isinstance(ids, Hits):
        if ids.ids.ndim != 1:
            raise ValueError("ids: the hits are of several queries, and one is explained at a time")
        ids = ids.ids[ids.ids >= 0]
    asked = _weights_of(index, query, weights)
    words, names = index.words, index.names
    docs = np.atleast_1d(np.asarray(ids))
    rows = index.vectors(docs)
    unique, places = np.unique(docs, return_inverse=True)
    # Scores come from a search, so that they are the same to the last bit.
    found = index.search_one(query, weights, k=max(len(unique), 1), allowed=unique, fill=True)
    scores = dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))
    explanations = []
    for number, place in enumerate(places.tolist()):
        terms = rows.indices[rows.indptr[number] : rows.indptr[number + 1]].astype(np.int64)
        has = rows.data[rows.indptr[number] : rows.indptr[number + 1]]
        doc = int(unique[place])
        made = explanation(doc, scores[doc], terms, has, asked)
        explanations.append(
            made._replace(
                words=None if words is None else _called(made.terms.tolist(), words),
                name=None if names is None else names[doc],
            )
        )
    return explanations


def explanation(
    doc: Any,  # noqa: ANN401 - an id
    score: float,
    terms: npt.NDArray[np.int64],
    has: npt.NDArray[np.float32],
    asked: Mapping[int, Any],
) -> Explanation:
    """Return the explanation of a document's score: its terms and weights, and those of the query by term."""
    shared = np.array([asked.get(int(term), 0.0) for term in terms], np.float32)
    products = shared.astype(np.float64) * has
    order = np.argsort(-products, kind="stable")[: len(products)]
    order = order[shared[order] != 0]
    return Explanation(doc, score, terms[order], shared[order], has[order], products[order])


def _called(terms: list[int], words: Words) -> list[str]:
    return [words[term] if term < len(words) else f"term {term}" for term in terms]


def _weights_of(index: Index, query: Any, weights: npt.ArrayLike | None) -> dict[int, float]:  # noqa: ANN401
    """Return a query's weights by term, repeated ones added as a search adds them."""
    from thresher._arguments import as_terms, as_weights  # noqa: PLC0415
    from thresher._matrix import as_query  # noqa: PLC0415
    from thresher._words import IndexWords  # noqa: PLC0415

    handle = index._live  # noqa: SLF001 - of this package
    terms, of_terms = (query, weights) if weights is not None else as_query(query, IndexWords(handle))
    sums: dict[int, np.float32] = {}
    for term, weight in zip(as_terms(terms).tolist(), as_weights(of_terms), strict=True):
        sums[term] = np.float32(sums.get(term, np.float32(0)) + weight)
    return {term: float(weight) for term, weight in sums.items() if term < index.n_terms}
