"""``thresher collection export``: documents as JSON lines, which `add` reads."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thresher.cli._terminal import note, progress_bar
from thresher.cli._vectors import refuse_to_overwrite
from thresher.cli.collection._options import WHERE, parsed
from thresher.collection import Collection
from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    from thresher.collection import Document

_OWN = ("id", "vector", "vectors", "text")


def export(
    path: Annotated[Path, typer.Argument(metavar="COLLECTION", help="A collection that `create` made.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here instead of stdout: .jsonl or .jsonl.gz.")
    ] = None,
    where: Annotated[str | None, typer.Option(help=WHERE)] = None,
) -> None:
    """Write documents as JSON lines, in the order in which they were stored; `add` reads them back.

    A line is {"id": ..., "vector": {term: weight, ...}, ...} with the fields of the payload; of several
    vectors, "vectors" has each by its name. Where an encoder makes vectors of texts, and these are
    kept, "text" stands in their place; other texts are left out.
    """
    condition = parsed(where)
    if output is not None:
        refuse_to_overwrite(output)
    with Collection.open(path) as collection:
        if output is None:
            sys.stdout.writelines(_lines(collection, condition))
            return
        with atomic_write(output) as out:
            if output.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=6) as packed:
                    packed.writelines(line.encode() for line in _lines(collection, condition))
            else:
                out.writelines(line.encode() for line in _lines(collection, condition))
    note(f"{output}: {output.stat().st_size:,} bytes")


def _lines(collection: Collection, where: dict[str, Any] | None) -> Iterator[str]:
    words = {name: collection.words(name) for name, vector in collection.vectors.items() if vector.words}
    are_texts = all(vector.encoder is not None for vector in collection.vectors.values())
    total = collection.count(where)
    with progress_bar("writing", unit="documents") as progress:
        documents = collection.scan(where, include=("payload", "vectors", "text"))
        for number, document in enumerate(documents, 1):
            yield json.dumps(_object(document, words, are_texts=are_texts), ensure_ascii=False) + "\n"
            if progress is not None and (number % 1024 == 0 or number == total):
                progress(number, total)


def _object(document: Document, words: dict[str, list[str]], *, are_texts: bool) -> dict[str, Any]:
    own = _OWN if are_texts else _OWN[:-1]
    taken = next((field for field in own if field in document.payload), None)
    if taken is not None:
        raise ValueError(f"document {document.id!r}: its payload has a field {taken!r}, which a line has for itself")
    if are_texts and document.text is not None:
        return {"id": document.id, "text": document.text, **document.payload}
    vectors = {
        name: {
            words[name][term] if name in words else str(term): float(str(weight))
            for term, weight in zip(row.indices.tolist(), row.data, strict=True)
        }
        for name, row in document.vectors.items()
    }
    given: dict[str, Any] = {"vectors": vectors}
    if len(vectors) == 1:
        given = {"vector": next(iter(vectors.values()))}
    return {"id": document.id, **given, **document.payload}
