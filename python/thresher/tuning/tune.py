"""Finding the engine and the search parameters that meet a target."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, SupportsFloat, SupportsIndex

import numpy as np
import scipy.sparse as sp

from thresher._arguments import MAX_HITS, as_choice, as_int, as_k, as_number, as_progress, as_threads
from thresher._matrix import MatrixLike, as_matrix
from thresher.engines.index import Index, Progress
from thresher.engines.options import PRECISIONS, Weights
from thresher.tuning.build_plans import BuildPlan, plans_of, shortlist
from thresher.tuning.dial_search import DialSearch, Target
from thresher.tuning.queries import MAX_QUERIES, Questions, exact_index, of_documents

FEWEST_QUERIES = 20


class Point(NamedTuple):
    """One setting that `tune` measured."""

    engine: str
    build_params: dict[str, Any]
    search_params: dict[str, Any]
    recall: float
    """Recall@k on the queries for tuning, or on `n_queries` of them."""
    held_out_recall: float
    """Recall@k on the held-out queries; nan where it was not measured."""
    latency_us: float
    """Microseconds a query."""
    n_queries: int


@dataclass(frozen=True)
class Tuned:
    """What `tune` found: an index that is ready to search, and how it was chosen."""

    index: Index
    """Of all documents; searches go by the parameters found."""
    engine: str
    build_params: dict[str, Any]
    """What was passed to the engine's `build`; the rest are the library's defaults."""
    search_params: dict[str, Any]
    recall: float
    """Recall@k on the held-out queries."""
    latency_us: float
    """Microseconds a query on the held-out queries."""
    is_met: bool
    """Whether the target is met there."""
    k: int
    curve: list[Point] = field(repr=False)
    """Every setting that was measured on the whole collection, in that order."""

    @property
    def qps(self) -> float:
        """Queries a second, of which `latency_us` is the inverse."""
        return 1e6 / self.latency_us if self.latency_us > 0 else float("inf")

    def __repr__(self) -> str:
        """Describe it in one line."""
        given = "".join(f", {name}={value!r}" for name, value in self.search_params.items())
        return (
            f"<Tuned: {type(self.index).__name__}{given}; recall@{self.k} {self.recall:.4f}, {self.latency_us:.1f} us "
            f"a query{'' if self.is_met else '; the target is not met'}>"
        )


def tune(
    docs: MatrixLike,
    *,
    engine: type[Index] | str | Iterable[type[Index] | str] | None = None,
    queries: MatrixLike | None = None,
    recall: SupportsFloat | None = None,
    latency_us: SupportsFloat | None = None,
    k: SupportsIndex = 10,
    max_bytes: SupportsIndex | None = None,
    weights: Weights = "float",
    budget_s: SupportsFloat = 300.0,
    threads: SupportsIndex = 1,
    build_threads: SupportsIndex = 0,
    seed: SupportsIndex = 0,
    shape: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Build an index that finds so much of the best k as fast as can be, or as much as can be in so much time.

    Half of the queries choose parameters, the other half checks them. A recall is only known up to chance, so that
    parameters are chosen to reach `recall` and one standard error more on the first half, and `recall` on the second.

    Parameters
    ----------
    docs
        Sparse matrix of shape (n_docs, n_terms), a document a row: anything that an engine's `build` takes.
    engine
        The engine to tune: a class such as `ClusteredIndex`, or its name; or several to choose from; None for all. Of
        several, those that small samples of the documents rule out are not built of all documents.
    queries
        Sparse matrix of shape (n_queries, n_terms) or narrower, the more alike to those to come the better: 1,000 make
        recall known to 0.4 points or so, and more than 4,000 are not used. None makes 2,000 of documents: of each
        a third of its terms, drawn at random. That is a guess, and recall on other queries may turn out higher or lower
        than the target: see docs/tuning.md.
    recall
        The recall@k wanted, in (0, 1]: the fastest parameters that reach it are looked for.
    latency_us
        The microseconds that a query may take: the parameters of the highest recall are looked for. Exactly one of
        `recall` and `latency_us` is given.
    k
        Documents to return for each query, at most as many as there are. Parameters are right for this k, and others
        need their own.
    max_bytes
        What the index may take in memory; None for no limit.
    weights
        What the index keeps of the weights: ``"float"``, ``"uint8"`` or ``"uint8+float"``, as for an engine's `build`.
        What should be found goes by the weights given, whatever is kept of them.
    budget_s
        Seconds to take, about. What is found by then is returned; if that does not meet the target, the library's
        default parameters are measured too. A build that has begun is not stopped, so that it takes at the least as
        long as the exact answers of the queries, the build of one index, and a measurement of its default parameters.
    threads
        Threads of the searches that are timed; 0 means one for each core. Queries are searched in batches. With one
        thread a query's time is that of its thread alone, otherwise a batch's time divided by its queries.
    build_threads
        Threads to build with; 0 means one for each core.
    seed
        Of what is drawn at random: which queries are for tuning, and documents in place of queries.
    shape
        (n_docs, n_terms), needed only where `docs` is an ``(indptr, indices, data)`` triple.
    progress
        Called now and then on this thread as ``progress(done, 1000)``: shares of the budget, or of the work if that
        takes less.

    Returns
    -------
    Tuned
        ``index``, ``engine``, ``build_params``, ``search_params``, ``recall`` and ``latency_us`` as the held-out
        queries gave them, and ``curve``, all that was measured.

    Raises
    ------
    ValueError
        If not exactly one of `recall` and `latency_us` is given, an argument is out of range, there are fewer than 20
        queries that some document answers, no engine fits `max_bytes`, or `docs` or `queries` hold what an index can't.
    TypeError
        If `docs` or `queries` is not a sparse matrix, or `engine` not an engine.

    Warns
    -----
    UserWarning
        If the target is not met: the index comes as near as was found. If `budget_s` was used up before parameters
        were found: the index goes by the library's.

    Examples
    --------
    >>> import numpy as np, scipy.sparse, thresher
    >>> docs = scipy.sparse.random_array((2000, 300), density=0.1, rng=np.random.default_rng(0), dtype=np.float32)
    >>> tuned = thresher.tune(docs, engine=thresher.ClusteredIndex, recall=0.9)
    >>> tuned.recall >= 0.9
    True
    >>> tuned.index.search_params == tuned.search_params
    True
    """
    started = time.monotonic()
    target = _as_target(recall, latency_us)
    hits, workers, builders = as_k(k), as_threads(threads), as_threads(build_threads)
    most_bytes = None if max_bytes is None else as_int(max_bytes, "max_bytes")
    report = as_progress(progress)
    budget = _as_budget(budget_s)
    rng = np.random.default_rng(as_int(seed, "seed"))
    as_choice(weights, PRECISIONS, "weights")
    plans = plans_of(engine, weights)
    matrix = as_matrix(docs, shape=shape, name="docs")
    asked = None if queries is None else as_matrix(queries, name="queries")
    deadline = started + budget

    def on_step() -> None:
        if report is not None:
            report(min(999, int(1000 * (time.monotonic() - started) / budget)), 1000)

    on_step()
    exact = exact_index(matrix, builders)
    questions = _questions(matrix, asked, exact, k=hits, threads=builders, rng=rng, rescored=weights == "uint8")

    def search(some: Questions, wanted: Target) -> DialSearch:
        return DialSearch(some, wanted, workers, deadline, on_step)

    plans = shortlist(
        plans,
        matrix,
        questions,
        search=search,
        max_bytes=most_bytes,
        threads=builders,
        seconds_left=deadline - time.monotonic(),
        rng=rng,
    )
    found: list[tuple[Tuned, bool]] = []
    curve: list[Point] = []
    for plan in plans:
        if found and time.monotonic() + plan.build_seconds > deadline:
            continue
        is_exact = plan.engine is type(exact) and not plan.build_params
        index = exact if is_exact else plan.build(matrix, builders)
        if most_bytes is None or sum(index.nbytes.values()) <= most_bytes:
            searched = search(questions, target)
            found.append((_tuned(plan, index, searched, curve), searched.fell_back))
            found = [min(found, key=lambda one: target.rank(one[0].recall, one[0].latency_us))]
    if not found:
        raise ValueError(f"max_bytes: no engine's index of these documents fits {most_bytes} bytes")
    best, fell_back = found[0]
    if report is not None:
        report(1000, 1000)
    _warn(best, target, budget, fell_back=fell_back)
    return replace(best, curve=curve)


def tune_index(
    index: Index,
    *,
    queries: MatrixLike | None = None,
    recall: SupportsFloat | None = None,
    latency_us: SupportsFloat | None = None,
    k: SupportsIndex = 10,
    budget_s: SupportsFloat = 300.0,
    threads: SupportsIndex = 1,
    seed: SupportsIndex = 0,
    progress: Progress | None = None,
) -> Tuned:
    """Find search parameters for an index that is there, as `tune` does for those that it builds.

    Parameters
    ----------
    index
        Of any engine.
    queries, recall, latency_us, k, budget_s, threads, seed, progress
        As for `tune`.

    Returns
    -------
    Tuned
        Its ``index`` is the same, with other search parameters.

    Raises
    ------
    ValueError, TypeError
        As `tune`.

    Warns
    -----
    UserWarning
        As `tune`.
    """
    started = time.monotonic()
    target = _as_target(recall, latency_us)
    hits, workers = as_k(k), as_threads(threads)
    report = as_progress(progress)
    budget = _as_budget(budget_s)
    rng = np.random.default_rng(as_int(seed, "seed"))
    asked = None if queries is None else as_matrix(queries, name="queries")

    def on_step() -> None:
        if report is not None:
            report(min(999, int(1000 * (time.monotonic() - started) / budget)), 1000)

    on_step()
    docs = index.vectors(np.arange(index.n_docs))
    questions = _questions(
        docs,
        asked,
        exact_index(docs, workers),
        k=hits,
        threads=workers,
        rng=rng,
        rescored=index.weights == "uint8",
        called="the documents",
    )
    search = DialSearch(questions, target, workers, started + budget, on_step)
    curve: list[Point] = []
    best = _tuned(BuildPlan(type(index), {}), index, search, curve)
    if report is not None:
        report(1000, 1000)
    _warn(best, target, budget, fell_back=search.fell_back)
    return replace(best, curve=curve)


def _warn(best: Tuned, target: Target, budget: float, *, fell_back: bool) -> None:
    """Warn where the target is not met, or nothing was tried for want of time."""
    if not best.is_met:
        wanted = f"recall {target.recall}" if target.recall is not None else f"{target.latency_us} us a query"
        warnings.warn(f"the target, {wanted}, is not met: {best!r}", stacklevel=3)
    elif fell_back:
        warnings.warn(f"budget_s: after {budget:g} s there are only the library's defaults: {best!r}", stacklevel=3)


def _tuned(plan: BuildPlan, index: Index, search: DialSearch, curve: list[Point]) -> Tuned:
    """Return the best of an index, and add what was measured to `curve`."""
    engine, build_params = plan.engine.engine, plan.build_params
    results = search.best(index)
    curve += [
        Point(engine, build_params, s.params, s.recall, float("nan"), s.latency_us, s.n_queries) for s in search.steps
    ]
    curve += [
        Point(engine, build_params, step.params, step.recall, found.recall, step.latency_us, step.n_queries)
        for (_, _, step), found in results
    ]
    (_, _, step), found = results[0]
    return Tuned(
        index=index.with_search_params(**step.params),
        engine=engine,
        build_params=build_params,
        search_params=index.with_search_params(**step.params).search_params,
        recall=found.recall,
        latency_us=step.latency_us,
        is_met=search.target.is_met(found.recall, step.latency_us),
        k=search.tuning.k,
        curve=[],
    )


def _questions(
    docs: sp.csr_array,
    queries: sp.csr_array | None,
    exact: Index,
    *,
    k: int,
    threads: int,
    rng: np.random.Generator,
    rescored: bool,
    called: str = "docs",
) -> Questions:
    """Return the queries to tune on, in random order: those that some document answers.

    `called`: what errors call the documents.
    """
    own = None
    if queries is None:
        queries, own = of_documents(docs, rng)
    else:
        queries = queries[rng.permutation(queries.shape[0])[:MAX_QUERIES]]
    if queries.shape[0] < FEWEST_QUERIES:
        what = f"{called}: too few with terms to make queries of" if own is not None else "queries: too few"
        raise ValueError(f"{what}, {queries.shape[0]}; at least {FEWEST_QUERIES} are needed")
    max_k = min(docs.shape[0], MAX_HITS - 1)  # a query that is made of a document finds that one too
    if k > max_k:
        raise ValueError(f"k must be at most {max_k} for {docs.shape[0]} documents, got {k}")
    questions = Questions(queries, own, exact, k, threads, rescored=rescored).answered()
    if len(questions) < FEWEST_QUERIES:
        what = f"{called}: queries made of them" if own is not None else "queries: they"
        raise ValueError(f"{what} must find documents, but {len(questions)} do; at least {FEWEST_QUERIES} are needed")
    return questions


def _as_budget(budget_s: SupportsFloat) -> float:
    budget = as_number(budget_s, "budget_s")
    if not budget > 0:
        raise ValueError(f"budget_s must be > 0, got {budget}")
    return budget


def _as_target(recall: SupportsFloat | None, latency_us: SupportsFloat | None) -> Target:
    if (recall is None) == (latency_us is None):
        raise ValueError(f"exactly one of recall and latency_us must be given, got {recall} and {latency_us}")
    if recall is not None:
        fraction = as_number(recall, "recall")
        if not 0 < fraction <= 1:
            raise ValueError(f"recall must be in (0, 1], got {fraction}")
        return Target(fraction, None)
    assert latency_us is not None
    microseconds = as_number(latency_us, "latency_us")
    if not microseconds > 0:
        raise ValueError(f"latency_us must be > 0, got {microseconds}")
    return Target(None, microseconds)
