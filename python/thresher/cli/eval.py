"""``thresher eval``: how good runs and engines are against judgements, beside what they cost."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

import thresher
from thresher import formats
from thresher.cli._terminal import progress_bar
from thresher.cli._vectors import DOCUMENTS, read_collection, read_questions, refuse_to_overwrite
from thresher.evaluation import table
from thresher.evaluation.significance import Correction, Test
from thresher.evaluation.specs import Spec, as_spec
from thresher.formats import trec
from thresher.formats._atomic import atomic_write
from thresher.formats.names import names_of

if TYPE_CHECKING:
    from thresher import MatrixLike

_STDIN = Path("-")


class Layout(StrEnum):
    """How a table is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


class _Asked(NamedTuple):
    """What engines are measured on."""

    specs: list[Spec]
    docs: MatrixLike | None
    doc_ids: Sequence[str] | None
    queries: MatrixLike
    query_ids: Sequence[str] | None


def eval(  # noqa: A001 - the command's name
    run_paths: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="TREC runs, also gzipped; - is standard input.")
    ] = None,
    *,
    qrels_path: Annotated[
        str, typer.Argument(metavar="QRELS", help="Judgements: a TREC or BEIR file, - or an id of ir_datasets.")
    ],
    measure: Annotated[
        list[str] | None, typer.Option("--measure", "-m", help="Such as nDCG@10, RR@10, AP(rel=2); may be repeated.")
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            "-e",
            metavar="SPEC",
            help="An engine to build, or an index file, with parameters: exact, clustered:cluster_budget=50, "
            "docs.thresher:query_cut=8; may be repeated.",
        ),
    ] = None,
    docs_path: Annotated[Path | None, typer.Option("--docs", help=f"For engines. {DOCUMENTS}")] = None,
    queries_path: Annotated[
        Path | None, typer.Option("--queries", help="For engines. Queries: .csr, .npz or .jsonl[.gz].")
    ] = None,
    k: Annotated[
        int | None, typer.Option("--k", "-k", min=1, help="Hits for each query; by default what measures look at.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each query is timed; the median counts.")] = 5,
    threads: Annotated[int, typer.Option(min=0, help="Threads to build with; 0 means all cores.")] = 0,
    baseline: Annotated[str | None, typer.Option(help="The row to test others against; the first without.")] = None,
    test: Annotated[Test, typer.Option(help="Of significance.")] = "t",
    correction: Annotated[Correction, typer.Option(help="For several rows and measures being tested.")] = "holm",
    level: Annotated[float, typer.Option(min=0, max=1, help="Of significance.")] = 0.05,
    layout: Annotated[Layout, typer.Option("--format", help="csv and json have p-values.")] = Layout.TEXT,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of stdout.")] = None,
) -> None:
    """Measure how good runs are, and engines beside their recall, time and bytes.

    A row for each RUN, and for each engine or index that --engine names, which is asked the queries
    of --queries. A mark says that a row differs from the first one by more than chance.

    Queries without judgements are left out; queries with judgements and without hits count 0.
    """
    given = [path for path in (*(run_paths or ()), docs_path, queries_path) if path is not None and path != _STDIN]
    if output is not None:
        refuse_to_overwrite(output, *given, Path(qrels_path))
    if not run_paths and not engine:
        raise typer.BadParameter("a RUN before QRELS, or --engine, is needed.", param_hint="RUN")
    if engine and queries_path is None:
        raise typer.BadParameter("--engine takes --queries.", param_hint="--queries")
    if [str(path) for path in run_paths or ()].count("-") + (qrels_path == "-") > 1:
        raise typer.BadParameter("standard input can be one file.", param_hint="RUN")
    runs = {str(path): trec.read_run(sys.stdin.buffer if path == _STDIN else path) for path in run_paths or ()}
    qrels: Any = trec.read_qrels(sys.stdin.buffer) if qrels_path == "-" else qrels_path
    asked: dict[str, Any] = {"engines": []}
    if engine and queries_path is not None:
        found = _asked([as_spec(one) for one in engine], docs_path, queries_path)
        asked = found._asdict() | {"engines": found.specs}
        del asked["specs"]
    with progress_bar("measuring", unit="steps") as progress:
        made = table(
            qrels=qrels,
            measures=measure or ("nDCG@10", "RR@10"),
            runs=runs,
            k=k,
            rounds=rounds,
            threads=threads,
            baseline=baseline,
            test=test,
            correction=correction,
            level=level,
            progress=progress,
            **asked,
        )
    writers = {Layout.TEXT: made.to_text, Layout.MARKDOWN: made.to_markdown, Layout.CSV: made.to_csv}
    text = writers.get(layout, made.to_json)()
    if output is None:
        sys.stdout.write(text)
        return
    with atomic_write(output) as out:
        out.write(text.encode())


def _asked(specs: list[Spec], docs_path: Path | None, queries_path: Path) -> _Asked:
    """Read documents and queries, in the same columns, and open indexes, which must have these columns too."""
    words: Mapping[str, int] | None = None
    doc_ids: Sequence[str] | None = None
    docs, n_terms, told = None, None, None
    if built := next((spec for spec in specs if spec.is_built and docs_path is None), None):
        raise ValueError(f"{built.text!r} takes --docs, to build an index of them")
    if docs_path is not None:
        collection = read_collection(docs_path)
        docs = formats.read_matrix(docs_path) if isinstance(collection.docs, tuple) else collection.docs
        words, doc_ids, n_terms, told = collection.vocabulary, collection.ids, collection.shape[1], str(docs_path)
    opened = []
    for spec in specs:
        if not isinstance(spec.source, Path):
            opened.append(spec)
            continue
        index = thresher.open(spec.source)
        names = names_of(index, spec.source)
        own = None if names is None else names.vocabulary
        if told is None:
            words, n_terms, told = own, index.n_terms, str(spec.source)
        elif (words is None) != (own is None) or (words is not None and own is not None and list(words) != list(own)):
            raise ValueError(f"{spec.source}: terms have other words than those of {told}")
        if doc_ids is None and names is not None:
            doc_ids = names.documents
        opened.append(spec._replace(source=index))
    assert n_terms is not None
    nameless = f"{told} has no words" if words is None and doc_ids is None else None
    queries = read_questions(queries_path, vocabulary=words, n_terms=n_terms, nameless=nameless)
    return _Asked(opened, docs, doc_ids, queries.matrix, queries.ids)
