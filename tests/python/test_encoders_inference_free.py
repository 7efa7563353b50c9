"""Queries of inference-free models: by hand-made files of every layout, against a plain reading of them."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

import thresher
from helpers import Recorded, run_python
from model_files import safetensors, tokenizer_state, word_pieces, write_router, write_tokenizer
from thresher.encoders import Encoder, InferenceFreeEncoder, WordImpacts, from_config

VOCABULARY = word_pieces(extra=7)
WEIGHTS = np.random.default_rng(3).gamma(2, 1, len(VOCABULARY)).astype(np.float32)
WEIGHTS[::5] = 0
WEIGHTS[11] = -0.5  # a trained table may have such
TEXTS = [
    "",
    " ",
    "the cat",
    "The CATS cat cat",
    "東京 👍 é É",
    "[CLS] [MASK] [SEP]",
    "\u0416 \x00",
    "sparse retrieval " * 400,
]


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_router(tmp_path_factory.mktemp("model"), WEIGHTS, VOCABULARY)


def expected(text: str, weights: Any = WEIGHTS, longest: int = 512) -> dict[int, float]:
    """The vector of a text, read off the definition."""
    state = {**tokenizer_state(VOCABULARY), "truncation": None}
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(state))
    ids = tokenizer.encode(text, add_special_tokens=False).ids[:longest]
    return {number: float(weights[number]) for number in set(ids) if weights[number] != 0}


def dicts(rows: Any) -> list[dict[int, float]]:
    assert rows.has_sorted_indices
    assert rows.dtype == np.float32
    found = []
    for first, last in zip(rows.indptr, rows.indptr[1:], strict=False):
        found.append(dict(zip(rows.indices[first:last].tolist(), rows.data[first:last].tolist(), strict=True)))
    return found


def test_texts_of_every_kind(router: Path) -> None:
    encoder = InferenceFreeEncoder(router)
    assert isinstance(encoder, Encoder)
    found = encoder.encode_queries(TEXTS)
    assert found.shape == (len(TEXTS), len(VOCABULARY)) == (len(TEXTS), encoder.n_terms)
    assert dicts(found) == [expected(text) for text in TEXTS]
    assert [dicts(encoder.encode_queries([text]))[0] for text in TEXTS] == dicts(found)
    assert encoder.encode_queries([]).shape == (0, len(VOCABULARY))
    assert encoder.terms(found[[2]].indices) == [token for token in VOCABULARY if token in ("the", "cat")]


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_texts(router: Path, texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    assert dicts(InferenceFreeEncoder(router).encode_queries(texts)) == [expected(text) for text in texts]


def test_the_longest_text(tmp_path: Path) -> None:
    long = "cat dog the"
    for longest, kept in ((2, ["cat", "dog"]), (1e30, ["the", "cat", "dog"])):
        folder = write_router(tmp_path / f"{longest}", np.ones_like(WEIGHTS), VOCABULARY, max_length=longest)
        encoder = InferenceFreeEncoder(folder)
        assert encoder.terms(encoder.encode_queries([long]).indices) == kept
    left = write_router(tmp_path / "left", np.ones_like(WEIGHTS), VOCABULARY, max_length=1, truncation_side="left")
    assert InferenceFreeEncoder(left).encode_queries([long]).indices.tolist() == [VOCABULARY.index("the")]


def test_prompts_and_the_most_terms(tmp_path: Path) -> None:
    weights = WEIGHTS.copy()
    weights[VOCABULARY.index("the")] = -9  # of the heaviest, whatever its sign
    folder = write_router(tmp_path / "m", weights, VOCABULARY)
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"query": "dog "}, "max_active_dims": 2}')
    found = dicts(InferenceFreeEncoder(folder).encode_queries(["the cat", ""]))
    whole = expected("dog the cat", weights)
    assert found == [dict(sorted(sorted(whole.items(), key=lambda each: -abs(each[1]))[:2])), {}]
    assert len(whole) > 2


def idf_table(weights: Any = WEIGHTS) -> str:
    table = {token: float(weight) for token, weight in zip(VOCABULARY, weights, strict=True) if weight}
    return json.dumps({**table, "of another vocabulary": 3.0})


def opensearch(folder: Path) -> Path:
    write_tokenizer(folder, VOCABULARY)
    (folder / "config.json").write_text('{"model_type": "distilbert"}')
    (folder / "model.safetensors").write_bytes(safetensors({"bert.weight": np.ones((2, 2), np.float32)}))
    (folder / "idf.json").write_text(idf_table())
    return folder


def path_of_table(folder: Path) -> Path:
    write_router(folder, WEIGHTS, VOCABULARY)
    module = folder / "query_0_SparseStaticEmbedding"
    (module / "model.safetensors").unlink()
    (module / "config.json").write_text('{"path": "tables/idf.json", "frozen": true}')
    (folder / "tables").mkdir()
    (folder / "tables/idf.json").write_text(idf_table())
    return folder


def without_modules(folder: Path) -> Path:
    (write_router(folder, WEIGHTS, VOCABULARY) / "modules.json").unlink()
    return folder


def module_alone(folder: Path) -> Path:
    return write_router(folder, WEIGHTS, VOCABULARY) / "query_0_SparseStaticEmbedding"


def static_model(folder: Path) -> Path:
    write_router(folder, WEIGHTS, VOCABULARY)
    module = [{"path": "query_0_SparseStaticEmbedding", "type": "a.b.SparseStaticEmbedding"}]
    (folder / "modules.json").write_text(json.dumps(module))
    return folder


def mapped_route(folder: Path) -> Path:
    router = json.loads((write_router(folder, WEIGHTS, VOCABULARY) / "router_config.json").read_text())
    router["structure"]["light"] = router["structure"].pop("query")
    router["parameters"]["route_mappings"] = {"('query', 'text')": "light"}
    (folder / "router_config.json").write_text(json.dumps(router))
    return folder


@pytest.mark.parametrize(
    "layout", [opensearch, path_of_table, without_modules, module_alone, static_model, mapped_route]
)
def test_every_layout(tmp_path: Path, layout: Any) -> None:
    found = InferenceFreeEncoder(layout(tmp_path / "model")).encode_queries(TEXTS)
    assert dicts(found) == [expected(text) for text in TEXTS]


def test_files_that_say_nothing_of_documents(tmp_path: Path) -> None:
    encoder = InferenceFreeEncoder(opensearch(tmp_path / "model"))
    with pytest.raises(ValueError, match=r"without modules\.json, nothing says how documents are encoded: give"):
        encoder.encode_documents(["cat"])


def test_a_configuration_holds_in_other_folders(router: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(router.parent)
    config = InferenceFreeEncoder(router.name).config
    monkeypatch.chdir("/")
    assert from_config(config or {}).fingerprint == InferenceFreeEncoder(router).fingerprint


def altered(folder: Path, name: str, change: Any) -> None:
    path = folder / name
    value = json.loads(path.read_text())
    path.write_text(json.dumps(change(value) or value))


QUERY = "query_0_SparseStaticEmbedding"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("modules.json", lambda m: [*m, *m], "one module"),
        ("modules.json", lambda m: {"a": 1}, "array"),
        ("modules.json", lambda m: m[0].update(type="x.Transformer"), "a Transformer is not inference-free"),
        ("modules.json", lambda m: m[0].update(path="../.."), "no folder of the model"),
        ("router_config.json", lambda r: [r], "object"),
        ("router_config.json", lambda r: r.update(types=1), "types"),
        ("router_config.json", lambda r: r["structure"].update(query=["a", "b"]), "one module"),
        ("router_config.json", lambda r: r["structure"].update(query=["document_0_Transformer"]), "not inference-free"),
        ("router_config.json", lambda r: r["types"].update({"../x": "A"}), "no folder of the model"),
        (f"{QUERY}/tokenizer.json", lambda t: t.update(model=3), "no tokenizer"),
        (f"{QUERY}/tokenizer.json", lambda t: t["model"]["vocab"].update(more=len(VOCABULARY)), "weights for"),
        (f"{QUERY}/tokenizer_config.json", lambda t: t.update(model_max_length=0), "model_max_length"),
        (f"{QUERY}/tokenizer_config.json", lambda t: t.update(truncation_side="up"), "truncation_side"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, change: Any, message: str) -> None:
    folder = write_router(tmp_path / "model", WEIGHTS, VOCABULARY)
    altered(folder, name, change)
    with pytest.raises(thresher.FormatError, match=message) as raised:
        InferenceFreeEncoder(folder)
    assert str(folder) in str(raised.value)


def test_tables_that_are_not_finite(tmp_path: Path) -> None:
    weights = WEIGHTS.copy()
    weights[8] = np.nan
    with pytest.raises(thresher.FormatError, match=r"the weight of token 8, .* is not finite"):
        InferenceFreeEncoder(write_router(tmp_path / "a", weights, VOCABULARY))
    folder = opensearch(tmp_path / "b")
    for bad, message in (("1e999", "not finite"), ("true", "must be a number"), ("1" + "0" * 400, "not finite")):
        (folder / "idf.json").write_text(f'{{"cat": {bad}}}')
        with pytest.raises(thresher.FormatError, match=message):
            InferenceFreeEncoder(folder)


def test_a_table() -> None:
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_state(VOCABULARY)))
    tokenizer.enable_truncation(1)
    whole = InferenceFreeEncoder.from_table(tokenizer, WEIGHTS)
    assert dicts(whole.encode_queries(TEXTS)) == [expected(text, longest=10**6) for text in TEXTS]
    assert (tokenizer.truncation or {})["max_length"] == 1  # it is copied
    assert repr(whole) == f"<InferenceFreeEncoder: {len(VOCABULARY)} terms>"
    by_token = InferenceFreeEncoder.from_table(tokenizer, {"cat": 2.0}, max_length=3)
    assert dicts(by_token.encode_queries(["a b c cat", "cat"])) == [{}, {VOCABULARY.index("cat"): 2.0}]
    assert by_token.config is None
    with pytest.raises(ValueError, match=r"documents=.*vectors"):
        by_token.encode_documents(["cat"])
    with pytest.raises(ValueError, match=r"weights: has 3 weights for"):
        InferenceFreeEncoder.from_table(tokenizer, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"weights: must have one dimension"):
        InferenceFreeEncoder.from_table(tokenizer, [[1.0]])
    with pytest.raises(TypeError, match="the weight of 'cat' must be a number"):
        InferenceFreeEncoder.from_table(tokenizer, {"cat": "2"})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="tokenizer must be"):
        InferenceFreeEncoder.from_table(3, {})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_length must be >= 1"):
        InferenceFreeEncoder.from_table(tokenizer, WEIGHTS, max_length=0)


class Symmetric(InferenceFreeEncoder):
    """Documents by the table of queries."""

    def encode_documents(self, texts: Any, *, progress: Any = None) -> Any:
        return self.encode_queries(texts, progress=progress)


def test_documents_by_another_encoder(router: Path) -> None:
    table = Symmetric(router)
    encoder = InferenceFreeEncoder(router, documents=table)
    texts = ["the cat", ""]
    assert dicts(encoder.encode_documents(texts)) == [expected(text) for text in texts]
    assert encoder.fingerprint != table.fingerprint
    assert encoder.config is not None
    again = from_config(json.loads(json.dumps(encoder.config)))
    assert again.fingerprint == encoder.fingerprint
    with pytest.raises(ValueError, match="documents has None terms"):
        InferenceFreeEncoder(router, documents=WordImpacts())
    with pytest.raises(TypeError, match="documents must be an Encoder"):
        InferenceFreeEncoder(router, documents=3)  # type: ignore[arg-type]


def test_fingerprints_and_configurations(router: Path, tmp_path: Path) -> None:
    encoder = InferenceFreeEncoder(router)
    assert repr(encoder) == f"InferenceFreeEncoder({str(router)!r})"
    copy = shutil.copytree(router, tmp_path / "copy")
    assert InferenceFreeEncoder(copy).fingerprint == encoder.fingerprint
    assert from_config(encoder.config or {}).fingerprint == encoder.fingerprint
    restored = pickle.loads(pickle.dumps(encoder))
    assert restored.fingerprint == encoder.fingerprint
    assert (restored.encode_queries(TEXTS) != encoder.encode_queries(TEXTS)).nnz == 0
    altered(copy, "document_0_Transformer/config.json", lambda c: c.update(transformers_version="6"))
    assert InferenceFreeEncoder(copy).fingerprint == encoder.fingerprint
    altered(copy, "document_0_Transformer/config.json", lambda c: c.update(hidden_size=32))
    assert InferenceFreeEncoder(copy).fingerprint != encoder.fingerprint
    other = write_router(tmp_path / "other", WEIGHTS * np.float32(1.0001), VOCABULARY)
    assert InferenceFreeEncoder(other).fingerprint != encoder.fingerprint
    shorter = write_router(tmp_path / "shorter", WEIGHTS, VOCABULARY, max_length=8)
    assert InferenceFreeEncoder(shorter).fingerprint != encoder.fingerprint
    with pytest.raises(ValueError, match="'size' is nothing"):
        from_config({"kind": "inference-free", "model": str(router), "size": 3})
    with pytest.raises(ValueError, match="model is missing"):
        from_config({"kind": "inference-free"})


def test_what_is_wrong_in_texts(router: Path) -> None:
    encoder = InferenceFreeEncoder(router)
    with pytest.raises(TypeError, match="sequence of str"):
        encoder.encode_queries("cat")
    with pytest.raises(TypeError, match=r"texts\[1\] must be a str"):
        encoder.encode_queries(["cat", 3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"texts\[2\] has half a surrogate pair"):
        encoder.encode_queries(["cat", "", "\ud800"])
    with pytest.raises(IndexError, match="there is no term"):
        encoder.terms([len(VOCABULARY)])
    told = Recorded()
    encoder.encode_queries(["cat"] * 9000, progress=told)
    told.assert_rises_to(9000)
    with pytest.raises(FileNotFoundError, match="no folder"):
        InferenceFreeEncoder("/nowhere/at/all")


def test_a_name_is_downloaded(router: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def download(name: str, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision, allow_patterns))
        return str(router)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    encoder = InferenceFreeEncoder("some-owner/some-model", revision="v2")
    assert asked == [("some-owner/some-model", "v2", ["*.json", "query_*/*"])]
    assert encoder.fingerprint == InferenceFreeEncoder(router).fingerprint
    assert encoder.config == {
        "kind": "inference-free",
        "model": "some-owner/some-model",
        "device": None,
        "revision": "v2",
        "documents": None,
    }


BLOCKED = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from thresher.encoders import FastembedEncoder, InferenceFreeEncoder, SentenceTransformersEncoder
"""


def test_queries_never_import_torch(router: Path) -> None:
    code = f"""
import sys
from thresher.encoders import InferenceFreeEncoder
encoder = InferenceFreeEncoder({str(router)!r})
print(encoder.encode_queries(["the cat", "a dog"]).nnz > 0, len(encoder.fingerprint) > 20)
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"torch", "transformers", "sentence_transformers"}}))
"""
    done = run_python(code)
    assert (done.stdout, done.returncode) == ("True True\n[]\n", 0), done.stderr


def test_what_is_missing_names_the_extra(router: Path) -> None:
    code = (
        BLOCKED.format(blocked=("torch", "sentence_transformers", "fastembed"))
        + f"""
encoder = InferenceFreeEncoder({str(router)!r})
print(encoder.encode_queries(["the cat"]).nnz)
for make in (lambda: encoder.encode_documents(["a"]), lambda: SentenceTransformersEncoder("a"),
             lambda: FastembedEncoder("a")):
    try:
        make()
    except ImportError as error:
        print(error)
"""
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    first, *errors = done.stdout.splitlines()
    assert int(first) == len(expected("the cat"))
    for error, extra in zip(errors, ("sentence-transformers", "sentence-transformers", "fastembed"), strict=True):
        assert f'the extra "{extra}" brings' in error
    code = BLOCKED.format(blocked=("tokenizers",)) + f"InferenceFreeEncoder({str(router)!r})"
    assert 'the extra "inference-free" brings' in run_python(code).stderr
