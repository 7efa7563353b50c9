"""The engines of this library: the one list of them in Python."""

from __future__ import annotations

from thresher.engines.block_max import BlockMaxIndex
from thresher.engines.clustered import ClusteredIndex
from thresher.engines.exact import ExactIndex
from thresher.engines.graph import GraphIndex
from thresher.engines.impact import ImpactIndex
from thresher.engines.index import Index
from thresher.engines.postings import PostingsIndex

_ENGINES: dict[str, type[Index]] = {
    engine.engine: engine
    for engine in (ExactIndex, BlockMaxIndex, ClusteredIndex, GraphIndex, ImpactIndex, PostingsIndex)
}


def engines() -> dict[str, type[Index]]:
    """Return the engines of this library: their names, as in index files, and their classes.

    Examples
    --------
    >>> import thresher
    >>> thresher.engines()["exact"]
    <class 'thresher.engines.exact.ExactIndex'>
    """
    return dict(_ENGINES)
