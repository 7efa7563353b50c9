"""Static pruning: leaving out the light weights of vectors before they are indexed, or asked.

All functions take vectors, a row each, and return them with the weights that stay, as they were, in the same shape.
What is light goes by the size of a weight, whatever its sign; of equal ones the smaller term or the earlier row stays.
What it costs in answers, and saves in bytes and work, `thresher.evaluation.pruning_cost` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

import numpy as np
import scipy.sparse as sp

from thresher._arguments import as_int, as_number
from thresher._matrix import MatrixLike, as_csr
from thresher.encoders.registry import from_config as encoder_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.encoders.encoder import Encoder
    from thresher.engines.options import Progress


def keep_mass(vectors: MatrixLike, fraction: SupportsFloat) -> sp.csr_array:
    """Keep of each row the fewest terms that make a fraction of the sum of its weights: its heaviest ones.

    Parameters
    ----------
    vectors
        Shape (n, n_terms), anything that `build` takes; weights finite.
    fraction
        In (0, 1]; 1 keeps all. Also called alpha-mass pruning.

    Returns
    -------
    csr_array
        float32, the same shape, terms in ascending order.

    Raises
    ------
    ValueError
        If a fraction is out of range or a weight not finite.
    TypeError
        If they are no vectors.

    Examples
    --------
    >>> from thresher.encoders.pruning import keep_mass
    >>> keep_mass([{0: 6.0, 1: 1.0, 2: 3.0}], 0.8).toarray().tolist()
    [[6.0, 0.0, 3.0]]
    """
    alpha = _as_fraction(fraction, "fraction")
    rows = _checked(vectors)
    if alpha == 1.0:
        return rows
    order, sizes = _heaviest_first(rows), np.abs(rows.data).astype(np.float64)
    lengths = np.diff(rows.indptr)
    before, mass = np.zeros(rows.nnz), np.zeros(rows.shape[0])
    alive = np.flatnonzero(lengths)
    for rank in range(int(lengths.max(initial=0))):  # each row's sum is its own, as exact as a loop over it
        alive = alive[lengths[alive] > rank]
        places = rows.indptr[alive] + rank
        before[places] = mass[alive]
        mass[alive] += sizes[order[places]]
    kept = np.zeros(rows.nnz, np.bool_)
    kept[order] = before < alpha * np.repeat(mass, lengths)
    return _only(rows, kept)


def keep_terms(vectors: MatrixLike, n: SupportsIndex) -> sp.csr_array:
    """Keep the n heaviest terms of each row.

    Parameters
    ----------
    vectors
        As for `keep_mass`.
    n
        Terms, 1 or more; rows that have no more stay whole.

    Returns
    -------
    csr_array
        As `keep_mass` does.

    Raises
    ------
    ValueError, TypeError
        As for `keep_mass`.
    """
    most = _as_count(n, "n")
    rows = _checked(vectors)
    kept = np.zeros(rows.nnz, np.bool_)
    kept[_heaviest_first(rows)] = _ranks(rows.indptr) < most
    return _only(rows, kept)


def keep_postings(vectors: MatrixLike, n: SupportsIndex) -> sp.csr_array:
    """Keep the n heaviest postings of each term, over all the rows.

    What stays of a row depends on the others: it is for a whole collection at once.

    Parameters
    ----------
    vectors
        As for `keep_mass`.
    n
        Postings, 1 or more; terms of no more documents stay whole.

    Returns
    -------
    csr_array
        As `keep_mass` does.

    Raises
    ------
    ValueError, TypeError
        As for `keep_mass`.
    """
    most = _as_count(n, "n")
    rows = _checked(vectors)
    documents = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    order = np.lexsort((documents, -np.abs(rows.data), rows.indices))
    _, sizes = np.unique(rows.indices, return_counts=True)
    kept = np.zeros(rows.nnz, np.bool_)
    kept[order] = _ranks(np.concatenate([[0], np.cumsum(sizes)])) < most
    return _only(rows, kept)


def keep_best(vectors: MatrixLike, quality: npt.ArrayLike, drop: SupportsFloat) -> sp.csr_array:
    """Leave out the passages of least quality: their rows become empty, so that the others keep their ids.

    Parameters
    ----------
    vectors
        As for `keep_mass`.
    quality
        A number for each row, shape (n,), the greater the better: such as what a model expects that anybody will ever
        look for the passage.
    drop
        The fraction of the rows that are left out, in [0, 1), rounded down to whole rows.

    Returns
    -------
    csr_array
        As `keep_mass` does.

    Raises
    ------
    ValueError
        As for `keep_mass`; or if there is not a number for each row.
    TypeError
        If they are no vectors, or no numbers.

    References
    ----------
    Xuejun Chang, Debabrata Mishra, Craig Macdonald, Sean MacAvaney, *Neural Passage Quality Estimation for Static
    Pruning*, SIGIR 2024.
    """
    part = as_number(drop, "drop")
    if not 0.0 <= part < 1.0:
        raise ValueError(f"drop must be in [0, 1), got {part}")
    rows = _checked(vectors)
    scores = np.asarray(quality)
    if scores.dtype.kind not in "fiu":
        raise TypeError(f"quality must be numbers, got dtype {scores.dtype}")
    if scores.shape != (rows.shape[0],):
        raise ValueError(f"quality must have a number for each of {rows.shape[0]} rows, got shape {scores.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"quality: row {int(np.flatnonzero(np.isnan(scores))[0])} has nan")
    stays = np.ones(rows.shape[0], np.bool_)
    worst_last = np.argsort(-scores.astype(np.float64), kind="stable")
    stays[worst_last[rows.shape[0] - int(part * rows.shape[0]) :]] = False
    return _only(rows, np.repeat(stays, np.diff(rows.indptr)))


def expected_flops(docs: MatrixLike, queries: MatrixLike) -> float:
    """Return how many multiplications a query takes with a document, in the mean: over terms, p(document) p(query).

    p is the fraction of the documents, or queries, that have a term: the measure that encoders of SPLADE's kind are
    trained to keep low.

    Parameters
    ----------
    docs, queries
        As for `keep_mass`, in the same terms.

    Returns
    -------
    float
        0 where there are no documents or no queries.

    Raises
    ------
    ValueError, TypeError
        As for `keep_mass`.

    References
    ----------
    Biswajit Paria, Chih-Kuan Yeh, Ian E.H. Yen, Ning Xu, Pradeep Ravikumar, Barnabas Poczos, *Minimizing FLOPs to Learn
    Efficient Sparse Representations*, ICLR 2020, arXiv 2004.05665.

    Examples
    --------
    >>> from thresher.encoders.pruning import expected_flops
    >>> expected_flops([{0: 1.0, 1: 2.0}, {0: 3.0}], [{0: 1.0}, {1: 1.0}])
    0.75
    """
    of_docs, of_queries = _checked(docs, "docs"), _checked(queries, "queries")
    if not of_docs.shape[0] or not of_queries.shape[0]:
        return 0.0
    terms, counts = np.unique(of_docs.indices, return_counts=True)
    asked, times = np.unique(of_queries.indices, return_counts=True)
    _, here, there = np.intersect1d(terms, asked, assume_unique=True, return_indices=True)
    pairs = float(counts[here].astype(np.float64) @ times[there])
    return pairs / (float(of_docs.shape[0]) * float(of_queries.shape[0]))


class Pruned:
    """An encoder whose vectors are pruned: of documents, of queries, or of both.

    Each vector is pruned by itself, so that the same text gives the same vector in any batch.

    Parameters
    ----------
    encoder
        What makes the vectors.
    document_mass, query_mass
        What `keep_mass` keeps; None for all.
    document_terms, query_terms
        What `keep_terms` keeps, of that; None for all.

    Raises
    ------
    ValueError, TypeError
        If one is out of range, or none is given.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        document_mass: SupportsFloat | None = None,
        document_terms: SupportsIndex | None = None,
        query_mass: SupportsFloat | None = None,
        query_terms: SupportsIndex | None = None,
    ) -> None:
        self._encoder = encoder
        self._settings: dict[str, float] = {}
        for name, fraction in (("document_mass", document_mass), ("query_mass", query_mass)):
            if fraction is not None:
                self._settings[name] = _as_fraction(fraction, name)
        for name, count in (("document_terms", document_terms), ("query_terms", query_terms)):
            if count is not None:
                self._settings[name] = _as_count(count, name)
        if not self._settings:
            raise ValueError("Pruned: nothing is to be pruned")

    @property
    def n_terms(self) -> int | None:
        """Columns of every matrix, as the encoder has them."""
        return self._encoder.n_terms

    @property
    def fingerprint(self) -> str:
        """What the vectors depend on: the encoder's, and what is kept."""
        settings = ",".join(f"{name}={value!r}" for name, value in sorted(self._settings.items()))
        return f"pruned({self._encoder.fingerprint};{settings})"

    @property
    def config(self) -> dict[str, Any] | None:
        """What `from_config` makes an equal encoder of; None if the encoder that is pruned can't be made."""
        inner = self._encoder.config
        return None if inner is None else {"kind": "pruned", "encoder": inner, **self._settings}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Pruned:
        """Make the encoder of a `config`, without its kind."""
        known = ("encoder", "document_mass", "document_terms", "query_mass", "query_terms")
        for key in config:
            if key not in known:
                raise ValueError(f"config: {key!r} is nothing that a pruned encoder has: {', '.join(known)}")
        given = dict(config)
        return cls(encoder_of(given.pop("encoder", {})), **given)

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the pruned vectors of documents, as the encoder takes them."""
        return self._pruned(self._encoder.encode_documents(texts, progress=progress), "document")

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the pruned vectors of queries, as the encoder takes them."""
        return self._pruned(self._encoder.encode_queries(texts, progress=progress), "query")

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the words of terms, as the encoder has them."""
        return self._encoder.terms(ids)

    def __repr__(self) -> str:
        """Say of what, and how much is kept."""
        settings = ", ".join(f"{name}={value}" for name, value in self._settings.items())
        return f"Pruned({self._encoder!r}, {settings})"

    def _pruned(self, vectors: sp.csr_array, kind: str) -> sp.csr_array:
        if (fraction := self._settings.get(f"{kind}_mass")) is not None:
            vectors = keep_mass(vectors, fraction)
        if (count := self._settings.get(f"{kind}_terms")) is not None:
            vectors = keep_terms(vectors, int(count))
        return vectors


def _checked(vectors: MatrixLike, name: str = "vectors") -> sp.csr_array:
    """Return vectors as rows of float32 with unique terms in ascending order, without zeros; a copy."""
    indptr, indices, data, shape = as_csr(vectors, name=name)
    bad = np.flatnonzero(~np.isfinite(data))
    if bad.size:
        row = int(np.searchsorted(indptr, bad[0], side="right")) - 1
        raise ValueError(
            f"{name}: row {row}, term {indices[bad[0]]} has the weight {data[bad[0]]}, which is not finite"
        )
    rows = sp.csr_array((data.copy(), indices.astype(np.int64), indptr.copy()), shape=shape)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


def _heaviest_first(rows: sp.csr_array) -> npt.NDArray[np.int64]:
    """Return the places of all entries, a row's behind the other's, each row's heaviest first, ties by term."""
    documents = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return np.asarray(np.lexsort((rows.indices, -np.abs(rows.data), documents)), np.int64)


def _ranks(indptr: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the place of each entry within its row, from 0."""
    return np.asarray(np.arange(int(indptr[-1])) - np.repeat(indptr[:-1], np.diff(indptr)), np.int64)


def _only(rows: sp.csr_array, kept: npt.NDArray[np.bool_]) -> sp.csr_array:
    """Return the entries that are kept."""
    indptr = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return sp.csr_array((rows.data[kept], rows.indices[kept], indptr), shape=rows.shape)


def _as_fraction(fraction: SupportsFloat, name: str) -> float:
    part = as_number(fraction, name)
    if not 0.0 < part <= 1.0:
        raise ValueError(f"{name} must be in (0, 1], got {part}")
    return part


def _as_count(count: SupportsIndex, name: str) -> int:
    whole = as_int(count, name)
    if whole < 1:
        raise ValueError(f"{name} must be >= 1, got {whole}")
    return whole
