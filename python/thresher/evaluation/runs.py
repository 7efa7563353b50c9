"""Runs and judgements, whatever they come as, as dicts by query and document: what measures are computed from."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np

from thresher._extras import missing
from thresher.formats import trec
from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

Value = TypeVar("Value", int, float)
Scores: TypeAlias = dict[str, dict[str, float]]
Judgements: TypeAlias = dict[str, dict[str, int]]
Names: TypeAlias = "Sequence[Any] | npt.NDArray[Any]"


@runtime_checkable
class Rows(Protocol):
    """What a search returns: hits of an index or of a collection."""

    scores: Any

    def rows(self) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.float32]]]:
        """Yield ids and scores of each query's hits."""


RunLike: TypeAlias = "Rows | Mapping[Any, Mapping[Any, Any]] | Iterable[Any] | pd.DataFrame | str | os.PathLike[str]"
QrelsLike: TypeAlias = "Mapping[Any, Mapping[Any, Any]] | Iterable[Any] | pd.DataFrame | str | os.PathLike[str]"

# Columns of tables by what they hold: of ir_measures, of PyTerrier, of `to_pandas`.
_QUERY = ("query_id", "qid", "query")
_DOCUMENT = ("doc_id", "docno", "id")
_SCORE = ("score",)
_RELEVANCE = ("relevance", "label", "rel")

_MOST_RELEVANT = 1_000_000  # the library behind allocates by it


def as_run(run: RunLike, *, queries: Names | None = None, documents: Names | None = None) -> Scores:
    """Return the scores of a run, by query and document, or raise.

    Parameters
    ----------
    run
        Hits of an index or a collection; a dict of dicts of scores; an iterable of named tuples with `query_id`,
        `doc_id` and `score`, as ir_measures has them; a table of pandas with these columns; or a TREC file.
    queries
        Of hits: what queries are called, by row; None for the numbers of the rows.
    documents
        Of hits: what documents are called, by id, such as the `names` of an index; None for the ids themselves.

    Raises
    ------
    ValueError
        If a score is not a number, a document comes twice, or names are too few.
    TypeError
        If it is no run, or an id neither a string nor a whole number.
    thresher.FormatError, OSError
        Of a file.
    """
    if isinstance(run, Rows):
        return _of_hits(run, queries, documents)
    if queries is not None or documents is not None:
        raise TypeError(f"queries and documents name rows and ids of hits, and the run is a {type(run).__name__}")
    if isinstance(run, str | os.PathLike):
        return trec.read_run(run)
    return _gathered(run, "run", (_QUERY, _DOCUMENT, _SCORE), _as_score)


def as_qrels(qrels: QrelsLike) -> Judgements:
    """Return the relevance of each judged document, by query and document, or raise; queries without any are left out.

    Parameters
    ----------
    qrels
        A dict of dicts of grades; an iterable of named tuples with `query_id`, `doc_id` and `relevance`; a table of
        pandas with these columns; a file of TREC's or BEIR's; a dataset of ir_datasets or its id, such as
        ``"beir/scifact/test"``.

    Raises
    ------
    ValueError
        If there are no judgements, a grade is no whole number or beyond a million, or a document comes twice.
    TypeError
        If they are no judgements, or an id neither a string nor a whole number.
    ImportError
        Of a dataset's id, if ir_datasets is not installed.
    thresher.FormatError, OSError
        Of a file.
    """
    found: Any = _of_file_or_dataset(qrels) if isinstance(qrels, str | os.PathLike) else qrels
    if hasattr(found, "qrels_iter"):
        found = found.qrels_iter()
    judged = _gathered(found, "qrels", (_QUERY, _DOCUMENT, _RELEVANCE), _as_relevance)
    judged = {query: grades for query, grades in judged.items() if grades}
    if not judged:
        raise ValueError("qrels: there are no judgements")
    return judged


def write_run(
    path: str | os.PathLike[str],
    run: RunLike,
    *,
    queries: Names | None = None,
    documents: Names | None = None,
    tag: str = "thresher",
) -> None:
    """Write a run of any kind to a TREC file, atomically: best first, ties by document.

    Parameters
    ----------
    path
        The file to create or replace.
    run, queries, documents
        As for `evaluate`.
    tag
        The name of the run, its last column.

    Raises
    ------
    ValueError, TypeError, OSError
        As for `evaluate`; if a name or the tag is empty or has white space; or if the file can't be written.
    """
    lines = trec.scored_lines(as_run(run, queries=queries, documents=documents), tag=tag)
    with atomic_write(path) as out:
        out.writelines(line.encode() for line in lines)


def _of_hits(hits: Rows, queries: Names | None, documents: Names | None) -> Scores:
    run: Scores = {}
    rows = list(hits.rows())
    if queries is not None and len(queries) != len(rows):
        raise ValueError(f"queries: {len(queries)} names for {len(rows)} rows of hits")
    for row, (ids, scores) in enumerate(rows):
        query = _as_id(row if queries is None else queries[row], "queries")
        if query in run:
            raise ValueError(f"queries: {query!r} is twice among them")
        found: dict[str, float] = {}
        for one, score in zip(ids.tolist(), scores.tolist(), strict=True):
            if documents is not None and not (isinstance(one, int) and 0 <= one < len(documents)):
                raise ValueError(f"documents: there are {len(documents)}, and the run has the id {one!r}")
            document = _as_id(one if documents is None else documents[one], "documents")
            if document in found:
                raise ValueError(f"documents: {document!r} is twice among the hits of query {query!r}")
            found[document] = _as_score(score, f"run: query {query!r}, document {document!r}")
        run[query] = found
    return run


def _of_file_or_dataset(name: str | os.PathLike[str]) -> Any:  # noqa: ANN401 - judgements in one form or another
    if not isinstance(name, str) or Path(name).exists():
        return trec.read_qrels(name)
    try:
        import ir_datasets  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError(missing(f"{name!r} is no file, and a dataset's id needs ir_datasets", "evaluation")) from None
    try:
        dataset = ir_datasets.load(name)
    except KeyError:
        raise FileNotFoundError(f"{name}: neither a file nor a dataset of ir_datasets") from None
    if not hasattr(dataset, "qrels_iter"):
        raise ValueError(f"qrels: the dataset {name} has no judgements")
    return dataset


def _gathered(
    given: Any,  # noqa: ANN401 - what a caller has
    name: str,
    columns: tuple[Sequence[str], ...],
    as_value: Callable[[Any, str], Value],
) -> dict[str, dict[str, Value]]:
    """Return values by query and document: of a dict of dicts, a table or named tuples."""
    gathered: dict[str, dict[str, Value]] = {}
    if isinstance(given, Mapping):
        for query, values in given.items():
            if not isinstance(values, Mapping):
                raise TypeError(f"{name}: query {query!r} must have a dict by document, got {type(values).__name__}")
            own = gathered[_new_id(query, gathered, f"{name}: query")] = {}
            for document, value in values.items():
                place = f"{name}: query {query!r}, document"
                own[_new_id(document, own, place)] = as_value(value, f"{place} {document!r}")
        return gathered
    for query, document, value in _triples(given, name, columns):
        own = gathered.setdefault(_as_id(query, f"{name}: query"), {})
        place = f"{name}: query {query!r}, document"
        own[_new_id(document, own, place)] = as_value(value, f"{place} {document!r}")
    return gathered


def _triples(given: Any, name: str, columns: tuple[Sequence[str], ...]) -> Iterator[tuple[Any, Any, Any]]:  # noqa: ANN401
    """Yield query, document and value of a table's rows or of named tuples."""
    if hasattr(given, "itertuples") and hasattr(given, "columns"):
        fields = _fields(list(given.columns), columns, f"{name}: the table")
        yield from zip(*(given[field].tolist() for field in fields), strict=True)
        return
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise TypeError(f"{name}: expected hits, dicts, named tuples, a table or a file, got {type(given).__name__}")
    fields, kind = [], None
    for number, one in enumerate(given):
        if type(one) is not kind:
            known = getattr(one, "_fields", None)
            if known is None:
                raise TypeError(f"{name}: item {number} must be a named tuple, got {type(one).__name__}")
            kind, fields = type(one), _fields(known, columns, f"{name}: item {number}")
        query, document, value = (getattr(one, field) for field in fields)
        yield query, document, value


def _fields(known: Sequence[Any], columns: tuple[Sequence[str], ...], what: str) -> list[str]:
    """Return the names of the three columns among those that there are."""
    found = [next((one for one in names if one in known), None) for names in columns]
    if None in found:
        wanted = ", ".join(" or ".join(names) for names in columns)
        raise TypeError(f"{what} must have {wanted}; it has {', '.join(map(str, known))}")
    return [str(one) for one in found]


def _new_id(value: Any, known: Mapping[str, object], what: str) -> str:  # noqa: ANN401 - what a caller has
    """Return an id that was not there before."""
    found = _as_id(value, what)
    if found in known:
        raise ValueError(f"{what} {found!r} is there twice")
    return found


def _as_id(value: Any, what: str) -> str:  # noqa: ANN401 - what a caller has
    """Return an id as measures take it: a string. What they would crash on, or cut off, is refused."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(f"{what} {value!r} has a null character or half a surrogate pair")
        return str(value)
    if isinstance(value, bool) or not hasattr(value, "__index__") or isinstance(value, np.bool_):
        raise TypeError(f"{what} must be a string or a whole number, got {value!r}")
    return str(value.__index__())


def _as_score(value: Any, what: str) -> float:  # noqa: ANN401 - what a caller has
    try:
        score = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        score = math.nan
    if math.isnan(score):
        raise ValueError(f"{what} has the score {value!r}, which must be a number")
    return score


def _as_relevance(value: Any, what: str) -> int:  # noqa: ANN401 - what a caller has
    grade = _as_score(value, what)
    if not grade.is_integer() or abs(grade) > _MOST_RELEVANT:
        raise ValueError(
            f"{what} has the relevance {value!r}, which must be a whole number within {_MOST_RELEVANT:,} of 0"
        )
    return int(grade)
