"""What a CIFF file holds: header, posting lists and document records, each checked as it comes."""

from __future__ import annotations

import array
import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from thresher import FormatError
from thresher.formats._spool import Spool
from thresher.formats.ciff._protobuf import needed_messages

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from thresher.formats.ciff._messages import Message, MessageReader

Progress: TypeAlias = Callable[[int, int], None]


class Lists:
    """Posting lists as they are read: growing arrays, since nothing tells how many postings there will be."""

    def __init__(self, scratch: str | os.PathLike[str] | None) -> None:
        """Start without any, in memory or in temporary files."""
        self.terms: dict[str, int] = {}
        self.starts = [0]
        self.docids = Spool(np.int32, scratch)
        self.tfs = Spool(np.int32, scratch)


class Contents(NamedTuple):
    """What a file holds."""

    header: Message
    lists: Lists
    ids: list[str]
    lengths: NDArray[np.int32]


def read_contents(
    path: str | os.PathLike[str], scratch: str | os.PathLike[str] | None, progress: Progress | None
) -> Contents:
    """Read a file and check all of it; its postings in memory, or in temporary files in the folder `scratch`."""
    messages = needed_messages()
    with Path(path).open("rb") as raw:
        file = messages.MessageReader(path, raw, progress)
        try:
            header = _read_header(file, messages)
            lists = _read_lists(file, messages, header, scratch)
            ids, lengths = _read_records(file, messages, header.num_docs)
            file.finish()
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FormatError(f"{path}: after offset {file.offset}: not a whole gzip file: {error}") from error
    return Contents(header, lists, ids, lengths)


def _read_header(file: MessageReader, messages: ModuleType) -> Message:
    where, header = file.read(messages.Header, "the header")
    if header.version != messages.VERSION:
        raise FormatError(f"{where}: version {header.version}, this library reads {messages.VERSION}")
    for name in ("num_postings_lists", "num_docs"):
        if getattr(header, name) < 0:
            raise FormatError(f"{where}: {name} is {getattr(header, name)}")
    return header


def _read_lists(
    file: MessageReader, messages: ModuleType, header: Message, scratch: str | os.PathLike[str] | None
) -> Lists:
    lists = Lists(scratch)
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
