"""``thresher build``: make an index of a file of document vectors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

import thresher
from thresher.cli._terminal import note, progress_bar
from thresher.cli._vectors import check_output, read_collection, save_index


def build(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Documents: .csr, .npz, .jsonl[.gz] or .ciff[.gz].")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The index file to write.")],
    *,
    engine: Annotated[str, typer.Option(help=f"The kind of index: {' or '.join(thresher.engines())}.")] = "exact",
    threads: Annotated[int, typer.Option(min=0, help="Threads to build with; 0 means all cores.")] = 0,
) -> None:
    """Build an index from document vectors and save it.

    Documents from JSON lines and CIFF files have ids and mostly words as terms: the index keeps both,
    and `search` goes by them.

    The weights of a CIFF file are its impacts (tf), whole numbers.
    """
    engines = thresher.engines()
    if engine not in engines:
        raise typer.BadParameter(f"{engine!r} is not one of {', '.join(engines)}.", param_hint="--engine")
    check_output(output, source)

    documents = read_collection(source)
    started = time.perf_counter()
    with progress_bar("building", unit="documents") as progress:
        index = engines[engine].build(documents.docs, shape=documents.shape, threads=threads, progress=progress)
    seconds = time.perf_counter() - started
    save_index(index, output, documents)
    size = f"{output.stat().st_size / 1e6:,.1f} MB"
    note(f"{output}: {index.n_docs:,} documents, {index.nnz:,} nonzeros, {size}, built in {seconds:.2f} s")
