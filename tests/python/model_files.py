"""Models as files, made by hand: tokenizers, safetensors, Router folders, an ONNX graph, without their libraries."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def word_pieces(extra: int = 0) -> list[str]:
    """A vocabulary of word pieces: special tokens, letters, some words, and `extra` that no text has."""
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    words = ["the", "cat", "dog", "sparse", "retrieval", "##s", "##ing", "return", "value", "東", "京", "é", "👍"]
    return [*SPECIAL, *letters, *(f"##{each}" for each in letters), *words, *(f"[unused{i}]" for i in range(extra))]


def tokenizer_state(vocabulary: list[str]) -> dict[str, Any]:
    """What a tokenizer.json of BERT holds."""
    numbers = {token: number for number, token in enumerate(vocabulary)}
    ends = {token: {"id": token, "ids": [numbers[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")}
    pair = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    single = [*pair, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": [
            {"id": numbers[token], "content": token, "single_word": False, "lstrip": False, "rstrip": False}
            | {"normalized": False, "special": True}
            for token in SPECIAL
        ],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
        | {"strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": ends},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
        | {"max_input_chars_per_word": 100, "vocab": numbers},
    }


def write_tokenizer(folder: Path, vocabulary: list[str], max_length: float = 512, **config: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_state(vocabulary)))
    names = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}
    config = {"tokenizer_class": "BertTokenizer", "model_max_length": max_length, **names, **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def safetensors(tensors: dict[str, npt.NDArray[Any]], kind: str = "F32") -> bytes:
    """A file of tensors."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, values in tensors.items():
        part = values.tobytes()
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write_router(folder: Path, weights: npt.NDArray[np.float32], vocabulary: list[str], **tokenizer: Any) -> Path:
    """The query side of a Router model, in sentence-transformers' layout."""
    query = folder / "query_0_SparseStaticEmbedding"
    write_tokenizer(query, vocabulary, **tokenizer)
    (query / "config.json").write_text('{"frozen": true}')
    (query / "model.safetensors").write_bytes(safetensors({"weight": weights}))
    document = folder / "document_0_Transformer"
    document.mkdir()
    (document / "config.json").write_text('{"model_type": "bert", "hidden_size": 16, "transformers_version": "5"}')
    router = {
        "types": {query.name: "sentence_transformers.x.SparseStaticEmbedding", document.name: "x.Transformer"},
        "structure": {"query": [query.name], "document": [document.name]},
        "parameters": {"default_route": "document", "allow_empty_key": True, "route_mappings": {}},
    }
    (folder / "router_config.json").write_text(json.dumps(router))
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.router.Router"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


# ---- ONNX, which is protocol buffers: fields of numbers and of bytes.


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def onnx_lookup(table: npt.NDArray[np.float32]) -> bytes:
    """A graph whose output, shape (texts, tokens, terms), is the row of a table that each of `input_ids` names."""

    def value(name: str, kind: int, n_dims: int) -> bytes:
        dims = b"".join(_bytes(1, _bytes(2, f"{name}{dim}")) for dim in range(n_dims))
        return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, dims)))

    held = b"".join(_number(1, size) for size in table.shape) + _number(2, 1) + _bytes(8, "table")
    node = _bytes(1, "table") + _bytes(1, "input_ids") + _bytes(2, "logits") + _bytes(4, "Gather")
    graph = _bytes(1, node) + _bytes(2, "lookup") + _bytes(5, held + _bytes(9, table.astype("<f4").tobytes()))
    graph += _bytes(11, value("input_ids", 7, 2)) + _bytes(11, value("attention_mask", 7, 2))
    graph += _bytes(12, value("logits", 1, 3))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 17))
