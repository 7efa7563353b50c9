"""Index files of every format version since the first still open, and still give the same answers.

tests/data/make_golden.py writes them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher

pytestmark = pytest.mark.kernels

DATA = Path(__file__).parents[1] / "data"
GROUPS = sorted(DATA.glob("*-groups.thresher"))
SIGNED = sorted(DATA.glob("*-signed.thresher"))
FILES = sorted(set(DATA.glob("*.thresher")) - {*GROUPS, *SIGNED})
NEWEST = 4
VERSIONS = {
    "block-max": [1, 2, 3, 4],
    "clustered": [2, 3, 4],
    "exact": [1, 2, 3, 4],
    "graph": [3, 4],
    "impact": [3, 4],
    "postings": [3, 4],
}
OLD_FILES = [path for path in FILES if f"-v{NEWEST}-" not in path.name]
# The first digits of their SHA-256: they are never written again.
RELEASED = {
    "block-max-v1-float16.thresher": "c7c8b3cf5c302189",
    "block-max-v1-float32.thresher": "a37394b7cb01fdd2",
    "block-max-v2-float16.thresher": "6a6ca0abe44ee448",
    "block-max-v2-float32.thresher": "bf1165e648ef530c",
    "block-max-v3-float16.thresher": "2e61369de08ea4b7",
    "block-max-v3-float32.thresher": "c21d3f02f6e551bb",
    "clustered-v2-float16.thresher": "b0693f1ff8ac373a",
    "clustered-v2-float32.thresher": "fd302ecc8b0c7179",
    "clustered-v3-float16.thresher": "405b3b3973d8cac4",
    "clustered-v3-float32.thresher": "6d0fc96f644833e5",
    "exact-v1-float16.thresher": "a90f52022d715c09",
    "exact-v1-float32.thresher": "3ab6cd847a4f078a",
    "exact-v2-float16.thresher": "586409dc1279dd19",
    "exact-v2-float32.thresher": "acc96b7e0271f7cb",
    "exact-v3-float16.thresher": "0e060d9c5d577319",
    "exact-v3-float32.thresher": "72f1674d3228c907",
    "graph-v3-float16.thresher": "d66219dde2069bb6",
    "graph-v3-float32.thresher": "c9650b7faa578fd1",
    "impact-v3-float16.thresher": "7a552f02aafe429c",
    "impact-v3-float32.thresher": "5f938ec8a7a7263d",
    "postings-v3-float16.thresher": "1a1a8c965e43c93e",
    "postings-v3-float32.thresher": "b03a88235c285ec9",
}


def test_every_engine_has_golden_files_of_each_version_since_its_first() -> None:
    assert {thresher.describe(path)["engine"] for path in FILES} == set(VERSIONS) == set(thresher.engines())
    assert [path.name for path in FILES] == [
        f"{engine}-v{version}-{weights}.thresher"
        for engine, versions in VERSIONS.items()
        for version in versions
        for weights in ("float16", "float32")
    ]


def test_golden_files_of_older_versions_are_as_they_were() -> None:
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in FILES}
    assert {path.name: sums[path.name] for path in OLD_FILES} == RELEASED


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
    if isinstance(index, thresher.ClusteredIndex):
        searches += [{"query_cut": 0, "cluster_budget": 2**40}, {"cluster_budget": 12, "refine": 8}]
    if isinstance(index, thresher.ImpactIndex):
        searches += [{"postings_budget": 2**40}, {"deadline_us": 1e9}]  # which it does not reach
    for limits in searches:
        hits = index.search(sp.csr_array(queries), ids.shape[1], **limits)
        np.testing.assert_array_equal(hits.ids, ids)
        np.testing.assert_allclose(hits.scores, scores, rtol=1e-6)
    np.testing.assert_array_equal(index.vectors(np.arange(docs.shape[0])).toarray(), docs)
    assert (index.n_docs, index.n_terms, index.nnz) == (*docs.shape, np.count_nonzero(docs))


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: path.stem)
def test_golden_files_with_groups_are_looked_into_as_before(path: Path) -> None:
    told = thresher.describe(path)
    assert (told["engine"], f"v{told['format_version']}") == ("clustered", path.stem.split("-")[1])
    index = thresher.open(path)
    assert index.nbytes["groups"] > 0
    with np.load(path.with_suffix(".npz")) as golden:
        docs, queries, ids, scores = (golden[name] for name in ("docs", "queries", "ids", "scores"))
    some: dict[str, Any] = {"query_cut": 0, "cluster_budget": 30, "group_budget": 2}
    hits = index.search(sp.csr_array(queries), ids.shape[1], **some)
    np.testing.assert_array_equal(hits.ids, ids)
    np.testing.assert_allclose(hits.scores, scores, rtol=1e-6)
    some |= {"cluster_budget": 2**40, "group_budget": 0}
    everything = index.search(sp.csr_array(queries), ids.shape[1], **some)
    assert not np.array_equal(everything.ids, ids)
    best = -np.sort(-(queries.astype(np.float64) @ docs.T.astype(np.float64)))[:, : ids.shape[1]]
    np.testing.assert_allclose(everything.scores, best, rtol=1e-6)
    np.testing.assert_array_equal(index.vectors(np.arange(docs.shape[0])).toarray(), docs)


@pytest.mark.parametrize("path", SIGNED, ids=lambda path: path.stem)
def test_golden_files_of_signed_weights_are_as_before(path: Path) -> None:
    index = thresher.open(path)
    with np.load(path.with_suffix(".npz")) as golden:
        docs, queries, ids, scores = (golden[name] for name in ("docs", "queries", "ids", "scores"))
    assert (docs < 0).any()
    hits = index.search(sp.csr_array(queries), ids.shape[1], exact=True)
    np.testing.assert_array_equal(hits.ids, ids)
    np.testing.assert_allclose(hits.scores, scores, rtol=1e-6)
    np.testing.assert_array_equal(index.vectors(np.arange(docs.shape[0])).toarray(), docs)
    assert index.words is not None
    assert index.names is not None
    assert (index.words.find("word 30"), index.names[33]) == (30, "document 33")
    sections = {section["name"] for section in thresher.describe(path)["sections"] if section["length"]}
    assert sections >= {"vocabulary/negative", "vocabulary/opposites", "outliers/slots", "words/bytes", "names/bytes"}
    assert ("fine/bytes" in sections, index.weights) == {
        "exact": (False, "uint8"),
        "clustered": (True, "uint8+float"),
    }[index.engine]


@pytest.mark.parametrize("path", OLD_FILES, ids=lambda path: path.stem)
def test_files_of_an_older_version_become_ones_of_the_newest(path: Path, tmp_path: Path) -> None:
    index = thresher.open(path)
    index.save(tmp_path / "new.thresher")
    assert thresher.describe(tmp_path / "new.thresher")["format_version"] == NEWEST
    newest = thresher.open(tmp_path / "new.thresher")
    assert (index.params, index.nnz, index.nbytes) == (newest.params, newest.nnz, newest.nbytes)
    with np.load(path.with_suffix(".npz")) as golden:
        queries = sp.csr_array(golden["queries"])
    for k in (1, 8, 70):
        hits, expected = index.search(queries, k), newest.search(queries, k)
        np.testing.assert_array_equal(hits.ids, expected.ids)
        np.testing.assert_array_equal(hits.scores, expected.scores)
    newest.save(tmp_path / "again.thresher")
    assert (tmp_path / "again.thresher").read_bytes() == (tmp_path / "new.thresher").read_bytes()


LISTS = {"lists/docs", "rare/docs"}
ORDER = {"order/given", "order/positions"}
FORMS = {
    "block-max": {"rows/impacts", *LISTS, *ORDER, "blocks/codes", "superblocks/codes", "tiles/codes"},
    "clustered": {*LISTS, *ORDER, "summaries/codes", "neighbours/positions"},
    "exact": {"rows/impacts", *LISTS},
    "graph": {*ORDER, "edges/starts", "edges/bytes", "entries/heaviest", "entries/bytes"},
    "impact": {"segments/counts", "segments/directory", "segments/docs", "rare/docs", "rare/levels"},
    "postings": {"lists/lasts", "lists/maxima", "lists/impacts_10", "blocks/bytes", "rare/docs"},
}
FORWARD = {
    1: {"forward/slots16", "forward/halves", "forward/floats"},
    2: {"forward/postings"},
    3: {"forward/format", "forward/starts", "forward/bytes"},
    4: {"forward/format", "forward/starts", "forward/bytes", "vocabulary/classes"},
}


@pytest.mark.parametrize(
    ("engine", "version"), [(engine, v) for engine, versions in VERSIONS.items() for v in versions]
)
def test_golden_files_are_small_and_hold_every_form(engine: str, version: int) -> None:
    files = [path for path in FILES if path.name.startswith(f"{engine}-v{version}-")]
    assert sum(path.stat().st_size for path in files) < 40 * 1024
    described = [thresher.describe(path) for path in files]
    held = {section["name"] for told in described for section in told["sections"] if section["length"]}
    assert held >= FORMS[engine] | FORWARD[version]
    if version == 2:
        widths = {
            section["nbytes"] / told["params"]["nnz"]
            for told in described
            for section in told["sections"]
            if section["name"] == "forward/postings"
        }
        assert widths == {4, 6}, "halves and floats, each with slots of 16 bits"


def test_golden_blocks_are_of_another_order_and_lack_terms() -> None:
    for path in FILES:
        if path.name.startswith("block-max"):
            counts = thresher.describe(path)["params"]
            assert counts["reorder"] == 1
            # Tiles, block maxima alone, posting lists alone.
            assert 0 < counts["n_tile_rows"] < counts["n_blocks_rows"] < counts["n_rows"] + counts["n_lists"]


def test_golden_summaries_are_of_another_order_and_in_two_forms() -> None:
    for path in FILES:
        if path.name.startswith("clustered"):
            counts = thresher.describe(path)["params"]
            assert counts["reorder"] == 1
            assert 0 < counts["n_summaries_rows"] < counts["n_lists"]  # which has room for the others
