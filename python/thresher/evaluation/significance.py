"""Whether two runs differ by more than chance: paired tests over queries, corrected for the number of measures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsIndex, TypeAlias, get_args

import numpy as np

from thresher._arguments import as_choice, as_int
from thresher._extras import missing
from thresher.evaluation._library import DEFAULT_MEASURES, MeasuresLike
from thresher.evaluation.evaluating import Evaluation, evaluate

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from thresher.evaluation.runs import QrelsLike, RunLike

Test: TypeAlias = Literal["t", "randomisation"]
Correction: TypeAlias = Literal["holm", "bonferroni", "none"]
Missing: TypeAlias = Literal["error", "zero"]

_AT_ONCE = 1 << 22  # signs that are drawn at once
_ROUNDING = 1e-12  # two orders of summing the same differences differ by less, relatively


class Difference(NamedTuple):
    """How two runs differ in one measure."""

    measure: str
    mean_a: float
    mean_b: float
    difference: float
    """The mean of b less that of a."""
    wins: int
    """Queries on which b is better."""
    losses: int
    """Queries on which b is worse; on the others they tie."""
    p_value: float
    """Of the test, two-sided, before correction."""
    corrected: float
    """The p-value after correction: the difference is significant at every level that is not below it."""


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison:
    """What tests say of two runs; ``comparison["nDCG@10"]`` is the `Difference` of a measure."""

    differences: tuple[Difference, ...]
    n_queries: int
    test: Test
    correction: Correction

    def __getitem__(self, measure: str) -> Difference:
        """Return how they differ in a measure; KeyError if it was not compared."""
        found = next((one for one in self.differences if one.measure == measure), None)
        if found is None:
            raise KeyError(
                f"{measure} was not compared; there are {', '.join(one.measure for one in self.differences)}"
            )
        return found

    def significant(self, level: float = 0.05) -> list[str]:
        """Return the measures in which they differ significantly, after correction."""
        return [one.measure for one in self.differences if one.corrected <= level]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "n_queries": self.n_queries,
            "test": self.test,
            "correction": self.correction,
            "differences": [one._asdict() for one in self.differences],
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return a table with a row for each measure.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - an extra
        except ImportError:
            raise ImportError(missing("to_pandas needs pandas", "pandas")) from None
        return pd.DataFrame(list(self.differences), columns=list(Difference._fields))

    def __repr__(self) -> str:
        """Say the differences, and what the test makes of them."""
        shown = "; ".join(
            f"{one.measure} {one.mean_a:.4f} to {one.mean_b:.4f}, p {one.corrected:.3g}" for one in self.differences
        )
        return f"<Comparison: {shown}; {self.n_queries:,} queries, {self.test} test, correction {self.correction}>"


def compare(
    run_a: RunLike | Evaluation,
    run_b: RunLike | Evaluation,
    qrels: QrelsLike | None = None,
    measures: MeasuresLike | None = None,
    *,
    test: Test = "t",
    correction: Correction = "holm",
    missing: Missing = "error",
    samples: SupportsIndex = 100_000,
    seed: SupportsIndex = 0,
) -> Comparison:
    """Test whether two runs differ by more than chance, measure by measure, over the same queries.

    Parameters
    ----------
    run_a, run_b
        What `evaluate` returned, with the same measures and judgements; or runs, which it takes, with `qrels`.
    qrels, measures
        Of runs: as for `evaluate`. Of evaluations: None.
    test
        ``"t"``, Student's paired test; or ``"randomisation"``, Fisher's: how often the difference would be as large if
        each query's two values were exchanged at random.
    correction
        What is done about several measures being tested at once: ``"holm"``, ``"bonferroni"``, or ``"none"``. Both keep
        the chance of any false alarm below the level; Holm's misses less.
    missing
        Where one run has queries with judgements that the other has not, which may be another set of queries: an
        ``"error"``, or they count as no hits, ``"zero"``.
    samples
        Exchanges that a randomisation test draws. Where there are no more in all, it takes each once, and is exact.
    seed
        Of what is drawn.

    Returns
    -------
    Comparison
        Means, differences and p-values.

    Raises
    ------
    ValueError
        If the runs are of different queries or measures, or there are fewer than two queries.
    TypeError
        If there are runs without `qrels`, or evaluations with them.

    References
    ----------
    Mark D. Smucker, James Allan, Ben Carterette, *A Comparison of Statistical Significance Tests for Information
    Retrieval Evaluation*, CIKM 2007. Sture Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, 1979.

    Examples
    --------
    >>> import thresher
    >>> from thresher.evaluation import compare
    >>> qrels = {str(query): {"d": 1} for query in range(5)}
    >>> first = {query: {"x": 2.0, "d": 1.0} for query in qrels}
    >>> second = {query: {"d": 2.0} for query in qrels}
    >>> compare(first, second, qrels, "RR@10", test="randomisation")
    <Comparison: RR@10 0.5000 to 1.0000, p 0.0625; 5 queries, randomisation test, correction holm>
    """
    for value, known, name in (
        (test, Test, "test"),
        (correction, Correction, "correction"),
        (missing, Missing, "missing"),
    ):
        as_choice(value, dict.fromkeys(get_args(known)), name)
    draws = as_int(samples, "samples")
    if draws < 1:
        raise ValueError(f"samples must be >= 1, got {draws}")
    a, b = (_evaluation(run, qrels, measures, name) for run, name in ((run_a, "run_a"), (run_b, "run_b")))
    _require_same(a, b, missing)
    found = [_p_value(b.values(name) - a.values(name), test, draws, as_int(seed, "seed")) for name in a.measures]
    differences = [
        _difference(name, a, b, p_value, corrected)
        for name, p_value, corrected in zip(a.measures, found, corrected_p_values(found, correction), strict=True)
    ]
    return Comparison(tuple(differences), a.n_queries, test, correction)


def corrected_p_values(p_values: Sequence[float], correction: Correction = "holm") -> list[float]:
    """Return p-values of tests made together, corrected for their number, in the same order."""
    n = len(p_values)
    if correction == "none":
        return list(p_values)
    if correction == "bonferroni":
        return [min(1.0, n * p) for p in p_values]
    corrected, highest = [0.0] * n, 0.0
    for rank, place in enumerate(sorted(range(n), key=lambda place: p_values[place])):
        highest = max(highest, min(1.0, (n - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def paired_t_test(differences: npt.NDArray[np.float64]) -> float:
    """Return the two-sided p-value of Student's test that differences, shape (n,), are 0 in the mean."""
    from scipy.special import stdtr  # noqa: PLC0415 - imported when it is used

    n = len(differences)
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if mean == 0.0:
        return 1.0
    if spread <= _ROUNDING * abs(mean):
        return 0.0
    return float(2 * stdtr(n - 1, -abs(mean) / (spread / math.sqrt(n))))


def randomisation_test(differences: npt.NDArray[np.float64], samples: int, seed: int) -> float:
    """Return the two-sided p-value that differences, shape (n,), are as likely to be of the other sign.

    Of all ways to choose signs where these are at most `samples`, otherwise of so many that are drawn, and the one that
    was found.
    """
    moved = differences[differences != 0]  # the others add nothing whatever their sign
    n = len(moved)
    least = abs(float(moved.sum())) - _ROUNDING * float(np.abs(moved).sum())
    at_once = max(1, _AT_ONCE // max(1, n))
    if n < 63 and 1 << n <= samples:
        ways = np.arange(1 << n, dtype=np.int64)
        reached = 0
        for begin in range(0, len(ways), at_once):
            signs = 1.0 - 2.0 * ((ways[begin : begin + at_once, np.newaxis] >> np.arange(n)) & 1)
            reached += int(np.count_nonzero(np.abs(signs @ moved) >= least))
        return reached / len(ways)
    rng = np.random.default_rng(seed)
    reached = 1
    for begin in range(0, samples, at_once):
        signs = 1.0 - 2.0 * rng.integers(0, 2, (min(at_once, samples - begin), n), dtype=np.int8)
        reached += int(np.count_nonzero(np.abs(signs @ moved) >= least))
    return reached / (samples + 1)


def _evaluation(
    run: RunLike | Evaluation, qrels: QrelsLike | None, measures: MeasuresLike | None, name: str
) -> Evaluation:
    if isinstance(run, Evaluation):
        if qrels is not None or measures is not None:
            raise TypeError(f"{name} is an evaluation, whose judgements and measures are known: leave them out")
        return run
    if qrels is None:
        raise TypeError(f"{name} is a run, which takes qrels to be compared")
    return evaluate(run, qrels, DEFAULT_MEASURES if measures is None else measures)


def _require_same(a: Evaluation, b: Evaluation, missing: Missing) -> None:
    if a.measures != b.measures:
        raise ValueError(f"run_a has the measures {', '.join(a.measures)}, run_b {', '.join(b.measures)}")
    _require_same_queries(a.query_ids, b.query_ids, "judgements of")
    if missing == "error":
        _require_same_queries(_asked(a), _asked(b), 'hits for (missing="zero" would count them 0)')
    if a.n_queries < 2:
        raise ValueError(f"a test takes two queries or more, got {a.n_queries}")


def _asked(evaluation: Evaluation) -> list[str]:
    absent = set(evaluation.absent)
    return [query for query in evaluation.query_ids if query not in absent]


def _require_same_queries(of_a: Sequence[str], of_b: Sequence[str], what: str) -> None:
    for own, other, name, lacking in ((of_a, of_b, "run_a", "run_b"), (of_b, of_a, "run_b", "run_a")):
        known = set(other)
        more = [query for query in own if query not in known]
        if more:
            raise ValueError(f"{name} has {len(more)} queries that {lacking} has no {what}, such as {more[0]!r}")


def _p_value(differences: npt.NDArray[np.float64], test: Test, samples: int, seed: int) -> float:
    return paired_t_test(differences) if test == "t" else randomisation_test(differences, samples, seed)


def _difference(name: str, a: Evaluation, b: Evaluation, p_value: float, corrected: float) -> Difference:
    more = b.values(name) - a.values(name)
    wins, losses = int(np.count_nonzero(more > 0)), int(np.count_nonzero(more < 0))
    return Difference(
        name, a.means[name], b.means[name], b.means[name] - a.means[name], wins, losses, p_value, corrected
    )
