"""Readers beside a writer, in other processes and threads: each sees one version whole, and none is in the way."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import collection_readers
from collection_readers import read, write
from thresher.collection import Collection, Upkeep


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """A collection that is flushed, merged and tidied all the time."""
    upkeep = Upkeep(flush_docs=40, flush_upserts=60, merge_width=2)
    with Collection.create(
        tmp_path / "docs", n_terms=4, fields={"n": "int"}, durability="normal", upkeep=upkeep
    ) as opened:
        write(opened, 1)
        yield opened


def test_readers_in_other_processes_see_whole_versions(collection: Collection) -> None:
    command = [sys.executable, collection_readers.__file__, str(collection.path)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    number = 1
    assert [reader.stdout.readline() for reader in readers if reader.stdout is not None] == ["reading\n"] * 2
    try:
        while number < 150:
            number += 1
            write(collection, number)
            if number % 40 == 0:
                collection.optimize()
            if number == 150 - 1:
                assert all(reader.poll() is None for reader in readers), "they read all the while"
    finally:
        collection.path.with_suffix(".done").touch()
        told = [reader.communicate() for reader in readers]
    for reader, (out, error) in zip(readers, told, strict=True):
        assert reader.returncode == 0, error
        n, last = map(int, out.split())
        assert n > 1
        assert last == number
    assert collection._maintenance is not None
    assert collection._maintenance.failure is None


def test_threads_search_while_one_writes(collection: Collection) -> None:
    is_over = threading.Event()
    failures: list[BaseException] = []

    def search() -> None:
        last = 0
        try:
            while not is_over.is_set():
                with collection.snapshot() as snapshot:
                    number = read(snapshot)
                    assert number >= last
                    last = number
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(2, 60):
            write(collection, number)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert read(collection) == 59


_LEFT_OPEN = """
import sys
from thresher.collection import Collection, Upkeep
collection = Collection.create(sys.argv[1], n_terms=100, upkeep=Upkeep(flush_docs=500))
for number in range(5):
    collection.upsert(range(number * 1000, number * 1000 + 1000), [{one % 100: 1.0} for one in range(1000)])
"""


def test_an_interpreter_that_ends_without_close_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LEFT_OPEN, str(tmp_path / "docs")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with Collection.open(tmp_path / "docs", mode="rw") as collection:
        assert [doc.id for doc in collection.scan()] == list(range(5000))


def test_a_document_that_was_read_without_vectors_says_so(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c") as collection:
        collection.upsert(["a"], [{0: 1.0}])
        (document,) = collection.scan()
        with pytest.raises(ValueError, match="document 'a' was read without its vectors"):
            _ = document.vector
