"""Index files: what is written, what is refused, and what survives."""

from __future__ import annotations

import errno
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

import thresher
from helpers import environment, listing, run_python, search_bytes
from strategies import Case

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

HEADER = 64
ENTRY = 64
GOLDEN = sorted((Path(__file__).parents[1] / "data").glob("*.thresher"))

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def crc32c(data: bytes) -> int:
    """Checksum with the polynomial of Castagnoli, bit by bit."""
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (0x82F63B78 if checksum & 1 else 0)
    return checksum ^ 0xFFFFFFFF


def sealed(data: bytes) -> bytes:
    """Return the file with its header's checksum made right."""
    (n_sections,) = struct.unpack_from("<I", data, 24)
    table = bytearray(data[: HEADER + n_sections * ENTRY])
    table[12:16] = bytes(4)
    return data[:12] + struct.pack("<I", crc32c(bytes(table))) + data[16:]


# ------------------------------------------------------------------------------------------------- round trip


def test_a_round_trip(index: thresher.Index, path: Path, case: Case) -> None:
    opened = thresher.open(path)
    assert type(opened) is type(index)
    for name in ("engine", "n_docs", "n_terms", "nnz", "params", "nbytes"):
        assert getattr(opened, name) == getattr(index, name)
    assert search_bytes(opened, case) == search_bytes(index, case)
    everything = np.arange(300)
    np.testing.assert_array_equal(opened.vectors(everything).data, index.vectors(everything).data)


def test_saving_what_was_opened_gives_the_same_file(path: Path, tmp_path: Path) -> None:
    thresher.open(path).save(tmp_path / "again.thresher")
    assert (tmp_path / "again.thresher").read_bytes() == path.read_bytes()


def test_building_and_saving_again_gives_the_same_file(engine: Engine, case: Case, path: Path, tmp_path: Path) -> None:
    engine.build(case.docs.triple, shape=case.docs.shape).save(tmp_path / "again.thresher")
    assert (tmp_path / "again.thresher").read_bytes() == path.read_bytes()


def test_the_index_file_is_as_the_header_says(path: Path) -> None:
    data = path.read_bytes()
    assert data[:8] == b"THRESHER"
    version, _, size, n_sections = struct.unpack_from("<IIQI", data, 8)
    assert version == 4
    assert size == len(data)
    told = thresher.describe(path)
    assert told["format_version"] == version
    assert told["library_version"] == thresher.__version__
    assert told["engine"] in thresher.engines()
    assert len(told["sections"]) == n_sections
    assert all(section["offset"] % 64 == 0 for section in told["sections"])
    widths = {section["name"]: np.dtype(section["dtype"]).itemsize for section in told["sections"]}
    assert len(widths) == n_sections
    assert all(row["nbytes"] == row["length"] * widths[row["name"]] for row in told["sections"])
    assert sealed(data) == data
    assert told["params"]["n_docs"] == 300


def test_without_verification(path: Path, index: thresher.Index, case: Case) -> None:
    assert search_bytes(thresher.open(path, verify=False), case) == search_bytes(index, case)


@pytest.mark.parametrize("wrong", ["no", None, 1, []])
def test_verify_is_a_bool(path: Path, wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"verify must be a bool, got {type(wrong).__name__}"):
        thresher.open(path, verify=wrong)


def test_verify_is_a_keyword(path: Path) -> None:
    with pytest.raises(TypeError):
        thresher.open(path, False)  # type: ignore[call-arg]


# ------------------------------------------------------------------------------------------------------ paths


def test_kinds_of_paths(index: thresher.Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index.save(tmp_path / "a.thresher")
    index.save(str(tmp_path / "b.thresher"))
    assert thresher.open(str(tmp_path / "a.thresher")).n_docs == 300
    assert thresher.open(tmp_path / "b.thresher").n_docs == 300
    assert thresher.describe(str(tmp_path / "a.thresher")) == thresher.describe(tmp_path / "b.thresher")
    monkeypatch.chdir(tmp_path)
    index.save("c.thresher")
    assert thresher.open("c.thresher").n_docs == 300
    assert listing(tmp_path) == ["a.thresher", "b.thresher", "c.thresher"]


NAMES = ["Zürich 検索.thresher", os.fsdecode(b"caf\xe9.thresher"), "a space\n.thresher"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files(index: thresher.Index, tmp_path: Path, name: str, case: Case) -> None:
    index.save(tmp_path / name)
    assert listing(tmp_path) == [name]
    assert search_bytes(thresher.open(tmp_path / name), case) == search_bytes(index, case)
    assert thresher.describe(tmp_path / name)["engine"] == index.engine
    (tmp_path / name).write_bytes(b"not an index")
    for reader in (thresher.open, thresher.describe):
        with pytest.raises(thresher.FormatError, match="not a thresher index"):
            reader(tmp_path / name)
    (tmp_path / name).unlink()
    for reader in (thresher.open, thresher.describe):
        with pytest.raises(FileNotFoundError) as caught:
            reader(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    with pytest.raises(FileNotFoundError) as caught:
        index.save(tmp_path / name / "below.thresher")
    assert caught.value.filename == str(tmp_path / name / "below.thresher")


@pytest.mark.parametrize("name", ["docs.thresher\0", "docs.thresher\0.old", "\0"])
def test_names_with_a_null_character(index: thresher.Index, path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="null"):
        thresher.open(path.parent / name)
    with pytest.raises(ValueError, match="null"):
        thresher.describe(path.parent / name)
    with pytest.raises(ValueError, match="null"):
        index.save(path.parent / name)
    assert listing(path.parent) == ["docs.thresher"]


@pytest.mark.parametrize("wrong", [None, 3, 1.5, ["docs.thresher"]])
def test_what_is_no_path(index: thresher.Index, wrong: Any) -> None:
    for use in (thresher.open, thresher.describe, index.save):
        with pytest.raises(TypeError, match=f"path must be a str, bytes or os.PathLike, got {type(wrong).__name__}"):
            use(wrong)


def test_a_long_name(index: thresher.Index, tmp_path: Path) -> None:
    index.save(tmp_path / ("x" * 255))  # the longest that file systems take
    assert thresher.open(tmp_path / ("x" * 255)).n_docs == 300
    with pytest.raises(OSError, match="x" * 256) as caught:
        index.save(tmp_path / ("x" * 256))
    assert caught.value.errno == errno.ENAMETOOLONG
    assert listing(tmp_path) == ["x" * 255]


# ------------------------------------------------------------------------------------ files that are no index


@pytest.mark.parametrize(
    "content",
    [b"", b"T", b"THRESHER", b"THRESHER" + bytes(56), b"\x93NUMPY" + bytes(200), bytes(4096)],
)
def test_foreign_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.thresher"
    path.write_bytes(content)
    for reader in (thresher.open, thresher.describe):
        with pytest.raises(thresher.FormatError, match=re.escape(str(path))):
            reader(path)
    with pytest.raises(thresher.FormatError):
        thresher.open(path, verify=False)


def test_a_format_error_is_a_value_error() -> None:
    assert issubclass(thresher.FormatError, ValueError)


def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    for reader in (thresher.open, thresher.describe):
        with pytest.raises(IsADirectoryError) as directory:
            reader(tmp_path)
        assert directory.value.filename == str(tmp_path)
        with pytest.raises(FileNotFoundError) as missing:
            reader("missing.thresher")
        assert missing.value.filename == "missing.thresher"
        with pytest.raises(OSError, match="pipe"):
            reader(tmp_path / "pipe")
        with pytest.raises(OSError, match="null"):
            reader(os.devnull)
        with pytest.raises(FileNotFoundError):
            reader("")


# Root may read and write anywhere, and becomes another user for it.
LOCKED = """
import os, sys, thresher
index = thresher.open(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
for use in (thresher.open, index.save):
    try:
        use(sys.argv[2])
    except PermissionError as error:
        assert error.filename == sys.argv[2], error
        print("refused")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_files_and_folders_without_permission(path: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    file = Path(shutil.copy(path, locked))
    file.chmod(0)
    locked.chmod(0o500)
    try:
        done = run_python(LOCKED, path, file)
    finally:
        locked.chmod(0o700)
        file.chmod(0o600)
    assert (done.stdout, done.stderr) == ("refused\nrefused\n", "")
    assert file.read_bytes() == path.read_bytes()
    assert listing(locked) == [file.name]


def test_truncated_files(path: Path, case: Case) -> None:
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    lengths = [*range(130), *rng.integers(0, len(data), 150), len(data) - 64, len(data) - 1]
    for length in lengths:
        path.write_bytes(data[:length])
        for verify in (True, False):
            with pytest.raises(thresher.FormatError, match=re.escape(str(path))):
                thresher.open(path, verify=verify)
    for extra in (1, 64, 5000):
        path.write_bytes(data + bytes(extra))
        for verify in (True, False):
            with pytest.raises(thresher.FormatError, match="truncated or altered"):
                thresher.open(path, verify=verify)


def flips(size: int, n: int, seed: int) -> Iterator[tuple[int, int]]:
    """Choose bytes of a file, most in its header and table, and a bit of each."""
    rng = np.random.default_rng(seed)
    positions = np.unique(np.concatenate([rng.integers(0, size, n), rng.integers(0, 1300, n)]))
    yield from zip(positions.tolist(), rng.integers(0, 8, positions.size).tolist(), strict=True)


def test_flipped_bits(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for position, bit in flips(len(data), 400, seed=1):
        data[position] ^= 1 << bit
        path.write_bytes(data)
        with pytest.raises(thresher.FormatError, match=re.escape(str(path))):
            thresher.open(path)
        data[position] ^= 1 << bit
    path.write_bytes(data)
    thresher.open(path).close()


UNVERIFIED = """
import random, sys
from pathlib import Path
import numpy as np
import thresher
path = Path(sys.argv[1])
data = bytearray(path.read_bytes())
rng = random.Random(int(sys.argv[2]))
sections = [section for section in thresher.describe(path)["sections"] if section["nbytes"]]
for turn in range(150):
    altered = bytearray(data)
    victims = rng.sample(sections, 3)  # small ones, such as offsets, as often as large ones
    for _ in range(rng.choice([1, 30, 1000])):
        section = rng.choice(victims)
        altered[section["offset"] + rng.randrange(section["nbytes"])] = rng.randrange(256)
    path.write_bytes(altered)
    try:
        index = thresher.open(path, verify=False)
        terms = np.arange(index.n_terms, dtype=np.uint32)
        for signs in (1, -1):
            weights = np.where(np.arange(terms.size) % 2, 1, signs).astype(np.float32)
            ids = index.search_one(terms, weights, 400).ids
            assert ids.min() >= -1 and ids.max() < index.n_docs
        if index.params.get("neighbours"):
            ids = index.search_one(terms, np.ones(terms.size), 9, cluster_budget=1, refine=9).ids
            assert ids.min() >= -1 and ids.max() < index.n_docs
        index.vectors(np.arange(index.n_docs))
        index.close()
    except thresher.FormatError:
        pass
    path.unlink()  # a mapped file is replaced, never written to
print("survived")
"""


def test_altered_files_without_verification_never_crash(path: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        shutil.copy(path, tmp_path / "altered.thresher")
        done = run_python(UNVERIFIED, tmp_path / "altered.thresher", seed)
        assert (done.returncode, done.stdout, done.stderr) == (0, "survived\n", "")


# Of older versions too, and with parts that an index has only if asked.
@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.stem)
def test_altered_golden_files_without_verification_never_crash(golden: Path, tmp_path: Path) -> None:
    shutil.copy(golden, tmp_path / "altered.thresher")
    done = run_python(UNVERIFIED, tmp_path / "altered.thresher", 1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "survived\n", "")


def test_files_of_a_newer_format(path: Path) -> None:
    data = path.read_bytes()
    for version in (0, 5, 2**32 - 1):
        path.write_bytes(sealed(data[:8] + struct.pack("<I", version) + data[12:]))
        with pytest.raises(thresher.FormatError, match=f"format version {version}; this library"):
            thresher.open(path)


def test_files_of_an_unknown_engine(path: Path) -> None:
    data = path.read_bytes()
    for name, shown in ((b"telepathic", "telepathic"), (b"\xff\xfe", "")):
        path.write_bytes(sealed(data[:32] + name.ljust(16, b"\0") + data[48:]))
        with pytest.raises(thresher.FormatError, match=f"engine.*{shown}"):
            thresher.open(path)


def test_altered_tables_with_a_right_checksum(path: Path) -> None:
    data = path.read_bytes()
    names = [section["name"] for section in thresher.describe(path)["sections"]]
    rng = np.random.default_rng(2)
    for number, name in enumerate(names):
        # The name, then type, checksum, offset and size; the rest is reserved.
        fields = [*range(len(name)), *range(32, 56)]
        for field in rng.choice(fields, 12, replace=False):
            altered = bytearray(data)
            altered[HEADER + number * ENTRY + int(field)] ^= 1 << int(rng.integers(0, 8))
            path.write_bytes(sealed(bytes(altered)))
            with pytest.raises(thresher.FormatError, match=re.escape(str(path))):
                thresher.open(path)


# ----------------------------------------------------------------------------------------------- shared pages

SHARED = """
import os, sys, thresher
path = os.path.realpath(sys.argv[1])
index = thresher.open(path)
index.search_one(list(range(0, 30522, 50)), [1.0] * 611, 100)
index.vectors(range(index.n_docs))
fields, inside = {}, False
for line in open("/proc/self/smaps"):
    words = line.split()
    if not words[0].endswith(":"):
        inside = line.rstrip().endswith(path)
        if inside:
            assert words[1].startswith("r-"), line
    elif inside and words[-1] == "kB":
        fields[words[0]] = fields.get(words[0], 0) + int(words[1]) * 1024
assert fields["Size:"] >= os.path.getsize(path), fields
assert fields["Rss:"] > 0, fields
assert fields["Private_Dirty:"] == fields["Shared_Dirty:"] == fields["Anonymous:"] == 0, fields
print("mapped", flush=True)
sys.stdin.readline()
"""


@linux
def test_processes_share_the_pages_of_a_file(path: Path) -> None:
    command = [sys.executable, "-c", SHARED, str(path)]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, text=True, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(2)
    ]
    outcomes = []
    for process in processes:
        assert process.stdout is not None
        outcomes.append(process.stdout.readline())
    outcomes += [process.communicate("\n", timeout=300)[1] for process in processes]
    assert outcomes == ["mapped\n", "mapped\n", "", ""]


@linux
def test_closing_lets_go_of_the_file(path: Path) -> None:
    descriptors = len(listing(Path("/proc/self/fd")))
    opened = thresher.open(path)
    assert len(listing(Path("/proc/self/fd"))) == descriptors
    assert str(path.resolve()) in Path("/proc/self/maps").read_text()
    opened.close()
    assert str(path.resolve()) not in Path("/proc/self/maps").read_text()
    broken = path.with_suffix(".broken")
    broken.write_bytes(path.read_bytes()[:-64])
    with pytest.raises(thresher.FormatError):
        thresher.open(broken)
    assert str(broken.resolve()) not in Path("/proc/self/maps").read_text()
    assert len(listing(Path("/proc/self/fd"))) == descriptors
