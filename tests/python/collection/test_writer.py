"""The writer, where it is interrupted, forked or asked for what can't be."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import sqlite3
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import thresher
from thresher.collection import Collection, LockedError, catalogue, files
from thresher.collection.catalogue import Catalogue
from thresher.collection.database import Database
from thresher.collection.writer import Writer

ROWS = [{0: 1.0}, {1: 2.0}, {0: 0.5, 1: 0.5}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A collection of three documents."""
    with Collection.create(tmp_path / "docs", n_terms=4, fields={"year": "int"}) as collection:
        collection.upsert(["a", "b", "c"], ROWS, [{"year": 1}, {"year": 2}, {}])
    return tmp_path / "docs"


def _ids(collection: Collection) -> list[Any]:
    return [doc.id for doc in collection.scan()]


def _interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_an_upsert_interrupted_after_its_commit_is_there(path: Path) -> None:
    with Collection.open(path, mode="rw") as collection:
        assert collection._maintenance is not None
        collection._maintenance.close()
        with mock.patch.object(Writer, "_publish", _interrupted), pytest.raises(KeyboardInterrupt):
            collection.upsert(["d"], [{3: 1.0}])
        collection.upsert(["e"], [{3: 2.0}])
        assert _ids(collection) == ["a", "b", "c", "d", "e"]
        assert list(collection.search([{3: 1.0}], 2, exact=True).ids[0]) == ["e", "d"]
    with Collection.open(path) as collection:
        assert _ids(collection) == ["a", "b", "c", "d", "e"]


def test_an_upsert_interrupted_before_its_commit_was_never_there(path: Path) -> None:
    with Collection.open(path, mode="rw", background=False) as collection:
        with mock.patch.object(catalogue._Transaction, "__exit__", _interrupted), pytest.raises(KeyboardInterrupt):
            collection.upsert(["d"], [{3: 1.0}], [{"year": 4}])
        assert _ids(collection) == ["a", "b", "c"]
        assert collection.search([{3: 1.0}], 2).ids[0].tolist() == [None, None]
        collection.upsert(["e"], [{3: 2.0}])
        assert _ids(collection) == ["a", "b", "c", "e"]
    with Collection.open(path) as collection:
        assert _ids(collection) == ["a", "b", "c", "e"]


@pytest.mark.parametrize("where", ["_publish", "_remove"])
def test_a_build_interrupted_after_its_commit_keeps_its_files(path: Path, where: str) -> None:
    with Collection.open(path, mode="rw") as collection:
        collection.flush()
        collection.upsert(["d"], [{3: 1.0}])
        assert collection._maintenance is not None
        collection._maintenance.close()  # else its thread may be the one that is interrupted
        with mock.patch.object(Writer, where, _interrupted), pytest.raises(KeyboardInterrupt):
            collection.optimize()
        collection.upsert(["e"], [{3: 2.0}])
        assert _ids(collection) == ["a", "b", "c", "d", "e"]
    with Collection.open(path, mode="rw") as collection:
        assert _ids(collection) == ["a", "b", "c", "d", "e"]
        assert [doc.vector.data.tolist() for doc in collection.get(["a", "d"])] == [[1.0], [1.0]]


def test_an_interrupt_at_the_begin_of_a_transaction_leaves_none_open(path: Path) -> None:
    begun = Database.execute

    def interrupted(self: Database, statement: str, values: Any = ()) -> Any:
        done = begun(self, statement, values)
        if statement == "BEGIN IMMEDIATE":
            raise KeyboardInterrupt
        return done

    with Collection.open(path, mode="rw") as collection:
        with mock.patch.object(Database, "execute", interrupted), pytest.raises(KeyboardInterrupt):
            collection.delete(["a"])
        assert collection.delete(["a"]) == 1


def test_an_operation_that_fails_in_a_batch_is_undone_alone(path: Path) -> None:
    with Collection.open(path, mode="rw") as collection:
        with collection.batch() as batch:
            assert batch.delete(["a"]) == 1
            with (
                mock.patch.object(Catalogue, "insert", side_effect=ValueError("no")),
                pytest.raises(ValueError, match="no"),
            ):
                batch.upsert(["b", "z"], [{0: 9.0}, {0: 9.0}])
            assert batch.upsert(["d"], [{3: 1.0}]) == 1
        assert _ids(collection) == ["b", "c", "d"]
    with Collection.open(path, mode="rw") as collection:
        assert _ids(collection) == ["b", "c", "d"]
        assert collection.get(["b"])[0].vector.data.tolist() == [2.0]


def test_what_would_wait_for_an_open_batch_is_refused(path: Path) -> None:
    with Collection.open(path, mode="rw") as collection:
        with collection.batch() as batch:
            batch.delete(["a"])
            for call in (
                lambda: collection.delete(["b"]),
                collection.flush,
                collection.optimize,
                collection.close,
            ):
                with pytest.raises(ValueError, match="within a batch only its own operations"):
                    call()
        assert _ids(collection) == ["b", "c"]


def test_a_batch_that_is_over_takes_no_operations(path: Path) -> None:
    with Collection.open(path, mode="rw") as collection:
        with collection.batch() as batch:
            batch.delete(["a"])
        with pytest.raises(ValueError, match="the batch is over"):
            batch.delete(["b"])
        assert _ids(collection) == ["b", "c"]


def test_errors_of_a_caller_in_a_batch_come_out_as_they_are(path: Path) -> None:
    with Collection.open(path, mode="rw") as collection:
        with pytest.raises(sqlite3.OperationalError), collection.batch():
            raise sqlite3.OperationalError("of the caller")
        assert len(collection) == 3


def test_a_second_writer_is_told_who_has_it(path: Path) -> None:
    with Collection.open(path, mode="rw"):
        with pytest.raises(LockedError, match=f"process {os.getpid()} on {os.uname().nodename}"):
            Collection.open(path, mode="rw")
        with Collection.open(path) as reader:
            assert len(reader) == 3
    with Collection.open(path, mode="rw") as again:
        assert len(again) == 3


def _in_child(call: Any) -> int:
    pid = os.fork()
    if not pid:
        try:
            call()
        except BaseException:  # noqa: BLE001 - told by the exit code
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_reads_and_does_not_write(path: Path) -> None:
    with Collection.open(path, mode="rw") as collection:

        def child() -> None:
            with pytest.raises(ValueError, match="read-only in a forked process"):
                collection.upsert(["d"], [{0: 1.0}])
            assert _ids(collection) == ["a", "b", "c"]
            collection.close()

        assert _in_child(child) == 0
        with pytest.raises(LockedError):  # the child's end has not freed it
            Collection.open(path, mode="rw")
        collection.upsert(["d"], [{0: 1.0}])
        assert _ids(collection) == ["a", "b", "c", "d"]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_leaves_the_mark_of_its_parent(path: Path) -> None:
    with Collection.open(path) as reader, Collection.open(path, mode="rw") as collection:

        def child() -> None:
            reader.close()
            gc.collect()

        assert _in_child(child) == 0
        assert list(files.marked_versions(path)) == [reader.snapshot().version]
        collection.update_payload(["a"], {"year": 7})
        collection.optimize()
        assert reader.get(["a"])[0].payload == {"year": 1}


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda path: (path / "catalogue.sqlite").write_bytes(b"no database" * 1000), thresher.FormatError),
        (lambda path: (path / "catalogue.sqlite").write_bytes(b""), thresher.FormatError),
        (lambda path: (path / "catalogue.sqlite").unlink(), FileNotFoundError),
        (lambda path: next((path / "segments").glob("*.thresher")).unlink(), thresher.FormatError),
        (lambda path: next((path / "segments").glob("*.thresher")).write_bytes(b"x"), thresher.FormatError),
        (lambda path: next((path / "segments").glob("*.columns")).write_bytes(b"x"), thresher.FormatError),
        (lambda path: _in_sql(path, "UPDATE meta SET value = 99 WHERE key = 'format'"), thresher.FormatError),
        (lambda path: _in_sql(path, "UPDATE segments SET n = 7"), thresher.FormatError),
        (lambda path: _in_sql(path, "UPDATE segments SET seqs = x'00'"), thresher.FormatError),
        (lambda path: _in_sql(path, "DROP TABLE batches"), thresher.FormatError),
        (lambda path: _in_sql(path, "DELETE FROM meta WHERE key = 'schema'"), thresher.FormatError),
        (lambda path: _in_sql(path, "UPDATE meta SET value = '{' WHERE key = 'schema'"), thresher.FormatError),
        (lambda path: _in_sql(path, "DELETE FROM meta WHERE key = 'version'"), thresher.FormatError),
    ],
)
@pytest.mark.parametrize("mode", ["r", "rw"])
def test_damage_is_told_and_frees_the_lock(path: Path, damage: Any, error: type[Exception], mode: Any) -> None:
    with Collection.open(path, mode="rw") as collection:
        collection.flush()
    damage(path)
    for _ in range(2):
        with pytest.raises(error, match=str(path)) as caught:
            Collection.open(path, mode=mode)
        assert not isinstance(caught.value, LockedError)


def _in_sql(path: Path, statement: str) -> None:
    db = sqlite3.connect(path / "catalogue.sqlite")
    db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("n_updates", [1, 2])
def test_what_changes_and_dies_in_one_batch_stays_dead(tmp_path: Path, replaced: bool, n_updates: int) -> None:
    path = tmp_path / "c"
    with Collection.create(path) as collection:
        collection.upsert(range(20), [{0: 1.0}] * 20)
        collection.flush()
        with collection.batch() as batch:
            for number in range(n_updates):
                batch.update_payload([7], {"x": number})
            if replaced:
                batch.upsert([7], [{0: 2.0}])
            else:
                batch.delete([7])
        collection.upsert([100], [{0: 1.0}])
        collection.flush()
        assert collection.check().is_sound
    with Collection.open(path) as collection:
        assert [one.id for one in collection.scan()] == [*range(7), *range(8, 20), *([7] if replaced else []), 100]


def test_check_tells_of_documents_that_the_catalogue_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with Collection.create(path) as collection:
        collection.upsert([1, 2, 3], [{0: 1.0}] * 3)
        collection.flush()
    _in_sql(path, "DELETE FROM documents WHERE id = 2")
    report = Collection.check_folder(path)
    assert any("1 documents that the catalogue does not know, the first upsert 2" in one for one in report.problems)


def test_what_an_interrupt_finds_stored_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = catalogue._Transaction.__exit__

    def interrupted(self: Any, *error: Any) -> None:
        commit(self, *error)
        if error[0] is None:
            raise KeyboardInterrupt

    with Collection.create(tmp_path / "c") as collection:
        with monkeypatch.context() as patch:
            patch.setattr(catalogue._Transaction, "__exit__", interrupted)
            with pytest.raises(KeyboardInterrupt):
                collection.upsert([1], [{0: 1.0}])
        assert 1 in collection
        assert collection.search_one({0: 1.0}, k=1).ids.tolist() == [1]


def test_a_closed_collection_marks_nothing_in_a_child(tmp_path: Path) -> None:
    collection = Collection.create(tmp_path / "c")
    collection.upsert([1], [{0: 1.0}])
    collection.close()
    go, going = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(going)
        os.read(go, 1)
        os._exit(0)
    try:
        assert list((tmp_path / "c" / "readers").iterdir()) == []
    finally:
        os.close(going)
        os.close(go)
        os.waitpid(pid, 0)


def test_what_killed_processes_left_of_a_folder_is_swept(tmp_path: Path) -> None:
    left = tmp_path / ".c.1234.new"
    (left / "segments").mkdir(parents=True)
    with Collection.create(tmp_path / "c") as collection:
        assert not left.exists()
        with pytest.raises(ValueError, match="does not go into the collection itself"):
            collection.backup(tmp_path / "c" / "copy")


@pytest.mark.parametrize("call", ["upsert", "flush", "optimize"])
@pytest.mark.parametrize("becomes", ["moved", "removed", "replaced", "unlocked"])
def test_a_folder_that_changed_under_its_writer_takes_nothing(tmp_path: Path, call: str, becomes: str) -> None:
    path, old, backup = (tmp_path / name for name in ("docs", "old", "backup"))
    with Collection.create(path, background=False) as writer:
        writer.upsert(["a", "b"], [{0: 1.0}, {0: 2.0}])
        writer.flush()
        writer.backup(backup)
        writer.upsert(["c"], [{0: 3.0}])
        match becomes:
            case "moved":
                path.rename(old)
            case "removed":
                shutil.rmtree(path)
            case "replaced":
                path.rename(old)
                Collection.restore(backup, path).close()
            case _:
                (path / "lock").unlink()
        with pytest.raises(OSError, match="was moved, removed or replaced"):
            writer.upsert(["d"], [{0: 4.0}]) if call == "upsert" else getattr(writer, call)()
        assert len(writer) == 3, "it is still read"
    for folder, n_docs in ((old, 3), (path, 2 if becomes == "replaced" else 3)):
        if folder.exists():
            assert Collection.check_folder(folder).is_sound
            with Collection.open(folder, "rw") as reopened:
                assert len(reopened) == n_docs


def test_a_relative_path_is_that_of_the_directory_it_was_opened_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (there, here):
        folder.mkdir()
        monkeypatch.chdir(folder)
        with Collection.create("docs", background=False) as collection:
            collection.upsert([folder.name], [{0: 1.0}])
            collection.flush()
    with Collection.open("docs", "rw", background=False) as writer, Collection.open("docs") as reader:
        monkeypatch.chdir(there)
        writer.upsert(["new"], [{0: 2.0}])
        writer.flush()
        writer.optimize()
        assert reader.refresh()
        assert [doc.id for doc in reader.scan()] == ["here", "new"]
        assert [doc.id for doc in pickle.loads(pickle.dumps(reader)).scan()] == ["here", "new"]
        assert repr(reader).startswith("<Collection docs:"), "as it was given"
    for folder, ids in ((here, ["here", "new"]), (there, ["there"])):
        assert Collection.check_folder(folder / "docs").is_sound
        with Collection.open(folder / "docs") as collection:
            assert [doc.id for doc in collection.scan()] == ids
