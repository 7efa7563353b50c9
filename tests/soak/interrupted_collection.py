"""Ctrl-C at random moments of a collection's operations: each is done whole or not at all, and others go on.

python tests/soak/interrupted_collection.py --interrupts 1000
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from thresher.collection import Collection, Upkeep

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from collection_crashes import N_TERMS, State, after, compare, do, drawn


def _seen(collection: Collection) -> State:
    documents = collection.scan(include=("payload", "vectors"))
    return {str(doc.id): (doc.payload, int(max(doc.vector.data))) for doc in documents}


def _interrupted(collection: Collection, state: State, rng: random.Random, number: int) -> tuple[State, bool]:
    """Do an operation, which a signal may interrupt; return what is there, and whether it did."""
    operation = drawn(rng, number)
    if operation == ["reopen"]:
        return state, False
    was_interrupted = False
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.random() * rng.choice([0.002, 0.02]) + 1e-6)
        do(collection, operation)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        was_interrupted = True  # what it left open ends with its traceback, here
    if not was_interrupted:
        return after(state, operation), False
    collection.upsert([], [])  # goes on from what the catalogue has
    seen = _seen(collection)
    for there in (state, after(state, operation)):
        if list(there.items()) == list(seen.items()):
            return there, True
    raise AssertionError(f"{operation} was done by half: {state}, {seen}")


def main() -> None:
    """Interrupt, compare, go on; open anew now and then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interrupts", type=int, default=1000)
    arguments = parser.parse_args()
    rng = random.Random(0)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    state: State = {}
    n = number = 0
    upkeep = Upkeep(flush_docs=30, flush_upserts=60, merge_width=2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docs"
        Collection.create(path, n_terms=N_TERMS, fields={"n": "int"}, durability="normal", upkeep=upkeep).close()
        while n < arguments.interrupts:
            with Collection.open(path, mode="rw") as collection:
                for _ in range(100):
                    number += 1
                    state, was_interrupted = _interrupted(collection, state, rng, number)
                    n += was_interrupted
            state = compare(path, [state], f"after {n} interrupts")
    print(f"{n} interrupts in {number} operations: each was done whole or not at all")


if __name__ == "__main__":
    main()
