"""Fits a `Model` to a collection: topics, their terms, lengths, weights, and then how much neighbours share."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from thresher._matrix import checked_csr
from thresher.datasets._calibrate import calibrated
from thresher.datasets._generate import generate
from thresher.datasets._lengths import log_factors, mean_shares
from thresher.datasets._model import QUANTILES, SHAPE, Model, Sharing, Side, decode, encode
from thresher.datasets._sampler import BLOCK, Kind, Sampler
from thresher.datasets._topics import Projection, centres, members, nearest
from thresher.formats._check import ScipySparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_SHAPES = 8  # groups of terms by mean weight, each with quantiles of its own
_LENGTH_KNOTS = 12
_RAKINGS = 3
_SELDOM = 3  # documents of a region
_ENOUGH = 20_000  # rare terms in all documents of a region together
_WEIGHT_DRAWS = 3_000  # vectors generated to see how weights come out
_LEVELS = 1 / (1 + np.exp(-np.linspace(-11, 11, 65)))  # of quantiles, close to each other at both ends
_LEVELS[[0, -1]] = 0, 1
_WEIGHT_ROWS = 20_000  # rows that shapes of weights are taken from


def fit(
    documents: ScipySparse,
    queries: ScipySparse,
    *,
    topics: int = 400,
    regions: int = 32,
    least_share: float = 0.06,
    sample: int = 100_000,
    calibrate: bool = True,
    seed: int = 0,
) -> Model:
    """Fit a model to a collection, from which any number of similar vectors can be generated.

    Parameters
    ----------
    documents
        Any scipy.sparse matrix, (n_docs, n_terms), weights > 0; at least 2 rows.
    queries
        The same for queries, (n_queries, n_terms). A few hundred do.
    topics
        Number of topics, if there are 50 documents or more for each.
    regions
        Groups of topics that share a distribution of rare terms.
    least_share
        Terms in a smaller share of a topic's documents are rare ones.
    sample
        Documents to look at, drawn at random if there are more.
    calibrate
        Generate small collections and adjust `Sharing` until neighbours are as close as in the
        collection given. Otherwise `Sharing` has its defaults, those of the model that is shipped.
    seed
        Of all that is drawn at random here.

    Returns
    -------
    Model
        About 1 MB for 400 topics, less in a file.

    Raises
    ------
    ValueError
        If a matrix is too small, the two differ in terms, a weight is not finite and positive, or the arrays of a
        matrix point outside of it.
    TypeError
        If it is not a scipy.sparse matrix.
    """
    for name, value in (("topics", topics), ("regions", regions), ("sample", sample)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, got {value}")
    if not 0 < least_share < 1:
        raise ValueError(f"least_share must be above 0 and below 1, got {least_share}")
    docs, asked = _checked("documents", documents, 2), _checked("queries", queries, 1)
    if docs.shape[1] != asked.shape[1]:
        raise ValueError(f"documents have {docs.shape[1]} terms, queries {asked.shape[1]}")
    generator = np.random.default_rng(seed)
    if docs.shape[0] > sample:
        docs = docs[np.sort(generator.permutation(docs.shape[0])[:sample])]
    projection = Projection(docs, generator)
    points = projection(docs)
    middle = centres(points, max(1, min(topics, docs.shape[0] // 50)), generator)
    labels = nearest(points, middle)
    used, labels = np.unique(labels, return_inverse=True)
    middle = middle[used]
    asked_labels = nearest(projection(asked), middle)
    region = nearest(middle, centres(middle, min(regions, len(middle)), generator))
    _, region = np.unique(region, return_inverse=True)
    model = _with_queries(_documents(docs, labels, region, least_share), asked, asked_labels)
    model = _with_draws(_as_saved(model), docs, labels, asked, asked_labels)
    model = _with_true_weights(_as_saved(model), docs, asked)
    if calibrate:
        model = calibrated(model, docs, asked, generator)
    return model


def _as_saved(model: Model) -> Model:
    """Return a model with its numbers rounded as in a file, so that it generates the same from there."""
    return decode(encode(model))


def _with_true_weights(model: Model, docs: sparse.csr_array, asked: sparse.csr_array) -> Model:
    """Return the model with its drawn weights mapped to true ones, quantile by quantile."""
    sides = {}
    kinds: tuple[tuple[Kind, sparse.csr_array], ...] = (("documents", docs), ("queries", asked))
    for name, matrix in kinds:
        drawn = generate(model, _WEIGHT_DRAWS, kind=name).data
        pairs = np.stack([np.quantile(weights, _LEVELS) for weights in (drawn, matrix.data)])
        pairs = pairs[:, np.append(True, np.diff(pairs[0]) > 0)]
        sides[name] = replace(getattr(model, name), drawn=pairs[0], true=pairs[1])
    return _as_saved(replace(model, **sides))


def _checked(name: str, matrix: ScipySparse, least: int) -> sparse.csr_array:
    csr = checked_csr(matrix, name).astype(np.float32, copy=False)
    if csr.shape[0] < least or csr.nnz == 0:
        raise ValueError(f"{name} must have at least {least} rows and a nonzero, got {csr.shape[0]} and {csr.nnz}")
    if csr.shape[1] > 2**31:
        raise ValueError(f"{name} has {csr.shape[1]} terms, at most 2**31 can be generated")
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    wrong = ~(np.isfinite(csr.data) & (csr.data >= 0))
    if wrong.any():
        position = int(wrong.argmax())
        row = int(np.searchsorted(csr.indptr, position, side="right")) - 1
        raise ValueError(f"{name}: row {row} has the weight {csr.data[position]} (must be finite and >= 0)")
    if not csr.data.all():
        csr = csr.copy()
        csr.eliminate_zeros()
        if csr.nnz == 0:
            raise ValueError(f"{name} must have a nonzero")
    return csr


def _documents(docs: sparse.csr_array, labels: Ints, region: Ints, least_share: float) -> Model:
    """Return the model of documents; its queries are the same."""
    n_terms, n_topics, n_regions = docs.shape[1], int(labels.max()) + 1, int(region.max()) + 1
    sizes = np.bincount(labels, minlength=n_topics).astype(np.float64)
    sums = members(labels, n_topics)
    there = sparse.csr_array((np.ones_like(docs.data), docs.indices, docs.indptr), shape=docs.shape)
    counts, weights = (_sorted(sums @ matrix) for matrix in (there, docs))
    rows = np.repeat(np.arange(n_topics), np.diff(counts.indptr))
    share = counts.data / sizes[rows]
    mean = weights.data.astype(np.float64) / counts.data
    frequent = (share >= least_share) & (counts.data >= np.minimum(3, sizes[rows]))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows[frequent], minlength=n_topics))])
    rare_at = (region[rows[~frequent]], counts.indices[~frequent])
    rare = _without_chance(_sorted(sparse.coo_array((counts.data[~frequent], rare_at), shape=(n_regions, n_terms))))
    rare_counts = np.bincount(rare.indices, weights=rare.data, minlength=n_terms)
    rare_sums = np.bincount(rare_at[1], weights=weights.data[~frequent], minlength=n_terms)
    lengths = _quantiles_by(np.diff(docs.indptr), labels, n_topics)
    tail = np.bincount(rows[~frequent], weights=share[~frequent], minlength=n_topics).astype(np.float64)
    share = _raked(np.minimum(share[frequent], 0.9995), starts, tail, lengths)
    tail_weight = np.where(rare_counts > 0, rare_sums / np.maximum(rare_counts, 1), docs.data.mean())
    prior = sizes / sizes.sum()
    blank = _side(
        docs, docs[:1], np.ones(docs[:1].nnz), is_rare=np.zeros(docs[:1].nnz, bool), prior=prior, lengths=lengths
    )
    model = Model(
        n_terms=n_terms,
        mantissa_bits=_mantissa_bits(docs.data),
        starts=starts,
        terms=counts.indices[frequent].astype(np.uint32),
        share=share,
        weight=mean[frequent],
        tail=tail,
        region=region,
        tail_starts=rare.indptr.astype(np.int64),
        tail_terms=rare.indices.astype(np.uint32),
        tail_counts=rare.data.astype(np.float64),
        tail_weight=tail_weight,
        documents=blank,
        queries=blank,
        sharing=Sharing(),
    )
    sample = docs[:_WEIGHT_ROWS]
    is_rare, expected = _expected(model, sample, labels[:_WEIGHT_ROWS])
    return replace(model, documents=_side(docs, sample, expected, is_rare=is_rare, prior=prior, lengths=lengths))


def _with_queries(model: Model, asked: sparse.csr_array, labels: Ints) -> Model:
    """Return the model with the queries' own topics, lengths, terms and weights."""
    n_terms, n_topics = model.n_terms, model.n_topics
    prior = np.bincount(labels, minlength=n_topics) + 2 * model.documents.prior
    prior /= prior.sum()
    lengths = _quantiles_by(np.diff(asked.indptr), model.region[labels], int(model.region.max()) + 1)[model.region]
    rows = np.repeat(np.arange(n_topics), np.diff(model.starts))
    is_rare, mean = _expected(model, asked, labels)
    seen = np.bincount(asked.indices[~is_rare], minlength=n_terms)
    odds, rare = np.zeros(n_terms), 1.0
    for _ in range(_RAKINGS):
        multiplied = model.share / (1 - model.share) * np.exp(odds[model.terms])
        share = multiplied / (1 + multiplied)
        factors = log_factors(share, model.starts, model.tail * rare, lengths)
        there = mean_shares(share, model.starts, factors) * prior[rows] * asked.shape[0]
        expected = np.bincount(model.terms, weights=there, minlength=n_terms)
        odds += np.where(expected > 0, np.clip(np.log((seen + 2) / (expected + 2)), -1.5, 1.5), 0)
        drawn = float((model.tail * rare * prior * np.exp(factors).mean(axis=1)).sum())
        rare *= float(np.clip(is_rare.sum() / asked.shape[0] / max(drawn, 1e-9), 0.2, 5))
    overall = asked.data.sum(dtype=np.float64) / mean.sum()
    counts, means, sums = (np.bincount(asked.indices, weights=w, minlength=n_terms) for w in (None, mean, asked.data))
    typical = np.where(counts > 0, means / np.maximum(counts, 1), 1)
    ratio = (sums + 5 * overall * typical) / (means + 5 * typical)
    side = _side(asked, asked, mean * ratio[asked.indices], is_rare=is_rare, prior=prior, lengths=lengths)
    return replace(model, queries=replace(side, odds=odds, ratio=ratio, rare=rare))


def _expected(model: Model, matrix: sparse.csr_array, labels: Ints) -> tuple[NDArray[np.bool_], Floats]:
    """Return for each entry whether its term is rare in the row's topic, and its mean weight there."""
    shape = (model.n_topics, model.n_terms)
    means = sparse.csr_array((model.weight, model.terms.astype(np.int64), model.starts), shape=shape)
    found = np.asarray(means[np.repeat(labels, np.diff(matrix.indptr)), matrix.indices]).ravel()
    return found == 0, np.where(found == 0, model.tail_weight[matrix.indices], found)


def _with_draws(
    model: Model, docs: sparse.csr_array, labels: Ints, asked: sparse.csr_array, asked_labels: Ints
) -> Model:
    """Return the model with so many draws of rare terms that as many are there as should be."""
    sides = {}
    kinds: tuple[tuple[Kind, sparse.csr_array, Ints], ...] = (
        ("documents", docs[:_WEIGHT_ROWS], labels[:_WEIGHT_ROWS]),
        ("queries", asked, asked_labels),
    )
    for name, matrix, topics in kinds:
        wanted = _expected(model, matrix, topics)[0].sum() / matrix.shape[0]
        sampler = Sampler(model, name, 0)
        made = sampler.block(0, BLOCK)
        starts = np.concatenate([[0], np.cumsum(made.lengths)])
        csr = sparse.csr_array((made.data, made.indices, starts), shape=(BLOCK, model.n_terms))
        got = _expected(model, csr, sampler.topics(0, BLOCK))[0].sum() / BLOCK
        sides[name] = replace(getattr(model, name), draws=float(np.clip(wanted / max(got, 1e-9), 0.5, 2)))
    return replace(model, **sides)


def _side(
    matrix: sparse.csr_array,
    sample: sparse.csr_array,
    expected: Floats,
    *,
    is_rare: NDArray[np.bool_],
    prior: Floats,
    lengths: Floats,
) -> Side:
    """Return a side whose weights are those of `sample`, of terms with the mean weights `expected`."""
    n_terms = matrix.shape[1]
    smallest = float(matrix.data.min())
    above = (sample.data - smallest) / np.maximum(expected - smallest, 1e-3)
    row_lengths = np.diff(sample.indptr)
    knots, scale = _scale_by_length(above, row_lengths)
    above /= np.repeat(np.interp(np.log(np.maximum(row_lengths, 1)), knots, scale), row_lengths)
    frequent = expected[~is_rare]
    edges = np.quantile(frequent, np.linspace(0, 1, _SHAPES + 1)[1:-1]) if len(frequent) else np.zeros(_SHAPES - 1)
    group = np.where(is_rare, _SHAPES, np.searchsorted(edges, expected))
    ends = np.array([0.0, np.finfo(np.float32).max])  # drawn weights are left as they are until `_with_true_weights`
    shape = np.stack([_shape(above[group == number]) for number in range(_SHAPES + 1)])
    return Side(
        prior=prior,
        lengths=lengths,
        odds=np.zeros(n_terms),
        ratio=np.ones(n_terms),
        edges=edges,
        shape=shape,
        knots=knots,
        scale=scale,
        smallest=smallest,
        rare=1.0,
        draws=1.0,
        drawn=ends,
        true=ends,
        longest=int(np.diff(matrix.indptr).max()),
    )


def _scale_by_length(above: Floats, lengths: Ints) -> tuple[Floats, Floats]:
    """Return logs of lengths, and how much heavier vectors of these are than the mean."""
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, _LENGTH_KNOTS + 1)))
    group = np.searchsorted(edges[1:-1], lengths, side="right")
    of_entry = np.repeat(group, lengths)
    totals = np.bincount(of_entry, weights=above, minlength=len(edges))
    entries = np.bincount(of_entry, minlength=len(edges))
    logs = np.bincount(group, weights=np.log(np.maximum(lengths, 1)), minlength=len(edges))
    used = totals > 0
    if not used.any():  # all weights are the smallest one
        return np.zeros(1), np.ones(1)
    return logs[used] / np.bincount(group, minlength=len(edges))[used], totals[used] / entries[used]


def _raked(wanted: Floats, starts: Ints, tail: Floats, lengths: Floats) -> Floats:
    """Return shares at a length factor of 1 whose means over all lengths are the shares wanted."""
    share = wanted
    for _ in range(_RAKINGS):
        now = mean_shares(share, starts, log_factors(share, starts, tail, lengths))
        odds = share / (1 - share) * (wanted / (1 - wanted)) / (now / (1 - now))
        share = np.clip(odds / (1 + odds), 1e-4, 0.9999)
    return share


def _quantiles_by(values: Ints, labels: Ints, count: int) -> Floats:
    """Return quantiles of the values of each label; of all values where there are few."""
    points = np.linspace(0, 1, QUANTILES)
    order = np.argsort(labels, kind="stable")
    ends = np.searchsorted(labels[order], np.arange(count + 1))
    every = values.astype(np.float64)
    parts = [every[order[start:end]] for start, end in pairwise(ends)]
    return np.stack([np.quantile(part if len(part) >= QUANTILES else every, points) for part in parts])


def _shape(values: Floats) -> Floats:
    """Return quantiles, the last such that the mean between it and the one before is right.

    The greatest value would make the weights in between too heavy.
    """
    if not len(values):
        return np.ones(SHAPE)
    quantiles = np.quantile(values, np.linspace(0, 1, SHAPE))
    highest = values[values >= quantiles[-2]].mean()
    quantiles[-1] = max(quantiles[-2], 2 * highest - quantiles[-2])
    return quantiles


def _without_chance(rare: sparse.csr_array) -> sparse.csr_array:
    """Return counts without terms that a region has only seldom, where it has enough others."""
    rows = np.repeat(np.arange(rare.shape[0]), np.diff(rare.indptr))
    enough = np.bincount(rows, weights=rare.data, minlength=rare.shape[0]) >= _ENOUGH
    kept = (rare.data >= _SELDOM) | ~enough[rows]
    return _sorted(sparse.coo_array((rare.data[kept], (rows[kept], rare.indices[kept])), shape=rare.shape))


def _sorted(matrix: ScipySparse) -> sparse.csr_array:
    csr = sparse.csr_array(matrix)
    csr.sum_duplicates()
    return csr


def _mantissa_bits(weights: NDArray[np.float32]) -> int:
    """Return how many bits of a mantissa the weights use, at most 11."""
    used = int(np.bitwise_or.reduce(weights.view(np.uint32)) & np.uint32(0x7FFFFF))
    trailing = (used & -used).bit_length() - 1 if used else 23
    return min(11, 23 - trailing)
