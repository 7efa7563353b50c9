"""What makes up the scores of documents: their terms that the query has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thresher._explanation import Explanation, explanation
from thresher.collection.diversity import vectors_of
from thresher.collection.narrowing import Narrowing, among
from thresher.collection.question import Question

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.catalogue import Id
    from thresher.collection.view import View


def explained(
    view: View,
    vector: str,
    query: CsrArrays,
    *,
    ids: Sequence[Id],
    seqs: npt.NDArray[np.int64],
    words: dict[int, str] | None,
) -> list[Explanation]:
    """Explain the scores of documents by one query.

    Parameters
    ----------
    view, vector
        What is searched.
    query
        One row.
    ids, seqs
        The documents.
    words
        What the query's terms are called; None if they are numbers.
    """
    unique = np.unique(seqs)
    # Scores come from a search, so that they are the same to the last bit.
    question = Question(view, vector, query, Narrowing(view).within(among(view, unique)), {"fill": True}, {})
    found = question.find(max(len(unique), 1))
    scores = dict(zip(found.seqs[0].tolist(), found.scores[0].tolist(), strict=True))
    asked: dict[int, np.float32] = {}
    for term, weight in zip(query.indices.tolist(), query.data, strict=True):
        asked[term] = np.float32(asked.get(term, np.float32(0)) + weight)
    rows = vectors_of(view, vector, seqs)
    explanations = []
    for number, (one, seq) in enumerate(zip(ids, seqs.tolist(), strict=True)):
        here = slice(rows.indptr[number], rows.indptr[number + 1])
        made = explanation(one, scores[seq], rows.indices[here].astype(np.int64), rows.data[here], asked)
        if words is not None:
            made = made._replace(words=[words[term] for term in made.terms.tolist()])
        explanations.append(made)
    return explanations
