"""The interpreter exits while daemon threads are inside the library: with 0, whatever they do there."""

from __future__ import annotations

import pytest

import thresher
from helpers import run_python

PREPARE = """
import sys, threading, time
import numpy as np
import thresher

engine = thresher.engines()[sys.argv[1]]
rng = np.random.default_rng(0)
n, row = 3000, 20
indices = (rng.integers(0, 100, (n, row)) + np.arange(row) * 100).astype(np.uint32)
weights = rng.gamma(2, 0.5, indices.size).astype(np.float32) + np.float32(0.01)
docs, shape = (np.arange(0, indices.size + 1, row), indices.ravel(), weights), (n, 2000)
index = engine.build(docs, shape=shape)
index.save(sys.argv[3])

def progress(done, total):
    sum(range(1000))  # Python's own loop may want the GIL here

calls = {
    "search_one": lambda: index.search_one(indices[0], weights[:row], 10),
    "search": lambda: index.search(docs, 10, shape=shape, threads=2),
    "build": lambda: engine.build(docs, shape=shape, threads=2),
    "progress": lambda: engine.build(docs, shape=shape, threads=2, progress=progress),
    "vectors": lambda: index.vectors(np.arange(n)),
    "save": lambda: index.save(sys.argv[3]),
    "open": lambda: thresher.open(sys.argv[3], verify=True),
    "error": lambda: index.search_one([5000], [1.0], 10),
}
started = threading.Semaphore(0)

def repeat(call):
    started.release()
    while True:
        try:
            call()
        except ValueError:
            pass

for _ in range(4):
    threading.Thread(target=repeat, args=(calls[sys.argv[2]],), daemon=True).start()
for _ in range(4):
    started.acquire()
if sys.argv[2] != "error":
    calls[sys.argv[2]]()
"""

CALLS = ("search_one", "search", "build", "progress", "vectors", "save", "open", "error")


@pytest.mark.parametrize("call", CALLS)
def test_the_process_exits_with_0(call: str, tmp_path: object) -> None:
    names = sorted(thresher.engines())
    for name in (names[len(call) % len(names)], names[(len(call) + 3) % len(names)]):
        for _ in range(2):
            done = run_python(PREPARE, name, call, f"{tmp_path}/index")
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
