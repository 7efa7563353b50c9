"""Documents or an index as a CIFF file."""

from __future__ import annotations

import contextlib
import gzip
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, SupportsFloat, SupportsIndex

import numpy as np

from thresher import Index, MatrixLike, __version__
from thresher.formats import _impacts
from thresher.formats._atomic import atomic_write
from thresher.formats.ciff._protobuf import needed_messages

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from thresher.formats.ciff._contents import Progress
    from thresher.formats.ciff._messages import Message

BITS = 8
"""Bits of an impact, unless a writer is told otherwise."""

_INT32_MAX = 2**31 - 1
_LONGEST_LIST = _INT32_MAX // 14  # postings: a message has at most 2 GiB, a posting at most 14 bytes
_REPORT = 1 << 18  # postings between two progress reports


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
    >>> from thresher.formats.ciff import read_ciff, write_ciff
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
    messages = needed_messages()
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
        version=messages.VERSION,
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
