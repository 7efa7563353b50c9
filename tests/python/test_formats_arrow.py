"""Parquet and Arrow files: what pyarrow wrote comes back, in pieces or at once; what is wrong is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from pyarrow import feather, parquet

import thresher
from helpers import expect
from thresher import FormatError, formats
from thresher.formats.arrow import ArrowDocuments, Kind

KINDS: list[Kind] = ["parquet", "arrow"]


def write(kind: Kind, table: pa.Table, path: Path) -> None:
    if kind == "parquet":
        parquet.write_table(table, path, row_group_size=3000)
    else:
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=10_000)


def table_of(docs: sp.csr_array, **columns: Any) -> pa.Table:
    offsets = pa.array(docs.indptr, pa.int32())
    lists = {
        "indices": pa.ListArray.from_arrays(offsets, pa.array(docs.indices.astype(np.uint32))),
        "values": pa.ListArray.from_arrays(offsets, pa.array(docs.data)),
    }
    return pa.table(lists | columns)


@pytest.fixture
def docs() -> sp.csr_array:
    rng = np.random.default_rng(1)
    dense = np.where(rng.random((12_000, 200)) < 0.02, rng.random((12_000, 200), np.float32), 0)
    dense[0, 199] = 1
    return sp.csr_array(dense.astype(np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_comes_back(kind: Kind, docs: sp.csr_array, tmp_path: Path) -> None:
    path = tmp_path / f"docs.{kind}"
    write(kind, table_of(docs, other=pa.array(range(12_000))), path)
    assert formats.detect(path) == kind
    calls: list[tuple[int, int]] = []
    stream = ArrowDocuments(path, kind, progress=lambda *call: calls.append(call))
    builder = thresher.Builder(thresher.ExactIndex)
    assert builder.extend(stream) == 12_000
    assert (stream.ids, stream.vocabulary, stream.n_terms) == (None, None, 200)
    assert len(calls) > 2
    assert calls[-1] == (12_000, 12_000)
    for back in (builder.freeze().vectors(range(12_000)), formats.read_matrix(path)):
        assert back.shape == docs.shape
        assert (back != docs).nnz == 0


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_known_by_how_they_begin(kind: Kind, docs: sp.csr_array, tmp_path: Path) -> None:
    write(kind, table_of(docs), tmp_path / "docs")
    assert formats.detect(tmp_path / "docs") == kind
    if kind == "arrow":
        feather.write_feather(table_of(docs), tmp_path / "docs.feather")
        assert (formats.read_matrix(tmp_path / "docs.feather") != docs).nnz == 0


@pytest.mark.parametrize("kind", KINDS)
def test_ids(kind: Kind, docs: sp.csr_array, tmp_path: Path) -> None:
    path = tmp_path / "docs"
    write(kind, table_of(docs, id=pa.array([f"d{n}" for n in range(12_000)])), path)
    stream = ArrowDocuments(path, kind)
    assert sum(part.shape[0] for part in stream) == 12_000
    assert stream.ids == [f"d{n}" for n in range(12_000)]
    write(kind, table_of(docs, id=pa.array(range(5, 12_005))), path)
    stream = ArrowDocuments(path, kind)
    list(stream)
    assert stream.ids is not None
    assert stream.ids[-1] == "12004"
    for ids, words in (
        ([*range(11_999), 17], ["row 11999: id '17' was used in row 17"]),
        ([*range(11_999), None], ["row 11999: 'id' must be a string or a whole number, got None"]),
        (np.arange(12_000) / 2, ["row 0: 'id' must be a string or a whole number, got 0.0"]),
    ):
        write(kind, table_of(docs, id=pa.array(ids)), path)
        with expect(FormatError, str(path), *words):
            list(ArrowDocuments(path, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_in_a_file(kind: Kind, docs: sp.csr_array, tmp_path: Path) -> None:
    path = tmp_path / "docs"
    bad = docs.copy()
    bad.data[bad.indptr[9000]] = -1
    row = 9000 + int(bad.indptr[9001] == bad.indptr[9000])
    write(kind, table_of(bad), path)
    with expect(FormatError, str(path), f"row {row}" if row == 9000 else "row", "weight -1.0"):
        list(ArrowDocuments(path, kind))
    assert formats.arrow.read_matrix(path, kind, allow_negative=True).data.min() == -1
    write(kind, pa.table({"text": ["a"]}), path)
    with expect(FormatError, str(path), "no column of vectors", "'text' of string"):
        ArrowDocuments(path, kind)
    lists = pa.array([[1], None], pa.list_(pa.int32()))
    write(kind, pa.table({"indices": lists, "values": lists}), path)
    with expect(FormatError, str(path), "row 1 is null"):
        list(ArrowDocuments(path, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_are_none(kind: Kind, docs: sp.csr_array, tmp_path: Path) -> None:
    path = tmp_path / "docs"
    with pytest.raises(FileNotFoundError):
        ArrowDocuments(path, kind)
    with pytest.raises(IsADirectoryError):
        ArrowDocuments(tmp_path, kind)
    path.write_bytes(b"")
    with expect(FormatError, str(path)):
        ArrowDocuments(path, kind)
    write(kind, table_of(docs), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    for size in rng.integers(0, len(whole), 20):
        path.write_bytes(whole[:size])
        with expect(FormatError, str(path)):
            list(ArrowDocuments(path, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_altered_files_are_read_or_refused(kind: Kind, docs: sp.csr_array, tmp_path: Path) -> None:
    path = tmp_path / "docs"
    write(kind, table_of(docs[:300]), path)
    whole = path.read_bytes()
    rng = np.random.default_rng(8)
    for _ in range(200):
        altered = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            altered[at] = rng.integers(0, 256)
        path.write_bytes(altered)
        try:
            for part in ArrowDocuments(path, kind):
                assert part.indptr[-1] == part.data.size
        except FormatError:
            pass
