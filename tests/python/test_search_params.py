"""Search parameters that an index has of its own, for searches that are given none."""

from __future__ import annotations

import inspect
import re
import threading
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import search_bytes
from strategies import Case, learned
from thresher import _core

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

# Of each engine that has any: search parameters other than the library's, which give other hits.
OTHERS: dict[str, dict[str, Any]] = {
    "block-max": {"alpha": 0.5, "beta": 0.3, "block_budget": 3, "superblock_budget": 1},
    "clustered": {"query_cut": 2, "heap_factor": 0.9, "cluster_budget": 2, "group_budget": 1, "refine": 1},
    "graph": {"ef": 2, "entry_terms": 1, "early_stop": 0.9},
    "impact": {"postings_budget": 3, "deadline_us": 1e9, "rescored": 12},
    "postings": {"algorithm": "wand"},
}
BUILDS: dict[str, dict[str, Any]] = {"clustered": {"neighbours": 2, "group_frequency": 0.01}}


@pytest.fixture(scope="module")
def small() -> Case:
    return learned(800, 40, seed=3)


def build(engine: Engine, case: Case) -> Any:
    return engine.build(case.docs.triple, shape=case.docs.shape, **BUILDS.get(engine.engine, {}))


def search(index: Any, case: Case, **options: Any) -> bytes:
    ids: bytes = index.search(case.queries.triple, 10, shape=case.queries.shape, **options).ids.tobytes()
    return ids


def test_an_index_has_the_librarys_until_others_are_set(engine: Engine, small: Case, tmp_path: Path) -> None:
    index = build(engine, small)
    names = list(index.search_params)
    assert names == list(OTHERS.get(engine.engine, {}))
    class_of_defaults: Any = getattr(_core, f"{engine.__name__.removesuffix('Index')}SearchParams", object)
    defaults = class_of_defaults()
    assert index.search_params == {name: getattr(defaults, name) for name in names}
    index.save(tmp_path / "f")
    assert thresher.open(tmp_path / "f").search_params == index.search_params
    assert not any(name.startswith("search/") for name in thresher.describe(tmp_path / "f")["params"])


def test_searches_go_by_the_indexs_own(engine: Engine, small: Case, tmp_path: Path) -> None:
    index = build(engine, small)
    params = OTHERS.get(engine.engine, {})
    before = search_bytes(index, small)
    own = index.with_search_params(**params)
    assert type(own) is type(index)
    assert own.search_params == params
    assert search(own, small) == search(index, small, **params)
    if engine.engine not in ("exact", "postings"):
        assert search(own, small) != search(index, small)
    one = small.queries.indices[: small.queries.indptr[1]], small.queries.data[: small.queries.indptr[1]]
    np.testing.assert_array_equal(own.search_one(*one).ids, index.search_one(*one, **params).ids)
    assert search_bytes(index, small) == before
    own.save(tmp_path / "f")
    expected = search_bytes(own, small)
    index.close()
    own_again = own.with_search_params()
    own.close()
    assert search_bytes(own_again, small) == expected
    opened = thresher.open(tmp_path / "f")
    assert opened.search_params == params
    assert search_bytes(opened, small) == expected
    assert opened.params == own_again.params


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_given_goes_before_the_indexs_own_and_the_rest_stays(name: str, small: Case) -> None:
    index = build(thresher.engines()[name], small)
    params = OTHERS[name]
    own = index.with_search_params(**params)
    for given in params:
        default = index.search_params[given]
        mixed = {**params, given: default}
        assert search(own, small, **{given: default}) == search(index, small, **mixed)
        assert search(own, small, **{given: None}) == search(own, small)
        assert own.with_search_params(**{given: default}).search_params == mixed
        assert own.with_search_params(**{given: None}).search_params == params


def test_parameters_that_there_are_not(engine: Engine, small: Case) -> None:
    index = build(engine, small)
    with pytest.raises(TypeError, match=f"{engine.__name__} has no search parameter 'window'"):
        index.with_search_params(window=3)


@pytest.mark.parametrize(
    ("name", "params", "error", "message"),
    [
        ("block-max", {"alpha": 1.5}, ValueError, r"alpha must be in \(0, 1\], got 1.5"),
        ("block-max", {"alpha": "x"}, TypeError, "alpha must be a number, got str"),
        ("block-max", {"block_budget": 1.5}, TypeError, "block_budget must be a whole number, got float"),
        ("clustered", {"cluster_budget": -1}, ValueError, "cluster_budget must be >= 0, got -1"),
        ("graph", {"allowed": None}, TypeError, "GraphIndex has no search parameter 'allowed'"),
        ("impact", {"deadline_us": float("inf")}, ValueError, "deadline_us must be finite, got inf"),
        ("postings", {"algorithm": "bmw"}, ValueError, "algorithm must be one of"),
        ("postings", {"algorithm": 3}, TypeError, "algorithm must be a string, got int"),
    ],
)
def test_parameters_out_of_range(
    name: str, params: dict[str, Any], error: type[Exception], message: str, small: Case
) -> None:
    index = build(thresher.engines()[name], small)
    with pytest.raises(error, match=message):
        index.with_search_params(**params)


@pytest.mark.parametrize("name", OTHERS)
def test_the_documentation_tells_the_librarys_defaults(name: str) -> None:
    engine = thresher.engines()[name]
    defaults = build(engine, learned(30, 10, seed=1)).search_params
    text = inspect.getdoc(engine.search)
    assert text is not None
    for parameter, default in defaults.items():
        paragraph = re.search(rf"^{parameter}\n((?:    .*\n)+)", text, re.MULTILINE)
        assert paragraph, parameter
        told = re.search(r"Library default: (\S+)\.$", " ".join(paragraph[1].split()))
        assert told, parameter
        shown = f'``"{default}"``' if isinstance(default, str) else f"{default:g}"
        assert told[1] == shown
        for call in (engine.search, engine.search_one):
            assert inspect.signature(call).parameters[parameter].default is None


def test_several_threads_search_while_others_set_parameters(small: Case) -> None:
    index = build(thresher.ClusteredIndex, small)
    wanted = [search(index, small, cluster_budget=budget) for budget in (1, 50)]
    wrong: list[int] = []

    def work(which: int) -> None:
        for _ in range(20):
            own = index.with_search_params(cluster_budget=(1, 50)[which])
            if search(own, small, threads=1) != wanted[which]:
                wrong.append(which)

    threads = [threading.Thread(target=work, args=(which % 2,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_closed(small: Case) -> None:
    index = build(thresher.ClusteredIndex, small)
    index.close()
    with pytest.raises(ValueError, match="closed"):
        _ = index.search_params
    with pytest.raises(ValueError, match="closed"):
        index.with_search_params(query_cut=1)


def test_a_tuned_index_of_no_documents(engine: Engine, tmp_path: Path) -> None:
    index = engine.build(sp.csr_array((0, 5), dtype=np.float32), **BUILDS.get(engine.engine, {}))
    params = OTHERS.get(engine.engine, {})
    index.with_search_params(**params).save(tmp_path / "f")
    assert thresher.open(tmp_path / "f").search_params == params
