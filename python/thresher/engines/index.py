"""The contract of every engine: what can be asked of an index. The rooms beside this one do it.

An engine states its parameters, and in `build`, `search` and `search_one` the types of its options; the work is done
in `building`, `merging`, `searching`, `naming` and `vectors`. What is new for all engines is added there and in
`thresher.engines.options`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsFloat, SupportsIndex, TypeAlias, Unpack

from thresher import _core
from thresher._arguments import as_choice, as_progress, as_threads
from thresher._explanation import Explanation, explained
from thresher._pickling import Source, restored
from thresher._selections import Allowed, Documents, as_selection
from thresher._words import Words, WordsLike, as_words
from thresher.engines import building, naming, searching, vectors, writing_out
from thresher.engines.handle import Handle
from thresher.engines.merging import parts_of
from thresher.engines.options import (
    PRECISIONS,
    BuildOptions,
    Progress,
    SearchOptions,
    UnknownTerms,
    Weights,
    require_known,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import scipy.sparse as sp

    from thresher._hits import Hits
    from thresher._matrix import MatrixLike, QueryLike
    from thresher._streams import DocumentsLike

__all__ = ["BuildOptions", "Index", "Progress", "SearchOptions"]
BuildParam: TypeAlias = bool | int | float | str


class Index(Handle):
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

    __slots__ = ()

    def __init__(self, handle: _core.Index | None = None, *args: object, **kwargs: object) -> None:
        """Wrap a core index; callers use `build` or `thresher.open`."""
        if args or kwargs or not isinstance(handle, self._core_class):
            engine = type(self).__name__ if type(self) is not Index else "ExactIndex"
            raise TypeError(f"an index is made by build, as {engine}.build(docs), or by thresher.open(path)")
        super().__init__(handle)

    def __init_subclass__(cls) -> None:
        """Write out the options of an engine's methods, in their signatures and documentation."""
        super().__init_subclass__()
        cls._write_out_options()

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
        return building.params_of_build(cls._build_params(), given, f"{cls.__name__}.{call}")

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
        same = type(self)(searching.with_params(self, params))
        same._source = self._source
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
        return type(self)(naming.renamed(self._live, words, names, as_threads(threads)))

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
        given = {
            "min_score": min_score,
            "allowed": allowed,
            "exclude": exclude,
            "unknown_terms": unknown_terms,
            "shape": shape,
            "threads": threads,
            "progress": progress,
        }
        return searching.count(self, queries, given)

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
        return vectors.vectors(self._live, ids)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle an index that was opened from a file as its path, and one that was built as its bytes."""
        return restored, Source.of(self)

    @classmethod
    def _build(cls, docs: DocumentsLike, options: Mapping[str, object]) -> Self:
        """Build an index with options of `_build_options`."""
        cls._require_engine("build")
        require_known(options, cls._build_options, f"{cls.__name__}.build")
        return cls(building.build(cls._core_class, cls._build_params(), docs, options))

    # What engines' methods do, with options of `_search_options`.
    _search = searching.search
    _search_one = searching.search_one

    @classmethod
    def _write_out_options(cls) -> None:
        """Write out the options of the class's own methods."""
        build = writing_out.Options(BuildOptions, cls._build_options, cls._build_params)
        search = writing_out.Options(SearchOptions, cls._search_options, cls._search_params)
        writing_out.write_out_methods(cls, _DOCUMENTATION, build, search)


# What all engines' documentation says, from before it is written out here.
_DOCUMENTATION = writing_out.documentation_of(Index)
Index._write_out_options()
