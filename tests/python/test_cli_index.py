"""``thresher index``: what is in the collection is what is in the folder, whatever happened before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from thresher.cli.app import app
from thresher.collection import Collection
from thresher.encoders import BM25Encoder
from thresher.folders import index_folder, indexing
from thresher.folders.indexing import FIELDS

FILES: dict[str, str | bytes] = {
    "notes/fox.txt": "The quick fox jumps.\n\nOver a lazy dog.",
    "notes/empty.txt": " \n",
    "guide.md": "# Guide\n\nIntro words.\n\n## Install\n\nUse the wheel.\n",
    "page.html": "<title>Page</title><script>var hidden</script><p>Crows drink &amp; fly</p>",
    "lines.jsonl": '{"text": "a pitcher", "year": 1884}\nnot json\n{"body": "mice met", "x": [1]}\n',
    "rows.csv": "name;year\nalpha;1912\nbeta;1884\n",
    "wide.txt": "\ufeffutf sixteen words".encode("utf-16-le"),
    "latin.txt": b"caf\xe9 au lait",
    "image.bin": b"\x89PNG\0\0\0",
    ".secret": "password",
}


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files, as if it had been an hour ago."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        age(path)


def age(path: Path, seconds: int = 3600) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["index", *map(str, arguments)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def contents(path: Path) -> dict[str, Any]:
    with Collection.open(path) as collection:
        return {str(one.id): (one.text, one.payload) for one in collection.scan()}


def scores(path: Path, question: str) -> dict[str, float]:
    with Collection.open(path) as collection:
        return {hit["id"]: hit["score"] for hit in collection.search_one(question, k=50).to_dicts()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "folder", FILES)
    return tmp_path / "folder"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    names: list[str] = []
    read = indexing.read_bytes

    def counted(path: Path) -> bytes:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(indexing, "read_bytes", counted)
    return names


def test_all_kinds_of_files(folder: Path) -> None:
    told = run(folder)
    assert "8 files stored as 10 passages" in told
    assert "left out, hidden: .secret" in told
    assert "left out, binary: image.bin" in told
    assert "lines.jsonl: line 2: not JSON" in told
    assert "latin.txt: some bytes" in told
    found = contents(folder / ".thresher")
    texts = {name: text for name, (text, _) in found.items()}
    assert texts == {
        "guide.md#0": "# Guide\n\nIntro words.",
        "guide.md#1": "## Install\n\nUse the wheel.",
        "latin.txt#0": "caf\ufffd au lait",
        "lines.jsonl#0": "a pitcher",
        "lines.jsonl#1": "mice met",
        "notes/empty.txt#0": "",
        "notes/fox.txt#0": "The quick fox jumps.\n\nOver a lazy dog.",
        "page.html#0": "Crows drink & fly",
        "rows.csv#0": "alpha | 1912",
        "rows.csv#1": "beta | 1884",
        "wide.txt#0": "utf sixteen words",
    }
    _, payload = found["guide.md#1"]
    assert payload == {"path": "guide.md", "title": "Guide > Install", "place": "line 5"}
    _, payload = found["rows.csv#1"]
    assert payload == {"path": "rows.csv", "title": "rows", "place": "row 3", "name": "beta", "year": 1884}
    assert found["lines.jsonl#1"][1]["x"] == [1]


def test_only_changed_files_are_read_again(folder: Path, reads: list[str]) -> None:
    run(folder)
    assert sorted(reads) == sorted(Path(name).name for name in FILES if name != ".secret")
    reads.clear()
    assert "0 files stored as 0 passages, 8 unchanged, 0 deleted" in run(folder)
    assert reads == ["image.bin"]  # nothing is kept of it
    reads.clear()
    age(folder / "guide.md", 100)  # touched, and the same
    write(folder, {"rows.csv": "name;year\ngamma;1912\n", "new.txt": "new"})
    (folder / "page.html").unlink()
    assert "2 files stored as 2 passages, 6 unchanged, 1 deleted" in run(folder)
    assert sorted(reads) == ["guide.md", "image.bin", "new.txt", "rows.csv"]
    reads.clear()
    run(folder)
    assert reads == ["image.bin"]


def test_a_change_of_the_same_size_and_time_is_seen_if_the_file_was_young(folder: Path) -> None:
    path = folder / "young.txt"
    path.write_text("first")
    facts = path.stat()
    run(folder)
    path.write_text("other")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    run(folder)
    assert contents(folder / ".thresher")["young.txt#0"][0] == "other"


def test_after_changes_it_is_as_a_fresh_one(folder: Path, tmp_path: Path) -> None:
    run(folder)
    write(folder, {"notes/fox.txt": "crows " * 900, "lines.jsonl": '{"text": "a crow"}\n', "zed/z.md": "# Crow\n"})
    (folder / "rows.csv").unlink()
    run(folder)
    write(folder, {"notes/fox.txt": "one fox, one crow"})
    run(folder)
    (folder / ".thresher").rename(tmp_path / "changed")
    run(folder)
    assert contents(tmp_path / "changed") == contents(folder / ".thresher")
    assert scores(tmp_path / "changed", "crow fox") == pytest.approx(scores(folder / ".thresher", "crow fox"))
    assert len(scores(tmp_path / "changed", "crow fox")) == 4


def test_broken_off_and_run_again_it_is_as_a_fresh_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {f"many/{number:02}.txt": f"number {number} crow" for number in range(20)})
    run(folder)
    (folder / ".thresher").rename(tmp_path / "fresh")
    monkeypatch.setattr(indexing, "_AT_ONCE", 3)
    read, left = indexing.read_bytes, 15

    def dies(path: Path) -> bytes:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(indexing, "read_bytes", dies)
    run(folder, code=130)
    n = len(contents(folder / ".thresher"))
    assert 0 < n < len(contents(tmp_path / "fresh"))
    monkeypatch.setattr(indexing, "read_bytes", read)
    run(folder)
    assert contents(folder / ".thresher") == contents(tmp_path / "fresh")
    assert scores(folder / ".thresher", "crow 7") == pytest.approx(scores(tmp_path / "fresh", "crow 7"))


def test_killed_and_run_again_it_is_as_a_fresh_one(folder: Path, tmp_path: Path) -> None:
    write(folder, {f"many/{number:02}.txt": f"number {number} crow" for number in range(20)})
    run(folder)
    (folder / ".thresher").rename(tmp_path / "fresh")
    script = f"""
import os, signal
from thresher.cli.app import app
from thresher.folders import indexing
indexing._AT_ONCE = 3
read, left = indexing.read_bytes, 15
def dies(path):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(path)
indexing.read_bytes = dies
app(["index", {str(folder)!r}])
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    assert 0 < len(contents(folder / ".thresher")) < len(contents(tmp_path / "fresh"))
    run(folder)
    assert contents(folder / ".thresher") == contents(tmp_path / "fresh")


def test_one_file_leaves_the_others_alone(folder: Path, tmp_path: Path) -> None:
    run(folder)
    before = contents(folder / ".thresher")
    write(folder, {"guide.md": "# Other\n"})
    assert "1 files stored as 1 passages, 0 unchanged, 0 deleted" in run(folder / "guide.md")
    after = contents(folder / ".thresher")
    assert set(before) - set(after) == {"guide.md#1"}
    # Several folders in one collection, elsewhere: names are absolute.
    write(tmp_path / "second", {"b.txt": "second"})
    run(folder / "notes", "--collection", tmp_path / "both/c", code=1)  # no folder to make it in
    (tmp_path / "both").mkdir()
    run(folder / "notes", "--collection", tmp_path / "both/c")
    run(tmp_path / "second", "-c", tmp_path / "both/c")
    assert f"{tmp_path}/second/b.txt#0" in contents(tmp_path / "both/c")
    assert f"{folder}/notes/fox.txt#0" in contents(tmp_path / "both/c")


def test_errors_are_one_line(folder: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "nowhere", code=1).endswith("nowhere: no such file or folder")
    assert not (tmp_path / ".thresher").exists()
    run(folder, "--encoder", "steam", code=2)
    run(folder)
    assert "can't be compared" in run(folder, "--encoder", "bm25:de", code=1)
    with Collection.open(folder / ".thresher", mode="rw"):
        assert "another writer" in run(folder, code=1)


def test_what_is_not_readable_any_more_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder)
    write(folder, {"guide.md": "longer than before, and secret" * 9})

    def refuses(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(indexing, "read_bytes", refuses)
    assert "left out, unreadable:" in run(folder)
    assert contents(folder / ".thresher")["guide.md#1"][0] == "## Install\n\nUse the wheel."


def test_documents_of_others_are_left_alone(folder: Path) -> None:
    with Collection.create(folder / ".thresher", encoder=BM25Encoder("en"), fields=FIELDS) as collection:
        collection.upsert(["mine"], texts=["crow"], payloads=[{"path": "gone.txt"}])
        report = index_folder(collection, folder, folder)
        assert (report.stored, report.deleted) == (8, 0)
        assert "mine" in collection


def test_watch_stores_changes_until_interrupted(folder: Path) -> None:
    command = [sys.executable, "-m", "thresher.cli", "index", str(folder), "--watch", "--interval", "0.05"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "watching" in line:
                break
        (folder / "late.txt").write_text("late words")
        assert "1 files stored as 1 passages" in process.stderr.readline()
        process.stderr.readline(), process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 0, rest
    assert "ended" in rest
    assert "Traceback" not in rest
    assert contents(folder / ".thresher")["late.txt#0"][0] == "late words"
