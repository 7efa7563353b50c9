from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from thresher.demo import dictionary
from thresher.demo.corpus import Contents, Passage
from thresher.demo.dictionary import Dictionary, TokenWeights
from thresher.demo.wordpiece import UNKNOWN

ROOT = Path(__file__).parents[2]
VOCABULARY = [UNKNOWN, "the", "cat", "##s", "dog"]
TERMS = np.arange(5, dtype=np.uint16)
WEIGHTS = np.array([0, 0, 2, 1, 3], dtype=np.float32)


@given(
    rows=st.integers(1, 700),
    density=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_vectors_come_back_to_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, rows: int, density: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    given = rng.uniform(0.1, 3, (rows, 5)).astype(np.float32) * (rng.random((rows, 5)) < density)
    given[0, 0] = 3
    passages = [Passage(f"t\u00eft {row}", f"text {row}", "kind") for row in range(rows)]
    path = tmp_path_factory.mktemp("dictionary") / "dictionary.npz"
    dictionary.write(
        path, Contents(passages, sparse.csr_array(given), VOCABULARY), TERMS, WEIGHTS, sparse.csr_array(given[::-1])
    )
    found = Dictionary(path).contents()
    assert (found.passages, found.vocabulary) == (passages, VOCABULARY)
    step = given.max() / 255
    np.testing.assert_allclose(found.vectors.toarray(), given, atol=step * 0.51)
    np.testing.assert_allclose(Dictionary(path).asked().toarray(), given[::-1], atol=step * 0.51)


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.npz"
    path.write_bytes(b"one")
    one = Dictionary(path).fingerprint()
    path.write_bytes(b"two")
    assert Dictionary(path).fingerprint() != one


def test_questions_are_the_weights_of_the_pieces_that_are_present() -> None:
    encoder = TokenWeights(VOCABULARY, TERMS, WEIGHTS)
    queries = encoder.encode_queries(["The cats, the CAT", "dog", "the", "xyz", ""])
    assert queries.toarray().tolist() == [[0, 0, 2, 1, 0], [0, 0, 0, 0, 3], [0] * 5, [0] * 5, [0] * 5]


def test_a_piece_may_ask_for_another() -> None:
    encoder = TokenWeights(VOCABULARY, np.array([0, 1, 4, 4, 4], dtype=np.uint16), WEIGHTS)
    assert encoder.encode_queries(["cats", "cats and dog"]).toarray().tolist() == [[0, 0, 0, 0, 2], [0, 0, 0, 0, 3]]


def test_what_is_shipped() -> None:
    contents = Dictionary().contents()
    assert dictionary.PATH.stat().st_size < 10_000_000
    assert len(contents.passages) == contents.vectors.shape[0] > 20_000
    assert len(contents.vocabulary) == contents.vectors.shape[1] == Dictionary().asked().shape[1] == 30_522
    assert contents.vectors.data.min() > 0
    assert np.diff(contents.vectors.indptr).min() > 0
    assert {"animal", "food", "artifact"} < {passage.kind for passage in contents.passages}
    weights = dict(
        zip(
            contents.vocabulary,
            Dictionary().encoder(contents.vocabulary).encode_queries(contents.vocabulary),
            strict=True,
        )
    )
    assert weights["dates"].indices.tolist() == weights["date"].indices.tolist() == [contents.vocabulary.index("date")]
    assert weights["the"].nnz == weights[","].nnz == 0 < weights["telescope"].nnz


def test_its_licence_is_beside_it_and_in_the_notice() -> None:
    assert "Princeton" in dictionary.PATH.with_name("LICENSE.wordnet").read_text()
    assert dictionary.PATH.relative_to(ROOT).as_posix() in (ROOT / "NOTICE").read_text()


def test_the_wheel_goes_without_it() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["scikit-build"]
    assert dictionary.PATH.relative_to(ROOT / "python").as_posix() in build["wheel"]["exclude"]
