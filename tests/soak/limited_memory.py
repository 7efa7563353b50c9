"""Build an index of documents that take twice the memory that may be used, and search the file.

The limit is on what the process has beside the interpreter and its libraries: RLIMIT_DATA, which counts private memory
and not mapped files. Without ``--scratch`` a build of that size ends with a MemoryError.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp

import thresher

MB = 1 << 20


def batches(n_bytes: int, length: int, seed: int = 5) -> Iterator[sp.csr_array]:
    """Yield batches of documents of `length` terms until they take so many bytes, 8 a nonzero."""
    rng = np.random.default_rng(seed)
    n_terms = 20_000
    while n_bytes > 0:
        n_docs = 2_000_000 // (8 * length)
        terms = (n_terms * rng.random((n_docs, length)) ** 3).astype(np.int64)
        weights = rng.integers(1, 2000, n_docs * length).astype(np.float32) / 512
        indptr = np.arange(0, n_docs * length + 1, length)
        docs = sp.csr_array((weights, terms.ravel(), indptr), shape=(n_docs, n_terms))
        docs.sum_duplicates()
        yield docs
        n_bytes -= 8 * docs.nnz


def data_in_use() -> int:
    """Return the bytes that RLIMIT_DATA counts."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmData"].split()[0]) << 10


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--engine", default="exact")
    parser.add_argument("--allowed", type=int, default=48, help="MB of memory")
    parser.add_argument("--length", type=int, default=100, help="terms of a document")
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()

    engine = thresher.engines()[given.engine]
    warm = thresher.Builder(engine, scratch=given.scratch)  # what is imported and allocated once
    warm.extend(docs[:100] for docs in batches(1, given.length))
    warm.freeze()
    limit = data_in_use() + given.allowed * MB
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
    builder = thresher.Builder(engine, scratch=given.scratch)
    n_bytes = 0
    for docs in batches(2 * given.allowed * MB, given.length):
        builder.add(docs)
        n_bytes += 8 * docs.nnz
    assert n_bytes >= 2 * given.allowed * MB
    index = builder.freeze(given.output, threads=given.threads)
    hits = index.search(docs[:10], 5)
    assert (hits.ids[:, 0] >= 0).all()
    sys.stdout.write(f"built {index.n_docs} documents of {n_bytes // MB} MB with {given.allowed} MB\n")


if __name__ == "__main__":
    main()
