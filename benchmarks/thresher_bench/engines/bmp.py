"""BMP, of its authors."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thresher_bench.engines.base import Engine, Settings, as_lists, padded, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class Bmp(Engine):
    """BMP, block-max pruning of its authors: blocks of 16, alpha = beta = 1, one query a call.

    It quantises documents and queries, so that its exact search is of other scores than those of the vectors given.
    """

    name = "bmp"
    distribution = "bmp"
    BUILD: ClassVar[Settings] = {"bsize": 16, "compress_range": False}
    SEARCH: ClassVar[Settings] = {"alpha": 1.0, "beta": 1.0}
    # Not 100, as its own retriever takes: scores of 126 terms a document and 45 a query then seem to leave the
    # 16 bits that it keeps them in. At 100,000 documents recall was 0.93 with 100 and 0.976 with 50.
    SCALE: ClassVar = 50

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.library: Any = import_module("bmp")
        self.folder = tempfile.TemporaryDirectory(prefix="thresher-bmp-")
        self.searcher: Any = None

    @property
    def path(self) -> str:
        """The index file."""
        return f"{self.folder.name}/index.bmp"

    def build(self, docs: sparse.csr_matrix) -> None:
        indexer = self.library.Indexer(self.path, **self.parameters)
        for row, (terms, weights) in enumerate(vectors(docs)):
            codes = np.maximum(np.rint(weights * self.SCALE), 1).astype(int).tolist()
            indexer.add_document(str(row), dict(zip(map(str, terms.tolist()), codes, strict=True)))
        indexer.finish()
        self.searcher = self.library.Searcher(self.path)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        pairs = (as_lists(vector) for vector in vectors(queries))
        wanted = (dict(zip(map(str, terms), weights, strict=True)) for terms, weights in pairs)
        alpha, beta = self.search["alpha"], self.search["beta"]
        return [partial(self.searcher.search, query, k, alpha, beta) for query in wanted]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([[int(doc) for doc in found[0]] for found in answers], k)

    def saved_bytes(self) -> int:
        return Path(self.path).stat().st_size

    def close(self) -> None:
        self.folder.cleanup()
