"""The declared fields of a segment's documents, as columns: in memory, or mapped from a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thresher.collection.filters import encode
from thresher.collection.filters.bits import Mask
from thresher.collection.filters.column import Column, numbers_and_presence
from thresher.collection.filters.column_file import MAX_DOCS, ColumnFile, write
from thresher.collection.filters.dictionaries import Array
from thresher.collection.filters.fields import Fields, Kind, check_fields, value_of


class Columns:
    """The columns of some documents, which are numbered from 0; immutable, for any number of threads.

    Made by `of` from payloads, by `merge` from other columns, or by `open` from a file.

    Examples
    --------
    >>> from thresher.collection.filters import Columns, evaluate, parse
    >>> columns = Columns.of({"year": "int"}, [{"year": 2019}, {"year": 2024}, {}])
    >>> evaluate(parse({"year": {"$gte": 2020}}), columns, 3)
    array([2], dtype=uint64)
    >>> columns.write("segment.columns")
    >>> Columns.open("segment.columns")
    <Columns: 3 documents, 1 field>
    """

    def __init__(self, fields: Mapping[str, Kind], n_docs: int, load: Callable[[str], Column]) -> None:
        """Take the fields, and what gives the column of each; use the class methods."""
        self.fields = dict(fields)
        self.n_docs = n_docs
        self._load = load
        self._loaded: dict[str, Column] = {}

    @classmethod
    def of(cls, fields: Fields, payloads: Iterable[Mapping[str, Any] | None]) -> Columns:
        """Make columns of payloads as `validate_payload` returns them; None has no fields.

        Raises
        ------
        ValueError
            Naming document, field and value, if one is of another kind.
        """
        declared = check_fields(fields)
        values: dict[str, list[Any]] = {field: [] for field in declared}
        n_docs = 0
        for payload in payloads:
            for field, kind in declared.items():
                try:
                    values[field].append(None if payload is None else value_of(payload, field, kind))
                except ValueError as error:
                    raise ValueError(f"payloads[{n_docs}]: {field} {error}") from None
            n_docs += 1
        columns = {field: encode.column_of(values.pop(field), kind) for field, kind in declared.items()}
        return cls(declared, _counted(n_docs), columns.__getitem__)

    @classmethod
    def merge(cls, fields: Fields, sources: Sequence[tuple[Columns, npt.ArrayLike | None]]) -> Columns:
        """Make columns of the documents of several others that are to be kept, in their order.

        Parameters
        ----------
        fields
            The fields to take.
        sources
            Columns, and for each a mask of the documents to keep, bool (n_docs,); None: all.

        Raises
        ------
        ValueError
            If a source has not all of the fields, in the same kind, or a mask not the shape.
        FormatError
            If a source's file is altered.
        """
        declared = check_fields(fields)
        keeps = []
        for number, (columns, keep) in enumerate(sources):
            for field, kind in declared.items():
                if columns.fields.get(field) != kind:
                    has = columns.fields.get(field, "no such")
                    raise ValueError(f"sources[{number}] has {has} field {field!r}, expected {kind}")
            mask = np.ones(columns.n_docs, np.bool_) if keep is None else np.asarray(keep)
            if mask.dtype != np.bool_ or mask.shape != (columns.n_docs,):
                raise ValueError(
                    f"sources[{number}]: the mask must be bool ({columns.n_docs},), got {mask.dtype} {mask.shape}"
                )
            keeps.append(mask)
        made = {
            field: encode.merged([columns.column(field) for columns, _ in sources], keeps, kind)
            for field, kind in declared.items()
        }
        return cls(declared, _counted(sum(int(np.count_nonzero(keep)) for keep in keeps)), made.__getitem__)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = True) -> Columns:
        """Map a column file.

        Parameters
        ----------
        path
            A file that `write` wrote. It may be renamed, replaced or deleted while it is open.
        verify
            Check all columns now, which reads the file once. Without it each is checked before it is first used.

        Raises
        ------
        FormatError
            If it is no column file, is cut off or altered; without `verify` also later, from any use.
        OSError
            If the system can't open it.
        """
        file = ColumnFile(path)
        columns = cls(file.fields, file.n_docs, file.column)
        if verify:
            for field in columns.fields:
                columns.column(field)
        return columns

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a column file, which appears whole and is on the disk when this returns.

        Raises
        ------
        OSError
            If it can't be written.
        """
        write(path, self.fields, {field: self.column(field) for field in self.fields}, self.n_docs)

    def column(self, field: str) -> Column:
        """Return a field's column; KeyError if it is not declared here."""
        found = self._loaded.get(field)
        if found is None:
            if field not in self.fields:
                raise KeyError(field)
            found = self._loaded[field] = self._load(field)
        return found

    def numeric(self, field: str) -> tuple[Array, Mask]:
        """Return a field's numbers, to sort or to boost by.

        Parameters
        ----------
        field
            A field of the kind int, float or datetime.

        Returns
        -------
        values : numpy.ndarray
            int64, of float fields float64 (n_docs,); 0 where there is none. Perhaps read-only.
        presence : numpy.ndarray
            bool (n_docs,), which documents have one.

        Raises
        ------
        ValueError
            If the field is not declared, or of another kind.
        """
        kind = self.fields.get(field)
        if kind not in ("int", "float", "datetime"):
            held = "not declared" if kind is None else f"of the kind {kind}"
            raise ValueError(f"{field!r} is {held}, not of numbers")
        return numbers_and_presence(self.column(field))

    @property
    def nbytes(self) -> int:
        """Bytes of all columns, in memory or mapped."""
        return sum(array.nbytes for field in self.fields for array in self.column(field).parts().values())

    def __repr__(self) -> str:
        """Show the counts."""
        n_fields = len(self.fields)
        return f"<Columns: {self.n_docs} documents, {n_fields} field{'' if n_fields == 1 else 's'}>"


def _counted(n_docs: int) -> int:
    if n_docs > MAX_DOCS:
        raise ValueError(f"a segment has at most {MAX_DOCS} documents, got {n_docs}")
    return n_docs
