"""Documents that come one after the other: rows are gathered to parts, batches are parts as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from thresher import _core
from thresher._arrow import Arrow, ArrowColumns, batches_of, is_arrow
from thresher._kinds import is_row, plain_array
from thresher._matrix import CsrArrays, MatrixLike, RowLike, as_csr
from thresher._rows import Row, row_of, stacked

ROWS_AT_ONCE = 4096
ENTRIES_AT_ONCE = 1 << 20

Pair: TypeAlias = tuple[npt.ArrayLike, npt.ArrayLike]
Item: TypeAlias = RowLike | Pair | MatrixLike | CsrArrays | Arrow
"""What an iterable of documents may give: a row, or a batch of rows."""
DocumentsLike: TypeAlias = MatrixLike | Iterator[Item]


class Part(NamedTuple):
    """Items in a row that are added at once."""

    first: int
    """The number of the first of them."""
    rows: list[Row] | None
    """Rows of one width, an item each; None for a batch, which is one item."""
    batch: Any
    """A batch as it came; None for rows."""

    def arrays(self, columns: ArrowColumns | None) -> CsrArrays:
        """Return the documents, or raise ValueError or TypeError that names the item."""
        if self.rows is None:
            return as_csr(self.batch, columns=columns, name=self.name)
        indptr, indices, data, n_terms = stacked(self.rows, self.rows[0].n_terms)
        return as_csr((indptr, indices, data), shape=(len(self.rows), n_terms), name=self.name)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"docs: item {self.first}"

    def singly(self) -> Iterator[Part]:
        """Yield each row as a part of its own."""
        for number, row in enumerate(self.rows or (), self.first):
            yield Part(number, [row], None)


def add_all(items: Iterable[Item], columns: ArrowColumns | None, add: Callable[[CsrArrays, str], object]) -> None:
    """Call ``add(rows, name)`` for the items of an iterable, part by part, so that errors name the item.

    Where `add` raises for rows that were gathered, each is added by itself: those before the bad one are in.
    """
    for part in parts_of(items):
        try:
            add(part.arrays(columns), part.name)
        except (TypeError, ValueError):
            if part.rows is None:
                raise
            for row in part.singly():
                add(row.arrays(None), row.name)


def collected(
    items: Iterable[Item], shape: tuple[int, int] | None, threads: int, files: _core.ScratchFiles | None
) -> CsrArrays:
    """Return all documents of an iterable, which are kept in temporary files unless `files` is None."""
    rows = _core.CollectedRows(files)

    def add(part: CsrArrays, name: str) -> None:
        rows.add(part.indptr, part.indices, part.data, part.shape[1], name, threads)

    add_all(items, None, add)
    indptr, indices, data, n_terms = rows.arrays()
    return as_csr((indptr, indices, data), shape=shape or (rows.n_rows, n_terms), name="docs")


def is_stream(value: DocumentsLike) -> TypeGuard[Iterator[Item]]:
    """Return whether a value gives documents one after the other: an iterator, such as a generator."""
    return isinstance(value, Iterator)


def parts_of(items: Iterable[Item]) -> Iterator[Part]:
    """Yield the items of an iterable in parts, in their order.

    Parameters
    ----------
    items
        Each a row (a dict ``{term: weight}``, a pair of indices and weights, a scipy.sparse or torch row) or a batch of
        rows (anything that `as_csr` takes). Arrow data is the iterable of its batches.

    Raises
    ------
    TypeError, ValueError
        For an item that is neither, which the message names.
    """
    rows: list[Row] = []
    first, n_entries = 0, 0
    if is_arrow(items):
        items = batches_of(items)
    try:
        for number, item in enumerate(items):
            row = _row(item, f"docs: item {number}")
            if rows and (row is None or row.n_terms != rows[0].n_terms):
                yield Part(first, rows, None)
                rows, n_entries = [], 0
            if row is None:
                yield Part(number, None, item)
                continue
            first = first if rows else number
            rows.append(row)
            n_entries += row.weights.size
            if len(rows) == ROWS_AT_ONCE or n_entries >= ENTRIES_AT_ONCE:
                yield Part(first, rows, None)
                rows, n_entries = [], 0
    except Exception:  # an item that is none, or one that does not come
        if rows:
            yield Part(first, rows, None)
        raise
    if rows:
        yield Part(first, rows, None)


def _row(item: Any, where: str) -> Row | None:  # noqa: ANN401 - as above
    """Return an item that is one row, None for another."""
    if isinstance(item, tuple) and len(item) == 2 and not any(map(is_row, item)):
        return _of_pair(item, where)
    if isinstance(item, Mapping) or (is_row(item) and (len(item.shape) == 1 or item.shape[0] == 1)):
        return row_of(item, where)
    return None


def _of_pair(pair: Sequence[Any], where: str) -> Row:
    terms, weights = (plain_array(part) for part in pair)
    for part, label in ((terms, "indices"), (weights, "weights")):
        if part.ndim != 1:
            raise ValueError(f"{where}: {label} must be 1-D, got shape {part.shape}")
        if part.size and part.dtype.kind not in ("iu" if label == "indices" else "fiub"):
            raise TypeError(f"{where}: {label} must be {_NUMBERS[label]}, got dtype {part.dtype}")
    if terms.size != weights.size:
        raise ValueError(f"{where}: indices and weights differ in length: {terms.size} and {weights.size}")
    if terms.size and (int(terms.min()) < 0 or int(terms.max()) >= np.iinfo(np.uint32).max):
        outside = next(term for term in terms.tolist() if not 0 <= term < np.iinfo(np.uint32).max)
        raise ValueError(f"{where} has the term {outside}, which is not in [0, 2**32 - 1)")
    return Row(terms.astype(np.int64, copy=False), weights, None)


_NUMBERS = {"indices": "whole numbers", "weights": "real numbers"}
