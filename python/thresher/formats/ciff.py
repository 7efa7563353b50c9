"""The Common Index File Format, in which Anserini, PISA, BMP and other engines exchange inverted indexes.

A file is a sequence of protobuf messages, each behind its length as a varint: a header, a posting
list for each term, a record for each document. A posting is a gap between document numbers (the
first is the number itself) and a *tf*, a whole number > 0 that here is an impact. Numbers of
documents are 0 to n - 1.

Reading takes one pass, about 30 bytes a posting and the longest list as protobuf objects; what the
header claims is believed only as far as the file bears it out. Writing takes two passes over the
documents and 5 to 8 bytes a posting. Both take about half a microsecond a posting.

References
----------
Lin et al.: *Supporting Interoperability Between Open-Source Search Engines with the Common Index
File Format*, SIGIR 2020.
"""

from __future__ import annotations

import array
import contextlib
import gzip
import math
import os
import re
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, SupportsFloat, SupportsIndex, TypeAlias

import numpy as np
from scipy import sparse

from thresher import FormatError, Index, MatrixLike, __version__
from thresher._extras import missing
from thresher._matrix import CsrArrays
from thresher.formats import _impacts
from thresher.formats._atomic import atomic_write
from thresher.formats._check import chunks
from thresher.formats._columns import as_columns
from thresher.formats._spool import Spool, scratch_array

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from thresher.formats._ciff_messages import Message, MessageReader

BITS = 8
"""Bits of an impact, unless a writer is told otherwise."""

_VERSION = 1
_INT32_MAX = 2**31 - 1
_LONGEST_LIST = _INT32_MAX // 14  # postings: a message has at most 2 GiB, a posting at most 14 bytes
_REPORT = 1 << 18  # postings between two progress reports
_SCALE = re.compile(r"weight = tf \* ([0-9.e+-]+)\Z")

Progress: TypeAlias = Callable[[int, int], None]


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
    content = _read(path, None, progress)
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
    content = _read(path, scratch, progress)
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


def write_ciff(
    path: str | os.PathLike[str],
    docs: MatrixLike | Index,
    *,
    shape: tuple[int, int] | None = None,
    terms: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    bits: SupportsIndex = BITS,
    scale: SupportsFloat | None = None,
    description: str = "",
    progress: Progress | None = None,
) -> float:
    """Write documents or an index as a CIFF file, atomically.

    Weights become impacts, which are whole numbers: ``round(weight / scale)``, with one scale for
    all terms, and at least 1. So ``impact * scale`` is within half a step of the weight, or within
    one where the weight is less than half a step. Weights that are all whole numbers stay as they
    are. The header's description ends with the scale, as in ``weight = tf * 0.0117647``, which is
    where `read_ciff` finds it. Posting lists are in the lexicographic order of terms, those without
    postings are left out, and the length of a document is the sum of its impacts.

    Parameters
    ----------
    path
        The file to create or replace, gzipped if its name ends in ``.gz``.
    docs
        An index, or documents in any form that ``build`` takes; weights finite and >= 0.
    shape
        (n_documents, n_terms), needed only for an ``(indptr, indices, data)`` triple.
    terms, ids
        What terms and documents are called, all of them; without these, their numbers.
    bits
        Without `scale`, the scale is such that the largest weight becomes ``2**bits - 1``, from 1
        to 31 bits; or 1, if all weights are whole numbers that fit an int32.
    scale
        The weight that an impact of 1 stands for. One that suits most weights leaves an outlier an
        impact of more bits.
    description
        What the header is to say of the index, for people.
    progress
        Called now and then with the postings written and the postings in all.

    Returns
    -------
    float
        The scale.

    Warns
    -----
    UserWarning
        If the scale follows from a largest weight that is more than 64 times the median one, which
        leaves most weights few impacts.

    Raises
    ------
    ValueError, TypeError
        If the documents are not ones that ``build`` takes, a name is used twice for a term or
        can't be encoded, names are not as many as terms or documents, or an impact, the impacts of
        a document together or the number of documents is beyond an int32.
    OSError
        If the file can't be written.
    ImportError
        Without protobuf, which the extra ``ciff`` brings.

    Examples
    --------
    >>> import scipy.sparse
    >>> docs = scipy.sparse.csr_array([[1.25, 0.0, 127.5], [0.0, 60.1, 0.0]])
    >>> write_ciff("docs.ciff", docs, terms=["car", "boat", "fast"])
    0.5
    >>> written = read_ciff("docs.ciff")
    >>> written.terms
    ['boat', 'car', 'fast']
    >>> written.docs.toarray()
    array([[  0.,   2., 255.],
           [120.,   0.,   0.]], dtype=float32)
    >>> read_ciff("docs.ciff", restore=True).docs.toarray()
    array([[  0. ,   1. , 127.5],
           [ 60. ,   0. ,   0. ]], dtype=float32)
    """
    messages = _messages()
    given = _impacts.Documents(docs, shape)
    n_docs, n_terms = given.shape
    if n_docs > _INT32_MAX:
        raise ValueError(f"docs: {n_docs} documents, a CIFF file holds at most {_INT32_MAX}")
    _check_names("ids", ids, n_docs)
    _check_names("terms", terms, n_terms)
    facts = _impacts.survey(given)
    chosen = _impacts.choose_scale(facts, bits=bits, scale=scale)
    problem = _impacts.outlier_problem(facts, chosen) if scale is None and chosen != 1 else None
    if problem is not None:
        warnings.warn(problem, stacklevel=2)
    columns = facts.columns.tolist()
    names = [str(column) for column in columns] if terms is None else [terms[column] for column in columns]
    _check_lists(names, facts)
    order = sorted(range(len(names)), key=names.__getitem__)
    lists = _impacts.transpose(given, facts, np.array(order, dtype=np.int64), chosen)
    longest = int(lists.lengths.argmax()) if n_docs else 0
    if n_docs and lists.lengths[longest] > _INT32_MAX:
        raise ValueError(f"docs: impacts of row {longest} add up to {lists.lengths[longest]}, beyond an int32")
    total = int(lists.lengths.sum())
    header = messages.Header(
        version=_VERSION,
        num_postings_lists=len(names),
        num_docs=n_docs,
        total_postings_lists=len(names),
        total_docs=n_docs,
        total_terms_in_collection=total,
        average_doclength=total / n_docs if n_docs else 0.0,
        description=f"{description or f'Exported by thresher {__version__}'}; weight = tf * {chosen!r}",
    )
    with atomic_write(path) as file, _packed(path, file) as out:
        messages.send(out, header)
        for start, stop, number in zip(lists.starts[:-1].tolist(), lists.starts[1:].tolist(), order, strict=True):
            entries = slice(start, stop)
            messages.send(out, _posting_list(messages, names[number], lists.documents[entries], lists.impacts[entries]))
            if progress is not None and (stop == lists.starts[-1] or start // _REPORT < stop // _REPORT):
                progress(stop, int(lists.starts[-1]))
        for number, length in enumerate(lists.lengths.tolist()):
            name = str(number) if ids is None else ids[number]
            messages.send(out, messages.DocRecord(docid=number, collection_docid=name, doclength=length))
    return chosen


def _messages() -> ModuleType:
    """Return the module of the messages, which needs an extra."""
    try:
        from thresher.formats import _ciff_messages  # noqa: PLC0415  (an optional extra)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "google":
            raise
        raise ImportError(missing("CIFF files need protobuf", "ciff")) from error
    return _ciff_messages


# ------------------------------------------------------------------------------------------------------- reading


class _Lists:
    """Posting lists as they are read: growing arrays, since nothing tells how many postings there will be."""

    def __init__(self, scratch: str | os.PathLike[str] | None) -> None:
        self.terms: dict[str, int] = {}
        self.starts = [0]
        self.docids = Spool(np.int32, scratch)
        self.tfs = Spool(np.int32, scratch)


class _Content(NamedTuple):
    """What a file holds."""

    header: Message
    lists: _Lists
    ids: list[str]
    lengths: NDArray[np.int32]


def _read(path: str | os.PathLike[str], scratch: str | os.PathLike[str] | None, progress: Progress | None) -> _Content:
    messages = _messages()
    with Path(path).open("rb") as raw:
        file = messages.MessageReader(path, raw, progress)
        try:
            header = _read_header(file, messages)
            lists = _read_lists(file, messages, header, scratch)
            ids, lengths = _read_records(file, messages, header.num_docs)
            file.finish()
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FormatError(f"{path}: after offset {file.offset}: not a whole gzip file: {error}") from error
    return _Content(header, lists, ids, lengths)


def _read_header(file: MessageReader, messages: ModuleType) -> Message:
    where, header = file.read(messages.Header, "the header")
    if header.version != _VERSION:
        raise FormatError(f"{where}: version {header.version}, this library reads {_VERSION}")
    for name in ("num_postings_lists", "num_docs"):
        if getattr(header, name) < 0:
            raise FormatError(f"{where}: {name} is {getattr(header, name)}")
    return header


def _read_lists(
    file: MessageReader, messages: ModuleType, header: Message, scratch: str | os.PathLike[str] | None
) -> _Lists:
    lists = _Lists(scratch)
    for number in range(header.num_postings_lists):
        where, message = file.read(messages.PostingsList, f"posting list {number}")
        first = lists.terms.setdefault(message.term, number)
        if first != number:
            raise FormatError(f"{where}: term {message.term!r} was that of posting list {first}")
        count = len(message.postings)
        if message.df != count:
            raise FormatError(f"{where}: document frequency {message.df}, but {count} postings")
        gaps = np.fromiter((posting.docid for posting in message.postings), np.int64, count)
        tfs = np.fromiter((posting.tf for posting in message.postings), np.int32, count)
        docids = np.cumsum(gaps)
        _check_postings(where, gaps, docids, tfs, header.num_docs)
        lists.docids.append(docids)
        lists.tfs.append(tfs)
        lists.starts.append(lists.starts[-1] + count)
    return lists


def _check_postings(
    where: str, gaps: NDArray[np.int64], docids: NDArray[np.int64], tfs: NDArray[np.int32], n_docs: int
) -> None:
    backwards = gaps <= 0
    backwards[:1] = gaps[:1] < 0
    bad = backwards | (docids >= n_docs) | (tfs <= 0)
    if not bad.any():
        return
    at = int(bad.argmax())
    if backwards[at]:
        raise FormatError(f"{where}: posting {at} has the gap {gaps[at]}, documents must ascend")
    if docids[at] >= n_docs:
        raise FormatError(f"{where}: posting {at} is of document {docids[at]}, the header says {n_docs} documents")
    raise FormatError(f"{where}: posting {at} has the tf {tfs[at]}, which must be > 0")


def _read_records(file: MessageReader, messages: ModuleType, n_docs: int) -> tuple[list[str], NDArray[np.int32]]:
    """Return what documents are called and their lengths, by their numbers."""
    numbers, names, lengths = array.array("i"), [], array.array("i")
    for position in range(n_docs):
        where, record = file.read(messages.DocRecord, f"document record {position}")
        if not 0 <= record.docid < n_docs:
            raise FormatError(f"{where}: of document {record.docid}, the header says {n_docs} documents")
        if record.doclength < 0:
            raise FormatError(f"{where}: document length {record.doclength}")
        numbers.append(record.docid)
        names.append(record.collection_docid)
        lengths.append(record.doclength)
    documents = np.frombuffer(numbers, np.int32)
    counts = np.bincount(documents, minlength=n_docs)
    if (counts > 1).any():
        twice = int((counts > 1).argmax())
        first, second = np.flatnonzero(documents == twice)[:2]
        raise FormatError(f"{file.path}: document records {first} and {second} are both of document {twice}")
    order = np.argsort(documents)
    return [names[position] for position in order.tolist()], np.frombuffer(lengths, np.int32)[order]


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


# ------------------------------------------------------------------------------------------------------- writing


def _check_names(argument: str, names: Sequence[str] | None, count: int) -> None:
    """Raise unless there are so many names, all of them text."""
    if names is None:
        return
    if len(names) != count:
        raise ValueError(f"{argument} must be {count} names, got {len(names)}")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{argument} must be strings, got {type(name).__name__}")
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{argument}: {name!r} can't be encoded: {error.reason}") from error


def _check_lists(names: Sequence[str], facts: _impacts.Survey) -> None:
    """Raise unless every list has a name of its own, and is short enough for a message."""
    known: dict[str, int] = {}
    for name, column, frequency in zip(names, facts.columns.tolist(), facts.frequencies.tolist(), strict=True):
        first = known.setdefault(name, column)
        if first != column:
            raise ValueError(f"terms: columns {first} and {column} are both {name!r}")
        if frequency > _LONGEST_LIST:
            raise ValueError(f"docs: column {column} has {frequency} weights, a posting list at most {_LONGEST_LIST}")


def _posting_list(messages: ModuleType, term: str, documents: NDArray[np.int32], impacts: NDArray[Any]) -> Message:
    message = messages.PostingsList(term=term, df=documents.size, cf=int(impacts.sum(dtype=np.int64)))
    add = message.postings.add
    for gap, impact in zip(np.diff(documents, prepend=0).tolist(), impacts.tolist(), strict=True):
        add(docid=gap, tf=impact)
    return message


def _packed(path: str | os.PathLike[str], file: BinaryIO) -> contextlib.AbstractContextManager[Any]:
    """Return what to write to: the file, or gzip in front of it, always the same bytes for the same content."""
    if Path(path).suffix != ".gz":
        return contextlib.nullcontext(file)
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
