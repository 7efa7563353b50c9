"""Damaged catalogues and segments: FormatError or OSError says what is wrong, and nothing else happens."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thresher
from collection_damage import ERRORS, damage_and_use, prepared, used
from thresher.collection import Collection


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("template") / "c")


@pytest.fixture
def copy(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "c")
    return tmp_path / "c"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_damage(template: Path, tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    damage_and_use(template, tmp_path_factory.mktemp("damage") / "d", seed)


def test_without_damage_all_that_is_done_succeeds(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collection_damage.ERRORS", ())
    used(copy)


def empty(path: Path) -> None:
    (path / "catalogue.sqlite").write_bytes(b"")


def cut(path: Path) -> None:
    content = (path / "catalogue.sqlite").read_bytes()
    (path / "catalogue.sqlite").write_bytes(content[: len(content) // 2])


def no_database(path: Path) -> None:
    (path / "catalogue.sqlite").write_bytes(b"no database" * 1000)


def without_indexes(path: Path) -> None:
    for file in (path / "segments").glob("*.thresher"):
        file.unlink()


def altered_columns(path: Path) -> None:
    for file in (path / "segments").glob("*.columns"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 4
        file.write_bytes(content)


@pytest.mark.parametrize("damage", [empty, cut, no_database, without_indexes, altered_columns])
def test_files(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy)
    for mode in ("r", "rw"):
        with pytest.raises(ERRORS, match=str(copy)):
            Collection.open(copy, mode)
    report = Collection.check_folder(copy)
    assert report.problems
    assert all(str(copy) in problem for problem in report.problems)
    used(copy)


STATEMENTS = [
    *(f"DROP TABLE {table}" for table in ("meta", "fields", "documents", "batches", "segments")),
    "DELETE FROM meta WHERE key = 'next_seq'",
    "UPDATE meta SET value = 'soon' WHERE key = 'version'",
    "UPDATE meta SET value = 9223372036854775807 WHERE key = 'version'",
    "UPDATE meta SET value = 'sometimes' WHERE key = 'durability'",
    "UPDATE meta SET value = 'bytes' WHERE key = 'id_kind'",
    """UPDATE meta SET value = '{"title": {"engine": ["exact"]}}' WHERE key = 'schema'""",
    """UPDATE meta SET value = '{"title": {"n_terms": "x"}}' WHERE key = 'schema'""",
    """UPDATE meta SET value = '{"../title": {}}' WHERE key = 'schema'""",
    "UPDATE meta SET value = '{}' WHERE key = 'tunings:body'",
    "UPDATE fields SET kind = 'colour'",
    "DELETE FROM fields WHERE name = 'lang'",
    "UPDATE documents SET payload = '[1]' WHERE id = 'c2'",
    "UPDATE documents SET payload = x'00' WHERE id = 'c2'",
    "UPDATE documents SET id = x'00' WHERE id = 'c2'",
    "UPDATE documents SET text = x'00' WHERE id = 'c2'",
    "UPDATE batches SET vectors = substr(vectors, 1, 40)",
    "UPDATE batches SET vectors = 'text'",
    "UPDATE batches SET n = n + 1",
    "UPDATE batches SET n = 4611686018427387904",
    "UPDATE segments SET seqs = substr(seqs, 1, 5)",
    "UPDATE segments SET seqs = 'text'",
    "UPDATE segments SET n = n + 1",
    "UPDATE segments SET file = file + 40",
    "UPDATE segments SET last = -1",
    "UPDATE meta SET value = 2 WHERE key = 'next_file'",
    "UPDATE meta SET value = 30 WHERE key = 'next_seq'",
    "UPDATE meta SET value = value - 1 WHERE key = 'next_seq'",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_values(copy: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(copy / "catalogue.sqlite")) as db, db:
        db.execute(statement)
    with pytest.raises(thresher.FormatError, match=r"catalogue\.sqlite|segments/|/c: "):
        Collection.open(copy)
    assert Collection.check_folder(copy).problems
    used(copy)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE words SET term = 0 WHERE term = 1",
        "UPDATE words SET term = 1000000 WHERE term = 1",
        "DELETE FROM words WHERE term = 1",
        "UPDATE meta SET value = 2 WHERE key = 'n_words:title'",
        "DELETE FROM meta WHERE key = 'n_words:title'",
    ],
)
def test_numbers_of_words(copy: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(copy / "catalogue.sqlite")) as db, db:
        assert db.execute(statement).rowcount
    [problem] = Collection.check_folder(copy).problems
    assert "words of 'title'" in problem
    if "words SET" in statement or "FROM words" in statement:
        with Collection.open(copy) as collection, pytest.raises(thresher.FormatError, match="the term of the word"):
            collection.words("title")
    used(copy)
