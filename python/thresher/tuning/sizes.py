"""What an index takes, part by part, from the document frequencies of its collection: docs/format.md as arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Parts: TypeAlias = dict[str, float]

DOC_WINDOW = 65_536  # of block-max, and of clusters
LARGEST_LOOKUP = 65_536
GROUPED_FROM = 1_500_000  # documents from which clusters have groups
COMMON_SLOTS = 4_096
LOOKED_AT = 20_000  # documents whose own terms are counted


@dataclass(frozen=True)
class Collection:
    """What sizes depend on."""

    n_docs: int
    n_terms: int
    frequencies: npt.NDArray[np.float64]
    """Document frequencies of the terms that occur, falling."""
    weight_bits: int
    nibble_bytes: float
    """Bytes of the high four bits of common slots, for each document."""
    clustered_share: float = 0.8
    """Entries in lists of clusters for each posting of the same terms."""
    edge_bytes: float = 40.0
    """Bytes of edges for each document."""

    @property
    def nnz(self) -> float:
        """Postings."""
        return float(self.frequencies.sum())

    @property
    def n_slots(self) -> int:
        """Terms that occur."""
        return len(self.frequencies)

    def n_with(self, least: float) -> int:
        """Terms that at least so many documents have."""
        return int(np.searchsorted(-self.frequencies, -least, side="right"))

    def postings(self, first: int, last: int) -> float:
        """Return the postings of the terms of these ranks."""
        return float(self.frequencies[first:last].sum())


def parts_of(engine: str, collection: Collection, *, reordered: bool = False) -> Parts:
    """Return the bytes of each part of an index with default parameters, as `nbytes` names them."""
    parts = {"vocabulary": _vocabulary(collection), "forward": _forward(collection)}
    if reordered or engine in ("clustered", "graph"):
        parts["order"] = 8.0 * collection.n_docs
    if engine != "graph":
        parts["quantiser"] = 8.0 * collection.n_slots
    return parts | _PARTS[engine](collection)


def collection_of(docs: sp.csr_array, n_docs: int, rng: np.random.Generator) -> Collection:
    """Return what sizes depend on, of a collection of `n_docs` documents like these."""
    counts = np.bincount(docs.indices[docs.data != 0], minlength=1)
    frequencies = -np.sort(-counts[counts > 0]).astype(np.float64)
    grown = n_docs / docs.shape[0]
    if grown != 1:
        frequencies = _at_size(docs, frequencies, grown)
    common = np.zeros(docs.shape[1], bool)
    common[np.argsort(-counts, kind="stable")[:COMMON_SLOTS]] = True
    rows = docs[np.sort(rng.choice(docs.shape[0], min(docs.shape[0], LOOKED_AT), replace=False))]
    sums = np.concatenate([[0], np.cumsum(common[rows.indices])])
    n_common = sums[rows.indptr[1:]] - sums[rows.indptr[:-1]]
    nibbles = 16 * (n_common // 32) + np.minimum(n_common % 32, 16)
    return Collection(
        n_docs=n_docs,
        n_terms=docs.shape[1],
        frequencies=frequencies,
        weight_bits=_weight_bits(docs.data[docs.data > 0]),
        nibble_bytes=float(nibbles.mean()),
    )


def _at_size(docs: sp.csr_array, frequencies: npt.NDArray[np.float64], grown: float) -> npt.NDArray[np.float64]:
    """Return the document frequencies of a collection that is so many times the size of `docs`."""
    half = docs[: docs.shape[0] // 2]
    n_half = len(np.unique(half.indices))
    power = math.log(len(frequencies) / n_half) / math.log(docs.shape[0] / half.shape[0]) if n_half else 0.0
    n_slots = min(docs.shape[1], round(len(frequencies) * grown**power))
    scaled = frequencies * grown
    if n_slots <= len(frequencies):
        return np.maximum(scaled[:n_slots], 1.0) if grown < 1 else scaled
    # Terms that are new are as rare as terms that were seen once are now.
    return np.concatenate([scaled, np.full(n_slots - len(frequencies), 1.0)])


def _weight_bits(weights: npt.NDArray[np.float32]) -> int:
    """Return the bits that the forward index takes for a weight."""
    with np.errstate(over="ignore"):
        halves = weights.astype(np.float16)
    are_halves = np.array_equal(halves.astype(np.float32), weights)
    patterns = halves.view(np.uint16) if are_halves else np.ascontiguousarray(weights).view(np.uint32)
    return int(patterns.max() - patterns.min()).bit_length()


def _vocabulary(c: Collection) -> float:
    if c.n_terms <= 4 * c.n_slots + LARGEST_LOOKUP:
        return 8.0 * c.n_slots + 4.0 * c.n_terms
    return 8.0 * c.n_slots + 8.0 * 2.0 ** math.ceil(math.log2(2 * c.n_slots + 1))


def _forward(c: Collection) -> float:
    slot_bytes = 2 if c.n_slots <= 65_536 else 4
    common = c.postings(0, COMMON_SLOTS)
    rare = c.nnz - common
    each = 4 + 2 + slot_bytes + 0.5 + c.nibble_bytes  # half a byte is left over behind the weights
    return 64 + c.n_docs * each + common + rare * slot_bytes + c.nnz * c.weight_bits / 8


def _windowed(c: Collection, window: int, n_rows: int, n_items: float, share: float = 1.0) -> Parts:
    """Return lists and rare lists of terms from rank `n_rows` on, over `n_items` documents or clusters."""
    n_windows = math.ceil(n_items / window)
    n_lists = max(c.n_with(2 * n_windows), n_rows)
    first = 0 if share != 1 else n_rows  # lists of clusters are there for dense terms too, without entries
    listed, rare = c.postings(n_rows, n_lists) * share, c.postings(n_lists, c.n_slots) * share
    return {
        "lists": 8 * (n_windows + 1) + 4 * n_windows * (n_lists - first + 1) + 3 * listed,
        "rare": 8 * (c.n_slots - n_lists + 1) + 5 * rare,
    }


def _row_bytes(c: Collection, window: int) -> float:
    full, last = divmod(c.n_docs, window)
    return full * (window + 64) + (64 * math.ceil(last / 64) + 64 if last else 0)


def _exhaustive(c: Collection, window: int) -> tuple[int, Parts]:
    each = _row_bytes(c, window)
    n_rows = c.n_with(max(1.0, 0.1 * each))
    return n_rows, {"rows": n_rows * each, **_windowed(c, window, n_rows, c.n_docs)}


def _maxima(c: Collection, n_rows: int, size: int) -> float:
    n_superblocks = math.ceil(math.ceil(c.n_docs / size) / 128)
    return 64.0 * n_rows * (n_superblocks + 1)


def _tiles(c: Collection, n_rows: int) -> float:
    n_tile_rows = min(n_rows, c.n_with(0.06 * c.n_docs))
    return math.ceil(c.n_docs / 4) * 64.0 * math.ceil(2 * n_tile_rows / 64)


def _exact(c: Collection) -> Parts:
    return _exhaustive(c, 8192)[1]


def _block_max(c: Collection) -> Parts:
    n_document_rows, parts = _exhaustive(c, DOC_WINDOW)
    n_rows = max(c.n_with(0.01 * c.n_docs), n_document_rows)
    return {
        **parts,
        "blocks": _maxima(c, n_rows, 4),
        "superblocks": _maxima(c, n_rows, 4 * 128),
        "tiles": _tiles(c, n_rows),
    }


def _clustered(c: Collection) -> Parts:
    n_rows = c.n_with(0.015 * c.n_docs)
    lists = _windowed(c, DOC_WINDOW, n_rows, c.n_docs / 4, c.clustered_share)
    grouped = c.n_docs >= GROUPED_FROM
    groups = _maxima(c, max(n_rows, c.n_with(0.0005 * c.n_docs)), 4 * 32) if grouped else 0.0
    summaries = {"summaries": _maxima(c, n_rows, 4), **lists, "groups": groups}
    return {**summaries, "tiles": _tiles(c, n_rows), "neighbours": 0.0}


def _graph(c: Collection) -> Parts:
    most = max(32, math.isqrt(c.n_docs) // 5)
    kept = np.minimum(c.frequencies, most)
    gaps = c.n_docs / np.maximum(kept, 1)
    # Gaps are exponential, and take a byte for each seven bits.
    each = 1 + np.exp(-128 / gaps) + np.exp(-16_384 / gaps) + np.exp(-2_097_152 / gaps)
    return {"edges": 68 + c.n_docs * (4 + c.edge_bytes), "entries": 8 * c.n_slots + 68 + float((kept * each).sum())}


def _impact(c: Collection) -> Parts:
    n_windows = math.ceil(c.n_docs / 65_472)
    n_levelled = c.n_with(16 * n_windows)
    directory = 32 * n_windows * (n_levelled + 1) + 60 * n_levelled
    return {
        "segments": directory + 8 * (n_windows + 1) + 2 * c.postings(0, n_levelled),
        "rare": 8 * (c.n_slots - n_levelled + 1) + 5 * c.postings(n_levelled, c.n_slots),
    }


def _postings(c: Collection) -> Parts:
    n_lists = c.n_with(9)
    lengths = c.frequencies[:n_lists]
    n_blocks = np.ceil(lengths / 128)
    # A block's width is that of the largest of so many gaps, which are exponential: a Gumbel distribution.
    shares = (np.arange(16) + 0.5) / 16
    gumbel = -np.log(-np.log(shares))
    in_block = np.minimum(lengths, 128)
    largest = (c.n_docs / np.maximum(lengths, 1))[:, None] * np.maximum(np.log(in_block)[:, None] + gumbel, 0.05)
    bits = np.ceil(np.log2(np.minimum(largest, c.n_docs) + 1)).mean(axis=1)
    bits = np.where(lengths >= c.n_docs, 0, bits)
    n_impacts = sum(c.n_with(n) for n in (10, 100, 1000))
    return {
        "blocks": 68 + float((lengths * (1 + bits / 8) + n_blocks * (4 + 1.5)).sum()),
        "skips": float(n_blocks.sum() * 5 + 4 * (n_lists + 1) + n_impacts),
        "rare": 5 * c.postings(n_lists, c.n_slots),
    }


_PARTS: dict[str, Callable[[Collection], Parts]] = {
    "exact": _exact,
    "block-max": _block_max,
    "clustered": _clustered,
    "graph": _graph,
    "impact": _impact,
    "postings": _postings,
}
