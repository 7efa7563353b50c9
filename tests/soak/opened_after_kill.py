"""How long a collection takes to open once its writer was killed: with segments, documents that wait, and a merge.

python tests/soak/opened_after_kill.py base.csr --docs 300000 --waiting 30000 100000
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from thresher.collection import Collection
from thresher.formats import read_matrix

_BATCH = 1000
_TERMS = 30_522
_NONZEROS = 127


def _random(n: int) -> sp.csr_matrix:
    rng = np.random.default_rng(0)
    terms = np.sort(rng.integers(0, _TERMS, (n, _NONZEROS), dtype=np.int32), axis=1)
    weights = rng.random(terms.size, np.float32) + np.float32(0.1)
    made = sp.csr_matrix((weights, terms.ravel(), np.arange(0, terms.size + 1, _NONZEROS)), shape=(n, _TERMS))
    made.sum_duplicates()
    return made


def _batches(docs: sp.csr_matrix, n: int) -> Iterator[tuple[list[str], sp.csr_matrix, list[dict[str, Any]]]]:
    for begin in range(0, n, _BATCH):
        numbers = range(begin, min(begin + _BATCH, n))
        payloads = [{"lang": f"l{number % 20}", "year": 1990 + number * 7 % 35} for number in numbers]
        yield [f"doc-{number}" for number in numbers], docs[begin : numbers[-1] + 1], payloads


def _write(path: Path, docs: sp.csr_matrix, waiting: int) -> None:
    """Store documents, begin to merge all of their segments, store some again meanwhile, and die."""
    with Collection.create(path, n_terms=docs.shape[1], fields={"lang": "keyword", "year": "int"}) as collection:
        for batch in _batches(docs, docs.shape[0]):
            collection.upsert(*batch)
        collection.flush()
        merging = threading.Event()

        def progress(done: int, total: int) -> None:
            if 0 < done < total:
                merging.set()
                if threading.current_thread() is not threading.main_thread():
                    threading.Event().wait()  # until it is killed

        threading.Thread(target=collection.optimize, kwargs={"progress": progress}, daemon=True).start()
        merging.wait()
        for batch in _batches(docs, waiting):
            collection.upsert(*batch)
        print(collection, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


def _open(path: Path, mode: Any, n: int) -> None:
    began, began_cpu = time.perf_counter(), time.process_time()
    collection = Collection.open(path, mode)
    ms, cpu_ms = 1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - began_cpu)
    assert len(collection) == n
    [document] = collection.get(["doc-5"])
    assert collection.search([document.vector], 1, exact=True).ids[0].tolist() == ["doc-5"]
    segments = len(collection._view().parts)
    print(f"  open for {mode!r:4}: {ms:5.0f} ms, {cpu_ms:5.0f} of them CPU; {segments} segments", flush=True)
    collection.close()


def main() -> None:
    """Store, kill, open."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs_file", type=Path, nargs="?", help="documents; random ones if there is none")
    parser.add_argument("--docs", type=int, default=300_000)
    parser.add_argument("--waiting", type=int, nargs="*", default=[30_000, 100_000])
    arguments = parser.parse_args()
    docs = (
        _random(arguments.docs)
        if arguments.docs_file is None
        else sp.csr_matrix(read_matrix(arguments.docs_file))[: arguments.docs]
    )
    context = get_context("fork")
    for waiting in arguments.waiting:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "docs"
            writer = context.Process(target=_write, args=(path, docs, waiting))
            writer.start()
            writer.join()
            if writer.exitcode != -signal.SIGKILL:
                sys.exit("the writer ended by itself")
            print(f"{docs.shape[0]:,} documents, {waiting:,} of them stored again and waiting", flush=True)
            for mode in ("r", "r", "rw", "rw"):
                reader = context.Process(target=_open, args=(path, mode, docs.shape[0]))
                reader.start()
                reader.join()
                if reader.exitcode:
                    sys.exit("it does not open")


if __name__ == "__main__":
    main()
