"""Building an index of documents that come in parts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import Any, Generic, SupportsIndex, TypeVar, cast, overload

from thresher import _core
from thresher._arguments import as_path, as_threads
from thresher._arrow import ArrowColumns
from thresher._matrix import CsrArrays, MatrixLike, as_csr
from thresher._open import open_as
from thresher._scratch import Folder, kept_in, scratch_files
from thresher._streams import Item, add_all
from thresher.engines.index import Index
from thresher.engines.registry import engines

Engine = TypeVar("Engine", bound=Index)


class Builder(Generic[Engine]):
    """Collects documents as they come, and makes an index of all of them.

    Documents are checked when they are added and numbered in the order in which they come. The index is built at once
    by `freeze`, with whatever the engine makes of a whole collection: a `GraphIndex` built so has the same edges, and
    is as connected, as one built from all documents together. Until then a document takes 8 to 16 bytes for each
    nonzero. Several threads may add documents to one builder.

    With `scratch`, a collection may be larger than memory: documents go to temporary files as they come, and so do the
    large arrays of the index while it is built. What is left in memory is the part that is being added, and a few
    dozen MB (docs/scaling.md). The index is the same, bit by bit.

    Parameters
    ----------
    engine
        The class of the index, such as `GraphIndex`, or its name, such as ``"graph"``.
    scratch
        A folder for temporary files, on a disk with room for 8 bytes a nonzero and the index; not one that is itself
        in memory, as /tmp may be. They have no name, and are gone with the process. None keeps all in memory.

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

    __slots__ = ("_engine", "_files", "_lock", "_rows")

    @overload
    def __init__(self, engine: type[Engine], *, scratch: Folder | None = None) -> None: ...
    @overload
    def __init__(self: Builder[Index], engine: str, *, scratch: Folder | None = None) -> None: ...
    def __init__(self, engine: type[Engine] | str, *, scratch: Folder | None = None) -> None:
        """Start with no documents."""
        given: object = engines().get(engine) if isinstance(engine, str) else engine
        if not (isinstance(given, type) and issubclass(given, Index) and given is not Index):
            raise TypeError(
                "engine must be a class of index, such as thresher.GraphIndex, or the name of one of "
                f"{list(engines())}, got {engine!r}"
            )
        self._engine = cast("type[Engine]", given)
        self._files = scratch_files(scratch)
        self._rows: _core.CollectedRows | None = _core.CollectedRows(self._files)
        self._lock = threading.RLock()  # `_rows` is not for several threads; a signal handler may come back to it

    @property
    def n_docs(self) -> int:
        """The number of documents added; a ValueError once `freeze` has been called."""
        with self._lock:
            return self._live.n_rows

    def add(
        self,
        docs: MatrixLike,
        *,
        shape: tuple[int, int] | None = None,
        columns: ArrowColumns | None = None,
        threads: SupportsIndex = 0,
    ) -> range:
        """Add documents.

        Parameters
        ----------
        docs
            Sparse matrix of shape (n, n_terms), a document a row: anything that the engine's `build` takes but an
            iterator. Parts may differ in width; the widest decides the index's `n_terms`. The arrays are copied.
        shape
            (n, n_terms), needed only for an ``(indptr, indices, data)`` triple.
        columns
            Of Arrow data (a record batch or table of pyarrow, or what exports one), where vectors are: the name of a
            column of structs of two lists, of maps from an index to a value, or of lists of structs of an index and a
            value; or the names of two columns of lists, of indices and of values. None for ``("indices", "values")``
            where there are such columns, or the only column that can be one of vectors.
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
        OSError
            If the disk is full. No document has been added then.
        ImportError
            Of Arrow data, without pyarrow, which the extra ``arrow`` brings.
        """
        return self._add(as_csr(docs, shape=shape, columns=columns, name="docs"), "docs", as_threads(threads))

    def extend(self, items: Iterable[Item], *, columns: ArrowColumns | None = None, threads: SupportsIndex = 0) -> int:
        """Add the documents that an iterable gives, one after the other.

        Parameters
        ----------
        items
            Each a document: a dict ``{term: weight}``, a pair ``(indices, weights)``, a scipy.sparse or torch row; or a
            batch of documents: anything that `add` takes. Or a stream of Arrow's, such as a table or a
            ``RecordBatchReader``. No more than a batch, or a few thousand documents, are taken at once.
        columns, threads
            As for `add`.

        Returns
        -------
        int
            How many documents were added.

        Raises
        ------
        ValueError, TypeError, OSError, ImportError
            As from `add`. The message names the item, counted from 0, and of a batch the row. Items before that one
            have been added.

        Examples
        --------
        >>> import thresher
        >>> builder = thresher.Builder(thresher.ExactIndex)
        >>> builder.extend({n: 1.0, n + 1: 0.5} for n in range(100))
        100
        >>> builder.extend([([3, 5], [1.0, 2.0])])
        1
        """
        count = as_threads(threads)
        added = 0

        def add(rows: CsrArrays, name: str) -> None:
            nonlocal added
            added += len(self._add(rows, name, count))

        add_all(items, columns, add)
        return added

    def freeze(
        self,
        path: str | os.PathLike[str] | None = None,
        **params: Any,  # noqa: ANN401 - whatever the engine takes
    ) -> Engine:
        """Build the index, and release the documents.

        Parameters
        ----------
        path
            A file to save the index to: what is returned then is that file, opened, and takes no room elsewhere.
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
        OSError
            If the disk is full, or `path` can't be written. The documents are kept.
        """
        with self._lock:
            collected = self._live
            self._rows = None  # frozen during the build, which reads the rows in place
        try:
            target = None if path is None else os.fsdecode(as_path(path))
            with kept_in(self._files):
                indptr, indices, data, n_terms = collected.arrays()
                index = self._engine.build((indptr, indices, data), shape=(collected.n_rows, n_terms), **params)
            if target is None:
                return index
            with index:
                index.save(target)
            return open_as(self._engine, target)
        except BaseException:
            self._rows = collected
            raise

    def __repr__(self) -> str:
        """Describe it in one line."""
        with self._lock:
            state = "frozen" if self._rows is None else f"{self._rows.n_rows:,} documents"
        return f"<Builder: {self._engine.__name__}, {state}>"

    def _add(self, rows: CsrArrays, name: str, threads: int) -> range:
        with self._lock:
            collected = self._live
            collected.add(rows.indptr, rows.indices, rows.data, rows.shape[1], name, threads)
            if self._rows is not collected:  # a signal handler has called `freeze` meanwhile
                raise ValueError("the builder was frozen while documents were added")
            return range(collected.n_rows - rows.shape[0], collected.n_rows)

    @property
    def _live(self) -> _core.CollectedRows:
        if self._rows is None:
            raise ValueError("the builder is frozen: start another")
        return self._rows
