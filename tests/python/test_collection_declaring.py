"""Declared fields: filters find the same by columns or by payloads, and all documents fit or nothing changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from small_collection import Small
from thresher.collection import Collection
from thresher.collection.files import sync_folder
from thresher.collection.store import Store

NUMBERS = itertools.count()


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A collection with two segments and documents that wait, open for writing."""
    made = Small(tmp_path / "c")
    made.fill()
    return made


def reads_payloads(collection: Collection, field: str) -> bool:
    """Whether a filter over a field, which no search had before, reads payloads."""
    calls = 0
    original = Store.states

    def counted(store: Store, seqs: Any, view: Any) -> Any:
        nonlocal calls
        calls += 1
        return original(store, seqs, view)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "states", counted)
        assert collection.count({field: f"new {next(NUMBERS)}"}) == 0
    return calls > 0


def test_filters_go_by_columns_at_once(small: Small) -> None:
    collection = small.collection
    small.assert_same(collection)
    assert reads_payloads(collection, "lang")
    collection.declare_field("lang", "keyword")
    assert collection.fields == {"lang": "keyword", "year": "int"}
    small.assert_same(collection)
    assert not reads_payloads(collection, "lang")
    assert all(segment.columns == ["lang", "year"] for segment in collection.stats().segments)
    assert sum(collection.count_by("lang").values()) == len(collection)
    assert collection.check().is_sound


def test_it_stays_through_merges_and_reopening(small: Small) -> None:
    small.collection.declare_field("lang", "keyword")
    small.upsert(["new", "a9"])
    small.update(["b2"], lang="it")
    small.collection.flush()
    small.assert_same(small.collection)
    small.collection.close()
    with Collection.open(small.collection.path, "rw") as collection:
        small.assert_same(collection)
        assert not reads_payloads(collection, "lang")
        collection.optimize()
        small.assert_same(collection)
        assert [segment.columns for segment in collection.stats().segments] == [["lang", "year"]]
        assert len(list((collection.path / "segments").iterdir())) == 2
        assert collection.check().is_sound


def test_dropped_fields_are_read_from_payloads(small: Small) -> None:
    small.collection.drop_field("year")
    assert small.collection.fields == {}
    small.assert_same(small.collection)
    assert reads_payloads(small.collection, "year")
    small.collection.upsert(["other"], [{1: 1.0}], [{"year": "no number"}])
    with pytest.raises(ValueError, match=r"'other'.*year must be a whole number, got 'no number'"):
        small.collection.declare_field("year", "int")
    assert small.collection.fields == {}
    with pytest.raises(ValueError, match="'year' is not a declared field; there are: none"):
        small.collection.drop_field("year")
    assert small.collection.check().is_sound


@pytest.mark.parametrize("one", ["a2", "a1", "c2"], ids=["in a segment", "updated", "waiting"])
def test_a_payload_of_another_kind_is_named_and_nothing_changes(small: Small, one: str) -> None:
    small.update([one], lang=[one, "x"])
    files = sorted((small.collection.path / "segments").iterdir())
    version = small.collection.stats().version
    with pytest.raises(ValueError, match=rf"document '{one}': lang must be a string, got \['{one}', 'x'\]"):
        small.collection.declare_field("lang", "keyword")
    assert small.collection.fields == {"year": "int"}
    assert sorted((small.collection.path / "segments").iterdir()) == files
    assert small.collection.stats().version == version
    assert small.collection.check().is_sound
    small.delete([one])
    small.collection.declare_field("lang", "keyword")  # the dead do not count
    small.assert_same(small.collection)


def test_what_comes_while_columns_are_written_is_checked_too(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile: list[Any] = []

    def then(folder: Path) -> None:
        sync_folder(folder)
        if meanwhile:
            meanwhile.pop()()

    monkeypatch.setattr("thresher.collection.declaring.sync_folder", then)
    meanwhile.append(lambda: small.upsert(["late", "b3"]))
    small.collection.declare_field("lang", "keyword")
    small.assert_same(small.collection)
    small.collection.drop_field("lang")
    for change in (
        lambda: small.collection.update_payload(["b5"], {"lang": 1}),
        lambda: small.collection.upsert(["a5"], [{1: 1.0}], [{"lang": 1}]),
    ):
        meanwhile.append(change)
        with pytest.raises(ValueError, match=r"document '[ab]5': lang must be a string, got 1"):
            small.collection.declare_field("lang", "keyword")
        assert small.collection.fields == {"year": "int"}
        small.collection.delete(["b5", "a5"])
    assert small.collection.check().is_sound


def test_readers_see_it_when_they_refresh(small: Small) -> None:
    with Collection.open(small.collection.path) as reader, reader.snapshot() as before:
        small.collection.declare_field("lang", "keyword")
        assert reader.fields == {"year": "int"}
        small.assert_same(reader)
        assert reader.refresh()
        assert reader.fields == {"lang": "keyword", "year": "int"}
        small.assert_same(reader)
        assert not reads_payloads(reader, "lang")
        assert sum(before.count({"lang": lang}) for lang in ("en", "de", "fr", "it")) == len(small.payloads)
        small.collection.drop_field("lang")
        reader.refresh()
        small.assert_same(reader)


def test_another_kind(small: Small) -> None:
    with pytest.raises(ValueError, match="'year' is declared as int: replace=True declares it as float instead"):
        small.collection.declare_field("year", "float")
    assert small.collection.fields == {"year": "int"}
    small.assert_same(small.collection)
    small.collection.declare_field("year", "float", replace=True)
    assert small.collection.fields == {"year": "float"}
    small.assert_same(small.collection)
    small.collection.upsert(["half"], [{1: 1.0}], [{"year": 2000.5}])
    assert small.collection.count({"year": {"$gt": 2000.2, "$lt": 2000.8}}) == 1
    with pytest.raises(ValueError, match=r"'half'.*must be a whole number, got 2000.5"):
        small.collection.declare_field("year", "int", replace=True)


@pytest.mark.parametrize("replace", [False, True])
def test_the_same_kind_again_changes_nothing(small: Small, replace: bool) -> None:
    before = sorted(path.name for path in (small.collection.path / "segments").iterdir())
    view = small.collection._view()
    small.collection.declare_field("year", "int", replace=replace)
    assert small.collection._view() is view
    assert sorted(path.name for path in (small.collection.path / "segments").iterdir()) == before


@pytest.mark.parametrize(("name", "kind"), [("", "int"), ("$x", "int"), ("x", "text")])
def test_names_and_kinds_are_checked(small: Small, name: str, kind: Any) -> None:
    with pytest.raises(ValueError, match="field"):
        small.collection.declare_field(name, kind)
    with Collection.open(small.collection.path) as reader, pytest.raises(ValueError, match="open for reading"):
        reader.declare_field("x", "int")


def test_not_within_a_batch(small: Small) -> None:
    collection = small.collection
    operations: list[Callable[[], object]] = [
        lambda: collection.declare_field("lang", "keyword"),
        lambda: collection.drop_field("year"),
        collection.flush,
        collection.optimize,
        lambda: collection.delete(["a1"]),
    ]
    for operation in operations:

        def within_a_batch(operation: Callable[[], object] = operation) -> None:
            with collection.batch() as batch:
                batch.upsert(["undone"], [{1: 1.0}])
                operation()

        with pytest.raises(ValueError, match="within a batch only its own operations"):
            within_a_batch()
        assert "undone" not in collection
    small.assert_same(collection)


def test_it_is_logged(small: Small, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "thresher.collection"):
        small.collection.declare_field("lang", "keyword")
        small.collection.drop_field("lang")
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records] == [
        "field 'lang' is declared: keyword",
        "field 'lang' is no longer declared",
    ]
