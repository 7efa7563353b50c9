"""Write the golden index files of the current format version, and what they must answer.

Run once for each format version and for each new engine: ``python tests/data/make_golden.py`` writes the files
that are missing and leaves the others alone. Files of a version that has been released are never written again:
they are how a later library proves that it still reads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

import thresher
from thresher.engines.options import Weights

Floats: TypeAlias = npt.NDArray[np.float32]
Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

HERE = Path(__file__).parent
VERSION = 4  # the format version that the library writes
PARAMETERS: dict[str, dict[str, Any]] = {
    "exact": {"window": 64, "row_density": 0.1},
    "block-max": {"reorder": True, "bound_frequency": 0.01, "tile_frequency": 0.08},
    "clustered": {"dense_frequency": 0.007, "tile_frequency": 0.04, "neighbours": 3},
    "graph": {"m": 3, "ef_construction": 12, "entry_points": 2},
    "impact": {},
    "postings": {},
}
N_DOCS, N_TERMS, N_QUERIES, K = 70, 50, 10, 8
SOME_GROUPS: dict[str, Any] = {"query_cut": 0, "cluster_budget": 30, "group_budget": 2}  # of 175 clusters and 6 groups


def main() -> None:
    """Write ``<engine>-v<version>-<weights>.thresher`` and ``.npz`` beside this script, where they are missing."""
    rng = np.random.default_rng(20)
    present = rng.random((N_DOCS, N_TERMS)) < np.linspace(0.95, 0.1, N_TERMS) ** 4
    present[[7, 40]] = False  # documents without terms
    present[:, 11] = False  # a term without documents
    dense = np.where(present, rng.uniform(0.08, 3, present.shape), 0).astype(np.float32)
    dense[60:] = dense[10:20]  # ties
    asked = rng.random((N_QUERIES, N_TERMS)) < 0.15
    asked[0] = False
    queries = np.where(asked, rng.normal(0.7, 0.8, asked.shape), 0).astype(np.float32)
    for weights in (np.float16, np.float32):
        write(dense.astype(weights).astype(np.float32), queries, np.dtype(weights).name)
    write_groups(rng)
    write_signed(rng)


def write(docs: Floats, queries: Floats, weights: str) -> None:
    """Write the index of each engine that has none yet, with documents, queries and hits."""
    engines: dict[str, Engine] = dict(thresher.engines())
    for name, engine in engines.items():
        path = HERE / f"{name}-v{VERSION}-{weights}.thresher"
        if path.exists() and path.with_suffix(".npz").exists():
            continue
        index = engine.build(sp.csr_array(docs), **PARAMETERS[name])
        ids, scores = index.search(sp.csr_array(queries), K)
        check(ids, scores, queries.astype(np.float64) @ docs.astype(np.float64).T)
        index.save(path)
        if thresher.describe(path)["format_version"] != VERSION:
            path.unlink()
            raise SystemExit("the format version has changed: set VERSION to it, and keep the old files")
        np.savez_compressed(path.with_suffix(".npz"), docs=docs, queries=queries, ids=ids, scores=scores)


def write_groups(rng: np.random.Generator) -> None:
    """Write a clustered index that has groups of clusters, and the hits of a search that looks into some of them."""
    path = HERE / f"clustered-v{VERSION}-groups.thresher"
    if path.exists() and path.with_suffix(".npz").exists():
        return
    n_docs, n_terms = 700, 30
    docs = np.where(rng.random((n_docs, n_terms)) < 0.05, rng.uniform(0.1, 3, (n_docs, n_terms)), 0)
    docs = docs.astype(np.float16).astype(np.float32)
    queries = np.where(rng.random((N_QUERIES, n_terms)) < 0.2, rng.uniform(0.1, 2, (N_QUERIES, n_terms)), 0)
    queries = queries.astype(np.float32)
    index = thresher.ClusteredIndex.build(
        sp.csr_array(docs), dense_frequency=0.003, tile_frequency=1, group_frequency=0.001
    )
    ids, scores = index.search(sp.csr_array(queries), K, **SOME_GROUPS)
    index.save(path)
    np.savez_compressed(path.with_suffix(".npz"), docs=docs, queries=queries, ids=ids, scores=scores)


def write_signed(rng: np.random.Generator) -> None:
    """Write indexes of weights of both signs, one far above the others, with words and names, in either precision."""
    docs = np.where(rng.random((N_DOCS, N_TERMS)) < 0.3, rng.normal(0, 1, (N_DOCS, N_TERMS)), 0).astype(np.float32)
    docs[:, 7] = -np.abs(docs[:, 7])  # a term of negative weights alone
    docs[33, 3] = 1e6
    queries = np.where(rng.random((N_QUERIES, N_TERMS)) < 0.3, rng.normal(0, 1, (N_QUERIES, N_TERMS)), 0)
    queries = queries.astype(np.float32)
    kinds: list[tuple[str, Weights]] = [("exact", "uint8"), ("clustered", "uint8+float")]
    for name, weights in kinds:
        path = HERE / f"{name}-v{VERSION}-signed.thresher"
        if path.exists() and path.with_suffix(".npz").exists():
            continue
        index = thresher.engines()[name].build(
            sp.csr_array(docs),
            weights=weights,
            words=[f"word {term}" for term in range(N_TERMS)],
            names=[f"document {doc}" for doc in range(N_DOCS)],
        )
        ids, scores = index.search(sp.csr_array(queries), K, exact=True)
        stored = index.vectors(np.arange(N_DOCS)).toarray()
        check(ids, scores, queries.astype(np.float64) @ stored.astype(np.float64).T)
        index.save(path)
        np.savez_compressed(path.with_suffix(".npz"), docs=stored, queries=queries, ids=ids, scores=scores)


def check(ids: npt.NDArray[np.int64], scores: Floats, exact: npt.NDArray[np.float64]) -> None:
    """Exit unless the hits are a brute force's."""
    for query in range(N_QUERIES):
        order = np.lexsort((np.arange(N_DOCS), -exact[query].astype(np.float32)))[:K]
        best = np.where(exact[query, order] > 1e-9, order, -1)
        if ids[query].tolist() != best.tolist():
            raise SystemExit(f"query {query}: got {ids[query]}, a brute force gives {best}")
        found = best >= 0
        if not np.allclose(scores[query, found], exact[query, best[found]], rtol=1e-6, atol=0):
            raise SystemExit(f"query {query}: got {scores[query]}, a brute force gives {exact[query, best]}")


if __name__ == "__main__":
    main()
