"""Histories of a collection, drawn by hypothesis, and what a dict of documents would be after them."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collection_model import FIELDS, MAIN_TERMS, VECTORS, Doc, Model, check
from thresher.collection import Collection, ConflictError, Snapshot, Upkeep, maintenance
from thresher.collection.tuning import Asked, Missed, Tuning, Tunings
from thresher.collection.writer import Writer

WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.25]) | st.floats(0.015625, 3.0, width=32)
SIGNED = WEIGHTS | st.floats(-3.0, -0.015625, width=32)
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "lang": st.sampled_from(["en", "de", "fr", "é\x00"]),
        "year": st.integers(1999, 2003) | st.sampled_from([-(2**63), 2**63 - 1]),
        "note": st.sampled_from(["x", "y", "xyz", 1, 1.5, True, ["a", "b"], {"deep": "x"}]),
    },
)
DOCS = st.builds(
    Doc,
    st.fixed_dictionaries(
        {
            "main": st.dictionaries(st.integers(0, MAIN_TERMS - 1), WEIGHTS, max_size=5),
            "words": st.dictionaries(st.sampled_from(["a", "bc", "ß", "\U0001f600", ""]), WEIGHTS, max_size=3),
            "open": st.dictionaries(st.integers(0, 40), SIGNED, max_size=3),
        }
    ),
    PAYLOADS,
    st.none() | st.sampled_from(["", "some text", "nul \x00 inside", "\U0001f600"]),
)
QUERIES = st.fixed_dictionaries(
    {
        "main": st.lists(st.dictionaries(st.integers(0, MAIN_TERMS - 1), SIGNED, max_size=4), min_size=1, max_size=2),
        "words": st.lists(st.dictionaries(st.sampled_from(["a", "bc", "ß", "never"]), WEIGHTS), min_size=1, max_size=2),
        "open": st.lists(st.dictionaries(st.integers(0, 60), SIGNED, max_size=3), min_size=1, max_size=2),
    }
)
STRINGS = ["a", "b", "c", "d", "", "nul\x00", "nul\x00b", "\U0001f600", "1", "x" * 512, "é"]
NUMBERS = [0, 1, 2, 3, -1, 10, 100, 7, 2**63 - 1, -(2**63), 2**53 + 1]


def _year(doc: dict[str, Any]) -> int | None:
    return doc.get("year")


def _is(value: object, other: object) -> bool:
    return value == other and not isinstance(value, bool)


def _note(doc: dict[str, Any], wanted: object) -> bool:
    note = doc.get("note")
    return any(_is(one, wanted) for one in note) if isinstance(note, list) else _is(note, wanted)


WHERES: list[Any] = [
    ({}, lambda _, __: True),
    ({"lang": "en"}, lambda _, doc: doc.get("lang") == "en"),
    ({"lang": "é\x00"}, lambda _, doc: doc.get("lang") == "é\x00"),
    ({"lang": {"$ne": "en"}}, lambda _, doc: doc.get("lang") != "en"),
    ({"year": {"$gte": 2001}}, lambda _, doc: _year(doc) is not None and doc["year"] >= 2001),
    ({"year": {"$exists": False}, "lang": {"$in": ["en", "de"]}},
     lambda _, doc: _year(doc) is None and doc.get("lang") in ("en", "de")),
    ({"note": 1}, lambda _, doc: _note(doc, 1)),
    ({"note": "a"}, lambda _, doc: _note(doc, "a")),
    ({"note.deep": "x"}, lambda _, doc: isinstance(doc.get("note"), dict)),
    ({"$not": {"note": "x", "year": {"$lt": 2002}}},
     lambda _, doc: not (_note(doc, "x") and _year(doc) is not None and doc["year"] < 2002)),
]  # fmt: skip

MISSED = Missed("clustered", 100, "no time")
TUNINGS = Tunings(
    Asked(0.9, None, 10, 1, 0, retune_s=0, version=1), (Tuning("graph", {}, 1, 1, is_met=True, k=1, n_docs=9),)
)
UPKEEP = Upkeep(flush_docs=4, flush_upserts=9, merge_width=2, dead_fraction=0.2, exact_docs=4)


class Histories(RuleBasedStateMachine):
    """A collection, its snapshots and readers, and the model of each."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "docs.collection"
        self.model = Model()
        self.kept: list[tuple[Snapshot, Model]] = []
        self.readers: list[tuple[Collection, Model]] = []
        self.ids: list[Any] = []
        self.collection: Collection

    @initialize(engine=st.sampled_from(["clustered", "block-max", "exact"]), ids=st.sampled_from([STRINGS, NUMBERS]))
    def create(self, engine: str, ids: list[Any]) -> None:
        self.ids = ids
        self.collection = Collection.create(
            self.path, vectors=VECTORS, fields=FIELDS, engine=engine, durability="normal",
            upkeep=UPKEEP, background=False,  # `maintain` does it instead
        )  # fmt: skip

    def _writer(self) -> Writer:
        writer = self.collection._writer
        assert writer is not None
        return writer

    def _some(self, data: st.DataObject, most: int = 6) -> list[Any]:
        return data.draw(st.lists(st.sampled_from(self.ids), max_size=most))

    def _upsert(self, data: st.DataObject, target: Any, model: Model) -> None:
        ids = self._some(data)
        docs = data.draw(st.lists(DOCS, min_size=len(ids), max_size=len(ids)))
        if_absent = data.draw(st.booleans())
        names = data.draw(st.sampled_from([["main", "words", "open"], ["main"], ["open", "words"]]))
        stored = [
            Doc({name: doc.rows[name] if name in names else {} for name in VECTORS}, doc.payload, doc.text)
            for doc in docs
        ]
        done = target.upsert(
            ids,
            {name: [doc.rows[name] for doc in docs] for name in names},
            [doc.payload for doc in docs],
            texts=[doc.text for doc in docs],
            if_absent=if_absent,
        )
        assert done == model.upsert(ids, stored, if_absent=if_absent)

    def _delete(self, data: st.DataObject, target: Any, model: Model) -> None:
        kind = data.draw(st.sampled_from(["ids", "ids", "where", "all"]))
        if kind == "ids":
            ids = self._some(data, 3)
            assert target.delete(ids) == model.delete(ids)
        elif kind == "where":
            where, meets = data.draw(st.sampled_from(WHERES[1:]))
            assert target.delete(where=where) == model.delete(model.meeting(meets))
        else:
            assert target.delete(all=True) == model.delete(list(model.docs))

    def _update(self, data: st.DataObject, target: Any, model: Model) -> None:
        ids = self._some(data, 4)
        payload = data.draw(PAYLOADS | st.just({"lang": None}))
        replace = data.draw(st.booleans())
        if replace:
            payload = {key: value for key, value in payload.items() if value is not None}
        assert target.update_payload(ids, payload, replace=replace) == model.update(ids, payload, replace=replace)

    @rule(data=st.data())
    def upsert(self, data: st.DataObject) -> None:
        self._upsert(data, self.collection, self.model)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self._delete(data, self.collection, self.model)

    @rule(data=st.data())
    def update(self, data: st.DataObject) -> None:
        self._update(data, self.collection, self.model)

    @rule(data=st.data(), fails=st.booleans())
    def batch(self, data: st.DataObject, fails: bool) -> None:
        model = self.model.copy()
        try:
            with self.collection.batch() as batch:
                for _ in range(data.draw(st.integers(0, 3))):
                    data.draw(st.sampled_from([self._upsert, self._delete, self._update]))(data, batch, model)
                before = model.copy()
                with pytest.raises(ValueError, match="-1"):  # undone alone
                    batch.upsert(self.ids[:3], {"main": [{0: 1.0}, {1: 1.0}, {2: -1.0}]})
                with pytest.raises(ConflictError):
                    batch.upsert(self.ids[:2], {"main": [{0: 1.0}] * 2}, if_version=10**9)
                assert before.docs.keys() == model.docs.keys()
                if fails:
                    raise InterruptedError  # noqa: TRY301 - what ends the batch
        except InterruptedError:
            return
        self.model = model

    @precondition(lambda self: self.model.docs)
    @rule(data=st.data(), doc=DOCS)
    def upsert_if_version(self, data: st.DataObject, doc: Doc) -> None:
        one = data.draw(st.sampled_from(list(self.model.docs)))
        [there] = self.collection.get([one])
        rows = {name: [doc.rows[name]] for name in VECTORS}
        with pytest.raises(ConflictError) as caught:
            self.collection.upsert([one], rows, if_version=there.version + 1)
        assert caught.value.ids == [one]
        self.collection.upsert([one], rows, [doc.payload], texts=[doc.text], if_version=[there.version])
        self.model.upsert([one], [doc])

    @rule(kind=st.sampled_from(["flush", "optimize", "to_flush", "to_merge", "to_merge", "tidy", "tune"]))
    def maintain(self, kind: str) -> None:
        if kind in ("flush", "optimize"):
            getattr(self.collection, kind)()
        elif kind == "tidy":
            self._writer().tidy(1)
        elif kind == "tune":
            self._writer().set_tunings(
                "main", lambda _, now: TUNINGS if now is None else now.with_outcome(MISSED, UPKEEP)
            )
        else:
            self._writer().rebuild(functools.partial(getattr(maintenance, kind), upkeep=UPKEEP), threads=1)

    @rule()
    def keep_snapshot(self) -> None:
        self.kept.append((self.collection.snapshot(), self.model.copy()))
        for snapshot, _ in self.kept[:-2]:
            snapshot.close()
        del self.kept[:-2]

    @rule()
    def open_reader(self) -> None:
        self.readers.append((Collection.open(self.path), self.model.copy()))
        for reader, _ in self.readers[:-2]:
            reader.close()
        del self.readers[:-2]

    @precondition(lambda self: self.readers)
    @rule()
    def refresh(self) -> None:
        reader, _ = self.readers[0]
        reader.refresh()
        assert not reader.refresh()
        self.readers[0] = (reader, self.model.copy())

    @rule(ends=st.sampled_from(["close", "kill"]))
    def reopen(self, ends: str) -> None:
        for snapshot, _ in self.kept:
            snapshot.close()
        self.kept.clear()
        if ends == "close":
            self.collection.close()
            self.collection.close()
            self.collection = Collection.open(self.path, mode="rw", background=False)
        else:  # what a kill leaves behind, in a copy
            copied = self.folder / f"copy{len(list(self.folder.iterdir()))}"
            shutil.copytree(self.path, copied, ignore=shutil.ignore_patterns("lock", "readers"))
            (copied / "readers").mkdir()
            self.collection.close()
            for reader, _ in self.readers:
                reader.close()
            self.readers.clear()
            self.path = copied
            self.collection = Collection.open(self.path, mode="rw", background=False)

    @rule(queries=QUERIES, where=st.lists(st.sampled_from(WHERES), max_size=2), data=st.data())
    def compare(self, queries: Any, where: list[Any], data: st.DataObject) -> None:
        ids = self._some(data, 3)
        named = ({"$id": {"$in": ids}}, lambda one, _: one in ids)
        for readable, model in ((self.collection, self.model), *self.kept, *self.readers):
            check(readable, model, queries, [*where, named])

    @invariant()
    def counts(self) -> None:
        if hasattr(self, "collection"):
            assert len(self.collection) == len(self.model.docs)

    def teardown(self) -> None:
        try:
            queries: Any = {"main": [{0: 1.0, 3: 2.0}], "words": [{"a": 1.0}], "open": [{1: -1.0, 2: 0.5}]}
            if hasattr(self, "collection"):
                check(self.collection, self.model, queries)
                for readable, model in (*self.kept, *self.readers):
                    check(readable, model, queries)
        finally:
            for snapshot, _ in self.kept:
                snapshot.close()
            for reader, _ in self.readers:
                reader.close()
            if hasattr(self, "collection"):
                self.collection.close()
            shutil.rmtree(self.folder)
