#!/usr/bin/env python3
"""thresher as a retrieval approach of lsr-benchmark.

Takes the embeddings of a dataset, and writes `run.txt.gz` in TREC format beside what TIREx Tracker measured of the
build and of the searches. How to add it to that repository: README.md beside this file.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click
import lsr_benchmark
import numpy as np
from lsr_benchmark.click import retrieve_command
from lsr_benchmark.irds import embeddings as load_embeddings
from tirex_tracker import ExportFormat, register_metadata, tracking

import thresher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

Embeddings: TypeAlias = "Iterable[tuple[str, Sequence[str], npt.ArrayLike]]"  # an id, its terms, their weights
Ranking: TypeAlias = list[tuple[str, float]]  # documents and scores, best first

DIALS = {"clustered": "cluster_budget", "graph": "ef"}  # the search parameter of an engine that has an option here


class Vectors(NamedTuple):
    """Embeddings as a CSR matrix: a row for each id."""

    ids: list[str]
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    data: npt.NDArray[np.float32]

    @property
    def n_terms(self) -> int:
        """Return one more than the greatest term."""
        return int(self.indices.max(initial=-1)) + 1

    @property
    def triple(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the arrays that thresher takes."""
        return self.indptr, self.indices, self.data


def to_vectors(embeddings: Embeddings) -> Vectors:
    """Collect embeddings, whose terms come as strings of digits."""
    ids, terms, weights = [], [], []
    for name, tokens, values in embeddings:
        ids.append(name)
        terms.append(np.asarray(tokens).astype(np.int64))
        weights.append(np.asarray(values, dtype=np.float32))
    indptr = np.cumsum([0, *map(len, terms)], dtype=np.int64)
    empty = np.empty(0)
    return Vectors(
        ids,
        indptr,
        np.concatenate([*terms, empty]).astype(np.int64),
        np.concatenate([*weights, empty]).astype(np.float32),
    )


def build_index(documents: Vectors, engine: str, n_terms: int) -> thresher.Index:
    """Build an engine's index of the documents with its defaults."""
    builder: Any = thresher.engines()[engine]
    index: thresher.Index = builder.build(documents.triple, shape=(len(documents.ids), n_terms))
    return index


def retrieve(
    index: thresher.Index, documents: list[str], queries: Vectors, k: int, options: dict[str, int]
) -> list[Ranking]:
    """Return a ranking for each query: at most k documents, those with a positive score."""
    search: Any = index.search  # each engine's takes options of its own
    hits = search(queries.triple, k, shape=(len(queries.ids), index.n_terms), **options)
    return [
        [(documents[row], score) for row, score in zip(rows, scores, strict=True) if row >= 0]
        for rows, scores in zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)
    ]


def write_run(path: Path, queries: list[str], rankings: list[Ranking]) -> None:
    """Write the rankings as a gzipped TREC run."""
    with gzip.open(path, "wt") as run:
        for query, ranking in zip(queries, rankings, strict=True):
            for rank, (document, score) in enumerate(ranking, start=1):
                run.write(f"{query} Q0 {document} {rank} {score:.9g} thresher\n")


@retrieve_command()  # type: ignore[untyped-decorator] # the package has no types
@click.option("--engine", type=click.Choice(sorted(thresher.engines())), default="clustered", show_default=True)
@click.option("--cluster-budget", type=click.IntRange(min=0), default=0, help="Of the engine clustered; 0: by k.")
@click.option("--ef", type=click.IntRange(min=0), default=0, help="Of the engine graph; 0: by k.")
@click.option("--threads", type=click.IntRange(min=0), default=0, help="Threads that search; 0: one a core.")
def main(
    dataset: str, embedding: str, output: Path, k: int, engine: str, cluster_budget: int, ef: int, threads: int
) -> None:
    """Index the documents of a dataset and retrieve k of them for each query."""
    output.mkdir(parents=True, exist_ok=True)
    lsr_benchmark.register_to_ir_datasets(dataset)
    dials = {"cluster_budget": cluster_budget, "ef": ef}
    chosen = {name: dials[name] for of, name in DIALS.items() if of == engine and dials[name]}
    named = "".join(f"-{value}" for value in chosen.values())
    tag = f"thresher-{engine}{named}-{embedding.replace('/', '-')}-{k}"
    register_metadata({"actor": {"team": "reneuir-baselines"}, "tag": tag})

    documents = to_vectors(load_embeddings(dataset, embedding, "doc"))
    queries = to_vectors(load_embeddings(dataset, embedding, "query"))
    n_terms = max(documents.n_terms, queries.n_terms)

    with tracking(export_file_path=output / "index-metadata.yml", export_format=ExportFormat.IR_METADATA):
        index = build_index(documents, engine, n_terms)
    with tracking(export_file_path=output / "retrieval-metadata.yml", export_format=ExportFormat.IR_METADATA):
        rankings = retrieve(index, documents.ids, queries, k, {"threads": threads} | chosen)
    write_run(output / "run.txt.gz", queries.ids, rankings)


if __name__ == "__main__":
    main()
