"""``thresher tune``: the index and search parameters that meet a target."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

import thresher
from thresher.cli._terminal import note, progress_bar
from thresher.cli._vectors import DOCUMENTS, check_output, read_collection, read_questions_about, save_index
from thresher.engines.options import Weights


def tune(
    base: Annotated[Path, typer.Argument(metavar="BASE", help=DOCUMENTS)],
    *,
    output: Annotated[Path, typer.Option("--out", "-o", help="The index file to write.")],
    queries_path: Annotated[
        Path | None, typer.Option("--queries", help="Queries: .csr, .npz or .jsonl[.gz]; without, made of documents.")
    ] = None,
    recall: Annotated[float | None, typer.Option(help="The recall@k wanted.")] = None,
    latency_us: Annotated[float | None, typer.Option(help="Microseconds that a query may take.")] = None,
    engine: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(thresher.engines())}; may be repeated; all without.")
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Hits for each query.")] = 10,
    max_bytes: Annotated[int | None, typer.Option(min=1, help="What the index may take in memory.")] = None,
    weights: Annotated[
        Weights, typer.Option(help="What to keep of the weights; uint8 is off by a known error.")
    ] = "float",
    budget: Annotated[float, typer.Option(help="Seconds to take, about.")] = 300.0,
    threads: Annotated[int, typer.Option(min=0, help="Threads of a search; 0 means all cores.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn at random.")] = 0,
) -> None:
    """Build the index that meets a target of recall or of time best.

    Either it reaches a recall fastest, or it finds most in so many microseconds. Engines and their
    search parameters are measured on half of the queries and checked on the other half. The index is
    saved with the parameters, and `search` goes by them.
    """
    known = thresher.engines()
    for name in engine or []:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(known)}.", param_hint="--engine")
    if (recall is None) == (latency_us is None):
        raise typer.BadParameter("one of --recall and --latency-us is needed.", param_hint="--recall")
    inputs = (base,) if queries_path is None else (base, queries_path)
    check_output(output, *inputs)

    documents = read_collection(base)
    queries = None
    if queries_path is not None:
        queries = read_questions_about(documents, queries_path).matrix
    with progress_bar("tuning", unit="steps") as progress, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it is told below
        tuned = thresher.tune(
            documents.docs,
            engine=engine or None,
            queries=queries,
            recall=recall,
            latency_us=latency_us,
            k=k,
            max_bytes=max_bytes,
            weights=weights,
            budget_s=budget,
            threads=threads,
            seed=seed,
            shape=documents.shape,
            progress=progress,
        )
    save_index(tuned.index, output, documents.ids, documents.vocabulary)
    parameters = ", ".join(f"{name} = {value}" for name, value in tuned.search_params.items()) or "no parameters"
    note(f"{output}: {tuned.engine}, {parameters}")
    note(f"recall@{k} {tuned.recall:.4f}, {tuned.latency_us:.1f} us a query, {len(tuned.curve)} measurements")
    if not tuned.is_met:
        note("note: the target is not met; this is the nearest that was found")
