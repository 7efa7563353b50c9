"""A reader beside a writer that gives all documents one number in each of its operations: it must never see two.

``python collection_readers.py PATH`` reads until the file ``PATH.done`` is there; it fails on anything torn.
"""

from __future__ import annotations

import sys
from pathlib import Path

from thresher.collection import Collection
from thresher.collection.reading import Readable

N = 24
IDS = [f"d{number}" for number in range(N)]


def write(collection: Collection, number: int) -> None:
    """Give all documents a number, in one operation."""
    if number % 3 == 2:
        with collection.batch() as batch:
            batch.delete(all=True)
            batch.upsert(IDS, [{0: float(number)}] * N, [{"n": number}] * N)
    else:
        collection.upsert(IDS, [{0: float(number)}] * N, [{"n": number}] * N)


def read(readable: Readable) -> int:
    """Raise AssertionError unless all documents have one number, wherever it is read; return it."""
    counts = readable.count_by("n")
    assert list(counts.values()) == [N], counts
    [number] = counts
    assert {doc.payload["n"] for doc in readable.scan()} == {number}
    hits = readable.search([{0: 1.0}], N + 1, include=["n"], exact=True, threads=1)
    [(ids, scores)] = hits.rows()
    assert list(ids) == IDS
    assert set(scores.tolist()) == {float(number)}
    assert {payload["n"] for payload in hits.payloads()[0]} == {number}
    found = readable.get(IDS[:3])
    assert [(doc.payload["n"], doc.vector.data.tolist()) for doc in found] == [(number, [float(number)])] * 3
    assert readable.count({"n": number}) == N
    return int(number)


def main(path: Path) -> None:
    """Read in versions that are held and in new ones."""
    last = n = 0
    with Collection.open(path) as collection:
        while True:
            is_last = path.with_suffix(".done").exists()
            held = collection.snapshot()
            before = read(held)
            collection.refresh()
            assert read(held) == before
            now = read(collection)
            assert now >= max(before, last)
            last = now
            n += 1
            if n == 1:
                print("reading", flush=True)
            if is_last:
                break
            with Collection.open(path) as other:
                assert read(other) >= last
    print(n, last)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
