from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from thresher.formats._atomic import atomic_write


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
