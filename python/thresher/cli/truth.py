"""``thresher truth``: exact answers to a set of queries, to measure other engines against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import thresher
from thresher.cli._terminal import note, progress_bar
from thresher.cli._vectors import DOCUMENTS, read_collection, read_questions_about, refuse_to_overwrite
from thresher.formats.bigann import write_ground_truth


def truth(
    base: Annotated[Path, typer.Argument(metavar="BASE", help=DOCUMENTS)],
    queries_path: Annotated[Path, typer.Argument(metavar="QUERIES", help="Queries: .csr, .npz or .jsonl[.gz].")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The ground-truth file to write.")],
    *,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Hits for each query.")] = 100,
    threads: Annotated[int, typer.Option(min=0, help="Threads to work with; 0 means all cores.")] = 0,
) -> None:
    """Search exhaustively and write a BigANN ground-truth file.

    The file holds uint32 queries and k, int32 ids[queries, k] and float32 scores[queries, k],
    little-endian, best first. A query with fewer than k documents of positive score is padded with
    the id -1 and the score -inf.
    """
    refuse_to_overwrite(output, base, queries_path)
    documents = read_collection(base)
    queries = read_questions_about(documents, queries_path)
    with progress_bar("building", unit="documents") as progress:
        index = thresher.ExactIndex.build(documents.docs, shape=documents.shape, threads=threads, progress=progress)
    with progress_bar("searching", unit="queries") as progress:
        hits = index.search(queries.matrix, k=k, threads=threads, progress=progress)
    columns = (0, 0), (0, k - hits.ids.shape[1])  # where there are fewer documents
    write_ground_truth(
        output,
        np.pad(hits.ids, columns, constant_values=-1),
        np.pad(hits.scores, columns, constant_values=-np.inf),
    )
    note(f"{output}: {len(hits.ids):,} queries, k = {k}")
