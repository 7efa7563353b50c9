"""Vectors that come a row at a time, as encoders give them: dicts, sparse rows and 1-D torch tensors.

What a conversion would hide is checked here: terms and weights of a dict that are no numbers. All else (terms in
range, weights finite, duplicates) is left to whoever takes the arrays.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
import scipy.sparse as sp

from thresher._kinds import Array, Tensor, hint_for, is_sparse_tensor, kind_of, plain_array

ScipySparse: TypeAlias = Any  # a matrix or array of any format, whose attributes differ

ROWS = "a dict {term: weight}, a scipy.sparse row or a torch sparse tensor of one row"


class WordTerms(Protocol):
    """What knows the terms of rows whose terms are words."""

    @property
    def n_terms(self) -> int:
        """Terms that a matrix of such rows has at least."""

    def terms_of(self, row: Sequence[str], where: str) -> tuple[Array, Array | None]:
        """Return the terms of a row's words, and which of these they are if some were left out; or raise."""


class Row(NamedTuple):
    """The entries of a row, in any order and of any number types."""

    terms: Array
    weights: Array
    n_terms: int | None
    """The row's length, or None: of a dict."""


def row_of(value: object, where: str, words: WordTerms | None = None) -> Row:
    """Return the entries of one row, or raise TypeError or ValueError that says `where` it is.

    The terms of a dict may be words if there are `words` that know them.
    """
    if sp.issparse(value):  # first: a matrix may be a dictionary of keys
        return _from_scipy(value, where)
    if isinstance(value, Mapping):
        return _from_dict(value, where, words)
    if is_sparse_tensor(value):
        return _from_tensor(value, where)
    raise TypeError(f"{where} must be {ROWS}, got {kind_of(value)}{hint_for(value)}")


def joined(
    rows: Sequence[object], n_terms: int | None, name: str, words: WordTerms | None = None
) -> tuple[Array, Array, Array, int]:
    """Return a list of rows as ``(indptr, indices, data)`` and the number of terms.

    Parameters
    ----------
    rows
        At least one.
    n_terms
        The number of terms; None for that of the rows that have a length, which must agree, or as many as the largest
        term of all dicts, and the `words`, need.
    name
        What messages call the list.
    words
        What knows the terms of words.
    """
    parts = [row_of(row, f"{name}: row {number}", words) for number, row in enumerate(rows)]
    widths = {part.n_terms: number for number, part in reversed([*enumerate(parts)]) if part.n_terms is not None}
    if len(widths) > 1:
        (first, row), (second, other) = sorted(widths.items(), key=lambda item: item[1])[:2]
        raise ValueError(f"{name}: row {other} has {second} terms, row {row} has {first}")
    stack = stacked(parts, next(iter(widths), n_terms))
    if widths or n_terms is not None or words is None:
        return stack
    return *stack[:3], max(stack[3], words.n_terms)


def stacked(rows: Sequence[Row], n_terms: int | None) -> tuple[Array, Array, Array, int]:
    """Return rows as ``(indptr, indices, data)`` and the number of terms, where None is as many as they need."""
    indptr = np.cumsum([0, *(row.weights.size for row in rows)], dtype=np.int64)
    indices = _concatenated(row.terms for row in rows)
    data = _concatenated(row.weights for row in rows)
    return indptr, indices, data, width_of(indices) if n_terms is None else n_terms


def width_of(indices: Array) -> int:
    """Return how many terms indices need."""
    return max(0, 1 + int(indices.max())) if indices.size else 0


def _concatenated(parts: Iterable[Array]) -> Array:
    """Join arrays; those without entries have no say in the type."""
    filled = [part for part in parts if part.size]
    return np.concatenate(filled) if filled else np.zeros(0, np.int32)


def _from_dict(row: Mapping[Any, Any], where: str, words: WordTerms | None) -> Row:
    kinds = set(map(type, row))
    if words is not None and kinds and all(issubclass(kind, str) for kind in kinds):
        weights = _weights_of(row, where)
        terms, known = words.terms_of(list(row), where)
        return Row(terms, weights if known is None else weights[known], None)
    for kind in kinds:
        if not issubclass(kind, int | np.integer) or issubclass(kind, bool):
            term = next(term for term in row if type(term) is kind)
            hint = ": give each token a number, such as its place in the vocabulary" if kind is str else ""
            wanted = "whole numbers" if words is None else "whole numbers, or all of them words"
            raise TypeError(f"{where} has the term {term!r}, a {kind.__name__}; terms must be {wanted}{hint}")
    try:
        terms = np.fromiter(row, np.int64, len(row))
    except OverflowError:
        raise ValueError(f"{where} has the term {max(row, key=abs)}, which is beyond 64 bits") from None
    return Row(terms, _weights_of(row, where), None)


def _weights_of(row: Mapping[Any, Any], where: str) -> Array:
    for kind in set(map(type, row.values())):
        if not issubclass(kind, numbers.Real | np.bool_):
            term = next(term for term, weight in row.items() if type(weight) is kind)
            raise TypeError(
                f"{where} has a {kind.__name__} as the weight of term {term}: {row[term]!r}; weights must be numbers"
            )
    try:
        return np.fromiter(row.values(), np.float64, len(row))
    except OverflowError:
        term = max(row, key=lambda term: abs(row[term]))
        raise ValueError(f"{where} has a weight beyond float64 for term {term}; weights must be finite") from None


def _from_scipy(row: ScipySparse, where: str) -> Row:
    width = _width(row.shape, where)
    if row.format == "csr":
        stored = int(row.indptr[-1])  # the arrays may be longer
        return Row(row.indices[:stored], row.data[:stored], width)
    entries = row.tocoo(copy=False)
    return Row(entries.col, entries.data, width)


def _from_tensor(row: Tensor, where: str) -> Row:
    width = _width(row.shape, where)
    if row.dense_dim() > 0:
        raise ValueError(f"{where}: a hybrid tensor ({row.dense_dim()} dense dimensions) isn't supported")
    if str(row.layout) == "torch.sparse_csr":
        return Row(plain_array(row.col_indices()), plain_array(row.values()), width)
    # The public indices() and values() refuse a tensor that isn't coalesced.
    return Row(plain_array(row._indices()[-1]), plain_array(row._values()), width)  # noqa: SLF001


def _width(shape: Sequence[int], where: str) -> int:
    if len(shape) == 1 or (len(shape) == 2 and shape[0] == 1):
        return int(shape[-1])
    raise ValueError(f"{where} must be one row, got shape {tuple(shape)}")
