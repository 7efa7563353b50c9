"""Documents that come one after the other, and builds in bounded memory: the same index each time."""

from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

import thresher
from helpers import environment, expect
from strategies import Case

Engine: TypeAlias = Any
SCRIPT = Path(__file__).parents[1] / "soak" / "limited_memory.py"


def file_of(index: thresher.Index, folder: Path) -> bytes:
    index.save(folder / "docs.thresher")
    return (folder / "docs.thresher").read_bytes()


def matrix_of(case: Case) -> sp.csr_array:
    docs = case.docs
    return sp.csr_array((docs.data, docs.indices, docs.indptr), shape=docs.shape)


def as_dicts(docs: sp.csr_array) -> Iterator[dict[int, float]]:
    for start, stop in zip(docs.indptr[:-1], docs.indptr[1:], strict=True):
        yield dict(zip(docs.indices[start:stop].tolist(), docs.data[start:stop].tolist(), strict=True))


def as_pairs(docs: sp.csr_array) -> Iterator[tuple[Any, Any]]:
    for start, stop in zip(docs.indptr[:-1], docs.indptr[1:], strict=True):
        yield docs.indices[start:stop], docs.data[start:stop]


def as_batches(docs: sp.csr_array, size: int = 7) -> Iterator[sp.csr_array]:
    for start in range(0, docs.shape[0], size):
        yield docs[start : start + size]


def as_table(docs: sp.csr_array) -> pa.Table:
    offsets = pa.array(docs.indptr, pa.int32())
    return pa.table(
        {
            "indices": pa.ListArray.from_arrays(offsets, pa.array(docs.indices.astype(np.uint32))),
            "values": pa.ListArray.from_arrays(offsets, pa.array(docs.data)),
        }
    )


@pytest.fixture
def docs() -> sp.csr_array:
    """Return documents of which the last term is in use, so that all forms know the width."""
    rng = np.random.default_rng(3)
    dense = np.where(rng.random((9000, 300)) < 0.02, rng.random((9000, 300), np.float32), 0)
    dense[17, 299] = 0.5
    return sp.csr_array(dense.astype(np.float32))


# ------------------------------------------------------------------------------------------------------ iterators


@pytest.mark.parametrize("form", [as_dicts, as_pairs, as_batches, lambda docs: as_table(docs).to_batches(1000)])
@pytest.mark.parametrize("scratch", [False, True])
def test_any_items_make_the_whole(form: Any, scratch: bool, docs: sp.csr_array, tmp_path: Path) -> None:
    builder = thresher.Builder(thresher.ExactIndex, scratch=tmp_path if scratch else None)
    assert builder.extend(form(docs)) == 9000
    assert builder.n_docs == 9000
    expected = file_of(thresher.ExactIndex.build(docs), tmp_path)
    assert file_of(builder.freeze(), tmp_path) == expected
    given = iter(form(docs))
    assert file_of(thresher.ExactIndex.build(given, scratch=tmp_path if scratch else None), tmp_path) == expected


def test_items_of_many_kinds_keep_their_order() -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    items: list[Any] = [
        {1: 1.0},
        ([2], [2.0]),
        sp.csr_array([[0, 0, 0, 3.0]]),
        sp.csr_array([[4.0, 0], [0, 5.0]]),
        {},
        ([], []),
        [{0: 6.0}, {7: 7.0}],
        (np.array([3], np.int8), np.array([8], np.float16)),
        as_table(sp.csr_array([[0, 9.0], [10.0, 0]])).to_batches()[0],
    ]
    assert builder.extend(items) == 12
    index = builder.freeze()
    expected = np.zeros((12, 8))
    weights = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 1), (7, 0), (8, 7), (9, 3), (10, 1), (11, 0)]
    for weight, place in enumerate(weights, 1):
        expected[place] = weight
    assert np.array_equal(index.vectors(range(12)).toarray(), expected)


def test_a_generator_is_taken_piece_by_piece() -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    seen: list[int] = []

    def rows() -> Iterator[dict[int, float]]:
        for n in range(10_000):
            seen.append(builder.n_docs)
            yield {n % 7: 1.0}

    builder.extend(rows())
    assert builder.n_docs == 10_000
    assert len(set(seen)) > 2, "not all are gathered first"


BAD: list[tuple[Any, type[Exception], list[str]]] = [
    ({5: np.inf}, ValueError, ["docs: item 4100: row 0 has weight inf for term 5"]),
    ({-5: 1.0}, ValueError, ["docs: item 4100: row 0 has term -5"]),
    ({"a": 1.0}, TypeError, ["docs: item 4100 has the term 'a'"]),
    (([1, 2], [1.0]), ValueError, ["docs: item 4100: indices and weights differ in length: 2 and 1"]),
    (([1.5], [1.0]), TypeError, ["docs: item 4100: indices must be whole numbers, got dtype float64"]),
    (([1], ["x"]), TypeError, ["docs: item 4100: weights must be real numbers"]),
    (([[1]], [[1.0]]), ValueError, ["docs: item 4100: indices must be 1-D"]),
    (([2**32], [1.0]), ValueError, ["docs: item 4100 has the term 4294967296"]),
    (([1], [np.nan]), ValueError, ["docs: item 4100: row 0 has weight nan for term 1"]),
    (sp.csr_array([[1.0], [np.inf]]), ValueError, ["docs: item 4100: row 1 has weight inf for term 0"]),
    ("text", TypeError, ["docs: item 4100", "got str"]),
    (None, TypeError, ["docs: item 4100", "got NoneType"]),
]


@pytest.mark.parametrize(("bad", "error", "words"), BAD)
def test_errors_name_the_item_and_keep_those_before(bad: Any, error: type[Exception], words: list[str]) -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    items = [*({n % 50: 1.0} for n in range(4100)), bad, {1: 1.0}]
    with expect(error, *words):
        builder.extend(iter(items))
    assert builder.n_docs == 4100
    with expect(error, *words):
        thresher.ExactIndex.build(iter(items))


def test_what_an_iterator_raises_comes_through() -> None:
    def rows() -> Iterator[dict[int, float]]:
        yield {0: 1.0}
        raise RuntimeError("gone")

    with expect(RuntimeError, "gone"):
        thresher.ExactIndex.build(rows())
    with expect(TypeError, "int"):
        thresher.Builder(thresher.ExactIndex).extend(5)  # type: ignore[arg-type]


def test_the_shape_of_an_iterator() -> None:
    index = thresher.ExactIndex.build(iter([{1: 1.0}, {}]), shape=(2, 9))
    assert (index.n_docs, index.n_terms) == (2, 9)
    with expect(ValueError, "docs", "3"):
        thresher.ExactIndex.build(iter([{1: 1.0}, {}]), shape=(3, 9))
    assert thresher.ExactIndex.build(iter(())).n_docs == 0


# -------------------------------------------------------------------------------------------------- bounded memory


def test_an_index_built_in_files_is_the_same(engine: Engine, case: Case, tmp_path: Path) -> None:
    docs = matrix_of(case)
    folder = tmp_path / "scratch"
    folder.mkdir()
    expected = file_of(engine.build(docs), tmp_path)
    assert file_of(engine.build(docs, scratch=folder), tmp_path) == expected
    builder = thresher.Builder(engine, scratch=folder)
    builder.extend(as_batches(docs))
    index = builder.freeze(tmp_path / "frozen.thresher")
    assert type(index) is engine
    assert (tmp_path / "frozen.thresher").read_bytes() == expected
    assert index.search(docs[:3], 2).ids.tolist() == engine.build(docs).search(docs[:3], 2).ids.tolist()
    assert list(folder.iterdir()) == []


def run(*arguments: str, timeout: int = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment() | {"OPENBLAS_NUM_THREADS": "1"},
    )


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process")
@pytest.mark.parametrize("name", sorted(thresher.engines()))
def test_twice_the_memory_allowed(name: str, tmp_path: Path) -> None:
    length = "500" if name == "graph" else "100"  # a graph takes its time for each document
    done = run(str(tmp_path / "x"), "--engine", name, "--scratch", str(tmp_path), "--length", length)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "built" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process")
def test_twice_the_memory_allowed_is_too_much_without_files(tmp_path: Path) -> None:
    done = run(str(tmp_path / "x"), "--engine", "exact")
    assert done.returncode == 1
    assert "MemoryError" in done.stderr
    assert list(tmp_path.iterdir()) == []


def limited(n_bytes: int) -> Any:
    """Return a context in which no file grows beyond so many bytes."""

    class Limit:
        def __enter__(self) -> None:
            self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, self.before[1]))

        def __exit__(self, *error: object) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, self.before)

    return Limit()


def test_a_disk_without_room(engine: Engine, docs: sp.csr_array, tmp_path: Path) -> None:
    builder = thresher.Builder(engine, scratch=tmp_path)
    with limited(1000), pytest.raises(OSError, match="File too large") as caught:
        builder.add(docs)
    assert caught.value.filename == str(tmp_path)
    assert builder.n_docs == 0
    wide = sp.vstack([docs] * 100, format="csr")
    builder.add(wide)
    with limited(1 << 20), pytest.raises(OSError, match="File too large"):
        builder.freeze()
    with limited(1 << 20), pytest.raises(OSError, match="File too large"):
        engine.build(wide, scratch=tmp_path)
    assert builder.n_docs == 900_000, "the documents are kept"
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_written_keeps_the_documents(docs: sp.csr_array, tmp_path: Path) -> None:
    builder = thresher.Builder(thresher.ExactIndex, scratch=tmp_path)
    builder.add(docs)
    with pytest.raises(OSError, match="No such file"):
        builder.freeze(tmp_path / "nowhere" / "x.thresher")
    assert builder.freeze(tmp_path / "x.thresher").n_docs == 9000


@pytest.mark.parametrize("folder", ["/nowhere/at all", "/proc/self", __file__])
def test_a_folder_that_takes_no_files(folder: str) -> None:
    with pytest.raises(OSError, match=Path(folder).name):
        thresher.Builder(thresher.ExactIndex, scratch=folder)
    with pytest.raises(OSError, match=Path(folder).name):
        thresher.ExactIndex.build(sp.csr_array([[1.0]]), scratch=folder)


def test_what_is_no_folder() -> None:
    with expect(TypeError, "scratch must be a str", "int"):
        thresher.Builder(thresher.ExactIndex, scratch=3)  # type: ignore[call-overload]
    with expect(TypeError, "scratch must be a str", "bool"):
        thresher.ExactIndex.build(sp.csr_array([[1.0]]), scratch=True)  # type: ignore[arg-type]


def test_a_build_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(tmp_path / "x"), "--scratch", str(tmp_path), "--allowed", "400"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    in_use = Path(f"/proc/{process.pid}/fd")

    def has_files() -> bool:
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            return any(str(tmp_path) in str(fd.readlink()) for fd in in_use.iterdir())
        return False

    while not has_files():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(tmp_path.iterdir()) == []
