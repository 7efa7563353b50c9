"""Documents and queries as files have them: an object each, with an id, a vector, and fields that are the payload."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from thresher import FormatError, formats
from thresher.cli._terminal import progress_bar
from thresher.formats._columns import as_column
from thresher.formats.jsonl import entries

if TYPE_CHECKING:
    from thresher.cli._terminal import Progress
    from thresher.collection import Collection

HELP = "Documents: .jsonl[.gz], .parquet or .arrow."
"""What a command takes, for its help."""

_LISTS = ("indices", "values")


class Row(NamedTuple):
    """A document or a query: vectors, or a text that the collection's encoder makes them of."""

    id: str | int
    vectors: dict[str, dict[Any, float]] | None
    payload: dict[str, Any]
    text: str | None = None


class Batch(NamedTuple):
    """Some documents, as `Collection.upsert` takes them."""

    ids: list[str | int]
    vectors: dict[str, list[dict[Any, float]]] | None
    payloads: list[dict[str, Any]]
    where: str
    """Which lines or rows of the file they are."""
    texts: list[str | None] | None


@contextlib.contextmanager
def rows_of(path: Path, collection: Collection, *, doing: str) -> Iterator[Iterator[tuple[str, Row]]]:
    """Give the rows of a file one by one, each with its place in the file, and show how far that is.

    Each is an object of ``id``; ``vector``, or ``vectors`` by name where the collection has several; and other fields.
    Parquet and Arrow files may have ``indices`` and ``values`` in the place of ``vector``. Where the collection has an
    encoder, ``text`` is the document's, and vectors are made of it if there are none.

    Raises
    ------
    thresher.FormatError
        Naming the file, the line or row, and what is wrong there.
    OSError
        If it can't be read.
    """
    kind = formats.detect(path)
    if kind not in ("jsonl", "parquet", "arrow"):
        raise ValueError(f"{path}: expected JSON lines, Parquet or Arrow, which have ids and payloads")
    with progress_bar(f"{doing} {path.name}", unit="B" if kind == "jsonl" else "documents") as progress:
        yield _located(path, kind, collection, progress)


@contextlib.contextmanager
def batches_of(path: Path, collection: Collection, size: int) -> Iterator[Iterator[Batch]]:
    """Give the rows of a file in batches of `size`; see `rows_of`."""
    with rows_of(path, collection, doing="adding") as rows:
        yield _batches(path, rows, collection, size)


def _batches(path: Path, rows: Iterator[tuple[str, Row]], collection: Collection, size: int) -> Iterator[Batch]:
    some: list[tuple[str, Row]] = []
    for located in rows:
        if some and (some[0][1].vectors is None) != (located[1].vectors is None):  # of texts, or of vectors
            yield _batch(path, some, collection)
            some = []
        some.append(located)
        if len(some) == size:
            yield _batch(path, some, collection)
            some = []
    if some:
        yield _batch(path, some, collection)


def _batch(path: Path, located: list[tuple[str, Row]], collection: Collection) -> Batch:
    first, last = located[0][0], located[-1][0]
    rows = [row for _, row in located]
    given = [row.vectors for row in rows if row.vectors is not None]
    return Batch(
        [row.id for row in rows],
        {name: [vectors.get(name, {}) for vectors in given] for name in collection.vectors} if given else None,
        [row.payload for row in rows],
        f"{path}: {first}" if first == last else f"{path}: {first} to {last}",
        [row.text for row in rows] if any(row.text is not None for row in rows) else None,
    )


def _located(
    path: Path, kind: formats.FileKind, collection: Collection, progress: Progress | None
) -> Iterator[tuple[str, Row]]:
    """Yield rows, each with its line's or row's number."""
    read = _Reader(collection, has_nulls=kind == "jsonl")
    if kind == "jsonl":
        found = formats.jsonl.objects(path, progress=progress)
    else:
        assert kind in ("parquet", "arrow")
        found = formats.arrow.objects(path, kind, progress=progress)
    called = "line" if kind == "jsonl" else "row"
    for number, record in found:
        where = f"{called} {number}"
        try:
            yield where, read(record)
        except FormatError as error:
            raise FormatError(f"{path}: {where}: {error}") from None


class _Reader:
    """Makes rows of objects, for a collection's vectors."""

    def __init__(self, collection: Collection, *, has_nulls: bool) -> None:
        """Take a collection; `has_nulls`: a field that is null was written so. In a table it is one that is missing."""
        self._has_nulls = has_nulls
        self._vectors = collection.vectors
        self._default = next(iter(self._vectors))
        self._has_encoder = any(vector.encoder is not None for vector in self._vectors.values())

    def __call__(self, record: dict[str, Any]) -> Row:
        fields = dict(record)
        name = fields.pop("id", None)
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise FormatError(f'"id" must be a string or a whole number, got {name!r}')
        text = fields.pop("text", None) if self._has_encoder else None
        if not isinstance(text, str | None):
            raise FormatError(f'"text" must be a string, got {text!r}')
        vectors = None if text is not None and not _has_vectors(fields) else self._all(fields)
        payload = {field: value for field, value in fields.items() if self._has_nulls or value is not None}
        return Row(name, vectors, payload, text)

    def _all(self, fields: dict[str, Any]) -> dict[str, dict[Any, float]]:
        """Take the vectors out of the fields."""
        if "vector" in fields:
            return {self._default: self._vector(fields.pop("vector"), self._default)}
        given = fields.get("vectors")
        if not isinstance(given, Mapping) and all(isinstance(fields.get(part), list) for part in _LISTS):
            indices, values = (fields.pop(part) for part in _LISTS)
            return {self._default: self._vector(_paired(indices, values), self._default)}
        fields.pop("vectors", None)
        if not isinstance(given, Mapping):
            raise FormatError(
                ('there is no "text" and no "vector"' if self._has_encoder else 'there is no "vector"')
                if given is None
                else f'"vectors" must be an object, got {given!r}'
            )
        unknown = given.keys() - self._vectors.keys()
        if unknown:
            raise FormatError(f'"vectors" has {min(unknown)!r}; the collection has {", ".join(self._vectors)}')
        return {name: self._vector(vector, name) for name, vector in given.items() if vector is not None}

    def _vector(self, given: Any, name: str) -> dict[Any, float]:  # noqa: ANN401 - as files have it
        schema = self._vectors[name]
        term_of: Callable[[Any], Any] = _word if schema.words else _number
        vector: dict[Any, float] = {}
        for term, weight in _pairs(given):
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
                raise FormatError(f"term {term!r} has the weight {weight!r}, which must be a finite number")
            if weight < 0 and not schema.signed:
                raise FormatError(
                    f"term {term!r} has the weight {weight!r}; the collection was created without --signed"
                )
            key = term_of(term)
            vector[key] = vector.get(key, 0.0) + weight
        return vector


def _has_vectors(fields: Mapping[str, Any]) -> bool:
    return any(fields.get(name) is not None for name in ("vector", "vectors")) or all(
        isinstance(fields.get(part), list) for part in _LISTS
    )


def _pairs(given: Any) -> Any:  # noqa: ANN401 - as files have it
    """Return the terms of a vector and their weights."""
    if (
        isinstance(given, dict)
        and all(isinstance(given.get(part), list) for part in _LISTS)
        and len(given) == len(_LISTS)
    ):
        return _paired(*(given[part] for part in _LISTS))
    if isinstance(given, dict):
        return entries(given)
    if isinstance(given, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in given):  # a map of Arrow
        return given
    raise FormatError(f'"vector" must be an object of weights by term, got {str(given)[:60]}')


def _paired(indices: list[Any], values: list[Any]) -> list[tuple[Any, Any]]:
    if len(indices) != len(values):
        raise FormatError(f'"indices" and "values" differ in length: {len(indices)} and {len(values)}')
    return list(zip(indices, values, strict=True))


def _word(term: object) -> str:
    if not isinstance(term, str):
        raise FormatError(f"term {term!r} is no word, and those of the collection are")
    return term


def _number(term: object) -> int:
    number = as_column(term) if isinstance(term, str) else term
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise FormatError(f"term {term!r} is no number of a term; the collection was created without --words")
    return number
