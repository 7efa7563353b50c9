"""The files of the BigANN benchmark's sparse track: MS MARCO passages and queries under SPLADE.

References
----------
github.com/harsha-simhadri/big-ann-benchmarks, benchmark/datasets.py (class SparseDataset: the
address, the names, the numbers of rows) and benchmark/dataset_io.py (the layouts of .csr and .gt),
as of commit 07c5daaf4a348b728b9f786e864e796925c5b59f. No checksums are published there.
"""

from __future__ import annotations

from typing import NamedTuple

ADDRESS = "https://storage.googleapis.com/ann-challenge-sparse-vectors/csr/"
_DEV = 6_980


class RemoteFile(NamedTuple):
    """One file: what it is called here and there, and how many rows it must have."""

    local: str
    remote: str
    rows: int


class Track(NamedTuple):
    """The names of what belongs to one size of the track."""

    documents: str
    queries: str
    truth: str


FILES = {
    "base_small": RemoteFile("base_small.csr", "base_small.csr.gz", 100_000),
    "base_1M": RemoteFile("base_1M.csr", "base_1M.csr.gz", 1_000_000),
    "base_full": RemoteFile("base_full.csr", "base_full.csr.gz", 8_841_823),
    "queries.dev": RemoteFile("queries.dev.csr", "queries.dev.csr.gz", _DEV),
    "base_small.dev.gt": RemoteFile("base_small.dev.gt", "base_small.dev.gt", _DEV),
    "base_1M.dev.gt": RemoteFile("base_1M.dev.gt", "base_1M.dev.gt", _DEV),
    "base_full.dev.gt": RemoteFile("base_full.dev.gt", "base_full.dev.gt", _DEV),
}

TRACKS = {name: Track(name, "queries.dev", f"{name}.dev.gt") for name in ("base_small", "base_1M", "base_full")}
