"""Readers of a collection: what a writer stores meanwhile, forked processes, other processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from collection_oracle import filled, queries, rows
from thresher.collection import Collection, LockedError
from thresher.collection.files import marked_versions

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def in_child(work: Callable[[], None]) -> None:
    """Do something in a forked process, and fail here if it fails there."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - shown, and told by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_refresh_sees_what_was_stored_since(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c") as writer, Collection.open(tmp_path / "c") as reader:
        assert writer.refresh() is False
        for n in range(1, 5):
            writer.upsert([n], [{0: 1.0}])
            before = reader.snapshot()
            assert len(reader) == n - 1
            assert reader.refresh() is True
            assert reader.refresh() is False
            assert len(reader) == n
            assert len(before) == n - 1
            if n == 2:
                writer.optimize()
        assert reader.search_one({0: 1.0}, k=4).ids.tolist() == [1, 2, 3, 4]


def test_auto_refresh_looks_at_most_so_often(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with (
        Collection.create(path) as writer,
        Collection.open(path, auto_refresh=0) as eager,
        Collection.open(path, auto_refresh=3600.0) as lazy,
        Collection.open(path) as still,
    ):
        writer.upsert([1], [{0: 1.0}])
        assert [len(one.search_one({0: 1.0}, k=None).ids) for one in (eager, lazy, still)] == [1, 0, 0]
        lazy._refreshed -= 3601
        assert len(lazy) == 1
        writer.delete([1])
        assert [len(one) for one in (eager, lazy, still)] == [0, 1, 0]
        lazy.refresh()
        assert len(lazy) == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [({"auto_refresh": -1}, ValueError), ({"auto_refresh": "1"}, TypeError),
     ({"auto_refresh": float("nan")}, ValueError),
     ({"auto_refresh": 1, "mode": "rw"}, ValueError), ({"mode": "w"}, ValueError)],
)  # fmt: skip
def test_open_refuses(tmp_path: Path, options: dict[str, object], error: type[Exception]) -> None:
    Collection.create(tmp_path / "c").close()
    with pytest.raises(error, match=r"auto_refresh|mode"):
        Collection.open(tmp_path / "c", **options)  # type: ignore[arg-type]


def test_a_reader_survives_a_fork(tmp_path: Path) -> None:
    collection, oracle = filled(tmp_path / "c", seed=7)
    asked = queries(1)
    expected = [oracle.search(query)[:5] for query in asked]
    reader = Collection.open(tmp_path / "c")
    snapshot = reader.snapshot()
    hits = reader.search(asked, 5)

    def child() -> None:
        assert [[hit.id for hit in found] for found in rows(hits)] == [[hit.id for hit in row] for row in expected]
        assert hits.payloads()[0] == [oracle.documents[hit.id].payload for hit in expected[0]]
        for one in (reader, snapshot):
            assert list(rows(one.search(asked, 5, threads=2))) == expected
            assert one.get([expected[0][0].id])[0].payload == oracle.documents[expected[0][0].id].payload
        reader.refresh()
        assert list(rows(reader.search(asked, 5))) == expected
        snapshot.close()
        reader.close()

    with collection:
        in_child(child)
        # What the child closed was its own.
        assert list(rows(reader.search(asked, 5))) == expected
        [mark] = marked_versions(tmp_path / "c")
        assert mark <= snapshot.version  # a reader marks what it is about to load, and a segment may be built meanwhile
        reader.close()


def test_a_child_leaves_its_parents_marks(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c") as writer, Collection.open(tmp_path / "c") as reader:
        version = reader._view().version
        writer.upsert([1], [{0: 1.0}])

        def child() -> None:
            assert reader.refresh()  # and lets go of the version that the parent reads
            assert len(reader) == 1

        in_child(child)
        assert list(marked_versions(tmp_path / "c")) == [version]
        assert len(reader) == 0


def test_a_writers_child_reads_and_does_not_write(tmp_path: Path) -> None:
    collection, oracle = filled(tmp_path / "c", seed=8)
    asked = queries(2)
    expected = [oracle.search(query)[:5] for query in asked]
    told, tell = os.pipe()
    go, going = os.pipe()

    def child() -> None:
        for write in (
            lambda: collection.upsert(["new"], [{0: 1.0}]),
            lambda: collection.delete(all=True),
            collection.flush,
            collection.optimize,
        ):
            with pytest.raises(ValueError, match="read-only in a forked process"):
                write()
        assert list(rows(collection.search(asked, 5))) == expected
        os.write(tell, b".")
        os.read(go, 1)  # the parent has changed all payloads, and merged
        assert collection.get([expected[0][0].id])[0].payload == oracle.documents[expected[0][0].id].payload
        assert list(rows(collection.search(asked, 5))) == expected
        assert collection.refresh() is True
        assert collection.count({"changed": True}) == len(collection) == len(oracle.documents) + 1
        collection.close()

    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child()
            code = 0
        except BaseException:  # noqa: BLE001 - shown, and told by the exit code
            traceback.print_exc()
            os.write(tell, b"!")
        finally:
            os._exit(code)
    assert os.read(told, 1) == b"."
    collection.upsert(["after"], [{0: 1.0}])
    collection.update_payload([*oracle.documents, "after"], {"changed": True}, replace=True)
    collection.optimize()
    os.write(going, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    for descriptor in (told, tell, go, going):
        os.close(descriptor)
    collection.upsert(["more"], [{0: 1.0}])
    with pytest.raises(LockedError):
        Collection.open(tmp_path / "c", mode="rw")
    collection.close()
    with Collection.open(tmp_path / "c", mode="rw") as again:
        assert len(again) == len(oracle.documents) + 2


def test_a_child_that_lives_on_does_not_keep_the_lock(tmp_path: Path) -> None:
    collection = Collection.create(tmp_path / "c")
    go, going = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(going)
        os.read(go, 1)
        os._exit(0)
    collection.close()
    Collection.open(tmp_path / "c", mode="rw").close()
    os.close(going)
    os.close(go)
    os.waitpid(pid, 0)


def test_pickles_as_its_path(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c") as writer:
        writer.upsert(["a"], [{0: 1.0}])
        data = pickle.dumps(writer)
        with pickle.loads(data) as reader:
            assert len(reader) == 1
            with pytest.raises(ValueError, match="open for reading"):
                reader.delete(["a"])
        with Collection.open(tmp_path / "c", auto_refresh=0) as eager, pickle.loads(pickle.dumps(eager)) as same:
            writer.upsert(["b"], [{0: 1.0}])
            assert len(same) == 2
        with pytest.raises(TypeError, match="snapshot"):
            pickle.dumps(writer.snapshot())
    with pytest.raises(ValueError, match="closed"):
        pickle.dumps(writer)


def _found(collection: Collection) -> list[object]:
    with collection:
        return list(collection.search_one({0: 1.0}, k=3).ids)


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_goes_to_other_processes(tmp_path: Path, method: str) -> None:
    with Collection.create(tmp_path / "c") as writer:
        writer.upsert(["a", "b"], [{0: 1.0}, {0: 2.0}])
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.apply(_found, (writer,)) == ["b", "a", None]


def test_a_closed_writer_leaves_no_lock_in_copies_that_children_have(tmp_path: Path) -> None:
    collection = Collection.create(tmp_path / "c")
    assert collection._writer is not None
    lock = collection._writer._file_lock._file
    assert lock is not None
    copy = os.dup(lock.fileno())
    collection.close()
    Collection.open(tmp_path / "c", mode="rw").close()
    os.close(copy)
