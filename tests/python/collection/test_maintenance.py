"""What goes on behind keeps the catalogue from growing where the documents do not."""

from __future__ import annotations

import functools
import gc
import sqlite3
import weakref
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from thresher.collection import Collection, Upkeep, maintenance


def _rows(path: Path, table: str) -> int:
    db = sqlite3.connect(path / "catalogue.sqlite")
    try:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        db.close()


@pytest.mark.parametrize("what", ["upsert", "update", "delete"])
def test_the_log_of_few_documents_stays_short(tmp_path: Path, what: str) -> None:
    most = 60
    upkeep = Upkeep(flush_docs=10**6, flush_upserts=most)
    with Collection.create(
        tmp_path / "docs", n_terms=4, fields={"n": "int"}, upkeep=upkeep, background=False
    ) as collection:
        ids = ["a", "b", "c"]
        collection.upsert(ids, [{0: 1.0}] * 3)
        writer = collection._writer
        assert writer is not None
        for number in range(100):
            if what == "upsert":
                collection.upsert(ids, [{0: 1.0 + number}] * 3)
            elif what == "update":
                collection.update_payload(ids, {"n": number})
            else:
                collection.upsert(["z"], [{1: 1.0}])
                collection.delete(["z"])
            writer.rebuild(functools.partial(maintenance.to_flush, upkeep=upkeep), threads=1)
            writer.tidy(most)
            assert _rows(tmp_path / "docs", "documents") <= 3 + 2 * most
            assert _rows(tmp_path / "docs", "batches") <= most
        assert len(collection) == 3


def test_versions_that_nobody_reads_are_let_go_of(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", n_terms=4) as collection:
        first = weakref.ref(collection._view())
        collection.upsert(["a"], [{0: 1.0}])
        snapshot = collection.snapshot()
        kept = weakref.ref(collection._view())
        collection.upsert(["a"], [{0: 2.0}])
        collection.optimize()
        gc.collect()
        assert first() is None
        assert kept() is not None
        assert _rows(tmp_path / "docs", "documents") == 2
        snapshot.close()
        gc.collect()
        assert kept() is None
        collection.optimize()
        assert _rows(tmp_path / "docs", "documents") == 1


def test_the_log_of_a_large_transaction_shrinks_again(tmp_path: Path) -> None:
    log = tmp_path / "docs" / "catalogue.sqlite-wal"
    rows = sp.csr_array(np.random.default_rng(0).random((2000, 1000), np.float32))
    with Collection.create(tmp_path / "docs", durability="normal", background=False) as collection:
        collection.upsert(range(2000), rows)
        assert log.stat().st_size > 12 << 20
        collection.flush()
        for number in range(3):
            collection.upsert([number], rows[[number]])
        assert log.stat().st_size < 9 << 20
