"""Checks of collections: what is damaged is told by name, and a repair loses no more than it has to."""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

import thresher
from small_collection import Small
from thresher.collection import CheckReport, Collection, LockedError


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A closed collection with two segments and documents that wait."""
    made = Small(tmp_path / "c")
    made.fill()
    made.collection.close()
    return made


def index_file(small: Small, number: int) -> Path:
    return small.collection.path / f"segments/{number:08d}.vector.thresher"


def columns_file(small: Small, number: int) -> Path:
    return small.collection.path / f"segments/{number:08d}.columns"


def unlink(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.unlink()
    path.write_bytes(content)


def change(small: Small, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(small.collection.path / "catalogue.sqlite")) as db:
        db.execute(statement, values)
        db.commit()


def check(small: Small, **options: Any) -> CheckReport:
    return Collection.check_folder(small.collection.path, **options)


def test_a_sound_collection(small: Small) -> None:
    report = check(small)
    assert report.is_sound
    assert report == CheckReport([])
    assert "sound" in repr(report)
    assert check(small, repair=True) == report
    with Collection.open(small.collection.path) as reader:
        assert reader.check() == report
        small.assert_same(reader)


@pytest.mark.parametrize("damage", [unlink, truncate, alter])
def test_a_damaged_segment_is_named_and_dropped(small: Small, damage: Callable[[Path], None]) -> None:
    path = index_file(small, 1)
    damage(path)
    for mode in ("r", "rw"):
        with pytest.raises(thresher.FormatError, match=f"{path}.*check_folder.*repair=True.*thresher collection check"):
            Collection.open(small.collection.path, mode)
    report = check(small)
    lost = {one for one in small.vectors if one.startswith("a") and one != "a7"}
    assert [str(path) in problem for problem in report.problems] == [True]
    assert report.dropped == [str(path)]
    assert set(report.lost) == lost
    assert len(report.lost) == len(lost)
    assert not report.is_repaired
    assert check(small) == report  # nothing was changed
    assert check(small, repair=True).is_repaired
    for one in lost:
        del small.vectors[one], small.payloads[one]
    assert check(small).is_sound
    with Collection.open(small.collection.path, "rw") as collection:
        small.assert_same(collection)
        collection.upsert(["a1"], [{3: 1.0}])  # an id that was lost can come again
        collection.optimize()
        assert collection.check().is_sound
        assert len(collection) == len(small.vectors) + 1


@pytest.mark.parametrize("damage", [unlink, truncate, alter])
def test_damaged_columns_are_made_anew_and_lose_nothing(small: Small, damage: Callable[[Path], None]) -> None:
    path = columns_file(small, 2)
    damage(path)
    with pytest.raises(thresher.FormatError, match=str(path)):
        Collection.open(small.collection.path)
    report = check(small)
    assert report.rebuilt == [str(path)]
    assert not report.lost
    assert not report.dropped
    assert check(small, repair=True).is_repaired
    assert check(small).is_sound
    with Collection.open(small.collection.path, "rw") as collection:
        small.assert_same(collection)
        collection.optimize()
        small.assert_same(collection)


def test_the_last_segment_can_go(small: Small) -> None:
    unlink(index_file(small, 2))
    report = check(small, repair=True)
    for one in report.lost:
        del small.vectors[one], small.payloads[one]
    assert {str(one)[0] for one in report.lost} == {"b"}
    with Collection.open(small.collection.path, "rw") as collection:
        small.assert_same(collection)
        collection.flush()
        small.assert_same(collection)


def test_a_file_of_another_segment_is_told(small: Small, tmp_path: Path) -> None:
    other = Small(tmp_path / "other")
    other.upsert([f"z{number}" for number in range(40)])
    other.collection.flush()
    other.collection.close()
    index_file(small, 1).write_bytes(index_file(other, 1).read_bytes())
    report = check(small)
    assert report.dropped == [str(index_file(small, 1))]
    assert "document 'z0', where the catalogue has 'a0'" in report.problems[0]


def test_an_open_collection_repairs_itself(tmp_path: Path) -> None:
    small = Small(tmp_path / "c")
    small.fill()
    unlink(index_file(small, 1))
    with pytest.raises(LockedError):
        check(small, repair=True)
    with small.collection.snapshot() as before:
        report = small.collection.check(repair=True)
        assert report.is_repaired
        assert len(before) == len(small.vectors)
    for one in report.lost:
        del small.vectors[one], small.payloads[one]
    small.assert_same(small.collection)
    small.collection.close()


def test_a_reader_does_not_repair(small: Small) -> None:
    with Collection.open(small.collection.path) as reader:
        unlink(columns_file(small, 1))
        assert reader.check().rebuilt
        with pytest.raises(ValueError, match="open for reading"):
            reader.check(repair=True)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM batches", "document 'c0'.* in no segment and no batch"),
        ("UPDATE batches SET vectors = substr(vectors, 1, 50)", "batch .*no vectors|cut short"),
        ("UPDATE meta SET value = 3 WHERE key = 'next_seq'", "upserts beyond next_seq = 3"),
        ("UPDATE meta SET value = 1 WHERE key = 'version'", "states of documents beyond version = 1"),
        ("UPDATE documents SET payload = '{\"year\": \"x\"}' WHERE id = 'a1' AND died IS NULL", "'a1'.*year must be"),
        ("UPDATE documents SET payload = '{' WHERE id = 'c1' AND died IS NULL", "'c1': the payload is damaged"),
        ("UPDATE meta SET value = '[]' WHERE key = 'schema'", "the schema is damaged"),
    ],
)
def test_a_catalogue_that_contradicts_itself_is_told_and_left(small: Small, statement: str, told: str) -> None:
    change(small, statement)
    report = check(small)
    assert report.problems
    assert any(re.search(told, problem) for problem in report.problems), report.problems
    assert not report.dropped
    assert not report.lost
    assert check(small, repair=True) == report


def test_a_database_that_sqlite_finds_damaged(small: Small) -> None:
    path = small.collection.path / "catalogue.sqlite"
    content = bytearray(path.read_bytes())
    content[8192 * 3 : 8192 * 3 + 2000] = bytes(2000)
    path.write_bytes(content)
    report = check(small, repair=True)
    assert report.problems
    assert not report.is_repaired


def test_no_collection(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Collection.check_folder(tmp_path)


def test_a_report_is_plain_json(small: Small) -> None:
    alter(index_file(small, 1))
    report = check(small)
    assert json.loads(json.dumps(report.to_dict()))["lost"] == report.lost
    assert "would be lost" in repr(report)


OPERATIONS = ("upsert", "delete", "update", "flush", "optimize", "declare", "drop", "restore", "reopen", "refresh")


@hypothesis.given(st.lists(st.sampled_from(OPERATIONS), max_size=14), st.integers(0, 2**16))
@hypothesis.settings(max_examples=25)
def test_any_history_leaves_a_sound_collection(history: list[str], seed: int) -> None:
    """And one that has what was stored, whatever fields were declared meanwhile; a reader sees the same."""
    with tempfile.TemporaryDirectory() as folder:
        small = Small(Path(folder) / "c0")
        rng = np.random.default_rng(seed)
        reader = Collection.open(small.collection.path)
        for number, operation in enumerate(history):
            some = [f"d{one}" for one in rng.choice(30, 8, replace=False)]
            if operation == "upsert":
                small.upsert(some)
            elif operation == "delete":
                small.delete(some)
            elif operation == "update":
                small.update([one for one in some if one in small.payloads], lang="it", year=1990 + number)
            elif operation == "flush":
                small.collection.flush()
            elif operation == "optimize":
                small.collection.optimize()
            elif operation == "declare":
                small.collection.declare_field("lang", "keyword")
            elif operation == "drop":
                for field in small.collection.fields:
                    small.collection.drop_field(field)
            elif operation == "restore":
                reader.backup(Path(folder) / f"b{number}")
                small.collection.close()
                small.collection = Collection.restore(Path(folder) / f"b{number}", Path(folder) / f"c{number + 1}")
                reader.close()
                reader = Collection.open(small.collection.path)
            elif operation == "reopen":
                small.collection.close()
                small.collection = Collection.open(small.collection.path, "rw")
            else:
                reader.refresh()
            small.assert_same(small.collection)
            assert small.collection.check().problems == []
        reader.refresh()
        small.assert_same(reader)
        reader.close()
        small.collection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fields SET kind = 'foo'",
        "UPDATE documents SET payload = '{\"i\":'",
        "UPDATE documents SET payload = CAST(x'7b22ff' AS TEXT)",
        "UPDATE documents SET id = CAST(x'ff' AS TEXT)",
    ],
)
def test_values_that_sqlite_does_not_find_damaged_are_reported(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "c"
    with Collection.create(path, fields={"n": "int"}) as collection:
        collection.upsert(["a"], [{0: 1.0}], [{"n": 1}])
        collection.flush()
        collection.upsert(["b"], [{0: 1.0}], [{"n": 2}])
    with closing(sqlite3.connect(path / "catalogue.sqlite")) as db, db:
        db.execute(statement + (" WHERE id = 'b'" if "documents" in statement else ""))
    assert not Collection.check_folder(path).is_sound
    with suppress(thresher.FormatError), Collection.open(path) as reader:
        list(reader.scan())
