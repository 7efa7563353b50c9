"""A writer that is killed, again and again, and what must be there each time.

``python collection_crashes.py PATH SEED`` is the writer: it tells each operation before it begins and after it was
acknowledged. `killed` runs it, kills it at a random moment, and compares.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from thresher.collection import Collection, Upkeep

N_IDS = 40
N_TERMS = 8

State = dict[str, tuple[dict[str, Any], int]]
"""Payload and weight of each document, in the order of their upserts."""


def after(state: State, operation: Any) -> State:
    """Return what is there after an operation."""
    kind, *arguments = operation
    done = dict(state)
    if kind == "upsert":
        for one, number in zip(*arguments, strict=True):
            done.pop(one, None)
            done[one] = {"n": number}, number
    elif kind == "delete":
        for one in arguments[0]:
            done.pop(one, None)
    elif kind == "update":
        for one in arguments[0]:
            if one in done:
                done[one] = {**done[one][0], "more": arguments[1]}, done[one][1]
    elif kind == "batch":
        for part in arguments:
            done = after(done, part)
    return done


def vector(number: int) -> dict[int, float]:
    """Return the vector of a document."""
    return {number % N_TERMS: float(number), (number + 3) % N_TERMS: 0.5}


def do(target: Any, operation: Any) -> None:
    """Do an operation on a collection or in a batch."""
    kind, *arguments = operation
    if kind == "upsert":
        ids, numbers = arguments
        target.upsert(ids, [vector(number) for number in numbers], [{"n": number} for number in numbers])
    elif kind == "delete":
        target.delete(arguments[0])
    elif kind == "update":
        target.update_payload(arguments[0], {"more": arguments[1]})
    elif kind == "batch":
        with target.batch() as batch:
            for part in arguments:
                do(batch, part)
    else:
        getattr(target, kind)()


def drawn(rng: random.Random, number: int) -> Any:
    """Return a random operation."""
    ids = rng.sample([f"d{one}" for one in range(N_IDS)], rng.randint(1, 9))
    kind = rng.choices(["upsert", "delete", "update", "batch", "flush", "optimize", "reopen"], [9, 2, 3, 3, 2, 1, 1])[0]
    if kind == "upsert":
        return [kind, ids, [number * 10 + place + 1 for place in range(len(ids))]]
    if kind == "delete":
        return [kind, ids[:3]]
    if kind == "update":
        return [kind, ids, number]
    if kind == "batch":
        return [kind, ["upsert", ids, [number * 10 + 1] * len(ids)], ["delete", ids[:2]], ["update", ids[2:], number]]
    return [kind]


def write(path: Path, seed: int, out: int) -> None:
    """Do random operations, for ever."""
    rng = random.Random(seed)

    def tell(*what: Any) -> None:
        os.write(out, json.dumps(what).encode() + b"\n")

    tell("ready")
    if path.exists():
        collection = Collection.open(path, mode="rw")
    else:
        upkeep = Upkeep(flush_docs=30, flush_upserts=60, merge_width=2)
        collection = Collection.create(path, n_terms=N_TERMS, fields={"n": "int"}, upkeep=upkeep)
    number = seed * 1000 % 100_000
    while True:
        number += 1
        operation = drawn(rng, number)
        tell("begin", operation)
        if operation == ["reopen"]:
            collection.close()
            collection = Collection.open(path, mode="rw")
        else:
            do(collection, operation)
        tell("done")


def killed(path: Path, state: State, rng: random.Random, most_seconds: float) -> State:
    """Run the writer, kill it, compare what is there; return that."""
    seed = rng.randrange(10**6)
    child = subprocess.Popen([sys.executable, __file__, str(path), str(seed)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    said = [child.stdout.readline()]  # it is ready
    timer = threading.Timer(rng.random() * most_seconds, child.kill)
    timer.start()
    said += child.stdout.readlines()
    timer.join()
    child.stdout.close()
    assert child.wait() == -9, f"seed {seed}: the writer ended by itself"
    under_way = None
    for line in said[1:]:
        what, *operation = json.loads(line)
        if what == "begin":
            [under_way] = operation
        else:
            state = after(state, under_way)
            under_way = None
    if not path.exists():
        assert not state, f"seed {seed}"
        return state
    return compare(path, [state] if under_way is None else [state, after(state, under_way)], f"seed {seed}")


def compare(path: Path, states: list[State], which: str) -> State:
    """Open, and check that one of some states is there, and nothing else; return it."""
    with Collection.open(path, mode="rw") as collection:
        there = {doc.id: (doc.payload, doc) for doc in collection.scan(include=("payload", "vectors"))}
        read = [(one, payload) for one, (payload, _) in there.items()]
        matching = [state for state in states if [(one, payload) for one, (payload, _) in state.items()] == read]
        assert matching, f"{which}: {read}, not {states}"
        state = matching[0]
        for one, (_, number) in state.items():
            row = there[one][1].vector
            assert dict(zip(row.indices.tolist(), row.data.tolist(), strict=True)) == vector(number), which
        query = dict.fromkeys(range(N_TERMS), 1.0)
        hits = collection.search([query], len(state) + 1, exact=True)
        order = sorted(enumerate(state), key=lambda pair: (-np.float32(state[pair[1]][1] + 0.5), pair[0]))
        [(ids, _)] = hits.rows()
        assert list(ids) == [one for _, one in order], which
        assert collection.count({"n": {"$gt": 0}}) == len(state), which
        named = {row.file for part in collection._view().parts if (row := part.segment.row) is not None}
        files = {int(file.name.partition(".")[0]) for file in (path / "segments").iterdir()}
        assert files == named, f"{which}: files {files}, of which {named} are named"
    assert not list((path / "segments").glob("*.new")), which
    return state


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), 1)
