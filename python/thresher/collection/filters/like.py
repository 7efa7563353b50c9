r"""Patterns of `$like`: ``%`` stands for any characters, ``_`` for one; a backslash takes their meaning.

A pattern is cut at its ``%`` into pieces of fixed length. The first and the last are anchored, those between are found
one after the other, each as far to the left as it goes, which leaves most room for the rest: no backtracking, so that
no pattern takes more than its length times the text's.
"""

from __future__ import annotations

import re
from collections.abc import Callable


def like(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a string matches the whole pattern, case counting."""
    pieces, lengths = _pieces(pattern)
    first, *middle = (re.compile(piece, re.DOTALL) for piece in pieces)
    if not middle:
        return lambda value: first.fullmatch(value) is not None
    last, tail = middle.pop(), lengths[-1]
    middle = [piece for piece in middle if piece.pattern]

    def matches(value: str) -> bool:
        found = first.match(value)
        if found is None:
            return False
        end = len(value) - tail
        if end < found.end() or last.fullmatch(value, end) is None:
            return False
        place = found.end()
        for piece in middle:
            found = piece.search(value, place, end)
            if found is None:
                return False
            place = found.end()
        return True

    return matches


def _pieces(pattern: str) -> tuple[list[str], list[int]]:
    """Return the regular expressions between the ``%``, and how many characters each takes."""
    pieces, lengths = [""], [0]
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            pieces.append("")
            lengths.append(0)
            continue
        literal = next(characters, "\\") if character == "\\" else character
        pieces[-1] += "." if character == "_" else re.escape(literal)
        lengths[-1] += 1
    return pieces, lengths
