"""BM25 as an encoder: the inner product of a query's vector and a document's is the BM25 score.

A collection uses what needs no statistics, `BM25Encoder.count` and `BM25Encoder.formula`, with statistics of its own.
Alone, an encoder is fitted on a corpus first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher import FormatError
from thresher._kinds import kind_of
from thresher.encoders.counting import Counts, count, pieces
from thresher.encoders.formula import BM25Formula, Method
from thresher.encoders.rows import in_columns, stacked
from thresher.encoders.statistics import TextStatistics
from thresher.encoders.texts import checked
from thresher.encoders.tokenizing.tokenizer import TokenizerLike, as_tokenizer
from thresher.encoders.vocabulary import Vocabulary
from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    from thresher.engines.options import Progress

_FILE = "thresher BM25 encoder"
_VERSION = 1


class BM25Encoder:
    """Turns texts into vectors whose inner products are BM25 scores.

    Parameters
    ----------
    language
        By ISO 639-1 code or English name; None for none in particular. See `Tokenizer`.
    method, k1, b, delta
        The formula; see `BM25Formula`.
    stop_words, stem
        What becomes of words; see `Tokenizer`.
    tokenizer
        In place of `language`, `stop_words` and `stem`: a `Tokenizer`, or `CustomTokenizer` with a function of yours.
    statistics
        Those of a corpus, in place of fitting on it.

    Raises
    ------
    ImportError
        If a library is missing that the extra ``text`` brings.
    ValueError
        If the language, the method or a parameter is none.

    Examples
    --------
    >>> from thresher.encoders import BM25Encoder
    >>> documents = ["A cat sat on the mat.", "Dogs chase cats.", "Bread and butter."]
    >>> encoder = BM25Encoder("en").fit(documents)
    >>> import thresher
    >>> index = thresher.PostingsIndex.build(encoder.encode_documents(documents))
    >>> index.search(encoder.encode_queries(["cat chasing dogs"]), k=2).ids
    array([[1, 0]])
    """

    def __init__(
        self,
        language: str | None = "en",
        *,
        method: Method = "lucene",
        k1: float = 1.2,
        b: float = 0.75,
        delta: float = 0.5,
        stop_words: bool | Iterable[str] = True,
        stem: bool = True,
        tokenizer: TokenizerLike | None = None,
        statistics: TextStatistics | None = None,
    ) -> None:
        """Load what the language needs."""
        self.formula = BM25Formula(method, k1, b, delta)
        self.tokenizer = as_tokenizer(tokenizer, language=language, stop_words=stop_words, stem=stem)
        self._fitted: _Fitted | None = None
        if statistics is not None:
            if not isinstance(statistics, TextStatistics):
                raise TypeError(f"statistics must be TextStatistics, got {kind_of(statistics)}")
            self._fitted = _Fitted(statistics, self.formula)

    # ------------------------------------------------------------------------------------- what a collection uses

    def count(self, texts: Iterable[str]) -> Counts:
        """Return the term frequencies of texts, their lengths, and the words of the columns.

        Neither statistics nor earlier texts change it. `formula` makes weights of it, `TextStatistics.of` statistics.
        """
        return count(texts, self.tokenizer)

    @property
    def fingerprint(self) -> str:
        """The formula and what the terms depend on; not the statistics, which are the corpus's."""
        formula = self.formula
        delta = f":{formula.delta!r}" if formula.method == "bm25l" else ""
        return f"bm25:{formula.method}:{formula.k1!r}:{formula.b!r}{delta}:{self.tokenizer.fingerprint}"

    @property
    def config(self) -> dict[str, Any] | None:
        """What `from_config` makes an equal encoder of, without statistics; None if the tokenizer is one of yours."""
        tokenizer = self.tokenizer.config
        if tokenizer is None:
            return None
        formula = self.formula
        parameters = {"method": formula.method, "k1": formula.k1, "b": formula.b, "delta": formula.delta}
        return {"kind": "bm25", **parameters, **tokenizer}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], statistics: TextStatistics | None = None) -> BM25Encoder:
        """Make the encoder of a `config`, without its kind."""
        known = ("language", "stop_words", "stem", "method", "k1", "b", "delta")
        for key in config:
            if key not in known:
                raise ValueError(f"config: {key!r} is nothing that a BM25 encoder has: {', '.join(known)}")
        return cls(**config, statistics=statistics)

    # ------------------------------------------------------------------------------------- an encoder by itself

    def fit(self, texts: Iterable[str], *, progress: Progress | None = None) -> BM25Encoder:
        """Take the statistics of a corpus, in place of those that it had; returns the encoder.

        Parameters
        ----------
        texts
            Of documents: a list, or an iterator, which is read once and never held whole.
        progress
            Called now and then as ``progress(done, n)``; n is 0 where nobody knows it. What it raises ends the fitting,
            and changes nothing.
        """
        statistics = TextStatistics()
        n_texts = len(texts) if isinstance(texts, Sequence) else 0
        for first, piece in pieces(texts):
            statistics.add(count(piece, self.tokenizer, first=first))
            if progress is not None:
                progress(first + len(piece), n_texts)
        self._fitted = _Fitted(statistics, self.formula)
        return self

    @property
    def statistics(self) -> TextStatistics | None:
        """Those of the corpus; None before it is fitted."""
        return None if self._fitted is None else self._fitted.statistics

    @property
    def n_terms(self) -> None:
        """None: the vocabulary grows with the documents that are encoded."""

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of documents, as `Encoder` has it.

        Words that the corpus does not have become new terms, which no query has.

        Raises
        ------
        ValueError
            If it is not fitted.
        """
        fitted = self._ready()
        return self._encoded(texts, fitted, progress, fitted.document_rows)

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of queries: the IDF of each term, as often as it stands there.

        Words that the corpus does not have are left out.

        Raises
        ------
        ValueError
            If it is not fitted.
        """
        fitted = self._ready()
        return self._encoded(texts, fitted, progress, fitted.query_rows)

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the words of terms, shape (n,), each the number of a column."""
        return self._ready().vocabulary.words(ids)

    # ------------------------------------------------------------------------------------- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the encoder, fitted or not, to a file of JSON; one that is there is replaced at once, or stays.

        Raises
        ------
        ValueError
            If the tokenizer is one of yours without a config: pickle the encoder, or keep its `statistics`.
        OSError
            If it can't be written.
        """
        config = self.config
        if config is None:
            raise ValueError("an encoder whose tokenizer has no config can't be saved: pickle it")
        statistics = self.statistics
        content: dict[str, Any] = {"format": _FILE, "version": _VERSION, "config": config, "statistics": None}
        if statistics is not None:
            content["statistics"] = {
                "n_docs": statistics.n_docs,
                "total_length": statistics.total_length,
                "document_frequencies": statistics.document_frequencies,
            }
        with atomic_write(path) as file:
            file.write(json.dumps(content, ensure_ascii=False).encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BM25Encoder:
        """Read an encoder that `save` wrote.

        Raises
        ------
        thresher.FormatError
            If the file is none, or of a newer version.
        OSError
            If it can't be read.
        """
        where = os.fsdecode(path)
        try:
            content = json.loads(Path(where).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{where}: not JSON: {error}") from error
        if not isinstance(content, dict) or content.get("format") != _FILE:
            raise FormatError(f"{where}: not a file of a BM25 encoder")
        if content.get("version") != _VERSION:
            raise FormatError(f"{where}: of version {content.get('version')!r}, this reads {_VERSION}")
        try:
            config = {key: value for key, value in content["config"].items() if key != "kind"}
            statistics = content["statistics"]
            return cls.from_config(config, None if statistics is None else TextStatistics(**statistics))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FormatError(f"{where}: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings and the statistics."""
        formula = self.formula
        return _restored, (self.tokenizer, (formula.method, formula.k1, formula.b, formula.delta), self.statistics)

    def __repr__(self) -> str:
        """Show the settings."""
        formula = self.formula
        language = getattr(self.tokenizer, "language", self.tokenizer)
        return (
            f"BM25Encoder({language!r}, method={formula.method!r}, k1={formula.k1}, b={formula.b}, "
            f"delta={formula.delta})"
        )

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ValueError(
                "the encoder is not fitted: call fit(texts) with the corpus; a collection has statistics of its own"
            )
        return self._fitted

    def _encoded(
        self,
        texts: Sequence[str],
        fitted: _Fitted,
        progress: Progress | None,
        rows_of: Callable[[Counts], sp.csr_array],
    ) -> sp.csr_array:
        checked(texts)
        n_texts = len(texts)
        rows = []
        for first, piece in pieces(texts):
            rows.append(rows_of(count(piece, self.tokenizer, first=first)))
            if progress is not None:
                progress(first + len(piece), n_texts)
        return stacked(rows, len(fitted.vocabulary))


class _Fitted:
    """Statistics of a corpus, and what is made of them once: numbers of the words, and their IDF."""

    def __init__(self, statistics: TextStatistics, formula: BM25Formula) -> None:
        self.statistics = statistics
        self._formula = formula
        self.vocabulary = Vocabulary(statistics.document_frequencies)
        frequencies = np.fromiter(statistics.document_frequencies.values(), np.int64)
        self._idf = formula.idf(frequencies, statistics.n_docs)

    def document_rows(self, counts: Counts) -> sp.csr_array:
        """Return weights, in the columns of the vocabulary, which new words join."""
        mean = self.statistics.mean_length or 1.0
        weights = self._formula.weigh(counts.frequencies, counts.lengths, mean)
        return in_columns(weights, self.vocabulary.add(counts.words), len(self.vocabulary))

    def query_rows(self, counts: Counts) -> sp.csr_array:
        """Return how often each word stands there times its IDF, without words whose IDF is 0."""
        columns = self.vocabulary.find(counts.words)
        known = (columns >= 0) & (columns < self._idf.size)
        idf = np.zeros(columns.size)
        idf[known] = self._idf[columns[known]]
        frequencies = counts.frequencies
        kept = idf[frequencies.indices] > 0
        kept_before = np.concatenate([[0], np.cumsum(kept)])
        indices = frequencies.indices[kept]
        data = (frequencies.data[kept] * idf[indices]).astype(np.float32)
        rows = sp.csr_array((data, indices, kept_before[frequencies.indptr]), shape=frequencies.shape)
        return in_columns(rows, columns, len(self.vocabulary))


def _restored(
    tokenizer: TokenizerLike, formula: tuple[Method, float, float, float], statistics: TextStatistics | None
) -> BM25Encoder:
    method, k1, b, delta = formula
    return BM25Encoder(method=method, k1=k1, b=b, delta=delta, tokenizer=tokenizer, statistics=statistics)
