from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import thresher
from thresher import datasets
from thresher.datasets._sampler import BLOCK, Block, Kind, Sampler
from thresher.formats import bigann


@pytest.fixture(scope="module")
def model() -> datasets.Model:
    return datasets.Model.shipped()


def same(one: sparse.csr_array, other: sparse.csr_array) -> bool:
    pairs = ((one.indptr, other.indptr), (one.indices, other.indices), (one.data, other.data))
    return one.shape == other.shape and all(np.array_equal(a, b) for a, b in pairs)


def test_is_canonical(model: datasets.Model) -> None:
    kinds: tuple[Kind, ...] = ("documents", "queries")
    for kind in kinds:
        made = datasets.generate(model, 3_000, kind=kind)
        assert made.shape == (3_000, model.n_terms)
        assert made.dtype == np.float32
        assert made.indices.dtype == np.int32
        assert np.isfinite(made.data).all()
        assert (made.data > 0).all()
        starts = np.zeros(made.nnz, bool)
        starts[made.indptr[:-1][np.diff(made.indptr) > 0]] = True
        assert ((np.diff(made.indices) > 0) | starts[1:]).all()
        assert made.indices.max() < model.n_terms


@pytest.mark.parametrize("kind", ["documents", "queries"])
def test_same_seed_same_bytes_whatever_the_threads_and_the_rows(
    model: datasets.Model, kind: Any, tmp_path: Path
) -> None:
    rows = 2 * BLOCK + 100
    made = datasets.generate(model, rows, kind=kind, seed=5)
    assert same(made, datasets.generate(model, rows, kind=kind, seed=5, threads=3))
    assert same(made[:700], datasets.generate(model, 700, kind=kind, seed=5))
    for threads in (1, 3):
        datasets.generate_to(tmp_path / f"{threads}.csr", model, rows, kind=kind, seed=5, threads=threads)
    bigann.write_csr(tmp_path / "whole.csr", made)
    whole = (tmp_path / "whole.csr").read_bytes()
    assert (tmp_path / "1.csr").read_bytes() == whole
    assert (tmp_path / "3.csr").read_bytes() == whole
    assert not same(made, datasets.generate(model, rows, kind=kind, seed=6))


@pytest.mark.parametrize("kind", ["documents", "queries"])
def test_a_vector_depends_on_its_number_alone(model: datasets.Model, kind: Any) -> None:
    sampler = Sampler(model, kind, 3)
    whole = sampler.block(0, 300)
    parts = [sampler.block(0, 1), sampler.block(1, 190), sampler.block(191, 109)]
    for at in range(3):
        assert np.array_equal(whole[at], np.concatenate([part[at] for part in parts]))


def test_documents_and_queries_differ(model: datasets.Model) -> None:
    docs, queries = datasets.generate(model, 2_000), datasets.generate(model, 2_000, kind="queries")
    assert 120 < docs.nnz / 2_000 < 134
    assert 40 < queries.nnz / 2_000 < 50
    assert np.diff(docs.indptr).max() <= 256


def test_weights_keep_the_mantissa_of_those_fitted(model: datasets.Model) -> None:
    assert model.mantissa_bits == 10
    data = datasets.generate(model, 500).data
    assert np.array_equal(data, data.astype(np.float16).astype(np.float32))
    few = datasets.generate(replace(model, mantissa_bits=2), 500).data
    assert not (few.view(np.uint32) & np.uint32((1 << 21) - 1)).any()
    assert few.mean() == pytest.approx(data.mean(), rel=0.01)


def test_queries_are_about_the_documents_of_their_seed(model: datasets.Model) -> None:
    def best(doc_seed: int, query_seed: int) -> float:
        docs = datasets.generate(model, 4_000, seed=doc_seed)
        queries = datasets.generate(model, 200, kind="queries", seed=query_seed)
        return float(thresher.ExactIndex.build(docs).search(queries, 1).scores.mean())

    assert best(1, 1) > 1.02 * best(1, 2)


def test_sharing_brings_documents_together(model: datasets.Model) -> None:
    def nearest(changed: datasets.Model) -> float:
        docs = datasets.generate(changed, 1_000)
        norms = np.sqrt(np.asarray(docs.multiply(docs).sum(axis=1)).ravel())
        unit = sparse.diags_array(1 / norms) @ docs
        cosines = (unit @ unit.T).toarray() - np.eye(1_000)
        return float(cosines.max(axis=1).mean())

    near = dict.fromkeys(("families", "groups"), 0.5)
    apart = nearest(model.sharing_as(least=0.0, most=0.0, copies=0.0, rare=0.0, **near))
    shared = nearest(model.sharing_as(least=0.6, most=0.9, copies=0.0, **near))
    copied = nearest(model.sharing_as(least=0.6, most=0.9, copies=1.0, **near))
    assert apart + 0.05 < shared < copied - 0.1


@pytest.mark.parametrize("rows", [0, 1, BLOCK])
def test_any_number_of_rows(model: datasets.Model, rows: int, tmp_path: Path) -> None:
    made = datasets.generate(model, rows)
    assert made.shape == (rows, model.n_terms)
    datasets.generate_to(tmp_path / "made.csr", model, rows)
    assert same(made, bigann.read_csr(tmp_path / "made.csr"))


def test_tells_progress(model: datasets.Model, tmp_path: Path) -> None:
    told: list[int] = []
    datasets.generate_to(tmp_path / "made.csr", model, BLOCK + 5, progress=told.append)
    assert told == [BLOCK, 5]
    with pytest.raises(TypeError, match=r"progress must be callable, as progress\(rows\), got int"):
        datasets.generate_to(tmp_path / "none.csr", model, 5, progress=3)  # type: ignore[arg-type]
    assert not (tmp_path / "none.csr").exists()


def test_blocks_are_not_kept(model: datasets.Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alive = most = 0

    class Counted(np.ndarray[Any, Any]):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def block(self: Sampler, first: int, count: int) -> Any:
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        made = np.zeros(count, np.int32).view(Counted)
        return Block(np.ones(count, np.int64), made, np.ones(count, np.float32))

    monkeypatch.setattr(Sampler, "block", block)
    datasets.generate_to(tmp_path / "made.csr", model, 40 * BLOCK)
    assert most <= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": -1}, "rows must be 0 to 2147483648, got -1"),
        ({"rows": 2**31 + 1}, "rows must be 0 to 2147483648, got 2147483649"),
        ({"kind": "answers"}, "kind must be 'documents' or 'queries', got 'answers'"),
        ({"seed": -3}, "seed must be >= 0, got -3"),
        ({"threads": -1}, "threads must be >= 0, got -1"),
    ],
)
def test_bad_arguments(model: datasets.Model, arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    wanted: dict[str, Any] = {"rows": 3} | arguments
    with pytest.raises(ValueError, match=message):
        datasets.generate(model, **wanted)
    with pytest.raises(ValueError, match=message):
        datasets.generate_to(tmp_path / "made.csr", model, **wanted)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_can_not_be_written_leaves_nothing(
    model: datasets.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OSError, match="nowhere"):
        datasets.generate_to(tmp_path / "nowhere" / "made.csr", model, 3)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("thresher.datasets._generate.shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        datasets.generate_to(tmp_path / "made.csr", model, 3)
    assert list(tmp_path.iterdir()) == []
