"""Searches of one version of a collection: their doors, with all that a search can be told."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher._arguments import as_progress, as_terms, as_weights
from thresher._explanation import Explanation
from thresher._matrix import CsrArrays, as_csr
from thresher.collection.asking import Asked, Asking
from thresher.collection.documents import as_ids
from thresher.collection.explaining import explained
from thresher.collection.hits import CollectionHits
from thresher.collection.texts import as_text, texts_among
from thresher.collection.words import CollectionWords

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import MatrixLike, QueryLike
    from thresher.collection.boosting import Boost
    from thresher.collection.catalogue import Id, State
    from thresher.collection.diversity import Diversity
    from thresher.collection.filters import Where
    from thresher.collection.store import Store
    from thresher.collection.view import View
    from thresher.engines.options import Progress


class Searchable(abc.ABC):
    """Documents that can be searched."""

    _store: Store

    @abc.abstractmethod
    def _view(self) -> View:
        """Return the version that is asked."""

    def search(
        self,
        queries: MatrixLike | str | Sequence[str],
        k: int | None = 10,
        *,
        vector: str | None = None,
        shape: tuple[int, int] | None = None,
        where: Where | Sequence[Where | None] | None = None,
        must: Sequence[Any] | AbstractSet[Any] | npt.NDArray[Any] | str | int | None = None,
        include: Sequence[str] | bool = False,
        exclude: Sequence[Any] | npt.NDArray[Any] | None = None,
        min_score: float | None = None,
        fill: bool = False,
        after: CollectionHits | Sequence[Any] | None = None,
        exact: bool = False,
        deadline_us: float | None = None,
        group_by: str | None = None,
        per_group: int | None = None,
        boost: Boost | Sequence[Boost] | None = None,
        diversity: Diversity | float | None = None,
        threads: int = 0,
        progress: Progress | None = None,
        **dials: Any,  # noqa: ANN401 - the engines'
    ) -> CollectionHits:
        """Find the k documents with the greatest inner product with each query.

        Parameters
        ----------
        queries
            A row each, in any form that `thresher.Index.search` takes. Where the collection's terms are words, a list
            of dicts ``{word: weight}``. Terms and words that the collection has never seen count nothing. Where it has
            an encoder, texts: a list of strings, or a single one.
        k
            Hits of each query, from 1 to 2**24. None is all that match: hits are ragged then.
        vector
            The name of the vector that queries are compared with; None for the first.
        shape
            (n_queries, n_terms), needed for an ``(indptr, indices, data)`` triple.
        where
            A filter, such as ``{"year": {"$gte": 2020}}``: only documents that meet it are hits. Or a list with one
            for each query, None for no filter.
        must
            Terms, or words, that a document must have to be a hit; all of them. Or a list of such for each query.
        include
            Payloads to read at once: True for all of them, or the fields that `CollectionHits.payloads` is to have.
            Without it they are read when they are asked for.
        exclude
            Ids of documents that may not be hits, or a list of ids for each query. Those that are not there count
            nothing.
        min_score
            Only documents whose inner product is at least this, in float32. None is all above 0. One of 0 or less goes
            with `fill`. Boosts do not count.
        fill
            Whether documents with an inner product of zero and below match as well: rows go on with them, best first.
        after
            The hits of the page before, or their `cursor`: to go on behind them. No document comes twice.
        exact
            Whether hits must be exact: where an engine can't prove that a query's are, every document is looked at.
        deadline_us
            Microseconds that a query may take, for engines that know deadlines (impact); divided over the segments,
            each of which has what those before it left. None and 0 are no limit. Searches that go deeper, as for
            groups, end there as well, and are not exact then.
        group_by
            A field of the payload, declared or not: the best k groups of documents that have its value in common, by
            their best hits, the members of a group together. A document without the field is a group of its own.
            `CollectionHits.groups` has the values. A next page (`after`) has other groups.
        per_group
            Members of each group at most, 1 where it is not given; hits have k times as many columns.
        boost
            What is added to the inner product of each document that matches, by its fields: `Boost.field`,
            `Boost.recency`, or a list of these. Hits are the best by the sum, added in double, in float32.
        diversity
            Makes hits unlike each other (maximal marginal relevance): a `Diversity`, or its trade-off, from 0 to 1.
            Hits are in the order in which they are taken, so that scores need not fall. `CollectionHits.exact` is
            about the candidates.
        threads
            Threads to use; 0 means one for each core. Without a deadline, the result does not depend on it.
        progress
            Called on this thread now and then as ``progress(done, n_queries)``; what it raises ends the search.
        **dials
            Search parameters of the collection's engines, as ``cluster_budget=100``: they apply to those segments that
            know them. Budgets are for the whole collection, and divided over the segments.

        Returns
        -------
        CollectionHits
            Arrays of shape (n_queries, k), padded where there are fewer hits.

        Raises
        ------
        TypeError
            For an option that there is not, which lists those that there are, or one of a wrong type.
        ValueError
            If an option is out of range, or does not go with another; it names the option, the row and the value.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("library", fields={"year": "int"}) as library:
        ...     years = [{"year": year} for year in (1999, 2020, 2021)]
        ...     _ = library.upsert(["a", "b", "c"], [{0: 1.0}, {0: 2.0}, {1: 1.0}], years)
        ...     print(library.search([{0: 1.0}, {1: 1.0}], k=2).to_dicts(payloads=False))
        ...     print(library.search([{0: 1.0}], k=1, where={"year": {"$lt": 2000}}).ids)
        [[{'id': 'b', 'score': 2.0}, {'id': 'a', 'score': 1.0}], [{'id': 'c', 'score': 1.0}]]
        [['a']]
        """
        asking = self._asking(vector)
        rows = rows_of(queries, asking, shape)
        given = {
            "where": where, "must": must, "include": include, "exclude": exclude, "min_score": min_score, "fill": fill,
            "after": after, "exact": exact, "deadline_us": deadline_us, "group_by": group_by, "per_group": per_group,
            "boost": boost, "diversity": diversity, "threads": threads, "progress": progress, **dials,
        }  # fmt: skip
        return asking.hits(rows, k, given)

    def search_one(
        self,
        query: QueryLike | Mapping[str, float] | Sequence[str] | str,
        weights: npt.ArrayLike | None = None,
        k: int | None = 10,
        *,
        vector: str | None = None,
        **options: Any,  # noqa: ANN401 - those of search
    ) -> CollectionHits:
        """Search for one query.

        Parameters
        ----------
        query
            One query: a dict ``{term: weight}``, a row, or its terms, or words, with their `weights`; or a text.
        weights
            The weights of the query's terms, if `query` are terms.
        k, vector
            As in `search`.
        **options
            Those of `search`; what may be of each query there is of the one.

        Returns
        -------
        CollectionHits
            Arrays of shape (k,), padded where there are fewer hits; as long as there are hits for ``k=None``.

        Raises
        ------
        TypeError, ValueError
            As `search` does, and if these are several queries.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("words", words=True) as collection:
        ...     _ = collection.upsert([1, 2], [{"dog": 1.0, "cat": 0.5}, {"cat": 2.0}])
        ...     print(collection.search_one({"cat": 1.0, "yak": 3.0}, k=2).to_dicts(payloads=False))
        ...     print(collection.search_one(["dog", "cat"], [1.0, 1.0], k=1).ids)
        [{'id': 2, 'score': 2.0}, {'id': 1, 'score': 0.5}]
        [2]
        """
        shape = options.pop("shape", None)
        if shape is not None:
            raise TypeError("search_one takes no shape: a query's terms and weights have none")
        asking = self._asking(vector)
        return asking.hits(row_of(query, weights, asking).rows, k, options, "search_one").only()

    def explain(
        self,
        query: QueryLike | Mapping[str, float] | Sequence[str] | str,
        ids: Sequence[Id] | npt.NDArray[Any] | CollectionHits | Id,
        weights: npt.ArrayLike | None = None,
        *,
        vector: str | None = None,
    ) -> list[Explanation]:
        """Return what makes up the inner products of documents: their terms that the query has, heaviest first.

        Parameters
        ----------
        query
            One query, as `search_one` takes it: in one object, or its terms and their `weights`.
        ids
            Ids of documents, a single one, or the hits of the query.
        weights
            The weights of the query's terms, if `query` are terms.
        vector
            As in `search`.

        Returns
        -------
        list of thresher.Explanation
            One for each document, in their order. Products add up to the score that a search without boosts returns.

        Raises
        ------
        KeyError
            Naming an id that is not there.
        ValueError
            If `ids` are hits of several queries, or the query is refused by `search_one`.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("pets", words=True) as pets:
        ...     _ = pets.upsert(["a"], [{"dog": 1.0, "cat": 0.5}])
        ...     pets.explain({"dog": 2.0, "cat": 1.0}, "a")
        [document a, score 2.5
            dog: 2 x 1 = 2
            cat: 1 x 0.5 = 0.5]
        """
        asking = self._asking(vector)
        asked = row_of(query, weights, asking)
        wanted, there = self._documents_of(ids, asking.view)
        return self._explained(asking, asked, wanted, there)

    def _documents_of(self, ids: Any, view: View) -> tuple[list[Id], dict[Id, State]]:  # noqa: ANN401 - ids, or hits
        """Return the ids that a caller names, and the documents; KeyError for one that is not there."""
        if isinstance(ids, CollectionHits):
            if not ids.is_single:
                raise ValueError("ids: the hits are of several queries, and one is explained at a time")
            ids = [one for one in ids.ids.tolist() if one is not None]
        single = isinstance(ids, str | int | np.integer)
        wanted, _ = as_ids([ids] if single else ids, None)
        there = self._store.named(list(dict.fromkeys(wanted)), view)
        for one in wanted:
            if one not in there:
                raise KeyError(f"there is no document {one!r}")
        return wanted, there

    @staticmethod
    def _explained(asking: Asking, asked: Asked, wanted: Sequence[Id], there: Mapping[Id, State]) -> list[Explanation]:
        seqs = np.array([there[one].seq for one in wanted], np.int64)
        return explained(asking.view, asking.vector, asked.rows, ids=wanted, seqs=seqs, words=asked.words())

    # ---------------------------------------------------------------------------------------------------- asyncio

    async def asearch(
        self,
        queries: MatrixLike | str | Sequence[str],
        k: int | None = 10,
        **options: Any,  # noqa: ANN401 - those of search
    ) -> CollectionHits:
        """Search in another thread, so that the event loop goes on; cancelled, the search ends soon.

        Parameters
        ----------
        queries, k, **options
            As in `search`. `progress` is called in the other thread.

        Returns
        -------
        CollectionHits
            As `search`.

        Examples
        --------
        >>> import asyncio
        >>> from thresher.collection import Collection
        >>> async def main():
        ...     with Collection.create("async") as collection:
        ...         await collection.aupsert(["a"], [{0: 1.0}])
        ...         return await collection.asearch([{0: 1.0}], k=1)
        >>> asyncio.run(main()).ids
        array([['a']], dtype=object)
        """
        return await self._apart(self.search, queries, k, **options)

    async def asearch_one(
        self,
        query: QueryLike | Mapping[str, float] | Sequence[str] | str,
        weights: npt.ArrayLike | None = None,
        k: int | None = 10,
        **options: Any,  # noqa: ANN401 - those of search
    ) -> CollectionHits:
        """Search for one query in another thread: `search_one`, as `asearch` is `search`.

        Parameters
        ----------
        query, weights, k, **options
            As in `search_one`. `progress` is called in the other thread.

        Returns
        -------
        CollectionHits
            As `search_one`.
        """
        return await self._apart(self.search_one, query, weights, k, **options)

    async def _apart(self, search: Callable[..., CollectionHits], *arguments: Any, **options: Any) -> CollectionHits:  # noqa: ANN401
        from thresher.collection.asynchronous import searched  # noqa: PLC0415 - asyncio is not for everyone

        progress = as_progress(options.pop("progress", None))
        return await searched(search, *arguments, progress=progress, **options)

    # ------------------------------------------------------------------------------------------------------- parts

    def _asking(self, vector: str | None) -> Asking:
        """Return where a search takes place now."""
        view, store = self._view(), self._store
        name = store.schema.vector(vector)

        def find(words: Sequence[str]) -> Mapping[str, int]:
            return store.terms_of(name, words)

        has_words = store.schema.vectors[name].words
        return Asking(store, view, name, find if has_words else None, view.ids)


def rows_of(
    queries: MatrixLike | str | Sequence[str], asking: Asking, shape: tuple[int, int] | None = None
) -> CsrArrays:
    """Return queries as rows; words that the collection has never seen are left out."""
    texts = texts_among(queries)
    if texts is not None:
        if shape is not None:
            raise TypeError("shape goes with vectors: texts have none")
        return asking.of_texts(texts).rows
    plain: Any = queries
    if isinstance(plain, list | tuple) and not plain and asking.store.encoders.has(asking.vector):  # no texts
        return as_csr(([0], [], []), shape=(0, 0), name="queries")
    words = None if asking.find is None else CollectionWords(plain, asking.find, "queries")
    return as_csr(plain, shape=shape, name="queries", words=words)


def row_of(query: Any, weights: npt.ArrayLike | None, asking: Asking) -> Asked:  # noqa: ANN401 - in many forms
    """Return one query as a row, in one object or as terms and weights; or of a text."""
    if isinstance(query, str | bytes) and weights is None:
        return asking.of_texts([as_text(query, "query")])
    find = asking.find
    if find is not None:
        one = query if weights is None else _dict_of(query, as_weights(weights))
        row = rows_of([one], asking, None)
        return Asked(row, lambda: {term: word for word, term in find(list(one)).items()})
    if weights is None:
        return Asked(as_csr([query], name="query"))
    terms, plain = as_terms(query), as_weights(weights)
    if terms.ndim != 1:
        raise ValueError(f"terms must have one dimension, got {terms.ndim}")
    if terms.shape != plain.shape:
        raise ValueError(f"terms and weights differ in length: {terms.size} and {plain.size}")
    row = as_csr(([0, terms.size], terms, plain), shape=(1, 1 + int(terms.max(initial=0))), name="queries")
    return Asked(row)


def _dict_of(words: Any, weights: npt.NDArray[np.float32]) -> dict[str, float]:  # noqa: ANN401 - a sequence
    if isinstance(words, str) or not hasattr(words, "__len__"):
        raise TypeError("search_one takes words with their weights, as search_one(['dog'], [1.0])")
    if weights.shape != (len(words),):
        raise ValueError(f"words and weights differ in length: {len(words)} and {weights.size}")
    sums: dict[str, float] = {}
    for word, weight in zip(words, weights, strict=True):
        sums[word] = float(np.float32(sums.get(word, 0.0)) + weight)
    return sums
