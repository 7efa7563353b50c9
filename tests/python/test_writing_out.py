"""Options of methods, in their signatures and documentation."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

import thresher
from thresher import _core
from thresher.engines.index import BuildOptions, SearchOptions

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

DOCS = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0.5], [0, 0, 0], [4, 0, 0]], np.float32))
COMMON = list(SearchOptions.__annotations__)


def options_of(method: Any) -> list[str]:
    """Return the keywords that a method's signature names."""
    parameters = inspect.signature(method).parameters.values()
    return [one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]


def test_an_engine_states_the_options_that_its_core_has(engine: Engine) -> None:
    index = engine.build(DOCS)
    for method in (engine.search, engine.search_one):
        assert options_of(method) == [*COMMON, *index.search_params]
    assert sorted(options_of(engine.build)) == sorted([*BuildOptions.__annotations__, *index.params])


def test_what_is_documented_is_what_is_stated(engine: Engine) -> None:
    for method in (engine.build, engine.search, engine.search_one):
        text = inspect.getdoc(method) or ""
        for name in options_of(method):
            assert text.count(f"\n{name}\n    ") == 1, name
        assert "**options" not in text
        assert all(text.count(f"\n{section}\n---") == 1 for section in ("Parameters", "Returns", "Raises"))
        assert method.__name__ in pydoc.render_doc(method)


def test_defaults_of_builds_are_the_cores(engine: Engine) -> None:
    params = getattr(_core, f"{engine.__name__.removesuffix('Index')}Params", object)()
    parameters = inspect.signature(engine.build).parameters
    for name in set(options_of(engine.build)) - set(BuildOptions.__annotations__):
        assert parameters[name].default == getattr(params, name)


def test_a_subclass_may_name_its_options_itself() -> None:
    class Mine(thresher.ExactIndex):
        def search(self, queries: Any, k: Any = 10, *, often: int = 1, **options: Any) -> thresher.Hits:
            """Search for more."""
            return super().search(queries, int(k) * often, **options)

        def search_one(self, terms: Any, weights: Any = None, k: Any = 10) -> thresher.Hits:  # type: ignore[override]
            """Search once."""
            return super().search_one(terms, weights, k)

    index = Mine.build(DOCS)
    assert type(index) is Mine
    assert index.search(DOCS, 1, often=2, threads=1).ids.shape == (4, 2)
    assert index.search_one([0], [1.0], 1).ids.tolist() == [3]
    assert inspect.getdoc(Mine.search_one) == "Search once."
