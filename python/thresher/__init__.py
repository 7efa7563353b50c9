"""Top-k search by inner product over learned sparse vectors.

>>> import scipy.sparse
>>> import thresher
>>> docs = scipy.sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.5]])
>>> index = thresher.ExactIndex.build(docs)
>>> index.search(docs, k=2).ids
array([[0, 1],
       [1, 0]])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from thresher._builder import Builder
from thresher._core import FormatError, Selection, __version__
from thresher._explanation import Explanation
from thresher._hits import AllHits, Hits
from thresher._matrix import MatrixLike
from thresher._open import describe, open
from thresher._pickling import dumps, loads
from thresher._words import Words
from thresher.engines.block_max import BlockMaxIndex
from thresher.engines.clustered import ClusteredIndex
from thresher.engines.exact import ExactIndex
from thresher.engines.graph import GraphIndex
from thresher.engines.impact import ImpactIndex
from thresher.engines.index import Index
from thresher.engines.postings import PostingsIndex

if TYPE_CHECKING:
    from thresher import datasets, evaluation, formats
    from thresher.collection import Collection, F
    from thresher.engines.registry import engines  # when it runs, the package of this name, which can be called
    from thresher.evaluation import evaluate
    from thresher.tuning.estimate import Estimate, estimate
    from thresher.tuning.tune import Tuned, tune

__all__ = [
    "AllHits",
    "BlockMaxIndex",
    "Builder",
    "ClusteredIndex",
    "Collection",
    "Estimate",
    "ExactIndex",
    "Explanation",
    "F",
    "FormatError",
    "GraphIndex",
    "Hits",
    "ImpactIndex",
    "Index",
    "MatrixLike",
    "PostingsIndex",
    "Selection",
    "Tuned",
    "Words",
    "__version__",
    "datasets",
    "describe",
    "dumps",
    "engines",
    "estimate",
    "evaluate",
    "evaluation",
    "formats",
    "loads",
    "open",
    "tune",
]

# Imported when they are first used: the module, and the name in it or "" for the module itself.
_LATER = {
    "Collection": ("thresher.collection", "Collection"),
    "Estimate": ("thresher.tuning.estimate", "Estimate"),
    "F": ("thresher.collection", "F"),
    "Tuned": ("thresher.tuning.tune", "Tuned"),
    "datasets": ("thresher.datasets", ""),
    "estimate": ("thresher.tuning.estimate", "estimate"),
    "evaluate": ("thresher.evaluation", "evaluate"),
    "evaluation": ("thresher.evaluation", ""),
    "formats": ("thresher.formats", ""),
    "tune": ("thresher.tuning.tune", "tune"),
}


def __getattr__(name: str) -> object:
    """Import what is imported when it is first used."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, inside = _LATER[name]
    found = importlib.import_module(module)
    globals()[name] = value = getattr(found, inside) if inside else found
    return value


def __dir__() -> list[str]:
    """List what there is, imported yet or not."""
    return sorted({*globals(), *_LATER})
