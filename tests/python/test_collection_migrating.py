"""Catalogues of other versions: newer ones are refused by name, older ones brought up to date by the next writer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import thresher
from small_collection import Small
from thresher.collection import Collection, LockedError, migrating


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A closed collection."""
    made = Small(tmp_path / "c")
    made.fill()
    made.collection.close()
    return made


def run(small: Small, *statements: str) -> None:
    with closing(sqlite3.connect(small.collection.path / "catalogue.sqlite")) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def make_older(small: Small, version: int = 0) -> None:
    """Make an artificial older version: the counter of files had another name."""
    run(
        small,
        "UPDATE meta SET key = 'next_number' WHERE key = 'next_file'",
        f"UPDATE meta SET value = {version} WHERE key = 'format'",
    )


def to_next(db: sqlite3.Connection) -> None:
    db.execute("UPDATE meta SET key = 'next_file' WHERE key = 'next_number'")


def test_a_newer_one_is_refused(small: Small) -> None:
    run(small, "UPDATE meta SET value = 99 WHERE key = 'format'")
    for mode in ("r", "rw"):
        with pytest.raises(thresher.FormatError, match=r"catalogue.sqlite: version 99 .* a newer thresher wrote it"):
            Collection.open(small.collection.path, mode)
    with pytest.raises(thresher.FormatError, match="a newer thresher"):
        Collection.check_folder(small.collection.path)


@pytest.mark.parametrize("value", ["'x'", "NULL", "x'00'"])
def test_one_without_a_version_is_damaged(small: Small, value: str) -> None:
    run(small, f"UPDATE meta SET value = {value} WHERE key = 'format'")
    for mode in ("r", "rw"):
        with pytest.raises(thresher.FormatError, match="it is damaged"):
            Collection.open(small.collection.path, mode)


def test_a_writer_brings_an_older_one_up_to_date(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    make_older(small)
    monkeypatch.setitem(migrating.STEPS, 0, to_next)
    with pytest.raises(thresher.FormatError, match="an older thresher wrote it, and opening it for writing"):
        Collection.open(small.collection.path)
    with Collection.open(small.collection.path, "rw") as collection:
        small.assert_same(collection)
        assert collection.check().is_sound
    with Collection.open(small.collection.path) as reader:
        small.assert_same(reader)


def test_steps_follow_one_another(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    make_older(small, version=-1)
    order: list[int] = []

    def last(db: sqlite3.Connection) -> None:
        order.append(0)
        to_next(db)

    monkeypatch.setitem(migrating.STEPS, -1, lambda _: order.append(-1))
    monkeypatch.setitem(migrating.STEPS, 0, last)
    Collection.open(small.collection.path, "rw").close()
    assert order == [-1, 0]


def test_a_step_that_fails_leaves_all_as_it_was(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    make_older(small)

    def fail(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM documents")
        raise OSError("no space left")

    monkeypatch.setitem(migrating.STEPS, 0, fail)
    with pytest.raises(OSError, match="no space"):
        Collection.open(small.collection.path, "rw")
    monkeypatch.setitem(migrating.STEPS, 0, to_next)
    with Collection.open(small.collection.path, "rw") as collection:
        small.assert_same(collection)


def test_one_that_there_is_no_way_from(small: Small) -> None:
    make_older(small, version=-7)
    with pytest.raises(thresher.FormatError, match="version -7"):
        Collection.open(small.collection.path, "rw")


def test_not_while_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Small(tmp_path / "c")
    small.fill()
    make_older(small)
    monkeypatch.setitem(migrating.STEPS, 0, to_next)
    with pytest.raises(LockedError):
        Collection.open(small.collection.path, "rw")
    with closing(sqlite3.connect(tmp_path / "c/catalogue.sqlite")) as db:
        assert db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone() == (0,)
