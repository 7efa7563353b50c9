"""A dictionary as real learned vectors: entries of WordNet, encoded once by a SPLADE model.

``dictionary.npz`` has the entries, their vectors in 8 bits a weight, the model's vocabulary, and a term and a weight
for each of its pieces, by which questions are encoded without the model. ``tools/dictionary.py`` makes it.

References
----------
Miller: *WordNet: A Lexical Database for English*, Communications of the ACM, 1995.
Geng et al.: *Towards Competitive Search Relevance for Inference-Free Learned Sparse Retrievers*, 2024.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from thresher.demo.corpus import Contents, Passage
from thresher.demo.wordpiece import WordPieces, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATH = Path(__file__).with_name("dictionary.npz")


class Dictionary:
    """The entries in a file.

    Parameters
    ----------
    path
        What `write` wrote.
    """

    name = "dictionary"
    passages_are = "dictionary entries"
    vectors_are = "SPLADE vectors"
    examples: tuple[str, ...] = ("medicine that kills pain", "glasses for the sun", "a shop that sells bread")

    def __init__(self, path: Path = PATH) -> None:
        self._path = path

    def fingerprint(self) -> str:
        """Return a hash of the file."""
        return hashlib.sha256(self._path.read_bytes()).hexdigest()

    def contents(self) -> Contents:
        """Read all entries, with vectors."""
        with np.load(self._path) as file:
            titles, texts, kinds = (_lines(file[name]) for name in ("titles", "texts", "kinds"))
            passages = [Passage(*entry) for entry in zip(titles, texts, kinds, strict=True)]
            return Contents(passages, _unpacked(file, "documents"), _lines(file["vocabulary"]))

    def encoder(self, vocabulary: Sequence[str]) -> TokenWeights:
        """Return the encoder of questions by the weights in the file."""
        with np.load(self._path) as file:
            return TokenWeights(vocabulary, file["query_terms"], file["query_weights"].astype(np.float32))

    def is_here(self) -> bool:
        """Tell whether there is the file: a checkout has it, a wheel does not."""
        return self._path.exists()

    def asked(self) -> sparse.csr_array:
        """Return definitions that the dictionary does not have, encoded by the model, to measure with."""
        with np.load(self._path) as file:
            return _unpacked(file, "asked")


class TokenWeights:
    """Encodes questions by looking up each word piece that is present.

    Parameters
    ----------
    vocabulary
        The pieces, a column each.
    terms
        Shape (n_pieces,): the piece that each asks for, which is itself, unless the model writes another in its place,
        such as ``date`` where it reads ``dates``.
    weights
        Shape (n_pieces,), >= 0; a piece of weight 0 says nothing.
    """

    def __init__(self, vocabulary: Sequence[str], terms: NDArray[np.uint16], weights: NDArray[np.float32]) -> None:
        self._pieces = WordPieces(vocabulary)
        self._terms = terms.tolist()
        self._weights = weights.tolist()

    def words(self, text: str) -> list[str]:
        """Return the words of a text, lower case and without accents; signs are words too."""
        return words(text)

    def encode_queries(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return the vectors of texts, (len(texts), n_pieces)."""
        rows = [self._encoded(text) for text in texts]
        indices = np.array([term for row in rows for term in row], dtype=np.int64)
        weights = np.array([weight for row in rows for weight in row.values()], dtype=np.float32)
        indptr = np.cumsum([0, *map(len, rows)])
        return sparse.csr_array((weights, indices, indptr), shape=(len(rows), len(self._weights)))

    def _encoded(self, text: str) -> dict[int, float]:
        pieces = {piece for word in words(text) for piece in self._pieces.cut(word) if self._weights[piece] > 0}
        found: dict[int, float] = {}
        for piece in pieces:
            found[self._terms[piece]] = max(self._weights[piece], found.get(self._terms[piece], 0))
        return dict(sorted(found.items()))


def write(
    path: Path,
    contents: Contents,
    query_terms: NDArray[np.uint16],
    query_weights: NDArray[np.float32],
    asked: sparse.csr_array,
) -> None:
    """Write the file: weights of vectors in 8 bits, those too small for that left out.

    Parameters
    ----------
    path
        To be written.
    contents
        The entries.
    query_terms, query_weights
        Of `TokenWeights`; weights are kept in float16.
    asked
        (n_questions, n_pieces), to measure with.
    """
    titles, texts, kinds = map(_packed, zip(*contents.passages, strict=True))
    np.savez_compressed(
        path,
        titles=titles,
        texts=texts,
        kinds=kinds,
        vocabulary=_packed(contents.vocabulary),
        query_terms=query_terms,
        query_weights=query_weights.astype(np.float16),
        **_packed_matrix("documents", contents.vectors),
        **_packed_matrix("asked", asked),
    )


def _packed_matrix(name: str, matrix: sparse.csr_array) -> dict[str, Any]:
    """Return a matrix as small arrays: a term after the other, the gaps between its rows, in low and high bytes."""
    by_term = sparse.csc_array(matrix)
    step = np.float32(by_term.data.max() / 255)
    by_term.data = np.rint(by_term.data / step)
    by_term.eliminate_zeros()
    by_term.sort_indices()
    gaps = np.diff(by_term.indices, prepend=0)
    firsts = by_term.indptr[:-1][np.diff(by_term.indptr) > 0]
    gaps[firsts] = by_term.indices[firsts]
    return {
        f"{name}_rows": np.int64(by_term.shape[0]),
        f"{name}_frequencies": np.diff(by_term.indptr).astype(np.uint16),
        f"{name}_gaps_low": (gaps & 255).astype(np.uint8),
        f"{name}_gaps_high": (gaps >> 8).astype(np.uint8),
        f"{name}_weights": by_term.data.astype(np.uint8),
        f"{name}_step": step,
    }


def _unpacked(file: Mapping[str, NDArray[Any]], name: str) -> sparse.csr_array:
    """Undo `_packed_matrix`."""
    indptr = np.concatenate([[0], np.cumsum(file[f"{name}_frequencies"], dtype=np.int64)])
    totals = np.cumsum(file[f"{name}_gaps_low"] + 256 * file[f"{name}_gaps_high"].astype(np.int64))
    before = np.concatenate([[0], totals])[indptr[:-1]]
    rows = totals - np.repeat(before, np.diff(indptr))
    weights = file[f"{name}_weights"] * file[f"{name}_step"]
    return sparse.csc_array((weights, rows, indptr), shape=(int(file[f"{name}_rows"]), len(indptr) - 1)).tocsr()


def _packed(lines: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def _lines(packed: NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode().split("\n")
