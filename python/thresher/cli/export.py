"""``thresher export``: write an index's documents as a CIFF file, which other engines read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import thresher
from thresher import formats
from thresher.cli._terminal import note, progress_bar
from thresher.cli._vectors import refuse_to_overwrite
from thresher.formats.names import names_of, names_path


def export(
    index_path: Annotated[Path, typer.Argument(metavar="INDEX", help="An index that `build` wrote.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The file to write: .ciff or .ciff.gz.")],
    *,
    bits: Annotated[int, typer.Option(min=1, max=31, help="Bits of the largest impact.")] = formats.ciff.BITS,
) -> None:
    """Write the documents of an index as a CIFF file, for other engines.

    That is the Common Index File Format, which PISA, BMP and others read.
    Weights become impacts (tf) of 1 to 2**bits - 1, with one scale for all of them, which the file's
    description states; weights that are all whole numbers stay as they are. Documents and terms go by
    the ids and words that the index keeps, otherwise by number, counted from 0.
    """
    if not output.name.endswith((".ciff", ".ciff.gz")):
        raise typer.BadParameter(f"{str(output)!r} does not end in .ciff or .ciff.gz.", param_hint="OUTPUT")
    refuse_to_overwrite(output, index_path, names_path(index_path))
    index = thresher.open(index_path)
    names = names_of(index, index_path)
    terms, ids = (None, None) if names is None else (names.terms, names.documents)
    if terms is not None:  # which need not be those of all terms
        terms = [*terms, *map(str, range(len(terms), index.n_terms))]
    with progress_bar(f"writing {output.name}", unit="postings") as progress:
        scale = formats.ciff.write_ciff(output, index, terms=terms, ids=ids, bits=bits, progress=progress)
    size = f"{output.stat().st_size / 1e6:,.1f} MB"
    note(f"{output}: {index.n_docs:,} documents, {index.nnz:,} postings, {size}; a tf of 1 is a weight of {scale:g}")
