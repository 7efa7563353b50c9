"""BM25 in a collection: statistics of its documents for the query's side, one mean length for the documents' side.

Document frequencies are those of the live documents, whatever segment they lie in: a segment's are counted once, and
corrected by the documents that died or came back since. Nothing is written for them.

The weights of documents depend on the mean length that was in force when they were made: one for the whole collection,
in its catalogue. A document's length is the weight of a term of its own, the empty word, which no query has; so term
frequencies can be told from weights, and all documents weighed anew in a merge.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard

import numpy as np
import scipy.sparse as sp

from thresher._core import FormatError
from thresher._matrix import CsrArrays
from thresher.collection.filters import bits
from thresher.encoders.counting import pieces

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.catalogue import Catalogue
    from thresher.collection.filters.bits import Bits
    from thresher.collection.must import Find
    from thresher.collection.schema import Schema
    from thresher.collection.segment import Part, Segment
    from thresher.collection.store import Store
    from thresher.collection.view import View
    from thresher.encoders import BM25Formula, Counts
    from thresher.engines.options import Progress

_log = logging.getLogger("thresher.collection")

LENGTH = ""
"""The word whose weight is a document's length."""

_UNIT = 2.0**-20  # of a length: exact, and below other weights, so that no bound that matters is higher for it
_SMALL = 20_000  # documents up to which a collection that grows is weighed anew by itself
SLIGHT = 0.01
"""A drift, as a fraction, that is left until `optimize`."""
_AT_ONCE = 1 << 15  # documents that are looked at at a time


class Counting(Protocol):
    """An encoder whose weights depend on the statistics of a collection: `thresher.encoders.BM25Encoder`."""

    @property
    def formula(self) -> BM25Formula:
        """What makes weights of term frequencies."""

    def count(self, texts: Sequence[str]) -> Counts:
        """Return the term frequencies of texts, their lengths, and the words of the columns."""


def is_counting(encoder: object) -> TypeGuard[Counting]:
    """Tell whether an encoder's weights depend on the statistics of the collection."""
    return hasattr(encoder, "count") and hasattr(encoder, "formula")


# --------------------------------------------------------------------------------------------------------- documents


class Counted(NamedTuple):
    """The term frequencies of documents, before a mean length makes weights of them."""

    formula: BM25Formula
    frequencies: sp.csr_array
    lengths: npt.NDArray[np.int64]
    words: list[str]

    def weighed(self, mean: float) -> tuple[CsrArrays, list[str]]:
        """Return weights, the lengths among them, and the words of the columns."""
        weights = self.formula.weigh(self.frequencies, self.lengths, mean)
        n, width = weights.shape
        has = self.lengths > 0
        ends = np.asarray(weights.indptr, np.int64)[1:]
        data = np.insert(weights.data, ends[has], (self.lengths[has] * _UNIT).astype(np.float32))
        indices = np.insert(weights.indices, ends[has], width).astype(np.uint32)
        indptr = np.concatenate([np.zeros(1, np.int64), ends + np.cumsum(has)])
        return CsrArrays(indptr, indices, data, (n, width + 1)), [*self.words, LENGTH]


def counted(encoder: Counting, texts: Sequence[str], progress: Progress | None = None) -> Counted:
    """Count the terms of documents, some at a time."""
    columns: dict[str, int] = {}
    parts: list[tuple[Any, Any, Any]] = []
    lengths = [np.zeros(0, np.int64)]
    for first, piece in pieces(texts):
        some = encoder.count(piece)
        numbers = np.fromiter(
            (columns.setdefault(word, len(columns)) for word in some.words), np.int32, len(some.words)
        )
        own = some.frequencies
        parts.append((own.data, numbers[own.indices], np.diff(own.indptr)))
        lengths.append(some.lengths)
        if progress is not None:
            progress(first + len(piece), len(texts))
    data, indices, sizes = (
        np.concatenate([np.zeros(0, np.int32), *column]) for column in (zip(*parts, strict=True) if parts else [[]] * 3)
    )
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
    shape = (len(indptr) - 1, len(columns))
    return Counted(
        encoder.formula, sp.csr_array((data, indices, indptr), shape=shape), np.concatenate(lengths), [*columns]
    )


# ----------------------------------------------------------------------------------------------------------- queries


def asked(
    encoder: Counting, texts: Sequence[str], view: View, vector: str, find: Find
) -> tuple[CsrArrays, dict[int, str]]:
    """Return queries as a version of the collection weighs them: each term's IDF, as often as it stands in the text.

    Words that no live document has count nothing.

    Returns
    -------
    tuple
        The rows, and the words of their terms.
    """
    counts = encoder.count(texts)
    known = find([*counts.words, LENGTH])
    terms = np.array([known.get(word, -1) for word in counts.words], np.int64)
    there = tallies(view, vector, known.get(LENGTH))
    frequencies = sum((tally.of(terms) for tally in there), np.zeros(len(terms), np.int64))
    idf = encoder.formula.idf(frequencies, max(len(view), 1))
    rows = counts.frequencies
    data = rows.data * idf[rows.indices]
    kept = data > 0
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    found = CsrArrays(
        before[rows.indptr],
        terms[rows.indices][kept].astype(np.uint32),
        data[kept].astype(np.float32),
        (rows.shape[0], int(terms.max(initial=-1)) + 1),
    )
    return found, {known[word]: word for word in counts.words if word in known}


# -------------------------------------------------------------------------------------------------------- statistics


class Tally(NamedTuple):
    """What is counted of a part's live documents."""

    terms: npt.NDArray[np.int64]
    """The terms of the segment, ascending."""
    frequencies: npt.NDArray[np.int64]
    """In how many documents each is."""
    total_length: float

    def of(self, terms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the frequencies of some terms."""
        if not len(self.terms):
            return np.zeros(len(terms), np.int64)
        at = np.searchsorted(self.terms, terms)
        at[at == len(self.terms)] = 0
        found: npt.NDArray[np.int64] = np.where(self.terms[at] == terms, self.frequencies[at], 0)
        return found

    def changed(self, other: Tally, sign: int) -> Tally:
        """Return what is counted with other documents of the segment, or without."""
        frequencies = self.frequencies.copy()
        frequencies[np.searchsorted(self.terms, other.terms)] += sign * other.frequencies
        return self._replace(frequencies=frequencies, total_length=self.total_length + sign * other.total_length)


_lock = threading.Lock()
_of_parts: weakref.WeakKeyDictionary[Part, dict[str, Tally]] = weakref.WeakKeyDictionary()
_latest: weakref.WeakKeyDictionary[Segment, dict[str, tuple[Bits, Tally]]] = weakref.WeakKeyDictionary()


def tallies(view: View, vector: str, length: int | None) -> list[Tally]:
    """Return what is counted of each part of a view; `length` is the term of lengths, if there is one yet."""
    return [_tally(part, vector, length) for part in view.parts]


def _tally(part: Part, vector: str, length: int | None) -> Tally:
    segment = part.segment
    with _lock:  # not while it counts: what two threads count is the same
        known = _of_parts.setdefault(part, {})
        latest = _latest.setdefault(segment, {})
        if vector in known:
            return known[vector]
        start = latest.get(vector)
    if start is None:
        start = bits.every(len(segment)), _counted(segment, vector, length, np.arange(len(segment)))
    live, tally = start
    for sign, places in ((1, part.live & ~live), (-1, live & ~part.live)):
        if places.any():
            tally = tally.changed(_counted(segment, vector, length, bits.positions(places, len(segment))), sign)
    with _lock:
        latest[vector] = part.live, tally
        known[vector] = tally
    return tally


def _counted(segment: Segment, vector: str, length: int | None, places: npt.NDArray[np.int64]) -> Tally:
    """Count documents at some places of a segment."""
    index = segment.indexes[vector]
    width = index.n_terms
    parts: list[tuple[Any, Any]] = []
    total = 0.0
    for begin in range(0, len(places), _AT_ONCE):
        rows = index.vectors(places[begin : begin + _AT_ONCE])
        if width <= 4 * rows.nnz:
            frequencies = np.bincount(rows.indices, minlength=width)
            terms = np.flatnonzero(frequencies)
            parts.append((terms, frequencies[terms]))
        else:
            parts.append(np.unique(rows.indices, return_counts=True))
        if length is not None:
            total += float(rows.data[rows.indices == length].sum(dtype=np.float64)) / _UNIT
    if len(parts) == 1:
        return Tally(parts[0][0].astype(np.int64), parts[0][1].astype(np.int64), total)
    terms, places_of = np.unique(
        np.concatenate([np.zeros(0, np.int64), *(terms for terms, _ in parts)]), return_inverse=True
    )
    frequencies = np.zeros(len(terms), np.int64)
    np.add.at(frequencies, places_of, np.concatenate([np.zeros(0, np.int64), *(own for _, own in parts)]))
    return Tally(terms, frequencies, total)


# ------------------------------------------------------------------------------------------------------- mean length


@dataclasses.dataclass(frozen=True)
class MeanLength:
    """The mean length of documents that a vector's weights go by.

    Attributes
    ----------
    terms
        Terms of a document.
    n_docs
        How many documents there were when it was taken.
    """

    terms: float
    n_docs: int


@dataclasses.dataclass(frozen=True)
class Drift:
    """How far the mean length of documents is from the one that their weights go by.

    Attributes
    ----------
    in_force
        The mean length, in terms, that weights go by.
    present
        That of the documents that there are.
    """

    in_force: float
    present: float

    @property
    def relative(self) -> float:
        """The difference, as a fraction of the one in force."""
        return abs(self.present - self.in_force) / self.in_force


def means_of(catalogue: Catalogue, schema: Schema) -> dict[str, MeanLength]:
    """Return the mean length in force of each vector that has one."""
    kept = {name: catalogue.meta(_key(name)) for name in schema.vectors}
    try:
        return {name: MeanLength(**json.loads(text)) for name, text in kept.items() if text is not None}
    except (TypeError, ValueError) as error:
        raise FormatError(f"{catalogue.path}: mean lengths are damaged: {error}") from None


def keep_mean(catalogue: Catalogue, vector: str, mean: MeanLength) -> None:
    """Put a mean length in force."""
    catalogue.set_meta(**{_key(vector): json.dumps(dataclasses.asdict(mean))})


def _key(vector: str) -> str:
    return f"mean_length:{vector}"


# ----------------------------------------------------------------------------------------------------- weighing anew


@dataclasses.dataclass(frozen=True)
class Reweighing:
    """Weights of one mean length, to become those of another.

    Attributes
    ----------
    formula
        That of the vector's encoder.
    length
        The term of lengths.
    before, after
        Mean lengths.
    """

    formula: BM25Formula
    length: int
    before: MeanLength
    after: MeanLength

    def rows(self, parts: Sequence[Part], vector: str) -> Iterator[sp.csr_array]:
        """Yield the live documents of parts, some at a time, weighed anew."""
        for part in parts:
            places = part.live_places()
            for begin in range(0, len(places), _AT_ONCE):
                yield self.weighed(part.segment.indexes[vector].vectors(places[begin : begin + _AT_ONCE]))

    def weighed(self, rows: sp.csr_array) -> sp.csr_array:
        """Return documents weighed anew; those without a length, whose weights were given, as they are."""
        is_length = rows.indices == self.length
        row_of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        lengths = np.zeros(rows.shape[0])
        lengths[row_of[is_length]] = rows.data[is_length] / _UNIT
        kept = ~is_length
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
        old = sp.csr_array((rows.data[kept], rows.indices[kept], before[rows.indptr]), shape=rows.shape)
        frequencies = self.formula.unweigh(old, lengths, self.before.terms)
        new = self.formula.weigh(frequencies, lengths, self.after.terms)
        data = rows.data.copy()
        data[kept] = np.where(lengths[row_of[kept]] > 0, new.data, old.data)
        return sp.csr_array((data, rows.indices, rows.indptr), shape=rows.shape)


def reweighings(view: View, store: Store, *, more_than: float = 0.0) -> dict[str, Reweighing]:
    """Return how vectors are to be weighed anew: those whose mean length has drifted, by more than a fraction.

    A vector whose encoder can't be had stays as it is.
    """
    found = {}
    for vector, drift in drifts(view, store).items():
        if drift.relative <= more_than or not drift.present:
            continue
        try:
            encoder = store.encoders.of(vector)
        except (ImportError, ValueError) as error:
            _log.warning("%s: documents are not weighed by their present mean length: %s", store.folder, error)
            continue
        assert is_counting(encoder)
        length = store.terms_of(vector, [LENGTH])[LENGTH]
        after = MeanLength(drift.present, len(view))
        found[vector] = Reweighing(encoder.formula, length, view.means[vector], after)
    return found


def is_due(view: View) -> bool:
    """Tell whether a small collection has grown to twice what it was when its documents were weighed.

    The first mean length may be that of a single document. So it is looked at again while that costs little.
    """
    n = len(view)
    return n <= _SMALL and any(n >= 2 * mean.n_docs for mean in view.means.values())


def drifts(view: View, store: Store) -> dict[str, Drift]:
    """Return for each vector that goes by a mean length how far that is from the present one."""
    found = {}
    for vector, mean in view.means.items():
        length = store.terms_of(vector, [LENGTH]).get(LENGTH)
        total = sum(tally.total_length for tally in tallies(view, vector, length))
        found[vector] = Drift(mean.terms, total / max(len(view), 1))
    return found


def _after_fork() -> None:
    """Begin anew in a child, where no thread holds the lock."""
    global _lock  # noqa: PLW0603 - threads are the process's
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
