"""Sparse encoders of sentence-transformers: SPLADE and its relatives, codes of sparse autoencoders, Router models.

References
----------
Formal et al.: *SPLADE: Sparse Lexical and Expansion Model for First Stage Ranking*, SIGIR 2021; *SPLADE-v3*, 2024.
Doshi et al.: *Mistral-SPLADE: LLMs for better Learned Sparse Retrieval*, 2024.
Wen et al.: *Beyond Matryoshka: Revisiting Sparse Coding for Adaptive Representation* (CSR), ICML 2025.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._extras import missing
from thresher._kinds import kind_of, plain_array
from thresher.encoders.batches import encode_by_length
from thresher.encoders.models import located
from thresher.encoders.token_names import names_of

if TYPE_CHECKING:
    from thresher.engines.options import Progress

SparseEncoder: TypeAlias = Any  # sentence_transformers.SparseEncoder, which can't be named without torch

_ON_ACCELERATORS = 32  # texts at once
_BATCHES = 32  # whose vectors are taken from torch at a time
# What a transformer's configuration has that vectors do not depend on.
_IDLE = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures", "use_cache")


class SentenceTransformersEncoder:
    """Encodes texts by a SparseEncoder of sentence-transformers.

    Parameters
    ----------
    model
        A `sentence_transformers.SparseEncoder`; or the name or path of one.
    device
        Where it computes, such as ``"cpu"`` or ``"cuda"``; None for the model's own choice. Of a name or path.
    max_length
        Tokens of a text, from the first on; None for the model's own. Of a name or path.
    revision
        Of a name on the Hugging Face hub: a branch, tag or commit; None for the newest.
    batch_size
        Texts that the model gets at once, of similar length. None for 1 on a CPU, which is fastest there, and 32
        elsewhere.

    Raises
    ------
    ImportError
        If sentence-transformers is missing, which the extra ``sentence-transformers`` brings.
    TypeError, ValueError
        If an argument can't be, or queries and documents have different numbers of terms.

    Notes
    -----
    With a `batch_size` of 1, a text's vector depends on the text alone, to the last bit. In larger batches texts are
    padded to a common length, and the rounding of their weights depends on which texts they share a batch with: the
    same call gives the same bits, but another list may move a weight by some 1e-5.
    """

    def __init__(
        self,
        model: SparseEncoder | str | os.PathLike[str],
        *,
        device: str | None = None,
        max_length: int | None = None,
        revision: str | None = None,
        batch_size: int | None = None,
    ) -> None:
        """Load the model, and encode a word to learn how many terms there are."""
        self.batch_size = _size(batch_size, "batch_size")
        self._settings: dict[str, Any] | None = None
        if isinstance(model, str | os.PathLike):
            name = located(model)
            self._settings = {"model": name, "device": device, "max_length": max_length, "revision": revision}
            self.model = _loaded(name, device, _size(max_length, "max_length"), revision)
        else:
            for argument, value in {"device": device, "max_length": max_length, "revision": revision}.items():
                if value is not None:
                    raise ValueError(f"{argument} is of a name or path: set it on the model that you have")
            for method in ("encode_query", "encode_document", "state_dict"):
                if not callable(getattr(model, method, None)):
                    raise TypeError(f"model must be a SparseEncoder, a name or a path, got {kind_of(model)}")
            self.model = model
        self._fingerprint: str | None = None
        self._lock = threading.Lock()
        widths = [encode(["word"]).shape[1] for encode in (self._documents, self._queries)]
        if widths[0] != widths[1]:
            raise ValueError(f"model: documents have {widths[0]} terms, queries {widths[1]}")
        self._n_terms: int = widths[0]

    @property
    def n_terms(self) -> int:
        """Tokens of the vocabulary, or latents of the autoencoder."""
        return self._n_terms

    @property
    def fingerprint(self) -> str:
        """A hash of the parameters, the configuration and the tokenizer; computed once, when it is first asked for."""
        with self._lock:
            if self._fingerprint is None:
                self._fingerprint = f"sentence-transformers:{_content_hash(self.model)[:32]}"
            return self._fingerprint

    @property
    def config(self) -> dict[str, Any] | None:
        """What `from_config` makes an equal encoder of; None if the model was given as an object."""
        if self._settings is None:
            return None
        return {"kind": "sentence-transformers", **self._settings, "batch_size": self.batch_size}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> SentenceTransformersEncoder:
        """Make the encoder of a `config`, without its kind."""
        known = ("model", "device", "max_length", "revision", "batch_size")
        for key in config:
            if key not in known:
                raise ValueError(f"config: {key!r} is nothing that a sparse encoder has: {', '.join(known)}")
        if not isinstance(config.get("model"), str):
            raise ValueError(f"config: model must be a name or path, got {config.get('model')!r}")  # noqa: TRY004
        return cls(**config)

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of documents, as `Encoder` has it: the model's, but that empty texts have empty rows.

        Raises
        ------
        ValueError
            If the model gives a text a weight that is negative or not finite; the text's place is named.
        """
        return self._encoded(texts, self._documents, progress)

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of queries, as `encode_documents` does those of documents."""
        return self._encoded(texts, self._queries, progress)

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the tokens of terms, shape (n,), each the number of a column; latents have their number."""
        if any(type(module).__name__ == "SparseAutoEncoder" for module in self.model.modules()):
            return names_of(ids, self.n_terms, lambda _: None, "latent")
        tokenizer = self.model.tokenizer
        n_tokens = len(tokenizer)

        def token(number: int) -> str | None:
            found: str | None = tokenizer.convert_ids_to_tokens(number) if number < n_tokens else None
            return found

        return names_of(ids, self.n_terms, token)

    def _documents(self, texts: list[str]) -> sp.csr_array:
        return _rows(self.model.encode_document(texts, batch_size=self._at_once, show_progress_bar=False))

    def _queries(self, texts: list[str]) -> sp.csr_array:
        return _rows(self.model.encode_query(texts, batch_size=self._at_once, show_progress_bar=False))

    @property
    def _at_once(self) -> int:
        if self.batch_size is not None:
            return self.batch_size
        return 1 if getattr(self.model.device, "type", "cpu") == "cpu" else _ON_ACCELERATORS

    def _encoded(self, texts: Sequence[str], encode: Any, progress: Progress | None) -> sp.csr_array:  # noqa: ANN401
        at_once = self._at_once * _BATCHES
        return encode_by_length(texts, encode, self.n_terms, at_once=at_once, progress=progress)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle where the model is, or the model that was given."""
        model = self.model if self._settings is None else None
        return _restored, (model, self._settings, self.batch_size)

    def __repr__(self) -> str:
        """Show the model."""
        name = type(self.model).__name__ if self._settings is None else repr(self._settings["model"])
        return f"SentenceTransformersEncoder({name})"


def _restored(
    model: SparseEncoder | None, settings: dict[str, Any] | None, batch_size: int | None
) -> SentenceTransformersEncoder:
    given = {"model": model} if settings is None else settings
    return SentenceTransformersEncoder(**given, batch_size=batch_size)


def _rows(embeddings: Any) -> sp.csr_array:  # noqa: ANN401 - a tensor
    """Return a sparse tensor of shape (n, terms) as rows in float32, without zeros."""
    found = embeddings.coalesce() if embeddings.is_sparse else embeddings.to_sparse()
    rows, columns = plain_array(found.indices())
    n_rows, n_terms = found.shape
    indptr = np.searchsorted(rows, np.arange(n_rows + 1))
    data = plain_array(found.values()).astype(np.float32)
    made = sp.csr_array((data, columns.astype(np.int32), indptr), shape=(n_rows, n_terms))
    made.eliminate_zeros()
    return made


def _loaded(name: str, device: str | None, max_length: int | None, revision: str | None) -> SparseEncoder:
    try:
        from sentence_transformers import SparseEncoder as Model  # noqa: PLC0415 - of an extra
    except ImportError as error:
        what = "encoding by a transformer needs sentence-transformers"
        raise ImportError(missing(what, "sentence-transformers")) from error
    model = Model(name, device=device, revision=revision)
    if max_length is not None:
        model.max_seq_length = max_length
    return model


def _content_hash(model: SparseEncoder) -> str:
    """Hash what vectors depend on, wherever the model is, and whichever device holds it."""
    found = hashlib.sha256(json.dumps(list(_described(model)), sort_keys=True, default=str).encode())
    for name, parameter in sorted(model.state_dict().items()):
        found.update(f"\n{name} {parameter.dtype} {tuple(parameter.shape)}\n".encode())
        flat = parameter.detach().cpu().contiguous().reshape(-1)
        found.update(flat.view(_bytes_of(flat)).numpy())
    return found.hexdigest()


def _bytes_of(tensor: Any) -> Any:  # noqa: ANN401 - torch's
    import torch  # noqa: PLC0415 - it is there, as the tensor is

    return torch.uint8 if tensor.dtype != torch.bool else torch.bool


def _described(model: SparseEncoder) -> Iterator[Any]:
    """Yield what a model is beside its parameters."""
    yield [model.max_seq_length, model.prompts, model.max_active_dims]
    for name, module in sorted(model.named_modules()):
        kind = type(module).__name__
        tokenizer = getattr(module, "tokenizer", None)
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is not None:
            state = json.loads(backend.to_str())
            yield [
                name,
                "tokenizer",
                {key: state[key] for key in sorted(state) if key not in ("truncation", "padding")},
            ]
        transformer: Any = getattr(module, "config", None)
        if hasattr(transformer, "to_diff_dict"):
            yield [name, kind, {key: value for key, value in transformer.to_diff_dict().items() if key not in _IDLE}]
        elif kind != "Transformer" and hasattr(module, "get_config_dict"):
            yield [name, kind, module.get_config_dict()]


def _size(value: int | None, name: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer)):
        raise TypeError(f"{name} must be a whole number or None, got {value!r}")
    if value is not None and value < 1:
        raise ValueError(f"{name} must be >= 1, got {value}")
    return None if value is None else int(value)
