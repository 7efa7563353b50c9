"""What terms are called whose numbers are those of a model: pieces of words, or latents without a name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from thresher.encoders.marks import MARK


def names_of(ids: npt.ArrayLike, n_terms: int, token: Callable[[int], str | None], kind: str = "term") -> list[str]:
    """Return the names of terms.

    Parameters
    ----------
    ids
        Numbers of columns, shape (n,).
    n_terms
        How many there are.
    token
        Returns the piece of a word that has a number, or None.
    kind
        What those are without a piece of a word: they are named by it and their number.

    Raises
    ------
    TypeError, IndexError
        If the ids are not whole numbers in one dimension, or one is not in [0, n_terms).
    """
    wanted = np.asarray(ids)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
        raise TypeError(f"ids must be whole numbers in one dimension, got {wanted.dtype} of shape {wanted.shape}")
    wrong = (wanted < 0) | (wanted >= n_terms)
    if wrong.any():
        raise IndexError(f"there is no term {wanted[wrong][0]}: they are {n_terms}")
    names = []
    for number in wanted.tolist():
        name = token(number)
        names.append(f"{kind}{MARK}{number}" if name is None else name)
    return names
