"""Words that an encoder numbers as they come: terms of a vocabulary that grows."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


class Vocabulary:
    """Words and their numbers, from 0 on in the order in which they came. Any number of threads may use it."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        """Give words numbers, each once."""
        self._words: list[str] = []
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()
        self.add(list(words))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._words)

    def add(self, words: list[str]) -> npt.NDArray[np.int64]:
        """Return the numbers of words, shape (n,), and give new ones to those that have none."""
        numbers = self.find(words)
        new = np.flatnonzero(numbers < 0).tolist()
        if new:
            with self._lock:
                for place in new:
                    word = words[place]
                    number = self._numbers.get(word)
                    if number is None:  # the word before its number, which other threads find
                        number = len(self._words)
                        self._words.append(word)
                        self._numbers[word] = number
                    numbers[place] = number
        return numbers

    def find(self, words: list[str]) -> npt.NDArray[np.int64]:
        """Return the numbers of words, shape (n,): -1 for those that have none."""
        known = self._numbers
        return np.fromiter((known.get(word, -1) for word in words), np.int64, len(words))

    def words(self, numbers: npt.ArrayLike) -> list[str]:
        """Return the words of numbers, shape (n,).

        Raises
        ------
        IndexError
            If a number is not in [0, len(self)).
        """
        wanted = np.asarray(numbers)
        if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
            raise TypeError(f"ids must be whole numbers in one dimension, got {wanted.dtype} of shape {wanted.shape}")
        n = len(self._words)
        wrong = (wanted < 0) | (wanted >= n)
        if wrong.any():
            raise IndexError(f"there is no term {wanted[wrong][0]}: they are {n}")
        return [self._words[number] for number in wanted.tolist()]

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the words, so that their numbers stay what they are."""
        return Vocabulary, (self._words.copy(),)
