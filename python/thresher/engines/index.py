"""What every engine's Python class has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, SupportsFloat, SupportsIndex, TypeAlias

import numpy as np
import scipy.sparse as sp

from thresher._arguments import as_k, as_path, as_terms, as_threads, as_weights, with_given
from thresher._hits import Hits
from thresher._matrix import MatrixLike, as_csr

if TYPE_CHECKING:
    import os
    from types import TracebackType

    import numpy.typing as npt

    from thresher import _core

Progress: TypeAlias = Callable[[int, int], object]


class Index:
    """An immutable index of sparse document vectors; each engine is a subclass with a `build` of its own.

    Any number of threads may search one index at once: the GIL is released during a search.
    """

    engine: ClassVar[str]
    """The engine's name, as in the index file."""

    __slots__ = ("_handle",)

    def __init__(self, handle: _core.Index) -> None:
        """Wrap a core index; callers use `build` or `thresher.open`."""
        self._handle: _core.Index | None = handle

    @classmethod
    def build(
        cls,
        docs: MatrixLike,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
    ) -> Self:
        """Build an index of the rows of a sparse matrix; each engine has its own, with parameters of its own."""
        raise NotImplementedError(f"{cls.__name__} has no build; use one of thresher.engines()")

    @property
    def _live(self) -> _core.Index:
        if self._handle is None:
            raise ValueError("the index is closed")
        return self._handle

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
    def nbytes(self) -> dict[str, int]:
        """Bytes that the index occupies in memory (or maps from its file), by part."""
        return self._live.nbytes

    @property
    def params(self) -> dict[str, int | float]:
        """Build parameters."""
        return self._live.params

    @property
    def search_params(self) -> dict[str, int | float | str]:
        """What searches go by that are not told otherwise; the engine's `search` explains each.

        The library's defaults, unless `with_search_params` or `thresher.tune` set others; `save` keeps those.
        """
        return self._live.search_params

    def with_search_params(self, **params: SupportsFloat | SupportsIndex | str | None) -> Self:
        """Return the same index with other search parameters to go by; this one stays as it is.

        Parameters
        ----------
        **params
            Parameters of the engine's `search`, by name. Those that are left out, or None, stay as they are here.

        Returns
        -------
        Index
            Of the same class. The two share their memory, and each can be closed without the other.

        Raises
        ------
        TypeError
            If the engine has no such parameter, or a value is of another type.
        ValueError
            If a value is out of range.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> index = thresher.BlockMaxIndex.build(docs).with_search_params(beta=0.8)
        >>> index.search_params
        {'alpha': 1.0, 'beta': 0.8, 'block_budget': 0, 'superblock_budget': 0}
        """
        handle: Any = self._live
        known = list(handle.search_params)
        for name in params:
            if name not in known:
                has = f"it has {', '.join(known)}" if known else "it has none"
                raise TypeError(f"{type(self).__name__} has no search parameter {name!r}: {has}")
        if not params:
            return type(self)(handle)
        return type(self)(handle.with_search_params(with_given(handle.own_search_params(), **params)))

    def search(
        self,
        queries: MatrixLike,
        k: SupportsIndex = 10,
        *,
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
    ) -> Hits:
        """Find the k documents with the greatest inner product with each query.

        Parameters
        ----------
        queries
            Sparse matrix of shape (n_queries, n_terms), or narrower: anything that `build` takes. Weights must be
            finite and may be negative.
        k
            Documents to return for each query, from 1 to 2**24.
        shape
            (n_queries, n_terms), needed only where `queries` is an ``(indptr, indices, data)`` triple.
        threads
            Threads to use; 0 means one for each core. The result does not depend on it.
        progress
            Called on this thread now and then as ``progress(done, n_queries)``.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (n_queries, k), best first. Only documents with a
            positive score are returned; missing ones are -1 and -inf. Ties are in ascending order of ids.

        Raises
        ------
        ValueError
            If k is out of range, or the queries are wider than the index or hold a weight that is not finite.
        TypeError
            If `queries` is not a sparse matrix.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> ids, scores = thresher.ExactIndex.build(docs).search(scipy.sparse.csr_array([[0.0, 1.0, 1.0]]), k=2)
        >>> ids
        array([[1, 0]])
        >>> scores
        array([[3.5, 2. ]], dtype=float32)
        """
        rows = as_csr(queries, shape=shape, name="queries")
        ids, scores = self._live.search(
            rows.indptr, rows.indices, rows.data, rows.shape[1], as_k(k), as_threads(threads), progress
        )
        return Hits(ids, scores)

    def search_one(self, terms: npt.ArrayLike, weights: npt.ArrayLike, k: SupportsIndex = 10) -> Hits:
        """Search for one query given as its terms and their weights: the call with the least overhead.

        Parameters
        ----------
        terms
            Term ids, shape (n,), in any order; uint32 arrays are taken as they are.
        weights
            Their weights, shape (n,); float32 arrays are taken as they are. Weights of a repeated term are added.
        k
            Documents to return, at least 1.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (k,), as `search` gives them.

        Raises
        ------
        ValueError
            If k < 1, the two differ in length, a term is not in [0, n_terms) or a weight is not finite.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.ExactIndex.build(docs).search_one([1, 2], [1.0, 1.0], k=1)
        Hits(ids=array([1]), scores=array([3.5], dtype=float32))
        """
        return Hits(*self._live.search_one(as_terms(terms), as_weights(weights), as_k(k)))

    def vectors(self, ids: npt.ArrayLike) -> sp.csr_array:
        """Return the stored vectors of documents: the float32 weights that were given, duplicates summed, no zeros.

        Parameters
        ----------
        ids
            Document ids, shape (n,), each in [0, n_docs).

        Returns
        -------
        scipy.sparse.csr_array
            float32, shape (n, n_terms), in the order of `ids`, indices sorted.

        Raises
        ------
        ValueError
            If an id is not a document's.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> thresher.ExactIndex.build(docs).vectors([1]).toarray()
        array([[0. , 3. , 0.5]], dtype=float32)
        """
        wanted = np.asarray(ids)
        if wanted.ndim != 1:
            raise ValueError(f"ids must have one dimension, got {wanted.ndim}")
        if wanted.size and wanted.dtype.kind not in "iu":
            raise TypeError(f"ids must be whole numbers, got dtype {wanted.dtype}")
        if wanted.size and (wanted.max() >= self.n_docs or wanted.min() < 0):
            outside = wanted[(wanted < 0) | (wanted >= self.n_docs)][0]
            raise ValueError(f"ids: {outside} is not a document; the index has {self.n_docs}")
        indptr, indices, data = self._live.vectors(np.ascontiguousarray(wanted, dtype=np.int64))
        signed = indices.view(np.int32) if self.n_terms <= 2**31 else indices.astype(np.int64)
        return sp.csr_array((data, signed, indptr), shape=(len(wanted), self.n_terms))

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
        """Let go of the memory or the mapped file; any use after that raises ValueError. Idempotent."""
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

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: an index travels as a file."""
        raise TypeError(f"{type(self).__name__} can't be pickled; save() it and thresher.open() the file")
