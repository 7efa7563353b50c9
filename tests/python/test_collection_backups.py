"""Backups: of one version, whole or not at all, made while a writer goes on."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

import thresher
from small_collection import Small
from thresher.collection import Collection
from thresher.collection.catalogue import Catalogue


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A collection with two segments and documents that wait, open for writing."""
    made = Small(tmp_path / "c")
    made.fill()
    return made


def test_a_backup_is_a_collection(small: Small, tmp_path: Path) -> None:
    small.collection.backup(tmp_path / "b")
    assert Collection.check_folder(tmp_path / "b").is_sound
    with Collection.open(tmp_path / "b") as backup:
        small.assert_same(backup)
    small.collection.delete(all=True)
    small.collection.optimize()
    with Collection.open(tmp_path / "b", "rw") as backup:
        small.assert_same(backup)
        backup.upsert(["new"], [{1: 1.0}])
        backup.optimize()
        assert backup.check().is_sound
    assert small.collection.check().is_sound
    assert len(small.collection) == 0


def test_a_reader_backs_up_what_is_there_now(small: Small, tmp_path: Path) -> None:
    with Collection.open(small.collection.path) as reader:
        small.upsert(["later"])
        reader.backup(tmp_path / "b")
    with Collection.open(tmp_path / "b") as backup:
        small.assert_same(backup)


def test_files_are_copied_where_they_cannot_be_linked(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    small.collection.backup(tmp_path / "b")
    inodes = [{path.stat().st_ino for path in (tmp_path / name / "segments").iterdir()} for name in "bc"]
    assert len(inodes[0]) == 4
    assert not inodes[0] & inodes[1]
    with Collection.open(tmp_path / "b") as backup:
        small.assert_same(backup)


def test_segments_that_are_merged_away_meanwhile(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Catalogue.copy_to
    copies: list[Path] = []

    def copy_then_merge(catalogue: Catalogue, path: Path) -> None:
        original(catalogue, path)
        copies.append(path)
        if len(copies) == 1:
            small.collection.optimize()

    monkeypatch.setattr(Catalogue, "copy_to", copy_then_merge)
    small.collection.backup(tmp_path / "b")
    assert len(copies) == 2
    assert len(list((tmp_path / "b/segments").iterdir())) == 2
    with Collection.open(tmp_path / "b") as backup:
        small.assert_same(backup)


def test_every_backup_is_of_one_version(tmp_path: Path) -> None:
    """Each operation adds a document and replaces another, so that a mixture would be seen."""
    small = Small(tmp_path / "c")
    stopped = threading.Event()

    def write() -> None:
        number = 0
        while not stopped.is_set():
            with small.collection.batch() as batch:
                batch.upsert([f"d{number}", "counter"], [{1: 1.0}] * 2, [{}, {"n": number}])
                batch.delete([f"d{number - 3}"])
            number += 1
            if number % 5 == 0:
                small.collection.flush()
            if number % 20 == 0:
                small.collection.optimize()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(6):
            small.collection.backup(tmp_path / f"b{number}")
    finally:
        stopped.set()
        writer.join()
    small.collection.close()
    for number in range(6):
        assert Collection.check_folder(tmp_path / f"b{number}").is_sound
        with Collection.open(tmp_path / f"b{number}") as backup:
            ids = {document.id for document in backup.scan()}
            if ids:
                last = backup.get(["counter"])[0].payload["n"]
                assert ids == {"counter", *(f"d{one}" for one in range(max(last - 2, 0), last + 1))}


def test_what_is_there_is_not_touched(small: Small, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("here")
    with pytest.raises(FileExistsError):
        small.collection.backup(tmp_path / "b")
    assert (tmp_path / "b").read_text() == "here"


def test_a_backup_that_fails_leaves_nothing(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr("thresher.collection.backups.shutil.copyfileobj", refuse)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="no space left"):
        small.collection.backup(tmp_path / "b")
    assert sorted(tmp_path.iterdir()) == before


def test_a_missing_file_is_told(small: Small, tmp_path: Path) -> None:
    small.collection.close()
    (small.collection.path / "segments/00000001.columns").unlink()
    with pytest.raises(thresher.FormatError, match="missing"):
        Collection.restore(small.collection.path, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_restored_collection_shares_nothing_with_the_backup(small: Small, tmp_path: Path) -> None:
    small.collection.backup(tmp_path / "b")
    with Collection.restore(tmp_path / "b", tmp_path / "r") as restored:
        small.assert_same(restored)
        restored.upsert(["new"], [{1: 1.0}])
    inodes = [{path.stat().st_ino for path in (tmp_path / name / "segments").iterdir()} for name in "br"]
    assert not inodes[0] & inodes[1]


def test_a_damaged_backup_is_not_restored(small: Small, tmp_path: Path) -> None:
    small.collection.backup(tmp_path / "b")
    path = tmp_path / "b/segments/00000001.vector.thresher"
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(thresher.FormatError, match=f"the backup is damaged.*{path}"):
        Collection.restore(tmp_path / "b", tmp_path / "r")
    assert not (tmp_path / "r").exists()
