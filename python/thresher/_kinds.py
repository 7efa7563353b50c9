"""What an object is that a caller passed as vectors, and why it may not do.

torch is never imported: a tensor can only exist once somebody else has imported it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Array: TypeAlias = npt.NDArray[Any]
Tensor: TypeAlias = Any  # torch.Tensor, which can't be named without torch

_ENCODE = (
    "; texts must be encoded first, such as by sentence-transformers: SparseEncoder(...).encode_document(texts) gives "
    "a tensor that is accepted here"
)
_READ = "; read a file with thresher.formats.read_matrix(path), and encode a text to a sparse vector first"


def is_tensor(value: object) -> TypeGuard[Tensor]:
    """Return whether a value is a torch tensor."""
    torch = sys.modules.get("torch")
    tensor_type = getattr(torch, "Tensor", None)
    return tensor_type is not None and isinstance(value, tensor_type)


def is_sparse_tensor(value: object) -> TypeGuard[Tensor]:
    """Return whether a value is a torch tensor of a layout that the library reads."""
    return is_tensor(value) and str(value.layout) in ("torch.sparse_coo", "torch.sparse_csr")


def is_row(value: object) -> bool:
    """Return whether a value can be one row of several in a list."""
    return isinstance(value, Mapping) or sp.issparse(value) or is_sparse_tensor(value)


def plain_array(part: object) -> Array:
    """Return a plain numpy array that shares the memory of `part` where it can."""
    if not is_tensor(part):
        return np.asarray(part)
    try:
        return np.asarray(part.numpy(force=True))  # detached, and moved to the CPU where it isn't there
    except TypeError:  # bfloat16 and the 8-bit floats, which numpy doesn't have
        return np.asarray(part.float().numpy(force=True))


def kind_of(value: object) -> str:
    """Name a value's type, for a message."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if is_tensor(value):
        return f"{kind} of layout {value.layout}, shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"{kind} of dtype {value.dtype}, shape {value.shape}"
    if isinstance(value, list | tuple):
        return f"{kind} of {len(value)}" + (f", the first of them {type(value[0]).__name__}" if value else "")
    return kind


def hint_for(value: object) -> str:
    """Return what to do with a value that is no sparse matrix, as the end of a message; empty if nobody knows."""
    first = next(iter(value[:1]), None) if isinstance(value, list | tuple) else value
    hints: list[tuple[bool, str]] = [
        (isinstance(value, str | bytes | os.PathLike), _READ),
        (isinstance(first, str | bytes), _ENCODE),
        (is_tensor(value), "; convert it with tensor.to_sparse_csr()"),
        (isinstance(value, np.ndarray), "; convert a dense array with scipy.sparse.csr_array(x)"),
        (isinstance(value, Mapping), "; a dict is one row: pass a list of them"),
        (hasattr(value, "to_numpy"), "; convert dense columns with scipy.sparse.csr_array(x.to_numpy())"),
        (_is_pairs(value) or _is_pairs(first), "; make a dict of pairs of a term and a weight: dict(pairs)"),
        (isinstance(value, list | tuple) and _is_dense(first), "; convert dense rows with scipy.sparse.csr_array(x)"),
        (hasattr(value, "__next__"), "; only builds take an iterator: make a list of it"),
    ]
    return next((hint for applies, hint in hints if applies), "")


def _is_pairs(value: object) -> bool:
    """Return whether a value looks like the pairs of a term and a weight that make up a row."""
    pair = value[0] if isinstance(value, list | tuple) and value else None
    return isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], int | np.integer)


def _is_dense(value: object) -> bool:
    return is_tensor(value) or isinstance(value, list | tuple | np.ndarray | int | float | np.number)
