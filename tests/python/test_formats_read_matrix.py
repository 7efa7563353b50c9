from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from thresher import FormatError
from thresher.formats import bigann, ciff, detect, npz, read_matrix

DENSE = np.array([[1.5, 0, 2], [0, -0.25, 0]], dtype=np.float32)
LINES = b'{"id": "a", "vector": {"0": 1.5, "2": 2}}\n{"id": "b", "vector": {"1": -0.25}}\n'


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The same matrix in every kind of file, by suffix."""
    paths = {suffix: tmp_path / f"docs{suffix}" for suffix in (".csr", ".npz", ".jsonl", ".jsonl.gz")}
    bigann.write_csr(paths[".csr"], sparse.csr_array(DENSE))
    npz.write_npz(paths[".npz"], sparse.csr_array(DENSE))
    paths[".jsonl"].write_bytes(LINES)
    paths[".jsonl.gz"].write_bytes(gzip.compress(LINES))
    return paths


@pytest.mark.parametrize("suffix", [".csr", ".npz", ".jsonl", ".jsonl.gz"])
def test_every_kind_holds_the_same_matrix(files: dict[str, Path], suffix: str) -> None:
    np.testing.assert_array_equal(read_matrix(files[suffix]).toarray(), DENSE)


@pytest.mark.parametrize("suffix", [".csr", ".npz", ".jsonl", ".jsonl.gz"])
def test_negative_weights_can_be_refused(files: dict[str, Path], suffix: str) -> None:
    with pytest.raises(FormatError, match=r"weight -0\.25"):
        read_matrix(files[suffix], allow_negative=False)


@pytest.mark.parametrize(("suffix", "kind"), [(".csr", "bigann"), (".npz", "npz"), (".jsonl", "jsonl")])
def test_kinds_are_told_by_content_where_the_suffix_says_nothing(
    files: dict[str, Path], suffix: str, kind: str
) -> None:
    assert detect(files[suffix].rename(files[suffix].with_name("unnamed.bin"))) == kind


@pytest.mark.parametrize("name", ["docs.ciff", "docs.ciff.gz", "unnamed.bin"])
@pytest.mark.parametrize("description", ["", "longer than what the first byte can tell the length of " * 3])
def test_ciff(tmp_path: Path, name: str, description: str) -> None:
    ciff.write_ciff(tmp_path / name, sparse.csr_array(abs(DENSE) * 4), description=description)
    assert detect(tmp_path / name) == "ciff"
    np.testing.assert_array_equal(read_matrix(tmp_path / name).toarray(), abs(DENSE) * 4)


def test_suffixes_win_over_content(files: dict[str, Path]) -> None:
    wrong = files[".jsonl"].rename(files[".jsonl"].with_name("wrong.csr"))
    assert detect(wrong) == "bigann"
    with pytest.raises(FormatError, match=r"wrong\.csr: "):
        read_matrix(wrong)


@pytest.mark.parametrize("raw", [b"", b"hello, world, this is a text file", b"\x89PNG\r\n\x1a\n" * 8])
def test_unknown_kinds(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "odd.txt").write_bytes(raw)
    with pytest.raises(FormatError, match=r"odd\.txt: unknown kind of file"):
        read_matrix(tmp_path / "odd.txt")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_matrix(tmp_path / "none")
