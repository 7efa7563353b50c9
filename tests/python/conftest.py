"""Fixtures of every test, and the hypothesis profiles: `gate`, the same examples in each run, and `explore`.

``pytest --hypothesis-profile=explore`` looks further, at random.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import hypothesis
import pytest

import thresher
from strategies import Case, learned

hypothesis.settings.register_profile("gate", derandomize=True, deadline=None, max_examples=100, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=3000)
hypothesis.settings.load_profile("gate")

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own


@pytest.fixture(params=sorted(thresher.engines()))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine's class in turn."""
    return thresher.engines()[request.param]


@pytest.fixture(scope="session")
def case() -> Case:
    """A small collection of learned vectors, and queries."""
    return learned(300, 20, seed=11)


@pytest.fixture
def index(engine: Engine, case: Case) -> thresher.Index:
    """Each engine's index of the case."""
    built: thresher.Index = engine.build(case.docs.triple, shape=case.docs.shape)
    return built


@pytest.fixture
def path(index: thresher.Index, tmp_path: Path) -> Path:
    """The index's file."""
    index.save(tmp_path / "docs.thresher")
    return tmp_path / "docs.thresher"
