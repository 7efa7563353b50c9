"""An engine that is registered: `tune`, `estimate`, the command line and the benchmarks know it without an edit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import thresher
from seventh_engine import HeaviestIndex
from strategies import learned
from test_bench_contest import Silent
from thresher._matrix import as_matrix
from thresher.engines import registry
from thresher.formats import bigann
from thresher.tuning.build_plans import plans_of
from thresher_bench import grids
from thresher_bench.common import load
from thresher_bench.contest import Contest, Options
from thresher_bench.engines.ours import wrapping
from thresher_bench.results import Results
from thresher_bench.table import show
from thresher_bench.truth import Truth


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> type[HeaviestIndex]:
    monkeypatch.setattr(registry, "_ENGINES", dict(registry._ENGINES))
    return registry.register(HeaviestIndex)


@pytest.fixture(scope="module")
def docs() -> Any:
    case = learned(1500, 1, seed=6)
    return as_matrix(case.docs.triple, shape=case.docs.shape)


def test_it_is_among_the_engines(registered: type[HeaviestIndex]) -> None:
    assert thresher.engines()["heaviest"] is registered
    assert registry.register(registered) is registered, "once more is no error"


def test_tune_turns_its_dials(registered: type[HeaviestIndex], docs: Any) -> None:
    tuned = thresher.tune(docs, engine="heaviest", recall=0.9, budget_s=30)
    assert isinstance(tuned.index, registered)
    assert tuned.is_met
    assert 1 <= int(tuned.search_params["query_cut"]) < 64
    assert tuned.index.search_params == tuned.search_params
    assert {point.engine for point in tuned.curve} == {"heaviest"}
    assert [plan.build_params for plan in plans_of(registered)] == [{}, {"window": 1024}]
    assert "heaviest" in {plan.engine.engine for plan in plans_of(None)}


def test_estimate_tells_what_it_takes(registered: type[HeaviestIndex], docs: Any) -> None:
    expected = thresher.estimate(docs, engine=["heaviest", "exact"])
    built = registered.build(docs)
    assert expected["heaviest"].nbytes.keys() == built.nbytes.keys()
    assert expected["heaviest"].total_bytes == pytest.approx(sum(built.nbytes.values()), rel=0.02)
    assert expected["heaviest"].build_seconds > 0


def test_the_benchmark_has_a_grid_of_it(
    registered: type[HeaviestIndex], docs: Any, tmp_path: Path, capsys: Any
) -> None:
    assert grids.names()[6] == "heaviest"
    assert "heaviest" in grids.usual()
    for grid in (grids.whole("heaviest", 1500, 10), grids.quick("heaviest", 1500, 10)):
        assert grid.ours
        assert grid.title == "HeaviestIndex"
        assert grid.searches[0] == {}
        assert len({search["query_cut"] for search in grid.searches[1:]}) > 4
    assert grids.whole("heaviest", 1500, 10).builds == [{}, {"window": 1024}]

    for name, part in (("base.csr", docs[:300]), ("queries.csr", docs[:12])):
        bigann.write_csr(tmp_path / name, sparse.csr_matrix(part))
    base, queries = tmp_path / "base.csr", tmp_path / "queries.csr"
    options = Options(base, queries, None, 12, 10, 1, 60.0, min(os.sched_getaffinity(0)), 10**10, 10**6)
    truth = Truth(load(base), load(queries), 10)
    [library] = Contest({"heaviest": grids.quick("heaviest", 300, 10)}, options, truth, Silent()).run()
    [build] = library.builds
    assert build.reason is None
    assert {point.reason for point in build.points} == {None}
    assert build.points[0].tuned is not None
    assert build.points[0].tuned.recall == 1
    show(Results({"machine": "this"}, [library]))
    assert "HeaviestIndex" in capsys.readouterr().out


def test_settings_side_by_side_are_engines_of_their_own(docs: Any) -> None:
    built = wrapping(thresher.PostingsIndex)()
    built.build(sparse.csr_matrix(docs))
    names = [engine.name for engine in built.others()]
    assert names == [
        "postings, one a call",
        "postings maxscore, one a call",
        "postings wand, one a call",
        "postings block_max_maxscore, one a call",
        "postings block_max_wand, one a call",
    ]


def test_a_subclass_goes_by_the_engine_that_it_derives_from() -> None:
    class MyGraph(thresher.GraphIndex):
        engine = "my-graph"

    assert MyGraph.build_growth().million == thresher.GraphIndex.build_growth().million > 0
    assert [dial.at(0.5) for dial in MyGraph.dials(1000, 10)] == [
        dial.at(0.5) for dial in thresher.GraphIndex.dials(1000, 10)
    ]
    with pytest.raises(NotImplementedError, match="HeaviestIndex: the core has no engine 'heaviest'"):
        super(HeaviestIndex, HeaviestIndex).dials(10, 1)


def test_what_is_no_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_ENGINES", dict(registry._ENGINES))

    class Nameless(thresher.Index):
        pass

    class Unbuilt(thresher.Index):
        engine = "unbuilt"

    class Exact(thresher.ExactIndex):
        pass

    for wrong, error, message in (
        ("exact", TypeError, "engine must be a subclass of Index, got 'exact'"),
        (np.ndarray, TypeError, "engine must be a subclass of Index"),
        (Nameless, TypeError, "Nameless.engine must be the engine's name, got None"),
        (Unbuilt, TypeError, "Unbuilt has no build"),
        (Exact, ValueError, "there is an engine 'exact' already: ExactIndex"),
    ):
        given: Any = wrong
        with pytest.raises(error, match=message):
            registry.register(given)
    assert len(thresher.engines()) == 6
