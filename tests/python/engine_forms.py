"""The engines, each in the forms that its contract is tested in.

An engine that is not named here is built as it comes, and taken as exact and without search parameters.
"""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from reference import Collection

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own
Options: TypeAlias = dict[str, Any]

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0], [1, 0, 2]], np.float32))
ALL = 2**40

# Ways to build. The first has every part that a search parameter needs.
BUILDS: dict[str, list[Options]] = {
    "exact": [{}, {"window": 64, "row_density": 0.01}, {"window": 128, "row_density": 1.0}],
    "block-max": [
        {"reorder": True},
        {"block_size": 64, "bound_frequency": 1e-9, "tile_frequency": 1e-9},
        {"block_size": 4, "bound_frequency": 0.3, "tile_frequency": 0.1},
        {"block_size": 8, "bound_frequency": 1.0, "tile_frequency": 1.0},
    ],
    "clustered": [
        {"neighbours": 4, "group_frequency": 0.01},
        {"cluster_size": 64, "reorder": False},
        {"cluster_size": 4, "dense_frequency": 0.3},
        {"cluster_size": 16, "reorder": False, "dense_frequency": 1e-9, "n_postings": 2**31, "neighbours": 1},
    ],
    "graph": [{}, {"m": 4, "ef_construction": 16, "entry_points": 1, "reorder": False}],
}

# Search parameters that leave nothing out. Block-max would search small collections exhaustively without any.
EXACT: dict[str, list[Options]] = {
    "block-max": [{"block_budget": ALL}, {}],
    "clustered": [{"query_cut": 0, "cluster_budget": ALL}],
    "graph": [{"ef": ALL}, {"ef": ALL, "entry_terms": 1}],
    "impact": [{}, {"postings_budget": ALL, "deadline_us": 1e9}],
    "postings": [{"algorithm": a} for a in ("auto", "maxscore", "wand", "block_max_maxscore", "block_max_wand")],
}

# And some that do.
LIMITS: dict[str, list[Options]] = {
    "block-max": [
        {"alpha": 0.4},
        {"alpha": 0.8},
        {"beta": 0.2},
        {"beta": 0.6},
        {"block_budget": 1},
        {"block_budget": 40},
        {"superblock_budget": 1},
        {"alpha": 0.7, "beta": 0.7, "block_budget": 50, "superblock_budget": 9},
    ],
    "clustered": [
        {},
        {"query_cut": 1},
        {"heap_factor": 0.5},
        {"cluster_budget": 1},
        {"cluster_budget": 20},
        {"cluster_budget": 2, "refine": 1},
        {"cluster_budget": 5, "refine": 10},
        {"query_cut": 4, "heap_factor": 0.8, "cluster_budget": 9, "refine": 3},
        {"group_budget": 3},
        {"query_cut": 4, "cluster_budget": 20, "group_budget": 12},
    ],
    "graph": [
        {},
        {"ef": 1},
        {"ef": 30, "entry_terms": 1},
        {"ef": 200, "entry_terms": 0, "early_stop": 0.9},
        {"entry_terms": 2, "early_stop": 1},
        {"ef": 20},
    ],
    "impact": [
        {"postings_budget": 300},
        {"postings_budget": 2000, "rescored": 30},
        {"postings_budget": 500, "deadline_us": 1e9},
    ],
}


def builds_of(engine: str) -> list[Options]:
    return BUILDS.get(engine, [{}])


def exact_of(engine: str) -> list[Options]:
    return EXACT.get(engine, [{}])


def searches_of(engine: str) -> list[Options]:
    """Return search parameters of every kind."""
    return exact_of(engine) + LIMITS.get(engine, [])


def build(engine: Engine, docs: Collection, **options: Any) -> Any:
    """Return an index of documents in raw form."""
    return engine.build(docs.triple, shape=docs.shape, **options)


def takes(engine: Engine, name: str) -> bool:
    """Return whether the engine's build has a parameter of that name."""
    return name in inspect.signature(engine.build).parameters


def engines_that_take(name: str) -> list[Any]:
    """Return the engines, as parameters of a test, whose build has a parameter of that name."""
    return [pytest.param(engine, id=key) for key, engine in sorted(thresher.engines().items()) if takes(engine, name)]


def each(options_of: Any) -> list[Any]:
    """Return every engine with each of its options, as parameters of a test."""
    return [
        pytest.param(engine, options, id=f"{name}-{options}")
        for name, engine in sorted(thresher.engines().items())
        for options in options_of(name)
    ]
