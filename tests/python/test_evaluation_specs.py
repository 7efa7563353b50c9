"""Specs of indexes in a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import thresher
from thresher.evaluation.specs import as_spec


@pytest.mark.parametrize(
    ("text", "engine", "build", "search"),
    [
        ("exact", "exact", {}, {}),
        ("exact:weights=uint8", "exact", {"weights": "uint8"}, {}),
        (
            "clustered:cluster_budget=50,cluster_size=16, heap_factor = 0.9",
            "clustered",
            {"cluster_size": 16},
            {"cluster_budget": 50, "heap_factor": 0.9},
        ),
        ("block-max:reorder=false", "block-max", {"reorder": False}, {}),
    ],
)
def test_of_an_engine(text: str, engine: str, build: Any, search: Any) -> None:
    spec = as_spec(text)
    assert (spec.text, spec.source, spec.build, spec.search) == (text, thresher.engines()[engine], build, search)
    assert spec.is_built


def test_every_parameter_of_every_engine_can_be_given(engine: Any) -> None:
    index = engine.build([{0: 1.0}])
    for name, value in index.search_params.items():
        assert as_spec(f"{engine.engine}:{name}={value}").search == {name: value}
    for name, value in engine._build_params().__class__.__dict__.items():
        if isinstance(value, property):
            assert list(as_spec(f"{engine.engine}:{name}=1").build) == [name]


def test_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "docs:2024.thresher"
    thresher.ExactIndex.build([{0: 1.0}]).save(path)
    for given, search in ((path, {}), (str(path), {}), (f"{path}:beta=0.5", {"beta": 0.5})):
        spec = as_spec(given)
        assert (spec.source, spec.build, spec.search, spec.is_built) == (path, {}, search, False)
    index = thresher.open(path)
    assert as_spec(index).source is index
    assert as_spec(as_spec(index)) == as_spec(index)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exct", "'exct' names neither an engine (exact, block-max,"),
        ("missing.thresher:a=1", "names neither"),
        ("exact:", "'' is not written as name=value"),
        ("clustered:cluster_budget", "'cluster_budget' is not written as name=value"),
        ("clustered:cluster_budget=", "is not written as name=value"),
        ("clustered:budget=5", "clustered has no parameter 'budget'; it has weights, cluster_size,"),
        ("clustered:query_cut=5,query_cut=6", "query_cut is there twice"),
        ("exact:weights=int4", "weights must be one of float, uint8, uint8+float, got 'int4'"),
        ("exact:threads=4", "exact has no parameter 'threads'"),
    ],
)
def test_specs_that_are_wrong(text: str, words: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared below
        as_spec(text)
    assert words in str(error.value)


def test_what_is_no_spec() -> None:
    with pytest.raises(TypeError, match="expected a name, a path or an index, got int"):
        as_spec(3)  # type: ignore[arg-type]
