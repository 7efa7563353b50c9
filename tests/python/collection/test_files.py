"""Disks that fail or are full: the operation is told of, what was acknowledged stays, and it goes on afterwards."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from thresher.collection import Collection, LockedError, files, writer

ROWS = [{0: 1.0}, {1: 2.0}, {0: 0.5, 1: 0.5}]
CODES = [errno.ENOSPC, errno.EIO, errno.EROFS]


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """A collection of three documents, one of them in a segment."""
    with Collection.create(tmp_path / "docs", n_terms=4000, fields={"year": "int"}) as opened:
        opened.upsert(["a"], ROWS[:1], [{"year": 1}])
        opened.flush()
        opened.upsert(["b", "c"], ROWS[1:])
        yield opened


def _check(collection: Collection, ids: list[Any]) -> None:
    """Compare with what is there, and what there would be after a kill."""
    assert [doc.id for doc in collection.scan()] == ids
    with Collection.open(collection.path) as reader:
        assert [doc.id for doc in reader.scan()] == ids
        [(found, _)] = reader.search([{0: 1.0, 1: 1.0}], len(ids), exact=True).rows()
        assert list(found) == ["b", "a", "c"]


def _fails(code: int) -> mock.Mock:
    return mock.Mock(side_effect=OSError(code, os.strerror(code)))


def _fails_once(call: Callable[..., Any]) -> mock.Mock:
    return mock.Mock(wraps=call, side_effect=chain([OSError(errno.EIO, "refused")], repeat(mock.DEFAULT)))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("what", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("call", ["flush", "optimize"])
def test_a_build_that_fails_leaves_all_as_it_was(collection: Collection, what: str, code: int, call: str) -> None:
    before = sorted(file.name for file in (collection.path / files.SEGMENTS).iterdir())
    with mock.patch(what, _fails(code)), pytest.raises(OSError, match=os.strerror(code)) as caught:
        getattr(collection, call)()
    assert caught.value.errno == code
    assert sorted(file.name for file in (collection.path / files.SEGMENTS).iterdir()) == before
    _check(collection, ["a", "b", "c"])
    getattr(collection, call)()
    _check(collection, ["a", "b", "c"])


@pytest.mark.parametrize("code", CODES)
def test_files_that_can_not_be_removed_are_swept_later(collection: Collection, code: int) -> None:
    with mock.patch.object(writer, "remove", _fails(code)) as tried:
        collection.optimize()
    assert tried.called
    _check(collection, ["a", "b", "c"])
    folder = collection.path / files.SEGMENTS
    left = {file.name.partition(".")[0] for file in folder.iterdir()}
    assert len(left) > 1
    collection.close()
    with Collection.open(collection.path, mode="rw") as again:
        assert len({file.name.partition(".")[0] for file in folder.iterdir()}) == 1
        _check(again, ["a", "b", "c"])


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("what", ["os.fsync", "pathlib.Path.rename", "pathlib.Path.mkdir"])
def test_create_that_fails_leaves_nothing(tmp_path: Path, what: str, code: int) -> None:
    with mock.patch(what, _fails(code)), pytest.raises(OSError, match=os.strerror(code)) as caught:
        Collection.create(tmp_path / "docs")
    assert caught.value.errno == code
    assert not list(tmp_path.iterdir())
    Collection.create(tmp_path / "docs").close()


@pytest.mark.parametrize("call", ["create", "backup", "restore"])
@pytest.mark.parametrize("what", ["to lock it", "to keep its name"])
def test_a_folder_that_is_refused_leaves_nothing(collection: Collection, tmp_path: Path, call: str, what: str) -> None:
    sync_folder = files.sync_folder

    def refuse(folder: Path) -> None:
        if folder == tmp_path:
            raise OSError(errno.EIO, "refused")
        sync_folder(folder)

    calls: dict[str, Callable[[Path], Any]] = {
        "create": Collection.create,
        "backup": collection.backup,
        "restore": lambda path: Collection.restore(collection.path, path),
    }
    refusal = (
        mock.patch("os.open", _fails_once(os.open))
        if what == "to lock it"
        else mock.patch.object(files, "sync_folder", refuse)
    )
    before = sorted(tmp_path.iterdir())
    with refusal, pytest.raises(OSError, match="refused"):
        calls[call](tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == before
    calls[call](tmp_path / "new")
    _check(collection, ["a", "b", "c"])


def test_a_lock_that_is_not_given_back_in_peace_is_given_back(collection: Collection) -> None:
    with mock.patch("fcntl.flock", _fails(errno.EIO)), pytest.raises(OSError, match=os.strerror(errno.EIO)):
        collection.close()
    with Collection.open(collection.path, mode="rw") as again:
        _check(again, ["a", "b", "c"])


@pytest.mark.parametrize("n_bytes", [4096, 40_000])
def test_a_backup_that_a_full_disk_refuses_leaves_nothing(collection: Collection, tmp_path: Path, n_bytes: int) -> None:
    collection.upsert(["big"], [dict.fromkeys(range(2, 4000), 1.0)])
    before = sorted(tmp_path.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        with pytest.raises(OSError, match=str(tmp_path / ".new")):
            collection.backup(tmp_path / "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(tmp_path.iterdir()) == before
    collection.backup(tmp_path / "new")
    with Collection.open(tmp_path / "new") as backup:
        assert [doc.id for doc in backup.scan()] == ["a", "b", "c", "big"]


def _fill(collection: Collection, row: dict[int, float], ids: list[Any]) -> None:
    while True:
        collection.upsert([f"big{len(ids)}"], [row])
        ids.append(f"big{len(ids)}")


@pytest.mark.parametrize("call", ["upsert", "flush", "optimize"])
def test_a_full_disk_takes_nothing_away(collection: Collection, call: str) -> None:
    """Files may not grow beyond a size here, which sqlite and the core meet as they write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ids = ["a", "b", "c"]
    row = dict.fromkeys(range(2, 4000), 1.0)
    try:
        if call != "upsert":
            collection.upsert(["big0", "big1"], [row] * 2)
            ids += ["big0", "big1"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192 if call != "upsert" else 400_000, hard))
        with pytest.raises(OSError, match=str(collection.path)) as caught:
            _fill(collection, row, ids) if call == "upsert" else getattr(collection, call)()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno in (errno.ENOSPC, errno.EIO, errno.EFBIG)
    _check(collection, ids)
    collection.upsert(["after"], [row])
    _check(collection, [*ids, "after"])
    collection.optimize()
    _check(collection, [*ids, "after"])
    collection.close()
    with Collection.open(collection.path, mode="rw") as again:
        _check(again, [*ids, "after"])


def test_a_mark_whose_release_is_interrupted_marks_nothing(collection: Collection) -> None:
    mark = files.ReaderMark(collection.path, 1)
    assert list(files.marked_versions(collection.path)) == [1]
    with mock.patch.object(Path, "unlink", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        mark.release()
    del mark
    assert list(files.marked_versions(collection.path)) == []


def test_a_lock_that_nobody_holds_any_more_is_free(collection: Collection) -> None:
    collection.close()
    lock = files.WriterLock(collection.path)
    with pytest.raises(LockedError):
        files.WriterLock(collection.path)
    del lock
    Collection.open(collection.path, mode="rw").close()
