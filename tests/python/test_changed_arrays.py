"""Arrays that change while an index is built of them: an error, or an index that works."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pytest

import thresher
from strategies import Case

Engine: TypeAlias = Any  # an engine's class: each has a `build` of its own

CHANGES = {
    "indices": np.uint32(2**32 - 1),
    "data": np.float32(np.nan),
    "indptr": np.int64(2**62),
}


@pytest.mark.parametrize("changed", sorted(CHANGES))
@pytest.mark.parametrize("after", range(7))
def test_arrays_that_progress_changes(engine: Engine, case: Case, changed: str, after: int) -> None:
    indptr, indices, data = (np.array(array) for array in case.docs.triple)
    arrays: dict[str, Any] = {
        "indptr": indptr.astype(np.int64),
        "indices": indices.astype(np.uint32),
        "data": data.astype(np.float32),
    }
    calls = 0

    def progress(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            arrays[changed][5:-5] = CHANGES[changed]

    triple = arrays["indptr"], arrays["indices"], arrays["data"]
    index: thresher.Index | None = None
    refused = ""
    try:
        index = engine.build(triple, shape=case.docs.shape, progress=progress)
    except ValueError as error:
        refused = str(error)
    if index is None:
        assert refused == "docs: changed by another thread while they were read"
    else:
        assert index.search(case.queries.triple, 10, shape=case.queries.shape).ids.shape[1] == 10
