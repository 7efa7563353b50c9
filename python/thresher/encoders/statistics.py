"""What BM25 knows of a corpus: how many documents, how long, and in how many of them each word is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from thresher.encoders.counting import Counts


class TextStatistics:
    """Statistics of a corpus. Those of its parts add up to those of the whole, in any order.

    Parameters
    ----------
    n_docs
        Documents.
    total_length
        The sum of their lengths, in terms.
    document_frequencies
        In how many documents each word is, 1 to n_docs.

    Raises
    ------
    ValueError
        If they can't be those of any corpus.

    Examples
    --------
    >>> from thresher.encoders import TextStatistics
    >>> whole = TextStatistics(2, 5, {"cat": 2, "dog": 1}) + TextStatistics(1, 1, {"dog": 1})
    >>> whole.n_docs, whole.mean_length, whole.document_frequencies
    (3, 2.0, {'cat': 2, 'dog': 2})
    """

    def __init__(
        self, n_docs: int = 0, total_length: int = 0, document_frequencies: Mapping[str, int] | None = None
    ) -> None:
        """Check them."""
        sizes: dict[str, object] = {"n_docs": n_docs, "total_length": total_length}
        for name, value in sizes.items():
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
                raise ValueError(f"{name} must be a whole number >= 0, got {value!r}")
        self.n_docs = int(n_docs)
        self.total_length = int(total_length)
        self.document_frequencies: dict[str, int] = {}
        for word, frequency in (document_frequencies or {}).items():
            if not isinstance(word, str):
                raise TypeError(f"document_frequencies must be of str, got {word!r}")
            if isinstance(frequency, bool) or not isinstance(frequency, int | np.integer):
                raise TypeError(f"document_frequencies: {word!r} must have a whole number, got {frequency!r}")
            if not 1 <= frequency <= n_docs:
                raise ValueError(f"document_frequencies: {word!r} must have 1 to n_docs, {n_docs}, got {frequency}")
            self.document_frequencies[word] = int(frequency)

    @classmethod
    def of(cls, counts: Counts) -> TextStatistics:
        """Return those of texts that were counted."""
        statistics = cls()
        statistics.add(counts)
        return statistics

    def add(self, counts: Counts) -> None:
        """Add texts that were counted."""
        self.n_docs += len(counts.lengths)
        self.total_length += int(counts.lengths.sum())
        frequencies = np.bincount(counts.frequencies.indices, minlength=len(counts.words)).tolist()
        self._add_frequencies(zip(counts.words, frequencies, strict=True))

    @property
    def mean_length(self) -> float:
        """Terms of a document on average; 0 if there are none."""
        return self.total_length / self.n_docs if self.n_docs else 0.0

    def __add__(self, other: TextStatistics) -> TextStatistics:
        """Return the statistics of two corpora that have no document in common."""
        if not isinstance(other, TextStatistics):
            return NotImplemented
        return TextStatistics().__iadd__(self).__iadd__(other)

    def __iadd__(self, other: TextStatistics) -> TextStatistics:  # noqa: PYI034 - nothing derives from it
        """Add those of another corpus."""
        if not isinstance(other, TextStatistics):
            return NotImplemented
        self.n_docs += other.n_docs
        self.total_length += other.total_length
        self._add_frequencies(list(other.document_frequencies.items()))
        return self

    def _add_frequencies(self, frequencies: Iterable[tuple[str, int]]) -> None:
        mine = self.document_frequencies
        for word, frequency in frequencies:
            mine[word] = mine.get(word, 0) + frequency

    def __eq__(self, other: object) -> bool:
        """Return whether they are the same numbers."""
        return (
            isinstance(other, TextStatistics)
            and (self.n_docs, self.total_length) == (other.n_docs, other.total_length)
            and self.document_frequencies == other.document_frequencies
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the sizes."""
        return (
            f"<TextStatistics: {self.n_docs:,} documents of {self.mean_length:.1f} terms, "
            f"{len(self.document_frequencies):,} words>"
        )
