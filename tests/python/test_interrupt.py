"""Ctrl-C in the middle of a long call: a KeyboardInterrupt at once, and a library that goes on working."""

from __future__ import annotations

import json
import signal
import sys

import pytest

import thresher
from engine_forms import builds_of
from helpers import run_python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

# A collection whose build takes seconds, made of one block of rows over and over.
PREPARE = """
import json, os, signal, sys, threading
import numpy as np
import thresher

engine, options = thresher.engines()[sys.argv[1]], json.loads(sys.argv[4])

def matrix(n_rows, n_terms=20_000, row=60):
    rng = np.random.default_rng(0)
    block = np.sort(rng.integers(0, n_terms // row, (250, row)) + np.arange(row) * (n_terms // row), axis=1)
    indices = np.tile(block.astype(np.uint32).ravel(), n_rows // 250)
    weights = np.tile(rng.uniform(0.1, 3, block.size).astype(np.float32), n_rows // 250)
    return (np.arange(0, indices.size + 1, row), indices, weights), (n_rows, n_terms)

def build(threads):
    docs, shape = matrix(600_000)
    ready.set()
    return engine.build(docs, shape=shape, threads=threads, **options)

def search(threads):
    docs, shape = matrix(20_000)
    index = engine.build(docs, shape=shape)
    queries, shape = matrix(50_000)
    ready.set()
    return index.search(queries, 10, shape=shape, threads=threads)

def build_few_long(threads):  # fewer documents than a task has, whose order takes far longer than reading them
    docs, shape = matrix(2_000, 16_000, 2_000)
    ready.set()
    return engine.build(docs, shape=shape, threads=threads, reorder=True)

def search_long(threads):  # a batch of queries that each take long
    docs, shape = matrix(50_000, 30_000)
    index = engine.build(docs, shape=shape)
    queries, shape = matrix(250, 30_000, 30_000)
    ready.set()
    return index.search(queries, 10, shape=shape, threads=threads)

def search_one_long(threads):
    docs, shape = matrix(50_000, 30_000)
    index = engine.build(docs, shape=shape).with_search_params(algorithm="wand")
    ready.set()
    return index.search_one(np.arange(30_000), np.linspace(1, 2, 30_000), 1000)

def vectors(threads):
    docs, shape = matrix(400_000)
    index = engine.build(docs, shape=shape)
    ready.set()
    return index.vectors(np.arange(400_000))

def still_works():
    docs, shape = matrix(1000)
    return engine.build(docs, shape=shape, **options).search(docs, 1, shape=shape).ids.shape == (1000, 1)

ready = threading.Event()
call, threads = {name: value for name, value in globals().items() if callable(value)}[sys.argv[2]], int(sys.argv[3])
"""

# Counts the signals that are handled while the call is in the core, each sent after the last was handled; there are
# more of them than a call has passes over its rows. The last ends it.
COUNTED = """
ENOUGH = 12
handled = 0
seen = threading.Event()

def handler(number, frame):
    global handled
    package = os.path.dirname(thresher.__file__)
    name = sys.argv[2].removesuffix("_long").removesuffix("_few")
    handled += frame.f_code.co_filename.startswith(package) and frame.f_code.co_name.lstrip("_") == name
    seen.set()
    if handled == ENOUGH:
        raise KeyboardInterrupt

def press():
    ready.wait()
    while handled < ENOUGH:
        seen.clear()
        os.kill(os.getpid(), signal.SIGINT)
        seen.wait()

signal.signal(signal.SIGINT, handler)
thread = threading.Thread(target=press, daemon=True)
thread.start()
try:
    call(threads)
    print("the call came to its end, after", handled)
except KeyboardInterrupt:
    thread.join()
    print("interrupted, works:", still_works())
"""

UNCAUGHT = """
signal.signal(signal.SIGINT, signal.default_int_handler)

def press():
    ready.wait()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=press, daemon=True).start()
call(threads)
print("the call came to its end")
"""


@pytest.mark.parametrize("name", sorted(thresher.engines()))
@pytest.mark.parametrize("call", ["build", "search"])
@pytest.mark.parametrize("threads", [1, 2])
def test_signals_are_handled_during_a_call(name: str, call: str, threads: int) -> None:
    done = run_python(PREPARE + COUNTED, name, call, threads, json.dumps(builds_of(name)[0]))
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted, works: True\n", "", 0)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        *((name, "build_few_long") for name in ("block-max", "clustered", "graph")),
        *((name, "search_long") for name in ("exact", "postings")),
        ("postings", "search_one_long"),
        ("exact", "vectors"),
    ],
)
def test_signals_are_handled_where_little_takes_long(name: str, call: str) -> None:
    done = run_python(PREPARE + COUNTED, name, call, 1, "{}")
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted, works: True\n", "", 0)


@pytest.mark.parametrize("name", sorted(thresher.engines()))
@pytest.mark.parametrize("call", ["build", "search"])
def test_ctrl_c_ends_a_program_in_the_usual_way(name: str, call: str) -> None:
    done = run_python(PREPARE + UNCAUGHT, name, call, 2, "{}")
    assert done.returncode == -signal.SIGINT
    assert done.stdout == ""
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
    assert "terminate" not in done.stderr
