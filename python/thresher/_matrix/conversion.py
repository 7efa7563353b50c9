"""From a matrix of any kind to the arrays of the core: one function for each kind."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from thresher._arrow import Arrow, ArrowColumns, is_arrow, vectors_of
from thresher._kinds import Array, Tensor, hint_for, is_row, is_sparse_tensor, is_tensor, kind_of, plain_array
from thresher._matrix.elements import (
    as_2d,
    as_terms,
    as_uint32,
    as_weights,
    check_integers,
    checked_shape,
    for_scipy,
    outside,
)
from thresher._matrix.forms import CsrArrays, MatrixLike
from thresher._matrix.structure import check_offsets, check_structure
from thresher._rows import ROWS, ScipySparse, WordTerms, joined, row_of, width_of

_ACCEPTED = (
    "a scipy.sparse matrix or array, a torch sparse tensor (COO or CSR), a list of rows (dicts {term: weight}, "
    "scipy.sparse rows, 1-D torch sparse tensors), Arrow data, or a tuple (indptr, indices, data) with shape="
)
_LONELY = "; terms need their weights, and a dense vector becomes a row by scipy.sparse.csr_array([x])"


def as_csr(
    matrix: MatrixLike,
    *,
    shape: tuple[int, int] | None = None,
    columns: ArrowColumns | None = None,
    name: str = "docs",
    words: WordTerms | None = None,
) -> CsrArrays:
    """Turn a sparse matrix of any accepted kind into the arrays of the core.

    Parameters
    ----------
    matrix : MatrixLike
        The vectors, one per row, shape ``(n_rows, n_terms)``: any format of scipy.sparse; a torch sparse
        tensor of layout COO (coalesced or not) or CSR, on any device; a list or tuple with an object for each
        row, which is a dict ``{term: weight}``, a matrix or array of scipy.sparse, or a 1-D COO tensor; a record
        batch, a table or a stream of Arrow; or a tuple ``(indptr, indices, data)`` with `shape`. A 1-D array or tensor
        is one row.
    shape : tuple of int, optional
        ``(n_rows, n_terms)``, at most ``(2**31, 2**32 - 1)``. Where the matrix has a shape, they must agree.
    columns : str or tuple of str, optional
        Of Arrow data, the column of vectors, or those of indices and of values: see `thresher.Builder.add`.
    name : str, default "docs"
        What error messages call the matrix.
    words : WordTerms, optional
        What knows the terms of dicts whose terms are words.

    Returns
    -------
    CsrArrays
        Views of the arrays of a CSR matrix, or of COO entries in row order, where they are C-contiguous
        float32 weights and int32 or uint32 term ids; converted copies otherwise. The input is never modified.

    Raises
    ------
    TypeError
        If `matrix` is of no accepted kind, or its weights aren't real numbers or its ids aren't integers.
    ValueError
        If shapes or lengths disagree or are too large, a row or term id is out of range, or a weight
        overflows float32. The message names the argument and, where there is one, the row and the value.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> arrays = as_csr(sp.coo_array(([0.5, 2.0], ([0, 2], [4, 1])), shape=(3, 5)))
    >>> arrays.indptr.tolist(), arrays.indices.tolist(), arrays.data.tolist(), arrays.shape
    ([0, 1, 1, 2], [4, 1], [0.5, 2.0], (3, 5))
    """
    wanted = None if shape is None else checked_shape(shape, name)
    arrays = _converted(matrix, wanted, columns, name, words)
    if wanted is not None and arrays.shape != wanted:
        raise ValueError(f"{name}: shape={wanted} was given but the matrix has shape {arrays.shape}")
    return arrays


def as_matrix(matrix: MatrixLike, *, shape: tuple[int, int] | None = None, name: str = "docs") -> sp.csr_array:
    """Return what `as_csr` does as a matrix, whose rows may be chosen; arrays are views where they can be.

    Unlike what goes to the core, it is read by scipy, which follows `indptr` unseen: here that is checked too.
    """
    rows = as_csr(matrix, shape=shape, name=name)
    check_offsets(rows.indptr, name)
    indices = rows.indices.view(np.int32) if rows.shape[1] <= 2**31 else rows.indices.astype(np.int64)
    return sp.csr_array((rows.data, indices, rows.indptr), shape=rows.shape)


def as_query(query: object, words: WordTerms) -> tuple[Array, Array]:
    """Return the terms and the weights of one query in one object, or raise saying what would do."""
    if is_row(query):
        terms, weights, _ = row_of(query, "the query", words)
        return terms, weights
    first = query[0] if isinstance(query, list | tuple | np.ndarray) and len(query) else None
    hint = _LONELY if isinstance(first, int | float | np.number) else hint_for(query)
    raise TypeError(
        f"search_one takes terms and weights, as search_one(terms, weights, k), or one query: {ROWS}; "
        f"got {kind_of(query)}{hint}"
    )


# ------------------------------------------------------------------------------------ one function per source


def _converted(
    matrix: object,
    shape: tuple[int, int] | None,
    columns: ArrowColumns | None,
    name: str,
    words: WordTerms | None,
) -> CsrArrays:
    if columns is None and sp.issparse(matrix):
        return _from_scipy(matrix, name)
    if columns is None and is_tensor(matrix):
        return _from_tensor(matrix, name)
    if is_arrow(matrix):
        return _from_arrow(matrix, shape, columns, name)
    if columns is not None:
        raise TypeError(f"{name}: columns= are those of Arrow data, got {kind_of(matrix)}")
    if isinstance(matrix, (list, tuple)) and (not matrix or is_row(matrix[0])):
        return _from_rows(matrix, shape, name, words)
    if isinstance(matrix, CsrArrays):
        return _from_raw(matrix.indptr, matrix.indices, matrix.data, checked_shape(matrix.shape, name), name)
    if isinstance(matrix, tuple) and len(matrix) == 3:
        if shape is None:
            raise ValueError(f"{name}: a tuple (indptr, indices, data) needs shape=(n_rows, n_terms)")
        indptr, indices, data = (plain_array(part) for part in matrix)
        return _from_raw(indptr, indices, data, shape, name)
    raise TypeError(_not_accepted(matrix, name))


def _from_scipy(matrix: ScipySparse, name: str) -> CsrArrays:
    shape = checked_shape(as_2d(matrix.shape, name), name)
    if matrix.format == "csr":
        stored = int(matrix.indptr[-1:].max(initial=0))  # the arrays may be longer
        return _from_raw(matrix.indptr, matrix.indices[:stored], matrix.data[:stored], shape, name)
    if matrix.format in ("csc", "bsr", "dia"):
        matrix = copy.copy(matrix)  # shallow; what follows rebinds its arrays
        matrix.data = for_scipy(matrix.data, name)
        check_structure(matrix, name)  # scipy would follow what they hold unseen
    if matrix.format in ("csc", "bsr"):
        matrix.prune()  # arrays may be longer
    entries = matrix.tocoo(copy=False)
    return _from_entries(entries.row, entries.col, entries.data, shape, name)


def _from_tensor(tensor: Tensor, name: str) -> CsrArrays:
    if not is_sparse_tensor(tensor):
        raise TypeError(_not_accepted(tensor, name))
    if tensor.dense_dim() > 0:
        raise ValueError(f"{name}: a hybrid tensor ({tensor.dense_dim()} dense dimensions) isn't supported")
    shape = checked_shape(as_2d(tensor.shape, name), name)
    if str(tensor.layout) == "torch.sparse_csr":
        indptr, terms = plain_array(tensor.crow_indices()), plain_array(tensor.col_indices())
        return _from_raw(indptr, terms, plain_array(tensor.values()), shape, name)
    # The public indices() and values() refuse a tensor that isn't coalesced.
    ids, values = plain_array(tensor._indices()), plain_array(tensor._values())  # noqa: SLF001
    if tensor.ndim == 1:
        return _from_raw(np.array([0, values.size]), ids[0], values, shape, name)
    return _from_entries(ids[0], ids[1], values, shape, name)


def _from_arrow(data: Arrow, shape: tuple[int, int] | None, columns: ArrowColumns | None, name: str) -> CsrArrays:
    """Convert lists of Arrow, which know no number of terms: as many as the largest index needs."""
    indptr, indices, weights = vectors_of(data, columns, name)
    n_terms = width_of(indices) if shape is None else shape[1]
    return _from_raw(indptr, indices, weights, checked_shape((indptr.size - 1, n_terms), name), name)


def _from_rows(rows: Sequence[object], shape: tuple[int, int] | None, name: str, words: WordTerms | None) -> CsrArrays:
    """Convert a list with an object for each row, as encoders return them that are not asked for a tensor."""
    if rows:
        indptr, indices, data, n_terms = joined(rows, None if shape is None else shape[1], name, words)
        return _from_raw(indptr, indices, data, checked_shape((len(rows), n_terms), name), name)
    if shape is None:
        raise ValueError(f"{name}: an empty list needs shape=(0, n_terms)")
    return _from_raw(np.zeros(1, np.int64), np.zeros(0, np.uint32), np.zeros(0), (0, shape[1]), name)


def _from_raw(indptr: Array, indices: Array, data: Array, shape: tuple[int, int], name: str) -> CsrArrays:
    for part, label in ((indptr, "indptr"), (indices, "indices"), (data, "data")):
        if part.ndim != 1:
            raise ValueError(f"{name}: {label} must be 1-D, got shape {part.shape}")
    check_integers(indptr, "indptr", name)
    if indptr.size != shape[0] + 1:
        raise ValueError(f"{name}: indptr has length {indptr.size}, {shape[0]} rows need {shape[0] + 1}")
    if indptr[0] != 0:
        raise ValueError(f"{name}: indptr[0] must be 0, got {indptr[0]}")
    for part, label in ((indices, "indices"), (data, "data")):
        if indptr[-1] != part.size:
            raise ValueError(f"{name}: indptr[-1] is {indptr[-1]} but {label} has length {part.size}")

    def row_of(entry: int) -> int:
        return int(np.searchsorted(indptr, entry, side="right")) - 1

    terms = as_terms(indices, shape[1], row_of, name)
    weights = as_weights(data, terms, row_of, name)
    return CsrArrays(np.require(indptr, np.int64, ["C", "A"]), terms, weights, shape)


def _from_entries(rows: Array, cols: Array, values: Array, shape: tuple[int, int], name: str) -> CsrArrays:
    """COO entries: used where they are if in row order, else brought into it (not summed: the core does)."""
    n_rows, n_terms = shape

    def row_of(entry: int) -> int:
        return int(rows[entry])

    if not rows.size == cols.size == values.size:
        raise ValueError(f"{name}: rows, columns and values differ in length: {rows.size}, {cols.size}, {values.size}")
    entry = outside(rows, n_rows)
    if entry is not None:
        raise ValueError(f"{name}: entry {entry} is of row {rows[entry]}, which is not in [0, {n_rows})")
    terms = as_terms(cols, n_terms, row_of, name)
    weights = as_weights(values, terms, row_of, name)
    if np.all(rows[1:] >= rows[:-1]):
        # Search in the type of the rows, or searchsorted would convert all of them.
        search = np.arange(n_rows, dtype=rows.dtype if n_rows <= np.iinfo(rows.dtype).max else np.int64)
        indptr = np.zeros(n_rows + 1, np.int64)
        indptr[1:] = np.searchsorted(rows, search, side="right")
        return CsrArrays(indptr, terms, weights, shape)
    # In the type that scipy would otherwise convert them to.
    columns = terms.view(np.int32) if n_terms <= np.iinfo(np.int32).max else terms
    entries = sp.coo_array((weights, (rows, columns)), shape=shape)
    entries.has_canonical_format = True  # keeps tocsr() from summing
    csr = entries.tocsr()
    return CsrArrays(csr.indptr.astype(np.int64), as_uint32(csr.indices), csr.data, shape)


def _not_accepted(value: object, name: str) -> str:
    return f"{name} must be {_ACCEPTED}; got {kind_of(value)}{hint_for(value)}"
