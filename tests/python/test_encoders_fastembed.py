"""Models of fastembed: by an object with its methods, and, by ``make test-integrations``, by fastembed itself."""

from __future__ import annotations

import importlib
import json
import math
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import Recorded
from model_files import onnx_lookup, word_pieces, write_tokenizer
from thresher.encoders import Encoder, FastembedEncoder, from_config

VOCABULARY = word_pieces()


class Hashed:
    """What fastembed's BM25 looks like: terms are hashes, queries need the IDF."""

    model_name = "Some/bm25"

    @classmethod
    def list_supported_models(cls) -> list[dict[str, Any]]:
        return [{"model": "some/BM25", "vocab_size": 0, "requires_idf": True}]

    def embed(self, documents: Iterable[str], batch_size: int = 256) -> Iterator[Any]:
        for text in documents:
            ids = [number(word) for word in dict.fromkeys(text.split())]
            yield SimpleNamespace(indices=np.array(ids, np.int64), values=np.full(len(ids), 1.5))

    def query_embed(self, query: Iterable[str]) -> Iterator[Any]:
        for each in self.embed(query):
            yield SimpleNamespace(indices=each.indices, values=np.ones_like(each.indices))


def number(word: str) -> int:
    """A hash as large as there can be one."""
    return 2**31 - len(word)


def test_hashed_terms_keep_their_numbers() -> None:
    encoder = FastembedEncoder(Hashed())
    assert isinstance(encoder, Encoder)
    assert encoder.requires_idf
    assert encoder.n_terms == 2**31 + 1
    told = Recorded()
    rows = encoder.encode_documents(["bb a", "", "ccc a"], progress=told)
    told.assert_rises_to(3)
    assert rows.shape == (3, 2**31 + 1)
    assert np.diff(rows.indptr).tolist() == [2, 0, 2]
    assert rows.indices.tolist() == [2**31 - 2, 2**31 - 1, 2**31 - 3, 2**31 - 1]
    assert encoder.terms(rows.indices[:1]) == ["term␟2147483646"]
    index = thresher.PostingsIndex.build(rows)
    assert index.search(encoder.fit(rows).encode_queries(["ccc"]), k=1).ids.tolist() == [[2]]


def test_the_idf_is_of_the_corpus_or_refused() -> None:
    encoder = FastembedEncoder(Hashed())
    with pytest.raises(ValueError, match="Some/bm25 requires the IDF of terms: call fit"):
        encoder.encode_queries(["a"])
    texts = ["bb a", "", "ccc a"]
    found = encoder.fit(texts).encode_queries(["a bb", "ccc dddd"])
    n = len(texts)
    idf = {df: math.log(1 + (n - df + 0.5) / (df + 0.5)) for df in (1, 2)}
    assert found.indices.tolist() == [2**31 - 2, 2**31 - 1, 2**31 - 3]  # no document has dddd
    np.testing.assert_allclose(found.data, [idf[1], idf[2], idf[1]], rtol=1e-6)
    by_vectors = FastembedEncoder(Hashed()).fit(encoder.encode_documents(texts))
    assert (by_vectors.encode_queries(["a bb"]) != encoder.encode_queries(["a bb"])).nnz == 0
    assert encoder.encode_queries(["none"]).nnz == 0
    assert encoder.fit([]).encode_queries(["a"]).nnz == 0
    restored = pickle.loads(pickle.dumps(by_vectors))
    assert (restored.encode_queries(["a bb"]) != by_vectors.encode_queries(["a bb"])).nnz == 0
    with pytest.raises(ValueError, match="documents have 3 terms"):
        encoder.fit(sp.csr_array(np.eye(3)))
    raw = FastembedEncoder(Hashed(), requires_idf=False, n_terms=2**31 + 1)
    assert raw.encode_queries(["a"]).data.tolist() == [1.0]
    assert raw.fingerprint != encoder.fingerprint


def test_arguments() -> None:
    with pytest.raises(TypeError, match="model must be a SparseTextEmbedding or a name"):
        FastembedEncoder(3)
    unknown = SimpleNamespace(embed=lambda texts, batch_size: iter(()), query_embed=lambda texts: iter(()))
    with pytest.raises(ValueError, match="requires_idf must be said"):
        FastembedEncoder(unknown)
    with pytest.raises(ValueError, match="n_terms must be said"):
        FastembedEncoder(unknown, requires_idf=False)
    with pytest.raises(TypeError, match="n_terms must be of type int"):
        FastembedEncoder(unknown, requires_idf=False, n_terms=3.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_terms must be 1 to 4294967295"):
        FastembedEncoder(unknown, requires_idf=False, n_terms=2**32)
    with pytest.raises(ValueError, match="batch_size must be >= 1"):
        FastembedEncoder(unknown, requires_idf=False, n_terms=3, batch_size=0)
    with pytest.raises(ValueError, match="options are of a name"):
        FastembedEncoder(unknown, options={"threads": 1})
    with pytest.raises(ValueError, match="'size' is nothing"):
        from_config({"kind": "fastembed", "model": "a", "size": 3})
    with pytest.raises(ValueError, match="gave 0 vectors"):
        FastembedEncoder(unknown, requires_idf=False, n_terms=3).encode_documents(["a"])


@pytest.mark.parametrize(
    ("indices", "values", "message"),
    [
        ([3], [1.0], "the terms 3 to 3, not 0 to 2"),
        ([-1], [1.0], "the terms -1 to -1"),
        ([0, 1], [1.0], r"indices of shape \(2,\)"),
        ([0], [-1.0], r"texts\[0\]: the model gave a term the weight -1.0"),
        ([0], [np.nan], r"texts\[0\]: the model gave a term the weight nan"),
    ],
)
def test_vectors_that_may_not_be(indices: list[int], values: list[float], message: str) -> None:
    made = SimpleNamespace(indices=np.array(indices), values=np.array(values))
    model = SimpleNamespace(embed=lambda texts, batch_size: [made for _ in texts], query_embed=None)
    model.query_embed = lambda texts: [made for _ in texts]
    encoder = FastembedEncoder(model, requires_idf=False, n_terms=3)
    for encode in (encoder.encode_documents, encoder.encode_queries):
        with pytest.raises(ValueError, match=message):
            encode(["a"])


# ---- fastembed itself, with a model of one table that stands in for those that can only be downloaded.


@pytest.fixture(scope="module")
def splade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("splade")
    write_tokenizer(folder, VOCABULARY, max_length=16)
    (folder / "config.json").write_text('{"pad_token_id": 0}')
    names = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}
    (folder / "special_tokens_map.json").write_text(json.dumps(names))
    table = np.random.default_rng(1).normal(-1.5, 1, (len(VOCABULARY), len(VOCABULARY))).astype(np.float32)
    (folder / "model.onnx").write_bytes(onnx_lookup(table))
    return folder


def expected(folder: Path, text: str) -> np.ndarray[Any, Any]:
    """SPLADE by its definition, of the table."""
    tokenizers = importlib.import_module("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(16)
    table = np.random.default_rng(1).normal(-1.5, 1, (len(VOCABULARY), len(VOCABULARY))).astype(np.float32)
    logits = table[tokenizer.encode(text).ids]
    weights: np.ndarray[Any, Any] = np.log1p(np.maximum(logits, 0)).max(axis=0)
    return weights


@pytest.mark.integration
def test_a_splade_in_onnxruntime(splade: Path) -> None:
    options = {"specific_model_path": str(splade), "threads": 1}
    encoder = FastembedEncoder("prithivida/Splade_PP_en_v1", options=options, n_terms=len(VOCABULARY))
    assert not encoder.requires_idf
    texts = ["the cat", "", "a dog retrieval " * 20, "東京"]
    found = encoder.encode_documents(texts)
    for place, text in enumerate(texts):
        if text:
            np.testing.assert_allclose(found[[place]].toarray()[0], expected(splade, text), rtol=1e-6)
    assert np.diff(found.indptr)[1] == 0
    assert (encoder.encode_queries(texts) != found).nnz == 0
    assert encoder.terms(range(3)) == VOCABULARY[:3]
    again = from_config(json.loads(json.dumps(encoder.config)))
    assert again.fingerprint == encoder.fingerprint
    content = (splade / "model.onnx").read_bytes()
    middle = len(content) // 2  # in the table
    (splade / "model.onnx").write_bytes(content[:middle] + bytes(4) + content[middle + 4 :])
    try:
        assert from_config(encoder.config or {}).fingerprint != encoder.fingerprint
    finally:
        (splade / "model.onnx").write_bytes(content)


@pytest.mark.integration
def test_the_bm25_of_fastembed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "english.txt").write_text("the\na\non\n")
    fastembed = importlib.import_module("fastembed")
    model = fastembed.SparseTextEmbedding("Qdrant/bm25", specific_model_path=str(tmp_path))
    encoder = FastembedEncoder(model)
    texts = ["the cat sat on a mat", "dogs chase a cat", "", "bread and butter"]
    rows = encoder.encode_documents(texts)
    for place, each in enumerate(model.embed(texts)):
        assert dict(zip(*(part.tolist() for part in (rows[[place]].indices, rows[[place]].data)), strict=True)) == {
            index: np.float32(value) for index, value in each.as_dict().items()
        }
    assert rows.indices.max() > 2**30
    index = thresher.PostingsIndex.build(rows)
    assert index.search(encoder.fit(rows).encode_queries(["chasing cats"]), k=3).ids.tolist() == [[1, 0, -1]]
    other = fastembed.SparseTextEmbedding("Qdrant/bm25", specific_model_path=str(tmp_path), k=2.0)
    assert FastembedEncoder(other).fingerprint != encoder.fingerprint
