"""``thresher build``: make an index of a file of document vectors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

import thresher
from thresher.cli._terminal import note, progress_bar
from thresher.cli._vectors import read_collection, refuse_to_overwrite
from thresher.formats.names import names_path, remove_names, write_names


def build(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Documents: .csr, .npz, .jsonl[.gz] or .ciff[.gz].")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The index file to write.")],
    *,
    engine: Annotated[str, typer.Option(help=f"The kind of index: {' or '.join(thresher.engines())}.")] = "exact",
    threads: Annotated[int, typer.Option(min=0, help="Threads to build with; 0 means all cores.")] = 0,
) -> None:
    """Build an index from document vectors and save it.

    Documents from JSON lines and CIFF files have ids and mostly words as terms, which an index does
    not hold: they are written beside it as OUTPUT.names (one JSON object with "documents" and
    "terms"), where `search` finds them. Keep the two files together.

    The weights of a CIFF file are its impacts (tf), whole numbers.
    """
    engines = thresher.engines()
    if engine not in engines:
        raise typer.BadParameter(f"{engine!r} is not one of {', '.join(engines)}.", param_hint="--engine")
    for written in (output, names_path(output)):
        if written.exists() and not written.is_file():
            raise ValueError(f"{written}: is not a regular file, so it is not replaced")
        refuse_to_overwrite(written, "the documents it is built from", source)

    documents = read_collection(source)
    started = time.perf_counter()
    with progress_bar("building", unit="documents") as progress:
        index = engines[engine].build(documents.docs, shape=documents.shape, threads=threads, progress=progress)
    seconds = time.perf_counter() - started
    index.save(output)
    if documents.ids is None:
        remove_names(output)
    else:
        terms = None if documents.vocabulary is None else list(documents.vocabulary)
        write_names(output, documents=documents.ids, terms=terms, shape=documents.shape, nnz=index.nnz)
    size = f"{output.stat().st_size / 1e6:,.1f} MB"
    note(f"{output}: {index.n_docs:,} documents, {index.nnz:,} nonzeros, {size}, built in {seconds:.2f} s")
