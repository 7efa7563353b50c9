"""Ctrl-C at random moments of long calls: how long each takes to a KeyboardInterrupt.

python tests/soak/interrupt.py --runs 300

Each run is a process of its own, which repeats one call on real or adversarial input until it is interrupted. The bar
is a second: of the clock or, where others keep the machine busy, of the process's own time.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import thresher

_BAR_S: Final = 1.0
_READY: Final = "ready"

_CHILD: Final = """
import signal, sys, tempfile, time
import numpy as np
import scipy.sparse as sp
import thresher
from thresher import datasets

name, call, kind = sys.argv[1:4]
engine = thresher.engines()[name]
rng = np.random.default_rng(0)

def uniform(n_rows, n_terms, row):
    step = n_terms // row
    indices = (rng.integers(0, step, (n_rows, row)) + np.arange(row) * step).astype(np.uint32)
    weights = rng.gamma(2, 0.5, indices.size).astype(np.float32) + np.float32(0.01)
    return (np.arange(0, indices.size + 1, row), indices.ravel(), weights), (n_rows, n_terms)

def learned(n_rows, kind="documents"):
    matrix = datasets.generate(datasets.Model.shipped(), n_rows, kind=kind)
    return (matrix.indptr.astype(np.int64), matrix.indices.astype(np.uint32), matrix.data), matrix.shape

# Documents, queries and k.
few = name == "graph" and call not in ("build", "estimate", "tune")  # else it takes minutes to get ready
def real():
    docs = learned(5_000 if few else 50_000)
    return docs, learned(5_000, "queries"), 10
def heavy():  # few documents of thousands of terms, queries of as many as there are
    return uniform(200 if few else 2_040, 16_000, 4_000), uniform(256, 16_000, 16_000), 1_000
def wide():  # queries of 30,000 terms
    return uniform(5_000 if few else 60_000, 30_000, 60), uniform(256, 30_000, 30_000), 10
def ties():  # one weight, one term, a large k
    n = 20_000 if few else 300_000
    docs = (np.arange(n + 1), np.zeros(n, np.uint32), np.ones(n, np.float32)), (n, 1)
    return docs, ((np.arange(257), np.zeros(256, np.uint32), np.ones(256, np.float32)), (256, 1)), n
def one_row():  # a document of millions of terms, out of order
    n = 6_000_000
    indices = rng.permutation(n).astype(np.uint32)
    docs = (np.array([0, n, n + 1]), np.append(indices, np.uint32(5)), rng.random(n + 1, np.float32) + np.float32(0.1))
    queries = np.arange(0, 1_000_001), np.arange(1_000_000, dtype=np.uint32), np.ones(1_000_000, np.float32)
    return (docs, (2, n)), ((np.array([0, 1_000_000]), *queries[1:]), (1, n)), 2

if call in ("generate", "fit"):
    model = datasets.Model.shipped()
    some = datasets.generate(model, 30_000)
    asked = datasets.generate(model, 500, kind="queries")
else:
    (docs, shape), (queries, queries_shape), k = {"real": real, "heavy": heavy, "wide": wide, "ties": ties,
                                                  "one_row": one_row}[kind]()
calls = {
    "build": lambda: engine.build(docs, shape=shape, threads=2),
    "estimate": lambda: thresher.estimate(docs, shape=shape, engine=name),
    "tune": lambda: thresher.tune(docs, shape=shape, engine=name, recall=0.9, budget_s=60),
    "generate": lambda: datasets.generate(model, 20_000),
    "fit": lambda: datasets.fit(some, asked),
}
if call not in calls:
    index = engine.build(docs, shape=shape)
    k = min(k, index.n_docs)
    one = queries[1][:queries[0][1]], queries[2][:queries[0][1]]
    folder = tempfile.mkdtemp(dir=sys.argv[4])
    if call == "open":
        index.save(folder + "/index")
    calls |= {
        "search": lambda: index.search(queries, k, shape=queries_shape, threads=2),
        "search1": lambda: index.search(queries, k, shape=queries_shape, threads=1),
        "search_one": lambda: index.search_one(*one, k),
        "vectors": lambda: index.vectors(np.arange(index.n_docs)),
        "save": lambda: index.save(folder + "/index"),
        "open": lambda: thresher.open(folder + "/index", verify=True),
    }
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    print("ready", flush=True)
    while True:
        calls[call]()
except KeyboardInterrupt:
    print(time.clock_gettime(time.CLOCK_MONOTONIC), time.process_time(), flush=True)
"""

_CALLS: Final = ("build", "search", "search1", "search_one", "vectors", "save", "open", "tune", "estimate")
_KINDS: Final = ("real", "heavy", "wide", "ties", "one_row")


def cpu_time(pid: int) -> float:
    """Return the seconds that a process has run on CPUs, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def interrupt(arguments: list[str], after_s: float) -> tuple[float, float]:
    """Return the seconds from a SIGINT, sent so long after the child is ready, to its KeyboardInterrupt, and of CPU."""
    with subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline().strip()
        if line != _READY:
            raise RuntimeError(f"{arguments} did not get ready: {line!r}")
        time.sleep(after_s)
        used = cpu_time(child.pid)
        sent = time.clock_gettime(time.CLOCK_MONOTONIC)
        child.send_signal(signal.SIGINT)
        try:
            told, _ = child.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            child.kill()
            return float("inf"), float("inf")
        if child.returncode != 0 or not told.strip():
            raise RuntimeError(f"{arguments} ended with {child.returncode}: {told!r}")
        came, used_then = map(float, told.split())
        return came - sent, used_then - used


def main() -> int:
    """Print the distribution; 1 if a run is over the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--call", choices=[*_CALLS, "generate", "fit"])
    parser.add_argument("--kind", choices=_KINDS)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    latencies: dict[str, list[float]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for run in range(options.runs):
            engine = rng.choice(sorted(thresher.engines()))
            call = options.call or rng.choice([*_CALLS, rng.choice(["generate", "fit"])])
            kind = options.kind or rng.choice(_KINDS)
            after_s = rng.uniform(0, 3)
            wall, cpu = interrupt([engine, call, kind, folder], after_s)
            latency = min(wall, cpu)
            latencies[call].append(latency)
            over = "  OVER" if latency > _BAR_S else ""
            told = f"{wall:.3f} s, {cpu:.3f} s of CPU{over}"
            print(f"{run:4} {engine:10} {call:10} {kind:8} after {after_s:.2f} s: {told}", flush=True)
    everything = sorted(latency for some in latencies.values() for latency in some)
    for call, some in sorted(latencies.items()):
        print(f"{call:10} {len(some):4} runs, median {sorted(some)[len(some) // 2]:.3f} s, worst {max(some):.3f} s")
    ranks = {name: everything[int(share * (len(everything) - 1))] for name, share in _RANKS.items()}
    print(f"all {len(everything)}: " + ", ".join(f"{name} {value:.3f} s" for name, value in ranks.items()))
    return int(everything[-1] > _BAR_S)


_RANKS: Final = {"median": 0.5, "90%": 0.9, "99%": 0.99, "worst": 1.0}

if __name__ == "__main__":
    sys.exit(main())
