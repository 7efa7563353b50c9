"""Sparse models of fastembed, which run in onnxruntime, without torch.

Some leave the IDF to the index (BM25, BM42, miniCOIL): their queries are weighed by document frequencies here, as
Qdrant's modifier "idf" does it: ln(1 + (N - df + 0.5) / (df + 0.5)).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._extras import missing
from thresher._kinds import kind_of
from thresher.encoders.batches import encode_by_length
from thresher.encoders.formula import BM25Formula
from thresher.encoders.token_names import names_of

if TYPE_CHECKING:
    from thresher.engines.options import Progress

SparseTextEmbedding: TypeAlias = Any  # fastembed.SparseTextEmbedding, or what has its methods

_HASHED = 2**31 + 1  # terms are absolute values of 32-bit hashes
_BATCHES = 32  # whose vectors are held apart at a time
_MOST_TERMS = 2**32 - 1


class FastembedEncoder:
    """Encodes texts by a SparseTextEmbedding of fastembed.

    Parameters
    ----------
    model
        A `fastembed.SparseTextEmbedding`, or an object with its methods `embed` and `query_embed`; or the name of one.
    options
        Arguments of `SparseTextEmbedding` beside a name, such as ``cache_dir``, ``threads``, ``specific_model_path``.
    requires_idf
        Whether queries are to be weighed by IDF; None for what fastembed says of the model.
    n_terms
        Columns of every matrix; None for the model's vocabulary, or 2^31 + 1 for hashed terms.
    batch_size
        Texts that the model gets at once, of similar length; see `SentenceTransformersEncoder` about rounding.

    Raises
    ------
    ImportError
        If a name is given and fastembed is missing, which the extra ``fastembed`` brings.
    TypeError, ValueError
        If an argument can't be, or fastembed says nothing of the model and it is not said here.

    Notes
    -----
    Where `requires_idf` holds, queries can be encoded once the encoder is fitted: `fit` takes document frequencies of
    texts, or of their vectors. A collection does not do it.
    """

    def __init__(
        self,
        model: SparseTextEmbedding | str,
        *,
        options: Mapping[str, Any] | None = None,
        requires_idf: bool | None = None,
        n_terms: int | None = None,
        batch_size: int = 1,
    ) -> None:
        """Load the model."""
        self.batch_size: int = _said(batch_size, {}, "batch_size", int)
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be >= 1, got {batch_size}")
        self._settings: dict[str, Any] | None = None
        if isinstance(model, str):
            self._settings = {"model": model, "options": dict(options or {})}
            self.model = _loaded(model, options or {})
        else:
            if options is not None:
                raise ValueError("options are of a name: set them on the model that you have")
            for method in ("embed", "query_embed"):
                if not callable(getattr(model, method, None)):
                    raise TypeError(f"model must be a SparseTextEmbedding or a name, got {kind_of(model)}")
            self.model = model
        description = _description(self.model)
        self.requires_idf = _said(requires_idf, description, "requires_idf", bool)
        described = {"n_terms": _HASHED if self.requires_idf else description.get("vocab_size")}
        self._n_terms: int = _said(n_terms, described, "n_terms", int)
        if not 1 <= self._n_terms <= _MOST_TERMS:
            raise ValueError(f"n_terms must be 1 to {_MOST_TERMS}, got {self._n_terms}")
        self._frequencies: tuple[int, npt.NDArray[np.int64], npt.NDArray[np.float64]] | None = None
        self._fingerprint: str | None = None
        self._lock = threading.Lock()

    @property
    def n_terms(self) -> int:
        """Tokens of the vocabulary, or possible hashes of words."""
        return self._n_terms

    @property
    def fingerprint(self) -> str:
        """The model's name and a hash of its files and settings; computed once, when it is first asked for.

        Not document frequencies, which are the corpus's. An object that is none of fastembed's goes by its name alone.
        """
        with self._lock:
            if self._fingerprint is None:
                idf = ":idf" if self.requires_idf else ""
                self._fingerprint = f"fastembed:{_name(self.model)}{idf}:{_content_hash(self.model)[:32]}"
            return self._fingerprint

    @property
    def config(self) -> dict[str, Any] | None:
        """What `from_config` makes an equal encoder of, without frequencies; None if the model came as an object."""
        if self._settings is None:
            return None
        said = {"requires_idf": self.requires_idf, "n_terms": self.n_terms, "batch_size": self.batch_size}
        return {"kind": "fastembed", **self._settings, **said}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> FastembedEncoder:
        """Make the encoder of a `config`, without its kind."""
        known = ("model", "options", "requires_idf", "n_terms", "batch_size")
        for key in config:
            if key not in known:
                raise ValueError(f"config: {key!r} is nothing that a fastembed encoder has: {', '.join(known)}")
        if not isinstance(config.get("model"), str):
            raise ValueError(f"config: model must be a name, got {config.get('model')!r}")  # noqa: TRY004
        return cls(**config)

    def fit(self, documents: Sequence[str] | sp.csr_array, *, progress: Progress | None = None) -> FastembedEncoder:
        """Take the document frequencies of a corpus, in place of those that it had; returns the encoder.

        Parameters
        ----------
        documents
            Texts, or vectors that `encode_documents` made of them.
        progress
            As that of `encode_documents`, for texts.
        """
        rows: Any = documents if sp.issparse(documents) else self.encode_documents(documents, progress=progress)
        if rows.shape[1] != self.n_terms:
            raise ValueError(f"documents have {rows.shape[1]} terms, the encoder {self.n_terms}")
        rows = sp.csr_array(rows)
        ids, counts = np.unique(rows.indices[rows.data > 0], return_counts=True)
        self._frequencies = rows.shape[0], ids.astype(np.int64), BM25Formula("lucene").idf(counts, rows.shape[0])
        return self

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of documents, as `Encoder` has it: the model's, but that empty texts have empty rows.

        Raises
        ------
        ValueError
            If the model gives a text a weight that is negative or not finite; the text's place is named.
        """
        return self._encoded(texts, self._documents, progress)

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of queries, as `encode_documents` does those of documents.

        Where the model requires IDF, weights are multiplied by it, and terms that no document has are left out.

        Raises
        ------
        ValueError
            If the model requires IDF, and the encoder is not fitted.
        """
        if self.requires_idf and self._frequencies is None:
            raise ValueError(
                f"{_name(self.model)} requires the IDF of terms: call fit(documents) with the corpus's texts or vectors"
            )
        return self._encoded(texts, self._queries, progress)

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the tokens of terms, shape (n,), each the number of a column; hashed terms have their number."""
        tokenizer = None if self.requires_idf else getattr(_inner(self.model), "tokenizer", None)
        token = getattr(tokenizer, "id_to_token", None)
        return names_of(ids, self.n_terms, token or (lambda _: None))

    def _documents(self, texts: list[str]) -> sp.csr_array:
        return self._rows(self.model.embed(texts, batch_size=self.batch_size))

    def _queries(self, texts: list[str]) -> sp.csr_array:
        size = self.batch_size
        batches = (texts[first : first + size] for first in range(0, len(texts), size))
        rows = self._rows(each for batch in batches for each in self.model.query_embed(batch))
        if not self.requires_idf or self._frequencies is None:
            return rows
        _, ids, idf = self._frequencies
        places = np.searchsorted(ids, rows.indices)
        known = np.append(ids, -1)[places] == rows.indices
        rows.data *= np.where(known, np.append(idf, 0.0)[places], 0.0).astype(np.float32)
        rows.eliminate_zeros()
        return rows

    def _encoded(self, texts: Sequence[str], encode: Any, progress: Progress | None) -> sp.csr_array:  # noqa: ANN401
        at_once = self.batch_size * _BATCHES
        return encode_by_length(texts, encode, self.n_terms, at_once=at_once, progress=progress)

    def _rows(self, embeddings: Iterable[Any]) -> sp.csr_array:
        """Return rows of pairs of indices and values."""
        found = list(embeddings)
        indices = [np.asarray(each.indices, np.int64) for each in found]
        data = [np.asarray(each.values, np.float32) for each in found]
        for ids, values in zip(indices, data, strict=True):
            if ids.shape != values.shape or ids.ndim != 1:
                raise ValueError(f"the model gave indices of shape {ids.shape} and values of shape {values.shape}")
            if ids.size and not (ids.min() >= 0 and ids.max() < self.n_terms):
                raise ValueError(f"the model gave the terms {ids.min()} to {ids.max()}, not 0 to {self.n_terms - 1}")
        indptr = np.concatenate([[0], np.cumsum([each.size for each in indices], dtype=np.int64)])
        empty = np.empty(0, np.int64)
        rows = sp.csr_array(
            (np.concatenate([*data, empty]).astype(np.float32), np.concatenate([*indices, empty]), indptr),
            shape=(len(found), self.n_terms),
        )
        rows.sum_duplicates()
        rows.eliminate_zeros()
        return rows

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name, or the model that was given, and the document frequencies."""
        given = {"model": self.model} if self._settings is None else self._settings
        said = {"requires_idf": self.requires_idf, "n_terms": self.n_terms, "batch_size": self.batch_size}
        return _restored, ({**given, **said}, self._frequencies)

    def __repr__(self) -> str:
        """Show the model."""
        return f"FastembedEncoder({_name(self.model)!r})"


def _restored(given: dict[str, Any], frequencies: Any) -> FastembedEncoder:  # noqa: ANN401 - the encoder's own
    made = FastembedEncoder(**given)
    made._frequencies = frequencies  # noqa: SLF001 - of this module
    return made


def _loaded(name: str, options: Mapping[str, Any]) -> SparseTextEmbedding:
    try:
        from fastembed import SparseTextEmbedding as Model  # noqa: PLC0415 - of an extra
    except ImportError as error:
        raise ImportError(missing("encoding by onnxruntime needs fastembed", "fastembed")) from error
    return Model(name, **options)


def _inner(model: SparseTextEmbedding) -> Any:  # noqa: ANN401 - fastembed's
    """Return the model of a kind that a SparseTextEmbedding holds."""
    return getattr(model, "model", model)


def _name(model: SparseTextEmbedding) -> str:
    return str(getattr(model, "model_name", type(model).__name__))


def _description(model: SparseTextEmbedding) -> Mapping[str, Any]:
    """Return what fastembed says of a model; empty if it does not know it."""
    supported: list[dict[str, Any]] = getattr(model, "list_supported_models", list)()
    return next((each for each in supported if each["model"].lower() == _name(model).lower()), {})


def _said(value: Any, description: Mapping[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - checked here
    """Return what is said of a model by an argument, or by its description."""
    if value is not None:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise TypeError(f"{name} must be of type {kind.__name__} or None, got {value!r}")
        return value
    if name not in description or (kind is int and not description[name]):
        raise ValueError(f"{name} must be said: fastembed describes no such model")
    return kind(description[name] or 0)


def _content_hash(model: SparseTextEmbedding) -> str:
    """Hash a model's files, and the settings that say what vectors are."""
    inner = _inner(model)
    settings = {
        key: getattr(inner, key, None) for key in ("k", "b", "avg_len", "alpha", "language", "token_max_length")
    }
    settings["stopwords"] = sorted(getattr(inner, "stopwords", None) or [])
    settings["stemmer"] = type(getattr(inner, "stemmer", None)).__name__
    found = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    description, folder = getattr(inner, "model_description", None), getattr(inner, "_model_dir", None)
    if description is None or folder is None:
        return found.hexdigest()
    names = {description.model_file, "tokenizer.json", "tokenizer_config.json", *(description.additional_files or [])}
    for path in sorted(Path(folder) / name for name in names):
        if path.is_file():
            found.update(f"\n{path.name}\n".encode())
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    found.update(block)
    return found.hexdigest()
