"""Word impacts: documents that come with a weight for each of their words, and queries of plain words.

References
----------
Dai and Callan: *Context-Aware Term Weighting For First Stage Passage Retrieval* (DeepCT), SIGIR 2020.
Bai et al.: *SparTerm: Learning Term-based Sparse Representation for Fast Text Retrieval*, 2020.
Mallia et al.: *Learning Passage Impacts for Inverted Indexes* (DeepImpact), SIGIR 2021.
Lin and Ma: *A Few Brief Notes on DeepImpact, COIL, and a Conceptual Framework* (uniCOIL), 2021.
Nguyen et al.: *DyVo: Dynamic Vocabularies for Learned Sparse Retrieval with Entities*, EMNLP 2024.
Do et al.: *CASPER: Concept-integrated Sparse Representation for Scientific Retrieval*, 2025.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from thresher._kinds import kind_of
from thresher.encoders.counting import pieces
from thresher.encoders.impact_lines import parse_impacts
from thresher.encoders.rows import stacked
from thresher.encoders.texts import check_encodable, checked
from thresher.encoders.tokenizing.tokenizer import TokenizerLike, as_tokenizer
from thresher.encoders.vocabulary import Vocabulary

if TYPE_CHECKING:
    from thresher.engines.options import Progress


class WordImpacts:
    """Takes the weights of documents' words as a model made them, and weighs each word of a query 1.

    Parameters
    ----------
    language, stop_words, stem
        How queries become words, which must be as the model's were; see `Tokenizer`. By default words in lower case,
        without stems or stop words.
    tokenizer
        In place of these: a `Tokenizer`, or `CustomTokenizer` with a function of yours, such as a model's own.

    Examples
    --------
    >>> import thresher
    >>> from thresher.encoders import WordImpacts
    >>> encoder = WordImpacts()
    >>> documents = encoder.encode_documents([{"cat": 2.0, "mat": 0.5}, '{"vector": {"cat": 1.0, "dog": 3.0}}'])
    >>> encoder.terms(range(documents.shape[1]))
    ['cat', 'mat', 'dog']
    >>> index = thresher.ExactIndex.build(documents)
    >>> index.search(encoder.encode_queries(["A cat, a dog"]), k=2, unknown_terms="ignore").scores
    array([[4., 2.]], dtype=float32)
    """

    def __init__(
        self,
        language: str | None = None,
        *,
        stop_words: bool | Iterable[str] = False,
        stem: bool = False,
        tokenizer: TokenizerLike | None = None,
    ) -> None:
        """Load what the language needs."""
        self.tokenizer = as_tokenizer(tokenizer, language=language, stop_words=stop_words, stem=stem)
        self._vocabulary = Vocabulary()

    @property
    def n_terms(self) -> None:
        """None: the vocabulary grows with what is encoded."""

    @property
    def fingerprint(self) -> str:
        """What the queries' words depend on; what made the documents' weights is not known here."""
        return f"impacts:{self.tokenizer.fingerprint}"

    @property
    def config(self) -> dict[str, Any] | None:
        """What `from_config` makes an equal encoder of; None if the tokenizer is one of yours."""
        tokenizer = self.tokenizer.config
        return None if tokenizer is None else {"kind": "impacts", **tokenizer}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> WordImpacts:
        """Make the encoder of a `config`, without its kind."""
        known = ("language", "stop_words", "stem")
        for key in config:
            if key not in known:
                raise ValueError(f"config: {key!r} is nothing that word impacts have: {', '.join(known)}")
        return cls(**config)

    def encode_documents(
        self, texts: Sequence[str | Mapping[str, Any]], *, progress: Progress | None = None
    ) -> sp.csr_array:
        """Return the vectors of documents.

        Parameters
        ----------
        texts
            Of each document a dict of the weight of each word, or a line of a file as models publish them: see
            `parse_impacts`.
        progress
            Called now and then as ``progress(done, len(texts))``.

        Returns
        -------
        csr_array
            As `Encoder.encode_documents`; words that are new get the next columns.

        Raises
        ------
        TypeError, ValueError
            Naming the document's place and what is wrong there.
        """
        return self._encoded(texts, _document, progress)

    def encode_queries(
        self, texts: Sequence[str | Mapping[str, Any]], *, progress: Progress | None = None
    ) -> sp.csr_array:
        """Return the vectors of queries: texts, each word of which weighs 1, or dicts of the weight of each word.

        Parameters and errors are those of `encode_documents`.
        """
        return self._encoded(texts, self._query, progress)

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the words of terms, shape (n,), each the number of a column."""
        return self._vocabulary.words(ids)

    def _query(self, given: Any, where: str) -> Mapping[str, float]:  # noqa: ANN401 - checked here
        if isinstance(given, Mapping):
            return _document(given, where)
        if not isinstance(given, str):
            raise TypeError(f"{where} must be a str or a dict of weights, got {kind_of(given)}")
        check_encodable(given, where)
        return dict.fromkeys(self.tokenizer(given), 1.0)

    def _encoded(
        self, given: Sequence[Any], weights_of: Callable[[Any, str], Mapping[str, float]], progress: Progress | None
    ) -> sp.csr_array:
        checked(given)
        rows = []
        for first, piece in pieces(given):
            weights = [weights_of(one, f"texts[{place}]") for place, one in enumerate(piece, first)]
            columns = self._vocabulary.add([word for row in weights for word in row])
            data = np.fromiter((weight for row in weights for weight in row.values()), np.float32, columns.size)
            indptr = np.concatenate([[0], np.cumsum([len(row) for row in weights])])
            matrix = sp.csr_array((data, columns, indptr), shape=(len(weights), len(self._vocabulary)))
            matrix.sort_indices()
            rows.append(matrix)
            if progress is not None:
                progress(first + len(piece), len(given))
        return stacked(rows, len(self._vocabulary))

    def __repr__(self) -> str:
        """Show the tokenizer."""
        return f"WordImpacts(tokenizer={self.tokenizer!r})"


def _document(given: Any, where: str) -> Mapping[str, float]:  # noqa: ANN401 - checked there
    try:
        return parse_impacts(given).weights
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None
