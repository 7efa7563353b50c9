"""Operations on documents, checked: what `Collection.upsert`, `delete` and `update_payload` do in a transaction."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeAlias

import numpy as np

from thresher._arguments import as_flag, as_int
from thresher._kinds import kind_of
from thresher._matrix import CsrArrays, MatrixLike, as_csr
from thresher._matrix.structure import check_offsets
from thresher.collection.documents import check_ordered, payload_of
from thresher.collection.filters import parse, validate_payload
from thresher.collection.texts import Encoded, as_text, listed
from thresher.collection.transaction import Documents
from thresher.collection.weighing import Counted
from thresher.collection.words import CollectionWords, check_words

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.catalogue import Id
    from thresher.collection.filters import Where
    from thresher.collection.schema import VectorSchema
    from thresher.collection.store import Store
    from thresher.collection.transaction import Transaction

Vectors: TypeAlias = MatrixLike | Mapping[str, MatrixLike]
Texts: TypeAlias = Iterable[str | None] | Mapping[str, Iterable[str]]
Payload: TypeAlias = Mapping[str, Any]


Arguments = ParamSpec("Arguments")


def _whole(
    operation: Callable[Concatenate[Operations, Arguments], int],
) -> Callable[Concatenate[Operations, Arguments], int]:
    """Have an operation done whole or not at all, so that a batch that catches its error goes on as before it."""

    @functools.wraps(operation)
    def done(self: Operations, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> int:
        with self._transaction.operation():
            return operation(self, *args, **kwargs)

    return done


class Operations:
    """The operations of one transaction: `Collection.batch` gives it."""

    def __init__(self, store: Store, transaction: Transaction) -> None:
        """Do operations in a transaction."""
        self._store = store
        self._schema = store.schema
        self._transaction = transaction

    @_whole
    def upsert(
        self,
        ids: Sequence[Id] | npt.NDArray[Any],
        vectors: Vectors | None = None,
        payloads: Sequence[Payload | None] | None = None,
        *,
        texts: Texts | None = None,
        if_absent: bool = False,
        if_version: int | Sequence[int] | None = None,
        duplicates: Literal["last", "error"] = "last",
    ) -> int:
        """Store documents in the place of those of the same ids: see `Collection.upsert`."""
        if duplicates not in ("last", "error"):
            raise ValueError(f"duplicates must be 'last' or 'error', got {duplicates!r}")
        check_ordered(ids, "ids")
        names = self._transaction.checked_ids(ids, are_stored=True)
        if duplicates == "error":
            _refuse_twice(names)
        n = len(names)
        fields = self._transaction.view.fields
        plain = [
            validate_payload(payload, fields, one)
            for one, payload in zip(names, _each(payloads, n, "payloads"), strict=True)
        ]
        texts = listed(texts)
        by_name = self._store.encoders.of_documents(vectors, texts, n)
        documents = Documents(names, self._rows(by_name, n), plain, self._kept(texts, n))
        return self._transaction.upsert(
            documents, if_absent=as_flag(if_absent, "if_absent"), if_version=_versions(if_version, n)
        )

    @_whole
    def delete(
        self,
        ids: Sequence[Id] | npt.NDArray[Any] | None = None,
        *,
        where: Where | None = None,
        all: bool = False,  # noqa: A002 - what it is called
    ) -> int:
        """Delete documents: see `Collection.delete`."""
        if (ids is not None) + (where is not None) + as_flag(all, "all") != 1:
            raise TypeError("delete takes ids, where= or all=True: one of them")
        transaction = self._transaction
        if ids is not None:
            return transaction.delete(transaction.find(transaction.checked_ids(ids)))
        return transaction.delete(transaction.meeting(parse(where)))

    @_whole
    def update_payload(
        self,
        ids: Sequence[Id] | npt.NDArray[Any] | None,
        payload: Payload,
        *,
        where: Where | None = None,
        replace: bool = False,
    ) -> int:
        """Change payloads: see `Collection.update_payload`."""
        if (ids is not None) + (where is not None) != 1:
            raise TypeError("update_payload takes ids or where=, one of them")
        if not isinstance(payload, Mapping):
            raise TypeError(f"payload must be a dict, got {kind_of(payload)}")
        transaction = self._transaction
        states = transaction.meeting(parse(where)) if ids is None else transaction.find(transaction.checked_ids(ids))
        whole = as_flag(replace, "replace")
        fields = transaction.view.fields
        payloads = [
            validate_payload(payload if whole else _merged(payload_of(state), payload), fields, state.id)
            for state in states
        ]
        return transaction.update_payloads(states, payloads)

    def _kept(self, texts: Any, n: int) -> list[str | None]:  # noqa: ANN401 - checked here
        """Return the texts that documents are to have: of several vectors' the default one's."""
        own = texts.get(self._schema.default) if isinstance(texts, Mapping) else texts
        plain = [
            None if text is None else as_text(text, f"texts[{place}]")
            for place, text in enumerate(_each(own, n, "texts"))
        ]
        return plain if self._store.keeps_texts else [None] * n

    def _rows(self, by_name: Mapping[str, Any], n: int) -> dict[str, CsrArrays]:
        """Return a matrix for each vector of the schema, with a row for each document."""
        for name in by_name:
            self._schema.vector(name)
        return {name: self._matrix(name, vector, by_name.get(name), n) for name, vector in self._schema.vectors.items()}

    def _matrix(self, name: str, vector: VectorSchema, given: Any, n: int) -> CsrArrays:  # noqa: ANN401 - a matrix
        called = "vectors" if name == self._schema.default else f"vectors[{name!r}]"
        n_terms = vector.n_terms
        if given is None or (isinstance(given, list | tuple) and not given):
            rows = as_csr(
                ([0] * (n + 1 if given is None else 1), [], []), shape=(n if given is None else 0, n_terms or 0)
            )
        elif isinstance(given, Encoded | Counted):
            if isinstance(given, Counted):
                given = Encoded(*given.weighed(self._transaction.mean_length(name, given.lengths)))
            rows = given.numbered(lambda new: self._numbered(name, new, called))
        else:
            words = None
            if vector.words:
                words = CollectionWords(given, lambda new: self._numbered(name, new, called), called)
            rows = as_csr(given, name=called, words=words)
            check_offsets(rows.indptr, called)
        if rows.shape[0] != n:
            raise ValueError(f"{called}: {rows.shape[0]} rows for {n} ids")
        if n_terms is not None:
            _check_width(rows, n_terms, called)
            rows = rows._replace(shape=(n, n_terms))
        if not vector.signed:
            _refuse(rows, rows.data < 0, called, "not be negative, unless the collection is created with signed=True")
        _refuse(rows, ~np.isfinite(rows.data), called, "be finite float32 values")
        return rows

    def _numbered(self, vector: str, words: Sequence[str], called: str) -> dict[str, int]:
        check_words(words, called)
        return self._transaction.numbered(vector, words)


def _each(values: Any, n: int, name: str) -> Sequence[Any]:  # noqa: ANN401 - a sequence
    """Return a value for each document."""
    if values is None:
        return [None] * n
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be a list with one for each id, got {kind_of(values)}")
    given = list(values)
    if len(given) != n:
        raise ValueError(f"{name}: {len(given)} for {n} ids")
    return given


def _versions(given: Any, n: int) -> list[int] | None:  # noqa: ANN401 - a number or several
    if given is None:
        return None
    if isinstance(given, int | np.integer) and not isinstance(given, bool):
        return [int(given)] * n
    return [as_int(version, "if_version") for version in _each(given, n, "if_version")]


def _merged(payload: Mapping[str, Any], changes: Payload) -> dict[str, Any]:
    """Return a payload with some of its fields changed, those that become None without."""
    both = {**payload, **changes}
    return {key: value for key, value in both.items() if value is not None or key not in changes}


def _refuse_twice(ids: Sequence[Id]) -> None:
    seen = set()
    for place, one in enumerate(ids):
        if one in seen:
            raise ValueError(f"ids[{place}]: {one!r} comes twice")
        seen.add(one)


def _check_width(rows: CsrArrays, n_terms: int, called: str) -> None:
    outside = np.flatnonzero(rows.indices >= n_terms)
    if outside.size:
        entry = int(outside[0])
        raise ValueError(
            f"{called}: row {_row_of(rows, entry)} has term {rows.indices[entry]}, "
            f"and the collection has n_terms={n_terms}"
        )


def _refuse(rows: CsrArrays, wrong: npt.NDArray[np.bool_], called: str, must: str) -> None:
    """Raise ValueError if any entry is wrong, naming the first and what weights must."""
    if wrong.any():
        entry = int(wrong.argmax())
        raise ValueError(
            f"{called}: row {_row_of(rows, entry)} has weight {rows.data[entry]} for term {rows.indices[entry]}; "
            f"weights must {must}"
        )


def _row_of(rows: CsrArrays, entry: int) -> int:
    return int(np.searchsorted(rows.indptr, entry, side="right")) - 1
