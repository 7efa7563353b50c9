"""Arrow data as documents: every form of a vector gives the same rows, and what is none is named."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

import thresher
from helpers import expect

ROWS = [[(1, 1.5), (4, 2.0)], [], [(0, 0.5)], [(7, 3.0), (2, 1.0), (5, 0.25)]]
DENSE = np.zeros((4, 8), np.float32)
for number, row in enumerate(ROWS):
    for term, weight in row:
        DENSE[number, term] = weight

INDICES = [[term for term, _ in row] for row in ROWS]
VALUES = [[weight for _, weight in row] for row in ROWS]


def two_lists(index: pa.DataType, value: pa.DataType, make: Any = pa.list_) -> pa.Table:
    return pa.table({"indices": pa.array(INDICES, make(index)), "values": pa.array(VALUES, make(value))})


def struct() -> pa.Table:
    kind = pa.struct({"indices": pa.list_(pa.int32()), "values": pa.list_(pa.float32())})
    rows = [{"indices": terms, "values": weights} for terms, weights in zip(INDICES, VALUES, strict=True)]
    return pa.table({"id": pa.array(["a", "b", "c", "d"]), "vector": pa.array(rows, kind)})


def maps() -> pa.Table:
    return pa.table({"vector": pa.array(ROWS, pa.map_(pa.int64(), pa.float64()))})


def pairs() -> pa.Table:
    kind = pa.list_(pa.struct({"index": pa.uint32(), "value": pa.float32()}))
    rows = [[{"index": term, "value": weight} for term, weight in row] for row in ROWS]
    return pa.table({"vector": pa.array(rows, kind)})


FORMS = {
    "uint32": two_lists(pa.uint32(), pa.float32()),
    "int64, double": two_lists(pa.int64(), pa.float64()),
    "int8, half": pa.table(
        {
            "indices": pa.array(INDICES, pa.list_(pa.int8())),
            "values": pa.array([[np.float16(w) for w in row] for row in VALUES], pa.list_(pa.float16())),
        }
    ),
    "large lists": two_lists(pa.uint32(), pa.float32(), pa.large_list),
    "struct": struct(),
    "map": maps(),
    "pairs": pairs(),
}


class Exported:
    """Another library's data."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._data.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str) -> None:
    table = FORMS[form]
    batch = table.to_batches()[0]
    chunks = pa.concat_tables([table.slice(0, 1), table.slice(1, 2), table.slice(3)])
    for given in (table, batch, chunks, Exported(chunks), table.to_reader(max_chunksize=2)):
        index = thresher.ExactIndex.build(given)
        assert index.n_terms == 8
        assert np.array_equal(index.vectors(range(4)).toarray(), DENSE)
    for given in (table.slice(1), batch.slice(1), chunks.slice(1)):
        builder = thresher.Builder(thresher.ExactIndex)
        assert builder.add(given) == range(3)
        assert np.array_equal(builder.freeze().vectors(range(3)).toarray(), DENSE[1:])
    assert thresher.ExactIndex.build(table.slice(4), shape=(0, 9)).n_terms == 9


def test_arrow_data_as_queries() -> None:
    index = thresher.ExactIndex.build(FORMS["map"])
    assert index.search(FORMS["uint32"], 1).ids[:, 0].tolist() == [0, -1, 2, 3]


def test_columns_by_name() -> None:
    table = FORMS["uint32"].rename_columns(["a", "b"]).append_column("c", FORMS["map"].column(0))
    table = table.append_column("d", FORMS["pairs"].column(0))
    for columns in (("a", "b"), "c", "d"):
        builder = thresher.Builder(thresher.ExactIndex)
        builder.add(table, columns=columns)
        builder.extend(table, columns=columns)
        builder.extend([table, table.to_batches()[0]], columns=columns)
        assert np.array_equal(builder.freeze().vectors(range(16)).toarray(), np.vstack([DENSE] * 4))
    builder = thresher.Builder(thresher.ExactIndex)
    with expect(ValueError, "docs has several columns of vectors", "columns= must name it", "'c' of map"):
        builder.add(table)
    with expect(ValueError, "docs has no column 'e'", "'a', 'b', 'c', 'd'"):
        builder.add(table, columns="e")
    with expect(TypeError, "columns must be a name or two", "('a',)"):
        builder.add(table, columns=("a",))  # type: ignore[arg-type]
    with expect(TypeError, "docs: columns= are those of Arrow data", "csr_array"):
        builder.add(sp.csr_array([[1.0]]), columns="a")
    with expect(TypeError, "docs: column 'a' is of list", "not structs"):
        builder.add(table, columns="a")
    with expect(TypeError, "docs: column 'c' is of map", "not of lists of numbers"):
        builder.add(table, columns=("c", "b"))


def table_of(indices: Any, values: Any) -> pa.Table:
    return pa.table(
        {"indices": pa.array(indices, pa.list_(pa.int64())), "values": pa.array(values, pa.list_(pa.float64()))}
    )


BAD: list[tuple[Any, type[Exception], list[str]]] = [
    (table_of([[1], [2, 3]], [[1.0], [1.0]]), ValueError, ["docs: row 1 has 2 indices and 1 values"]),
    (table_of([[1], None], [[1.0], [1.0]]), ValueError, ["docs: row 1 is null", "empty list"]),
    (table_of([[1], [2]], [[1.0], None]), ValueError, ["docs: row 1 is null"]),
    (table_of([[1], [], [2, None]], [[1.0], [], [1.0, 2.0]]), ValueError, ["docs: row 2 has an index that is null"]),
    (table_of([[1], [], [2, 3]], [[1.0], [], [1.0, None]]), ValueError, ["docs: row 2 has a value that is null"]),
    (table_of([[1], [-2]], [[1.0], [1.0]]), ValueError, ["docs: row 1 has term -2"]),
    (table_of([[1], [2]], [[1.0], [float("inf")]]), ValueError, ["docs: row 1 has weight inf for term 2"]),
    (table_of([[1], [2]], [[1.0], [np.nan]]), ValueError, ["docs: row 1 has weight nan for term 2"]),
    (table_of([[1], [2**32]], [[1.0], [1.0]]), ValueError, ["docs: the number of terms must be in", "4294967297"]),
    (pa.table({"x": [1, 2]}), ValueError, ["docs has no column of vectors", "'x' of int64"]),
    (pa.table({}), ValueError, ["docs has no column of vectors", "none"]),
    (pa.table({"indices": [[1.5]], "values": [[1.0]]}), TypeError, ["docs: indices must be integers"]),
    (pa.table({"indices": [["a"]], "values": [[1.0]]}), TypeError, ["docs: column 'indices' is of list"]),
    (
        pa.table(
            {"v": pa.array([[{"i": 1, "v": 1.0}, None]], pa.list_(pa.struct({"i": pa.int32(), "v": pa.float32()})))}
        ),
        ValueError,
        ["docs: row 0 has an entry that is null"],
    ),
]


@pytest.mark.parametrize(("bad", "error", "words"), BAD)
def test_what_is_no_vector(bad: Any, error: type[Exception], words: list[str]) -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    builder.add(FORMS["map"])
    with expect(error, *words):
        builder.add(bad)
    with expect(error, "item 1", *(word.removeprefix("docs") for word in words)):
        builder.extend([FORMS["map"], bad])
    assert builder.n_docs == 8


def test_rows_are_counted_over_all_batches() -> None:
    chunks = pa.concat_tables([FORMS["uint32"], table_of([[1], [2, 3]], [[1.0], [1.0]]).cast(FORMS["uint32"].schema)])
    with expect(ValueError, "docs: row 5 has 2 indices and 1 values"):
        thresher.ExactIndex.build(chunks)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Exported(FORMS["map"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with expect(ImportError, "Arrow data needs pyarrow", '"arrow"'):
        thresher.ExactIndex.build(data)
