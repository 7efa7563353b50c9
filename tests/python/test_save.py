"""Saving: the old file or the new one, whatever happens, and nothing left beside it."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import listing, run_python, search_bytes
from strategies import Case

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def test_an_existing_file_is_replaced(path: Path, index: thresher.Index) -> None:
    path.write_bytes(b"old")
    index.save(path)
    assert thresher.open(path).n_docs == 300
    assert listing(path.parent) == ["docs.thresher"]


def test_the_mode_of_a_new_file(path: Path) -> None:
    plain = path.parent / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_the_mode_of_a_file_that_is_replaced(path: Path, index: thresher.Index) -> None:
    path.chmod(0o640)
    index.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_saving_over_what_is_no_file(index: thresher.Index, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe"):
        index.save(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()
    assert listing(tmp_path) == ["pipe"]


def test_saving_over_a_file_that_is_open(engine: Engine, path: Path, case: Case) -> None:
    opened = thresher.open(path)
    expected = search_bytes(opened, case)
    other = engine.build(sp.csr_array(np.eye(4, dtype=np.float32)))
    other.save(path)
    assert search_bytes(opened, case) == expected
    assert thresher.open(path).n_docs == 4
    opened.save(path)
    assert search_bytes(thresher.open(path), case) == expected


def test_an_open_file_may_be_moved_and_deleted(path: Path, index: thresher.Index, case: Case) -> None:
    opened = thresher.open(path)
    path.rename(path.with_suffix(".moved"))
    assert search_bytes(opened, case) == search_bytes(index, case)
    path.with_suffix(".moved").unlink()
    assert search_bytes(opened, case) == search_bytes(index, case)


def test_saving_where_there_is_a_directory(index: thresher.Index, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken") as caught:
        index.save(tmp_path / "taken")
    assert caught.value.filename == str(tmp_path / "taken")
    assert listing(tmp_path) == ["taken"]
    assert list((tmp_path / "taken").iterdir()) == []


def test_saving_where_there_is_nothing(index: thresher.Index, tmp_path: Path) -> None:
    target = tmp_path / "no" / "such" / "folder.thresher"
    with pytest.raises(FileNotFoundError) as caught:
        index.save(target)
    assert caught.value.filename == str(target)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        index.save(tmp_path / "file" / "below.thresher")


FULL = """
import os, resource, signal, sys, thresher
index = thresher.open(sys.argv[1])
size = os.path.getsize(sys.argv[1])
for limit in (0, 1, 64, 1000, size // 2, size - 1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for target in sys.argv[2:]:
        try:
            index.save(target)
        except OSError as error:
            assert error.filename == target, error
            assert sorted(os.listdir(os.path.dirname(target))) == ["other.thresher"], os.listdir()
        else:
            raise SystemExit(f"saved {target} whole within {limit} bytes")
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
index.save(sys.argv[3])  # just fits
"""


@linux
def test_a_disk_that_fills_up_leaves_the_old_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    other = tmp_path / "full" / "other.thresher"
    other.write_bytes(b"the old file")
    done = run_python(FULL, path, other, tmp_path / "full" / "new.thresher")
    assert (done.returncode, done.stderr) == (0, "")
    assert other.read_bytes() == b"the old file"
    assert (tmp_path / "full" / "new.thresher").read_bytes() == path.read_bytes()


KILLED = """
import os, resource, signal, sys, thresher
index = thresher.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
index.save(sys.argv[2])
"""


@linux
def test_a_process_killed_while_saving_leaves_the_old_file(path: Path, index: thresher.Index, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    old = tmp_path / "folder" / "old.thresher"
    old.write_bytes(b"the old file")
    assert run_python(KILLED, path, old).returncode < 0
    assert old.read_bytes() == b"the old file"
    index.save(old)  # removes what the other has left, where files can't be without a name
    assert listing(old.parent) == ["old.thresher"]


def test_saving_to_a_link_replaces_its_target(index: thresher.Index, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "target").write_bytes(b"the old file")
    (tmp_path / "link").symlink_to("far/target")
    index.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert thresher.open(tmp_path / "far" / "target").n_docs == 300
    assert listing(tmp_path) == ["far", "link"]
    assert listing(tmp_path / "far") == ["target"]


def test_saving_to_a_link_that_leads_nowhere_creates_its_target(index: thresher.Index, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("far/target")
    index.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert thresher.open(tmp_path / "far" / "target").n_docs == 300
