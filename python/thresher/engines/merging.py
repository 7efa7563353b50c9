"""Indexes of the documents of other indexes: what `Index.merge` takes, checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from thresher import _core
from thresher._kinds import kind_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask: TypeAlias = npt.NDArray[np.uint8]


def parts_of(indexes: Iterable[Any], live: Iterable[Any] | None) -> tuple[list[_core.Index], list[Mask | None]]:
    """Return indexes as the core has them, and for each a byte for each document, or None for all."""
    handles = []
    for place, index in enumerate(indexes):
        handle = getattr(index, "_live", None)
        if not isinstance(handle, _core.Index):
            raise TypeError(f"indexes[{place}] must be an index, got {kind_of(index)}")
        handles.append(handle)
    masks = [None] * len(handles) if live is None else list(live)
    if len(masks) != len(handles):
        raise ValueError(f"live: {len(masks)} masks for {len(handles)} indexes")
    return handles, [
        None if mask is None else _mask(mask, handle.n_docs, f"live[{place}]")
        for place, (mask, handle) in enumerate(zip(masks, handles, strict=True))
    ]


def _mask(given: npt.ArrayLike, n_docs: int, name: str) -> Mask:
    mask = np.asarray(given)
    if mask.dtype != np.bool_:
        raise TypeError(f"{name} must be booleans, got dtype {mask.dtype}")
    if mask.shape != (n_docs,):
        raise ValueError(f"{name} has shape {mask.shape}; the index has {n_docs} documents")
    return np.ascontiguousarray(mask).view(np.uint8)
