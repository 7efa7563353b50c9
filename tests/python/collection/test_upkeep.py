"""The thresholds by which segments are built: kept with a collection, or given where it is opened."""

from __future__ import annotations

import functools
import inspect
import math
import threading
from pathlib import Path
from typing import Any

import pytest

import thresher
from thresher.collection import Collection, Upkeep, schema
from thresher.collection.maintenance import to_flush, to_merge


def n_docs(collection: Collection) -> list[int]:
    """Return the documents of each segment on the disk."""
    return [segment.n_docs for segment in collection.stats().segments if segment.number is not None]


def upsert(collection: Collection, first: int, n: int) -> None:
    """Upsert documents of these numbers."""
    collection.upsert(range(first, first + n), [{0: 1.0, 1 + number % 5: 2.0} for number in range(n)])


def test_it_is_kept_and_shown(tmp_path: Path) -> None:
    upkeep = Upkeep(flush_docs=7, flush_upserts=9, merge_width=3, dead_fraction=0.5, exact_docs=2, retune_factor=3)
    with Collection.create(tmp_path / "c", upkeep=upkeep) as collection:
        assert collection.stats().upkeep == upkeep
        assert collection.stats().to_dict()["upkeep"]["merge_width"] == 3
        assert "flush_docs=7" in repr(collection.stats())
    with Collection.open(tmp_path / "c") as reader:
        assert reader.stats().upkeep == upkeep
    other = Upkeep(flush_docs=8)
    with Collection.open(tmp_path / "c", "rw", upkeep=other) as collection:
        assert collection.stats().upkeep == other
    with Collection.open(tmp_path / "c", "rw") as collection:
        assert collection.stats().upkeep == upkeep
    with Collection.create(tmp_path / "d") as collection:
        assert collection.stats().upkeep == Upkeep()


def test_a_collection_that_has_none_goes_by_the_defaults(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c", upkeep=Upkeep(flush_docs=7)) as collection:
        writer = collection._writer
        assert writer is not None
        writer.change(lambda catalogue: catalogue.set_meta(upkeep=None))
    with Collection.open(tmp_path / "c") as reader:
        assert reader.stats().upkeep == Upkeep()


@pytest.mark.parametrize("text", ["", "[]", '{"flush_docs": 0}', '{"other": 1}', "7"])
def test_one_that_is_damaged(tmp_path: Path, text: str) -> None:
    with Collection.create(tmp_path / "c") as collection:
        writer = collection._writer
        assert writer is not None
        writer.change(lambda catalogue: catalogue.set_meta(upkeep=text))
    with pytest.raises(thresher.FormatError, match="upkeep is damaged"):
        Collection.open(tmp_path / "c")


def test_documents_are_written_once_so_many_wait(tmp_path: Path) -> None:
    upkeep = Upkeep(flush_docs=30, flush_upserts=25)
    by_docs = Upkeep(flush_docs=10)
    with Collection.create(tmp_path / "c", upkeep=upkeep, background=False) as collection:
        upsert(collection, 0, 9)
        assert not to_flush(collection._view(), by_docs)
        upsert(collection, 9, 1)
        assert to_flush(collection._view(), by_docs)
        upsert(collection, 0, 9)
        upsert(collection, 0, 5)
        assert not to_flush(collection._view(), upkeep)
        upsert(collection, 0, 1)  # the twenty-fifth
        assert to_flush(collection._view(), upkeep)


def test_neighbours_of_a_size_class_are_merged(tmp_path: Path) -> None:
    upkeep = Upkeep(merge_width=3)
    with Collection.create(tmp_path / "c", upkeep=upkeep, background=False) as collection:
        writer = collection._writer
        assert writer is not None
        for number in range(9):
            upsert(collection, 5 * number, 5)
            collection.flush()
            while writer.rebuild(functools.partial(to_merge, upkeep=upkeep)):
                pass
            digits = [(number + 1) // 3 % 3, (number + 1) % 3]
            assert n_docs(collection) == ([15] * digits[0] + [5] * digits[1] if number < 8 else [45])
    assert [upkeep.size_class(n) for n in (0, 1, 2, 3, 8, 9, 26, 27)] == [0, 0, 0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize(("fraction", "n_dead"), [(0.3, 3), (0.05, 1), (1.0, 10)])
def test_a_segment_of_which_so_much_is_dead_is_written_again(tmp_path: Path, fraction: float, n_dead: int) -> None:
    upkeep = Upkeep(dead_fraction=fraction)
    with Collection.create(tmp_path / "c", upkeep=upkeep, background=False) as collection:
        upsert(collection, 0, 10)
        collection.flush()
        collection.delete(range(n_dead - 1))
        assert not to_merge(collection._view(), upkeep)
        collection.delete([n_dead - 1])
        assert to_merge(collection._view(), upkeep)


@pytest.mark.parametrize("exact_docs", [0, 29, 30])
def test_small_segments_are_exact(tmp_path: Path, exact_docs: int) -> None:
    with Collection.create(tmp_path / "c", engine="graph", upkeep=Upkeep(exact_docs=exact_docs)) as collection:
        upsert(collection, 0, 30)
        collection.flush()
        assert collection.stats().segments[0].engines == {"vector": "exact" if exact_docs == 30 else "graph"}


def test_without_a_background_operations_make_room_themselves(tmp_path: Path) -> None:
    before = threading.active_count()
    with Collection.create(tmp_path / "c", upkeep=Upkeep(flush_docs=10), background=False) as collection:
        for number in range(4):
            upsert(collection, 10 * number, 10)
        assert n_docs(collection) == []
        upsert(collection, 40, 10)
        assert n_docs(collection) == [40]
        assert collection.stats().failure is None
        assert threading.active_count() == before
    with Collection.open(tmp_path / "c", "rw", background=False) as collection:
        upsert(collection, 50, 30)
        assert n_docs(collection) == [40]
        assert threading.active_count() == before
        assert len(collection) == 80


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"flush_docs": 0}, ValueError, "flush_docs must be at least 1, got 0"),
    ({"flush_docs": 1.5}, TypeError, "flush_docs must be a whole number, got float"),
    ({"flush_docs": None}, TypeError, "flush_docs must be a whole number, got NoneType"),
    ({"flush_upserts": 0}, ValueError, "flush_upserts must be at least 1, got 0"),
    ({"merge_width": 1}, ValueError, "merge_width must be at least 2, got 1"),
    ({"exact_docs": -1}, ValueError, "exact_docs must be at least 0, got -1"),
    ({"dead_fraction": 0}, ValueError, "dead_fraction must be above 0 and up to 1, got 0"),
    ({"dead_fraction": 1.01}, ValueError, "dead_fraction must be above 0 and up to 1, got 1.01"),
    ({"dead_fraction": math.nan}, ValueError, "dead_fraction must be above 0 and up to 1, got nan"),
    ({"dead_fraction": "0.5"}, TypeError, "dead_fraction must be a number, got str"),
    ({"retune_factor": 1}, ValueError, "retune_factor must be above 1 and finite, got 1"),
    ({"retune_factor": math.inf}, ValueError, "retune_factor must be above 1 and finite, got inf"),
    ({"other": 1}, TypeError, "other"),
]


@pytest.mark.parametrize(("given", "kind", "message"), WRONG)
def test_what_is_out_of_range(given: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Upkeep(**given)


def test_what_is_no_such_thing(tmp_path: Path) -> None:
    given: Any = {"flush_docs": 1}
    with pytest.raises(TypeError, match="upkeep must be an Upkeep, got "):
        Collection.create(tmp_path / "c", upkeep=given)
    background: Any = 1
    with pytest.raises(TypeError, match="background must be a bool"):
        Collection.create(tmp_path / "c", background=background)
    assert not (tmp_path / "c").exists()
    Collection.create(tmp_path / "c").close()
    with pytest.raises(TypeError, match="upkeep must be an Upkeep, got "):
        Collection.open(tmp_path / "c", upkeep=given)


def test_create_names_what_it_takes(tmp_path: Path) -> None:
    parameters = inspect.signature(Collection.create).parameters
    assert set(schema.OPTIONS) == set(parameters) - {"path", "params"}
    wrong: dict[str, Any] = {"wrong": 1}
    for engine, own in (("clustered", "cluster_size, reorder, "), ("impact", "none"), ("graph", "m, ef_construction")):
        with pytest.raises(TypeError, match=r"create has no option 'wrong'; it has n_terms, fields, .*") as caught:
            Collection.create(tmp_path / "c", engine=engine, **wrong)
        assert f"build parameters of the engine '{engine}' are {own}" in str(caught.value)
        assert "scratch" not in str(caught.value)
    with pytest.raises(TypeError, match="create has no option 'threads'"):  # of `build`, and none of a collection's
        Collection.create(tmp_path / "c", threads=2)
    with pytest.raises(TypeError, match=r"vectors\['a'\] has no option 'wrong'; it has n_terms, words, signed, engine"):
        Collection.create(tmp_path / "c", vectors={"a": wrong})
    with pytest.raises(TypeError, match=r"vectors\['a'\]: create has no option 'm'; .*'clustered' are cluster_size"):
        Collection.create(tmp_path / "c", vectors={"a": {}, "b": {"engine": "graph"}}, m=4)
    with pytest.raises(ValueError, match=r"^cluster_size must be 4, 8"):
        Collection.create(tmp_path / "c", cluster_size=7)
    with pytest.raises(ValueError, match=r"^vectors\['a'\]: cluster_size must be 4, 8"):
        Collection.create(tmp_path / "c", vectors={"a": {"params": {"cluster_size": 7}}})
    with pytest.raises(ValueError, match=r"^n_terms must be from 1"):
        Collection.create(tmp_path / "c", n_terms=0)
    with pytest.raises(TypeError, match=r"^reorder must be a number, a bool or a string, got list"):
        Collection.create(tmp_path / "c", reorder=[1, 0])
    assert not (tmp_path / "c").exists()


def test_searches_name_what_they_take(tmp_path: Path) -> None:
    wrong: dict[str, Any] = {"wrong": 1}
    with Collection.create(tmp_path / "c") as collection:
        takes = "it has k, vector, shape, where, .*; search parameters of the engines here are cluster_budget"
        with pytest.raises(TypeError, match=f"search has no option 'wrong'; {takes}"):
            collection.search([{0: 1.0}], **wrong)
        with pytest.raises(TypeError, match="search_one has no option 'wrong'; it has k, vector, where, must"):
            collection.search_one({0: 1.0}, **wrong)
        with pytest.raises(ValueError, match="per_group must be >= 1, got 0"):
            collection.search([{0: 1.0}], group_by="a", per_group=0)
        with pytest.raises(ValueError, match="diversity must be a Diversity or a number from 0 to 1, got 2"):
            collection.search([{0: 1.0}], diversity=2)
        for call in (collection.upsert, collection.tune, collection.scan, collection.batch, Collection.open):
            function: Any = call
            with pytest.raises(TypeError, match=rf"{function.__name__}\(\) got an unexpected keyword argument 'wrong'"):
                function(**wrong)
