"""The engines of this library: the one list of them in Python.

An engine of your own joins them by `register`: a subclass of `Index` with a name, a `build` and a `search`, and what it
says of itself (`Index.dials`, `Index.estimated_parts`, `Index.build_growth`, `Index.build_variants`). `tune`,
`estimate`, the command line and the benchmarks then know it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from thresher.engines.block_max import BlockMaxIndex
from thresher.engines.clustered import ClusteredIndex
from thresher.engines.exact import ExactIndex
from thresher.engines.graph import GraphIndex
from thresher.engines.impact import ImpactIndex
from thresher.engines.index import Index
from thresher.engines.postings import PostingsIndex

Engine = TypeVar("Engine", bound=type[Index])

_ENGINES: dict[str, type[Index]] = {
    engine.engine: engine
    for engine in (ExactIndex, BlockMaxIndex, ClusteredIndex, GraphIndex, ImpactIndex, PostingsIndex)
}


def engines() -> dict[str, type[Index]]:
    """Return the engines of this library: their names, as in index files, and their classes.

    Examples
    --------
    >>> import thresher
    >>> thresher.engines()["exact"]
    <class 'thresher.engines.exact.ExactIndex'>
    """
    return dict(_ENGINES)


def register(engine: Engine) -> Engine:
    """Add an engine to those of this library, under its name; returns it, so that it can be a decorator.

    Parameters
    ----------
    engine
        A subclass of `Index` whose class attribute `engine` is its name, and that has a `build`.

    Raises
    ------
    TypeError
        If it is not such a class.
    ValueError
        If there is another engine of its name.
    """
    given: Any = engine
    if not (isinstance(given, type) and issubclass(given, Index)):
        raise TypeError(f"engine must be a subclass of Index, got {given!r}")
    name = getattr(given, "engine", None)
    if not (isinstance(name, str) and name):
        raise TypeError(f"{given.__name__}.engine must be the engine's name, got {name!r}")
    if given.build.__func__ is Index.build.__func__:  # type: ignore[attr-defined]
        raise TypeError(f"{given.__name__} has no build")
    if _ENGINES.get(name, given) is not given:
        raise ValueError(f"there is an engine {name!r} already: {_ENGINES[name].__name__}")
    _ENGINES[name] = given
    return engine


def classes_of(engine: type[Index] | str | Iterable[type[Index] | str] | None) -> list[type[Index]]:
    """Return the engines that are named, once each; all for None. Raises TypeError."""
    if engine is None:
        return list(engines().values())
    named: list[Any] = [engine] if isinstance(engine, str | type) else list(engine)
    classes: list[type[Index]] = []
    for name in named:
        known = engines().get(name) if isinstance(name, str) else name
        if known is None or known not in engines().values():
            raise TypeError(f"engine must be a class of index, or the name of one of {list(engines())}, got {name!r}")
        classes.append(known)
    if not classes:
        raise TypeError("engine: there are none to choose from")
    return list(dict.fromkeys(classes))
