"""as_csr on what torch and sentence-transformers' SparseEncoder return; run by ``make test-integrations``."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import pytest

import thresher
from thresher._matrix import CsrArrays, as_csr

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Sparse (CSR tensor support|invariant checks):UserWarning"),
]

Tensor: TypeAlias = Any  # torch may not be there to name it
Torch: TypeAlias = Any

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "bool"]
# Two entries of the last row are of one term; its entries are out of order.
ROWS, TERMS, WEIGHTS = [0, 0, 2, 2, 2], [1, 3, 4, 0, 4], [1, 2, 3, 4, 5]
DENSE = np.array([[0, 1, 0, 2, 0], [0, 0, 0, 0, 0], [4, 0, 0, 0, 8]])


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return importlib.import_module("torch")  # here, because these tests are collected where there is no torch


def coo(torch: Torch, dtype: str = "float32", order: list[int] | None = None) -> Tensor:
    order = order or [0, 1, 2, 3, 4]
    ids = torch.tensor([ROWS, TERMS])[:, order]
    weights = torch.tensor(WEIGHTS)[order].to(getattr(torch, dtype))
    return torch.sparse_coo_tensor(ids, weights, (3, 5))


def csr(torch: Torch, dtype: str = "float32", index: str = "int64") -> Tensor:
    offsets = torch.tensor([0, 2, 2, 4], dtype=getattr(torch, index))
    ids = torch.tensor([1, 3, 0, 4], dtype=getattr(torch, index))
    return torch.sparse_csr_tensor(offsets, ids, torch.tensor([1, 2, 4, 8], dtype=getattr(torch, dtype)), (3, 5))


def dense(arrays: CsrArrays) -> np.ndarray[Any, np.dtype[np.float64]]:
    assert [part.dtype.name for part in arrays[:3]] == ["int64", "uint32", "float32"]
    out = np.zeros(arrays.shape)
    rows = np.repeat(np.arange(arrays.shape[0]), np.diff(arrays.indptr))
    np.add.at(out, (rows, arrays.indices), arrays.data)
    return out


def error(kind: type[Exception], message: str, matrix: Tensor, shape: tuple[int, int] | None = None) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        as_csr(matrix, shape=shape, name="queries")


# ------------------------------------------------------------------------------------------------ 2-D tensors


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 0, 3, 1, 2]])
def test_coo(torch: Torch, dtype: str, order: list[int]) -> None:
    tensor = coo(torch, dtype, order)
    assert not tensor.is_coalesced()
    arrays = as_csr(tensor)
    assert arrays.shape == (3, 5)
    assert arrays.data.size == 5  # the core sums
    expected = DENSE if dtype != "bool" else [[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 2]]
    np.testing.assert_array_equal(dense(arrays), expected)
    assert not tensor.is_coalesced()


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_coalesced_coo(torch: Torch, dtype: str) -> None:
    tensor = coo(torch, dtype).coalesce()
    np.testing.assert_array_equal(dense(as_csr(tensor, shape=(3, 5))), DENSE)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("index", ["int32", "int64"])
def test_csr(torch: Torch, dtype: str, index: str) -> None:
    arrays = as_csr(csr(torch, dtype, index))
    assert arrays.shape == (3, 5)
    np.testing.assert_array_equal(dense(arrays), DENSE if dtype != "bool" else DENSE > 0)


def test_fitting_arrays_are_not_copied(torch: Torch) -> None:
    tensor = csr(torch, index="int32")
    arrays = as_csr(tensor)
    assert np.shares_memory(arrays.data, tensor.values().numpy())
    assert np.shares_memory(arrays.indices, tensor.col_indices().numpy())
    tensor = coo(torch)
    assert np.shares_memory(as_csr(tensor).data, tensor._values().numpy())


def test_the_arrays_outlive_the_tensor(torch: Torch) -> None:
    arrays = as_csr(csr(torch, index="int32"))
    filler = [torch.full((4,), 7.0) for _ in range(100)]
    np.testing.assert_array_equal(dense(arrays), DENSE)
    assert len(filler) == 100


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", [coo, csr])
def test_requires_grad(torch: Torch, layout: Callable[..., Tensor], dtype: str) -> None:
    tensor = layout(torch, dtype).requires_grad_(True)
    np.testing.assert_array_equal(dense(as_csr(tensor)), DENSE)
    assert tensor.requires_grad
    weights = torch.tensor([1.0, 2.0], requires_grad=True)
    inner = torch.sparse_coo_tensor(torch.tensor([[0, 1], [1, 0]]), weights * 2, (2, 2))
    np.testing.assert_array_equal(dense(as_csr(inner)), [[0, 2], [4, 0]])


def test_inference_mode(torch: Torch) -> None:
    with torch.inference_mode():
        tensor = coo(torch)
    np.testing.assert_array_equal(dense(as_csr(tensor)), DENSE)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (3, 5), (0, 0)])
def test_nothing_stored(torch: Torch, shape: tuple[int, int]) -> None:
    empty = torch.sparse_coo_tensor(torch.zeros((2, 0), dtype=torch.int64), torch.zeros(0), shape)
    for tensor in (empty, empty.to_sparse_csr()):
        arrays = as_csr(tensor)
        assert arrays.shape == shape
        assert arrays.indptr.tolist() == [0] * (shape[0] + 1)


def test_terms_past_2_to_the_31(torch: Torch) -> None:
    ids = torch.tensor([[1, 0, 0], [2**32 - 2, 2**31, 65_536]])
    tensor = torch.sparse_coo_tensor(ids, torch.tensor([1.0, 2, 3]), (2, 2**32 - 1))
    for given in (tensor, tensor.coalesce()):
        arrays = as_csr(given)
        assert arrays.indptr.tolist() == [0, 2, 3]
        found = sorted(zip(arrays.indices.tolist(), arrays.data.tolist(), strict=True))
        assert found == [(65_536, 3), (2**31, 2), (2**32 - 2, 1)]


# ------------------------------------------------------------------------------------------------ 1-D tensors


def vector(torch: Torch, terms: list[int], weights: list[float], dtype: str = "float32", size: int = 5) -> Tensor:
    ids = torch.tensor([terms], dtype=torch.int64).reshape(1, -1)
    return torch.sparse_coo_tensor(ids, torch.tensor(weights, dtype=getattr(torch, dtype)), (size,))


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_vector(torch: Torch, dtype: str) -> None:
    arrays = as_csr(vector(torch, [3, 1, 3], [1, 2, 4], dtype))
    assert arrays.shape == (1, 5)
    np.testing.assert_array_equal(dense(arrays), [[0, 2, 0, 5, 0]])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("container", [list, tuple])
@pytest.mark.parametrize("coalesce", [True, False])
def test_a_list_of_vectors(torch: Torch, dtype: str, container: type, coalesce: bool) -> None:
    # Three of them: as a tuple, not to be taken for (indptr, indices, data).
    rows = [
        vector(torch, [1, 3], [1, 2], dtype),
        vector(torch, [], [], dtype),
        vector(torch, [4, 0], [8, 4], dtype),
    ]
    arrays = as_csr(container(row.coalesce() if coalesce else row for row in rows))
    assert arrays.indptr.tolist() == [0, 2, 2, 4]
    np.testing.assert_array_equal(dense(arrays), DENSE)
    assert as_csr(rows[:1], shape=(1, 5)).shape == (1, 5)
    rows[0].requires_grad_(True)
    np.testing.assert_array_equal(dense(as_csr(rows)), DENSE)


def test_rows_of_a_matrix_stacked_again(torch: Torch) -> None:
    tensor = coo(torch).coalesce()
    rows = [tensor[row] for row in range(3)]
    np.testing.assert_array_equal(dense(as_csr(rows)), DENSE)
    np.testing.assert_array_equal(dense(as_csr(torch.stack(rows))), DENSE)


def test_raw_tensors(torch: Torch) -> None:
    tensor = csr(torch, "bfloat16")
    parts = (tensor.crow_indices(), tensor.col_indices(), tensor.values())
    np.testing.assert_array_equal(dense(as_csr(parts, shape=(3, 5))), DENSE)


# ----------------------------------------------------------------------------------------------------- errors


def test_overflow_names_row_and_value(torch: Torch) -> None:
    message = "queries: row 1 has weight 1e+300 for term 3; weights must be finite float32 values"
    tensor = torch.sparse_coo_tensor([[1, 0], [3, 0]], torch.tensor([1e300, 1], dtype=torch.float64), (2, 5))
    error(ValueError, message, tensor)
    error(ValueError, message, tensor.to_sparse_csr())
    error(ValueError, message, [vector(torch, [0], [1]), vector(torch, [3], [1e300], "float64")])


def test_ids_out_of_range(torch: Torch) -> None:
    weights = torch.ones(2)
    for term in (-1, 5, 2**32):
        message = f"queries: row 1 has term {term}, which is not in [0, 5)"
        unchecked = torch.sparse_csr_tensor(torch.tensor([0, 1, 2]), torch.tensor([0, term]), weights, (2, 5))
        error(ValueError, message, unchecked)
        changed = torch.sparse_coo_tensor(torch.tensor([[0, 1], [0, 1]]), weights, (2, 5))
        changed._indices()[1, 1] = term
        error(ValueError, message, changed)
    for row in (-1, 2):
        changed = torch.sparse_coo_tensor(torch.tensor([[0, 1], [0, 1]]), weights, (2, 5))
        changed._indices()[0, 1] = row
        error(ValueError, f"queries: entry 1 is of row {row}, which is not in [0, 2)", changed)


def test_complex_weights(torch: Torch) -> None:
    for tensor in (coo(torch, "complex64"), coo(torch, "complex64").conj()):
        error(TypeError, "queries: weights must be real numbers, got dtype complex64", tensor)


def test_a_builder_takes_tensors(torch: Torch) -> None:
    builder = thresher.Builder(thresher.GraphIndex)
    assert builder.add(coo(torch)) == range(3)
    assert builder.add([vector(torch, [1], [7]), vector(torch, [4], [2])]) == range(3, 5)
    assert builder.add(csr(torch)) == range(5, 8)
    expected = np.vstack([DENSE, [[0, 7, 0, 0, 0], [0, 0, 0, 0, 2]], DENSE])
    np.testing.assert_array_equal(builder.freeze().vectors(range(8)).toarray(), expected)


def test_other_layouts(torch: Torch) -> None:
    message = "queries must be a scipy.sparse matrix or array, a torch sparse tensor (COO or CSR)"
    for tensor in (torch.eye(3), coo(torch).to_sparse_csc(), [torch.ones(3)], torch.ones(3)):
        error(TypeError, message, tensor)
    hint = "got torch.Tensor of layout torch.strided, shape (3, 3); convert it with tensor.to_sparse_csr()"
    error(TypeError, hint, torch.eye(3))


def test_rows_of_every_layout(torch: Torch) -> None:
    rows = [vector(torch, [1, 4], [2, 3]), coo(torch).index_select(0, torch.tensor([2])), {1: 2.0}]
    expected = [[0, 2, 0, 0, 3], DENSE[2].tolist(), [0, 2, 0, 0, 0]]
    np.testing.assert_array_equal(dense(as_csr(rows)), expected)
    rows[1] = torch.tensor(DENSE[[2]]).to_sparse_csr()
    np.testing.assert_array_equal(dense(as_csr(rows)), expected)


def test_one_query(torch: Torch) -> None:
    index = thresher.ExactIndex.build(coo(torch))
    for query in (vector(torch, [1], [1]), torch.tensor([[0, 1, 0, 0, 0]]).to_sparse_csr(), {1: 1.0}):
        assert index.search_one(query, k=1).ids.tolist() == [0]
    with pytest.raises(ValueError, match="the query must be one row, got shape"):
        index.search_one(coo(torch))
    with pytest.raises(TypeError, match="to_sparse_csr"):
        index.search_one(torch.ones(5))


def test_shapes(torch: Torch) -> None:
    error(ValueError, "queries: shape=(3, 6) was given but the matrix has shape (3, 5)", coo(torch), (3, 6))
    rows = [vector(torch, [1], [1]), vector(torch, [1], [1], size=6)]
    error(ValueError, "queries: row 1 has 6 terms, row 0 has 5", rows)
    error(ValueError, "queries: row 1 must be one row, got shape (3, 5)", [rows[0], coo(torch)])
    error(
        TypeError,
        "queries: row 2 must be a dict {term: weight}, a scipy.sparse row or a torch sparse tensor of one row, got "
        "numpy.ndarray",
        (*rows[:1] * 2, DENSE),
    )
    error(ValueError, "queries: row 0 must be one row, got shape (3, 5)", [coo(torch)])
    cube = torch.ones(2, 2, 2).to_sparse()
    error(ValueError, "queries must be 2-D (or 1-D: one row), got shape (2, 2, 2)", cube)
    hybrid = torch.ones(2, 2).to_sparse(1)
    error(ValueError, "queries: a hybrid tensor (1 dense dimensions) isn't supported", hybrid)
    wide = vector(torch, [1], [1], size=2**32)
    error(ValueError, "queries: the number of terms must be in [0, 2**32 - 1], got 4294967296", wide)
    error(ValueError, "queries: the number of terms must be in [0, 2**32 - 1], got 4294967296", [wide])
