"""The formula of BM25, cut into a query's side and a document's, so that it is an inner product.

score(q, d) = sum over terms of  tf_q * idf(df)  *  scale * tf_d / (tf_d + saturation * norm(d)),
norm(d) = 1 - b + b * length(d) / mean_length.

All methods are of this form; they differ in the IDF, `scale` and `saturation`. BM25+ and BM25L, as Kamphuis et al. and
BM25S have them, give a term that a document does not have a score as well, the same in every document: it is left out,
for a vector has no room for it.

References
----------
Robertson and Zaragoza: *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009.
Kamphuis et al.: *Which BM25 Do You Mean? A Large-Scale Reproducibility Study of Scoring Variants*, ECIR 2020.
Lù: *BM25S: Orders of magnitude faster lexical search via eager sparse scoring*, 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Method: TypeAlias = Literal["lucene", "robertson", "atire", "bm25+", "bm25l"]
Floats: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class BM25Formula:
    """A method of BM25 and its parameters; the functions depend on nothing else.

    Parameters
    ----------
    method
        ``"lucene"``, ``"robertson"``, ``"atire"``, ``"bm25+"`` or ``"bm25l"``.
    k1
        > 0: how late a term saturates that stands in a document again and again.
    b
        0 to 1: how much the length of a document counts.
    delta
        >= 0: what BM25L adds to a frequency. BM25+ adds it to every document's weight alike, which is left out.

    Raises
    ------
    ValueError
        If one is none of these.

    Examples
    --------
    >>> import numpy as np, scipy.sparse as sp
    >>> from thresher.encoders import BM25Formula
    >>> formula = BM25Formula(k1=1.0, b=0.5)
    >>> counts, lengths = sp.csr_array([[1, 3], [2, 0]]), np.array([4, 2])
    >>> weights = formula.weigh(counts, lengths, mean_length=3.0)
    >>> formula.unweigh(weights, lengths, mean_length=3.0).toarray()
    array([[1, 3],
           [2, 0]], dtype=int32)
    >>> formula.idf([1, 2], n_docs=2).round(3)
    array([0.693, 0.182])
    """

    method: Method = "lucene"
    k1: float = 1.2
    b: float = 0.75
    delta: float = 0.5

    def __post_init__(self) -> None:
        """Check them."""
        if self.method not in get_args(Method):
            raise ValueError(f"method must be one of {', '.join(get_args(Method))}, got {self.method!r}")
        for name, lowest, highest in (("k1", 0.0, math.inf), ("b", 0.0, 1.0), ("delta", 0.0, math.inf)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise TypeError(f"{name} must be a number, got {value!r}")
            if not lowest <= value <= highest or math.isinf(value) or (name == "k1" and value == 0):
                wanted = {"k1": "> 0 and finite", "b": "0 to 1", "delta": ">= 0 and finite"}[name]
                raise ValueError(f"{name} must be {wanted}, got {value!r}")
            object.__setattr__(self, name, float(value))

    def weigh(
        self,
        counts: sp.csr_array,
        lengths: npt.ArrayLike,
        mean_length: float,
        *,
        dtype: npt.DTypeLike = np.float32,
    ) -> sp.csr_array:
        """Return the document's side: a weight for each term frequency.

        Parameters
        ----------
        counts
            Term frequencies >= 1 of whole documents, or of some of their terms, shape (n_docs, n_terms).
        lengths
            Terms of each document, shape (n_docs,), >= 0.
        mean_length
            Terms of a document on average, > 0, in the corpus that the weights are for.
        dtype
            Of the weights.

        Returns
        -------
        csr_array
            Of the same shape and places; finite, > 0, less than `largest`, or rounded to it.
        """
        frequency = counts.data.astype(np.float64)
        weights = self._scale * frequency / (frequency + self._half(counts, lengths, mean_length))
        return _like(counts, weights.astype(dtype))

    def unweigh(self, weights: sp.csr_array, lengths: npt.ArrayLike, mean_length: float) -> sp.csr_array:
        """Return the term frequencies that `weigh` made weights of, given the same lengths and mean length.

        Each is one that has this very weight: weighing it again gives the same bits. It is the only one, hence exact,
        for float64 weights of frequencies to 10^6. Of float32 weights it is exact to about 2900 * sqrt(saturation *
        norm) - saturation * norm; beyond, neighbouring frequencies have the same weight, which tells no more.

        Returns
        -------
        csr_array
            Of the same shape and places, int32, >= 1 and at most the length of the document.
        """
        half = self._half(weights, lengths, mean_length)
        given = weights.data.astype(np.float64)
        missing = self._scale - given
        with np.errstate(divide="ignore", over="ignore"):
            frequency = np.where(missing > 0, half * given / missing, np.inf)
        most = np.repeat(np.asarray(lengths, np.float64), np.diff(weights.indptr))
        return _like(weights, np.clip(np.rint(frequency), 1, np.maximum(most, 1)).astype(np.int32))

    def idf(self, document_frequencies: npt.ArrayLike, n_docs: int) -> npt.NDArray[np.float64]:
        """Return the query's side: how much a term counts that is in so many documents.

        Parameters
        ----------
        document_frequencies
            Of terms, each 0 to n_docs.
        n_docs
            Documents of the corpus.

        Returns
        -------
        array
            Of the same shape, float64, finite, >= 0; 0 for terms that no document has.
        """
        found = np.asarray(document_frequencies, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = (n_docs - found + 0.5) / (found + 0.5)
            ratios = {
                "lucene": 1 + odds,
                "robertson": np.maximum(odds, 1),
                "atire": n_docs / found,
                "bm25+": (n_docs + 1) / found,
                "bm25l": (n_docs + 1) / (found + 0.5),
            }
            return np.where(found > 0, np.maximum(np.log(ratios[self.method]), 0.0), 0.0)

    @property
    def largest(self) -> float:
        """What weights approach as frequencies grow."""
        return self._scale

    @property
    def _scale(self) -> float:
        if self.method in ("lucene", "robertson"):
            return 1.0
        if self.method == "bm25l":
            return self.k1 * (self.k1 + 1) / self._saturation
        return self.k1 + 1

    @property
    def _saturation(self) -> float:
        return self.k1 + self.delta if self.method == "bm25l" else self.k1

    def _half(self, rows: sp.csr_array, lengths: npt.ArrayLike, mean_length: float) -> npt.NDArray[np.float64]:
        """Return, for each entry, the frequency at which a weight is half the largest."""
        given = np.asarray(lengths, np.float64)
        if given.shape != (rows.shape[0],):
            raise ValueError(f"lengths must have the shape ({rows.shape[0]},), one for each row, got {given.shape}")
        if not (math.isfinite(mean_length) and (mean_length > 0 or not rows.nnz)):
            raise ValueError(f"mean_length must be > 0 and finite, got {mean_length!r}")
        norm = 1 - self.b + self.b * given / (mean_length or 1.0)
        return np.repeat(self._saturation * norm, np.diff(rows.indptr))


def _like(rows: sp.csr_array, data: npt.NDArray[Any]) -> sp.csr_array:
    """Return other values in the same places."""
    return sp.csr_array((data, rows.indices, rows.indptr), shape=rows.shape)
