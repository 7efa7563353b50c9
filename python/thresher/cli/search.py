"""``thresher search``: the best documents for each query of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

import thresher
from thresher.cli._hits import Format, K, Layout, Output, Tag, Threads, write
from thresher.cli._terminal import progress_bar
from thresher.cli._vectors import read_questions, refuse_to_overwrite
from thresher.formats.names import names_of, names_path
from thresher.formats.trec import run_lines


def search(
    index_path: Annotated[Path, typer.Argument(metavar="INDEX", help="An index that `build` wrote.")],
    queries_path: Annotated[Path, typer.Argument(metavar="QUERIES", help="Queries: .csr, .npz or .jsonl[.gz].")],
    *,
    k: K = 10,
    threads: Threads = 0,
    layout: Format = Layout.IDS,
    output: Output = None,
    tag: Tag = "thresher",
) -> None:
    """Search an index for the best documents of each query, best first.

    Where the index keeps ids and words (`build` stores those of JSON lines and CIFF files), documents
    go by their ids, and the terms of JSON-lines queries by words; terms that no document has are left
    out. Otherwise documents and terms go by number, counted from 0, and a word in a query is an error.
    An older index has them in INDEX.names beside it.
    """
    if output is not None:
        refuse_to_overwrite(output, index_path, names_path(index_path), queries_path)
    index = thresher.open(index_path)
    names = names_of(index, index_path)
    vocabulary = None if names is None else names.vocabulary
    nameless = f"{index_path} keeps no words" if names is None else None
    queries = read_questions(queries_path, vocabulary=vocabulary, n_terms=index.n_terms, nameless=nameless)
    with progress_bar("searching", unit="queries") as progress:
        hits = index.search(queries.matrix, k=k, threads=threads, progress=progress)
    documents = None if names is None else names.documents
    if layout is Layout.TREC:
        lines = run_lines(hits.ids, hits.scores, queries=queries.ids, documents=documents, tag=tag)
    elif layout is Layout.JSONL:
        lines = _json_lines(hits, queries.ids, documents)
    else:
        lines = _id_lines(hits, documents)
    write(lines, output)


def _id_lines(hits: thresher.Hits, documents: Sequence[str] | None) -> Iterator[str]:
    for ids in hits.ids:
        found = ids[ids >= 0].tolist()
        yield "\t".join(str(number) if documents is None else documents[number] for number in found) + "\n"


def _json_lines(hits: thresher.Hits, queries: Sequence[str] | None, documents: Sequence[str] | None) -> Iterator[str]:
    for row, (ids, scores) in enumerate(zip(hits.ids, hits.scores, strict=True)):
        found = [
            {"id": number if documents is None else documents[number], "score": float(str(score))}
            for number, score in zip(ids.tolist(), scores, strict=True)
            if number >= 0
        ]
        query: int | str = row if queries is None else queries[row]
        yield json.dumps({"query": query, "hits": found}) + "\n"
