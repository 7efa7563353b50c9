"""``thresher collection search``: the best documents for each query of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from thresher.cli._hits import Format, K, Layout, Output, Tag, Threads, write
from thresher.cli._terminal import progress_bar
from thresher.cli._vectors import refuse_to_overwrite
from thresher.cli.collection._options import WHERE, parsed
from thresher.cli.collection._rows import rows_of
from thresher.collection import Collection, CollectionHits
from thresher.formats.trec import run_lines

_AT_ONCE = 4096  # queries


def search(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    queries_path: Annotated[
        Path | None, typer.Argument(metavar="[QUERIES]", help="Queries: .jsonl[.gz], .parquet or .arrow.")
    ] = None,
    *,
    texts: Annotated[
        list[str] | None, typer.Option("--text", "-t", help="A query in words, in place of a file; may be repeated.")
    ] = None,
    k: K = 10,
    where: Annotated[str | None, typer.Option(help=WHERE)] = None,
    vector: Annotated[str | None, typer.Option(help="Which of several vectors to compare.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Miss nothing.")] = False,
    threads: Threads = 0,
    layout: Format = Layout.IDS,
    output: Output = None,
    tag: Tag = "thresher",
) -> None:
    """Search a collection for the best documents of each query, best first.

    A query is {"id": ..., "vector": {term: weight, ...}}; terms that no document has are left out.
    Where the collection has an encoder, {"id": ..., "text": ...}.
    """
    if (queries_path is None) == (not texts):
        raise typer.BadParameter("give a file of queries, or --text: one of them.", param_hint="QUERIES")
    condition = parsed(where)
    if output is not None:
        refuse_to_overwrite(output, *([] if queries_path is None else [queries_path]))
    with Collection.open(path) as collection:
        name = vector or next(iter(collection.vectors))
        if name not in collection.vectors:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(collection.vectors)}.", param_hint="--vector")
        queries: list[tuple[str | int, Any]] = [*enumerate(texts or [], 1)]
        if queries_path is not None:
            with rows_of(queries_path, collection, doing="reading") as rows:
                queries = [(row.id, row.text if row.vectors is None else row.vectors.get(name, {})) for _, row in rows]
            if len({type(query) for _, query in queries}) > 1:
                raise ValueError(f"{queries_path}: some queries have a vector, and some a text alone")

        def lines() -> Iterator[str]:
            with progress_bar("searching", unit="queries") as progress:
                for begin in range(0, len(queries), _AT_ONCE):
                    some = queries[begin : begin + _AT_ONCE]
                    options: dict[str, Any] = {"exact": True} if exact else {}
                    hits = collection.search(
                        [query for _, query in some], k, where=condition, vector=vector, threads=threads, **options
                    )
                    yield from _shown([query for query, _ in some], hits, layout, tag)
                    if progress is not None:
                        progress(begin + len(some), len(queries))

        write(lines(), output)


def _shown(queries: Sequence[str | int], hits: CollectionHits, layout: Layout, tag: str) -> Iterator[str]:
    if layout is Layout.IDS:
        for ids, _ in hits.rows():
            yield "\t".join(map(str, ids)) + "\n"
    elif layout is Layout.TREC:
        numbers = np.where(hits.seqs >= 0, np.arange(hits.seqs.size).reshape(hits.seqs.shape), -1)
        names = [str(one) for one in hits.ids.ravel()]
        yield from run_lines(numbers, hits.scores, queries=list(map(str, queries)), documents=names, tag=tag)
    else:
        for query, (ids, scores), payloads in zip(queries, hits.rows(), hits.payloads(), strict=True):
            found = [
                {"id": one, "score": float(str(score)), **({"payload": payload} if payload else {})}
                for one, score, payload in zip(ids.tolist(), scores, payloads, strict=True)
            ]
            yield json.dumps({"query": query, "hits": found}, ensure_ascii=False) + "\n"
