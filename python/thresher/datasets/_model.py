"""What a collection of learned sparse vectors is generated from: distributions, no documents.

A collection is a set of topics. A topic has its frequent terms, each with the share of the topic's
documents that have it and a mean weight. Terms that are rare in a topic are drawn from the tail of
its region, a group of topics. `Side` is what differs between documents and queries, which share
the topics. `Sharing` says how much neighbours inside a topic have in common.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher import FormatError
from thresher.formats._archive import Arrays, read_arrays
from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

VERSION = 1
QUANTILES = 9  # of lengths, evenly spaced from the shortest to the longest
SHAPE = 33  # quantiles of weights, relative to their means
_LOGIT = 9.3  # shares are kept between logit -9.3 and 9.3
_SHIPPED = "learned.npz"
_WHAT = "a model of thresher.datasets"
_MAX_DRAWS = 16  # rare terms of a vector, for each term that there is


class Sharing(NamedTuple):
    """How alike the documents of a topic are.

    A topic divides into families, a family into groups, both without end: the shares of its
    families fall like those of a Pareto distribution. Each document takes a part of its terms and
    weights from its group, a part from its family and draws the others from the topic by itself.
    The defaults are those of `Model.shipped`, set by hand so that generated documents are searched
    about as fast as the vectors behind it.
    """

    families: float = 1.0
    """Scale of the families in a topic: half of the documents are in the first so many."""
    groups: float = 0.5
    """The same for the groups in a family."""
    least: float = 0.45
    """The smallest part that a document shares."""
    most: float = 0.9
    """The largest part."""
    skew: float = 1.5
    """The part is least + (most - least) * u ** skew, with u uniform."""
    of_group: float = 0.6
    """How much of that part comes from the group, the rest from the family."""
    rare: float = 0.5
    """How much of the rest of a vector's rare terms is shared too, beyond the part of all its terms."""
    copies: float = 0.04
    """The share of documents that are near-copies of their group."""
    query_most: float = 0.9
    """`most` for queries."""
    query_copies: float = 0.04
    """`copies` for queries."""


@dataclass(frozen=True)
class Side:
    """What is different for documents and for queries."""

    prior: Floats
    """(n_topics,) share of vectors in each topic."""
    lengths: Floats
    """(n_topics, QUANTILES) of the number of terms."""
    odds: Floats
    """(n_terms,) log of what multiplies the odds that a term is there."""
    ratio: Floats
    """(n_terms,) what multiplies the mean weight of a term."""
    edges: Floats
    """Mean weights that divide the rows of `shape`, but for the last, which is for rare terms."""
    shape: Floats
    """(len(edges) + 2, SHAPE) quantiles of (weight - smallest) / (mean - smallest)."""
    knots: Floats
    """Logs of lengths, ascending."""
    scale: Floats
    """What multiplies (weight - smallest) in vectors of these lengths."""
    rare: float
    """What multiplies `Model.tail`: the mean number of rare terms."""
    draws: float
    """Draws for each of them, since some are of terms that are there already."""
    smallest: float
    """The smallest weight."""
    drawn: Floats
    """Weights as they are drawn, ascending, by way of means, `shape` and `scale`."""
    true: Floats
    """What these must become for the distribution of all weights to be right."""
    longest: int
    """Most terms of a vector; heavier ones are kept."""


@dataclass(frozen=True)
class Model:
    """A distribution of documents and queries, fitted by `thresher.datasets.fit`.

    A few hundred kilobytes of numbers: no document can be told from them. Get one from `fit`,
    `Model.load` or `Model.shipped`.
    """

    n_terms: int
    mantissa_bits: int
    """Bits of a weight's mantissa, at most 11, so that float16 weights stay float16 weights."""
    starts: Ints
    """(n_topics + 1,) where each topic's terms start."""
    terms: NDArray[np.uint32]
    """Frequent terms of all topics, ascending in each."""
    share: Floats
    """Of each, the share of documents in the topic that have it, at a length factor of 1."""
    weight: Floats
    """Of each, the mean weight where it is there."""
    tail: Floats
    """(n_topics,) mean number of rare terms in a document."""
    region: Ints
    """(n_topics,) whose rare terms these are."""
    tail_starts: Ints
    """(n_regions + 1,) where each region's terms start."""
    tail_terms: NDArray[np.uint32]
    tail_counts: Floats
    """Relative frequencies."""
    tail_weight: Floats
    """(n_terms,) mean weight of a term where it is rare."""
    documents: Side
    queries: Side
    sharing: Sharing

    @property
    def n_topics(self) -> int:
        """Number of topics."""
        return len(self.starts) - 1

    def sharing_as(self, **changes: float) -> Model:
        """Return the same model with other numbers of `Sharing`."""
        return replace(self, sharing=self.sharing._replace(**changes))

    @classmethod
    def shipped(cls) -> Model:
        """Return the model that comes with the package.

        It was fitted to 100,000 package descriptions, dictionary entries and glosses, encoded with
        a BERT-tiny SPLADE (30,522 terms), and to 2,000 queries, texts of the same kind that are not
        among the documents. Its `Sharing` was set by hand instead of calibrated, and is the default.
        """
        return cls.load(Path(__file__).with_name(_SHIPPED))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to an ``.npz`` file, atomically.

        Parameters
        ----------
        path
            The file to create or replace.

        Raises
        ------
        OSError
            If the file can't be written.
        """
        with atomic_write(path) as out:
            np.savez_compressed(out, allow_pickle=False, **encode(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Read a model that `save` wrote.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Model
            It generates the same vectors as the one that was saved.

        Raises
        ------
        thresher.FormatError
            If it is no such file, or its numbers don't fit each other.
        OSError
            If the file can't be read.
        """
        arrays = read_arrays(path, _WHAT)
        try:
            _check_arrays(arrays)
            with np.errstate(all="ignore"):  # what is not finite is found now
                model = decode(arrays)
                _check_model(model)
        except KeyError as error:
            raise FormatError(f"{path}: not {_WHAT}: it has no array {error}") from error
        except (ValueError, TypeError, IndexError, ArithmeticError) as error:
            raise FormatError(f"{path}: not {_WHAT}: {error}") from error
        return model


def encode(model: Model) -> dict[str, Any]:
    """Return a model as small arrays: terms as gaps, shares and weights as bytes."""
    low, high = _weight_range(model)
    arrays: dict[str, Any] = {
        "version": np.int64(VERSION),
        "n_terms": np.int64(model.n_terms),
        "mantissa_bits": np.int64(model.mantissa_bits),
        "counts": np.diff(model.starts).astype(np.uint32),
        "terms": _gaps(model.terms, model.starts),
        "share": np.rint((_logit(model.share) + _LOGIT) / (2 * _LOGIT) * 255).astype(np.uint8),
        "weight_range": np.array([low, high], np.float32),
        "weight": _codes(model.weight, low, high),
        "tail": model.tail.astype(np.float32),
        "region": model.region.astype(np.uint16),
        "tail_lengths": np.diff(model.tail_starts).astype(np.uint32),
        "tail_terms": _gaps(model.tail_terms, model.tail_starts),
        "tail_counts": np.clip(np.rint(16 * np.log2(np.maximum(model.tail_counts, 1))), 0, 255).astype(np.uint8),
        "tail_weight": _codes(model.tail_weight, low, high),
        "sharing": np.array(model.sharing, np.float64),
    }
    for name in ("documents", "queries"):
        side = getattr(model, name)
        for field in fields(Side):
            value = np.asarray(getattr(side, field.name), np.float32)
            if field.name in ("odds", "ratio"):
                value = value.astype(np.float16)
            arrays[f"{name}_{field.name}"] = value
    return arrays


def decode(arrays: dict[str, Any]) -> Model:
    """Return the model that `encode` made arrays of; raise if these do not fit each other."""
    low, high = (float(value) for value in arrays["weight_range"])
    starts, tail_starts = _from_counts(arrays["counts"]), _from_counts(arrays["tail_lengths"])
    sides = []
    for name in ("documents", "queries"):
        values = {field.name: arrays[f"{name}_{field.name}"] for field in fields(Side)}
        arrays_of = {key: np.asarray(value, np.float64) for key, value in values.items()}
        single = {key: float(values[key]) for key in ("rare", "draws", "smallest")}
        single["longest"] = int(values["longest"])
        sides.append(Side(**{**arrays_of, **single}))  # type: ignore[arg-type]
    return Model(
        n_terms=int(arrays["n_terms"]),
        mantissa_bits=int(arrays["mantissa_bits"]),
        starts=starts,
        terms=_from_gaps(arrays["terms"], starts),
        share=1 / (1 + np.exp(_LOGIT - 2 * _LOGIT / 255 * arrays["share"].astype(np.float64))),
        weight=_from_codes(arrays["weight"], low, high),
        tail=arrays["tail"].astype(np.float64),
        region=arrays["region"].astype(np.int64),
        tail_starts=tail_starts,
        tail_terms=_from_gaps(arrays["tail_terms"], tail_starts),
        tail_counts=np.exp2(arrays["tail_counts"].astype(np.float64) / 16),
        tail_weight=_from_codes(arrays["tail_weight"], low, high),
        documents=sides[0],
        queries=sides[1],
        sharing=Sharing(*(float(value) for value in arrays["sharing"])),
    )


def _check_arrays(arrays: Arrays) -> None:
    """Raise KeyError or ValueError unless all that `decode` takes is there, as numbers of the right kind and shape."""
    if int(arrays["version"]) != VERSION:
        raise ValueError(f"a model of version {arrays['version']}, this library reads {VERSION}")
    whole = {"n_terms": 0, "mantissa_bits": 0, "counts": 1, "terms": 1, "region": 1, "tail_lengths": 1, "tail_terms": 1}
    real = {"share": 1, "weight_range": 1, "weight": 1, "tail": 1, "tail_counts": 1, "tail_weight": 1, "sharing": 1}
    for name in ("documents", "queries"):
        real |= {f"{name}_{field.name}": 0 for field in fields(Side)}
        real |= {f"{name}_{part}": 1 for part in ("prior", "odds", "ratio", "edges", "knots", "scale", "drawn", "true")}
        real |= {f"{name}_{part}": 2 for part in ("lengths", "shape")}
    for kinds, expected in (("iu", whole), ("iuf", real)):
        for name, n_dimensions in expected.items():
            array = arrays[name]
            if array.dtype.kind not in kinds or array.ndim != n_dimensions:
                raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
            if kinds == "iu" and array.size and not 0 <= int(array.min()) <= int(array.max()) < 2**32:
                raise ValueError(f"{name} must be 0 to 2**32 - 1, got {array.min()} to {array.max()}")
    for name, size in (("weight_range", 2), ("sharing", len(Sharing._fields))):
        if arrays[name].size != size:
            raise ValueError(f"{name} must be {size} numbers, got {arrays[name].size}")
    low, high = (float(value) for value in arrays["weight_range"])
    if not 0 < low <= high < np.inf:
        raise ValueError(f"weight_range must be > 0, finite and ascending, got {low} to {high}")


def _check_model(model: Model) -> None:
    """Raise ValueError if there is anything in a model that would fail later."""
    topics, regions = model.n_topics, len(model.tail_starts) - 1
    if topics < 1 or regions < 1:
        raise ValueError("it has no topics")
    if not 1 <= model.n_terms <= 2**31:
        raise ValueError(f"n_terms must be 1 to 2**31, got {model.n_terms}")
    shapes: dict[str, tuple[NDArray[Any], tuple[int, ...]]] = {
        "share": (model.share, (len(model.terms),)),
        "weight": (model.weight, (len(model.terms),)),
        "tail": (model.tail, (topics,)),
        "region": (model.region, (topics,)),
        "tail_counts": (model.tail_counts, (len(model.tail_terms),)),
        "tail_weight": (model.tail_weight, (model.n_terms,)),
    }
    for name, side in (("documents", model.documents), ("queries", model.queries)):
        shapes |= {
            f"{name}_prior": (side.prior, (topics,)),
            f"{name}_lengths": (side.lengths, (topics, QUANTILES)),
            f"{name}_odds": (side.odds, (model.n_terms,)),
            f"{name}_ratio": (side.ratio, (model.n_terms,)),
            f"{name}_shape": (side.shape, (len(side.edges) + 2, SHAPE)),
            f"{name}_scale": (side.scale, (len(side.knots),)),
            f"{name}_edges": (side.edges, (len(side.edges),)),
            f"{name}_knots": (side.knots, (max(1, len(side.knots)),)),
            f"{name}_drawn": (side.drawn, (max(1, len(side.drawn)),)),
            f"{name}_true": (side.true, (len(side.drawn),)),
            f"{name}_rare": (np.array([side.rare, side.draws, side.smallest]), (3,)),
        }
    for name, (array, shape) in shapes.items():
        if array.shape != shape:
            raise ValueError(f"{name} has the shape {array.shape}, not {shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    limits: dict[str, tuple[NDArray[Any], int]] = {
        "terms": (model.terms, model.n_terms - 1),
        "tail_terms": (model.tail_terms, model.n_terms - 1),
        "region": (model.region, regions - 1),
        "mantissa_bits": (np.array([model.mantissa_bits]), 11),
    }
    for name, (values, most) in limits.items():
        if len(values) and not (values.min() >= 0 and values.max() <= most):
            raise ValueError(f"{name} must be 0 to {most}, got {values.min()} to {values.max()}")
    if len(model.share) and not 0 < model.share.min() <= model.share.max() < 1:
        raise ValueError(f"share must be above 0 and below 1, got {model.share.min()} to {model.share.max()}")
    _check_sides(model)
    for name, value in model.sharing._asdict().items():
        limit = np.inf if name in ("families", "groups", "skew") else 1.0
        if not 0 <= value <= limit or not np.isfinite(value):
            raise ValueError(f"sharing: {name} must be 0 to {limit:g} and finite, got {value}")


def _check_sides(model: Model) -> None:
    for name, side in (("documents", model.documents), ("queries", model.queries)):
        if side.prior.min() < 0 or not 0 < side.prior.sum() < np.inf:
            raise ValueError(f"{name}_prior must be >= 0, and one of them above")
        if not 1 <= side.longest <= model.n_terms:
            raise ValueError(f"{name}_longest must be 1 to {model.n_terms}, got {side.longest}")
        if side.lengths.min() < 0 or side.lengths.max() > model.n_terms:
            raise ValueError(
                f"{name}_lengths must be 0 to {model.n_terms}, got {side.lengths.min()} to {side.lengths.max()}"
            )
        if side.true.min() < 0:
            raise ValueError(f"{name}_true must be >= 0, got {side.true.min()}")
        drawn = model.tail * side.rare * side.draws
        if side.rare < 0 or side.draws < 0 or not (drawn.min() >= 0 and drawn.max() <= _MAX_DRAWS * model.n_terms):
            raise ValueError(f"{name} have {drawn.min()} to {drawn.max()} rare terms drawn, of {model.n_terms} terms")


def _logit(share: Floats) -> Floats:
    limit = 1 / (1 + np.exp(_LOGIT))
    inside = np.clip(share, limit, 1 - limit)
    return np.asarray(np.log(inside / (1 - inside)))


def _weight_range(model: Model) -> tuple[float, float]:
    values = np.concatenate([model.weight, model.tail_weight])
    values = values[values > 0]
    return (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)


def _codes(weight: Floats, low: float, high: float) -> NDArray[np.uint8]:
    """Return weights as bytes on a logarithmic scale."""
    span = np.log(high / low) or 1.0
    return np.clip(np.rint(255 * np.log(np.maximum(weight, low) / low) / span), 0, 255).astype(np.uint8)


def _from_codes(codes: NDArray[np.uint8], low: float, high: float) -> Floats:
    return np.asarray(low * np.exp(codes.astype(np.float64) / 255 * np.log(high / low)))


def _gaps(terms: NDArray[np.uint32], starts: Ints) -> NDArray[Any]:
    """Return ascending terms as gaps, from 0 in each stretch."""
    before = np.concatenate([[0], terms[:-1].astype(np.int64)])[: len(terms)]
    before[starts[:-1][np.diff(starts) > 0]] = 0
    gaps = terms.astype(np.int64) - before
    return np.asarray(gaps, np.uint16 if not len(gaps) or gaps.max() < 2**16 else np.uint32)


def _from_gaps(gaps: NDArray[Any], starts: Ints) -> NDArray[np.uint32]:
    if len(gaps) != starts[-1]:
        raise ValueError(f"{len(gaps)} terms where the counts say {starts[-1]}")
    total = np.concatenate([[0], np.cumsum(gaps.astype(np.int64))])
    return np.asarray(total[1:] - np.repeat(total[starts[:-1]], np.diff(starts)), np.uint32)


def _from_counts(counts: NDArray[Any]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts.astype(np.int64))])
