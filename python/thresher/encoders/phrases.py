"""Phrases beside the terms of another encoder: n-grams of neighbouring words, hashed into buckets.

A bucket is a term. Two phrases may share one: with 2^24 buckets and a million phrases, one phrase in 17 does.

References
----------
Chen et al.: *Reading Wikipedia to Answer Open-Domain Questions* (hashed bigrams), ACL 2017.
Lee et al.: *Contextualized Sparse Representations for Real-Time Open-Domain Question Answering* (Sparc), ACL 2020.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._kinds import kind_of
from thresher.encoders.counting import occurrences, pieces
from thresher.encoders.encoder import Encoder
from thresher.encoders.hashing import hash_ngrams, hash_words
from thresher.encoders.marks import MARK
from thresher.encoders.registry import from_config as encoder_of
from thresher.encoders.rows import stacked
from thresher.encoders.tokenizing.tokenizer import Tokenizer, TokenizerLike, as_tokenizer
from thresher.encoders.vocabulary import Vocabulary

if TYPE_CHECKING:
    from thresher.engines.options import Progress

_MOST_TERMS = 2**32 - 1
_LONGEST = 16  # words of a phrase


class HashedPhrases:
    """Adds phrases to what another encoder makes of texts.

    A phrase of a document weighs 1 + ln(how often it stands there), and one of a query `weight`: a document that has a
    phrase of the query gains `weight` or more over one that has its words apart.

    Parameters
    ----------
    encoder
        Of a fixed vocabulary or one that grows.
    sizes
        Numbers of words that make up phrases, each 2 to 16.
    bits
        There are 2**bits buckets for each size; 8 to 31.
    weight
        Of a phrase in a query, > 0: to be set by the scale of the encoder's scores.
    tokenizer
        Finds the words that are neighbours, in texts and in queries. If None, the encoder's own, or one of no language
        in particular if it has none.

    Raises
    ------
    ValueError
        If a parameter can't be, or there would be more than 2^32 - 1 terms.

    Examples
    --------
    >>> from thresher.encoders import BM25Encoder, HashedPhrases
    >>> documents = ["New York is a city", "York has a new wall"]
    >>> encoder = HashedPhrases(BM25Encoder("en").fit(documents), weight=0.5)
    >>> rows = encoder.encode_documents(documents)
    >>> encoder.terms(rows[[0]].indices)
    ['new', 'york', 'citi', 'phrase␟2:bbd87e', 'phrase␟2:f02fc8']
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        sizes: Iterable[int] = (2,),
        bits: int = 24,
        weight: float = 1.0,
        tokenizer: TokenizerLike | None = None,
    ) -> None:
        """Check the parameters."""
        if not isinstance(encoder, Encoder):
            raise TypeError(f"encoder must be an Encoder, got {kind_of(encoder)}")
        self.encoder = encoder
        self.sizes = tuple(sorted({_whole(size, "sizes", 2, _LONGEST) for size in sizes}))
        self.bits = _whole(bits, "bits", 8, 31)
        if not self.sizes:
            raise ValueError("sizes must have at least one")
        if isinstance(weight, bool) or not isinstance(weight, int | float | np.number):
            raise TypeError(f"weight must be a number, got {weight!r}")
        if not (weight > 0 and math.isfinite(weight)):
            raise ValueError(f"weight must be > 0 and finite, got {weight!r}")
        self.weight = float(weight)
        self._given = tokenizer
        own = getattr(encoder, "tokenizer", None)
        self.tokenizer: TokenizerLike = as_tokenizer(tokenizer or own, language=None)
        if self.n_terms is not None and self.n_terms > _MOST_TERMS:
            raise ValueError(f"bits: {self.n_terms} terms are more than there can be, {_MOST_TERMS}")
        self._vocabulary = Vocabulary()  # of a growing encoder's words and the buckets

    @property
    def n_terms(self) -> int | None:
        """The encoder's terms and the buckets behind them; None if the encoder's vocabulary grows."""
        n_terms = self.encoder.n_terms
        return None if n_terms is None else n_terms + (len(self.sizes) << self.bits)

    @property
    def fingerprint(self) -> str:
        """The parameters, and what words and the encoder's vectors depend on."""
        sizes = ",".join(map(str, self.sizes))
        return (
            f"phrases:{sizes}:{self.bits}:{self.weight!r}:({self.tokenizer.fingerprint}):({self.encoder.fingerprint})"
        )

    @property
    def config(self) -> dict[str, Any] | None:
        """What `from_config` makes an equal encoder of; None if the encoder or the tokenizer can't be made."""
        inner = self.encoder.config
        tokenizer = None if self._given is None else self._given.config
        if inner is None or (self._given is not None and tokenizer is None):
            return None
        parameters = {"sizes": list(self.sizes), "bits": self.bits, "weight": self.weight}
        return {"kind": "phrases", "encoder": inner, **parameters, "tokenizer": tokenizer}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> HashedPhrases:
        """Make the encoder of a `config`, without its kind."""
        known = ("encoder", "sizes", "bits", "weight", "tokenizer")
        for key in config:
            if key not in known:
                raise ValueError(f"config: {key!r} is nothing that hashed phrases have: {', '.join(known)}")
        given = dict(config)
        encoder = encoder_of(given.pop("encoder", {}))
        tokenizer = given.pop("tokenizer", None)
        return cls(encoder, **given, tokenizer=None if tokenizer is None else Tokenizer(**tokenizer))

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of documents, as `Encoder` has it."""
        return self._encoded(texts, documents=True, progress=progress)

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of queries, as `Encoder` has it."""
        return self._encoded(texts, documents=False, progress=progress)

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the words of terms, shape (n,), each the number of a column; buckets have names of their own."""
        if self.encoder.n_terms is None:
            return self._vocabulary.words(ids)
        wanted = np.asarray(ids)
        if wanted.size and wanted.max() >= (self.n_terms or 0):
            raise IndexError(f"there is no term {wanted.max()}: they are {self.n_terms}")
        of_encoder = wanted < self.encoder.n_terms
        words = iter(self.encoder.terms(wanted[of_encoder]))
        buckets = iter(self._names(wanted[~of_encoder].astype(np.int64) - self.encoder.n_terms))
        return [next(words if own else buckets) for own in of_encoder.tolist()]

    def _encoded(self, texts: Sequence[str], *, documents: bool, progress: Progress | None) -> sp.csr_array:
        encode = self.encoder.encode_documents if documents else self.encoder.encode_queries
        rows = []
        for first, piece in pieces(texts):
            buckets = self._buckets(piece, first)
            data = 1 + np.log(buckets.data) if documents else np.full(buckets.nnz, self.weight)
            phrases = sp.csr_array((data.astype(np.float32), buckets.indices, buckets.indptr), shape=buckets.shape)
            rows.append(self._beside(sp.csr_array(encode(piece), dtype=np.float32), phrases))
            if progress is not None:
                progress(first + len(piece), len(texts))
        n_terms = self.n_terms
        return stacked(rows, len(self._vocabulary) if n_terms is None else n_terms)

    def _buckets(self, texts: Sequence[str], first: int) -> sp.csr_array:
        """Return how often a phrase of each bucket stands in each text: a row a text, a column a bucket."""
        columns, indptr, words = occurrences(texts, self.tokenizer, first=first)
        hashes = hash_words(words)[columns]
        found, texts_of = [], []
        for number, size in enumerate(self.sizes):
            ngrams, begins = hash_ngrams(hashes, indptr, size)
            found.append((ngrams >> np.uint64(64 - self.bits)).astype(np.int64) + (number << self.bits))
            texts_of.append(np.repeat(np.arange(len(texts)), np.diff(begins)))
        buckets, rows = np.concatenate(found), np.concatenate(texts_of)
        order = np.argsort(rows, kind="stable")
        begins = np.searchsorted(rows[order], np.arange(len(texts) + 1))
        shape = (len(texts), len(self.sizes) << self.bits)
        counts = sp.csr_array((np.ones(buckets.size), buckets[order], begins), shape=shape)
        counts.sum_duplicates()
        return counts

    def _beside(self, rows: sp.csr_array, phrases: sp.csr_array) -> sp.csr_array:
        """Return the encoder's vectors with those of phrases."""
        n_terms = self.encoder.n_terms
        if n_terms is not None:
            return sp.hstack([rows, phrases], format="csr")
        words = self._numbered(rows.indices, self.encoder.terms)
        buckets = self._numbered(phrases.indices, self._names)
        shape = (rows.shape[0], len(self._vocabulary))
        of_words = sp.csr_array((rows.data, words, rows.indptr), shape=shape)
        of_buckets = sp.csr_array((phrases.data, buckets, phrases.indptr), shape=shape)
        of_words.sort_indices()
        of_buckets.sort_indices()
        return of_words + of_buckets

    def _numbered(
        self, columns: npt.NDArray[Any], names_of: Callable[[npt.NDArray[Any]], list[str]]
    ) -> npt.NDArray[np.int64]:
        """Return the numbers that the vocabulary gives to the names of columns."""
        used, inverse = np.unique(columns, return_inverse=True)
        return self._vocabulary.add(names_of(used))[inverse]

    def _names(self, buckets: npt.NDArray[np.int64]) -> list[str]:
        """Return what buckets are called: the size of the phrase, and the bucket's number."""
        digits = (self.bits + 3) // 4
        within = (1 << self.bits) - 1
        return [
            f"phrase{MARK}{self.sizes[bucket >> self.bits]}:{bucket & within:0{digits}x}" for bucket in buckets.tolist()
        ]

    def __repr__(self) -> str:
        """Show the parameters."""
        return f"HashedPhrases({self.encoder!r}, sizes={self.sizes}, bits={self.bits}, weight={self.weight})"


def _whole(value: Any, name: str, lowest: int, highest: int) -> int:  # noqa: ANN401 - checked here
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be whole numbers, got {value!r}")
    if not lowest <= value <= highest:
        raise ValueError(f"{name} must be {lowest} to {highest}, got {value}")
    return int(value)
