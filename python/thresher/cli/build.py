"""``thresher build``: make an index of a file of document vectors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

import thresher
from thresher.cli._terminal import note
from thresher.cli._vectors import DOCUMENTS, build_index, check_output, save_index
from thresher.engines.options import Weights


def build(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help=DOCUMENTS)],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The index file to write.")],
    *,
    engine: Annotated[str, typer.Option(help=f"The kind of index: {' or '.join(thresher.engines())}.")] = "exact",
    threads: Annotated[int, typer.Option(min=0, help="Threads to build with; 0 means all cores.")] = 0,
    weights: Annotated[
        Weights, typer.Option(help="What to keep of the weights; uint8 is off by a known error.")
    ] = "float",
    scratch: Annotated[Path | None, typer.Option(help="Folder for temporary files; by default OUTPUT's.")] = None,
) -> None:
    """Build an index from document vectors and save it.

    Documents from JSON lines and CIFF files have ids and mostly words as terms: the index keeps both,
    and `search` goes by them.

    The weights of a CIFF file are its impacts (tf), whole numbers. Parquet and Arrow files have the
    vectors in two columns of lists, "indices" and "values", or in one column, and ids in "id".

    INPUT may be larger than memory: it is read in pieces, and documents and index are in temporary
    files until the index is saved, which take 8 bytes a nonzero and as much as the index.
    """
    engines = thresher.engines()
    if engine not in engines:
        raise typer.BadParameter(f"{engine!r} is not one of {', '.join(engines)}.", param_hint="--engine")
    check_output(output, source)

    started = time.perf_counter()
    folder = output.resolve().parent if scratch is None else scratch
    built = build_index(engines[engine], source, scratch=folder, threads=threads, weights=weights)
    seconds = time.perf_counter() - started
    index = built.index
    save_index(index, output, built.ids, built.vocabulary)
    size = f"{output.stat().st_size / 1e6:,.1f} MB"
    note(f"{output}: {index.n_docs:,} documents, {index.nnz:,} nonzeros, {size}, read and built in {seconds:.2f} s")
