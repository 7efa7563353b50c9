"""Real texts for tests: pieces of the documentation that this Python comes with."""

from __future__ import annotations

import functools

from thresher.demo.documentation import gather

_WORDS = 20  # of a piece


def passages(n: int) -> list[str]:
    """Return the first n pieces of docstrings of the standard library and of what is installed."""
    found = _all()
    assert len(found) >= n
    return found[:n]


@functools.cache
def _all() -> list[str]:
    texts = [passage.text.split() for passage in gather(most_source=12_000_000)]
    return [" ".join(words[begin : begin + _WORDS]) for words in texts for begin in range(0, len(words), _WORDS)]
