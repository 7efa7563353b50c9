"""Matrices whose arrays point outside of them: a ValueError at every door, before scipy's code or ours follows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy import sparse

import thresher
from thresher import datasets
from thresher.formats import bigann, npz

Matrix: TypeAlias = Any
Door: TypeAlias = Callable[[Matrix, Matrix, Path], object]


def good(rows: int, seed: int) -> Matrix:
    rng = np.random.default_rng(seed)
    return sparse.random_array((rows, 60), density=0.3, rng=rng, dtype=np.float32, format="csr")


DOCS, QUERIES = good(300, 1), good(40, 2)


def write_ciff(docs: Matrix, folder: Path) -> None:
    pytest.importorskip("google.protobuf")
    from thresher.formats import ciff  # noqa: PLC0415

    ciff.write_ciff(folder / "x.ciff", docs)


# Each takes a matrix that lies, one that does not, and a folder.
DOORS: dict[str, Door] = {
    "build": lambda lying, *_: thresher.ExactIndex.build(lying),
    "search": lambda lying, *_: thresher.ExactIndex.build(DOCS).search(lying, 3),
    "Builder": lambda lying, *_: thresher.Builder(thresher.ExactIndex).add(lying),
    "estimate": lambda lying, *_: thresher.estimate(lying, engine="exact"),
    "tune docs": lambda lying, *_: thresher.tune(lying, recall=0.9, engine="exact"),
    "tune queries": lambda lying, *_: thresher.tune(DOCS, queries=lying, recall=0.9, engine="exact"),
    "fit docs": lambda lying, *_: datasets.fit(lying, QUERIES, calibrate=False),
    "fit queries": lambda lying, *_: datasets.fit(DOCS, lying, calibrate=False),
    "compare docs": lambda lying, *_: datasets.compare(lying, QUERIES, DOCS, QUERIES),
    "compare queries": lambda lying, *_: datasets.compare(DOCS, lying, DOCS, QUERIES),
    "compare generated docs": lambda lying, *_: datasets.compare(DOCS, QUERIES, lying, QUERIES),
    "compare generated queries": lambda lying, *_: datasets.compare(DOCS, QUERIES, DOCS, lying),
    "write_csr": lambda lying, _, folder: bigann.write_csr(folder / "x.csr", lying),
    "write_npz": lambda lying, _, folder: npz.write_npz(folder / "x.npz", lying),
    "write_ciff": lambda lying, _, folder: write_ciff(lying, folder),
}


def set_at(part: str, at: int, value: int) -> Callable[[Matrix], None]:
    def lie(matrix: Matrix) -> None:
        getattr(matrix, part)[at] = value

    return lie


def cut(part: str) -> Callable[[Matrix], None]:
    def lie(matrix: Matrix) -> None:
        setattr(matrix, part, getattr(matrix, part)[:-3])

    return lie


LIES: dict[str, Callable[[Matrix], None]] = {
    "indptr rises and falls": set_at("indptr", 15, 2**31 - 1),
    "indptr is negative": set_at("indptr", 15, -(2**31)),
    "indptr starts late": set_at("indptr", 0, 5),
    "indptr ends far beyond": set_at("indptr", -1, 2**31 - 1),
    "indptr falls at the end": set_at("indptr", -1, 0),
    "an index is beyond": set_at("indices", 7, 60_000_000),
    "an index is negative": set_at("indices", 7, -2),
    "indices are too few": cut("indices"),
    "data is too short": cut("data"),
    "indptr is too short": cut("indptr"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("layout", ["csr", "csc"])
def test_every_door_says_so(tmp_path: Path, door: str, lie: str, layout: str) -> None:
    matrix = (QUERIES if "queries" in door or door == "search" else DOCS).asformat(layout, copy=True)
    LIES[lie](matrix)
    with pytest.raises(ValueError, match=r"(docs|documents|queries|matrix): "):
        DOORS[door](matrix, None, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", ["coo", "bsr", "dia"])
@pytest.mark.parametrize("door", ["build", "estimate", "fit docs", "write_csr", "write_npz"])
def test_other_layouts_too(tmp_path: Path, door: str, layout: str) -> None:
    diagonals = sparse.dia_array((np.ones((2, 60), np.float32), [0, 1]), shape=(300, 60))
    matrix: Matrix = {"coo": DOCS.tocoo(), "bsr": DOCS.tobsr((2, 2)), "dia": diagonals}[layout]
    if layout == "coo":
        matrix.row[3] = 2**31 - 1
    elif layout == "bsr":
        matrix.indptr[:] = 0
        matrix.indptr[2] = 50_000_000
    else:
        matrix.offsets = np.append(matrix.offsets, np.arange(100_000, 100_500, dtype=np.int32))
    with pytest.raises(ValueError, match=r"(docs|documents|matrix): "):
        DOORS[door](matrix, None, tmp_path)


def test_what_is_no_matrix_is_told_by_its_name(tmp_path: Path) -> None:
    dense = DOCS.toarray()
    for door, name in (
        ("fit docs", "documents"),
        ("compare generated queries", "generated_queries"),
        ("write_csr", "matrix"),
        ("write_npz", "matrix"),
    ):
        with pytest.raises(TypeError, match=rf"{name} must be a scipy\.sparse matrix, got "):
            DOORS[door](dense, None, tmp_path)
