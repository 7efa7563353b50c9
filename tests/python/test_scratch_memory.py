"""What searches take in memory is bounded by k and a constant a thread, however many documents tie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thresher
from helpers import run_python

N_DOCS = 300_000
# Prints by how many bytes the most memory that a batch of queries needs, on two threads, is above what is in use before
# it. The index is mapped, and what of it a search reads is in memory already.
SEARCH = """
import sys
import numpy as np
import thresher

def memory(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))

path, k, n_queries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
index = thresher.open(path)
index.vectors(np.arange(len(index)))
index.search_one(np.zeros(1, np.uint32), np.ones(1, np.float32), 1)
queries = (np.arange(n_queries + 1), np.zeros(n_queries, np.uint32), np.ones(n_queries, np.float32))
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")  # forgets the most so far
before = memory("VmRSS")
hits = index.search(queries, k, shape=(n_queries, 1), threads=2)
print(memory("VmHWM") - before)
assert (hits.ids == np.arange(k)).all(), hits.ids
assert (hits.scores == 1).all(), hits.scores
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the most memory in use is told by Linux alone")
@pytest.mark.parametrize(
    ("engine", "n_queries", "most"),
    [
        (thresher.ExactIndex, 512, 16_000_000),  # searches many at once: their ties alone would take 1.2 billion
        (thresher.BlockMaxIndex, 4, 5_000_000),  # the others one at a time
        (thresher.ImpactIndex, 4, 5_000_000),
        (thresher.PostingsIndex, 4, 5_000_000),
        (thresher.ClusteredIndex, 4, 5_000_000),
    ],
)
def test_documents_that_tie_take_no_memory(
    engine: type[thresher.Index], n_queries: int, most: int, tmp_path: Path
) -> None:
    docs = (np.arange(N_DOCS + 1), np.zeros(N_DOCS, np.uint32), np.ones(N_DOCS, np.float32))
    options: dict[str, Any] = {"reorder": False} if engine is thresher.ClusteredIndex else {}
    engine.build(docs, shape=(N_DOCS, 1), **options).save(tmp_path / "index")
    done = run_python(SEARCH, tmp_path / "index", 10, n_queries)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < most
