"""Vectors in Parquet and Arrow IPC files (Feather): lists of indices and values, as `thresher.Builder.add` takes them.

A column ``id``, of strings or whole numbers, has what the documents are called. Files are read batch by batch, whatever
their size. They need pyarrow, which the extra ``arrow`` brings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from thresher import FormatError
from thresher._arrow import Arrow, ArrowColumns, column_names, pyarrow, vectors_of
from thresher._matrix import CsrArrays, as_csr
from thresher._rows import width_of
from thresher._streams import ROWS_AT_ONCE
from thresher.formats._check import first_bad_weight, row_of, weight_problem
from thresher.formats._documents import DocumentStream, joined_rows

if TYPE_CHECKING:
    from scipy import sparse

ID = "id"
"""The column of what documents are called."""

Kind = Literal["parquet", "arrow"]
Progress = Callable[[int, int], None]


class ArrowFile(NamedTuple):
    """A file that was opened."""

    schema: Arrow
    n_rows: int
    batches: Callable[[list[str]], Iterator[Arrow]]
    """Gives batches of some of its columns."""


class ArrowDocuments(DocumentStream):
    """The documents of a Parquet or Arrow file, a batch at a time.

    Parameters
    ----------
    path
        The file.
    kind
        Whether it is a Parquet file or one of Arrow IPC.
    columns
        Where vectors are, as for `thresher.Builder.add`.
    allow_negative
        Accept negative weights.
    progress
        Called now and then with the documents read and the documents in all.

    Raises
    ------
    thresher.FormatError
        If it is no such file or has no such columns; from `next`, if it is damaged, or a vector, a weight or an id is
        not one that can be: the message names the row.
    OSError
        If the file can't be read.
    ImportError
        Without pyarrow, which the extra ``arrow`` brings.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        kind: Kind,
        *,
        columns: ArrowColumns | None = None,
        allow_negative: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Open the file."""
        super().__init__()
        self._path = path
        self._allow_negative = allow_negative
        self._progress = progress
        file = _opened(path, kind)
        try:
            self._columns = column_names(file.schema, columns, str(path))
        except ValueError as error:
            raise FormatError(str(error)) from error
        self._n_rows = file.n_rows
        self._n_read = 0
        names = [self._columns] if isinstance(self._columns, str) else list(self._columns)
        has_ids = file.schema.names.count(ID) == 1 and ID not in names
        self._rows_of: dict[str, int] | None = {} if has_ids else None
        self._batches = file.batches([*names, ID] if has_ids else names)

    @property
    def ids(self) -> list[str] | None:
        """What the documents so far are called; None if the file has no column of ids."""
        return None if self._rows_of is None else list(self._rows_of)

    def __next__(self) -> CsrArrays:
        """Return the documents of the next batch."""
        where = str(self._path)
        try:
            batch = next(self._batches)
            if self._rows_of is not None:
                self._take_ids(batch.column(batch.schema.get_field_index(ID)))
            name = f"{where}: from row {self._n_read} on"
            lists = vectors_of(batch, self._columns, name)
            n_terms = width_of(lists.indices)
            rows = as_csr(lists, shape=(batch.num_rows, n_terms), name=name)
        except (TypeError, ValueError, OSError) as error:  # pyarrow's own are among them
            raise FormatError(str(error) if where in str(error) else f"{where}: {error}") from error
        at = first_bad_weight(rows.data, allow_negative=self._allow_negative)
        if at is not None:
            row = self._n_read + row_of(rows.indptr, at)
            what = weight_problem(float(rows.data[at]), allow_negative=self._allow_negative)
            raise FormatError(f"{where}: row {row}: term {rows.indices[at]} has {what}")
        self._n_read += batch.num_rows
        self.n_terms = max(self.n_terms, n_terms)
        if self._progress is not None:
            self._progress(self._n_read, self._n_rows)
        return rows

    def _take_ids(self, column: Arrow) -> None:
        known = self._rows_of
        assert known is not None
        for row, name in enumerate(column.to_pylist(), self._n_read):
            if isinstance(name, bool) or not isinstance(name, str | int):
                raise FormatError(f"{self._path}: row {row}: {ID!r} must be a string or a whole number, got {name!r}")
            first = known.setdefault(str(name), row)
            if first != row:
                raise FormatError(f"{self._path}: row {row}: id {str(name)!r} was used in row {first}")


def read_matrix(
    path: str | os.PathLike[str], kind: Kind, *, columns: ArrowColumns | None = None, allow_negative: bool = False
) -> sparse.csr_array:
    """Read all vectors of a Parquet or Arrow file.

    Parameters
    ----------
    path, kind, columns, allow_negative
        As for `ArrowDocuments`.

    Returns
    -------
    scipy.sparse.csr_array
        float32, (n_rows, n_terms), with as many terms as the largest index needs.

    Raises
    ------
    thresher.FormatError, OSError, ImportError
        As from `ArrowDocuments`.
    """
    stream = ArrowDocuments(path, kind, columns=columns, allow_negative=allow_negative)
    parts = list(stream)
    return joined_rows(parts, stream.n_terms)


def objects(
    path: str | os.PathLike[str], kind: Kind, *, progress: Progress | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a Parquet or Arrow file as dicts of all its columns, numbered from 0.

    Parameters
    ----------
    path, kind, progress
        As for `ArrowDocuments`.

    Raises
    ------
    thresher.FormatError, OSError, ImportError
        As from `ArrowDocuments`.
    """
    file = _opened(path, kind)
    twice = next((name for name in file.schema.names if file.schema.names.count(name) > 1), None)
    if twice is not None:
        raise FormatError(f"{path}: the column {twice!r} is there twice")
    number = 0
    try:
        for batch in file.batches(list(file.schema.names)):
            for record in batch.to_pylist():
                yield number, record
                number += 1
            if progress is not None:
                progress(number, file.n_rows)
    except (pyarrow().ArrowException, OSError) as error:
        raise FormatError(f"{path}: after row {number}: {error}") from error


def _opened(path: str | os.PathLike[str], kind: Kind) -> ArrowFile:
    arrow = pyarrow()
    with Path(path).open("rb"):  # a folder or a missing file says so
        pass
    try:
        return _opened_parquet(path) if kind == "parquet" else _opened_ipc(path)
    except (arrow.ArrowException, OSError) as error:
        raise FormatError(f"{path}: not {'a Parquet' if kind == 'parquet' else 'an Arrow'} file: {error}") from error


def _opened_parquet(path: str | os.PathLike[str]) -> ArrowFile:
    from pyarrow import parquet  # noqa: PLC0415  (an optional extra)

    file = parquet.ParquetFile(os.fspath(path), memory_map=True)

    def batches(names: list[str]) -> Iterator[Arrow]:
        return iter(file.iter_batches(batch_size=ROWS_AT_ONCE, columns=names, use_threads=False))

    return ArrowFile(file.schema_arrow, file.metadata.num_rows, batches)


def _opened_ipc(path: str | os.PathLike[str]) -> ArrowFile:
    arrow = pyarrow()
    source = arrow.memory_map(os.fspath(path))
    file = arrow.ipc.open_file(source)
    n_batches = file.num_record_batches

    def batches(names: list[str]) -> Iterator[Arrow]:
        for number in range(n_batches):
            batch = file.get_batch(number).select(names)
            batch.validate(full=True)  # offsets come from the file, and are followed
            for start in range(0, max(batch.num_rows, 1), ROWS_AT_ONCE):
                yield batch.slice(start, ROWS_AT_ONCE)

    n_rows = sum(file.get_batch(number).num_rows for number in range(n_batches))
    return ArrowFile(file.schema, n_rows, batches)
