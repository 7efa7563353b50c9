"""What can be read of one version of a collection: of a snapshot, or of the collection as it is now."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from thresher._arguments import as_int, as_k, as_threads
from thresher._core import FormatError
from thresher.collection.documents import Document, as_id, as_ids, payload_of, state_of
from thresher.collection.files import CATALOGUE
from thresher.collection.filters import bits, facet, parse
from thresher.collection.searchable import rows_of
from thresher.collection.selecting import matching
from thresher.collection.showing import Shown
from thresher.collection.tuning import recall_of

if TYPE_CHECKING:
    from types import TracebackType

    import numpy.typing as npt
    import scipy.sparse as sp

    from thresher._matrix import MatrixLike
    from thresher.collection.catalogue import Id, State
    from thresher.collection.filters import Where
    from thresher.collection.view import View

_AT_ONCE = 1024  # documents that a scan reads at a time
_RECALL = ("queries", "k", "sample", "where", "vector", "threads", "seed")  # what `recall` takes, beside dials


class Readable(Shown):
    """Documents that can be counted, read and searched, until they are closed."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of what is held; idempotent."""

    def __enter__(self) -> Self:
        """Return the same, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    # ---------------------------------------------------------------------------------------------- documents

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._view())

    def __bool__(self) -> bool:
        """Return True: a collection without documents is one all the same."""
        return True

    def __contains__(self, id: object) -> bool:  # noqa: A002 - what it is called
        """Return whether there is a document of this id."""
        try:
            one = as_id(id, "id")
        except (TypeError, ValueError):
            return False
        return bool(self._store.named([one], self._view()))

    def get(
        self, ids: Sequence[Id] | npt.NDArray[Any], *, missing: Literal["error", "skip"] = "error"
    ) -> list[Document]:
        """Return documents, with payloads and vectors.

        Parameters
        ----------
        ids
            The documents' ids; one may come twice.
        missing
            Whether an id that is not there is an ``"error"``, or left out: ``"skip"``.

        Returns
        -------
        list of Document
            In the order of `ids`.

        Raises
        ------
        KeyError
            Naming an id that is not there.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("read") as read:
        ...     _ = read.upsert(["a"], [{2: 1.5}], [{"title": "one"}])
        ...     document = read.get(["a", "b"], missing="skip")[0]
        ...     print(document.id, document.payload, document.vector.toarray())
        a {'title': 'one'} [[0.  0.  1.5]]
        """
        if missing not in ("error", "skip"):
            raise ValueError(f"missing must be 'error' or 'skip', got {missing!r}")
        view = self._view()
        wanted, _ = as_ids(ids, None)
        found = self._store.named(list(dict.fromkeys(wanted)), view)
        absent = [one for one in wanted if one not in found]
        if absent and missing == "error":
            raise KeyError(f"there is no document {absent[0]!r}")
        documents = dict(zip(found, self._documents(list(found.values()), view), strict=True))
        return [documents[one] for one in wanted if one in documents]

    async def aget(
        self, ids: Sequence[Id] | npt.NDArray[Any], *, missing: Literal["error", "skip"] = "error"
    ) -> list[Document]:
        """Return documents as `get` does, from another thread, so that the event loop goes on.

        Parameters
        ----------
        ids, missing
            As in `get`.

        Returns
        -------
        list of Document
            In the order of `ids`.

        Raises
        ------
        KeyError
            Naming an id that is not there.
        """
        from thresher.collection.asynchronous import waited  # noqa: PLC0415 - asyncio is not for everyone

        return await waited(self.get, ids, missing=missing)

    def scan(
        self,
        where: Where | None = None,
        *,
        order_by: str | None = None,
        descending: bool = False,
        include: Sequence[Literal["payload", "vectors", "text"]] = ("payload", "text"),
    ) -> Iterator[Document]:
        """Go through the documents that meet a filter, as they are now, whatever is written meanwhile.

        Parameters
        ----------
        where
            A filter; None for all.
        order_by
            A declared field of numbers or moments to order by, those without it last; None for the order of upserts.
        descending
            Whether the greatest comes first.
        include
            What documents are to have beside their ids.

        Yields
        ------
        Document
            One by one, read some at a time.

        Raises
        ------
        ValueError
            If the filter is none, `order_by` is no declared field of numbers, or `include` names something else.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("sorted", fields={"year": "int"}) as some:
        ...     _ = some.upsert([1, 2, 3], [{0: 1.0}] * 3, [{"year": 2000}, {}, {"year": 1990}])
        ...     print([document.id for document in some.scan(order_by="year")])
        [3, 1, 2]
        """
        unknown = set(include) - {"payload", "vectors", "text"}
        if unknown:
            raise ValueError(f"include: {min(unknown)!r} is none of 'payload', 'vectors', 'text'")
        view = self._view()
        chosen = list(matching(view, parse(where), self._store))
        seqs = np.concatenate(
            [
                np.zeros(0, np.int64),
                *(
                    part.segment.seqs[bits.positions(some, len(part.segment))]
                    for part, some in zip(view.parts, chosen, strict=True)
                ),
            ]
        )
        if order_by is not None:
            seqs = seqs[self._order(view, seqs, order_by, descending=descending)]
        elif descending:
            seqs = seqs[::-1]
        return self._scanned(view, seqs, frozenset(include))

    def _order(self, view: View, seqs: npt.NDArray[np.int64], field: str, *, descending: bool) -> npt.NDArray[np.int64]:
        """Return how documents are ordered by a field, those without it last, equal ones by their upserts."""
        if field not in view.fields:
            raise ValueError(f"order_by: {field!r} is not a declared field")
        keys: npt.NDArray[Any] = np.zeros(len(seqs), np.int64)
        has = np.zeros(len(seqs), np.bool_)
        for located in view.locate(seqs):
            values, there = view.parts[located.part].numeric(field)
            keys = keys.astype(values.dtype, copy=False)
            keys[located.which], has[located.which] = values[located.places], there[located.places]
        if descending:
            keys = -keys if keys.dtype.kind == "f" else ~keys
        order: npt.NDArray[np.int64] = np.lexsort((keys, ~has))
        return order

    def _scanned(self, view: View, seqs: npt.NDArray[np.int64], include: frozenset[str]) -> Iterator[Document]:
        for begin in range(0, len(seqs), _AT_ONCE):
            some = seqs[begin : begin + _AT_ONCE]
            states = self._store.states(some, view)
            yield from self._documents([state_of(states, seq) for seq in some.tolist()], view, include)

    def count(self, where: Where | None = None) -> int:
        """Return how many documents meet a filter.

        Parameters
        ----------
        where
            A filter; None for all documents.

        Raises
        ------
        ValueError
            If the filter is none, naming the place in it.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("counted", fields={"lang": "keyword"}) as counted:
        ...     _ = counted.upsert([1, 2, 3], [{0: 1.0}] * 3, [{"lang": "en"}, {"lang": "de"}, {"lang": "en"}])
        ...     print(counted.count(), counted.count({"lang": "en"}), counted.count_by("lang"))
        3 2 {'en': 2, 'de': 1}
        """
        view = self._view()
        if where is None:
            return len(view)
        return sum(bits.count(some) for some in matching(view, parse(where), self._store))

    def count_by(self, field: str, where: Where | None = None, *, limit: int | None = None) -> dict[Any, int]:
        """Return how many documents have each value of a declared field: facets.

        Parameters
        ----------
        field
            A declared field. A document counts once for each value of a list; those without a value count nowhere.
        where
            A filter: the documents to count.
        limit
            Values to return at most, the most frequent; None for all.

        Returns
        -------
        dict
            The most frequent first, equal ones by value. Moments are int64 microseconds since 1970 in UTC.
        """
        view = self._view()
        if field not in view.fields:
            raise ValueError(f"{field!r} is not a declared field; there are: {', '.join(view.fields) or 'none'}")
        counts: dict[Any, int] = {}
        for part, some in zip(view.parts, matching(view, parse(where), self._store), strict=True):
            for columns, documents in part.columns_of(some):
                for value, n in facet(columns, field, documents).items():
                    counts[value] = counts.get(value, 0) + n
        ordered = sorted(sorted(counts), key=lambda value: -counts[value])
        return {value: counts[value] for value in ordered[:limit]}

    # -------------------------------------------------------------------------------------------------- recall

    def recall(
        self,
        queries: MatrixLike | str | Sequence[str] | None = None,
        *,
        k: int = 10,
        sample: int = 200,
        where: Where | None = None,
        vector: str | None = None,
        threads: int = 0,
        seed: int = 0,
        **dials: Any,  # noqa: ANN401 - the engines'
    ) -> float:
        """Measure how much of the best k searches find, as they are now, against exact search.

        Parameters
        ----------
        queries
            Queries as for `search`; None makes some of documents, as `thresher.tune` does: the document itself does
            not count.
        k
            Documents to find for each query.
        sample
            How many queries to make.
        where
            A filter over the documents to find.
        vector
            The vector to compare; None for the default one.
        threads
            Threads to search with; 0 means one for each core.
        seed
            Of what is drawn at random.
        **dials
            Search parameters, as for `search`.

        Returns
        -------
        float
            From 0 to 1, ties counting as right; nan if no query finds a document.

        Raises
        ------
        ValueError, TypeError
            If an argument is out of range or of a wrong type.
        """
        asking = self._asking(vector)
        wanted = as_int(sample, "sample")
        if wanted < 1:
            raise ValueError(f"sample must be at least 1, got {wanted}")
        return recall_of(
            asking.view,
            list(matching(asking.view, parse(where), self._store)),
            asking.vector,
            None if queries is None else rows_of(queries, asking),
            k=as_k(k),
            sample=wanted,
            threads=as_threads(threads),
            seed=as_int(seed, "seed"),
            dials=asking.dials(dials, "recall", _RECALL),
        )

    # --------------------------------------------------------------------------------------------------- parts

    def _documents(
        self, states: Sequence[State], view: View, include: frozenset[str] = frozenset(("payload", "vectors", "text"))
    ) -> list[Document]:
        vectors: list[dict[str, sp.csr_array]] = [{} for _ in states]
        if "vectors" in include:
            for located in view.locate([state.seq for state in states]):
                for name, index in view.parts[located.part].segment.indexes.items():
                    rows = index.vectors(located.places)
                    for row, place in enumerate(located.which.tolist()):
                        vectors[place][name] = rows[[row]]
            for state, found in zip(states, vectors, strict=True):
                if not found:
                    raise FormatError(f"{CATALOGUE}: document {state.id!r}, upsert {state.seq}, is in no segment")
        return [
            Document(
                state.id,
                payload_of(state) if "payload" in include else {},
                found,
                state.text if "text" in include else None,
                state.born,
            )
            for state, found in zip(states, vectors, strict=True)
        ]
