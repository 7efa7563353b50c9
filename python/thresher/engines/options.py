"""The options that all engines have in common.

An engine states its options as a TypedDict derived from one of these, where each is documented once; `writing_out` puts
them into signatures and documentation, `building` and `request` take them. An option of all engines is added here and
there, and in no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, SupportsFloat, SupportsIndex, TypeAlias, TypedDict

from thresher import _core

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

    from thresher._hits import Hits
    from thresher._selections import Allowed
    from thresher._words import WordsLike

Progress: TypeAlias = Callable[[int, int], object]
Weights: TypeAlias = Literal["float", "uint8", "uint8+float"]
UnknownTerms: TypeAlias = Literal["error", "ignore"]

WEIGHTS: dict[_core.Precision, Weights] = {
    _core.Precision.FULL: "float",
    _core.Precision.CODES: "uint8",
    _core.Precision.BOTH: "uint8+float",
}
PRECISIONS = {weights: precision for precision, weights in WEIGHTS.items()}


class BuildOptions(TypedDict, total=False):
    """Options of every build.

    Attributes
    ----------
    shape
        (n_docs, n_terms), needed for an ``(indptr, indices, data)`` triple.
    threads
        Threads to use; 0 means one for each core. The index does not depend on it.
    progress
        Called on this thread now and then as ``progress(done, n_docs)``.
    weights
        What is kept of the weights: ``"float"``, all of them, in as many bits as they need. ``"uint8"``, 8 bits of
        each, whole multiples of a number for each document: off by half of a 255th of the document's largest at most,
        and by a whole one for those below that; `weight_error` tells the largest. Weights that are such multiples
        already, as whole numbers up to 255 are, stay exact. ``"uint8+float"``, both: 8 bits to search by, and the
        full weights, read for the few documents that may be hits alone, so that scores are exact in little memory.
    scratch
        A folder for temporary files, where the index may be larger than memory: its large arrays are kept there, while
        it is built and until it is closed. They have no name, and are gone with the process. None is in memory.
    words
        What terms are called, no two alike: a str for each, or for the first of them, or a dict of the term of each.
        The index keeps them (`Index.words`), and takes them in place of terms.
    names
        What documents are called, no two alike: a str for each. The index keeps them (`Index.names`).
    """

    shape: tuple[int, int] | None
    threads: SupportsIndex
    progress: Progress | None
    weights: Weights
    scratch: str | os.PathLike[str] | None
    words: WordsLike | None
    names: WordsLike | None


class SearchOptions(TypedDict, total=False):
    """Options of every search.

    Attributes
    ----------
    shape
        (n_queries, n_terms), needed for an ``(indptr, indices, data)`` triple.
    threads
        Threads to use; 0 means one for each core. Without a deadline, the result does not depend on it. A query is
        searched by one thread.
    progress
        Called on this thread now and then as ``progress(done, n_queries)``.
    allowed
        Which documents may be returned: booleans of shape (n_docs,), document ids in any order (whole numbers are ids,
        0 and 1 too), or a `Selection`, which `select` prepares once for many searches. Or one of these for each query:
        booleans of shape (n_queries, n_docs) or a sequence, where None allows all. None allows all; an empty one none.
    exclude
        Which documents may not be returned, in the same forms; it is taken off what is allowed.
    min_score
        Only documents that score at least this, in float32. None is all above 0. One of 0 or less goes with `fill`.
    fill
        Whether rows go on, once no allowed document with a positive score is left, with those of zero and below, best
        first. Rows that are short of k take looking at every document.
    exact
        Whether hits must be exact: where the engine can't prove that a query's are, it looks at every document.
    unknown_terms
        What a term beyond the index's is in a query: an ``"error"``, or nothing to any document, ``"ignore"``.
    after
        Hits, or their `cursor`: those of the page before, to go on from. No document comes twice. Engines that are
        exact go on where one longer search would; others look as deep as that, and what they find better than a page
        before had comes on this one.
    """

    shape: tuple[int, int] | None
    threads: SupportsIndex
    progress: Progress | None
    allowed: Allowed | None
    exclude: Allowed | None
    min_score: SupportsFloat | None
    fill: bool
    exact: bool
    unknown_terms: UnknownTerms
    after: Hits | npt.ArrayLike | None


# What the options of all engines are where they are not given.
DEFAULTS: dict[str, object] = {
    "shape": None,
    "threads": 0,
    "progress": None,
    "weights": "float",
    "scratch": None,
    "words": None,
    "names": None,
    "allowed": None,
    "exclude": None,
    "min_score": None,
    "fill": False,
    "exact": False,
    "unknown_terms": "error",
    "after": None,
}


def require_known(given: Iterable[str], options: type, call: str) -> None:
    """Raise TypeError, with the options that there are, for a name that is not one that a TypedDict states."""
    known = options.__annotations__
    for name in given:
        if name not in known:
            raise TypeError(f"{call} has no option {name!r}; it has {', '.join(known)}")
