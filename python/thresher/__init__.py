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

from thresher._builder import Builder
from thresher._core import FormatError, __version__
from thresher._hits import Hits
from thresher._matrix import MatrixLike
from thresher._open import describe, open
from thresher.engines.block_max import BlockMaxIndex
from thresher.engines.clustered import ClusteredIndex
from thresher.engines.exact import ExactIndex
from thresher.engines.graph import GraphIndex
from thresher.engines.impact import ImpactIndex
from thresher.engines.index import Index
from thresher.engines.postings import PostingsIndex
from thresher.engines.registry import engines
from thresher.tuning.estimate import Estimate, estimate
from thresher.tuning.tune import Tuned, tune

__all__ = [
    "BlockMaxIndex",
    "Builder",
    "ClusteredIndex",
    "Estimate",
    "ExactIndex",
    "FormatError",
    "GraphIndex",
    "Hits",
    "ImpactIndex",
    "Index",
    "MatrixLike",
    "PostingsIndex",
    "Tuned",
    "__version__",
    "describe",
    "engines",
    "estimate",
    "open",
    "tune",
]
