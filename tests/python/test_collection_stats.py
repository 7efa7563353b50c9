"""Statistics of collections, against what the collection and its folder hold."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from small_collection import Small
from thresher.collection import Collection
from thresher.collection.view import View


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A collection with two segments and documents that wait, open for writing."""
    made = Small(tmp_path / "c")
    made.fill()
    return made


def test_counts(small: Small) -> None:
    stats = small.collection.stats()
    assert stats.n_docs == len(small.payloads) == 40 + 25 + 10 - 3
    assert sum(segment.n_docs - segment.n_dead for segment in stats.segments) == stats.n_docs
    on_disk = [segment for segment in stats.segments if segment.number is not None]
    assert [(segment.number, segment.n_docs, segment.n_dead) for segment in on_disk] == [(1, 40, 2), (2, 25, 2)]
    assert stats.n_waiting == 9 + 2
    assert stats.n_dead == sum(segment.n_dead for segment in stats.segments)
    assert {segment.engines["vector"] for segment in stats.segments} == {"exact"}
    assert all(segment.columns == ["year"] for segment in stats.segments)
    assert stats.fields == {"year": "int"}
    assert stats.failure is None


def test_bytes(small: Small) -> None:
    stats = small.collection.stats()
    files = [path for path in small.collection.path.rglob("*") if path.is_file()]
    assert stats.nbytes == sum(path.stat().st_size for path in files)
    for segment in stats.segments:
        own = [path for path in files if path.name.startswith(f"{segment.number or -1:08d}.")]
        assert segment.file_nbytes == sum(path.stat().st_size for path in own)
        assert segment.resident_nbytes > 0
    assert stats.resident_nbytes == sum(segment.resident_nbytes for segment in stats.segments)


def test_versions_in_use(small: Small) -> None:
    with Collection.open(small.collection.path) as reader:
        version = reader.stats().version
        snapshot = small.collection.snapshot()
        small.upsert(["new"])
        stats = small.collection.stats()
        assert stats.version == version + 1
        assert stats.versions == [version, version + 1]
        snapshot.close()
        assert small.collection.stats().versions == [version, version + 1]  # the reader's
        reader.refresh()
        del snapshot
    assert small.collection.stats().versions == [version + 1]


def test_undeclared_fields_are_counted_by_filter(small: Small) -> None:
    assert small.collection.stats().undeclared == {}
    small.collection.count({"year": 2001, "$id": "a1"})
    assert small.collection.stats().undeclared == {}
    small.collection.count({"lang": "en", "year": 2001})
    small.collection.search([{1: 1.0}], where={"$or": [{"lang": "en"}, {"lang": "de"}, {"deep.er": 1}]})
    small.collection.delete(where={"lang": "xx"})
    assert small.collection.stats().undeclared == {"deep.er": 1, "lang": 3}
    small.collection.count({"lang": "en", "year": 2001})  # as before: nothing is read
    assert small.collection.stats().undeclared == {"deep.er": 1, "lang": 3}
    assert "undeclared fields: deep.er (1), lang (3)" in repr(small.collection.stats())


def test_fields_that_are_declared_are_not_counted_any_more(small: Small) -> None:
    small.collection.count({"lang": "en", "other": 1})
    small.collection.declare_field("lang", "keyword")
    small.collection.count({"lang": "de"})
    assert small.collection.stats().undeclared == {"other": 1}


def test_the_last_failure_is_told(small: Small) -> None:
    assert small.collection._maintenance is not None
    small.collection._maintenance.close()  # whose next success would end the failure
    small.collection._maintenance.builder.failure = OSError("no space left")
    assert small.collection.stats().failure == "OSError: no space left"
    assert "the background failed: OSError: no space left" in repr(small.collection.stats())
    with Collection.open(small.collection.path) as reader:
        assert reader.stats().failure is None


def test_they_are_plain_json(small: Small) -> None:
    small.collection.tune([{1: 1.0, number: 2.0} for number in range(2, 40)], recall=0.9, k=2, budget_s=1)
    stats = small.collection.stats()
    plain = json.loads(json.dumps(stats.to_dict()))
    assert plain["n_docs"] == stats.n_docs
    assert plain["segments"][0]["engines"] == {"vector": "exact"}
    assert plain["tunings"]["vector"]["engine"] == "exact"
    assert "72 documents, 11 of them waiting" in repr(stats)


def test_an_empty_collection(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c") as collection:
        stats = collection.stats()
    assert (stats.n_docs, stats.segments, stats.n_dead, stats.resident_nbytes) == (0, [], 0, 0)


def test_versions_are_counted_while_another_thread_stores(small: Small) -> None:
    store = small.collection._store
    held = [small.collection.snapshot()]
    small.collection.delete(["a1"])
    storing = threading.Thread(target=small.collection.delete, args=(["a2"],))

    class Views(weakref.WeakSet[View]):
        def __iter__(self) -> Iterator[View]:
            for view in super().__iter__():
                if storing.ident is None:
                    storing.start()
                    storing.join(0.3)  # it ends before, unless it waits for the count to be over
                yield view

    with mock.patch.object(store, "_views", Views(store._views)):
        assert len(store.versions()) == 2
        storing.join()
        assert len(store.versions()) == 2
    held[0].close()
