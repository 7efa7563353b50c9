"""Maximal marginal relevance: hits that are good, and unlike those before them.

Jaime Carbonell, Jade Goldstein, *The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
Summaries*, SIGIR 1998. Each next hit is the candidate with the greatest

    trade_off * score / best score - (1 - trade_off) * greatest cosine with a hit that was taken,

of equal ones the better candidate. Cosines are of the documents' own vectors, in double.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from thresher._arguments import as_k, as_number
from thresher._kinds import kind_of
from thresher.collection.question import Row

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.view import View

_CANDIDATES = 4  # candidates for each hit, where the caller names no number
_LEAST = 50


@dataclasses.dataclass(frozen=True)
class Diversity:
    """How hits are made unlike each other.

    Attributes
    ----------
    trade_off
        Lambda, from 0 to 1: how much the score counts against likeness. 1 is the order of scores.
    candidates
        The best documents that hits are taken from; None for four times k, and at least 50.

    Examples
    --------
    >>> from thresher.collection import Collection, Diversity
    >>> with Collection.create("birds") as birds:
    ...     _ = birds.upsert(["a", "b", "c"], [{0: 3.0}, {0: 2.9}, {0: 2.0, 1: 3.0}])
    ...     print(birds.search_one({0: 1.0}, k=2, diversity=Diversity(0.5)).ids)
    ['a' 'c']
    """

    trade_off: float = 0.5
    candidates: int | None = None

    def __post_init__(self) -> None:
        """Check both; raise TypeError or ValueError."""
        trade_off = as_number(self.trade_off, "trade_off")
        if not 0 <= trade_off <= 1:
            raise ValueError(f"trade_off must be from 0 to 1, got {trade_off}")
        if self.candidates is not None:
            as_k(self.candidates, "candidates")

    def depth(self, k: int) -> int:
        """Return how many candidates there are for k hits."""
        return max(_CANDIDATES * k, _LEAST) if self.candidates is None else max(self.candidates, k)


def as_diversity(given: object) -> Diversity:
    """Return what a caller gives, a number for the trade-off; or raise TypeError."""
    if isinstance(given, Diversity):
        return given
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        try:
            return Diversity(float(given))
        except ValueError:
            raise ValueError(f"diversity must be a Diversity or a number from 0 to 1, got {given}") from None
    raise TypeError(f"diversity must be a Diversity or a number from 0 to 1, got {kind_of(given)}")


def diverse(row: Row, k: int, trade_off: float, vectors: sp.csr_array) -> Row:
    """Return k of the candidates in the order in which they are taken.

    Parameters
    ----------
    row
        The candidates, best first.
    k
        Hits to take.
    trade_off
        From 0 to 1.
    vectors
        Theirs, shape (n, n_terms).
    """
    n = len(row.seqs)
    if not n:
        return row
    best = float(row.scores[0])
    relevance = row.scores.astype(np.float64) / (best if best > 0 and np.isfinite(best) else 1.0)
    unit = vectors.astype(np.float64)
    lengths = np.sqrt(np.asarray(unit.multiply(unit).sum(axis=1))).ravel()
    unit = sp.csr_array(sp.diags_array(1.0 / np.where(lengths > 0, lengths, 1.0)) @ unit)
    likeness = np.zeros(n)
    is_left = np.ones(n, np.bool_)
    taken: list[int] = []
    while len(taken) < min(k, n):
        value = np.where(is_left, trade_off * relevance - (1 - trade_off) * likeness, -np.inf)
        chosen = int(value.argmax())
        cosines = np.asarray((unit @ unit[[chosen]].T).todense()).ravel()
        likeness = cosines if not taken else np.maximum(likeness, cosines)
        taken.append(chosen)
        is_left[chosen] = False
    return Row(row.seqs[taken], row.scores[taken])


def vectors_of(view: View, vector: str, seqs: npt.NDArray[np.int64]) -> sp.csr_array:
    """Return the vectors of documents of a view, a row each."""
    width = max(view.n_terms[vector], 1)
    pieces: list[Any] = []
    order: list[npt.NDArray[np.int64]] = []
    for located in view.locate(seqs):
        rows = view.parts[located.part].segment.indexes[vector].vectors(located.places)
        rows.resize((rows.shape[0], max(width, rows.shape[1])))
        width = rows.shape[1]
        pieces.append(rows)
        order.append(located.which)
    if not pieces:
        return sp.csr_array((0, width), dtype=np.float32)
    for rows in pieces:
        rows.resize((rows.shape[0], width))
    back = np.argsort(np.concatenate(order))
    return sp.csr_array(sp.vstack(pieces, format="csr"))[back]
