"""Calls under limits of memory that rise from nothing: each ends with a result or a MemoryError.

python tests/soak/out_of_memory.py --runs 600

A run is a process that sets a limit on its address space, so much above what it has, and makes one call.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import sys
import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

import thresher

_N_DOCS: Final = 20_000
_TERMS: Final = 20  # of a document
_SHAPE: Final = (_N_DOCS, 2000)
_CALLS: Final = ("build", "search", "search_one", "vectors")
_ENDS: Final = {0: "done", 3: "MemoryError"}


class Run(NamedTuple):
    """A call and what it has to do with."""

    engine: str
    call: str
    threads: int
    in_thread: bool  # a new one of Python's, which has used nothing of C++ yet
    room: int  # bytes
    k: int


def make_call(run: Run, index: thresher.Index, docs: Any, queries: Any) -> None:
    """Make the run's call."""
    match run.call:
        case "build":
            engine: Any = thresher.engines()[run.engine]
            engine.build(docs, shape=_SHAPE, threads=run.threads)
        case "search":
            index.search(queries, run.k, shape=(2000, _SHAPE[1]), threads=run.threads)
        case "search_one":
            index.search_one(docs[1][:_TERMS], docs[2][:_TERMS], run.k)
        case _:
            index.vectors(np.arange(_N_DOCS))


def end_of(run: Run, index: thresher.Index, docs: Any, queries: Any) -> str:
    """Return how the run ends, in a process of its own."""
    child = os.fork()
    if child != 0:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return _ENDS.get(status, f"code {status}")
    code = 1
    try:
        index.search(queries, 1, shape=(2000, _SHAPE[1]), threads=run.threads)  # threads whose stacks are used again
        code = _limited(run, index, docs, queries)
    finally:
        os._exit(code)


def _limited(run: Run, index: thresher.Index, docs: Any, queries: Any) -> int:
    codes: list[int] = []
    start = threading.Event()

    def call() -> None:
        start.wait()
        try:
            make_call(run, index, docs, queries)
            codes.append(0)
        except MemoryError:
            codes.append(3)

    thread = threading.Thread(target=call)
    if run.in_thread:
        thread.start()
    now = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + run.room, resource.RLIM_INFINITY))
    start.set()
    if run.in_thread:
        thread.join()
    else:
        call()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return codes[0]


def main() -> int:
    """Print how runs ended; 1 if one ended otherwise than it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=sorted(thresher.engines()))
    options = parser.parse_args()
    draw = random.Random(options.seed)
    rng = np.random.default_rng(0)
    indices = rng.integers(0, 100, (_N_DOCS, _TERMS)) + np.arange(_TERMS) * 100
    weights = rng.gamma(2, 0.5, indices.size).astype(np.float32) + np.float32(0.01)
    docs = np.arange(0, indices.size + 1, _TERMS), indices.astype(np.uint32).ravel(), weights
    queries = docs[0][:2001], docs[1][: 2000 * _TERMS], docs[2][: 2000 * _TERMS]
    engines: dict[str, Any] = thresher.engines()
    indexes = {
        name: engines[name].build(docs, shape=_SHAPE)
        for name in ([options.engine] if options.engine else sorted(engines))
    }
    ends: collections.Counter[str] = collections.Counter()
    for _ in range(options.runs):
        run = Run(
            draw.choice(sorted(indexes)),
            draw.choice(_CALLS),
            draw.choice([1, 2, 4]),
            draw.random() < 0.3,
            int(10 ** draw.uniform(3, 7.5)),
            draw.choice([10, 5000, 20_000]),
        )
        end = end_of(run, indexes[run.engine], docs, queries)
        ends[end] += 1
        if end not in _ENDS.values():
            print(end, run, flush=True)
    print(", ".join(f"{end}: {count}" for end, count in sorted(ends.items())))
    return int(not ends.keys() <= set(_ENDS.values()))


if __name__ == "__main__":
    sys.exit(main())
