"""Building an index of documents that come in parts."""

from __future__ import annotations

import threading
from typing import Any, Generic, SupportsIndex, TypeVar, cast, overload

from thresher import _core
from thresher._arguments import as_threads
from thresher._matrix import MatrixLike, as_csr
from thresher.engines.index import Index
from thresher.engines.registry import engines

Engine = TypeVar("Engine", bound=Index)


class Builder(Generic[Engine]):
    """Collects documents as they come, and makes an index of all of them.

    Documents are checked when they are added and numbered in the order in which they come. The index is built at once
    by `freeze`, with whatever the engine makes of a whole collection: a `GraphIndex` built so has the same edges, and
    is as connected, as one built from all documents together. Until then a document takes 8 to 16 bytes for each
    nonzero. Several threads may add documents to one builder.

    Parameters
    ----------
    engine
        The class of the index, such as `GraphIndex`, or its name, such as ``"graph"``.

    Examples
    --------
    >>> import scipy.sparse, thresher
    >>> builder = thresher.Builder(thresher.GraphIndex)
    >>> builder.add(scipy.sparse.csr_array([[1.0, 0.0, 2.0]]))
    range(0, 1)
    >>> builder.add(scipy.sparse.csr_array([[0.0, 3.0, 0.5], [1.0, 0.0, 0.0]]))
    range(1, 3)
    >>> builder
    <Builder: GraphIndex, 3 documents>
    >>> builder.freeze(m=8).n_docs
    3
    """

    __slots__ = ("_engine", "_lock", "_rows")

    @overload
    def __init__(self, engine: type[Engine]) -> None: ...
    @overload
    def __init__(self: Builder[Index], engine: str) -> None: ...
    def __init__(self, engine: type[Engine] | str) -> None:
        """Start with no documents."""
        given: object = engines().get(engine) if isinstance(engine, str) else engine
        if not (isinstance(given, type) and issubclass(given, Index) and given is not Index):
            raise TypeError(
                "engine must be a class of index, such as thresher.GraphIndex, or the name of one of "
                f"{list(engines())}, got {engine!r}"
            )
        self._engine = cast("type[Engine]", given)
        self._rows: _core.CollectedRows | None = _core.CollectedRows()
        self._lock = threading.RLock()  # `_rows` is not for several threads; a signal handler may come back to it

    @property
    def n_docs(self) -> int:
        """The number of documents added; a ValueError once `freeze` has been called."""
        with self._lock:
            return self._live.n_rows

    def add(self, docs: MatrixLike, *, shape: tuple[int, int] | None = None, threads: SupportsIndex = 0) -> range:
        """Add documents.

        Parameters
        ----------
        docs
            Sparse matrix of shape (n, n_terms), a document a row: anything that the engine's `build` takes. Parts may
            differ in width; the widest decides the index's `n_terms`. The arrays are copied.
        shape
            (n, n_terms), needed only for an ``(indptr, indices, data)`` triple.
        threads
            Threads that check the documents; 0 means one for each core.

        Returns
        -------
        range
            The ids of these documents.

        Raises
        ------
        ValueError
            If a weight is not finite (the message names the row, counted within `docs`, and the term), or
            `freeze` has been called. No document has been added then.
        TypeError
            If `docs` is not a sparse matrix.
        """
        rows = as_csr(docs, shape=shape, name="docs")
        with self._lock:
            collected = self._live
            collected.add(rows.indptr, rows.indices, rows.data, rows.shape[1], as_threads(threads))
            if self._rows is not collected:  # a signal handler has called `freeze` meanwhile
                raise ValueError("the builder was frozen while documents were added")
            return range(collected.n_rows - rows.shape[0], collected.n_rows)

    def freeze(self, **params: Any) -> Engine:  # noqa: ANN401 - whatever the engine takes
        """Build the index, and release the documents.

        Parameters
        ----------
        **params
            What the engine's `build` takes beside the documents: its parameters, `threads`, `progress`.

        Returns
        -------
        Index
            Of the class that the builder was made with.

        Raises
        ------
        ValueError
            As the engine's `build`, or if `freeze` has been called. The documents are kept if the build fails.
        """
        with self._lock:
            collected = self._live
            self._rows = None  # frozen during the build, which reads the rows in place
        try:
            indptr, indices, data, n_terms = collected.arrays()
            return self._engine.build((indptr, indices, data), shape=(collected.n_rows, n_terms), **params)
        except BaseException:
            self._rows = collected
            raise

    def __repr__(self) -> str:
        """Describe it in one line."""
        with self._lock:
            state = "frozen" if self._rows is None else f"{self._rows.n_rows:,} documents"
        return f"<Builder: {self._engine.__name__}, {state}>"

    @property
    def _live(self) -> _core.CollectedRows:
        if self._rows is None:
            raise ValueError("the builder is frozen: start another")
        return self._rows
