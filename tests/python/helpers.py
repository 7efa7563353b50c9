"""What several tests use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thresher
from reference import Collection
from strategies import Case
from thresher._recall import Wanted


def search(index: thresher.Index, queries: Collection, k: int | None = 10, **options: Any) -> thresher.Hits:
    """Return the hits of queries in raw form."""
    return index.search(queries.triple, k, shape=queries.shape, **options)


def exhaustive(docs: Collection, queries: Collection, k: int = 10) -> thresher.Hits:
    """Return the best hits that there are."""
    return search(thresher.ExactIndex.build(docs.triple, shape=docs.shape), queries, k)


def same(left: thresher.Hits, right: thresher.Hits) -> bool:
    """Return whether hits are the same, bit by bit."""
    return left.ids.tobytes() == right.ids.tobytes() and left.scores.tobytes() == right.scores.tobytes()


def recall(hits: thresher.Hits, exact: thresher.Hits) -> float:
    """Return the share of the best hits that are among the hits, ties counting as right."""
    return Wanted.of(exact.scores).recall(hits.scores)


class Recorded:
    """A `progress` that remembers what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.calls.append((done, total))

    def assert_rises_to(self, total: int) -> None:
        """Raise AssertionError unless it was told of work that never shrank, up to all of it."""
        done = [rows for rows, _ in self.calls]
        assert {of for _, of in self.calls} == {total}
        assert done == sorted(done)
        assert done[-1] == total


def orders(n_docs: int, seed: int) -> list[Any]:
    """Return every kind of `reorder`."""
    return [False, True, np.random.default_rng(seed).permutation(n_docs)]


def assert_among(hits: thresher.Hits, everything: thresher.Hits) -> None:
    """Raise AssertionError unless each query's hits are some of all there are, with their scores and in their order."""
    for ids, scores, all_ids, all_scores in zip(*hits, *everything, strict=True):
        known = dict(zip(all_ids, all_scores, strict=True))
        found = int(np.count_nonzero(ids >= 0))
        assert np.all(ids[found:] == -1)
        assert np.all(np.isneginf(scores[found:]))
        assert scores[:found].tolist() == [known[doc] for doc in ids[:found]]
        assert np.unique(ids[:found]).size == found
        assert np.array_equal(np.lexsort((ids[:found], -scores[:found])), np.arange(found))


def expect(error: type[Exception], *words: str) -> Any:
    """Expect an exception whose message holds the words in this order."""
    return pytest.raises(error, match=".*".join(re.escape(word) for word in words))


def search_bytes(index: thresher.Index, case: Case) -> bytes:
    """Return what a search of the case's queries gives, to be compared whole."""
    hits = index.search(case.queries.triple, 30, shape=case.queries.shape)
    return hits.ids.tobytes() + hits.scores.tobytes()


def listing(folder: Path) -> list[str]:
    """Return the names in a folder, sorted."""
    return sorted(entry.name for entry in folder.iterdir())


def environment() -> dict[str, str]:
    """Return this process's environment, with its module path and without a choice of instruction set."""
    inherited = {name: value for name, value in os.environ.items() if name != "THRESHER_ISA"}
    return inherited | {"PYTHONPATH": os.pathsep.join(sys.path)}


def run_python(code: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code with arguments and further environment variables in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment() | variables,
    )
