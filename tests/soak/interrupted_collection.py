"""Ctrl-C at random moments of a collection's operations: each is done whole or not at all, and others go on.

python tests/soak/interrupted_collection.py --interrupts 1000 --seed 0
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from collection_crashes import (
    State,
    after,
    compare,
    copies,
    created,
    do,
    drawn,
    is_same,
    read,
    read_copy,
)
from thresher.collection import Collection


def _interrupted(collection: Collection, state: State, rng: random.Random, number: int) -> tuple[State, str | None]:
    """Do an operation, which a signal may interrupt; return what is there, and what was interrupted, if it was."""
    operation = drawn(rng, number)
    if operation == ["reopen"]:
        return state, None
    done = None
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.random() * rng.choice([0.002, 0.02, 0.1]) + 1e-6)
        do(collection, operation)
        signal.setitimer(signal.ITIMER_REAL, 0)
        done = after(state, operation)
    except KeyboardInterrupt:
        pass  # what it left open ends with its traceback, here
    for copy in copies(collection.path):
        copied = read_copy(copy)
        assert is_same(copied, state), f"{copy} has {copied}, where {state} was"
    seen = read(collection)
    if done is not None:
        assert is_same(seen, done), f"after {operation} there is {seen}, not {done}"
        return done, None
    collection.upsert([], [])  # goes on from what the catalogue has
    known = [seen, read(collection)]
    for there in (state, after(state, operation)):
        if is_same(there, known[1]):
            assert is_same(known[0], state) or is_same(known[0], there)
            return there, operation[0]
    raise AssertionError(f"{operation} was done by half: {state}, {known}")


def main() -> None:
    """Interrupt, compare, go on; open anew now and then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interrupts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    state: State = {}
    interrupted: Counter[str] = Counter()
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docs"
        created(path, durability="normal").close()
        while interrupted.total() < arguments.interrupts:
            with Collection.open(path, mode="rw") as collection:
                for _ in range(100):
                    number += 1
                    state, kind = _interrupted(collection, state, rng, number)
                    if kind is not None:
                        interrupted[kind] += 1
            state = compare(path, [state])
    for kind, n in sorted(interrupted.items()):
        print(f"{n:6} {kind}")
    print(f"{interrupted.total()} interrupts in {number} operations: each was done whole or not at all")


if __name__ == "__main__":
    main()
