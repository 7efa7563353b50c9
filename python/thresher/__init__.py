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

from thresher._block_max import BlockMaxIndex
from thresher._builder import Builder
from thresher._clustered import ClusteredIndex
from thresher._core import FormatError, __version__
from thresher._estimate import Estimate, estimate
from thresher._exact import ExactIndex
from thresher._graph import GraphIndex
from thresher._hits import Hits
from thresher._impact import ImpactIndex
from thresher._index import Index
from thresher._matrix import MatrixLike
from thresher._open import describe, engines, open
from thresher._postings import PostingsIndex
from thresher._tune import Tuned, tune

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
