"""Damages a collection's catalogue in ways of all kinds, and does with it all that can be done.

Whatever was altered, what comes of it is a result, or one of the errors that say what is wrong.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import thresher
from thresher.collection import Boost, Collection

ERRORS = (thresher.FormatError, OSError)
FIELDS: Any = {"year": "int", "lang": "keyword", "day": "datetime"}
_PAGE = 8192
_VALUES: list[Any] = [
    *(None, 0, 1, -1, 7, 2**31, 2**62, 2**63 - 1, -(2**63), 1.5, float("inf")),
    *("", "x", "a1", "1", "{", "[]", "{}", "[1]", '{"year": "x"}', '{"year": 1e400}', "[" * 5000, "\x00", "é" * 600),
    *(b"", b"x", b"\xff" * 40, b"\x78\x9c" + bytes(20)),
]


def prepared(folder: Path) -> Path:
    """Make a collection that has something in each table: segments, words, updates, dead ones, and what waits."""
    vectors: Any = {"title": {"words": True}, "body": {"n_terms": 60}}
    with Collection.create(folder, fields=FIELDS, vectors=vectors) as collection:
        chance = random.Random(1)
        for letter in "abc":
            ids = [f"{letter}{number}" for number in range(12)]
            rows = {
                "title": [{f"w{chance.randrange(9)}": 1.0, f"v{number}": 0.5} for number in range(12)],
                "body": [{chance.randrange(60): 1.0 + number / 8} for number in range(12)],
            }
            payloads = [
                {"year": 2000 + number, "lang": "ed"[number % 2], "day": "2024-05-01", "n": number}
                for number in range(12)
            ]
            collection.upsert(ids, rows, payloads, texts=["text"] * 12)
            if letter != "c":
                collection.flush()
        collection.delete(["a3", "b4", "c5"])
        collection.upsert(["a7", "b8"], {"title": [{"w1": 1.0}] * 2, "body": [{1: 1.0}] * 2})
        collection.update_payload(["a1", "b1", "c1"], {"lang": "it", "year": 1999})
    found = {
        "engine": "exact",
        "search_params": {},
        "recall": 1.0,
        "latency_us": 1.0,
        "is_met": True,
        "k": 1,
        "n_docs": 9,
    }
    asked = {"recall": 0.9, "latency_us": None, "k": 1, "threads": 1, "seed": 0, "retune_s": 0.0, "version": 1}
    tunings = {"asked": asked, "found": [found], "missed": []}
    with contextlib.closing(sqlite3.connect(folder / "catalogue.sqlite")) as db, db:
        db.execute("INSERT INTO meta VALUES ('tunings:body', ?)", [json.dumps(tunings)])
    return folder


def damaged(folder: Path, chance: random.Random) -> str:
    """Alter a catalogue, and say how."""
    return chance.choice([_flipped, _flipped, _zeroed, _swapped, _cut, _set, _set, _set, _set, _removed, _dropped])(
        folder / "catalogue.sqlite", chance
    )


def used(folder: Path) -> None:
    """Do all that can be done with a collection; only errors that are not meant for damage come out."""
    for mode in ("r", "rw"):
        with contextlib.suppress(*ERRORS), Collection.open(folder, mode) as collection:
            calls = _calls(collection, folder.parent / f"backup-{mode}")
            for call in (*calls, *(_changes(collection) if mode == "rw" else ())):
                with contextlib.suppress(*ERRORS):
                    call()
    for repair in (False, True):
        with contextlib.suppress(*ERRORS):
            Collection.check_folder(folder, repair=repair)
    with contextlib.suppress(*ERRORS), Collection.open(folder) as collection:
        list(collection.scan())


def _calls(collection: Collection, backup: Path) -> Iterator[Callable[[], object]]:
    ids = ["a1", "a3", "b8", "c1", "nobody"]
    title, body = [{"w1": 1.0, "v3": 1.0}], [{1: 1.0, 7: 1.0}]
    yield lambda: (len(collection), repr(collection), "a1" in collection)
    yield lambda: collection.get(ids, missing="skip")
    yield lambda: [document.vector for document in collection.get(ids, missing="skip")]
    yield lambda: list(collection.scan(include=("payload", "vectors", "text")))
    yield lambda: list(collection.scan({"n": {"$lt": 5}}, order_by="year"))
    yield lambda: collection.search(title, 5, include=True).ids
    yield lambda: collection.search(body, None, vector="body", where={"lang": "e"}).payloads()
    yield lambda: collection.search(body, 5, vector="body", boost=Boost.field("year", 0.1), group_by="lang").ids
    yield lambda: collection.search(title, 5, where={"$id": {"$nin": ids}}, exclude=["a2"], must=["w1"]).ids
    yield lambda: _explained(collection)
    yield lambda: (collection.count({"year": 2003}), collection.count({"n": 3}), collection.count_by("lang"))
    yield lambda: (collection.words("title"), collection.id_kind, collection.fields, collection.vectors)
    yield lambda: collection.stats().to_dict()
    yield lambda: _measured(collection)
    yield collection.check
    yield lambda: collection.backup(backup)


def _measured(collection: Collection) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of queries that find nothing
        collection.recall(k=2, sample=5, vector="body")


def _explained(collection: Collection) -> None:
    hits = collection.search_one({"w1": 1.0}, k=3)
    with contextlib.suppress(KeyError):  # of an id that the catalogue has no more
        collection.explain({"w1": 1.0}, hits)


def _declared(collection: Collection) -> None:
    with contextlib.suppress(ValueError):  # of a payload that does not fit
        collection.declare_field("n", "int")


def _changes(collection: Collection) -> Iterator[Callable[[], object]]:
    row: Any = {"title": [{"w1": 1.0, "new": 1.0}], "body": [{1: 1.0}]}
    yield lambda: collection.upsert(["a1"], row, [{"year": 1}])
    yield lambda: collection.update_payload(["a2", "c2"], {"lang": "e"})
    yield lambda: collection.delete(["a4"])
    yield lambda: collection.delete(where={"n": 6})
    yield lambda: _declared(collection)
    yield collection.flush
    yield collection.optimize
    yield lambda: collection.check(repair=True)
    yield lambda: list(collection.scan(include=("payload", "vectors", "text")))


# ----------------------------------------------------------------------------------------------------- alterations


def _flipped(path: Path, chance: random.Random) -> str:
    content = bytearray(path.read_bytes())
    places = [chance.randrange(len(content)) for _ in range(chance.choice([1, 1, 3, 30]))]
    if chance.random() < 0.3:  # the beginnings of pages, where their layout is
        places = [place // _PAGE * _PAGE + place % 40 for place in places]
    for place in places:
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return f"flipped bits at {places}"


def _zeroed(path: Path, chance: random.Random) -> str:
    content = bytearray(path.read_bytes())
    page = chance.randrange(len(content) // _PAGE)
    begin = page * _PAGE + chance.choice([0, 0, 8, 100])
    content[begin : (page + 1) * _PAGE] = bytes((page + 1) * _PAGE - begin)
    path.write_bytes(content)
    return f"zeroed from {begin}"


def _swapped(path: Path, chance: random.Random) -> str:
    content = bytearray(path.read_bytes())
    one, other = (chance.randrange(len(content) // _PAGE) * _PAGE for _ in range(2))
    content[one : one + _PAGE] = content[other : other + _PAGE]
    path.write_bytes(content)
    return f"page {one // _PAGE} is {other // _PAGE}"


def _cut(path: Path, chance: random.Random) -> str:
    content = path.read_bytes()
    size = chance.choice(
        [0, 1, 50, 100, 512, _PAGE, len(content) // 2 // _PAGE * _PAGE, chance.randrange(len(content))]
    )
    path.write_bytes(content[:size])
    return f"cut off at {size}"


def _set(path: Path, chance: random.Random) -> str:
    with contextlib.closing(sqlite3.connect(path)) as db:
        table = chance.choice(["meta", "fields", "words", "documents", "batches", "segments"])
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        column = "value" if table == "meta" else chance.choice(columns)
        keys = ("row",) if table == "documents" else tuple(columns[:2] if table == "words" else columns[:1])
        key = chance.choice(db.execute(f"SELECT {', '.join(keys)} FROM {table}").fetchall())
        value = chance.choice(_VALUES)
        condition = " AND ".join(f"{name} IS ?" for name in keys)
        (old,) = db.execute(f"SELECT {column} FROM {table} WHERE {condition}", key).fetchone()
        if chance.random() < 0.3 and isinstance(old, bytes | str) and old:
            value = old[: chance.randrange(len(old))]
        elif chance.random() < 0.3 and isinstance(old, int):
            value = old + chance.choice([-1, 1, 5])
        written = "CAST(? AS TEXT)" if isinstance(value, bytes) and chance.random() < 0.5 else "?"
        with contextlib.suppress(sqlite3.Error), db:  # some are refused
            db.execute("PRAGMA ignore_check_constraints = ON")
            db.execute(f"UPDATE {table} SET {column} = {written} WHERE {condition}", (value, *key))
    return f"{table}.{column} of {key} is {str(value)[:40]!r} {written}"


def _removed(path: Path, chance: random.Random) -> str:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        table = chance.choice(["meta", "fields", "words", "documents", "batches", "segments"])
        statement = f"DELETE FROM {table} WHERE {{}} IN (SELECT {{}} FROM {table} ORDER BY random() LIMIT 1)"
        key = db.execute(f"PRAGMA table_info({table})").fetchone()[1]
        db.execute(statement.format(key, key))
    return f"removed from {table}"


def _dropped(path: Path, chance: random.Random) -> str:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        table = chance.choice(["meta", "fields", "words", "documents", "batches", "segments"])
        db.execute(f"DROP TABLE {table}")
    return f"dropped {table}"


def damage_and_use(template: Path, folder: Path, seed: int) -> None:
    """Alter a copy of a collection by a seed, and use it; an error that comes out has a note of what was altered."""
    copy = folder / "c"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, copy)
    how = damaged(copy, random.Random(seed))
    try:
        used(copy)
    except BaseException as error:
        error.add_note(f"seed {seed}: {how}")
        raise
