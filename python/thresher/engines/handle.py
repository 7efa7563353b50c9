"""An index as an object: how large it is and what it was built with, saved, copied and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from thresher._arguments import as_path
from thresher.engines.options import WEIGHTS, Weights

if TYPE_CHECKING:
    import os
    from types import TracebackType

    from thresher import _core
    from thresher._pickling import Source

# Parts that an index in a file need not have in memory.
_ON_DISK = ("fine",)


class Handle:
    """What holds an index of the core until it is closed; `Index`, which is one, says what can be asked of it."""

    __slots__ = ("_handle", "_own_params", "_source")

    def __init__(self, handle: _core.Index) -> None:
        """Hold an index of the core."""
        self._handle: _core.Index | None = handle
        # The index's search parameters as the core takes them; never changed.
        self._own_params: Any = handle.own_search_params() if hasattr(handle, "own_search_params") else None
        # The file that it was opened from.
        self._source: Source | None = None

    @property
    def n_docs(self) -> int:
        """Number of documents."""
        return self._live.n_docs

    @property
    def n_terms(self) -> int:
        """Number of terms: the columns of the matrix that the index was built from."""
        return self._live.n_terms

    @property
    def nnz(self) -> int:
        """Number of nonzero weights."""
        return self._live.nnz

    @property
    def weights(self) -> Weights:
        """What it keeps of the weights that it was given, as `build` explains it."""
        return WEIGHTS[self._live.precision]

    @property
    def weight_error(self) -> float:
        """By how much the weights that it scores by are off at most; 0 where they are those that were given."""
        return self._live.max_error

    @property
    def nbytes(self) -> dict[str, int]:
        """Bytes that the index occupies in memory (or maps from its file), by part."""
        return self._live.nbytes

    @property
    def resident_nbytes(self) -> int:
        """Bytes of the parts that searches go through.

        What an index that was opened from a file reads for a few documents only, and can leave on disk, is not among
        them: the full weights beside those of 8 bits.
        """
        on_disk = _ON_DISK if self._source is not None else ()
        return sum(size for part, size in self.nbytes.items() if part not in on_disk)

    @property
    def params(self) -> dict[str, int | float]:
        """Build parameters; true and false are 1 and 0, as in the file."""
        return {name: int(value) if isinstance(value, bool) else value for name, value in self._live.params.items()}

    @property
    def search_params(self) -> dict[str, int | float | str]:
        """Default search parameters, which the engine's `search` explains.

        The library's, unless `with_search_params` or `thresher.tune` set others; `save` keeps those.
        """
        return self._live.search_params

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to a file that `thresher.open` maps.

        The file appears whole or not at all: an existing file at `path` is replaced only once the new one is safely
        on disk.

        Parameters
        ----------
        path
            The file to write.

        Raises
        ------
        OSError
            If the system refuses, with the path: no such directory, no permission, disk full, ...
        """
        self._live.save(as_path(path))

    def close(self) -> None:
        """Release the memory or the mapped file; any use after that raises ValueError. Idempotent."""
        self._handle = None

    def __enter__(self) -> Self:
        """Return the index: ``with thresher.open(path) as index`` closes it at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the index."""
        self.close()

    def __bool__(self) -> bool:
        """Return True: an index without documents is an index all the same."""
        return True

    def __len__(self) -> int:
        """Return the number of documents."""
        return self.n_docs

    def __repr__(self) -> str:
        """Describe the index in one line."""
        if self._handle is None:
            return f"<{type(self).__name__}: closed>"
        size = sum(self.nbytes.values())
        return f"<{type(self).__name__}: {self.n_docs:,} documents, {self.n_terms:,} terms, {size / 1e6:,.1f} MB>"

    def __copy__(self) -> Self:
        """Return the index itself: it never changes."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the index itself: it never changes."""
        return self

    @property
    def _live(self) -> _core.Index:
        if self._handle is None:
            raise ValueError("the index is closed")
        return self._handle
