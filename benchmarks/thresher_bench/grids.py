"""The settings that each library is tried with.

A peer's grid is as wide as it takes for it to reach every recall that it can reach by itself, and as fine as it takes
for a finer one to change little: where the best setting of a floor lay at an edge, the edge was moved. Those of
thresher's engines follow from what they say of themselves, `dials` and `build_variants`.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import thresher
from thresher import _core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thresher_bench.engines.base import Settings


class Grid(NamedTuple):
    """A library, the settings that it is built with, and those that each of its indexes is searched with."""

    title: str
    engine: str
    """Module and class: an `Engine`, or a `thresher.Index`."""
    builds: list[Settings]
    searches: list[Settings]
    ours: bool = False


_DEFAULTS: list[Settings] = [{}]

PEERS: dict[str, Grid] = {
    "sindi": Grid(
        "SINDI",
        "thresher_bench.engines.sindi:Sindi",
        [
            {"doc_prune_ratio": pruned, "use_quantization": coded, "use_reorder": pruned > 0 or coded}
            for pruned, coded in product((0.0, 0.2, 0.4, 0.5, 0.6, 0.7), (False, True))
        ],
        [
            {"query_prune_ratio": query, "n_candidate": n, "use_term_lists_heap_insert": heap}
            for query, n, heap in product((0.0, 0.2, 0.4, 0.5, 0.6, 0.7), (20, 30, 50, 100, 200), (False, True))
        ],
    ),
    "seismic": Grid(
        "Seismic",
        "thresher_bench.engines.seismic:Seismic",
        [{"n_postings": n} for n in (600, 1000, 1500)],
        [
            {"query_cut": cut, "heap_factor": factor}
            for cut, factor in product((4, 5, 6, 7, 8, 10, 12, 15, 20, 30), (0.6, 0.7, 0.8, 0.9, 1.0))
        ],
    ),
    "kannolo": Grid(
        "kANNolo",
        "thresher_bench.engines.kannolo:Kannolo",
        [{"packed": False}, {"packed": True}],
        [
            *({"ef_search": ef} for ef in (10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400, 600, 1000)),
            *(
                {"ef_search": ef, "early_exit_threshold": threshold}
                for ef, threshold in product((10, 20, 30, 50, 100, 200), (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5))
            ),
            *(
                {"ef_search": ef, "early_exit_threshold": threshold}
                for ef, threshold in product((40, 60, 75, 150), (0.05, 0.1, 0.15, 0.2))
            ),
        ],
    ),
    "bmp": Grid(
        "BMP",
        "thresher_bench.engines.bmp:Bmp",
        [{"bsize": size} for size in (8, 16, 32)],
        [{"alpha": alpha, "beta": beta} for alpha, beta in product((1.0, 0.95, 0.9, 0.85, 0.8), (1.0, 0.8, 0.6))],
    ),
    "pisa": Grid(
        "PISA",
        "thresher_bench.engines.pisa:Pisa",
        _DEFAULTS,
        [
            {"algorithm": name}
            for name in ("maxscore", "wand", "block_max_maxscore", "block_max_wand", "ranked_or", "ranked_or_taat")
        ],
    ),
    "sparse-dot-topn": Grid(
        "sparse-dot-topn", "thresher_bench.engines.sparse_dot_topn:SparseDotTopn", _DEFAULTS, _DEFAULTS
    ),
    "qdrant": Grid("Qdrant edge", "thresher_bench.engines.qdrant:Qdrant", _DEFAULTS, _DEFAULTS),
    "zvec": Grid(
        "zvec",
        "thresher_bench.engines.zvec:Zvec",
        [{"m": m, "ef_construction": ef} for m, ef in ((0, 0), (16, 100), (32, 200), (50, 500))],
        _DEFAULTS,
    ),
    "bm25s": Grid("bm25s", "thresher_bench.engines.bm25s:Bm25s", _DEFAULTS, _DEFAULTS),
}

_UNUSUAL = {"qdrant", "zvec", "bm25s"}  # databases; and a library that answers queries without weights alone

_QUICK: dict[str, tuple[list[Settings], list[Settings]]] = {
    "sindi": (
        [
            {"doc_prune_ratio": 0.0, "use_quantization": False, "use_reorder": False},
            {"doc_prune_ratio": 0.5, "use_quantization": True, "use_reorder": True},
        ],
        [
            {"query_prune_ratio": query, "n_candidate": n, "use_term_lists_heap_insert": heap}
            for query, n, heap in (
                (0.0, 200, False),
                (0.2, 200, False),
                (0.4, 50, True),
                (0.4, 100, True),
                (0.5, 50, True),
                (0.6, 30, True),
            )
        ],
    ),
    "seismic": (
        [{"n_postings": 1000}],
        [{"query_cut": cut, "heap_factor": factor} for cut, factor in ((5, 0.9), (8, 0.9), (10, 0.9), (20, 0.9))],
    ),
    "kannolo": ([{"packed": False}], [{"ef_search": ef} for ef in (30, 75, 150, 300, 1000)]),
    "bmp": ([{"bsize": 16}], [{"alpha": alpha} for alpha in (1.0, 0.9)]),
    "pisa": (_DEFAULTS, [{"algorithm": "ranked_or_taat"}]),
}


_LARGE = 500_000  # documents above which Seismic needs longer lists
_SETTINGS = 72  # of an engine of thresher, about
_FEW = 6


def names() -> list[str]:
    """Return what there is: the engines of thresher, then other libraries."""
    return [*thresher.engines(), *PEERS]


def usual() -> list[str]:
    """Return what runs unless libraries are named."""
    return [name for name in names() if name not in _UNUSUAL]


def whole(name: str, n_docs: int, k: int) -> Grid:
    """Return a library's grid for a collection of this size and so many hits."""
    if name in thresher.engines():
        kind = thresher.engines()[name]
        return _ours(kind, [{}, *kind.build_variants()], _core.settings_of(kind.dials(n_docs, k), _SETTINGS))
    if name == "seismic" and n_docs > _LARGE:
        return PEERS[name]._replace(builds=[{"n_postings": n} for n in (1500, 2500, 3500)])
    return PEERS[name]


def quick(name: str, n_docs: int, k: int) -> Grid:
    """Return a library's grid with a few settings of each."""
    if name in thresher.engines():
        kind = thresher.engines()[name]
        return _ours(kind, _DEFAULTS, _core.settings_of(kind.dials(n_docs, k)[:2], _FEW))
    builds, searches = _QUICK.get(name, (_DEFAULTS, _DEFAULTS))
    return PEERS[name]._replace(builds=builds, searches=searches)


def _ours(kind: type[thresher.Index], builds: Sequence[Settings], searches: Sequence[Settings]) -> Grid:
    return Grid(kind.__name__, f"{kind.__module__}:{kind.__qualname__}", [*builds], [*searches], ours=True)
