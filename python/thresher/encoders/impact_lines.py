"""Word impacts as models publish them: lines of words and weights, in several forms.

- ``{"id": "d1", "contents": "...", "vector": {"word": 1.5, ...}}``: uniCOIL, SPLADE, and DeepImpact as Anserini takes
  it. ``vector`` may be a list of pairs. Beside it, ``entities`` (for DyVo) and ``keyphrases`` (for CASPER) of the same
  form become terms of their own kinds.
- ``{"word": 1.5, ...}`` and ``[["word", 1.5], ...]``: weights alone.
- ``d1<tab>`` and one of these.
- ``word: 1.5, other: 0.7``: DeeperImpact.
- ``word 0.5<tab>other 0.1``: DeepCT's predictions. Pieces of words, which begin with ``##``, join the word before
  them, which keeps its weight; ``[CLS]``, ``[SEP]`` and ``[PAD]`` are left out, as are weights below 0; of several
  weights of a word, the largest counts. Elsewhere they add up.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thresher import FormatError
from thresher._kinds import kind_of
from thresher.encoders.marks import as_term, entity, keyphrase

_LARGEST = float(np.finfo(np.float32).max)
_KINDS = {"vector": as_term, "entities": entity, "keyphrases": keyphrase}
_SPECIAL = frozenset(["[CLS]", "[SEP]", "[PAD]"])
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_PIECES = re.compile(rf"[^\t ]+ {_NUMBER}(?:\t[^\t ]+ {_NUMBER})+")


class Impacts(NamedTuple):
    """The terms and weights of a document."""

    id: str | None
    """As the line has it; None if it has none."""
    weights: dict[str, float]
    """The weight of each term, > 0."""


def parse_impacts(line: str | Mapping[str, Any]) -> Impacts:
    """Read the impacts of a document.

    Parameters
    ----------
    line
        One line, in any of the forms of this module; or the object that such a line holds.

    Returns
    -------
    Impacts
        Without weights of 0.

    Raises
    ------
    TypeError, ValueError
        Saying what is wrong: a line of no known form, a weight that is no number, negative or not finite.

    Examples
    --------
    >>> from thresher.encoders import parse_impacts
    >>> parse_impacts('{"id": 7, "vector": {"cat": 2.5}, "entities": {"Q146": 1}}')
    Impacts(id='7', weights={'cat': 2.5, 'entity␟Q146': 1.0})
    >>> parse_impacts("cat: 2.5, dog: 1.0").weights
    {'cat': 2.5, 'dog': 1.0}
    """
    if isinstance(line, Mapping):
        return _of_object(line)
    if not isinstance(line, str):
        raise TypeError(f"must be a dict of weights or a line of a file, got {kind_of(line)}")
    text = line.strip()
    before, tab, after = text.partition("\t")
    if tab and after[:1] in ("{", "["):
        return Impacts(before, _of_json(after).weights)
    if text[:1] == "{" or text[:2] in ("[[", "[]"):
        return _of_json(text)
    if _PIECES.fullmatch(text):
        return Impacts(None, _of_pieces(text.split("\t")))
    if not text:
        return Impacts(None, {})
    return Impacts(None, _added(_colons(text), _KINDS["vector"]))


def read_impacts(path: str | os.PathLike[str]) -> Iterator[Impacts]:
    """Read a file of word impacts, a document a line.

    Parameters
    ----------
    path
        The file, gzipped if its name ends in ``.gz``. A blank line is a document without terms.

    Yields
    ------
    Impacts
        In the order of the lines; a line without an id has its number for one, from 0.

    Raises
    ------
    thresher.FormatError
        Naming the file, the line and what is wrong there.
    OSError
        If it can't be read.
    """
    where = os.fsdecode(path)
    with gzip.open(path, "rb") if Path(where).suffix == ".gz" else Path(where).open("rb") as file:
        number = 0
        try:
            for number, line in enumerate(file):
                name, weights = parse_impacts(line.decode().removeprefix("\ufeff"))
                yield Impacts(str(number) if name is None else name, weights)
        except (EOFError, gzip.BadGzipFile, zlib.error, TypeError, ValueError) as error:
            raise FormatError(f"{where}: line {number + 1}: {error}") from error


def _of_json(text: str) -> Impacts:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if isinstance(record, Mapping):
        return _of_object(record)
    return Impacts(None, _added(_pairs(record, "it"), _KINDS["vector"]))


def _of_object(record: Mapping[str, Any]) -> Impacts:
    """Read an object that holds weights by kind, or is one of words and weights."""
    held = [key for key in _KINDS if isinstance(record.get(key), Mapping | list | tuple)]
    if not held:
        return Impacts(None, _added(_pairs(record, "it"), _KINDS["vector"]))
    name = record.get("id")
    if isinstance(name, bool) or not isinstance(name, str | int | None):
        raise TypeError(f'"id" must be a string or a whole number, got {name!r}')
    weights: dict[str, float] = {}
    for key in held:
        weights |= _added(_pairs(record[key], f'"{key}"'), _KINDS[key])
    return Impacts(None if name is None else str(name), weights)


def _pairs(given: Any, what: str) -> Iterable[tuple[Any, Any]]:  # noqa: ANN401 - checked here
    """Return the words and weights of an object, or of a list of pairs."""
    if isinstance(given, Mapping):
        return given.items()
    for pair in given:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise TypeError(f"{what} must be an object or a list of pairs [word, weight], got {pair!r} in it")
    return [(word, weight) for word, weight in given]


def _added(pairs: Iterable[tuple[Any, Any]], term_of: Any) -> dict[str, float]:  # noqa: ANN401 - a function
    """Return the terms of words, and the sums of their weights, checked."""
    weights: dict[str, float] = {}
    for word, weight in pairs:
        term = term_of(word)
        value = _checked(word, weight)
        if value:
            weights[term] = weights.get(term, 0.0) + value
    return weights


def _checked(word: object, weight: Any) -> float:  # noqa: ANN401 - checked here
    if isinstance(weight, bool | np.bool_) or not isinstance(weight, int | float | np.integer | np.floating):
        raise TypeError(f"the weight of {word!r} must be a number, got {weight!r}")
    try:
        value = float(weight)
    except OverflowError:
        value = math.inf
    if not 0 <= value <= _LARGEST:
        raise ValueError(f"the weight of {word!r} must be >= 0 and a float32, got {value}")
    return value


def _colons(text: str) -> Iterator[tuple[str, float]]:
    """Yield the words and weights of a line that has colons between them, and commas behind."""
    for pair in text.split(","):
        word, colon, weight = pair.strip().rpartition(":")
        try:
            value = float(weight)
        except ValueError:
            colon = ""
        if not colon:
            raise ValueError(f"is no line of word impacts: {text[:60]!r}")
        yield word, value


def _of_pieces(pieces: Iterable[str]) -> dict[str, float]:
    """Join the pieces of words that DeepCT weighs."""
    words: list[tuple[str, float]] = []
    for piece in pieces:
        token, _, given = piece.rpartition(" ")
        if token.startswith("##") and words:
            words[-1] = (words[-1][0] + token[2:], words[-1][1])
        else:
            words.append((token, float(given)))
    weights: dict[str, float] = {}
    for word, weight in words:
        value = _checked(word, max(weight, 0.0))
        if word not in _SPECIAL and value:
            term = as_term(word)
            weights[term] = max(value, weights.get(term, 0.0))
    return weights
