"""The contract of every engine, and what they have in common: options checked once, the core called once.

An engine states its parameters, and in `build`, `search` and `search_one` the types of its options; the work is done
here. What is new for all engines is added here and in `thresher.engines.options`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsFloat, SupportsIndex, TypeAlias, Unpack

import numpy as np
import scipy.sparse as sp

from thresher import _core
from thresher._arguments import (
    as_choice,
    as_k,
    as_path,
    as_progress,
    as_reorder,
    as_terms,
    as_threads,
    as_weights,
    set_params,
)
from thresher._explanation import Explanation, explained
from thresher._hits import AllHits, Hits
from thresher._matrix import MatrixLike, QueryLike, as_csr, as_query
from thresher._pickling import Source, restored
from thresher._scratch import kept_in, scratch_files
from thresher._selections import Allowed, Documents, as_selection
from thresher._streams import DocumentsLike, collected, is_stream
from thresher._words import IndexWords, Words, WordsLike, as_core_words, as_words, words_of_docs
from thresher.engines.merging import parts_of
from thresher.engines.options import (
    PRECISIONS,
    WEIGHTS,
    BuildOptions,
    Options,
    Progress,
    SearchOptions,
    UnknownTerms,
    Weights,
    require_known,
    write_out,
)
from thresher.engines.request import Request

if TYPE_CHECKING:
    import os
    from types import TracebackType

    import numpy.typing as npt

__all__ = ["BuildOptions", "Index", "Progress", "SearchOptions"]
BuildParam: TypeAlias = bool | int | float | str
# Parts that an index in a file need not have in memory.
_ON_DISK = ("fine",)


class Index:
    """An immutable index of sparse document vectors; each engine is a subclass.

    Any number of threads may search one index at once: the GIL is released during a search.
    """

    engine: ClassVar[str]
    """The engine's name, as in the index file."""

    # What an engine states: its class in the core, how its build and search parameters start out there, and the
    # TypedDicts of what `build` and `search` take.
    _core_class: ClassVar[type[_core.Index]] = _core.Index
    _build_params: ClassVar[Callable[[], Any]] = _core.NoParams
    _search_params: ClassVar[Callable[[], Any] | None] = None
    _build_options: ClassVar[type] = BuildOptions
    _search_options: ClassVar[type] = SearchOptions

    __slots__ = ("_handle", "_own_params", "_source")

    def __init__(self, handle: _core.Index | None = None, *args: object, **kwargs: object) -> None:
        """Wrap a core index; callers use `build` or `thresher.open`."""
        if args or kwargs or not isinstance(handle, self._core_class):
            engine = type(self).__name__ if type(self) is not Index else "ExactIndex"
            raise TypeError(f"an index is made by build, as {engine}.build(docs), or by thresher.open(path)")
        self._handle: _core.Index | None = handle
        # The index's search parameters as the core takes them; never changed.
        self._own_params: Any = handle.own_search_params() if hasattr(handle, "own_search_params") else None
        # The file that it was opened from.
        self._source: Source | None = None

    def __init_subclass__(cls) -> None:
        """Write out the options of an engine's methods, in their signatures and documentation."""
        super().__init_subclass__()
        _write_out_options(cls)

    @classmethod
    def build(cls, docs: DocumentsLike, **options: Unpack[BuildOptions]) -> Self:
        """Build an index of the rows of a sparse matrix; `Index` itself has no build, only engines do.

        Parameters
        ----------
        docs
            The documents, a row each, shape (n_docs, n_terms): any scipy.sparse matrix or array; a torch sparse
            tensor (COO or CSR); a list with a row for each document, which is a dict ``{term: weight}``, a scipy.sparse
            row or a torch sparse tensor; Arrow data; an ``(indptr, indices, data)`` triple with `shape`; or an iterator
            of rows and batches of rows, as `thresher.Builder.extend` takes them. Weights must be finite. Unsorted rows
            are sorted, duplicates summed, zeros dropped. Arrays that fit (int32 or uint32 indices, float32 data) are
            read in place; none is kept or changed. Rows that have no length have as many terms as the largest of all
            needs, unless `shape` says otherwise. The terms of dicts may be words (str): those of `words`, or else all
            that there are, in ascending order, which the index keeps.
        **options
            By keyword, with the engine's parameters.

        Returns
        -------
        Index
            Of the class that it was called on.

        Raises
        ------
        ValueError
            If a weight is not finite (the message names the row and the term), the matrix has more than
            2**31 rows or 2**32 - 1 columns, or a parameter is out of range.
        TypeError
            If `docs` is not a sparse matrix, or there is no such option.
        KeyboardInterrupt
            On Ctrl-C; nothing is left behind.
        """
        return cls._build(docs, options)

    @classmethod
    def merge(
        cls,
        indexes: Iterable[Index],
        *,
        live: Iterable[npt.ArrayLike | None] | None = None,
        weights: Weights = "float",
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
        **params: BuildParam,
    ) -> Self:
        """Build an index of the documents of other indexes, one's behind the other's.

        They are read from the indexes, a document at a time, and never lie in memory as a matrix. Weights stay what
        they were, bit for bit, through any number of merges: the index is that which `build` would make of the same
        rows, to the last byte where weights are full. Weights in 8 bits stay too, and as far off as they were
        (`weight_error`). Terms are numbers: where indexes keep words, they must number them alike.

        Parameters
        ----------
        indexes
            Indexes of any engines. The first one's documents come first, each index's in the order of its ids.
        live
            For each index a mask of the documents to take, bool, shape (n_docs,), or None for all.
        weights
            As in `build`. Of an index that has weights in 8 bits alone, and not as they were given, only an index with
            `weights="uint8"` can be made.
        threads, progress
            As in `build`.
        **params
            Build parameters of the engine. Words and names are not taken over: see `with_words`.

        Returns
        -------
        Index
            Of the class that it was called on; as many terms as the index has that has the most.

        Raises
        ------
        ValueError
            If there is not a mask for each index, or a mask not of its documents, or full weights are asked for that an
            index does not have, or a parameter is out of range.
        TypeError
            If `indexes` are no indexes, or there is no such parameter.

        Examples
        --------
        >>> import numpy as np, scipy.sparse, thresher
        >>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
        >>> first, second = thresher.ExactIndex.build(docs), thresher.GraphIndex.build(docs)
        >>> both = thresher.ClusteredIndex.merge([first, second], live=[None, np.array([False, True])])
        >>> both.vectors([0, 1, 2]).toarray().tolist()
        [[1.0, 0.0, 2.0], [0.0, 3.0, 0.5], [0.0, 3.0, 0.5]]
        """
        handles, masks = parts_of(indexes, live)
        own = cls._params_of_build(params, "merge")
        precision = as_choice(weights, PRECISIONS, "weights")
        core: Any = cls._core_class
        return cls(core.merge(handles, masks, own, precision, as_threads(threads), as_progress(progress)))

    @classmethod
    def _params_of_build(cls, given: Mapping[str, object], call: str) -> Any:  # noqa: ANN401 - each engine has a class
        """Return build parameters as the core takes them, or raise for one that there is not."""
        cls._require_engine(call)
        params = cls._build_params()
        for name in given:
            if not hasattr(params, name):
                raise TypeError(f"{cls.__name__}.{call} has no parameter {name!r}")
        return set_params(params, given)

    @classmethod
    def _require_engine(cls, call: str) -> None:
        """Raise NotImplementedError unless the class is an engine, which has the `call`."""
        if cls._core_class is _core.Index:
            raise NotImplementedError(
                f"{cls.__name__} has no {call}; an engine has, such as ExactIndex: see thresher.engines()"
            )

    @classmethod
    def dials(cls, n_docs: int, k: int) -> list[_core.Dial]:
        """Return what `thresher.tune` and benchmarks turn, those that are best most often first.

        Parameters
        ----------
        n_docs
            Documents of the index.
        k
            Documents to return for each query.
        """
        return _core.dials(cls._core_engine(), n_docs, k)

    @classmethod
    def estimated_parts(
        cls, statistics: _core.CollectionStatistics, *, weights: Weights = "float", **params: BuildParam
    ) -> list[_core.EstimatedPart]:
        """Return the bytes of each part of an index, as `nbytes` will name them, before it is built.

        Parameters
        ----------
        statistics
            What is known of the documents.
        weights
            What the index keeps of the weights, as `build` explains it.
        **params
            Build parameters, by name; the others are the library's defaults.
        """
        precision = as_choice(weights, PRECISIONS, "weights")
        return _core.estimated_parts(cls._core_engine(), statistics, params, precision)

    @classmethod
    def build_growth(cls) -> _core.BuildGrowth:
        """Return how much longer a document takes to build in a larger collection."""
        return _core.build_growth(cls._core_engine())

    @classmethod
    def build_variants(cls) -> list[dict[str, BuildParam]]:
        """Return the parameters of `build`, beside the defaults, that `thresher.tune` tries."""
        return _core.build_variants(cls._core_engine())

    @classmethod
    def _core_engine(cls) -> str:
        """Return the core's engine behind this class: its own name, or that of the class that it derives from."""
        known = _core.engine_names()
        for base in cls.__mro__:
            if (name := vars(base).get("engine")) in known:
                return str(name)
        raise NotImplementedError(f"{cls.__name__}: the core has no engine {getattr(cls, 'engine', None)!r}")

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

    def with_search_params(self, **params: SupportsFloat | SupportsIndex | str | None) -> Self:
        """Return the same index with other default search parameters; this one stays as it is.

        Parameters
        ----------
        **params
            Parameters of the engine's `search`, by name. Those that are left out, or None, stay as they are here.

        Returns
        -------
        Index
            Of the same class. Both use the same memory, and each can be closed without the other.

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
        same = type(self)(handle.with_search_params(self._params_with(params)) if params else handle)
        same._source = self._source  # noqa: SLF001 - of this class
        return same

    @property
    def words(self) -> Words | None:
        """What terms are called, by term, perhaps only the first of them; None if the index does not know.

        Examples
        --------
        >>> import thresher
        >>> index = thresher.ExactIndex.build([{"cat": 1.0, "dog": 2.0}, {"emu": 1.5}], names=["pets", "birds"])
        >>> index.words
        <Words: 3: 'cat', 'dog', 'emu'>
        >>> index.words.find("dog"), index.words[2]
        (1, 'emu')
        >>> index.names.take(index.search_one({"emu": 1.0}, k=1).ids)
        ['birds']
        """
        return as_words(self._live.words)

    @property
    def names(self) -> Words | None:
        """What documents are called, by id; None if the index does not know."""
        return as_words(self._live.names)

    def with_words(
        self, words: WordsLike | None = None, names: WordsLike | None = None, *, threads: SupportsIndex = 0
    ) -> Self:
        """Return the same index with other words for terms or names for documents; this one stays as it is.

        Parameters
        ----------
        words, names
            As in `build`. Those that are None stay as they are here.
        threads
            Threads to compress them with; 0 means one for each core.

        Returns
        -------
        Index
            Of the same class. Both use the same memory, and each can be closed without the other. A `Selection` is of
            one of them.

        Raises
        ------
        ValueError
            If there are more words than terms, or names of another number than documents, or two are alike.
        TypeError
            If they are not strings.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> index = thresher.ExactIndex.build(scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]]))
        >>> index.with_words(["cat", "dog", "emu"]).search_one({"dog": 1.0}, k=1).ids
        array([1])
        """
        handle, n_threads = self._live, as_threads(threads)
        return type(self)(
            handle.with_words(
                None if words is None else as_core_words(words, "words", n_threads),
                None if names is None else as_core_words(names, "names", n_threads),
            )
        )

    def select(self, documents: Documents) -> _core.Selection:
        """Prepare a set of documents once, for `allowed` and `exclude` of any number of searches.

        Parameters
        ----------
        documents
            Booleans, shape (n_docs,), or the ids of documents, shape (n,), in any order.

        Returns
        -------
        Selection
            A bit for each document, in the index's own order; of this index and those of `with_search_params`. Sets
            combine by ``&``, ``|``, ``-`` and ``~``.

        Raises
        ------
        ValueError
            If there is not a bool for each document, or an id is not a document's.
        TypeError
            If they are neither booleans nor whole numbers.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> index = thresher.ExactIndex.build(scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]]))
        >>> second = index.select([1])
        >>> second
        <Selection: 1 of 2 documents>
        >>> index.search_one({2: 1.0}, k=2, allowed=second).ids
        array([ 1, -1])
        >>> index.search_one({2: 1.0}, k=2, allowed=~second).ids
        array([ 0, -1])
        """
        return as_selection(self._live, documents, "documents")

    def search(self, queries: MatrixLike, k: SupportsIndex | None = 10, **options: Unpack[SearchOptions]) -> Hits:
        """Find the k documents with the greatest inner product with each query.

        Parameters
        ----------
        queries
            The queries, a row each, shape (n_queries, n_terms): anything that `build` takes, dicts of words where the
            index keeps words. Weights must be finite and may be negative. Where the rows are wider than the index, the
            columns beyond must be empty.
        k
            Documents to return for each query, from 1 to 2**24. None for all that there are, as an `AllHits`.
        **options
            By keyword, with the engine's parameters. Those that are None are the index's own (`search_params`): the
            library's defaults, unless others were set.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (n_queries, min(k, n_docs)), best first. Scores are
            exact. Unless `fill` is set, only documents with a positive score are returned; missing ones are -1 and
            -inf. Ties are in ascending order of ids. ``exact`` bool, shape (n_queries,): it is proven that no better
            document was left out.

        Raises
        ------
        ValueError
            If k, an option or a parameter is out of range, or the queries have terms beyond the index's or a weight
            that is not finite.
        TypeError
            If `queries` is not a sparse matrix, or there is no such option.

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
        return self._search(queries, k, options)

    def search_one(
        self,
        terms: QueryLike,
        weights: npt.ArrayLike | None = None,
        k: SupportsIndex | None = 10,
        **options: Unpack[SearchOptions],
    ) -> Hits:
        """Search for one query: the call with the least overhead.

        Parameters
        ----------
        terms
            Term ids, shape (n,), in any order; uint32 arrays are taken as they are. Or, without `weights`, a whole
            query: a dict ``{term: weight}``, or of words where the index keeps words, a scipy.sparse matrix or array
            of one row, or a torch sparse tensor.
        weights
            Their weights, shape (n,); float32 arrays are taken as they are. Weights of a repeated term are added.
        k
            Documents to return, from 1 to 2**24, or None for all; by keyword where there are no `weights`.
        **options
            By keyword, as in `search`.

        Returns
        -------
        Hits
            ``ids`` int64 and ``scores`` float32, both of shape (min(k, n_docs),), and ``exact`` bool, shape (), as
            `search` gives them; of shape (n,) where k is None.

        Raises
        ------
        ValueError
            If k or a parameter is out of range, terms and weights differ in length, a term is not in [0, n_terms), a
            weight is not finite, or the query has several rows.
        TypeError
            If `terms` is neither terms with weights nor a query, or there is no such option.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> index = thresher.ExactIndex.build(scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]]))
        >>> index.search_one([1, 2], [1.0, 1.0], k=1)
        Hits(ids=array([1]), scores=array([3.5], dtype=float32), exact=array(True))
        >>> index.search_one({1: 1.0, 2: 1.0}, k=1)
        Hits(ids=array([1]), scores=array([3.5], dtype=float32), exact=array(True))
        """
        return self._search_one(terms, weights, k, options)

    def count(
        self,
        queries: MatrixLike,
        *,
        min_score: SupportsFloat | None = None,
        allowed: Allowed | None = None,
        exclude: Allowed | None = None,
        unknown_terms: UnknownTerms = "error",
        shape: tuple[int, int] | None = None,
        threads: SupportsIndex = 0,
        progress: Progress | None = None,
    ) -> npt.NDArray[np.int64]:
        """Return how many documents match each query: those that an exact search for all of them would find.

        Exact whatever the engine and its parameters. An approximate engine looks at every document for it.

        Parameters
        ----------
        queries
            As in `search`.
        min_score, allowed, exclude, unknown_terms, shape, threads, progress
            As in `search`: documents that score at least `min_score`, or above 0, and may be returned.

        Returns
        -------
        numpy.ndarray
            int64, shape (n_queries,).

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> index = thresher.GraphIndex.build(scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]]))
        >>> index.count([{2: 1.0}, {1: 1.0}])
        array([2, 1])
        >>> index.count([{2: 1.0}], min_score=1)
        array([1])
        """
        handle = self._live
        rows = as_csr(queries, shape=shape, name="queries", words=IndexWords(handle, unknown_terms))
        given = {
            "min_score": min_score,
            "allowed": allowed,
            "exclude": exclude,
            "unknown_terms": unknown_terms,
            "threads": threads,
            "progress": progress,
        }
        return Request(handle, None, rows.shape[0], given).counts(rows)

    def explain(
        self,
        query: QueryLike,
        ids: SupportsIndex | npt.ArrayLike | Hits,
        weights: npt.ArrayLike | None = None,
    ) -> list[Explanation]:
        """Return what makes up the scores of documents: their terms that the query has, heaviest first.

        Parameters
        ----------
        query
            One query, as `search_one` takes it: in one object, or its terms and their `weights`.
        ids
            Document ids, shape (n,), a single one, or the hits of the query.
        weights
            The weights of the query's terms, if `query` are terms.

        Returns
        -------
        list of Explanation
            One for each document, in their order. Products add up to the score that a search returns.

        Raises
        ------
        ValueError
            If an id is not a document's, or the query is refused by `search_one`.

        Examples
        --------
        >>> import scipy.sparse, thresher
        >>> index = thresher.ExactIndex.build(scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]]))
        >>> query = {0: 0.5, 2: 1.0}
        >>> index.explain(query, index.search_one(query, k=1))
        [document 0, score 2.5
            term 2: 1 x 2 = 2
            term 0: 0.5 x 1 = 0.5]
        """
        return explained(self, query, ids, weights)

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
            raise ValueError(
                f"ids must have one dimension, got {wanted.ndim}" + (": put one id in a list" * (not wanted.ndim))
            )
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

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle an index that was opened from a file as its path, and one that was built as its bytes."""
        return restored, Source.of(self)

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

    @classmethod
    def _build(cls, docs: DocumentsLike, options: Mapping[str, object]) -> Self:
        """Build an index with options of `_build_options`."""
        cls._require_engine("build")
        require_known(options, cls._build_options, f"{cls.__name__}.build")
        given, shape, threads, progress = _divided(options)
        files = scratch_files(given.pop("scratch", None))
        given_words, given_names = given.pop("words", None), given.pop("names", None)
        precision = as_choice(given.pop("weights", "float"), PRECISIONS, "weights")
        params, order = cls._build_params(), None
        if hasattr(params, "reorder"):
            params.reorder, order = as_reorder(given.pop("reorder", params.reorder), "reorder")
        set_params(params, given)
        words, known = words_of_docs(docs, given_words, threads)
        names = None if given_names is None else as_core_words(given_names, "names", threads)
        core: Any = cls._core_class
        with kept_in(files):
            if is_stream(docs):
                rows = collected(docs, shape, threads, files)
            else:
                rows = as_csr(docs, shape=shape, name="docs", words=known)
            _check_words(words, names, rows.shape)
            handle = core.build(
                rows.indptr, rows.indices, rows.data, rows.shape[1], params, order, precision, threads, progress
            )
        return cls(handle if words is None and names is None else handle.with_words(words, names))

    def _search(self, queries: MatrixLike, k: SupportsIndex | None, options: Mapping[str, object]) -> Hits:
        """Search for each query with options of `_search_options`: Hits, or AllHits where k is None."""
        require_known(options, self._search_options, f"{type(self).__name__}.search")
        handle = self._live
        common = {name: options[name] for name in SearchOptions.__annotations__ if name in options}
        given = {name: value for name, value in options.items() if name not in common}
        params = self._params_with(given) if given else self._own_params
        shape: Any = common.pop("shape", None)
        words = IndexWords(handle, common.get("unknown_terms"))
        rows = as_csr(queries, shape=shape, name="queries", words=words)
        return Request(handle, k, rows.shape[0], common).search(rows, params)

    def _search_one(
        self,
        terms: Any,  # noqa: ANN401 - a QueryLike, which only run time tells apart
        weights: npt.ArrayLike | None,
        k: SupportsIndex | None,
        options: Mapping[str, object],
    ) -> Hits:
        """Search for one query with options of `_search_options`."""
        handle: Any = self._handle
        if handle is None:
            raise ValueError("the index is closed")
        params = self._own_params
        if options or k is None:
            require_known(options, self._search_options, f"{type(self).__name__}.search_one")
            if k is None or not options.keys().isdisjoint(SearchOptions.__annotations__):
                return self._search_batch_of_one(terms, weights, k, options)
            params = self._params_with(dict(options))
        if weights is None:
            terms, weights = as_query(terms, IndexWords(handle))
        if params is None:
            return Hits(*handle.search_one(as_terms(terms), as_weights(weights), as_k(k)))
        return Hits(*handle.search_one_with(as_terms(terms), as_weights(weights), as_k(k), params))

    def _search_batch_of_one(
        self,
        terms: Any,  # noqa: ANN401 - a QueryLike
        weights: npt.ArrayLike | None,
        k: SupportsIndex | None,
        options: Mapping[str, object],
    ) -> Hits:
        """Search for one query with options of batches."""
        queries = terms
        if weights is None and not (isinstance(terms, tuple) and len(terms) == 3):  # no triple, which is a batch
            terms, weights = as_query(terms, IndexWords(self._live, options.get("unknown_terms")))
        if weights is not None:
            terms, weights = as_terms(terms), as_weights(weights)
            if terms.ndim != 1:
                raise ValueError(f"terms must have one dimension, got {terms.ndim}")
            if terms.shape != weights.shape:
                raise ValueError(f"terms and weights differ in length: {terms.size} and {weights.size}")
            queries = [0, terms.size], terms, weights
            options = {"shape": (1, max(self.n_terms, 1 + int(terms.max(initial=0)))), **options}
        hits = self._search(queries, k, options)
        if len(hits.exact) != 1:
            raise ValueError(f"search_one takes one query, got {len(hits.exact)}: search takes several")
        if isinstance(hits, AllHits):
            return Hits(hits.ids, hits.scores, bool(hits.exact[0]))
        after: Any = options.get("after")
        before = None if after is None else np.asarray(getattr(after, "cursor", after)).reshape(-1)
        return Hits(hits.ids[0], hits.scores[0], bool(hits.exact[0]), before)

    def _params_with(self, given: dict[str, Any]) -> Any:  # noqa: ANN401 - each engine has a class of its own
        """Return the index's search parameters as the core takes them, but for those that are given and not None."""
        handle: Any = self._live
        return set_params(
            handle.own_search_params(), {name: value for name, value in given.items() if value is not None}
        )


def _check_words(words: _core.Words | None, names: _core.Words | None, shape: tuple[int, int]) -> None:
    """Raise what `with_words` would, before an index is built."""
    if words is not None and len(words) > shape[1]:
        raise ValueError(f"words: {len(words)} for {shape[1]} terms")
    if names is not None and len(names) != shape[0]:
        raise ValueError(f"names: {len(names)} for {shape[0]} documents")


def _divided(
    options: Mapping[str, object],
) -> tuple[dict[str, Any], tuple[int, int] | None, int, Progress | None]:
    """Return an engine's own options, and those that builds and searches of all engines take: checked, or the usual."""
    own: dict[str, Any] = dict(options)
    shape, threads = own.pop("shape", None), as_threads(own.pop("threads", 0))
    return own, shape, threads, as_progress(own.pop("progress", None))


# What all engines' documentation says, from before it is written out here.
_DOCUMENTATION = {name: inspect.getdoc(getattr(Index, name)) or "" for name in ("build", "search", "search_one")}


def _write_out_options(cls: type[Index]) -> None:
    """Write out the options of a class's own methods."""
    build = Options(BuildOptions, cls._build_options, cls._build_params)
    search = Options(SearchOptions, cls._search_options, cls._search_params)
    for name, common in _DOCUMENTATION.items():
        method = vars(cls).get(name)
        if isinstance(method, classmethod):
            write_out(method.__func__, common, build, own_defaults=False)
        elif method is not None:
            write_out(method, common, search, own_defaults=True)


_write_out_options(Index)
