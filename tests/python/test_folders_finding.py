"""Which files are found: in order, each once, and the others told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from thresher.collection import Collection
from thresher.folders import find
from thresher.folders.finding import names_of


def names(folder: Path, *, follow: bool = False) -> list[str]:
    return [file.name for file in find(folder, folder, follow=follow).files]


def test_files_come_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b/z.txt", "b.txt", "a.txt", ".git/config", "b/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = find(tmp_path, tmp_path)
    assert [(file.name, file.size) for file in found.files] == [("a.txt", 5), ("b.txt", 5), ("b/z.txt", 7)]
    assert found.skipped == {"hidden": [".git", "b/.hidden"]}


def test_loops_of_links_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.txt").write_text("1")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "link.txt").symlink_to("a/one.txt")
    assert names(tmp_path) == ["a/one.txt"]
    assert names(tmp_path, follow=True) == ["a/one.txt", "link.txt"]
    skipped = find(tmp_path, tmp_path, follow=True).skipped
    assert skipped == {"a folder that was entered already": ["a/up"], "unreadable": ["self"]}


def test_what_is_large_or_no_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 11)
    (tmp_path / "fits").write_bytes(b"x" * 10)
    os.mkfifo(tmp_path / "pipe")
    Collection.create(tmp_path / "inner").close()
    found = find(tmp_path, tmp_path, most_bytes=10)
    assert [file.name for file in found.files] == ["fits"]
    assert found.skipped == {"larger than 10 bytes": ["large"], "no file": ["pipe"], "a collection": ["inner"]}


def test_names_that_are_no_text_or_too_long_have_keys_of_their_own(tmp_path: Path) -> None:
    one, other = (tmp_path / os.fsdecode(raw) for raw in (b"\xff.txt", b"\xfe.txt"))
    assert names_of(one, tmp_path)[0] == names_of(other, tmp_path)[0] == "\ufffd.txt"
    assert names_of(one, tmp_path)[1] != names_of(other, tmp_path)[1]
    long = "\u00e4" * 100 + "/"
    keys = {names_of(tmp_path / (long * 5 + end), tmp_path)[1] for end in "ab"}
    assert len(keys) == 2
    assert all(len(key.encode()) <= 480 for key in keys)
    assert names_of(Path("/else/where"), tmp_path) == ("/else/where", "/else/where")


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find(tmp_path / "gone", tmp_path)
