"""Texts on their way into a collection, and to its searches: each vector's encoder, and what it makes of them.

Texts are encoded before a transaction begins, some at a time. Words of a vocabulary that grows are numbered within it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher import encoders
from thresher._kinds import kind_of
from thresher._matrix import CsrArrays, as_csr
from thresher.collection.batches import joined
from thresher.collection.documents import check_ordered
from thresher.collection.schema import check_encoder
from thresher.collection.weighing import counted, is_counting

if TYPE_CHECKING:
    import scipy.sparse as sp

    from thresher.collection.catalogue import Id
    from thresher.collection.schema import Schema
    from thresher.encoders import Encoder
    from thresher.engines.options import Progress

_AT_ONCE = 4096  # texts that are encoded at a time


class Encoded(NamedTuple):
    """The vectors of texts, before the collection has numbered their words."""

    rows: CsrArrays
    words: list[str] | None
    """What its columns are called, where the vocabulary grows; None where they are terms already."""

    def numbered(self, number: Callable[[Sequence[str]], Mapping[str, int]]) -> CsrArrays:
        """Return the rows in the collection's terms; words that `number` leaves out count nothing."""
        if self.words is None:
            return self.rows
        known = number(self.words)
        terms = np.array([known.get(word, -1) for word in self.words], np.int64)
        return with_terms(self.rows, terms)


class Encoders:
    """The encoders of a collection's vectors: given, or made of what the schema keeps when they are needed.

    Any number of threads may ask for them.
    """

    def __init__(self, schema: Schema) -> None:
        """Begin with none; `give` brings those that there are."""
        self._schema = schema
        self._made: dict[str, Encoder] = {}
        self._lock = threading.Lock()

    def give(self, given: Encoder | Mapping[str, Encoder]) -> None:
        """Take encoders: one for all vectors that have one, or by vector.

        Raises
        ------
        TypeError, ValueError
            If one is no encoder, its vector has none, or its fingerprint is another.
        """
        by_name: Any = given
        if not isinstance(given, Mapping):
            check_encoder(given, "encoder")
            by_name = {name: given for name, vector in self._schema.vectors.items() if vector.encoder is not None}
            if not by_name:
                raise ValueError("encoder: the collection was created without one, and its vectors are given")
        for name, encoder in by_name.items():
            check_encoder(encoder, f"encoder[{name!r}]")
            self._check(self._schema.vector(name), encoder, "the encoder that was given")
            self._made[name] = encoder

    def has(self, vector: str) -> bool:
        """Tell whether a vector is made of texts."""
        return self._schema.vectors[vector].encoder is not None

    def of(self, vector: str) -> Encoder:
        """Return a vector's encoder.

        Raises
        ------
        ValueError
            If it has none, it must be given, or what is made of the collection's `config` is another by now.
        """
        with self._lock:
            if vector not in self._made:
                self._made[vector] = self._from_config(vector)
            return self._made[vector]

    def made(self, vector: str) -> Encoder | None:
        """Return a vector's encoder, if it can be had."""
        try:
            return self.of(vector) if self.has(vector) else None
        except (ImportError, ValueError):
            return None

    def _from_config(self, vector: str) -> Encoder:
        kept = self._schema.vectors[vector].encoder
        if kept is None:
            raise ValueError(
                f"texts need an encoder, and vector {vector!r} has none: Collection.create(..., encoder=) gives it "
                "one; or pass vectors"
            )
        if kept.config is None:
            raise ValueError(
                f"vector {vector!r}: its encoder, {kept.fingerprint!r}, can't be made of a config: "
                "Collection.open(path, encoder=) takes it"
            )
        made = encoders.from_config(kept.config)
        self._check(vector, made, "the encoder that its config makes")
        return made

    def _check(self, vector: str, encoder: Encoder, which: str) -> None:
        kept = self._schema.vectors[vector].encoder
        if kept is None:
            raise ValueError(f"encoder: vector {vector!r} was created without one")
        if encoder.fingerprint != kept.fingerprint:
            raise ValueError(
                f"vector {vector!r} is of the encoder {kept.fingerprint!r}, and {which} is {encoder.fingerprint!r}: "
                "their vectors can't be compared"
            )

    def begin_in_child(self) -> None:
        """Begin anew in a forked process, where no thread holds the lock."""
        self._lock = threading.Lock()

    # --------------------------------------------------------------------------------------------------- documents

    def of_documents(
        self,
        vectors: Any,  # noqa: ANN401 - as `upsert` has them
        texts: Any,  # noqa: ANN401
        n: int,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Return the vectors of documents by name: those that were given, and of texts those that were not.

        Parameters
        ----------
        vectors
            As `Collection.upsert` takes them; or None.
        texts
            Texts for all vectors, or by vector.
        n
            Documents that there are.
        progress
            Called now and then with texts that are encoded, and how many there are.

        Raises
        ------
        TypeError, ValueError
            Naming the text; or if there are neither texts nor vectors.
        """
        by_name = _by_name(vectors, self._schema.default)
        given = set(by_name)
        by_text: Mapping[str, Any] = texts if isinstance(texts, Mapping) else {}
        for name in by_text:
            self._schema.vector(name)
        wanted = {
            name: by_text.get(name) if by_text else texts
            for name in self._schema.vectors
            if name not in given and (name in by_text if by_text else texts is not None and self.has(name))
        }
        if vectors is None and not wanted:
            if texts is None:
                raise TypeError("upsert takes vectors, or texts that it makes them of, or both")
            self.of(self._schema.default)  # there is none, and that is told
        for done, (name, some) in enumerate(wanted.items()):
            called = f"texts[{name!r}]" if by_text else "texts"
            checked = as_texts(some, called, n)
            encoder, report = self.of(name), _shared(progress, done, len(wanted))
            if is_counting(encoder):
                by_name[name] = counted(encoder, checked, report)
            else:
                by_name[name] = encoded(encoder, checked, called, report)
        return by_name


def encoded(encoder: Encoder, texts: Sequence[str], called: str, progress: Progress | None = None) -> Encoded:
    """Return the vectors of documents, made some at a time; so the encoder's memory is bounded."""
    parts: list[CsrArrays] = []
    for begin in range(0, max(len(texts), 1), _AT_ONCE):
        some = texts[begin : begin + _AT_ONCE]
        report = None if progress is None else _from(progress, begin, len(texts))
        parts.append(_checked(encoder.encode_documents(some, progress=report), len(some), called))
    return named(encoder, joined(parts), called)


def encoded_queries(encoder: Encoder, texts: Sequence[str]) -> Encoded:
    """Return the vectors of queries."""
    return named(encoder, _checked(encoder.encode_queries(texts), len(texts), "queries"), "queries")


def named(encoder: Encoder, rows: CsrArrays, called: str) -> Encoded:
    """Return rows with the words of their columns, where these are what counts: a column for each word."""
    if encoder.n_terms is not None:
        return Encoded(rows, None)
    columns, places = np.unique(rows.indices, return_inverse=True)
    words = words_of(encoder, columns, called)
    return Encoded(rows._replace(indices=places.astype(np.uint32), shape=(rows.shape[0], len(words))), words)


def words_of(encoder: Encoder, columns: Any, called: str) -> list[str]:  # noqa: ANN401 - an array
    """Return what columns are called, or raise TypeError if the encoder does not say it."""
    words = list(encoder.terms(columns)) if len(columns) else []
    if len(words) != len(columns) or not all(isinstance(word, str) for word in words):
        raise TypeError(f"{called}: the encoder's terms must give a string for each of {len(columns)} columns")
    return words


def with_terms(rows: CsrArrays, terms: Any) -> CsrArrays:  # noqa: ANN401 - an array
    """Return rows with other terms in the place of their columns; without those of -1."""
    width = int(terms.max(initial=-1)) + 1
    found = terms[rows.indices]
    kept = found >= 0
    if kept.all():
        return CsrArrays(rows.indptr, found.astype(np.uint32), rows.data, (rows.shape[0], width))
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    return CsrArrays(before[rows.indptr], found[kept].astype(np.uint32), rows.data[kept], (rows.shape[0], width))


def listed(texts: Any) -> Any:  # noqa: ANN401 - as `upsert` has them
    """Return texts that may be gone through again."""
    if isinstance(texts, Mapping):
        return {name: listed(some) for name, some in texts.items()}
    check_ordered(texts, "texts")
    return list(texts) if isinstance(texts, Iterable) and not isinstance(texts, str | bytes) else texts


def without(known: Container[Id], ids: list[Id], texts: Any, payloads: Any) -> tuple[list[Id], Any, Any]:  # noqa: ANN401
    """Return what is to be stored without what is there, whose texts need not be encoded then.

    Raises
    ------
    ValueError
        If there is not one for each id.
    """
    places = [place for place, one in enumerate(ids) if one not in known]
    n = len(ids)

    def left(values: Any, called: str) -> Any:  # noqa: ANN401
        if isinstance(values, Mapping):
            return {name: left(some, f"{called}[{name!r}]") for name, some in values.items()}
        if not isinstance(values, list):  # None, or what is refused later
            return values
        if len(values) != n:
            raise ValueError(f"{called}: {len(values)} for {n} ids")
        return [values[place] for place in places]

    return [ids[place] for place in places], left(texts, "texts"), left(payloads, "payloads")


def as_texts(given: Any, name: str, n: int | None = None) -> list[str]:  # noqa: ANN401 - checked here
    """Return texts that are to be encoded.

    Raises
    ------
    TypeError, ValueError
        Naming a text that is no string, or has half a surrogate pair, and its place.
    """
    if isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__"):
        raise TypeError(f"{name} must be a list of strings, got {kind_of(given)}")
    texts = list(given)
    if n is not None and len(texts) != n:
        raise ValueError(f"{name}: {len(texts)} for {n} ids")
    for place, text in enumerate(texts):
        texts[place] = as_text(text, f"{name}[{place}]")
    return texts


def as_text(text: object, name: str) -> str:
    """Return a text, or raise naming it."""
    if not isinstance(text, str):
        hint = "; bytes become a text by decode('utf-8')" if isinstance(text, bytes) else ""
        raise TypeError(f"{name} must be a string, got {kind_of(text)}{hint}")
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} has half a surrogate pair at {error.start}: {text[max(error.start - 20, 0) : error.start + 20]!r}"
        ) from None
    return str(text)


def texts_among(queries: Any) -> list[str] | None:  # noqa: ANN401 - in many forms
    """Return queries that are texts, a single one or several; None if they are vectors."""
    if isinstance(queries, str | bytes):
        return [as_text(queries, "query")]
    if getattr(queries, "ndim", None) == 1 and getattr(getattr(queries, "dtype", None), "kind", "O") in "OUST":
        queries = queries.tolist() if hasattr(queries, "tolist") else queries
    if isinstance(queries, list | tuple) and queries and isinstance(queries[0], str | bytes):
        return as_texts(queries, "queries")
    return None


def _by_name(vectors: Any, default: str) -> dict[str, Any]:  # noqa: ANN401 - matrices
    if vectors is None:
        return {}
    is_matrix = not isinstance(vectors, Mapping) or hasattr(vectors, "tocsr")  # a matrix may be a dict of its entries
    return {default: vectors} if is_matrix else dict(vectors)


def _checked(matrix: sp.csr_array, n: int, called: str) -> CsrArrays:
    """Return what an encoder made of texts, or raise naming what is wrong with it."""
    rows = as_csr(matrix, name=f"{called}: what the encoder made of them")
    if rows.shape[0] != n:
        raise ValueError(f"{called}: the encoder made {rows.shape[0]} rows of {n} texts")
    return rows


def _from(progress: Progress, done: int, total: int) -> Progress:
    return lambda more, _: progress(done + more, total)


def _shared(progress: Progress | None, done: int, n: int) -> Progress | None:
    """Return what tells of one pass of several over the texts."""
    if progress is None or n == 1:
        return progress
    report = progress
    return lambda more, total: report((done * total + more) // n, total)
