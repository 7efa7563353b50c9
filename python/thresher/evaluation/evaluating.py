"""How good runs are: measures of effectiveness against judgements, means and query by query."""

from __future__ import annotations

import dataclasses
import subprocess
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher._extras import missing
from thresher.evaluation._library import DEFAULT_MEASURES, MeasureLike, MeasuresLike, as_measure, as_measures, library
from thresher.evaluation.runs import as_qrels, as_run

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from thresher.evaluation.runs import Judgements, Names, QrelsLike, RunLike, Scores


@dataclasses.dataclass(frozen=True, repr=False)
class Evaluation:
    """What measures say of a run; ``evaluation["nDCG@10"]`` is a mean.

    Every query with judgements counts. Where a run has no hits for it, a measure is what it is of an empty answer: 0.
    """

    means: dict[str, float]
    """Of each measure, over the queries; of a count, such as NumRet, the sum."""
    per_query: dict[str, dict[str, float]]
    """Of each measure, the value of each query."""
    query_ids: tuple[str, ...]
    """The queries that count: those with judgements, in the order of these."""
    without_judgements: tuple[str, ...]
    """Queries of the run that are left out, since nothing is known of what is right for them."""
    without_hits: tuple[str, ...]
    """Queries that count though the run has no hits for them."""
    absent: tuple[str, ...]
    """Those of `without_hits` that are not in the run at all, not even with no hits: perhaps nobody asked them."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures, in the order in which they were asked for."""
        return tuple(self.means)

    @property
    def n_queries(self) -> int:
        """Number of queries that count."""
        return len(self.query_ids)

    def __getitem__(self, measure: MeasureLike) -> float:
        """Return the mean of a measure, under any name that it has; KeyError if it was not computed."""
        return self.means[self._name_of(measure)]

    def values(self, measure: MeasureLike) -> npt.NDArray[np.float64]:
        """Return a measure's value of each query of `query_ids`, shape (n_queries,)."""
        own = self.per_query[self._name_of(measure)]
        return np.array([own[query] for query in self.query_ids])

    def to_pandas(self) -> pd.DataFrame:
        """Return a table with a row for each query: ``query_id``, and a column for each measure.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - an extra
        except ImportError:
            raise ImportError(missing("to_pandas needs pandas", "pandas")) from None
        return pd.DataFrame({"query_id": list(self.query_ids), **{name: self.values(name) for name in self.means}})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "n_queries": self.n_queries,
            "means": dict(self.means),
            "per_query": {name: dict(values) for name, values in self.per_query.items()},
            "without_judgements": list(self.without_judgements),
            "without_hits": list(self.without_hits),
            "absent": list(self.absent),
        }

    def __repr__(self) -> str:
        """Say the means, and over what."""
        means = ", ".join(f"{name} {mean:.4f}" for name, mean in self.means.items())
        told = ""
        if self.without_hits:
            told += f"; {len(self.without_hits):,} without hits count 0"
        if self.without_judgements:
            told += f"; {len(self.without_judgements):,} without judgements left out"
        return f"<Evaluation: {means} over {self.n_queries:,} queries{told}>"

    def _name_of(self, measure: MeasureLike) -> str:
        if isinstance(measure, str) and measure in self.means:
            return measure
        name = str(as_measure(measure))
        if name not in self.means:
            raise KeyError(f"{name} was not computed; there are {', '.join(self.means)}")
        return name


def evaluate(
    run: RunLike,
    qrels: QrelsLike,
    measures: MeasuresLike = DEFAULT_MEASURES,
    *,
    queries: Names | None = None,
    documents: Names | None = None,
) -> Evaluation:
    """Compute measures of effectiveness of a run against judgements, as ir_measures does.

    Parameters
    ----------
    run
        Hits of an index or a collection; a dict of dicts, the score by query and document; an iterable of named tuples
        with ``query_id``, ``doc_id`` and ``score``; a table of pandas with these columns; or the path of a TREC run.
        Scores alone say which document comes first. Of equal ones the measures decide, by document id, and not all in
        the same way.
    qrels
        What is right: a dict of dicts, the grade by query and document; an iterable of named tuples with ``query_id``,
        ``doc_id`` and ``relevance``; a table of pandas with these columns; the path of TREC or BEIR judgements; or a
        dataset of ir_datasets, or its id.
    measures
        Names, such as ``"nDCG@10"``, ``"R@1000"``, ``"AP(rel=2)"``, or measures of ir_measures; one or several.
    queries, documents
        What rows and ids of hits are called in `qrels`: the query ids, and such as the `names` of an index. Without
        them they go by number. Whole numbers and strings that show them are the same.

    Returns
    -------
    Evaluation
        Means, values by query, and which queries were left out or had no hits.

    Warns
    -----
    UserWarning
        If the run has queries without judgements. They are left out.

    Raises
    ------
    ValueError
        If no query of the run has judgements, a value or a measure is none, or an id comes twice.
    TypeError
        If run or judgements are of no kind that is known.
    ImportError
        If ir_measures is not installed, which the extra ``evaluation`` brings.
    thresher.FormatError, OSError
        Of a file.

    References
    ----------
    Sean MacAvaney, Craig Macdonald, Iadh Ounis, *Streamlining Evaluation with ir-measures*, ECIR 2022, arXiv
    2111.13466.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> index = thresher.ExactIndex.build(scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]]))
    >>> hits = index.search([{0: 1.0}, {2: 1.0}], k=2)
    >>> thresher.evaluate(hits, {"q1": {"b": 1}, "q2": {"b": 2}}, "RR@10", queries=["q1", "q2"], documents=["a", "b"])
    <Evaluation: RR@10 0.2500 over 2 queries>
    """
    wanted = as_measures(measures)
    scores = as_run(run, queries=queries, documents=documents)
    found = evaluated(scores, as_qrels(qrels), wanted)
    if found.without_judgements:
        warnings.warn(
            f"queries without judgements are left out: {len(found.without_judgements)} of {len(scores)}, "
            f"such as {found.without_judgements[0]!r}",
            UserWarning,
            stacklevel=2,
        )
    return found


def evaluated(scores: Scores, qrels: Judgements, measures: list[Any]) -> Evaluation:
    """Return what measures of ir_measures say of scores that were checked, as `as_run` and `as_qrels` do."""
    answered = {query: found for query, found in scores.items() if found and query in qrels}
    if scores.keys().isdisjoint(qrels):
        raise ValueError(
            f"run: none of its {len(scores)} queries has judgements: "
            f"it has {_some(scores)}, the judgements {_some(qrels)}"
        )
    per_query: dict[str, dict[str, float]] = {str(measure): {} for measure in measures}
    try:
        aggregated, values = library().evaluator(measures, qrels).calc(answered)
    except (TypeError, subprocess.CalledProcessError) as error:
        raise ValueError(f"measures: {', '.join(per_query)} could not be computed: {error}") from error
    for value in values:
        per_query[str(value.measure)][value.query_id] = float(value.value)
    return Evaluation(
        means={str(measure): float(aggregated[measure]) for measure in measures},
        per_query={name: {query: own[query] for query in qrels} for name, own in per_query.items()},
        query_ids=tuple(qrels),
        without_judgements=tuple(query for query in scores if query not in qrels),
        without_hits=tuple(query for query in qrels if query not in answered),
        absent=tuple(query for query in qrels if query not in scores),
    )


def _some(table: Scores | Judgements) -> str:
    shown = ", ".join(repr(query) for query in list(table)[:3])
    return f"{shown}, ..." if len(table) > 3 else shown or "none"
