from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from scipy import sparse

from thresher import FormatError
from thresher.formats import npz

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


def saved(folder: Path, content: dict[str, object]) -> Path:
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
        ({"data": np.array([1, -2, 1, 1])}, r"row 0, column 3 has weight -2\.0 \(must be finite and >= 0\)"),
        ({"data": np.array([1, 2, 3, 1e300])}, "row 2, column 2 has weight inf"),
        ({"data": np.array([1, 2, 3, 4j])}, "complex128"),
        ({"shape": (-3, 4)}, "docs.npz"),
        ({"shape": (3, 2**40)}, "impossible number of columns"),
    ],
)
def test_impossible_content(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        npz.read_npz(saved(tmp_path, arrays(**changed)))


def test_queries_may_be_negative(tmp_path: Path) -> None:
    path = saved(tmp_path, arrays(data=np.array([1, -2, 1, 1])))
    assert npz.read_npz(path, allow_negative=True).data.min() == -2


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
    with pytest.raises(FormatError, match=r"docs\.npz: not a scipy \.npz file"):
        npz.read_npz(tmp_path / "docs.npz")


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "docs.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match="not a scipy sparse matrix"):
        npz.read_npz(tmp_path / "docs.npz")
