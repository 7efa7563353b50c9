from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from thresher import FormatError
from thresher.formats import bigann

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
weights = st.floats(2**-20, 1e6, width=32)

# 3 documents, 5 terms: {0: 1.5, 4: 2.0}, {}, {2: 0.25}
ROWS, COLS, NNZ = 3, 5, 3
INDPTR, INDICES, DATA = [0, 2, 2, 3], [0, 4, 2], [1.5, 2.0, 0.25]
INDPTR_AT, INDICES_AT, DATA_AT = 24, 56, 68


def content(
    header: tuple[int, int, int] = (ROWS, COLS, NNZ),
    indptr: list[int] = INDPTR,
    indices: list[int] = INDICES,
    data: list[float] = DATA,
) -> bytes:
    """Return a .csr file byte by byte, written down from the format and not by the writer under test."""
    parts = (
        np.array(header, "<i8"),
        np.array(indptr, "<i8"),
        np.array(indices, "<i4"),
        np.array(data, "<f4"),
    )
    return b"".join(part.tobytes() for part in parts)


def saved(folder: Path, raw: bytes, name: str = "base.csr") -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def test_reads_the_format_as_specified(tmp_path: Path) -> None:
    matrix = bigann.read_csr(saved(tmp_path, content()))
    assert matrix.dtype == np.float32
    expected = [[1.5, 0, 0, 0, 2.0], [0, 0, 0, 0, 0], [0, 0, 0.25, 0, 0]]
    np.testing.assert_array_equal(matrix.toarray(), expected)


def test_writes_the_format_as_specified(tmp_path: Path) -> None:
    matrix = sparse.csr_array((np.array(DATA), np.array(INDICES), np.array(INDPTR)), shape=(ROWS, COLS))
    bigann.write_csr(tmp_path / "base.csr", matrix)
    assert (tmp_path / "base.csr").read_bytes() == content()


@in_one_folder
@given(
    dense=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=7),
        elements=weights | st.just(0.0),
    ),
    layout=st.sampled_from(["csr", "csc", "coo"]),
)
def test_round_trip(tmp_path: Path, dense: np.ndarray, layout: Literal["csr", "csc", "coo"]) -> None:
    bigann.write_csr(tmp_path / "m.csr", sparse.csr_array(dense).asformat(layout))
    np.testing.assert_array_equal(bigann.read_csr(tmp_path / "m.csr").toarray(), dense)


def test_arrays_are_views_of_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, content())
    arrays = bigann.read_csr_arrays(path)
    for values in (*arrays[:3], bigann.read_csr(path).data, bigann.read_csr(path).indices):
        assert not values.flags.owndata
        assert not values.flags.writeable


@pytest.mark.parametrize("length", range(len(content())))
def test_truncated_anywhere(tmp_path: Path, length: int) -> None:
    path = saved(tmp_path, content()[:length])
    with pytest.raises(FormatError, match=r"base\.csr: truncated"):
        bigann.read_csr(path)


def test_bytes_after_the_end(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="5 bytes too many from offset 80"):
        bigann.read_csr(saved(tmp_path, content() + b"extra"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ((-1, COLS, NNZ), "impossible number of rows -1"),
        ((2**31 + 1, COLS, NNZ), "impossible number of rows 2147483649"),
        ((2**62, COLS, NNZ), "impossible number of rows"),
        ((ROWS, -5, NNZ), "impossible number of columns -5"),
        ((ROWS, 2**32, NNZ), "impossible number of columns 4294967296"),
        ((ROWS, COLS, -3), "impossible number of nonzeros -3"),
        ((ROWS, COLS, 2**62), "truncated at offset 80"),
        ((ROWS, COLS, NNZ + 1), "truncated at offset 80"),
        ((ROWS + 1, COLS, NNZ), "truncated at offset 80"),
    ],
)
def test_impossible_headers(tmp_path: Path, header: tuple[int, int, int], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        bigann.read_csr(saved(tmp_path, content(header)))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (content(indptr=[1, 2, 2, 3]), f"offset {INDPTR_AT}: indptr starts with 1"),
        (content(indptr=[0, 2, 1, 3]), f"offset {INDPTR_AT + 16}: indptr falls after row 1"),
        (content(indptr=[0, 2**40, 2, 3]), f"offset {INDPTR_AT + 16}: indptr falls after row 1"),
        (content(indptr=[0, 2, 2, 2]), f"offset {INDPTR_AT + 24}: indptr ends with 2, the header says 3"),
        (content(indices=[0, 5, 2]), f"offset {INDICES_AT + 4}: row 0 has the term 5, the header says 5"),
        (content(indices=[0, 4, -1]), f"offset {INDICES_AT + 8}: row 2 has the term -1"),
        (content(data=[1.5, 2.0, float("nan")]), f"offset {DATA_AT + 8}: row 2 has weight nan"),
        (content(data=[1.5, float("inf"), 1.0]), f"offset {DATA_AT + 4}: row 0 has weight inf"),
    ],
)
def test_impossible_content(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        bigann.read_csr(saved(tmp_path, raw))


def test_weights_may_be_negative_unless_that_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, content(data=[-0.5, 2.0, 1.0]))
    assert bigann.read_csr(path).data[0] == -0.5
    with pytest.raises(FormatError, match=f"offset {DATA_AT}: row 0 has weight -0.5"):
        bigann.read_csr(path, allow_negative=False)


def test_a_bad_weight_is_found_beyond_the_first_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.formats._check._CHUNK", 2)
    with pytest.raises(FormatError, match=f"offset {DATA_AT + 8}: row 2 has weight -inf"):
        bigann.read_csr(saved(tmp_path, content(data=[1, 2, -np.inf])))
    with pytest.raises(FormatError, match=f"offset {INDICES_AT + 8}: row 2 has the term 9"):
        bigann.read_csr(saved(tmp_path, content(indices=[0, 4, 9])))
    with pytest.raises(FormatError, match="indptr falls after row 2"):
        bigann.read_csr(saved(tmp_path, content(indptr=[0, 2, 4, 3])))


@in_one_folder
@given(raw=st.binary(max_size=200))
def test_foreign_files_are_told(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(FormatError, match=r"base\.csr: "):
        bigann.read_csr(saved(tmp_path, raw))


@pytest.mark.parametrize("reader", [bigann.read_csr, bigann.read_ground_truth])
def test_missing_files_and_folders(tmp_path: Path, reader: object) -> None:
    assert callable(reader)
    with pytest.raises(FileNotFoundError):
        reader(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        reader(tmp_path)


def test_writer_refuses_what_the_format_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="row 1 has weight 1e\\+39"):
        bigann.write_csr(tmp_path / "m", sparse.csr_array([[0, 1.0], [1e39, 0]]))
    with pytest.raises(ValueError, match="2147483649 columns"):
        bigann.write_csr(tmp_path / "m", sparse.csr_array((1, 2**31 + 1)))
    assert not list(tmp_path.iterdir())


def truth_content(
    n: int = 2, k: int = 3, ids: object = (5, 1, -1, 0, 2, 3), scores: object = (3, 2, -np.inf, 9, 8, 7)
) -> bytes:
    return np.array([n, k], "<u4").tobytes() + np.array(ids, "<i4").tobytes() + np.array(scores, "<f4").tobytes()


def test_ground_truth_as_specified(tmp_path: Path) -> None:
    truth = bigann.read_ground_truth(saved(tmp_path, truth_content()))
    np.testing.assert_array_equal(truth.ids, [[5, 1, -1], [0, 2, 3]])
    np.testing.assert_array_equal(truth.scores, [[3, 2, -np.inf], [9, 8, 7]])
    bigann.write_ground_truth(tmp_path / "again", truth.ids.astype(np.int64), truth.scores)
    assert (tmp_path / "again").read_bytes() == truth_content()


@pytest.mark.parametrize("length", range(len(truth_content())))
def test_ground_truth_truncated_anywhere(tmp_path: Path, length: int) -> None:
    with pytest.raises(FormatError, match="truncated"):
        bigann.read_ground_truth(saved(tmp_path, truth_content()[:length]))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (truth_content() + b"\0", "1 bytes too many from offset 56"),
        (truth_content(n=2**32 - 1, k=2**32 - 1), "truncated at offset 56"),
        (truth_content(ids=(5, 1, -2, 0, 2, 3)), "offset 16: query 0 has the impossible id -2"),
        (truth_content(scores=(1, 1, 1, 1, np.nan, 1)), "offset 48: query 1 has the impossible score nan"),
    ],
)
def test_ground_truth_with_impossible_content(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        bigann.read_ground_truth(saved(tmp_path, raw))


@pytest.mark.parametrize(
    ("ids", "scores", "message"),
    [
        ([[1, 2]], [[1.0]], r"\(1, 2\) and \(1, 1\)"),
        ([1, 2], [1.0, 2.0], r"\(2,\) and \(2,\)"),
        ([[2**31]], [[1.0]], "2147483648"),
        ([[-2]], [[1.0]], "-2"),
    ],
)
def test_ground_truth_that_cannot_be_written(tmp_path: Path, ids: list[int], scores: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bigann.write_ground_truth(tmp_path / "gt", ids, scores)
    assert not list(tmp_path.iterdir())
