"""Index files of every format version since the first still open, and still give the same answers.

tests/data/make_golden.py writes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher

DATA = Path(__file__).parents[1] / "data"
FILES = sorted(DATA.glob("*.thresher"))


def test_every_engine_has_a_golden_file() -> None:
    assert {thresher.describe(path)["engine"] for path in FILES} == set(thresher.engines())
    assert [path.name for path in FILES] == [
        "block-max-v1-float16.thresher",
        "block-max-v1-float32.thresher",
        "exact-v1-float16.thresher",
        "exact-v1-float32.thresher",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("verify", [True, False])
def test_golden_files_give_the_same_answers(path: Path, verify: bool) -> None:
    engine, version, _ = path.stem.rsplit("-", 2)
    told = thresher.describe(path)
    assert (told["engine"], f"v{told['format_version']}") == (engine, version)
    index = thresher.open(path, verify=verify)
    with np.load(path.with_suffix(".npz")) as golden:
        docs, queries, ids, scores = (golden[name] for name in ("docs", "queries", "ids", "scores"))
    searches: list[dict[str, Any]] = [{}]
    if isinstance(index, thresher.BlockMaxIndex):
        searches.append({"block_budget": 2**40})  # exact too, and never exhaustive
    for limits in searches:
        hits = index.search(sp.csr_array(queries), ids.shape[1], **limits)
        np.testing.assert_array_equal(hits.ids, ids)
        np.testing.assert_allclose(hits.scores, scores, rtol=1e-6)
    np.testing.assert_array_equal(index.vectors(np.arange(docs.shape[0])).toarray(), docs)
    assert (index.n_docs, index.n_terms, index.nnz) == (*docs.shape, np.count_nonzero(docs))


def test_golden_files_are_small_and_hold_every_form() -> None:
    assert sum(path.stat().st_size for path in FILES) < 64 * 1024
    forms = {"rows/impacts", "lists/docs", "rare/docs", "forward/halves", "forward/floats"}
    blocks = {"order/given", "order/positions", "blocks/codes", "superblocks/codes", "tiles/codes"}
    for engine in thresher.engines():
        described = [thresher.describe(path)["sections"] for path in FILES if path.name.startswith(f"{engine}-v")]
        held = {section["name"] for sections in described for section in sections if section["length"]}
        assert held >= (forms | blocks if engine == "block-max" else forms)


def test_golden_blocks_are_of_another_order_and_lack_terms() -> None:
    for path in FILES:
        if path.name.startswith("block-max"):
            counts = thresher.describe(path)["params"]
            assert counts["reorder"] == 1
            # Tiles, block maxima alone, posting lists alone.
            assert 0 < counts["n_tile_rows"] < counts["n_blocks_rows"] < counts["n_rows"] + counts["n_lists"]
