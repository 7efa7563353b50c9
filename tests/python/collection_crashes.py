"""Random operations on a small collection, what is there after them, and what must hold wherever it is read.

A document's payload says what its vector is, so that no mixture of two states goes unseen.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thresher.collection import Collection, Upkeep
from thresher.collection.catalogue import Catalogue
from thresher.collection.reading import Readable

N_IDS = 40
N_TERMS = 8
KINDS = {
    "upsert": 9, "delete": 2, "update": 3, "batch": 3, "flush": 2, "optimize": 1, "reopen": 1, "backup": 1, "restore": 1
}  # fmt: skip
"""The kinds of operations, with how often each comes."""

State = dict[str, dict[str, Any]]
"""The payload of each document, in the order of their upserts."""


def created(path: Path, **options: Any) -> Collection:
    """Make the collection, in which a few documents make a segment, and two segments a larger one."""
    upkeep = Upkeep(flush_docs=30, flush_upserts=60, merge_width=2)
    return Collection.create(path, n_terms=N_TERMS, fields={"n": "int"}, upkeep=upkeep, **options)


def vector(number: int) -> dict[int, float]:
    """Return the vector of a document."""
    return {number % N_TERMS: float(number), (number + 3) % N_TERMS: 0.5}


def drawn(rng: random.Random, number: int) -> Any:
    """Return a random operation."""
    ids = rng.sample([f"d{one}" for one in range(N_IDS)], rng.randint(1, 9))
    [kind] = rng.choices(list(KINDS), list(KINDS.values()))
    if kind == "upsert":
        return [kind, ids, [number * 10 + place + 1 for place in range(len(ids))]]
    if kind == "delete":
        return [kind, ids[:3]]
    if kind == "update":
        return [kind, ids, number]
    if kind == "batch":
        return [kind, ["upsert", ids, [number * 10 + 1] * len(ids)], ["delete", ids[:2]], ["update", ids[2:], number]]
    if kind in ("backup", "restore"):
        return [kind, f"{number}"]
    return [kind]


def after(state: State, operation: Any) -> State:
    """Return what is there after an operation."""
    kind, *arguments = operation
    done = dict(state)
    if kind == "upsert":
        for one, number in zip(*arguments, strict=True):
            done.pop(one, None)
            done[one] = {"n": number}
    elif kind == "delete":
        for one in arguments[0]:
            done.pop(one, None)
    elif kind == "update":
        for one in arguments[0]:
            if one in done:
                done[one] = {**done[one], "more": arguments[1]}
    elif kind == "batch":
        for part in arguments:
            done = after(done, part)
    return done


def do(target: Any, operation: Any) -> None:
    """Do an operation on a collection, or in a batch."""
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
    elif kind == "backup":
        target.backup(copy_of(target.path, *operation))
    elif kind == "restore":
        backup = copy_of(target.path, "backup", *arguments)
        target.backup(backup)
        Collection.restore(backup, copy_of(target.path, *operation), mode="r").close()
    else:
        getattr(target, kind)()


# ---------------------------------------------------------------------------------------------------- what must hold


def is_same(state: State, other: State) -> bool:
    """Tell whether two states are one, in the order of documents too."""
    return list(state.items()) == list(other.items())


def read(readable: Readable) -> State:
    """Return what is there; AssertionError unless all ways to read it agree."""
    documents = list(readable.scan(include=("payload", "vectors")))
    state: State = {str(doc.id): doc.payload for doc in documents}
    assert len(state) == len(documents) == len(readable) == readable.count({"n": {"$gt": 0}})
    for doc in documents:
        row = dict(zip(doc.vector.indices.tolist(), doc.vector.data.tolist(), strict=True))
        assert row == vector(doc.payload["n"]), doc
    hits = readable.search([dict.fromkeys(range(N_TERMS), 1.0)], len(state) + 1, exact=True, threads=1)
    order = sorted(enumerate(state), key=lambda pair: (-np.float32(state[pair[1]]["n"] + 0.5), pair[0]))
    [(ids, _)] = hits.rows()
    expected = [one for _, one in order]
    assert list(ids) == expected, f"search found {list(ids)}, not {expected}"
    return state


def compare(path: Path, states: Sequence[State]) -> State:
    """Open a collection, and check that one of some states is there, and no file that nothing names; return it."""
    with Collection.open(path, mode="rw") as collection:
        state = read(collection)
        assert any(is_same(state, one) for one in states), f"{state}, not {states}"
        collection.flush()  # and nothing is built any more, of which there were files
        assert not unnamed(path)
        assert is_same(read(collection), state)
    return state


def unnamed(path: Path) -> set[str]:
    """Return the files of segments that the catalogue does not name."""
    catalogue = Catalogue(path, readonly=True)
    try:
        named = {f"{number:08d}" for row in catalogue.segments() for number in (row.file, row.columns)}
    finally:
        catalogue.close()
    return {file.name for file in (path / "segments").iterdir() if file.name.partition(".")[0] not in named}


# ------------------------------------------------------------------------------------------------------------ copies


def copy_of(path: Path, kind: str, name: str) -> Path:
    """Return where a copy of the collection goes."""
    return path.with_name(f"{kind}-{name}")


def copies(path: Path, name: str = "*") -> list[Path]:
    """Return the copies that there are."""
    return [copy for kind in ("backup", "restore") for copy in sorted(path.parent.glob(f"{kind}-{name}"))]


def read_copy(copy: Path) -> State:
    """Return what is in a copy, which must be whole and go on as a collection; it is removed."""
    report = Collection.check_folder(copy)
    assert report.is_sound, f"{copy}: {report.problems}"
    with Collection.open(copy, mode="rw") as collection:
        state = read(collection)
        operation = ["upsert", ["d0", "new"], [1, 2]]
        do(collection, operation)
        collection.optimize()
        assert is_same(read(collection), after(state, operation)), copy
    shutil.rmtree(copy)
    return state
