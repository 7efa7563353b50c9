"""Indexes that travel: to other processes, as bytes, and as copies."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import pytest

import thresher
from engine_forms import DOCS, Engine
from helpers import expect

METHODS = multiprocessing.get_all_start_methods()


def ids_of(index: thresher.Index) -> Any:
    """Search elsewhere."""
    return index.search(DOCS, 3).ids.tolist()


def ids_by(arguments: tuple[thresher.Index, int]) -> Any:
    index, row = arguments
    return index.search(DOCS[[row]], 3).ids[0].tolist()


def test_built_ones_travel_as_their_bytes(engine: Engine) -> None:
    index = engine.build(DOCS)
    same = pickle.loads(pickle.dumps(index))
    assert type(same) is engine
    assert same.search(DOCS, 3) == index.search(DOCS, 3)
    assert same.params == index.params
    assert thresher.loads(thresher.dumps(index)).search(DOCS, 3) == index.search(DOCS, 3)
    assert thresher.loads(memoryview(thresher.dumps(index))).n_docs == 5


def test_opened_ones_travel_as_their_path(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine.build(np_docs()).save("docs.thresher")
    index = thresher.open("docs.thresher")
    data = pickle.dumps(index)
    assert len(data) < 1000 < (tmp_path / "docs.thresher").stat().st_size
    monkeypatch.chdir("/")
    assert pickle.loads(data).search(np_docs()[:9], 3) == index.search(np_docs()[:9], 3)
    assert len(pickle.dumps(pickle.loads(data))) < 1000
    (tmp_path / "docs.thresher").unlink()
    with expect(FileNotFoundError, "docs.thresher"):
        pickle.loads(data)
    engine.build(np_docs()[::-1]).save(tmp_path / "docs.thresher")
    with expect(thresher.FormatError, "docs.thresher", "is not the file any more"):
        pickle.loads(data)


def np_docs() -> Any:
    return thresher._matrix.as_matrix([{t: 1.0 + (d * t) % 7 for t in range(d % 5, 40, 3)} for d in range(300)])


def test_search_params_travel_too(tmp_path: Path) -> None:
    built = thresher.BlockMaxIndex.build(DOCS).with_search_params(beta=0.5)
    assert pickle.loads(pickle.dumps(built)).search_params == built.search_params
    built.save(tmp_path / "docs.thresher")
    opened = thresher.open(tmp_path / "docs.thresher")
    other = opened.with_search_params(beta=0.75)
    assert pickle.loads(pickle.dumps(opened)).search_params["beta"] == 0.5
    assert pickle.loads(pickle.dumps(other)).search_params["beta"] == 0.75
    assert len(pickle.dumps(other)) < 1000


def test_a_subclass_stays_one() -> None:
    index = Mine.build(DOCS)
    assert type(pickle.loads(pickle.dumps(index))) is Mine


class Mine(thresher.GraphIndex):
    """An engine of one's own."""


def test_a_copy_is_the_index(engine: Engine) -> None:
    index = engine.build(DOCS)
    assert copy.copy(index) is index
    assert copy.deepcopy([index])[0] is index


@pytest.mark.parametrize("method", METHODS)
def test_other_processes_search(method: str, tmp_path: Path) -> None:
    built = thresher.ClusteredIndex.build(DOCS)
    built.save(tmp_path / "docs.thresher")
    indexes = [built, thresher.open(tmp_path / "docs.thresher"), thresher.BlockMaxIndex.build(DOCS)]
    for index in indexes:
        index.search(DOCS, 3, threads=2)  # this process has had threads of its own
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(ids_of, indexes) == [ids_of(index) for index in indexes]


def test_joblib() -> None:
    joblib = pytest.importorskip("joblib")
    index = thresher.PostingsIndex.build(DOCS)
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(ids_by)((index, row)) for row in range(4))
    assert found == ids_of(index)[:4]


def test_what_is_no_index() -> None:
    for wrong in (b"", b"something", thresher.dumps(thresher.ExactIndex.build(DOCS))[:-1]):
        with pytest.raises(thresher.FormatError):
            thresher.loads(wrong)
    with expect(TypeError, "data must be bytes, got str"):
        thresher.loads("docs.thresher")  # type: ignore[arg-type]
    index = thresher.ExactIndex.build(DOCS)
    index.close()
    with expect(ValueError, "the index is closed"):
        pickle.dumps(index)
