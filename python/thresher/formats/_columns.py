"""Terms that are column numbers: where every term of a collection is one, the numbers are its columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from thresher.formats._check import MAX_TERMS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_column(term: str) -> int | None:
    """Return the column that a term such as "17" names, None if it is a word."""
    if not (term.isascii() and term.isdigit() and len(term) <= 10) or (term[0] == "0" and term != "0"):
        return None
    column = int(term)
    return column if column < MAX_TERMS else None


def as_columns(terms: Iterable[str]) -> NDArray[np.int64] | None:
    """Return the columns that terms name, None if one of them is a word or there are none."""
    columns = [as_column(term) for term in terms]
    if not columns or any(column is None for column in columns):
        return None
    return np.array(columns, dtype=np.int64)
