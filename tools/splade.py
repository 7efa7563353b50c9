"""SPLADE in numpy: a BERT with a masked-language-model head, whose logits become the weights of terms.

References
----------
Formal et al.: *SPLADE: Sparse Lexical and Expansion Model for First Stage Ranking*, SIGIR 2021.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

_BATCH_TOKENS = 200  # whose logits take 24 MB


class Splade:
    """The model in a folder, as Hugging Face writes it: ``config.json``, ``model.safetensors``, ``tokenizer.json``."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        pieces = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        self.vocabulary: list[str] = sorted(pieces, key=pieces.__getitem__)
        self._classify, self._separate = pieces["[CLS]"], pieces["[SEP]"]
        self._longest: int = config["max_position_embeddings"]
        self._heads: int = config["num_attention_heads"]
        self._layers: int = config["num_hidden_layers"]
        self._tensors = _safetensors(folder / "model.safetensors")
        self._words = self._tensors["bert.embeddings.word_embeddings.weight"]
        self._bias = self._tensors["cls.predictions.bias"]

    def encode(self, texts: Sequence[Sequence[int]]) -> sparse.csr_array:
        """Return the vectors of texts that are cut into pieces already: (len(texts), vocabulary), float32."""
        cut = [[self._classify, *text[: self._longest - 2], self._separate] for text in texts]
        rows: list[sparse.csr_array] = []
        order: list[int] = []
        for batch in _batches([len(text) for text in cut]):
            logits = (self._hidden(np.array([cut[number] for number in batch])) @ self._words.T).max(axis=1)
            rows.append(sparse.csr_array(_weights(logits + self._bias)))
            order += batch
        return sparse.vstack(rows, format="csr")[np.argsort(order)]

    def _hidden(self, pieces: NDArray[np.int64]) -> Floats:
        """(texts, length, dimensions) of texts of one length, so that there is no mask: logits but for the words."""
        hidden = self._words[pieces] + self._tensors["bert.embeddings.token_type_embeddings.weight"][0]
        hidden += self._tensors["bert.embeddings.position_embeddings.weight"][: pieces.shape[1]]
        hidden = self._normalised(hidden, "bert.embeddings")
        for layer in range(self._layers):
            hidden = self._transformed(hidden, f"bert.encoder.layer.{layer}")
        hidden = _gelu(self._linear(hidden, "cls.predictions.transform.dense"))
        return self._normalised(hidden, "cls.predictions.transform")

    def _transformed(self, hidden: Floats, layer: str) -> Floats:
        attended = self._linear(self._attention(hidden, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
        hidden = self._normalised(hidden + attended, f"{layer}.attention.output")
        fed = self._linear(_gelu(self._linear(hidden, f"{layer}.intermediate.dense")), f"{layer}.output.dense")
        return self._normalised(hidden + fed, f"{layer}.output")

    def _attention(self, hidden: Floats, name: str) -> Floats:
        query, key, value = (
            self._linear(hidden, f"{name}.{part}").reshape(*hidden.shape[:2], self._heads, -1).swapaxes(1, 2)
            for part in ("query", "key", "value")
        )
        shares = special.softmax(query @ key.swapaxes(2, 3) / np.float32(query.shape[-1] ** 0.5), axis=-1)
        mixed: Floats = (shares @ value).swapaxes(1, 2).reshape(hidden.shape)
        return mixed

    def _linear(self, hidden: Floats, name: str) -> Floats:
        mapped: Floats = hidden @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]
        return mapped

    def _normalised(self, hidden: Floats, name: str) -> Floats:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        normalised: Floats = scaled * self._tensors[f"{name}.LayerNorm.gamma"]
        return normalised + self._tensors[f"{name}.LayerNorm.beta"]


def _weights(logits: Floats) -> Floats:
    return np.log1p(np.maximum(logits, 0))


def _gelu(hidden: Floats) -> Floats:
    activated: Floats = hidden * special.ndtr(hidden)
    return activated


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield the places of texts of one length, at most so many that their logits fit."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[place]
        if batch and (lengths[batch[0]] != length or (len(batch) + 1) * length > _BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _safetensors(path: Path) -> dict[str, Floats]:
    """Read a file of float32 tensors: the length of a JSON header in 8 bytes, the header, the bytes."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        if entry["dtype"] != "F32":
            raise SystemExit(f"{path}: {name} is {entry['dtype']}, not F32")
        tensors[name] = np.frombuffer(content[start + first : start + last], "<f4").reshape(entry["shape"])
    return tensors
