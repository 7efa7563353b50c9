"""A small collection for tests, with what should be in it beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from thresher.collection import Collection

N_TERMS = 60


class Small:
    """A collection, and its live documents as plain dicts of vectors and payloads."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.rng = np.random.default_rng(5)
        self.vectors: dict[Any, sp.csr_array] = {}
        self.payloads: dict[Any, dict[str, Any]] = {}
        self.collection = Collection.create(folder, **{"n_terms": N_TERMS, "fields": {"year": "int"}, **options})

    def upsert(self, ids: list[Any]) -> None:
        """Upsert documents with made vectors and payloads."""
        rows = sp.random_array((len(ids), N_TERMS), density=0.2, rng=self.rng, dtype=np.float32, format="csr")
        payloads = [
            {"year": 2000 + int(self.rng.integers(20)), "lang": str(self.rng.choice(["en", "de", "fr"]))} for _ in ids
        ]
        self.collection.upsert(ids, rows, payloads)
        for place, one in enumerate(ids):
            self.vectors[one], self.payloads[one] = rows[[place]], payloads[place]

    def delete(self, ids: list[Any]) -> None:
        """Delete documents."""
        self.collection.delete(ids)
        for one in ids:
            self.vectors.pop(one, None)
            self.payloads.pop(one, None)

    def update(self, ids: list[Any], **changes: Any) -> None:
        """Change payloads."""
        self.collection.update_payload(ids, changes)
        for one in ids:
            self.payloads[one] = {**self.payloads[one], **changes}

    def fill(self) -> None:
        """Make two segments and documents that wait, with some dead and some updated in each."""
        self.upsert([f"a{number}" for number in range(40)])
        self.collection.flush()
        self.upsert([f"b{number}" for number in range(25)])
        self.collection.flush()
        self.upsert([f"c{number}" for number in range(10)])
        self.delete(["a3", "b4", "c5"])
        self.upsert(["a7", "b8"])
        self.update(["a1", "b1", "c1"], lang="it", year=1999)

    def assert_same(self, other: Collection) -> None:
        """Raise AssertionError unless a collection has the live documents, and finds the best of them."""
        assert {document.id: document.payload for document in other.scan()} == self.payloads
        ids = sorted(self.vectors)
        for document in other.get(ids):
            assert (document.vector != self.vectors[document.id]).nnz == 0
        queries = sp.random_array((5, N_TERMS), density=0.3, rng=np.random.default_rng(1), dtype=np.float32)
        matrix = sp.vstack([self.vectors[one] for one in ids]) if ids else sp.csr_array((0, N_TERMS))
        scores = np.pad((queries @ matrix.T).toarray(), ((0, 0), (0, 10)))
        wanted = -np.sort(-scores, axis=1)[:, :10]
        found = other.search(queries, 10, exact=True).scores
        np.testing.assert_allclose(np.maximum(found, 0), wanted, rtol=1e-5)
        for field in ("lang", "year"):
            for value in {payload.get(field) for payload in self.payloads.values()}:
                meeting = {one for one, payload in self.payloads.items() if payload.get(field) == value}
                assert {document.id for document in other.scan({field: value})} == meeting, (field, value)
