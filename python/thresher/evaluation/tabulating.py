"""Making tables: indexes are built or opened, asked and timed, and their answers judged."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, get_args

import numpy as np

from thresher._arguments import as_choice, as_int, as_k, as_progress, as_threads
from thresher.evaluation._library import DEFAULT_MEASURES, MeasuresLike, as_measures, cutoff_of
from thresher.evaluation.evaluating import Evaluation, evaluated
from thresher.evaluation.measuring import Measured, Plan, measured
from thresher.evaluation.runs import as_qrels, as_run
from thresher.evaluation.significance import Correction, Test, compare, corrected_p_values
from thresher.evaluation.specs import Spec, as_spec
from thresher.evaluation.tables import Row, Table

if TYPE_CHECKING:
    from thresher._matrix import MatrixLike
    from thresher.encoders import Encoder
    from thresher.engines.index import Index
    from thresher.engines.options import Progress
    from thresher.evaluation.runs import Judgements, Names, QrelsLike, RunLike

_DEEP = 1000  # hits for measures that look at all
_LEAST = 10


def table(
    engines: Iterable[str | os.PathLike[str] | Index | Spec],
    qrels: QrelsLike,
    measures: MeasuresLike = DEFAULT_MEASURES,
    *,
    docs: MatrixLike | Sequence[str] | None = None,
    queries: MatrixLike | Sequence[str] | None = None,
    query_ids: Names | None = None,
    doc_ids: Names | None = None,
    encoders: Mapping[str, Encoder] | None = None,
    runs: Mapping[str, RunLike] | None = None,
    k: SupportsIndex | None = None,
    rounds: SupportsIndex = 5,
    baseline: str | None = None,
    test: Test = "t",
    correction: Correction = "holm",
    level: float = 0.05,
    threads: SupportsIndex = 0,
    progress: Progress | None = None,
) -> Table:
    """Measure indexes by how good their answers are, beside their recall, time and bytes.

    Recall says how much of exact search an approximation finds. What that is worth, measures of effectiveness say: of
    documents that it misses, few may have been relevant.

    Parameters
    ----------
    engines
        Each the name of an engine, whose index is built; the path of an index file; or an index. Names and paths may
        have parameters: ``"clustered:cluster_budget=50,weights=uint8"``.
    qrels, measures
        As for `evaluate`.
    docs, queries
        Vectors, as `build` and `search` take them; with `encoders` texts. Documents are needed where there is something
        to build, queries where there are engines.
    query_ids, doc_ids
        What rows of `queries` and `docs` are called in `qrels`. Without `doc_ids`, what an index calls its documents,
        or their numbers.
    encoders
        By name: each encodes the texts, and its vectors are measured in all engines. Recall is that of its own vectors.
    runs
        Others by name, as `evaluate` takes them, to stand in the same table.
    k
        Hits for each query; None for what the measures look at: the largest cutoff, 1000 where one has none.
    rounds
        Times that each query is timed, one a call on one thread, in turns with the other indexes; the median counts.
    baseline
        The row that others are tested against; None for the first.
    test, correction
        As for `compare`; corrected for all rows and measures.
    level
        Of significance.
    threads
        To build with; 0 means one for each core.
    progress
        Called as ``progress(done, steps)``.

    Returns
    -------
    Table
        A row for each index and run, in the order of the runs, then of encoders and engines.

    Warns
    -----
    UserWarning
        If queries have no judgements, and are left out; or a measure looks at more than k hits.

    Raises
    ------
    ValueError
        If a spec, a measure or a parameter is none that there is; indexes are of different documents; or no query has
        judgements.
    TypeError
        If arguments are of other types, or one that is needed is missing.
    ImportError
        If ir_measures is not installed, which the extra ``evaluation`` brings.
    thresher.FormatError, OSError
        Of a file.

    Examples
    --------
    >>> from thresher.evaluation import table
    >>> docs = [{0: 1.0, 2: 2.0}, {1: 3.0, 2: 0.5}]
    >>> qrels = {"q": {"a": 1}}
    >>> names = {"query_ids": ["q"], "doc_ids": ["a", "b"]}
    >>> found = table(["exact", "block-max"], qrels, "RR@10", docs=docs, queries=[{2: 1.0}], **names)
    >>> found["block-max"].evaluation["RR@10"], found["block-max"].recall
    (1.0, 1.0)
    """
    specs = [as_spec(one) for one in ([engines] if isinstance(engines, str) else engines)]
    wanted = as_measures(measures)
    as_choice(test, dict.fromkeys(get_args(Test)), "test")
    as_choice(correction, dict.fromkeys(get_args(Correction)), "correction")
    n_rounds = as_int(rounds, "rounds")
    if n_rounds < 1:
        raise ValueError(f"rounds must be >= 1, got {n_rounds}")
    judged, not_asked = as_qrels(qrels), 0
    found: list[tuple[str, Any, Measured | None]] = [(name, as_run(run), None) for name, run in (runs or {}).items()]
    depth = None
    if specs:
        if queries is None:
            raise TypeError("queries: engines take some to be measured")
        depth = _depth(wanted, k)
        ids = list(range(_n_rows(queries))) if query_ids is None else list(query_ids)
        judged, not_asked = _asked(judged, {str(one) for one in ids})
        plan = Plan(depth, n_rounds, as_threads(threads), as_progress(progress))
        for name, one in _searched(specs, docs, queries, encoders, plan):
            names = one.names if doc_ids is None else doc_ids
            found.append((name, as_run(one.hits, queries=ids, documents=names), one))
    if not found:
        raise ValueError("engines: there are none, and no runs")
    names = [name for name, _, _ in found]
    if len(set(names)) < len(names):
        raise ValueError(f"engines: two rows are called {next(one for one in names if names.count(one) > 1)!r}")
    evaluations = {name: evaluated(scores, judged, wanted) for name, scores, _ in found}
    left_out = {query for one in evaluations.values() for query in one.without_judgements}
    if left_out:
        warnings.warn(
            f"queries without judgements are left out: {len(left_out)}, such as {min(left_out)!r}",
            UserWarning,
            stacklevel=2,
        )
    against = names[0] if baseline is None else baseline
    if against not in evaluations:
        raise ValueError(f"baseline: there is no row {against!r}; there are {', '.join(names)}")
    p_values = _p_values(evaluations, against, test, correction)
    rows = tuple(_row(name, evaluations[name], p_values[name], one) for name, _, one in found)
    return Table(rows, depth, against, float(level), test, correction, not_asked)


def _searched(
    specs: Sequence[Spec],
    docs: Any,  # noqa: ANN401 - vectors or texts
    queries: Any,  # noqa: ANN401
    encoders: Mapping[str, Encoder] | None,
    plan: Plan,
) -> Iterator[tuple[str, Measured]]:
    """Yield what was measured of each index, of the vectors of each encoder."""
    if encoders is None:
        found = measured(specs, docs, queries, plan)
        yield from ((spec.text, one) for spec, one in zip(specs, found, strict=True))
        return
    if docs is None:
        raise TypeError("docs: encoders take texts of documents")
    if other := next((spec for spec in specs if not spec.is_built), None):
        raise ValueError(f"engines: {other.text!r} is an index already, and encoders make vectors to build one of")
    for name, encoder in encoders.items():
        found = measured(specs, encoder.encode_documents(docs), encoder.encode_queries(queries), plan)
        yield from ((f"{name} {spec.text}", one) for spec, one in zip(specs, found, strict=True))


def _asked(judged: Judgements, queries: set[str]) -> tuple[Judgements, int]:
    """Return the judgements of queries that are asked, and how many others there are; all of them if none is asked."""
    some = {query: grades for query, grades in judged.items() if query in queries}
    return (some, len(judged) - len(some)) if some else (judged, 0)


def _depth(measures: list[Any], k: SupportsIndex | None) -> int:
    """Return how many hits to search for."""
    cutoffs = [cutoff_of(measure) for measure in measures]
    if k is None:
        return max(_LEAST, *(_DEEP if cutoff is None else cutoff for cutoff in cutoffs))
    depth = as_k(k)
    for measure, cutoff in zip(measures, cutoffs, strict=True):
        if cutoff is not None and cutoff > depth:
            warnings.warn(f"{measure} looks at {cutoff} hits, and k is {depth}", UserWarning, stacklevel=3)
    return depth


def _n_rows(queries: Any) -> int:  # noqa: ANN401 - what `search` takes
    return int(queries.shape[0]) if hasattr(queries, "shape") else len(queries)


def _p_values(
    evaluations: Mapping[str, Evaluation], baseline: str, test: Test, correction: Correction
) -> dict[str, dict[str, float]]:
    """Return of each row the p-value of each measure against the baseline, corrected for all of them."""
    first = evaluations[baseline]
    others = [name for name in evaluations if name != baseline and first.n_queries > 1]
    keys, values = [], []
    for name in others:
        found = compare(first, evaluations[name], test=test, correction="none", missing="zero")
        keys += [(name, one.measure) for one in found.differences]
        values += [one.p_value for one in found.differences]
    by_row: dict[str, dict[str, float]] = {name: {} for name in evaluations}
    for (name, measure), p_value in zip(keys, corrected_p_values(values, correction), strict=True):
        by_row[name][measure] = p_value
    return by_row


def _row(name: str, evaluation: Evaluation, p_values: dict[str, float], one: Measured | None) -> Row:
    if one is None:
        return Row(name, evaluation, p_values)
    p50, p99 = (float(np.percentile(one.latency_us, point)) for point in (50, 99))
    return Row(name, evaluation, p_values, one.recall, p50, float(one.latency_us.mean()), p99, one.nbytes)
