"""Documents as posting lists of impacts: quantised with one scale for all terms, transposed by counting.

Cost: two passes over the documents, some at a time, and 5 to 8 bytes a posting: the document, and
the impact in 1, 2 or 4 bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, SupportsIndex

import numpy as np
from scipy import sparse

from thresher import Index, MatrixLike
from thresher._arguments import as_int, as_number
from thresher._matrix import as_csr, check_offsets
from thresher.formats._check import first_bad_weight, row_of, weight_problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INT32_MAX = 2**31 - 1
_MANTISSA, _POWERS = 23, 256  # bits of a float32's mantissa, and powers of two that its exponent tells apart
_OUTLYING = 64  # times the median weight: the largest one leaves most of them few impacts
_PART = 8192  # documents looked at together


class Documents:
    """Documents of a matrix or an index, some at a time."""

    def __init__(self, docs: MatrixLike | Index, shape: tuple[int, int] | None) -> None:
        """Take anything that ``build`` takes, with its shape if it has none, or an index."""
        self._index = docs if isinstance(docs, Index) else None
        if isinstance(docs, Index):
            self.shape = (docs.n_docs, docs.n_terms)
            return
        self._matrix = as_csr(docs, shape=shape)
        self.shape = self._matrix.shape
        check_offsets(self._matrix.indptr, "docs")

    def parts(self) -> Iterator[sparse.csr_array]:
        """Yield the documents: float32, indices sorted, no duplicates, no zeros."""
        for start in range(0, self.shape[0], _PART):
            stop = min(start + _PART, self.shape[0])
            yield self._rows(start, stop) if self._index is None else self._index.vectors(np.arange(start, stop))

    def _rows(self, start: int, stop: int) -> sparse.csr_array:
        indptr, indices, data, _ = self._matrix
        mine = slice(int(indptr[start]), int(indptr[stop]))
        arrays = (data[mine], indices[mine], indptr[start : stop + 1] - indptr[start])
        rows = sparse.csr_array(arrays, shape=(stop - start, self.shape[1]), copy=True)
        _check_weights(rows, start)
        rows.sum_duplicates()
        _check_weights(rows, start)
        rows.eliminate_zeros()
        return rows


class Survey(NamedTuple):
    """What must be known of all documents before the first impact."""

    columns: NDArray[np.int64]
    """Those that hold a weight, ascending; an array over all might be too large for memory."""
    frequencies: NDArray[np.int64]
    """In how many documents each is."""
    largest: float
    """Weight."""
    n_of_power: NDArray[np.int64]
    """(256,) how many weights there are of each exponent of a float32."""
    whole: bool
    """Whether every weight is a whole number."""


class PostingLists(NamedTuple):
    """The documents by term: list i is entries ``starts[i]`` to ``starts[i + 1]``."""

    starts: NDArray[np.int64]
    documents: NDArray[np.int32]
    """Ascending in each list."""
    impacts: NDArray[Any]
    """Whole numbers > 0, of the narrowest unsigned type."""
    lengths: NDArray[np.int64]
    """The sum of the impacts of each document."""


def survey(docs: Documents) -> Survey:
    """Look at all documents once."""
    columns = frequencies = np.empty(0, np.int64)
    largest, whole = 0.0, True
    n_of_power = np.zeros(_POWERS, np.int64)
    for rows in docs.parts():
        here, counts = np.unique(rows.indices, return_counts=True)
        known, columns = columns, np.union1d(columns, here).astype(np.int64)
        before, frequencies = frequencies, np.zeros(columns.size, np.int64)
        frequencies[np.searchsorted(columns, known)] = before
        frequencies[np.searchsorted(columns, here)] += counts
        largest = max(largest, float(rows.data.max(initial=0)))
        n_of_power += np.bincount(rows.data.view(np.uint32) >> _MANTISSA, minlength=_POWERS)
        whole = whole and bool((np.rint(rows.data) == rows.data).all())
    return Survey(columns, frequencies, largest, n_of_power, whole)


def choose_scale(facts: Survey, *, bits: SupportsIndex, scale: SupportsFloat | None) -> float:
    """Return the weight that an impact of 1 stands for, or raise naming the argument."""
    n_bits = as_int(bits, "bits")
    if not 1 <= n_bits <= 31:
        raise ValueError(f"bits must be from 1 to 31, got {n_bits}")
    if scale is None:
        return 1.0 if facts.whole and facts.largest <= _INT32_MAX else facts.largest / (2**n_bits - 1)
    given = as_number(scale, "scale")
    if not 0 < given <= float(np.finfo(np.float32).max):
        raise ValueError(f"scale must be > 0 and finite as a float32, got {given}")
    if facts.largest / given > _INT32_MAX:
        raise ValueError(f"scale={given}: the largest weight, {facts.largest}, becomes an impact beyond an int32")
    return given


def outlier_problem(facts: Survey, scale: float) -> str | None:
    """Say what a scale that follows from the largest weight does to the others, or None if that is little.

    The median is known up to a factor of 2.
    """
    middle = int(np.searchsorted(np.cumsum(facts.n_of_power), (facts.n_of_power.sum() + 1) // 2))
    median = math.ldexp(1.0, middle - 126)  # the upper end of its power
    if facts.largest <= _OUTLYING * median:
        return None
    return (
        f"docs: the scale, {scale:g}, follows from the largest weight, {facts.largest:g}, which is more than "
        f"{_OUTLYING} times the median one: most others become few impacts, which a smaller scale or more bits would "
        "tell apart"
    )


def transpose(docs: Documents, facts: Survey, order: NDArray[np.int64], scale: float) -> PostingLists:
    """Return the posting lists, of which list i is that of the column ``facts.columns[order[i]]``.

    A posting goes where its list has got to, so that documents stay in order without a sort.
    """
    n_lists = order.size
    place_of = np.empty(n_lists, np.int64)
    place_of[order] = np.arange(n_lists)
    starts = np.concatenate([[0], np.cumsum(facts.frequencies[order])])
    documents = np.empty(starts[-1], np.int32)
    impacts = np.empty(starts[-1], np.min_scalar_type(math.ceil(facts.largest / scale)))
    lengths = np.zeros(docs.shape[0], np.int64)
    ends = starts[:-1].copy()  # of the lists so far
    first = 0
    for rows in docs.parts():
        codes = np.maximum(np.rint(rows.data / np.float64(scale)), 1).astype(impacts.dtype)
        sums = np.concatenate([[0], np.cumsum(codes, dtype=np.int64)])
        lengths[first : first + rows.shape[0]] = np.diff(sums[rows.indptr])
        places = place_of[np.searchsorted(facts.columns, rows.indices)]
        lists = sparse.csr_array((codes, places, rows.indptr), shape=(rows.shape[0], n_lists)).tocsc()
        counts = np.diff(lists.indptr)
        target = np.arange(lists.nnz) + np.repeat(ends - lists.indptr[:-1], counts)
        documents[target] = first + lists.indices
        impacts[target] = lists.data
        ends += counts
        first += rows.shape[0]
    return PostingLists(starts, documents, impacts, lengths)


def _check_weights(rows: sparse.csr_array, first: int) -> None:
    position = first_bad_weight(rows.data, allow_negative=False)
    if position is not None:
        what = weight_problem(float(rows.data[position]), allow_negative=False)
        raise ValueError(f"docs: row {first + row_of(rows.indptr, position)} has {what}")
