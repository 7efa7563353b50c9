"""CIFF files as matrices: in memory, or in temporary files."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from thresher import FormatError
from thresher._matrix import CsrArrays
from thresher.formats._check import chunks
from thresher.formats._columns import as_columns
from thresher.formats._spool import scratch_array
from thresher.formats.ciff._contents import Progress, read_contents

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCALE = re.compile(r"weight = tf \* ([0-9.e+-]+)\Z")


@dataclass(frozen=True, eq=False)
class Ciff:
    """A collection read from a CIFF file."""

    docs: sparse.csr_array = field(repr=False)
    """float32, (n_documents, n_terms), rows by the document's number, columns in the order of the posting lists."""
    terms: list[str] = field(repr=False)
    """The term of each column."""
    ids: list[str] = field(repr=False)
    """The document of each row, as the collection calls it."""
    lengths: NDArray[np.int32] = field(repr=False)
    """The length of each document, (n_documents,), as the file has it."""
    description: str
    """What the header says of the index, for people."""
    scale: float | None
    """The weight that a tf of 1 stands for, where the description states it as `write_ciff` does."""
    total_docs: int
    """Documents of the collection, of which the file may hold a part; this and what follows as the header says."""
    total_postings_lists: int
    """Terms of the collection."""
    total_terms: int
    """Lengths of its documents, added up."""
    average_length: float
    """Length of its documents in the mean."""

    def numbered(self) -> tuple[sparse.csr_array, dict[str, int] | None]:
        """Return the documents with columns as `jsonl.read_documents` numbers them.

        Returns
        -------
        scipy.sparse.csr_array
            `docs`; or where every term is a whole number, the same with the numbers as columns.
        dict or None
            The column of each term; None where the terms are the column numbers.
        """
        numbers = as_columns(self.terms)
        if numbers is None:
            return self.docs, {term: column for column, term in enumerate(self.terms)}
        shape = (self.docs.shape[0], int(numbers.max()) + 1)
        entries = (self.docs.data, numbers[self.docs.indices], self.docs.indptr)
        docs = sparse.csr_array(entries, shape=shape, copy=True)  # it is sorted in place
        docs.sort_indices()
        return docs, None


def read_ciff(path: str | os.PathLike[str], *, restore: bool = False, progress: Progress | None = None) -> Ciff:
    """Read a CIFF file.

    Parameters
    ----------
    path
        The file, gzipped if its name ends in ``.gz``.
    restore
        Multiply impacts by the scale that `write_ciff` stated in the description; otherwise
        weights are the impacts. Those above 2**24 are rounded to a float32.
    progress
        Called now and then with the bytes read and the bytes in all.

    Returns
    -------
    Ciff
        The documents, what they and the terms are called, and what the header says.

    Raises
    ------
    thresher.FormatError
        Naming the file, the place and what is wrong there. Offsets in a gzipped file are those of
        what it unpacks to.
    OSError
        If the file can't be read.
    ImportError
        Without protobuf, which the extra ``ciff`` brings.
    """
    content = read_contents(path, None, progress)
    header = content.header
    scale = _stated_scale(header.description)
    impacts = content.lists.tfs.array()
    weights = _restored(path, impacts, scale) if restore else impacts.astype(np.float32)
    entries = (weights, content.lists.docids.array(), np.array(content.lists.starts))
    return Ciff(
        docs=sparse.csc_array(entries, shape=(len(content.ids), len(content.lists.terms))).tocsr(),
        terms=list(content.lists.terms),
        ids=content.ids,
        lengths=content.lengths,
        description=header.description,
        scale=scale,
        total_docs=header.total_docs,
        total_postings_lists=header.total_postings_lists,
        total_terms=header.total_terms_in_collection,
        average_length=header.average_doclength,
    )


class CiffArrays(NamedTuple):
    """The documents of a CIFF file in temporary files."""

    docs: CsrArrays
    """Impacts as weights, with columns as `Ciff.numbered` has them; in the order of posting lists."""
    ids: list[str]
    """The document of each row."""
    vocabulary: dict[str, int] | None
    """The column of each term; None where terms are column numbers."""


def read_ciff_arrays(
    path: str | os.PathLike[str], scratch: str | os.PathLike[str], *, progress: Progress | None = None
) -> CiffArrays:
    """Read a CIFF file that may be larger than memory.

    Posting lists are written down as they come, and turned to documents in a second file: 16 bytes a posting there, and
    8 a document in memory beside the ids and the longest list.

    Parameters
    ----------
    path, progress
        As for `read_ciff`.
    scratch
        A folder for the temporary files, which have no name and are gone with the arrays.

    Returns
    -------
    CiffArrays
        What `numbered` returns, in arrays that are mapped.

    Raises
    ------
    thresher.FormatError, OSError, ImportError
        As from `read_ciff`; OSError also where the disk is full.
    """
    content = read_contents(path, scratch, progress)
    lists = content.lists
    numbers = as_columns(lists.terms)
    columns = np.arange(len(lists.terms)) if numbers is None else numbers
    docids, tfs = lists.docids.array(), lists.tfs.array()
    indptr = np.zeros(len(content.ids) + 1, np.int64)
    for part in chunks(docids.size):
        indptr[1:] += np.bincount(docids[part], minlength=len(content.ids))
    np.cumsum(indptr, out=indptr)
    indices = scratch_array(np.uint32, docids.size, scratch)
    data = scratch_array(np.float32, docids.size, scratch)
    next_of = indptr[:-1].copy()
    for column, start, stop in zip(columns.tolist(), lists.starts[:-1], lists.starts[1:], strict=True):
        documents = docids[start:stop]
        places = next_of[documents]
        indices[places], data[places] = column, tfs[start:stop]
        next_of[documents] += 1
    vocabulary = None if numbers is not None else {term: column for column, term in enumerate(lists.terms)}
    n_terms = len(lists.terms) if numbers is None else int(numbers.max()) + 1
    return CiffArrays(CsrArrays(indptr, indices, data, (len(content.ids), n_terms)), content.ids, vocabulary)


def _stated_scale(description: str) -> float | None:
    stated = _SCALE.search(description)
    try:
        scale = float(stated[1]) if stated else math.nan
    except ValueError:
        return None
    return scale if 0 < scale < math.inf else None


def _restored(path: str | os.PathLike[str], tfs: NDArray[np.int32], scale: float | None) -> NDArray[np.float32]:
    if scale is None:
        raise FormatError(f"{path}: the description in the header states no scale to restore weights with")
    with np.errstate(over="ignore"):
        weights = (tfs * scale).astype(np.float32)
    if weights.size and not 0 < weights.min() <= weights.max() < np.inf:
        raise FormatError(f"{path}: weights are not finite and > 0 with the scale {scale} that the description states")
    return weights
