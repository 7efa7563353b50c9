"""Search parameters that a collection goes by, and how much of what should be found its searches find.

Parameters are found on the largest segment, and kept in the catalogue; they are for segments of its engine. Budgets,
which count clusters or blocks, are divided by how much smaller a segment is.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from thresher._core import FormatError
from thresher._matrix import as_csr
from thresher._recall import Wanted
from thresher.collection.fresh import is_fresh
from thresher.collection.searching import Request, find
from thresher.tuning.queries import of_documents
from thresher.tuning.tune import tune_index

if TYPE_CHECKING:
    from thresher._matrix import CsrArrays
    from thresher.collection.catalogue import Catalogue
    from thresher.collection.schema import Schema
    from thresher.collection.segment import Segment
    from thresher.collection.view import View

_GROWTH = 4.0  # times as many documents, or as few, from which on parameters are out of date
_DRAWN = 5  # documents that are looked at for each query to be made


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

    def fits(self, view: View, vector: str) -> bool:
        """Tell whether the largest segment is still much the same: of the engine, and less than 4 times the size."""
        largest = largest_segment(view)
        if largest is None or largest.indexes[vector].engine != self.engine:
            return False
        return 1 / _GROWTH < len(largest) / self.n_docs < _GROWTH


def tunings_of(catalogue: Catalogue, schema: Schema) -> dict[str, Tuning]:
    """Return what is kept for each vector that was tuned."""
    kept = {name: catalogue.meta(f"tuning:{name}") for name in schema.vectors}
    try:
        return {name: Tuning(**json.loads(text)) for name, text in kept.items() if text is not None}
    except (TypeError, ValueError) as error:
        raise FormatError(f"{catalogue.path}: search parameters are damaged: {error}") from None


def keep(catalogue: Catalogue, vector: str, tuning: Tuning) -> None:
    """Keep the parameters for a vector's searches."""
    catalogue.set_meta(**{f"tuning:{vector}": json.dumps(dataclasses.asdict(tuning))})


def tuned(view: View, vector: str, queries: CsrArrays | None, options: Mapping[str, Any]) -> Tuning:
    """Return parameters for the largest segment: see `Collection.tune`."""
    segment = largest_segment(view)
    if segment is None:
        raise ValueError("there is no segment to tune on yet: flush() makes one of the documents that wait")
    index = segment.indexes[vector]
    rows = None
    if queries is not None:
        rows = sp.csr_array((queries.data, queries.indices, queries.indptr), shape=queries.shape)
        rows = sp.csr_array(rows[:, : index.n_terms])  # what no document has counts nothing
    found = tune_index(index, queries=rows, **options)
    return Tuning(
        index.engine, found.search_params, found.recall, found.latency_us, found.is_met, found.k, len(segment)
    )


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
    tuning = view.tunings.get(vector)
    scores = []
    for is_exact in (False, True):
        options: dict[str, Any] = {"threads": threads}
        if is_exact:
            options["exact"] = True
        request = Request(vector, queries, depth, options, {} if is_exact else dials, tuning=tuning)
        found = find(view.parts, allowed, request)
        best = found.scores.astype(np.float64)
        if own is not None:
            best[found.seqs == own[:, np.newaxis]] = -np.inf
            best = -np.sort(-best, axis=1)[:, :k]
        scores.append(best)
    return Wanted.of(scores[1]).recall(scores[0]) if queries.shape[0] else math.nan


def _of_sample(view: View, vector: str, n: int, rng: np.random.Generator) -> tuple[CsrArrays, Any]:
    """Make queries of documents drawn at random; return them, and the upsert of the document of each."""
    seqs = rng.permutation(view.seqs())[: _DRAWN * n]
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
