"""Vectors in Arrow data: record batches and tables of pyarrow, and what exports the Arrow PyCapsule interface.

A vector is a row of two columns, a list of indices and a list of values; or of one column, of structs of these two
lists, of maps from an index to a value, or of lists of structs of an index and a value. Lists are not copied where
their types are those of the core.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from thresher._extras import missing
from thresher._kinds import Array

if TYPE_CHECKING:
    from types import ModuleType

Arrow: TypeAlias = Any  # of pyarrow, which has no types
ArrowColumns: TypeAlias = str | tuple[str, str]
"""The column of vectors, or those of their indices and of their values."""

USUAL = ("indices", "values")
_FORMS = (
    "structs of two lists, maps of an index to a value, or lists of structs of an index and a value; or two columns of "
    "lists, of indices and of values"
)


class Lists(NamedTuple):
    """Vectors, one behind the other, as they lie in Arrow's memory where they can: a triple as matrices may be."""

    indptr: Array
    indices: Array
    data: Array


def is_arrow(value: object) -> bool:
    """Return whether a value is a record batch, a table or another that exports Arrow data, but no frame of pandas."""
    if type(value).__module__.startswith("pandas."):
        return False
    return hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__")


def batches_of(value: Arrow) -> Iterator[Arrow]:
    """Yield the record batches of Arrow data; each is read when it is asked for."""
    pa = pyarrow()
    if isinstance(value, pa.RecordBatch):
        yield value
    elif isinstance(value, pa.Table):
        yield from value.to_batches()
    elif isinstance(value, pa.RecordBatchReader):
        yield from value
    elif hasattr(value, "__arrow_c_stream__"):
        yield from pa.RecordBatchReader.from_stream(value)
    else:
        yield pa.record_batch(value)


def vectors_of(value: Arrow, columns: ArrowColumns | None, name: str) -> Lists:
    """Return the vectors of all batches of Arrow data.

    Parameters
    ----------
    value
        A record batch, a table or a stream.
    columns
        Where vectors are. None for ``("indices", "values")`` where there are such columns, or the only column that can
        be one of vectors.
    name
        What messages call the data.

    Raises
    ------
    ValueError
        If there are no such columns, or a vector, an index or a weight is null: the message names the row.
    TypeError
        If the columns are not of vectors.
    ImportError
        Without pyarrow, which the extra ``arrow`` brings.
    """
    parts: list[Lists] = []
    row = 0
    for batch in batches_of(value):
        parts.append(_of_batch(batch, columns, name, row))
        row += batch.num_rows
    if not parts and hasattr(value, "schema"):
        column_names(value.schema, columns, name)
    if len(parts) == 1:
        return parts[0]
    counts = [np.diff(part.indptr) for part in parts]
    indptr = np.concatenate([np.zeros(1, np.int64), *counts]).cumsum(dtype=np.int64)
    filled = [part for part in parts if part.data.size]
    if not filled:
        return Lists(indptr, np.zeros(0, np.int32), np.zeros(0, np.float32))
    return Lists(
        indptr, np.concatenate([part.indices for part in filled]), np.concatenate([part.data for part in filled])
    )


def column_names(schema: Arrow, columns: ArrowColumns | None, name: str) -> ArrowColumns:
    """Return the columns that hold vectors, or raise ValueError that says which there are."""
    names = list(schema.names)
    if columns is not None:
        wanted = (columns,) if isinstance(columns, str) else columns
        given: object = columns  # whatever a caller passed
        is_pair = isinstance(given, tuple) and len(given) == 2 and all(isinstance(one, str) for one in given)
        if not (isinstance(given, str) or is_pair):
            raise TypeError(f"columns must be a name or two, of indices and of values, got {given!r}")
        for one in wanted:
            if names.count(one) != 1:
                problem = "no column" if one not in names else "two columns"
                raise ValueError(f"{name} has {problem} {one!r}; it has {', '.join(map(repr, names)) or 'none'}")
        return columns
    if all(names.count(one) == 1 for one in USUAL):
        return USUAL
    fitting = [field.name for field in schema if _is_vectors(field.type)]
    if len(fitting) == 1:
        return str(fitting[0])
    found = "several columns" if fitting else "no column"
    raise ValueError(
        f"{name} has {found} of vectors ({_FORMS}), so that columns= must name it; it has "
        f"{', '.join(f'{field.name!r} of {field.type}' for field in schema) or 'none'}"
    )


def pyarrow() -> ModuleType:
    """Return the library, which needs an extra."""
    try:
        import pyarrow as arrow  # noqa: ICN001, PLC0415  (an optional extra)
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise ImportError(missing("Arrow data needs pyarrow", "arrow")) from error
    module: ModuleType = arrow
    return module


def _is_list(kind: Arrow) -> bool:
    types = pyarrow().types
    return bool(types.is_list(kind) or types.is_large_list(kind))


def _is_vectors(kind: Arrow) -> bool:
    """Return whether a column of this type can be one of vectors."""
    types = pyarrow().types
    if types.is_map(kind):
        return _is_pair(kind.key_type, kind.item_type)
    if _is_list(kind) and types.is_struct(kind.value_type) and kind.value_type.num_fields == 2:
        return _is_pair(kind.value_type.field(0).type, kind.value_type.field(1).type)
    if types.is_struct(kind) and kind.num_fields == 2:
        first, second = kind.field(0).type, kind.field(1).type
        return _is_list(first) and _is_list(second) and _is_pair(first.value_type, second.value_type)
    return False


def _is_pair(index: Arrow, value: Arrow) -> bool:
    types = pyarrow().types
    return bool(types.is_integer(index) and (types.is_floating(value) or types.is_integer(value)))


def _of_batch(batch: Arrow, columns: ArrowColumns | None, name: str, first: int) -> Lists:
    """Return the vectors of a record batch, whose rows are counted from `first`."""
    chosen = column_names(batch.schema, columns, name)
    if isinstance(chosen, tuple):
        indices, values = (batch.column(batch.schema.get_field_index(one)) for one in chosen)
        for one, column in zip(chosen, (indices, values), strict=True):
            _check_list(column, f"{name}: column {one!r}")
        return _of_two_lists(indices, values, name, first)
    column = batch.column(batch.schema.get_field_index(chosen))
    if not _is_vectors(column.type):
        raise TypeError(f"{name}: column {chosen!r} is of {column.type}, not {_FORMS}")
    _check_valid(column, name, first)
    types = pyarrow().types
    if types.is_struct(column.type):
        return _of_two_lists(column.field(0), column.field(1), name, first)
    indptr, start, stop = _extent(column)
    if types.is_map(column.type):
        indices, values = column.keys.slice(start, stop - start), column.items.slice(start, stop - start)
    else:
        pairs = column.values.slice(start, stop - start)
        _check_items(pairs, indptr, "an entry", name, first)
        indices, values = pairs.field(0), pairs.field(1)
    return _checked(indptr, indices, values, name, first)


def _of_two_lists(indices: Arrow, values: Arrow, name: str, first: int) -> Lists:
    for column in (indices, values):
        _check_valid(column, name, first)
    indptr, start, stop = _extent(indices)
    others, other_start, other_stop = _extent(values)
    if not np.array_equal(indptr, others):
        row = int((np.diff(indptr) != np.diff(others)).argmax())
        counts = int(np.diff(indptr)[row]), int(np.diff(others)[row])
        raise ValueError(f"{name}: row {first + row} has {counts[0]} indices and {counts[1]} values")
    indices = indices.values.slice(start, stop - start)
    return _checked(indptr, indices, values.values.slice(other_start, other_stop - other_start), name, first)


def _checked(indptr: Array, indices: Arrow, values: Arrow, name: str, first: int) -> Lists:
    _check_items(indices, indptr, "an index", name, first)
    _check_items(values, indptr, "a value", name, first)
    return Lists(indptr, indices.to_numpy(zero_copy_only=False), values.to_numpy(zero_copy_only=False))


def _extent(column: Arrow) -> tuple[Array, int, int]:
    """Return where each list begins, counted from the first, and the items from the first to the last."""
    offsets = np.asarray(column.offsets).astype(np.int64)
    return offsets - offsets[0], int(offsets[0]), int(offsets[-1])


def _check_list(column: Arrow, where: str) -> None:
    types = pyarrow().types
    kind = column.type
    if not _is_list(kind) or not (types.is_integer(kind.value_type) or types.is_floating(kind.value_type)):
        raise TypeError(f"{where} is of {kind}, not of lists of numbers")


def _check_valid(column: Arrow, name: str, first: int) -> None:
    if column.null_count:
        row = int(column.is_null().to_numpy(zero_copy_only=False).argmax())
        raise ValueError(f"{name}: row {first + row} is null; a document without terms is an empty list")


def _check_items(items: Arrow, indptr: Array, what: str, name: str, first: int) -> None:
    if items.null_count:
        at = int(items.is_null().to_numpy(zero_copy_only=False).argmax())
        row = int(np.searchsorted(indptr, at, side="right")) - 1
        raise ValueError(f"{name}: row {first + row} has {what} that is null")
