"""Search parameters that a collection goes by, and how much of what should be found its searches find.

`tune` finds parameters on the largest segment; merges make others, for which `retuning` finds more, one for each engine
and size. A segment is searched by those of its engine that were found on the nearest size; budgets, which count
clusters or blocks, are larger for a larger one, and smaller for a much smaller one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from thresher._arguments import as_number
from thresher._core import FormatError
from thresher._matrix import as_csr
from thresher._recall import Wanted
from thresher.collection.batches import chosen, decoded, encoded
from thresher.collection.fresh import is_fresh
from thresher.collection.schema import SMALL_ENGINE
from thresher.collection.searching import Request, find
from thresher.tuning.queries import of_documents
from thresher.tuning.tune import tune_index

if TYPE_CHECKING:
    from thresher._matrix import CsrArrays
    from thresher.collection.catalogue import Catalogue
    from thresher.collection.schema import Schema
    from thresher.collection.segment import Part, Segment
    from thresher.collection.upkeep import Upkeep
    from thresher.collection.view import View

DRAWN = 5
"""Documents that are looked at for each query to be made."""
_KEPT = 1000  # queries that are kept to tune by again
_SLACK = 4.0  # times as small a segment has the whole budget


@dataclasses.dataclass(frozen=True)
class Tuning:
    """Search parameters that searches of a vector go by, and what they were found to give.

    Attributes
    ----------
    engine
        The engine of the segments that they are for.
    search_params
        By name.
    recall, latency_us, is_met, k
        As of `thresher.Tuned`, on the segment that they were found on.
    n_docs
        Documents of that segment.
    """

    engine: str
    search_params: dict[str, Any]
    recall: float
    latency_us: float
    is_met: bool
    k: int
    n_docs: int

    def fraction(self, n_docs: int) -> float:
        """Return what budgets are multiplied by in a segment of another size.

        They go by size; but a smaller segment, which needs almost as much, has all of it until it is so much smaller
        that many such would take too long.
        """
        ratio = n_docs / self.n_docs
        return max(ratio, min(1.0, _SLACK * ratio))


@dataclasses.dataclass(frozen=True)
class Missed:
    """A segment that no parameters were found for, and why."""

    engine: str
    n_docs: int
    why: str


@dataclasses.dataclass(frozen=True)
class Asked:
    """What `tune` was told, to be gone by again after merges; `version` is that of the collection then."""

    recall: float | None
    latency_us: float | None
    k: int
    threads: int
    seed: int
    retune_s: float
    version: int


@dataclasses.dataclass(frozen=True)
class Tunings:
    """What is known of a vector's search parameters: for each engine, and each size of segments, one or the other.

    Attributes
    ----------
    asked
        What they are to meet.
    found
        Parameters, by when they were found.
    missed
        Where none were found.
    """

    asked: Asked
    found: tuple[Tuning, ...]
    missed: tuple[Missed, ...] = ()

    def nearest(self, engine: str, n_docs: int) -> Tuning | None:
        """Return the parameters for a segment: those of its engine that were found on the nearest size."""
        of_engine = [tuning for tuning in self.found if tuning.engine == engine]
        return min(of_engine, key=lambda tuning: _distance(tuning.n_docs, n_docs), default=None)

    def with_outcome(self, outcome: Tuning | Missed, upkeep: Upkeep) -> Tunings:
        """Return the same with what came of one segment, in the place of what is known of such segments."""

        def is_other(known: Tuning | Missed) -> bool:
            return known.engine != outcome.engine or not upkeep.is_alike(known.n_docs, outcome.n_docs)

        found, missed = tuple(filter(is_other, self.found)), tuple(filter(is_other, self.missed))
        if isinstance(outcome, Tuning):
            return dataclasses.replace(self, found=(*found, outcome), missed=missed)
        return dataclasses.replace(self, missed=(*missed, outcome))

    def is_due(self, part: Part, vector: str, upkeep: Upkeep) -> bool:
        """Tell whether nothing is known of such segments yet, and something should be."""
        return self._outcome(part, vector, upkeep) is None

    def is_out_of_date(self, part: Part, vector: str, upkeep: Upkeep) -> bool:
        """Tell whether its searches go by parameters of other segments, or by none that were found."""
        outcome = self._outcome(part, vector, upkeep)
        return outcome is None or isinstance(outcome, Missed)

    def doubt(self, part: Part, vector: str, upkeep: Upkeep) -> str | None:
        """Return why a segment may find less, or take longer, than was asked; None if it should not."""
        outcome, asked = self._outcome(part, vector, upkeep), self.asked
        if outcome is None:
            later = "it waits to be tuned again" if asked.retune_s > 0 else "it is not tuned again (retune_s=0)"
            return f"its parameters are of another engine or size; {later}"
        if isinstance(outcome, Missed):
            return f"it could not be tuned again: {outcome.why}"
        if outcome.is_met:
            return None
        return (
            f"the target was not met: recall@{outcome.k} {outcome.recall:.4f}, {outcome.latency_us:.1f} us a query"
            f" (retune_s={asked.retune_s:g})"
        )

    def _outcome(self, part: Part, vector: str, upkeep: Upkeep) -> Tuning | Missed | None:
        """Return what is known of such segments."""
        engine, n_docs = part.segment.indexes[vector].engine, len(part.segment)
        if is_fresh(part) or engine == SMALL_ENGINE:
            return _NOTHING
        known: list[Tuning | Missed] = [*self.found, *self.missed]
        alike = [one for one in known if one.engine == engine and upkeep.is_alike(one.n_docs, n_docs)]
        return min(alike, key=lambda one: _distance(one.n_docs, n_docs), default=None)


_NOTHING = Tuning(SMALL_ENGINE, {}, 1.0, 0.0, is_met=True, k=0, n_docs=0)  # to know of a segment that is exact


def _distance(n_docs: int, other: int) -> float:
    return abs(math.log(max(n_docs, 1) / max(other, 1)))


# --------------------------------------------------------------------------------------------------- in the catalogue


def tunings_of(catalogue: Catalogue, schema: Schema) -> dict[str, Tunings]:
    """Return what is kept for each vector that was tuned."""
    kept = {name: catalogue.meta(f"tunings:{name}") for name in schema.vectors}
    try:
        return {name: _of_json(json.loads(text)) for name, text in kept.items() if text is not None}
    except (TypeError, ValueError, KeyError) as error:
        raise FormatError(f"{catalogue.path}: search parameters are damaged: {error}") from None


def _of_json(kept: dict[str, Any]) -> Tunings:
    return Tunings(
        Asked(**kept["asked"]),
        tuple(Tuning(**one) for one in kept["found"]),
        tuple(Missed(**one) for one in kept["missed"]),
    )


def keep(catalogue: Catalogue, vector: str, tunings: Tunings) -> None:
    """Keep what is known of a vector's search parameters."""
    catalogue.set_meta(**{f"tunings:{vector}": json.dumps(dataclasses.asdict(tunings))})


def keep_queries(catalogue: Catalogue, vector: str, queries: CsrArrays | None, seed: int) -> None:
    """Keep queries to tune by again, some of them where they are many; None where documents are to make some."""
    data = None
    if queries is not None:
        data = encoded(chosen(queries, np.random.default_rng(seed).permutation(queries.shape[0])[:_KEPT]))
    catalogue.set_meta(**{f"queries:{vector}": data})


def kept_queries(catalogue: Catalogue, vector: str) -> CsrArrays | None:
    """Return the queries that were kept, in random order.

    Raises
    ------
    thresher.FormatError
        If they are damaged.
    """
    data = catalogue.meta(f"queries:{vector}")
    return None if data is None else decoded(data, f"{catalogue.path}: queries to tune by")[0]


# ------------------------------------------------------------------------------------------------------------- tuning


def as_retune_s(given: Any) -> float:  # noqa: ANN401 - a number
    """Return the seconds of tuning after merges, or raise naming the argument."""
    seconds = as_number(given, "retune_s")
    if not 0 <= seconds < math.inf:
        raise ValueError(f"retune_s must be >= 0 and finite, got {seconds}")
    return seconds


def tuned(view: View, vector: str, queries: CsrArrays | None, options: Mapping[str, Any]) -> Tuning:
    """Return parameters for the largest segment: see `Collection.tune`."""
    segment = largest_segment(view)
    if segment is None:
        if not len(view):
            raise ValueError("the collection is empty: there is nothing to tune; tune it once it has documents")
        raise ValueError("there is no segment to tune on yet: flush() makes one of the documents that wait")
    index = segment.indexes[vector]
    rows = None if queries is None else known_terms(queries, index.n_terms)
    found = tune_index(index, queries=rows, **options)
    return Tuning(
        index.engine, found.search_params, found.recall, found.latency_us, found.is_met, found.k, len(segment)
    )


def known_terms(queries: CsrArrays, n_terms: int) -> sp.csr_array:
    """Return queries without the terms that no document of an index has, which count nothing."""
    rows = sp.csr_array((queries.data, queries.indices, queries.indptr), shape=queries.shape)
    return sp.csr_array(rows[:, :n_terms])


def largest_segment(view: View) -> Segment | None:
    """Return the segment with the most documents, of those that are on the disk."""
    segments = [part.segment for part in view.parts if not is_fresh(part)]
    return max(segments, key=len, default=None)


def recall_of(
    view: View,
    allowed: list[Any],
    vector: str,
    queries: CsrArrays | None,
    *,
    k: int,
    sample: int,
    threads: int,
    seed: int,
    dials: Mapping[str, Any],
) -> float:
    """Return the fraction of the best k that searches find: see `Collection.recall`."""
    own = None
    if queries is None:
        queries, own = _of_sample(view, vector, sample, np.random.default_rng(seed))
    depth = k if own is None else k + 1  # a query that is made of a document finds that one too
    tunings = view.tunings.get(vector)
    scores = []
    for is_exact in (False, True):
        options: dict[str, Any] = {"threads": threads}
        if is_exact:
            options["exact"] = True
        request = Request(vector, queries, depth, options, {} if is_exact else dials, tunings=tunings)
        found = find(view.parts, allowed, request)
        best = found.scores.astype(np.float64)
        if own is not None:
            best[found.seqs == own[:, np.newaxis]] = -np.inf
            best = -np.sort(-best, axis=1)[:, :k]
        scores.append(best)
    wanted = Wanted.of(scores[1])
    _warn_of_unanswered(int(np.count_nonzero(wanted.counts == 0)), int(queries.shape[0]))
    return wanted.recall(scores[0])


def _warn_of_unanswered(n: int, n_queries: int) -> None:
    """Warn of queries that tell nothing, since no document is to be found."""
    if not n_queries:
        warnings.warn("recall is not known, nan: there are no queries to measure it by", stacklevel=4)
    elif n == n_queries:
        warnings.warn(f"recall is not known, nan: none of {n_queries} queries finds a document", stacklevel=4)
    elif n:
        warnings.warn(f"{n} of {n_queries} queries find no document: recall is that of the others", stacklevel=4)


def _of_sample(view: View, vector: str, n: int, rng: np.random.Generator) -> tuple[CsrArrays, Any]:
    """Make queries of documents drawn at random; return them, and the upsert of the document of each."""
    seqs = rng.permutation(view.seqs())[: DRAWN * n]
    n_terms = max((part.segment.indexes[vector].n_terms for part in view.parts), default=0)
    rows, numbers = [], []
    for located in view.locate(seqs):
        segment = view.parts[located.part].segment
        found = segment.indexes[vector].vectors(located.places)
        found.resize((found.shape[0], n_terms))
        rows.append(found)
        numbers.append(segment.seqs[located.places])
    if not rows:
        return as_csr(sp.csr_array((0, n_terms), dtype=np.float32), name="queries"), np.zeros(0, np.int64)
    made, own = of_documents(sp.csr_array(sp.vstack(rows, format="csr")), rng, n)
    return as_csr(made, name="queries"), np.concatenate(numbers)[own]
