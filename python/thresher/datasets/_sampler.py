"""Draws vectors from a `Model`, a block at a time.

Every vector is a function of the seed and its number alone. It has a topic, in that a family, in
that a group, and a key of its own. Whether it has a term is decided by a uniform number u of one
of group, family and own key, and which of these is decided for each term by itself: where two
vectors decide for the same family, they agree. The term is there if u is below its share p, with
a weight that falls from the greatest to the smallest as u / p goes from 0 to 1. So a shorter
vector keeps its neighbours' heaviest terms, as learned queries do.

References
----------
Thibaux, Jordan: *Hierarchical Beta Processes and the Indian Buffet Process*, AISTATS 2007: terms
shared along a tree with the shares of every node as in the node above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from thresher.datasets._hashing import mixed, salted, uniform
from thresher.datasets._lengths import log_factors
from thresher.datasets._model import QUANTILES, SHAPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from thresher.datasets._hashing import Keys
    from thresher.datasets._model import Model, Side

Kind = Literal["documents", "queries"]

BLOCK = 2048  # vectors drawn together: what fits 11 bits of a sorting key, and a cache
_MANTISSA = 11
_CODE_BITS = 8 + _MANTISSA  # of a weight in a sorting key: its exponent and mantissa
_TERM_BITS = 32
_ROW_SHIFT = np.int64(_CODE_BITS + _TERM_BITS)
_CODE_MASK = np.int64((1 << _CODE_BITS) - 1)
_TERM_MASK = np.int64((1 << _TERM_BITS) - 1)
_RARE = np.uint32(0x9D2C5681)  # tells rare terms' random numbers from those of frequent ones
_LAST = float(np.uint32(2**32 - 1))


class Block(NamedTuple):
    """Some vectors, as the parts of a CSR matrix."""

    lengths: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.float32]


class _Origins(NamedTuple):
    """Where vectors take their terms from: keys, and up to which number each is chosen."""

    group: Keys
    family: Keys
    own: Keys
    to_group: NDArray[np.float32]
    to_family: NDArray[np.float32]

    def chosen(self, rows: NDArray[np.int32], items: Keys | np.uint32) -> Keys:
        """Return the key that decides about each item of its row."""
        own = self.own[rows]
        number = uniform(mixed(own, items ^ np.uint32(0x5BD1E995)))
        keys = np.where(number < self.to_family[rows], self.family[rows], own)
        return np.where(number < self.to_group[rows], self.group[rows], keys)

    def sharing_more(self, share: float) -> _Origins:
        """Return origins that share so much of what each vector would have drawn by itself."""
        to_family = 1 - (1 - self.to_family) * np.float32(1 - share)
        to_group = self.to_group * (to_family / np.maximum(self.to_family, np.float32(1e-9)))
        return self._replace(to_group=np.minimum(to_group, to_family), to_family=to_family)


class Sampler:
    """The tables that vectors of one kind are drawn by; safe to use from several threads."""

    def __init__(self, model: Model, kind: Kind, seed: int) -> None:
        side: Side = model.documents if kind == "documents" else model.queries
        self._model, self._side, self._kind, self._seed = model, side, kind, seed
        odds = model.share / (1 - model.share) * np.exp(side.odds[model.terms])
        share = odds / (1 + odds)
        self._factors = log_factors(share, model.starts, model.tail * side.rare, side.lengths)
        self._share = share.astype(np.float32)
        self._mean = (model.weight * side.ratio[model.terms]).astype(np.float32)
        self._row_of_shape = np.searchsorted(side.edges, self._mean).astype(np.int32)
        self._prior = np.cumsum(side.prior / side.prior.sum())
        regions = np.repeat(np.arange(len(model.tail_starts) - 1), np.diff(model.tail_starts))
        total = np.concatenate([[0.0], np.cumsum(model.tail_counts)])
        before, after = total[model.tail_starts[:-1]], total[model.tail_starts[1:]]
        self._tail_key = regions + (total[1:] - before[regions]) / np.maximum(after - before, 1e-30)[regions]
        self._rare = np.where(np.diff(model.tail_starts) > 0, 1.0, 0.0)[model.region] * model.tail
        self._rare *= side.rare * side.draws
        self._shape = side.shape.astype(np.float32).ravel()
        self._tail_mean = (model.tail_weight * side.ratio).astype(np.float32)

    def topics(self, first: int, count: int) -> NDArray[np.int64]:
        """Return the topics of vectors."""
        return self._vectors(first, count)[0]

    def block(self, first: int, count: int) -> Block:
        """Draw `count` vectors, at most BLOCK, from number `first` on."""
        topic, origins, length, factor = self._vectors(first, count)
        rows, terms, weights = self._frequent(topic, origins, factor)
        rare_rows, rare_terms, rare_weights = self._rare_terms(topic, origins, factor)
        rows = np.concatenate([rows, rare_rows])
        terms = np.concatenate([terms, rare_terms])
        side = self._side
        scale = np.interp(length, side.knots, side.scale).astype(np.float32)[rows]
        smallest = np.float32(side.smallest)
        weights = smallest + np.concatenate([weights, rare_weights]) * scale
        weights = np.interp(weights, side.drawn, side.true).astype(np.float32)
        return self._assembled(rows, terms, weights, count)

    def _vectors(
        self, first: int, count: int
    ) -> tuple[NDArray[np.int64], _Origins, NDArray[np.float64], NDArray[np.float32]]:
        """Return topics, origins, logs of lengths and length factors."""
        queries = self._kind == "queries"
        sharing = self._model.sharing
        own = mixed(np.arange(first, first + count, dtype=np.uint32), salted(self._seed, int(queries)))

        def number(purpose: int) -> NDArray[np.float64]:
            return uniform(mixed(own, np.uint32(purpose))).astype(np.float64)

        topic = np.minimum(np.searchsorted(self._prior, number(1)), self._model.n_topics - 1)
        family = mixed(mixed(topic.astype(np.uint32), salted(self._seed, 2)), _pareto(number(2), sharing.families))
        group = mixed(family, _pareto(number(3), sharing.groups) + np.uint32(1))
        most, copies = (sharing.query_most, sharing.query_copies) if queries else (sharing.most, sharing.copies)
        part = sharing.least + (most - sharing.least) * number(4) ** sharing.skew
        copied = number(5) < copies
        to_family = np.where(copied, 0.98, part).astype(np.float32)
        to_group = np.where(copied, 0.97, part * sharing.of_group).astype(np.float32)
        origins = _Origins(group, family, own, to_group, to_family)
        choice = origins.chosen(np.arange(count, dtype=np.int32), np.uint32(6))
        place = uniform(mixed(choice, np.uint32(7))).astype(np.float64) * (QUANTILES - 1)
        knot = place.astype(np.int64)
        rest = place - knot

        def between(table: NDArray[np.float64]) -> NDArray[np.float64]:
            return table[topic, knot] * (1 - rest) + table[topic, np.minimum(knot + 1, QUANTILES - 1)] * rest

        length = np.log(np.maximum(between(self._side.lengths), 1))
        return topic, origins, length, np.exp(between(self._factors)).astype(np.float32)

    def _frequent(
        self, topic: NDArray[np.int64], origins: _Origins, factor: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], Keys, NDArray[np.float32]]:
        """Return rows, terms and weights above the smallest of the topics' frequent terms."""
        starts = self._model.starts
        rows, at = _stretches(starts[topic], starts[topic + 1] - starts[topic])
        terms, share = self._model.terms[at], self._share[at]
        scaled = share * factor[rows]
        share = np.asarray(scaled / (np.float32(1) - share + scaled), np.float32)
        number = uniform(mixed(origins.chosen(rows, terms), terms))
        there = np.flatnonzero(number < share)
        at = at[there]
        weights = self._weights(self._mean[at], self._row_of_shape[at], number[there] / share[there])
        return rows[there], terms[there], weights

    def _rare_terms(
        self, topic: NDArray[np.int64], origins: _Origins, factor: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], Keys, NDArray[np.float32]]:
        """Return the same of rare terms, drawn from the tails of the topics' regions."""
        model = self._model
        every = np.arange(len(topic), dtype=np.int32)
        choice = origins.chosen(every, np.uint32(6))  # as for the length, so that copies have the same
        rounding = uniform(mixed(choice, np.uint32(8)))
        counts = np.floor(self._rare[topic] * factor + rounding).astype(np.int64)
        rows, slots = _stretches(np.zeros(len(topic), np.int64), counts)
        items = slots.astype(np.uint32) ^ _RARE
        keys = mixed(origins.sharing_more(model.sharing.rare).chosen(rows, items), items)
        region = model.region[topic][rows]
        terms = model.tail_terms[_found(self._tail_key, region, uniform(keys), model.tail_starts)]
        number = uniform(mixed(keys, _RARE))
        last = np.full(len(terms), len(self._side.shape) - 1, np.int32)
        return rows, terms, self._weights(self._tail_mean[terms], last, number)

    def _weights(
        self, mean: NDArray[np.float32], row: NDArray[np.int32], number: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return weights above the smallest, by quantiles that fall as the number grows."""
        place = (np.float32(1) - number) * np.float32(SHAPE - 1)
        knot = np.minimum(place.astype(np.int32), SHAPE - 2)
        part = place - knot.astype(np.float32)
        at = row * np.int32(SHAPE) + knot
        low = self._shape[at]
        relative = low + part * (self._shape[at + 1] - low)
        return np.asarray(relative * np.maximum(mean - np.float32(self._side.smallest), np.float32(1e-3)))

    def _assembled(self, rows: NDArray[np.int32], terms: Keys, weights: NDArray[np.float32], count: int) -> Block:
        """Sort by row and term, keep each pair once with its greatest weight, and round weights."""
        model = self._model
        codes = _rounded(weights, model.mantissa_bits)
        keys = rows.astype(np.int64) << _ROW_SHIFT
        keys |= terms.astype(np.int64) << np.int64(_CODE_BITS)
        keys |= codes
        keys.sort()
        pairs = keys >> np.int64(_CODE_BITS)
        keys = keys[np.append(pairs[1:] != pairs[:-1], True)] if len(keys) else keys
        keys = _shortened(keys, self._side.longest, count)
        lengths = np.bincount(keys >> _ROW_SHIFT, minlength=count).astype(np.int64)
        indices = ((keys >> np.int64(_CODE_BITS)) & _TERM_MASK).astype(np.int32)
        data = ((keys & _CODE_MASK).astype(np.uint32) << np.uint32(23 - _MANTISSA)).view(np.float32)
        return Block(lengths, indices, data)


def _pareto(number: NDArray[np.float64], scale: float) -> Keys:
    """Return whole numbers from 0 whose tail falls like 1 / n, half of them below `scale`."""
    return np.minimum(scale * (1 / number - 1), _LAST - 2).astype(np.uint32)


def _stretches(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return, for stretches of these starts and lengths, each member's stretch and its position."""
    rows = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return rows, np.arange(total) + np.repeat(starts - ends + counts, counts)


def _found(
    key: NDArray[np.float64], region: NDArray[np.int64], number: NDArray[np.float32], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return which of its region's terms each number falls on."""
    at = np.searchsorted(key, region + number.astype(np.float64))
    return np.asarray(np.clip(at, starts[region], starts[region + 1] - 1))


def _rounded(weights: NDArray[np.float32], bits: int) -> NDArray[np.int64]:
    """Return exponent and leading mantissa bits of weights, rounded to so many mantissa bits."""
    raw = weights.view(np.uint32)
    dropped = np.uint32(23 - bits)
    raw = (raw + (np.uint32(1) << (dropped - np.uint32(1)))) >> dropped << (dropped - np.uint32(23 - _MANTISSA))
    return raw.astype(np.int64)


def _shortened(keys: NDArray[np.int64], longest: int, count: int) -> NDArray[np.int64]:
    """Drop the lightest terms of rows that have more than `longest`."""
    rows = keys >> _ROW_SHIFT
    lengths = np.bincount(rows, minlength=count)
    over = np.flatnonzero(lengths > longest)
    if not len(over):
        return keys
    member = np.flatnonzero(lengths[rows] > longest)
    row, code = rows[member], keys[member] & _CODE_MASK
    order = np.lexsort((keys[member], -code, row))
    begins = np.cumsum(lengths[over]) - lengths[over]
    rank = np.arange(len(member)) - np.repeat(begins, lengths[over])
    kept = np.ones(len(keys), bool)
    kept[member[order[rank >= longest]]] = False
    return keys[kept]
