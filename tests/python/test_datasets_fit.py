from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import thresher
from helpers import run_python
from thresher import datasets
from thresher.datasets._calibrate import _nearest, calibrated
from thresher.datasets._profile import distance, document_profile

TERMS = 300
TOPICS = 6


def topical(rows: int, seed: int, terms: int = 25) -> sparse.csr_array:
    """Return vectors of a few topics, whose terms have falling frequencies and weights of their own."""
    generator = np.random.default_rng(seed)
    shares = np.random.default_rng(0).dirichlet(np.full(TERMS, 0.1), TOPICS) + 0.3 / TERMS
    scale = np.random.default_rng(1).uniform(0.5, 2, TERMS)
    topic = generator.integers(TOPICS, size=rows)
    lengths = generator.integers(terms // 2, terms * 2, rows)
    there = generator.random((rows, TERMS)) < 1 - (1 - shares[topic] / shares.sum(1).max()) ** lengths[:, None]
    weights = there * scale * generator.gamma(4, 0.25, (rows, TERMS))
    return sparse.csr_array(weights.astype(np.float16).astype(np.float32))


@pytest.fixture(scope="module")
def real() -> tuple[sparse.csr_array, sparse.csr_array]:
    return topical(2_000, 5), topical(300, 6, 10)


@pytest.fixture(scope="module")
def model(real: tuple[sparse.csr_array, sparse.csr_array]) -> datasets.Model:
    return datasets.fit(*real, calibrate=False)


def frequencies(matrix: sparse.csr_array) -> Any:
    return np.bincount(matrix.indices, minlength=TERMS) / matrix.shape[0]


@pytest.mark.parametrize("kind", ["documents", "queries"])
def test_frequencies_lengths_and_weights_come_back(
    real: tuple[sparse.csr_array, sparse.csr_array], model: datasets.Model, kind: Any
) -> None:
    given = real[kind == "queries"]
    made = datasets.generate(
        model.sharing_as(least=0, most=0, query_most=0, copies=0, query_copies=0, rare=0), 2_000, kind=kind
    )
    lengths, made_lengths = np.diff(given.indptr), np.diff(made.indptr)
    assert made_lengths.mean() == pytest.approx(lengths.mean(), rel=0.05)
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(made_lengths, share) == pytest.approx(np.quantile(lengths, share), rel=0.15, abs=1)
    wanted, found = frequencies(given), frequencies(made)
    assert np.abs(wanted - found).sum() / wanted.sum() < (0.1 if kind == "documents" else 0.25)
    assert np.corrcoef(wanted, found)[0, 1] > (0.99 if kind == "documents" else 0.95)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    assert np.quantile(made.data, levels) == pytest.approx(np.quantile(given.data, levels), rel=0.1)
    assert made.data.min() >= given.data.min()
    assert made.data.max() <= given.data.max()
    mean, made_mean = (
        np.asarray(m.sum(axis=0)).ravel() / np.maximum(frequencies(m), 1e-9) / m.shape[0] for m in (given, made)
    )
    common = wanted > 0.1
    assert np.corrcoef(mean[common], made_mean[common])[0, 1] > 0.9


def test_terms_occur_together_as_in_the_topics(
    real: tuple[sparse.csr_array, sparse.csr_array], model: datasets.Model
) -> None:
    def together(matrix: sparse.csr_array) -> Any:
        there = matrix.astype(bool).astype(np.float64).toarray()
        return np.corrcoef(there, rowvar=False)

    made = datasets.generate(model, 2_000)
    common = np.flatnonzero((frequencies(real[0]) > 0.05) & (frequencies(real[0]) < 0.5))
    pairs = np.triu_indices(len(common), 1)
    wanted, found = (together(m[:, common])[pairs] for m in (real[0], made))
    assert np.corrcoef(wanted, found)[0, 1] > 0.8
    assert np.abs(wanted).max() > 0.3  # or there would be nothing to find


def test_calibration_moves_numbers_to_where_the_difference_is_small(model: datasets.Model) -> None:
    def apart(tried: datasets.Model) -> float:
        sharing = tried.sharing
        return float(abs(sharing.least - 0.55) + abs(sharing.most - 0.95) + abs(np.log(sharing.families / 2.5)))

    found = _nearest(model.sharing_as(least=0, most=0.8, families=1), ("least", "most", "families"), apart).sharing
    assert found.least < 0.3  # no further than so many steps
    found = _nearest(model.sharing_as(least=0.3, most=0.8, families=1), ("least", "most", "families"), apart).sharing
    assert (found.least, found.most, found.families) == pytest.approx((0.55, 0.95, 2.5), rel=0.15)


def test_calibration_brings_documents_as_near_as_given_ones(model: datasets.Model) -> None:
    def profile(made: datasets.Model, seed: int) -> Any:
        docs = datasets.generate(made, 1_000, seed=seed)
        return document_profile(docs, sparse.csr_array(docs.T), 150)

    start, shared = model.sharing_as(least=0.2, most=0.6), model.sharing_as(least=0.6, most=0.95)
    docs, queries = datasets.generate(shared, 1_000), datasets.generate(shared, 200, kind="queries")
    wanted = profile(shared, 9)  # other documents than it has seen
    left = [
        distance(profile(calibrated(start, docs, queries, np.random.default_rng(seed)), 9), wanted) for seed in range(4)
    ]
    assert np.mean(left) < 0.7 * distance(profile(start, 9), wanted)


def test_a_saved_model_generates_the_same(model: datasets.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.npz")
    again = datasets.Model.load(tmp_path / "model.npz")
    again.save(tmp_path / "again.npz")
    assert (datasets.generate(model, 500) != datasets.generate(again, 500)).nnz == 0
    twice = datasets.Model.load(tmp_path / "again.npz")
    assert (datasets.generate(model, 500) != datasets.generate(twice, 500)).nnz == 0
    assert twice.sharing == model.sharing


def test_the_shipped_model_is_small() -> None:
    assert Path(datasets.__file__).with_name("learned.npz").stat().st_size < 1_000_000


def test_sharing_that_is_not_calibrated_is_that_of_the_shipped_model(model: datasets.Model) -> None:
    assert model.sharing == datasets.Sharing() == datasets.Model.shipped().sharing


@pytest.mark.parametrize(
    ("docs", "queries"),
    [
        (sparse.csr_array(np.eye(2, 5, dtype=np.float32)), sparse.csr_array(np.eye(1, 5, dtype=np.float32))),
        (sparse.csr_array(np.array([[1, 2], [0, 0]], np.float32)), sparse.csr_array(np.array([[0, 3.0]]))),
        (sparse.csr_matrix(np.ones((120, 4))), sparse.coo_array(np.ones((3, 4)))),
    ],
)
def test_the_smallest_collections(docs: Any, queries: Any, tmp_path: Path) -> None:
    model = datasets.fit(docs, queries)
    model.save(tmp_path / "model.npz")
    made = datasets.generate(datasets.Model.load(tmp_path / "model.npz"), 50)
    assert made.shape == (50, docs.shape[1])
    assert made.nnz > 0
    assert np.isfinite(made.data).all()


def test_bad_collections() -> None:
    good = sparse.csr_array(np.ones((4, 3), np.float32))
    with pytest.raises(TypeError, match=r"documents must be a scipy\.sparse matrix, got numpy\.ndarray"):
        datasets.fit(np.ones((4, 3)), good)
    with pytest.raises(ValueError, match="documents have 3 terms, queries 2"):
        datasets.fit(good, good[:, :2])
    with pytest.raises(ValueError, match="documents must have at least 2 rows and a nonzero, got 1 and 3"):
        datasets.fit(good[:1], good)
    with pytest.raises(ValueError, match="queries must have at least 1 rows and a nonzero, got 4 and 0"):
        datasets.fit(good, sparse.csr_array((4, 3)))
    for weight in (-1.0, np.nan, np.inf):
        bad = good.copy()
        bad.data[7] = weight
        with pytest.raises(ValueError, match=f"queries: row 2 has the weight {weight}"):
            datasets.fit(good, bad)
    for name in ("topics", "regions", "sample"):
        with pytest.raises(ValueError, match=f"{name} must be >= 1, got 0"):
            datasets.fit(good, good, **{name: 0})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="least_share must be above 0 and below 1, got 1"):
        datasets.fit(good, good, least_share=1)


def changed(tmp_path: Path, model: datasets.Model, **arrays: Any) -> Path:
    model.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as file:
        kept = {name: file[name] for name in file.files} | arrays
    np.savez(tmp_path / "changed.npz", **{name: value for name, value in kept.items() if value is not None})
    return tmp_path / "changed.npz"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"version": np.int64(9)}, "a model of version 9, this library reads 1"),
        ({"version": None}, "not a model"),
        ({"share": None}, "not a model"),
        ({"share": np.zeros(3, np.uint8)}, r"share has the shape \(3,\), not"),
        ({"terms": np.zeros(3, np.uint16)}, "3 terms where the counts say"),
        ({"tail": np.full(40, np.nan, np.float32)}, "tail is not finite"),
        ({"n_terms": np.int64(7)}, "tail_weight has the shape"),
        ({"region": np.full(40, 99, np.uint16)}, "region must be 0 to .*, got 99 to 99"),
        ({"mantissa_bits": np.int64(12)}, "mantissa_bits must be 0 to 11, got 12 to 12"),
        ({"counts": np.zeros(0, np.uint32)}, "not a model"),
        ({"sharing": np.zeros(99)}, "not a model"),
        ({"queries_prior": np.zeros(1, np.float32)}, "queries_prior has the shape"),
    ],
)
def test_files_that_are_no_model(model: datasets.Model, tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    fitting = {name: value[: model.n_topics] if name in ("tail", "region") else value for name, value in arrays.items()}
    with pytest.raises(thresher.FormatError, match=message):
        datasets.Model.load(changed(tmp_path, model, **fitting))


ALTERED = """
import resource, sys, warnings
import numpy as np
from thresher import FormatError, datasets

warnings.simplefilter("ignore")
given, path = sys.argv[1:3]
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, resource.RLIM_INFINITY))
with np.load(given) as file:
    arrays = {name: file[name] for name in file.files}
rng = np.random.default_rng(3)
ODD = [0, 1, -1, 2, 200, 255, 2**16 - 1, 2**31, 2**32 - 1, 2**62, -2**63, 1e-30, 1e30, -1e30, np.nan, np.inf, -np.inf]
TYPES = ["i1", "u1", "i8", "u8", "f2", "f4", ">f8", "c8", "?", "S3", "U2"]
read = refused = 0
names = sorted(arrays)
for number in range(20 * len(names)):
    name = names[number % len(names)]
    array, kind = arrays[name].copy(), rng.integers(6)
    if kind < 2 and array.size:
        odd = ODD[rng.integers(len(ODD))]
        array = array.astype("f8" if isinstance(odd, float) else "i8")
        array.flat[rng.integers(array.size, size=1 if kind else array.size)] = odd
    elif kind == 2:
        array = array.astype(TYPES[rng.integers(len(TYPES))])
    elif kind == 3:
        array = array[: rng.integers(len(array) + 1)] if array.ndim else array.reshape(1)
    elif kind == 4:
        array = np.concatenate([array, array]) if array.ndim else array.reshape(1, 1)
    else:
        array = rng.permutation(array.ravel()).reshape(array.shape)
    np.savez(path, **arrays | {name: array})
    if rng.random() < 0.2:
        raw = bytearray(open(path, "rb").read())
        for at in rng.integers(0, len(raw), 3):
            raw[at] ^= 1 << rng.integers(8)
        open(path, "wb").write(raw)
    try:
        model = datasets.Model.load(path)
    except FormatError:
        refused += 1
        continue
    read += 1
    for kind in ("documents", "queries"):
        made = datasets.generate(model, 20, kind=kind)
        assert made.shape == (20, model.n_terms) and np.isfinite(made.data).all(), (name, array)
        assert not made.nnz or made.indices.max() < model.n_terms and made.data.min() >= 0, (name, array)
print(read > 50, refused > 250)
"""


def test_an_altered_model_is_refused_or_generates(model: datasets.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.npz")
    done = run_python(ALTERED, tmp_path / "model.npz", tmp_path / "altered.npz")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True\n", "")


def test_files_that_are_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        datasets.Model.load(tmp_path / "none.npz")
    for content in (b"", b"PK\x03\x04", b"\x93NUMPY"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(thresher.FormatError, match=r"bad\.npz"):
            datasets.Model.load(tmp_path / "bad.npz")
