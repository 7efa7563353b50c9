"""as_csr against scipy: every format, what is shared, what is converted, and each error with its words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thresher._matrix import CsrArrays, as_csr

Anything: TypeAlias = Any  # matrices of any format, and arguments that are wrong on purpose

FORMATS = [
    f"{layout}_{kind}" for layout in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil") for kind in ("array", "matrix")
]
DENSE = np.array([[0, 1.5, 0, 2], [0, 0, 0, 0], [3, 0, 0.25, 0]])


def dense(arrays: CsrArrays) -> npt.NDArray[np.float64]:
    """What the arrays mean: duplicates summed, by a loop that shares nothing with the code under test."""
    out = np.zeros(arrays.shape)
    for row in range(arrays.shape[0]):
        for entry in range(arrays.indptr[row], arrays.indptr[row + 1]):
            out[row, arrays.indices[entry]] += arrays.data[entry]
    return out


def check(arrays: CsrArrays) -> CsrArrays:
    """What the core relies on, whatever the source was."""
    for part, dtype in ((arrays.indptr, np.int64), (arrays.indices, np.uint32), (arrays.data, np.float32)):
        assert type(part) is np.ndarray
        assert part.dtype == dtype
        assert part.dtype.isnative
        assert part.flags.c_contiguous
        assert part.flags.aligned
        assert part.ndim == 1
    assert arrays.indptr.size == arrays.shape[0] + 1
    assert arrays.indptr[0] == 0
    assert arrays.indptr[-1] == arrays.indices.size == arrays.data.size
    assert all(type(size) is int for size in arrays.shape)
    return arrays


def in_format(container: str, matrix: Anything) -> Anything:
    return matrix.tobsr((1, 1)) if container == "bsr" else matrix.asformat(container)


def set_entries(coo: Anything, rows: npt.NDArray[Any], cols: npt.NDArray[Any]) -> None:
    """Set the entries of a COO matrix unchecked and in the types given, which its constructor would not."""
    if hasattr(coo, "coords"):
        coo.coords = (rows, cols)
    else:  # scipy < 1.13
        coo.row, coo.col = rows, cols


def raw(
    *, index: npt.DTypeLike = np.int32, data: npt.DTypeLike = np.float32, indptr: npt.DTypeLike = np.int64
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """DENSE as (indptr, indices, data)."""
    return np.array([0, 2, 2, 4], indptr), np.array([1, 3, 0, 2], index), np.array([1.5, 2, 3, 0.25], data)


# --------------------------------------------------------------------------------------------- what scipy has


@pytest.mark.parametrize("container", FORMATS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint16, np.int64, np.bool_, np.longdouble])
def test_every_scipy_format_and_dtype(container: str, dtype: npt.DTypeLike) -> None:
    expected = DENSE.astype(dtype)
    matrix = getattr(sp, container)(expected)
    before = matrix.copy()
    arrays = check(as_csr(matrix))
    assert arrays.shape == (3, 4)
    np.testing.assert_array_equal(dense(arrays), expected.astype(np.float64))
    assert (matrix != before).nnz == 0
    assert matrix.dtype == dtype


@pytest.mark.parametrize("container", FORMATS)
@pytest.mark.parametrize("shape", [(0, 5), (4, 0), (4, 5), (1, 1), (0, 0)])
def test_nothing_stored(container: str, shape: tuple[int, int]) -> None:
    if 0 in shape and container.startswith("bsr"):
        matrix = sp.csr_array(shape).tobsr((1, 1))
    else:
        matrix = getattr(sp, container)(shape)
    arrays = check(as_csr(matrix))
    assert arrays.shape == shape
    assert arrays.indptr.tolist() == [0] * (shape[0] + 1)


@pytest.mark.parametrize("container", FORMATS)
def test_one_column(container: str) -> None:
    arrays = check(as_csr(getattr(sp, container)(np.array([[2.0], [0.0], [1.0]]))))
    assert (arrays.indptr.tolist(), arrays.indices.tolist(), arrays.data.tolist()) == (
        [0, 1, 1, 2],
        [0, 0],
        [2, 1],
    )


@pytest.mark.parametrize("container", ["coo_array", "csr_array", "dok_array"])
def test_a_1d_sparse_array_is_one_row(container: str) -> None:
    try:
        vector = getattr(sp, container)(np.array([0, 2.0, 0, 1]))
        assert vector.ndim == 1
    except (AssertionError, TypeError, ValueError):
        return  # a scipy from before 1-D arrays
    arrays = check(as_csr(vector, shape=(1, 4)))
    assert arrays.shape == (1, 4)
    np.testing.assert_array_equal(dense(arrays), [[0, 2, 0, 1]])


LARGE = [
    (container, top) for container in ("bsr", "coo", "csr", "dok") for top in (65_536, 2**31 - 1, 2**31, 2**32 - 2)
]


# Columns and diagonals past 2**31 would take gigabytes in scipy itself.
@pytest.mark.parametrize(("container", "top"), [*LARGE, ("csc", 65_536), ("dia", 65_536), ("lil", 2**32 - 2)])
def test_large_term_ids(container: str, top: int) -> None:
    coo = sp.coo_array(([1.0, 2.0, 3.0], ([1, 0, 1], [top, 7, 0])), shape=(2, top + 1))
    matrix = in_format(container, coo)
    arrays = check(as_csr(matrix))
    assert arrays.shape == (2, top + 1)
    assert arrays.indptr.tolist() == [0, 1, 3]
    assert sorted(zip(arrays.indices.tolist(), arrays.data.tolist(), strict=True)) == [
        (0, 3),
        (7, 2),
        (top, 1),
    ]


def test_int64_indices_of_scipy_past_2_to_the_31() -> None:
    ids = np.array([5, 2**31 + 5, 2**32 - 2])
    matrix = sp.csr_array((np.ones(3, np.float32), ids, [0, 2, 3]), shape=(2, 2**32 - 1))
    assert matrix.indices.dtype == np.int64
    arrays = check(as_csr(matrix))
    assert arrays.indices.tolist() == ids.tolist()
    assert np.shares_memory(arrays.data, matrix.data)


@pytest.mark.parametrize("container", ["csr", "csc", "coo"])
def test_duplicates_order_and_zeros_are_left_to_the_core(container: str) -> None:
    coo = sp.coo_array(([1.0, 0.0, 2.0, 4.0], ([1, 0, 1, 1], [3, 2, 0, 3])), shape=(2, 4))
    if container == "coo":
        matrix: Anything = coo
    elif container == "csr":
        matrix = sp.csr_array((np.array([0.0, 1, 2, 4]), [2, 3, 0, 3], [0, 1, 4]), shape=(2, 4))
    else:
        matrix = sp.csc_array((np.array([2.0, 0, 1, 4]), [1, 0, 1, 1], [0, 1, 1, 2, 4]), shape=(2, 4))
    arrays = check(as_csr(matrix))
    assert arrays.data.size == 4
    np.testing.assert_array_equal(dense(arrays), [[0, 0, 0, 0], [2, 0, 0, 5]])


def test_duplicates_do_not_change_the_input() -> None:
    coo = sp.coo_array((np.ones(3, np.float32), ([1, 0, 1], [3, 2, 3])), shape=(2, 4))
    as_csr(coo)
    assert coo.nnz == 3
    assert not coo.has_canonical_format


@given(
    values=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(-3, 3)),
    container=st.sampled_from(FORMATS),
    order=st.randoms(use_true_random=False),
)
def test_means_what_scipy_means(values: npt.NDArray[np.float32], container: str, order: Random) -> None:
    matrix = getattr(sp, container)(values)
    np.testing.assert_array_equal(dense(check(as_csr(matrix))), values)
    rows, cols = (part.tolist() for part in np.nonzero(values))
    entries = list(zip(rows, cols, strict=True)) * 2  # every entry twice, shuffled
    order.shuffle(entries)
    rows, cols = [row for row, _ in entries], [col for _, col in entries]
    coo = sp.coo_array((values[rows, cols], (rows, cols)), shape=values.shape)
    np.testing.assert_array_equal(dense(check(as_csr(coo))), 2 * values)


@given(st.data())
def test_coo_rows_of_any_type_in_order_or_not(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(["i1", "u1", "i2", "u2", "i4", "i8"]))
    n_rows = data.draw(st.sampled_from([100, 255, 256, 257, 65_535, 65_536, 65_537]))
    top = min(n_rows - 1, int(np.iinfo(dtype).max))
    rows = data.draw(st.lists(st.integers(0, top), max_size=8))
    if data.draw(st.booleans()):
        rows.sort()
    coo = sp.coo_array((n_rows, 9))
    set_entries(coo, np.array(rows, dtype), np.arange(len(rows)).astype(dtype))
    coo.data = np.ones(len(rows), np.float32)
    arrays = check(as_csr(coo))
    found = np.repeat(np.arange(n_rows), np.diff(arrays.indptr))
    assert sorted(zip(arrays.indices.tolist(), found.tolist(), strict=True)) == list(enumerate(rows))


# ----------------------------------------------------------------------------------------- shared, not copied


@pytest.mark.parametrize("container", [sp.csr_array, sp.csr_matrix])
def test_a_fitting_csr_is_not_copied(container: Anything) -> None:
    matrix = container(DENSE.astype(np.float32))
    arrays = check(as_csr(matrix))
    assert matrix.indices.dtype == np.int32
    assert np.shares_memory(arrays.data, matrix.data)
    assert np.shares_memory(arrays.indices, matrix.indices)


@pytest.mark.parametrize("index", [np.int32, np.uint32])
def test_fitting_raw_arrays_are_not_copied(index: npt.DTypeLike) -> None:
    indptr, indices, data = raw(index=index)
    for part in (indptr, indices, data):
        part.setflags(write=False)
    arrays = check(as_csr((indptr, indices, data), shape=(3, 4)))
    assert np.shares_memory(arrays.indptr, indptr)
    assert np.shares_memory(arrays.indices, indices)
    assert np.shares_memory(arrays.data, data)
    np.testing.assert_array_equal(dense(arrays), DENSE)


def test_coo_in_row_order_is_not_copied() -> None:
    coo = sp.csr_array(DENSE.astype(np.float32)).tocoo()
    arrays = check(as_csr(coo))
    assert np.shares_memory(arrays.data, coo.data)
    assert np.shares_memory(arrays.indices, coo.col)


def test_a_memory_map_is_not_copied(tmp_path: Path) -> None:
    indptr, indices, data = raw()
    data.tofile(tmp_path / "data")
    mapped = np.memmap(tmp_path / "data", np.float32, "r")
    assert np.shares_memory(check(as_csr((indptr, indices, mapped), shape=(3, 4))).data, mapped)


def test_an_overallocated_csr_is_trimmed_by_a_view() -> None:
    matrix = sp.csr_array(DENSE.astype(np.float32))
    matrix.indices = np.append(matrix.indices, np.array([-7, 99], np.int32))
    matrix.data = np.append(matrix.data, np.array([np.nan, 1], np.float32))
    arrays = check(as_csr(matrix))
    assert np.shares_memory(arrays.data, matrix.data)
    assert np.shares_memory(arrays.indices, matrix.indices)
    assert matrix.data.size == 6
    np.testing.assert_array_equal(dense(arrays), DENSE)


# --------------------------------------------------------------------------------------------- raw, converted


@pytest.mark.parametrize("index", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">u4", ">i8"])
@pytest.mark.parametrize("data", ["f2", "f4", "f8", "g", ">f4", ">f8"])
@pytest.mark.parametrize("indptr", ["i4", "i8", "u8", ">i4", ">i8"])
def test_raw_of_every_dtype(index: str, data: str, indptr: str) -> None:
    arrays = check(as_csr(raw(index=index, data=data, indptr=indptr), shape=(3, 4)))
    np.testing.assert_array_equal(dense(arrays), DENSE)


@pytest.mark.parametrize("data", ["?", "i1", "u1", "i4", "u4", "i8", "u8"])
def test_raw_of_integer_weights(data: str) -> None:
    arrays = check(as_csr(raw(data=data), shape=(3, 4)))
    assert arrays.data.tolist() == np.array([1.5, 2, 3, 0.25]).astype(data).astype(np.float32).tolist()


def test_lists_and_numpy_sizes_will_do() -> None:
    shape: Anything = (np.int64(2), np.uint8(3))
    arrays = check(as_csr(([0, 1, 1], [2], [0.5]), shape=shape))
    np.testing.assert_array_equal(dense(arrays), [[0, 0, 0.5], [0, 0, 0]])
    assert check(as_csr(([0, 0], [], []), shape=(1, 3))).data.size == 0


def test_strided_and_unaligned_arrays() -> None:
    indptr, indices, data = raw()
    strided = (np.repeat(indptr, 2)[::2], indices[::-1].copy()[::-1], np.repeat(data, 3)[::3])
    np.testing.assert_array_equal(dense(check(as_csr(strided, shape=(3, 4)))), DENSE)
    packed = np.zeros(4, np.dtype([("pad", "u1"), ("index", "i4"), ("weight", "f4"), ("offset", "i8")]))
    packed["index"], packed["weight"], packed["offset"] = indices, data, indptr
    unaligned = (packed["offset"], packed["index"], packed["weight"])
    assert not packed["weight"].flags.aligned
    np.testing.assert_array_equal(dense(check(as_csr(unaligned, shape=(3, 4)))), DENSE)
    for part, dtype in (("weight", np.float32), ("index", np.int32), ("offset", np.int64)):
        # Contiguous but unaligned: one byte into a buffer.
        source = np.ascontiguousarray(packed[part])
        buffer = np.frombuffer(b"\0" + source.tobytes(), np.uint8)[1:]
        shifted = [
            np.frombuffer(buffer, dtype) if label == part else np.ascontiguousarray(packed[label])
            for label in ("offset", "index", "weight")
        ]
        np.testing.assert_array_equal(dense(check(as_csr((shifted[0], shifted[1], shifted[2]), shape=(3, 4)))), DENSE)


@pytest.mark.parametrize("container", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("dtype", ["f2", ">f4", ">f8", ">i2"])
def test_dtypes_that_scipy_holds_but_cannot_convert(container: str, dtype: str) -> None:
    matrix = in_format(container, sp.coo_array(DENSE))
    given_data = matrix.data = matrix.data.astype(dtype)
    np.testing.assert_array_equal(dense(check(as_csr(matrix))), DENSE.astype(dtype))
    assert matrix.data is given_data
    matrix.data = matrix.data.astype(object)
    error(TypeError, "docs: weights must be real numbers, got dtype object", matrix)


def test_what_the_core_checks_passes_through() -> None:
    weights = np.array([np.nan, np.inf, -np.inf, -1.0])
    arrays = check(as_csr((np.array([0, 3, 1, 4]), np.array([3, 3, 0, 0]), weights), shape=(3, 4)))
    np.testing.assert_array_equal(arrays.data, weights.astype(np.float32))
    assert arrays.indptr.tolist() == [0, 3, 1, 4]


def test_the_largest_float32_is_no_overflow() -> None:
    top = float(np.finfo(np.float32).max)
    arrays = as_csr(([0, 3], [0, 1, 2], np.array([top, -top, 1e-60])), shape=(1, 3))
    assert arrays.data.tolist() == [top, -top, 0]


# ----------------------------------------------------------------------------------------------------- errors


def error(kind: type[Exception], message: str, matrix: Anything, shape: Anything = None, name: str = "docs") -> None:
    with pytest.raises(kind, match="^" + re.escape(message)):
        as_csr(matrix, shape=shape, name=name)


def raw_with(part: int, change: Anything) -> tuple[npt.NDArray[Any], ...]:
    parts = list(raw())
    parts[part] = np.asarray(change)
    return tuple(parts)


@pytest.mark.parametrize(
    ("part", "change", "kind", "message"),
    [
        (0, [0, 2, 4], ValueError, "queries: indptr has length 3, 3 rows need 4"),
        (0, [], ValueError, "queries: indptr has length 0, 3 rows need 4"),
        (0, [1, 2, 2, 4], ValueError, "queries: indptr[0] must be 0, got 1"),
        (0, [0, 2, 2, 3], ValueError, "queries: indptr[-1] is 3 but indices has length 4"),
        (0, [0, 2, 2, -4], ValueError, "queries: indptr[-1] is -4 but indices has length 4"),
        (0, [0.0, 2, 2, 4], TypeError, "queries: indptr must be integers, got dtype float64"),
        (0, [[0, 2, 2, 4]], ValueError, "queries: indptr must be 1-D, got shape (1, 4)"),
        (1, [1, 3, 0], ValueError, "queries: indptr[-1] is 4 but indices has length 3"),
        (1, [1.0, 3, 0, 2], TypeError, "queries: indices must be integers, got dtype float64"),
        (1, [True] * 4, TypeError, "queries: indices must be integers, got dtype bool"),
        (1, [1, 3, 0, -1], ValueError, "queries: row 2 has term -1, which is not in [0, 4)"),
        (
            1,
            np.array([-5, 3, 0, 1], np.int32),
            ValueError,
            "queries: row 0 has term -5, which is not in [0, 4)",
        ),
        (1, np.array([1, 3, 0, -1], ">i4"), ValueError, "queries: row 2 has term -1, which is not in [0, 4)"),
        (
            1,
            np.array([1, 3, 4, 1], np.uint32),
            ValueError,
            "queries: row 2 has term 4, which is not in [0, 4)",
        ),
        (1, [1, 2**32 + 1, 0, 1], ValueError, "queries: row 0 has term 4294967297, which is not in [0, 4)"),
        (
            1,
            np.array([1, 2, 0, 2**64 - 1], np.uint64),
            ValueError,
            "queries: row 2 has term 18446744073709551615",
        ),
        (1, [[1, 3], [0, 2]], ValueError, "queries: indices must be 1-D, got shape (2, 2)"),
        (2, [1.0, 2], ValueError, "queries: indptr[-1] is 4 but data has length 2"),
        (2, 1.0, ValueError, "queries: data must be 1-D, got shape ()"),
        (2, [1j, 2, 3, 4], TypeError, "queries: weights must be real numbers, got dtype complex128"),
        (2, ["1", "2", "3", "4"], TypeError, "queries: weights must be real numbers, got dtype <U1"),
        (2, [None, 2, 3, 4], TypeError, "queries: weights must be real numbers, got dtype object"),
        (
            2,
            [np.inf, 1, 1, -1e300],
            ValueError,
            "queries: row 2 has weight -1e+300 for term 2; weights must be finite float32 values",
        ),
    ],
)
def test_bad_raw_arrays(part: int, change: Anything, kind: type[Exception], message: str) -> None:
    error(kind, message, raw_with(part, change), (3, 4), "queries")


def test_an_empty_row_before_the_bad_one_is_counted() -> None:
    error(ValueError, "docs: row 3 has term 9,", ([0, 0, 1, 1, 2], [0, 9], [1, 1]), (4, 4))


@pytest.mark.parametrize("container", ["csr", "csc", "coo", "dia", "lil", "dok", "bsr"])
def test_overflow_names_row_and_value_in_every_format(container: str) -> None:
    matrix = in_format(container, sp.coo_array(([1.0, 1e39, 2.0], ([2, 1, 0], [0, 1, 2])), shape=(3, 3)))
    error(ValueError, "docs: row 1 has weight 1e+39 for term 1;", matrix)


@pytest.mark.parametrize("row", [-1, 3])
@pytest.mark.parametrize("others", [[0, 0], [2, 0]])
def test_coo_rows_out_of_range(row: int, others: list[int]) -> None:
    coo = sp.coo_array((np.ones(3), ([0, 1, 2], [0, 1, 2])), shape=(3, 3))
    set_entries(coo, np.array([*others, row]), coo.col)
    error(ValueError, f"docs: entry 2 is of row {row}, which is not in [0, 3)", coo)


def test_coo_parts_of_different_lengths() -> None:
    coo = sp.coo_array(DENSE)
    coo.data = coo.data[:2]
    error(ValueError, "docs: rows, columns and values differ in length: 4, 4, 2", coo)


@pytest.mark.parametrize("container", [sp.csr_array, sp.csr_matrix])
def test_scipy_csr_with_wrong_indices(container: Anything) -> None:
    matrix = container(DENSE)
    matrix.indices[2] = -1
    error(ValueError, "docs: row 2 has term -1, which is not in [0, 4)", matrix)
    matrix.indices[2] = 4
    error(ValueError, "docs: row 2 has term 4, which is not in [0, 4)", matrix)


@pytest.mark.parametrize("container", [sp.csc_array, sp.csc_matrix, sp.bsr_array, sp.bsr_matrix])
@pytest.mark.parametrize("part", ["indices", "indptr"])
@pytest.mark.parametrize("value", [-3, 1000])
def test_corrupt_columns_and_blocks_never_reach_scipy(container: Anything, part: str, value: int) -> None:
    matrix = container(DENSE)
    getattr(matrix, part)[1] = value
    error(ValueError, "docs: ", matrix)


def test_a_csr_that_claims_more_than_it_stores() -> None:
    matrix = sp.csr_array(DENSE)
    matrix.data = matrix.data[:3]
    error(ValueError, "docs: indptr[-1] is 4 but data has length 3", matrix)
    matrix = sp.csr_array(DENSE)
    matrix.indptr[-1] = -1
    error(ValueError, "docs: indptr[-1] is -1 but indices has length 0", matrix)


@pytest.mark.parametrize("container", ["csr", "csc", "coo"])
def test_complex_weights(container: str) -> None:
    matrix = in_format(container, sp.coo_array(DENSE.astype(complex)))
    error(TypeError, "docs: weights must be real numbers, got dtype complex128", matrix)


@pytest.mark.parametrize(
    ("shape", "kind", "message"),
    [
        ((2**31 + 1, 4), ValueError, "docs: the number of rows must be in [0, 2**31], got 2147483649"),
        ((-1, 4), ValueError, "docs: the number of rows must be in [0, 2**31], got -1"),
        ((3, 2**32), ValueError, "docs: the number of terms must be in [0, 2**32 - 1], got 4294967296"),
        ((3, -1), ValueError, "docs: the number of terms must be in [0, 2**32 - 1], got -1"),
        ((3,), TypeError, "docs: shape must be two integers (n_rows, n_terms), got (3,)"),
        (3, TypeError, "docs: shape must be two integers (n_rows, n_terms), got 3"),
        ((3, 4.0), TypeError, "docs: shape must be two integers (n_rows, n_terms), got (3, 4.0)"),
        ((1, 3, 4), TypeError, "docs: shape must be two integers (n_rows, n_terms), got (1, 3, 4)"),
    ],
)
def test_bad_shapes(shape: Anything, kind: type[Exception], message: str) -> None:
    error(kind, message, raw(), shape)
    error(kind, message, sp.csr_array(DENSE), shape)


def test_shapes_of_scipy_that_are_too_large() -> None:
    error(ValueError, "docs: the number of terms must be", sp.coo_array((2, 2**32)))
    error(ValueError, "docs: the number of rows must be", sp.coo_array((2**31 + 1, 2)))


def test_shape_must_agree() -> None:
    assert as_csr(sp.csr_array(DENSE), shape=(3, 4)).shape == (3, 4)
    error(
        ValueError,
        "docs: shape=(3, 5) was given but the matrix has shape (3, 4)",
        sp.csr_array(DENSE),
        (3, 5),
    )
    error(ValueError, "docs: shape=(2, 9) was given but the matrix has shape (0, 9)", [], (2, 9))


def test_raw_needs_its_shape() -> None:
    error(ValueError, "docs: a tuple (indptr, indices, data) needs shape=(n_rows, n_terms)", raw())


def test_an_empty_list_is_no_rows() -> None:
    assert check(as_csr([], shape=(0, 9))).shape == (0, 9)
    error(ValueError, "docs: an empty list needs shape=(0, n_terms)", [])


def test_three_dimensions() -> None:
    try:
        cube = sp.coo_array(np.ones((2, 2, 2)))
    except TypeError:
        return  # a scipy from before N-D arrays
    error(ValueError, "docs must be 2-D (or 1-D: one row), got shape (2, 2, 2)", cube)


@pytest.mark.parametrize(
    ("matrix", "ending"),
    [
        (
            DENSE,
            "; got numpy.ndarray of dtype float64, shape (3, 4); convert a dense array with scipy.sparse.csr_array(x)",
        ),
        (None, "; got NoneType"),
        ("docs.npz", "read a file with thresher.formats.read_matrix(path), and encode a text to a sparse vector first"),
        (["a text"], "SparseEncoder(...).encode_document(texts) gives a tensor that is accepted here"),
        (
            [[0, 1.0], [2, 0]],
            "; got list of 2, the first of them list; convert dense rows with scipy.sparse.csr_array(x)",
        ),
        (raw()[:2], "; got tuple of 2, the first of them ndarray; convert dense rows with scipy.sparse.csr_array(x)"),
        ({}, "; got dict; a dict is one row: pass a list of them"),
        (iter([{0: 1.0}]), "; got list_iterator; only builds take an iterator: make a list of it"),
        (re.compile("x"), "; got re.Pattern"),
    ],
)
def test_other_types(matrix: Anything, ending: str) -> None:
    start = "queries must be a scipy.sparse matrix or array, a torch sparse tensor (COO or CSR), "
    error(TypeError, start, matrix, None, "queries")
    with pytest.raises(TypeError, match=re.escape(ending) + "$"):
        as_csr(matrix)


def test_torch_is_not_imported() -> None:
    code = (
        "import sys, numpy, scipy.sparse as sp\n"
        "from thresher._matrix import as_csr\n"
        "as_csr(sp.csr_array(numpy.eye(3)))\n"
        "as_csr(([0, 1], [0], [1.0]), shape=(1, 1))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
