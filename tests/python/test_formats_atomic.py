from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from helpers import run_python
from thresher.formats import _atomic
from thresher.formats._atomic import atomic_write


@pytest.fixture(params=["unnamed", "named"], autouse=True)
def temporary(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both kinds of temporary: those without a name, and those of systems that have no such files."""
    kind: str = request.param
    if kind == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("needs O_TMPFILE")
    return kind


def test_creates_with_the_permissions_of_a_plain_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    with atomic_write(tmp_path / "new") as out:
        out.write(b"content")
    assert (tmp_path / "new").read_bytes() == b"content"
    assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode


def test_nothing_changes_until_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with atomic_write(target) as out:
        out.write(b"new")
        out.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_no_other(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(error), atomic_write(target) as out:  # noqa: PT012
        out.write(b"half")
        raise error
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_keeps_permissions_and_follows_links(tmp_path: Path) -> None:
    target, link = tmp_path / "file", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    with atomic_write(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_missing_folder_is_told_by_the_target(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "file"
    with pytest.raises(FileNotFoundError) as caught, atomic_write(target):
        pass
    assert caught.value.filename == str(target)


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    with atomic_write(pipe) as out:
        out.write(b"content")
    reader.join(timeout=10)
    assert received == [b"content"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_a_pipe_refuses_is_told_by_its_name(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: pipe.open("rb").close(), daemon=True)
    reader.start()
    with pytest.raises(BrokenPipeError) as caught, atomic_write(pipe) as out:  # noqa: PT012
        reader.join(timeout=10)
        out.write(b"content")
        out.flush()
    assert caught.value.filename == str(pipe)


def test_a_full_disk_names_the_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left") as caught, atomic_write(target):
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(target)
    assert target.read_bytes() == b"old"


def test_creates_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "link"
    link.symlink_to("far/target")
    with atomic_write(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "far" / "target").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["n" * 255, "\u00e4" * 127, "\U0001f600" * 63])
def test_names_of_any_length(tmp_path: Path, name: str) -> None:
    with atomic_write(tmp_path / name) as out:
        out.write(b"content")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_leftovers_of_writers_that_are_gone_are_removed(tmp_path: Path) -> None:
    names = [".f.thresher-0", ".f.thresher-1", ".f.thresher-3", ".g.thresher-0"]
    for name in names:
        (tmp_path / name).write_bytes(b"half")
    with (tmp_path / ".f.thresher-1").open("wb") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        with atomic_write(tmp_path / "f") as out:
            out.write(b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".f.thresher-1", ".g.thresher-0", "f"]


def test_two_writers_of_one_file_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    target = tmp_path / "f"
    with atomic_write(target) as first, atomic_write(target) as second:
        second.write(b"second")
        first.write(b"first")
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]


KILLED = """
import os, signal, sys
if sys.argv[2] == "named":
    del os.O_TMPFILE
from thresher.formats._atomic import atomic_write
with atomic_write(sys.argv[1]) as out:
    out.write(b"half")
    out.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_that_was_killed_leaves_nothing_for_long(tmp_path: Path, temporary: str) -> None:
    target = tmp_path / "f"
    target.write_bytes(b"old")
    for _ in range(3):
        assert run_python(KILLED, target, temporary).returncode < 0
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == (1 if temporary == "unnamed" else 2)
    with atomic_write(target) as out:
        out.write(b"new")
    assert list(tmp_path.iterdir()) == [target]


def test_what_went_wrong_first_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: str) -> None:
    def refuses(self: Path, *args: Any, **kwargs: Any) -> None:
        raise PermissionError(errno.EACCES, "the clean-up failed", str(self))

    monkeypatch.setattr(Path, "unlink", refuses)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "the first error")))
    with pytest.raises(OSError, match="the first error"), atomic_write(tmp_path / "f") as out:
        out.write(b"content")


def test_a_system_without_proc_still_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_atomic, "_link_to", lambda descriptor: f"/no/such/folder/{descriptor}")
    with atomic_write(tmp_path / "f") as out:
        out.write(b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
