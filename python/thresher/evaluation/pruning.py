"""What pruning costs in answers, and what it saves in nonzeros, bytes and work."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

import numpy as np
import scipy.sparse as sp

from thresher._arguments import as_k, as_threads
from thresher._matrix import as_csr
from thresher.encoders.pruning import expected_flops
from thresher.engines.exact import ExactIndex
from thresher.evaluation._library import DEFAULT_MEASURES, MeasuresLike
from thresher.evaluation.evaluating import Evaluation, evaluate
from thresher.evaluation.measuring import Truth

if TYPE_CHECKING:
    from thresher._matrix import MatrixLike
    from thresher.evaluation.runs import Names, QrelsLike


class Change(NamedTuple):
    """A figure before pruning, and after it."""

    before: float
    after: float

    @property
    def saved(self) -> float:
        """The fraction that is saved; 0 of nothing."""
        return 1 - self.after / self.before if self.before else 0.0


@dataclasses.dataclass(frozen=True, repr=False)
class PruningCost:
    """What pruning costs, and saves."""

    k: int
    recall: float
    """The fraction of the best k documents, by full vectors, that the pruned ones find; nan where there are none."""
    nonzeros: Change
    """Of the documents."""
    query_nonzeros: Change
    nbytes: Change
    """Of an `ExactIndex` of the documents."""
    flops: Change
    """Multiplications that a query takes with a document, in the mean: see `expected_flops`."""
    n_empty: int
    """Documents that had weights, and have none left: no query finds them."""
    before: Evaluation | None
    """What judgements say of exact search with the full vectors; None without any."""
    after: Evaluation | None

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON has them."""
        changes = {name: getattr(self, name) for name in ("nonzeros", "query_nonzeros", "nbytes", "flops")}
        means = {
            name: None if one is None else one.means for name, one in (("before", self.before), ("after", self.after))
        }
        own = {"k": self.k, "recall": None if np.isnan(self.recall) else self.recall, "n_empty": self.n_empty}
        return own | {name: {**one._asdict(), "saved": one.saved} for name, one in changes.items()} | means

    def __repr__(self) -> str:
        """Say what it costs, and what it saves."""
        costs = [f"recall@{self.k} {self.recall:.4f}"]
        if self.before is not None and self.after is not None:
            costs += [f"{name} {mean:.4f} to {self.after.means[name]:.4f}" for name, mean in self.before.means.items()]
        saved = [
            f"{one.saved:.0%} of {name}"
            for name, one in (("nonzeros", self.nonzeros), ("bytes", self.nbytes), ("FLOPs", self.flops))
        ]
        return f"<PruningCost: {', '.join(costs)}; saves {', '.join(saved)}>"


def pruning_cost(
    docs: MatrixLike,
    pruned: MatrixLike,
    queries: MatrixLike,
    pruned_queries: MatrixLike | None = None,
    *,
    qrels: QrelsLike | None = None,
    measures: MeasuresLike = DEFAULT_MEASURES,
    query_ids: Names | None = None,
    doc_ids: Names | None = None,
    k: SupportsIndex = 10,
    threads: SupportsIndex = 0,
) -> PruningCost:
    """Search with full and with pruned vectors, and compare what is found, and what it takes.

    Parameters
    ----------
    docs, pruned
        Vectors of documents before and after, in the same order and terms.
    queries, pruned_queries
        Those of sample queries before and after; None where they are not pruned.
    qrels, measures
        To evaluate both by, as `evaluate` takes them; nothing is evaluated without `qrels`.
    query_ids, doc_ids
        What rows are called in `qrels`; their numbers without.
    k
        Hits for each query.
    threads
        To build and search with; 0 means one for each core.

    Returns
    -------
    PruningCost
        Before, after, and what is saved.

    Raises
    ------
    ValueError
        If vectors before and after are of different shapes, or as `evaluate` has it.
    TypeError
        If they are no vectors.

    Examples
    --------
    >>> from thresher.encoders.pruning import keep_terms
    >>> from thresher.evaluation import pruning_cost
    >>> docs = [{0: 2.0, 1: 1.0}, {0: 1.0, 2: 2.0}, {1: 3.0}]
    >>> cost = pruning_cost(docs, keep_terms(docs, 1), [{0: 1.0}], k=2)
    >>> cost.recall, cost.nonzeros
    (0.5, Change(before=5, after=3))
    """
    depth, workers = as_k(k), as_threads(threads)
    full, light = _pair(docs, pruned, "docs", "pruned")
    asked, short = _pair(queries, queries if pruned_queries is None else pruned_queries, "queries", "pruned_queries")
    index, small = (ExactIndex.build(rows, threads=workers) for rows in (full, light))
    best = index.search(asked, depth, threads=workers, unknown_terms="ignore")
    found = small.search(short, depth, threads=workers, unknown_terms="ignore")
    evaluations: list[Evaluation | None] = [None, None]
    if qrels is not None:
        names: dict[str, Any] = {"queries": query_ids, "documents": doc_ids}
        evaluations = [evaluate(hits, qrels, measures, **names) for hits in (best, found)]
    lengths, left = np.diff(full.indptr), np.diff(light.indptr)
    return PruningCost(
        k=depth,
        recall=Truth(index, asked, depth, workers).recall_of(found),
        nonzeros=Change(full.nnz, light.nnz),
        query_nonzeros=Change(asked.nnz, short.nnz),
        nbytes=Change(index.resident_nbytes, small.resident_nbytes),
        flops=Change(expected_flops(full, asked), expected_flops(light, short)),
        n_empty=int(np.count_nonzero((lengths > 0) & (left == 0))),
        before=evaluations[0],
        after=evaluations[1],
    )


def _pair(before: MatrixLike, after: MatrixLike, name: str, other: str) -> tuple[sp.csr_array, sp.csr_array]:
    """Return two matrices as they are, with as many terms, or raise unless they have as many rows."""
    rows = [as_csr(before, name=name), as_csr(after, name=other)]
    if rows[0].shape[0] != rows[1].shape[0]:
        raise ValueError(f"{other} has {rows[1].shape[0]} rows, and {name} {rows[0].shape[0]}")
    shape = (rows[0].shape[0], max(rows[0].shape[1], rows[1].shape[1]))
    made = [sp.csr_array((one.data, one.indices.astype(np.int64), one.indptr), shape=shape) for one in rows]
    for one in made:
        one.eliminate_zeros()
    return made[0], made[1]
