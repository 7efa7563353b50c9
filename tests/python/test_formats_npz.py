from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from scipy import sparse

from helpers import run_python
from thresher import FormatError
from thresher.formats import npz
from thresher.formats._documents import joined_rows

Layout = Literal["csr", "csc", "coo", "bsr", "dia"]

DENSE = np.array([[1.5, 0, 0, 2], [0, 0, 0, 0], [0, 0.25, 3, 0]], dtype=np.float32)


def arrays(**changed: object) -> dict[str, object]:
    """Return what `save_npz` stores for a CSR matrix, with something changed."""
    csr = sparse.csr_array(DENSE)
    stored = {
        "indices": csr.indices,
        "indptr": csr.indptr,
        "format": b"csr",
        "shape": csr.shape,
        "data": csr.data,
    }
    return {**stored, **changed}


def saved(folder: Path, content: Mapping[str, object]) -> Path:
    path = folder / "docs.npz"
    np.savez(path, **content)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, bool])
def test_reads_what_scipy_saves(tmp_path: Path, layout: Layout, dtype: type) -> None:
    matrix: Any = sparse.csr_matrix(DENSE.astype(dtype)).asformat(layout)
    sparse.save_npz(tmp_path / "docs.npz", matrix)
    read = npz.read_npz(tmp_path / "docs.npz")
    assert isinstance(read, sparse.csr_array)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read.toarray(), DENSE.astype(dtype))


def test_scipy_reads_what_is_written(tmp_path: Path) -> None:
    npz.write_npz(tmp_path / "any-name", sparse.csr_array(DENSE))
    np.testing.assert_array_equal(sparse.load_npz(tmp_path / "any-name").toarray(), DENSE)


def test_truncated_anywhere(tmp_path: Path) -> None:
    whole = saved(tmp_path, arrays()).read_bytes()
    cut = tmp_path / "cut.npz"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"cut\.npz: "):
            npz.read_npz(cut)


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path, arrays())
    raw = bytearray(path.read_bytes())
    raw[raw.index(DENSE[0, 0].tobytes())] ^= 1
    path.write_bytes(raw)
    with pytest.raises(FormatError, match="CRC"):
        npz.read_npz(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"indices": np.array([0, 9, 1, 2], np.int32)}, r"docs\.npz: not a scipy sparse matrix: .*ind"),
        ({"indices": np.array([0, -1, 1, 2], np.int32)}, r"docs\.npz: not a scipy sparse matrix: .*ind"),
        ({"indptr": np.array([0, 3, 2, 4], np.int32)}, r"docs\.npz: not a scipy sparse matrix: .*ind"),
        ({"indptr": np.array([0, 2, 2], np.int32)}, r"docs\.npz: not a scipy sparse matrix: .*ind"),
        ({"format": b"odd"}, "odd"),
        ({"data": np.array([1, 2, np.nan, 1])}, "row 2, column 1 has weight nan"),
        ({"data": np.array([1, 2, 3, 1e300])}, "row 2, column 2 has weight inf"),
        ({"data": np.array([1, 2, 3, 4j])}, "complex128"),
        ({"shape": (-3, 4)}, "docs.npz"),
        ({"shape": (3, 2**40)}, "impossible number of columns"),
    ],
)
def test_impossible_content(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        npz.read_npz(saved(tmp_path, arrays(**changed)))


def test_weights_may_be_negative_unless_that_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, arrays(data=np.array([1, -2, 1, 1])))
    assert npz.read_npz(path).data.min() == -2
    with pytest.raises(FormatError, match=r"row 0, column 3 has weight -2\.0 \(must be finite and >= 0\)"):
        npz.read_npz(path, allow_negative=False)


FAR = np.array(
    [0, 50_000_000, 0], np.int32
)  # what lies between is followed by scipy, though nothing is left at the end
ONES = np.ones(12, np.float32)
LYING: dict[str, dict[str, object]] = {
    "csr": {"indptr": FAR, "indices": np.arange(12, dtype=np.int32)[::-1], "data": ONES, "shape": (2, 20)},
    "csc": {"indptr": FAR, "indices": np.arange(12, dtype=np.int32)[::-1], "data": ONES, "shape": (20, 2)},
    "bsr": {"indptr": FAR, "indices": np.arange(12, dtype=np.int32), "data": ONES.reshape(12, 1, 1), "shape": (2, 20)},
    "coo": {
        "row": np.array([0, 2**30], np.int32),
        "col": np.array([0, 0], np.int32),
        "data": ONES[:2],
        "shape": (2, 20),
    },
    "dia": {"offsets": np.arange(50, dtype=np.int32), "data": ONES.reshape(3, 4), "shape": (4, 4)},
}


@pytest.mark.parametrize("layout", LYING)
def test_arrays_that_point_outside_never_reach_scipy(tmp_path: Path, layout: str) -> None:
    path = saved(tmp_path, {"format": layout.encode(), **LYING[layout]})
    with pytest.raises(FormatError, match=r"docs\.npz: not a scipy sparse matrix: " + layout):
        npz.read_npz(path)


@pytest.mark.parametrize(
    ("layout", "content"),
    [
        ("csc", {"indptr": np.zeros(21, np.int32), "indices": np.zeros(0, np.int32), "data": ONES[:0]}),
        ("coo", {"row": np.zeros(1, np.int32), "col": np.zeros(1, np.int32), "data": ONES[:1]}),
        ("dia", {"offsets": np.zeros(1, np.int32), "data": ONES[:1].reshape(1, 1)}),
    ],
)
def test_rows_that_a_small_file_only_claims_take_no_memory(
    tmp_path: Path, layout: str, content: dict[str, object]
) -> None:
    path = saved(tmp_path, {"format": layout.encode(), "shape": (2**31 - 1, 20), **content})
    with pytest.raises(FormatError, match=r"its shape claims 2147483647 rows, but there are only [01] weights"):
        npz.read_npz(path)
    few = saved(tmp_path, {"format": layout.encode(), "shape": (100_000, 20), **content})
    assert npz.read_npz(few).shape == (100_000, 20)


def test_diagonals_off_the_matrix_are_left_out(tmp_path: Path) -> None:
    for offsets in (np.array([-1, 2**62]), np.array([-(2**62), -1]), np.array([2**63, 0], np.uint64)):
        path = saved(
            tmp_path, {"format": b"dia", "shape": (3, 4), "offsets": offsets, "data": np.arange(1.0, 11).reshape(2, 5)}
        )
        expected = sparse.dia_array(
            (np.arange(1.0, 11).reshape(2, 5), np.clip(offsets, None, 9).astype(int).clip(-9)), shape=(3, 4)
        )
        np.testing.assert_array_equal(npz.read_npz(path).toarray(), expected.toarray())


def test_sums_and_lengths_as_scipy_has_them(tmp_path: Path) -> None:
    twice = {"format": b"coo", "shape": (1, 2), "row": [0, 0], "col": [1, 1], "data": np.array([True, True])}
    np.testing.assert_array_equal(npz.read_npz(saved(tmp_path, twice)).toarray(), [[0, 2]])
    longer = arrays(data=np.arange(1, 9, dtype=np.float32), indices=np.array([0, 3, 1, 2, 99, 99, 99, 99]))
    assert npz.read_npz(saved(tmp_path, longer)).nnz == 4


@pytest.mark.parametrize("layout", ["csr", "csc", "bsr"])
def test_a_matrix_that_points_outside_is_not_written(tmp_path: Path, layout: Layout) -> None:
    matrix: Any = sparse.csr_array(DENSE).asformat(layout)
    matrix.indptr[1] = 2**31 - 1
    with pytest.raises(ValueError, match=r"matrix: indptr decreases at (row|column) 1, from 2147483647 to"):
        npz.write_npz(tmp_path / "docs.npz", matrix)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TypeError, match=r"matrix must be a scipy\.sparse matrix, got ndarray"):
        npz.write_npz(tmp_path / "docs.npz", DENSE)


def test_one_name_twice(tmp_path: Path) -> None:
    path = saved(tmp_path, arrays())
    with zipfile.ZipFile(path) as archive:
        data = archive.read("data.npy")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("data.npy", data)
    with pytest.raises(FormatError, match=r"data\.npy is there twice"):
        npz.read_npz(path)


def test_a_directory_that_claims_more_than_deflate_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "docs.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", b"")
    raw = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = raw.index(signature) + at
        raw[start : start + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(FormatError, match=r"data\.npy takes 2147483648 bytes, which the file can't hold"):
        npz.read_npz(path)


ALTERED = """
import resource, sys, warnings
import numpy as np
from scipy import sparse
from thresher import FormatError
from thresher.formats import npz

warnings.simplefilter("ignore")
path, seed = sys.argv[1], int(sys.argv[2])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, resource.RLIM_INFINITY))
rng = np.random.default_rng(seed)
matrix = sparse.random_array((12, 8), density=0.3, rng=rng, dtype=np.float32, format="csr")
ODD = [0, 1, -1, 2, 7, 8, 9, 12, 13, 127, 2**15, 2**24, 2**30, 2**31 - 1, -2**31, 2**32, 2**40, 2**62, -2**63]
TYPES = ["i1", "u1", "i2", "<i4", ">i4", "i8", "u8", "f2", "f4", ">f8", "f8", "g", "c8", "?", "S3", "U2", "M8[s]"]


def altered(array):
    array = np.array(array)
    for _ in range(rng.integers(1, 3)):
        kind = rng.integers(7)
        if kind == 0 and array.size and array.dtype.kind in "iuf":
            array = array.astype("i8") if array.dtype.kind in "iu" else array
            array.flat[rng.integers(array.size)] = ODD[rng.integers(len(ODD))]
        elif kind == 1:
            array = array.astype(TYPES[rng.integers(len(TYPES))])
        elif kind == 2:
            array = array[: rng.integers(len(array) + 1)] if array.ndim else array.reshape(1)
        elif kind == 3:
            array = np.concatenate([array, array]) if array.ndim else array
        elif kind == 4:
            array = array.reshape(-1, 1) if rng.random() < 0.5 else array.reshape(array.shape + (1,))
        elif kind == 5:
            array = array.ravel()[::-1].reshape(array.shape)
        elif array.dtype.kind in "iu" and array.size:
            array = rng.permutation(array)
    return array


read = refused = 0
while read + refused < 1500:
    layout = ["csr", "csc", "coo", "bsr", "dia"][rng.integers(5)]
    stored = matrix.tobsr((3, 2)) if layout == "bsr" else matrix.asformat(layout)
    parts = {"csr": ("indptr", "indices"), "coo": ("row", "col"), "dia": ("offsets",)}
    parts = parts.get(layout, ("indptr", "indices"))
    content = {name: getattr(stored, name) for name in (*parts, "data", "shape")} | {"format": layout.encode()}
    for name in rng.choice(sorted(content), rng.integers(1, 3), replace=False):
        try:
            content[name] = altered(content[name])
        except (ValueError, OverflowError, IndexError):  # numpy has no such array
            continue
    if rng.random() < 0.05:
        content.pop(rng.choice(sorted(content)))
    (np.savez if rng.random() < 0.5 else np.savez_compressed)(path, **content)
    if rng.random() < 0.3:
        raw = bytearray(open(path, "rb").read())
        for at in rng.integers(0, len(raw), 3):
            raw[at] ^= 1 << rng.integers(8)
        open(path, "wb").write(raw)
    try:
        found = npz.read_npz(path)
    except (FormatError, OSError):
        refused += 1
    else:
        read += 1
        assert found.dtype == np.float32 and found.indptr[-1] == found.nnz == found.data.size
        found.sum_duplicates()
        found @ np.ones((found.shape[1], 1), np.float32) if found.shape[1] < 1000 else None
print(read > 100, refused > 500)
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_altered_files_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    done = run_python(ALTERED, tmp_path / "altered.npz", seed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True\n", "")


def test_pickles_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, arrays(data=np.array([1, 2, 3, None], dtype=object)))
    with pytest.raises(FormatError, match=r"docs\.npz: "):
        npz.read_npz(path)


def test_an_array_that_claims_more_than_is_there_asks_for_no_memory(tmp_path: Path) -> None:
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f4", "fortran_order": False, "shape": (2**50,)})
    path = saved(tmp_path, {name: value for name, value in arrays().items() if name != "data"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("data.npy", huge.getvalue())
    with pytest.raises(FormatError, match=r"data\.npy takes 4503599627370\d+ bytes"):
        npz.read_npz(path)


@pytest.mark.parametrize("raw", [b"", b"PK", b'{"id": 1}', bytes(500)])
def test_foreign_files(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "docs.npz").write_bytes(raw)
    with pytest.raises(FormatError, match=r"docs\.npz: not a scipy sparse matrix: not an \.npz file"):
        npz.read_npz(tmp_path / "docs.npz")


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "docs.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match="not a scipy sparse matrix"):
        npz.read_npz(tmp_path / "docs.npz")


# ------------------------------------------------------------------------------------------------------ in pieces


@pytest.mark.parametrize("compressed", [False, True])
def test_pieces_make_the_whole(tmp_path: Path, compressed: bool) -> None:
    rng = np.random.default_rng(2)
    matrix = sparse.random_array((9001, 300), density=0.01, rng=rng, format="csr")
    sparse.save_npz(tmp_path / "docs.npz", matrix, compressed=compressed)
    calls: list[tuple[int, int]] = []
    stream = npz.NpzRows(tmp_path / "docs.npz", progress=lambda *call: calls.append(call))
    parts = list(stream)
    assert len(parts) > 2
    assert calls == [(4096, 9001), (8192, 9001), (9001, 9001)]
    assert {part.shape[1] for part in parts} == {300}
    joined = joined_rows(parts, stream.n_terms)
    assert (joined != npz.read_npz(tmp_path / "docs.npz")).nnz == 0
    assert (stream.ids, stream.vocabulary) == (None, None)


def test_long_rows_are_pieces_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "ENTRIES_AT_ONCE", 10)
    lengths = [3, 4, 5, 0, 25, 0, 1, 9, 10, 11, 0]
    matrix = sparse.csr_array([[1.0] * length + [0.0] * (30 - length) for length in lengths])
    sparse.save_npz(tmp_path / "docs.npz", matrix)
    parts = list(npz.NpzRows(tmp_path / "docs.npz"))
    assert [part.data.size for part in parts] == [7, 5, 25, 10, 10, 11, 0]
    assert (joined_rows(parts, 30) != matrix).nnz == 0


@pytest.mark.parametrize("layout", ["csc", "coo", "bsr", "dia"])
def test_other_layouts_come_as_one_piece(tmp_path: Path, layout: Layout) -> None:
    sparse.save_npz(tmp_path / "docs.npz", sparse.csr_matrix(DENSE).asformat(layout))
    (part,) = npz.NpzRows(tmp_path / "docs.npz")
    assert np.array_equal(joined_rows([part], 4).toarray(), DENSE)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"indptr": [0, 2, 1, 4]}, "indptr falls"),
        ({"indptr": [0, 2, 2, 5]}, "beyond the weights"),
        ({"indptr": [1, 2, 2, 4]}, "starts with 1"),
        ({"indptr": [0, 4]}, "indptr has length 2"),
        ({"indptr": [0.0, 2, 2, 4]}, "indptr are float64"),
        ({"indices": [0, 3, 1, 4]}, "row 2 has the column 4 of 4"),
        ({"indices": [0, -3, 1, 2]}, "row 0 has the column -3 of 4"),
        ({"indices": [0, 3, 1]}, "3 indices and 4 weights"),
        ({"data": [1, 2, np.nan, 4]}, "row 2, column 1 has weight nan"),
        ({"data": [1, 2, 3, -4]}, "row 2, column 2 has weight -4"),
        ({"data": [[1, 2, 3, 4]]}, "weights are int64 of shape"),
        ({"shape": [3]}, "dimensions"),
        ({"format": b"odd"}, "format is 'odd'"),
    ],
)
def test_what_is_wrong_in_a_piece(tmp_path: Path, changed: dict[str, object], problem: str) -> None:
    path = saved(tmp_path, arrays(**changed))
    with pytest.raises(FormatError, match=rf"docs\.npz: .*{problem}"):
        list(npz.NpzRows(path))


def test_a_piece_of_an_altered_file_is_refused(tmp_path: Path) -> None:
    matrix = sparse.random_array((9001, 300), density=0.01, rng=np.random.default_rng(2), format="csr")
    path = tmp_path / "docs.npz"
    sparse.save_npz(path, matrix)
    whole = path.read_bytes()
    for size in np.random.default_rng(3).integers(0, len(whole), 20):
        path.write_bytes(whole[:size])
        with pytest.raises(FormatError):
            list(npz.NpzRows(path))
    content = arrays()
    del content["data"]
    with pytest.raises(FormatError, match="no array 'data'"):
        list(npz.NpzRows(saved(tmp_path, content)))
