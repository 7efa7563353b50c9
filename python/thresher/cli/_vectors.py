"""Reads the collections and queries that commands are given, whatever kind of file they are."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import thresher
from thresher import formats
from thresher.cli._terminal import note, progress_bar
from thresher.engines.options import Weights
from thresher.formats._documents import DocumentStream, joined_rows
from thresher.formats.names import names_path, remove_names

if TYPE_CHECKING:
    from scipy import sparse

DOCUMENTS = "Documents: .csr, .npz, .jsonl[.gz], .ciff[.gz], .parquet or .arrow."
"""What a command takes, for its help."""


class Collection(NamedTuple):
    """Documents as a file holds them."""

    docs: thresher.MatrixLike
    """What `build` takes; mapped from the file where its kind allows."""
    shape: tuple[int, int]
    ids: list[str] | None
    """The caller's document ids; None where the file has none."""
    vocabulary: dict[str, int] | None
    """The column of each term; None where terms are column numbers."""


@dataclass(frozen=True)
class Built:
    """An index, and what its file called its documents and terms."""

    index: thresher.Index
    ids: list[str] | None
    """The caller's document ids; None where the file has none."""
    vocabulary: dict[str, int] | None
    """The column of each term; None where terms are column numbers."""


class Questions(NamedTuple):
    """Queries as a file holds them, in the columns of a collection."""

    matrix: sparse.csr_array
    ids: list[str] | None
    """The caller's query ids; None where the file has none."""


def read_collection(path: Path) -> Collection:
    """Read the documents in `path`, with a progress bar where that takes a while."""
    kind = formats.detect(path)
    if kind == "bigann":
        indptr, indices, data, shape = formats.bigann.read_csr_arrays(path)
        return Collection((indptr, indices, data), shape, None, None)
    if kind == "npz":
        matrix = formats.npz.read_npz(path)
        return Collection(matrix, matrix.shape, None, None)
    if kind in ("parquet", "arrow"):
        with progress_bar(f"reading {path.name}", unit="documents") as progress:
            stream = formats.arrow.ArrowDocuments(path, kind, progress=progress)
            matrix = joined_rows(list(stream), stream.n_terms)
            return Collection(matrix, matrix.shape, stream.ids, None)
    with progress_bar(f"reading {path.name}", unit="B") as progress:
        if kind == "ciff":
            collection = formats.ciff.read_ciff(path, progress=progress)
            matrix, vocabulary = collection.numbered()
            ids: list[str] | None = collection.ids
            if len(set(collection.ids)) < len(collection.ids):
                note(f"note: {path} gives several documents one id: documents go by number")
                ids = None
            return Collection(matrix, matrix.shape, ids, vocabulary)
        documents = formats.jsonl.read_documents(path, progress=progress)
    return Collection(documents.matrix, documents.matrix.shape, documents.ids, documents.vocabulary)


def build_index(
    engine: type[thresher.Index], path: Path, *, scratch: Path, threads: int, weights: Weights = "float"
) -> Built:
    """Build an index of the documents in `path`, which may be more than memory holds, with progress bars.

    Parameters
    ----------
    engine
        Its class.
    path
        The documents.
    scratch
        A folder for temporary files.
    threads
        To build with; 0 means all cores.
    weights
        What is kept of them, as `build` explains it.
    """
    kind = formats.detect(path)

    def build(docs: thresher.MatrixLike, shape: tuple[int, int]) -> thresher.Index:
        with progress_bar("building", unit="documents") as progress:
            return engine.build(docs, shape=shape, threads=threads, progress=progress, scratch=scratch, weights=weights)

    if kind == "bigann":  # mapped, and read in place
        indptr, indices, data, shape = formats.bigann.read_csr_arrays(path)
        return Built(build((indptr, indices, data), shape), None, None)
    if kind == "ciff":
        with progress_bar(f"reading {path.name}", unit="B") as progress:
            content = formats.ciff.read_ciff_arrays(path, scratch, progress=progress)
        return Built(build(content.docs[:3], content.docs.shape), content.ids, content.vocabulary)
    builder, stream = _collected(engine, path, kind, scratch, threads)
    with progress_bar("building", unit="documents") as progress:
        index = builder.freeze(threads=threads, progress=progress, weights=weights)
    return Built(index, stream.ids, stream.vocabulary)


def _collected(
    engine: type[thresher.Index], path: Path, kind: formats.FileKind, scratch: Path, threads: int
) -> tuple[thresher.Builder[thresher.Index], DocumentStream]:
    """Return a builder with the documents of a file that is read in pieces, and the stream that they came by."""

    def collect(stream: DocumentStream) -> tuple[thresher.Builder[thresher.Index], DocumentStream]:
        builder = thresher.Builder(engine, scratch=scratch)
        builder.extend(stream, threads=threads)
        return builder, stream

    with progress_bar(f"reading {path.name}", unit="B" if kind == "jsonl" else "documents") as progress:
        if kind == "jsonl":
            return formats.jsonl.consume_documents(path, collect, progress=progress)
        if kind == "npz":
            return collect(formats.npz.NpzRows(path, progress=progress))
        assert kind in ("parquet", "arrow")
        return collect(formats.arrow.ArrowDocuments(path, kind, progress=progress))


def read_questions(
    path: Path, *, vocabulary: Mapping[str, int] | None, n_terms: int, nameless: str | None = None
) -> Questions:
    """Read the queries in `path`; a note tells of terms that the collection does not have.

    Where nothing is known of the collection's words, a query with some is an error, and `nameless` says why that is.
    """
    kind = formats.detect(path)
    if kind == "ciff":
        raise ValueError(f"{path}: a CIFF file holds documents, not queries")
    if kind != "jsonl":
        matrix = formats.read_matrix(path)
        if matrix.shape[1] > n_terms:
            raise ValueError(f"{path}: queries have {matrix.shape[1]} terms, the documents {n_terms}")
        return Questions(matrix, None)
    with progress_bar(f"reading {path.name}", unit="B") as progress:
        queries = formats.jsonl.read_queries(path, vocabulary=vocabulary, n_terms=n_terms, progress=progress)
    if nameless is not None and queries.word is not None:
        line, term = queries.word
        raise ValueError(f"{path}: line {line}: term {term!r} is not a column's number, and {nameless}")
    if queries.n_unknown:
        total = queries.n_unknown + queries.matrix.nnz
        note(f"note: {queries.n_unknown} of {total} query terms are in no document and were left out")
    if not queries.ids:
        note(f"note: {path} holds no queries")
    return Questions(queries.matrix, queries.ids)


def read_questions_about(documents: Collection, path: Path) -> Questions:
    """Read queries into the columns of documents that were read."""
    has_names = documents.ids is not None or documents.vocabulary is not None
    nameless = None if has_names else "the documents have no words"
    return read_questions(path, vocabulary=documents.vocabulary, n_terms=documents.shape[1], nameless=nameless)


def check_output(output: Path, *inputs: Path) -> None:
    """Raise ValueError unless an index and its names can be written to `output` without harm to `inputs`."""
    for written in (output, names_path(output)):
        if written.exists() and not written.is_file():
            raise ValueError(f"{written}: is not a regular file, so it is not replaced")
        refuse_to_overwrite(written, *inputs)


def save_index(
    index: thresher.Index, output: Path, ids: list[str] | None, vocabulary: Mapping[str, int] | None
) -> None:
    """Save an index, with what its documents and terms are called if that is known."""
    index.with_words(vocabulary, ids).save(output)
    remove_names(output)


def refuse_to_overwrite(output: Path, *inputs: Path) -> None:
    """Raise ValueError if writing `output` would replace one of the files that it is made from.

    And OSError if there is no folder to write it in, which is better known before the work than after it.
    """
    folder = output.resolve().parent
    if not folder.is_dir():
        code = errno.ENOTDIR if folder.exists() else errno.ENOENT
        raise OSError(code, os.strerror(code), str(output))
    if not output.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(output))
    if output.exists() and any(path.exists() and output.samefile(path) for path in inputs):
        raise ValueError(f"{output}: would overwrite what it is made from")
