"""Indexes to measure, in a line each: ``clustered:cluster_budget=50``, or ``docs.thresher:cluster_budget=50``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import thresher
from thresher.engines.index import Index
from thresher.engines.options import WEIGHTS, BuildOptions, SearchOptions
from thresher.engines.writing_out import Options


class Spec(NamedTuple):
    """An index that is to be built, or opened, or is there, and how it is to be searched."""

    text: str
    """What tables call it."""
    source: type[Index] | Path | Index
    """An engine, whose index is built; a file; or an index."""
    build: dict[str, Any]
    """Options of `build`; of an engine alone."""
    search: dict[str, Any]
    """Search parameters."""

    @property
    def is_built(self) -> bool:
        """Whether it takes documents to build an index of."""
        return isinstance(self.source, type)


def as_spec(given: str | os.PathLike[str] | Index | Spec) -> Spec:
    """Return what a spec asks for, or raise ValueError or TypeError that names it.

    Parameters
    ----------
    given
        The name of an engine, or the path of an index file, and perhaps a colon and parameters, as ``name=value``
        with commas between: of an engine, those of `build` and of searches; of a file, those of searches. Or an index;
        or a spec.
    """
    if isinstance(given, Spec):
        return given
    if isinstance(given, Index):
        return Spec(f"{given.engine} index", given, {}, {})
    if isinstance(given, os.PathLike):
        return Spec(os.fspath(given), Path(given), {}, {})
    if not isinstance(given, str):
        raise TypeError(f"engines: expected a name, a path or an index, got {type(given).__name__}")
    what, colon, rest = given.partition(":")
    if what in thresher.engines():
        kind = thresher.engines()[what]
        return Spec(given, kind, *_divided(kind, _pairs(rest, given) if colon else {}, given))
    path, colon, rest = given.rpartition(":")
    if not colon or "=" not in rest or os.sep in rest:  # a path with a colon, say
        path, rest = given, ""
    if not Path(path).exists():
        raise ValueError(f"{given!r} names neither an engine ({', '.join(thresher.engines())}) nor an index file")
    return Spec(given, Path(path), {}, _pairs(rest, given) if rest else {})


def _divided(kind: type[Index], given: dict[str, Any], text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters that an engine builds by, and those that it searches by."""
    own_build = Options(BuildOptions, kind._build_options, kind._build_params).defaults()  # noqa: SLF001 - of this package
    own_search = Options(SearchOptions, kind._search_options, kind._search_params).defaults()  # noqa: SLF001
    for name in given:
        if name not in {"weights", *own_build, *own_search}:
            known = ", ".join(["weights", *own_build, *own_search])
            raise ValueError(f"{text!r}: {kind.engine} has no parameter {name!r}; it has {known}")
    weights = given.get("weights", "float")
    if weights not in WEIGHTS.values():
        raise ValueError(f"{text!r}: weights must be one of {', '.join(WEIGHTS.values())}, got {weights!r}")
    return (
        {name: value for name, value in given.items() if name not in own_search},
        {name: value for name, value in given.items() if name in own_search},
    )


def _pairs(text: str, whole: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not name or not equals or not value:
            raise ValueError(f"{whole!r}: {pair!r} is not written as name=value")
        if name in given:
            raise ValueError(f"{whole!r}: {name} is there twice")
        given[name] = _literal(value)
    return given


def _literal(text: str) -> Any:  # noqa: ANN401 - a whole number, a number, true or false, or a word
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
