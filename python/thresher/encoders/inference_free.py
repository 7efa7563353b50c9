"""Inference-free models: queries by a tokenizer and a table of weights, in microseconds; documents by a transformer."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._kinds import kind_of
from thresher.encoders.counting import pieces
from thresher.encoders.encoder import Encoder
from thresher.encoders.models import located
from thresher.encoders.query_table import QueryTable, checked_weights, prepared, read_query_table, table_of
from thresher.encoders.registry import from_config as encoder_of
from thresher.encoders.rows import stacked
from thresher.encoders.texts import checked
from thresher.encoders.token_names import names_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from thresher.engines.options import Progress

_FILES = ("*.json", "query_*/*")  # of a model on the hub: all that queries need


class InferenceFreeEncoder:
    """Encodes queries by a table of a weight for each token; documents go through the model's transformer.

    A query's vector has the weight of each token that stands in it, however often. It needs the library tokenizers
    alone: torch is imported when the first document is encoded.

    Parameters
    ----------
    model
        The folder of a model, in sentence-transformers' layout (a Router with a SparseStaticEmbedding) or OpenSearch's
        (``idf.json``); or its name on the Hugging Face hub, of which the files for queries are downloaded.
    documents
        The encoder of documents; None for the same model by `SentenceTransformersEncoder`, made when it is needed.
    device
        That encoder's, if `documents` is None.
    revision
        Of a name on the hub: a branch, tag or commit; None for the newest.

    Raises
    ------
    ImportError
        If tokenizers is missing, which the extra ``inference-free`` brings.
    thresher.FormatError
        If the model's files are damaged, or those of another kind of model.
    OSError
        If they can't be read.

    Notes
    -----
    Trained tables may have weights below 0: vectors of queries have them then, as searches take them.

    Examples
    --------
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> from thresher.encoders import InferenceFreeEncoder
    >>> tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "cat": 1, "mat": 2}, unk_token="[UNK]"))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> encoder = InferenceFreeEncoder.from_table(tokenizer, {"cat": 2.5, "mat": 1.5})
    >>> query = encoder.encode_queries(["mat cat mat dog"])
    >>> list(zip(encoder.terms(query.indices), query.data.tolist()))
    [('cat', 2.5), ('mat', 1.5)]
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        documents: Encoder | None = None,
        device: str | None = None,
        revision: str | None = None,
    ) -> None:
        """Read the query side."""
        if not isinstance(model, str | os.PathLike):
            raise TypeError(f"model must be a path or a name, got {kind_of(model)}")
        name = located(model)
        source = {"model": name, "device": device, "revision": revision}
        self._begin(read_query_table(_folder(name, revision)), documents, source)

    @classmethod
    def from_table(
        cls,
        tokenizer: Tokenizer | str | os.PathLike[str],
        weights: Mapping[str, float] | npt.ArrayLike,
        *,
        max_length: int | None = None,
        documents: Encoder | None = None,
    ) -> InferenceFreeEncoder:
        """Make an encoder of a tokenizer and a table.

        Parameters
        ----------
        tokenizer
            Of the library tokenizers, or the path of a ``tokenizer.json``. It is copied.
        weights
            Of each token: an array of shape (n_terms,), or a dict by token, where tokens that are not there weigh 0.
        max_length
            Tokens of a query, from the first on; None for all.
        documents
            The encoder of documents; without one, only queries can be encoded.

        Raises
        ------
        ImportError
            If tokenizers is missing, which the extra ``inference-free`` brings.
        TypeError, ValueError
            If an argument can't be, or a weight is not finite; the token is named.
        """
        path = isinstance(tokenizer, str | os.PathLike)
        if not path and not hasattr(tokenizer, "to_str"):
            raise TypeError(f"tokenizer must be a tokenizers.Tokenizer or a path, got {kind_of(tokenizer)}")
        if max_length is not None and (isinstance(max_length, bool) or not isinstance(max_length, int)):
            raise TypeError(f"max_length must be a whole number or None, got {max_length!r}")
        if max_length is not None and max_length < 1:
            raise ValueError(f"max_length must be >= 1, got {max_length}")
        state = Path(tokenizer).read_text(encoding="utf-8") if path else tokenizer.to_str()  # type: ignore[arg-type, union-attr]
        copied = prepared(state, max_length)
        try:
            table = _table(weights, copied)
        except (TypeError, ValueError) as error:
            raise type(error)(f"weights: {error}") from None
        return _made(QueryTable(copied, table), documents, None)

    def _begin(self, table: QueryTable, documents: Encoder | None, source: dict[str, Any] | None) -> None:
        if documents is not None and not isinstance(documents, Encoder):
            raise TypeError(f"documents must be an Encoder, got {kind_of(documents)}")
        if documents is not None and documents.n_terms != table.weights.size:
            raise ValueError(f"documents has {documents.n_terms} terms, queries have {table.weights.size}")
        self._table, self._source = table, source
        self._documents = self._given = documents
        self._fingerprint: str | None = None
        self._lock = threading.Lock()

    @property
    def n_terms(self) -> int:
        """Tokens of the vocabulary."""
        return int(self._table.weights.size)

    @property
    def fingerprint(self) -> str:
        """The table, the tokenizer and what the files say of the transformer; computed once, without torch.

        The transformer's parameters do not count: those who only search need not have them. An encoder that was given
        for documents counts.
        """
        if self._fingerprint is None:
            table = self._table
            found = hashlib.sha256(table.weights.astype("<f4").tobytes())
            state = json.loads(table.tokenizer.to_str())
            rest = [state, table.prompt, table.most, table.documents, self._given and self._given.fingerprint]
            found.update(json.dumps(rest, sort_keys=True).encode())
            self._fingerprint = f"inference-free:{found.hexdigest()[:32]}"
        return self._fingerprint

    @property
    def config(self) -> dict[str, Any] | None:
        """What `from_config` makes an equal encoder of; None for a table, or if the encoder of documents has none."""
        documents = None if self._given is None else self._given.config
        if self._source is None or (self._given is not None and documents is None):
            return None
        return {"kind": "inference-free", **self._source, "documents": documents}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> InferenceFreeEncoder:
        """Make the encoder of a `config`, without its kind."""
        known = ("model", "device", "revision", "documents")
        for key in config:
            if key not in known:
                raise ValueError(f"config: {key!r} is nothing that an inference-free encoder has: {', '.join(known)}")
        if "model" not in config:
            raise ValueError("config: model is missing")
        documents = config.get("documents")
        return cls(**{**config, "documents": None if documents is None else encoder_of(documents)})

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of queries, as `Encoder` has it.

        Tokens beyond the model's longest text are left out, and so are weights of 0.
        """
        checked(texts)
        rows = []
        for first, piece in pieces(texts):
            rows.append(self._queries(list(checked(piece, first=first))))
            if progress is not None:
                progress(first + len(piece), len(texts))
        return rows[0] if len(rows) == 1 else stacked(rows, self.n_terms)

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of documents, as `Encoder` has it.

        Raises
        ------
        ImportError
            If sentence-transformers is missing, which the extra of that name brings, and no `documents` was given.
        ValueError
            If the encoder is of a table, or of files that do not say how documents are encoded, without `documents`.
        """
        return self._document_side().encode_documents(texts, progress=progress)

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the tokens of terms, shape (n,), each the number of a column."""
        return names_of(ids, self.n_terms, self._table.tokenizer.id_to_token)

    def _document_side(self) -> Encoder:
        with self._lock:
            if self._documents is None:
                self._documents = self._made_for_documents()
            return self._documents

    def _made_for_documents(self) -> Encoder:
        source = self._source
        if source is None or not self._table.complete:
            lacking = "a table encodes queries alone"
            if source is not None:
                lacking = f"{source['model']}: without modules.json, nothing says how documents are encoded"
            raise ValueError(f"{lacking}: give an encoder as documents=..., or vectors of documents in place of texts")
        from thresher.encoders.sentence_transformers import SentenceTransformersEncoder  # noqa: PLC0415 - of an extra

        made = SentenceTransformersEncoder(**source)
        if made.n_terms != self.n_terms:
            raise ValueError(f"{source['model']}: documents have {made.n_terms} terms, queries {self.n_terms}")
        return made

    def _queries(self, texts: list[str]) -> sp.csr_array:
        """Return the vectors of texts that are checked."""
        tokenizer, weights, prompt, most, *_ = self._table
        given = [prompt + text if text else text for text in texts] if prompt else texts
        if len(given) == 1:
            encoded = [tokenizer.encode(given[0], add_special_tokens=False)]
        else:
            encoded = tokenizer.encode_batch_fast(given, add_special_tokens=False)
        ids, data, indptr = [], [], np.zeros(len(texts) + 1, np.int64)
        for place, each in enumerate(encoded):
            found = np.array(sorted(set(each.ids)), np.int32)
            values = weights[found]
            kept = values.nonzero()[0]
            if most is not None and kept.size > most:
                kept = np.sort(kept[np.argsort(-np.abs(values[kept]), kind="stable")[:most]])
            if kept.size < found.size:
                found, values = found[kept], values[kept]
            ids.append(found)
            data.append(values)
            indptr[place + 1] = found.size
        indptr.cumsum(out=indptr)
        shape = (len(texts), weights.size)
        if not ids:
            return sp.csr_array(shape, dtype=np.float32)
        return sp.csr_array((np.concatenate(data), np.concatenate(ids), indptr), shape=shape)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the table and the tokenizer, not the encoder that was made for documents."""
        return _made, (self._table, self._given, self._source)

    def __repr__(self) -> str:
        """Show the model."""
        if self._source is None:
            return f"<InferenceFreeEncoder: {self.n_terms} terms>"
        return f"InferenceFreeEncoder({self._source['model']!r})"


def _folder(model: str, revision: str | None) -> Path:
    """Return the folder of a model's files, downloaded if it is a name on the hub."""
    folder = Path(model)
    if folder.is_dir() or model.count("/") != 1 or model.startswith((".", "/", "~")):
        return folder
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415 - tokenizers brings it
    except ImportError:
        return folder
    return Path(snapshot_download(model, revision=revision, allow_patterns=list(_FILES)))


def _table(weights: Mapping[str, float] | npt.ArrayLike, tokenizer: Tokenizer) -> npt.NDArray[np.float32]:
    if isinstance(weights, Mapping):
        return checked_weights(table_of(weights, tokenizer), tokenizer)
    table = np.array(weights, np.float32)
    if table.ndim != 1:
        raise ValueError(f"must have one dimension, got the shape {table.shape}")
    return checked_weights(table, tokenizer)


def _made(table: QueryTable, documents: Encoder | None, source: dict[str, Any] | None) -> InferenceFreeEncoder:
    made = InferenceFreeEncoder.__new__(InferenceFreeEncoder)
    made._begin(table, documents, source)  # noqa: SLF001 - of this module
    return made
