"""thresher's engines, a batch a call: any class of `thresher.engines()`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import thresher
from thresher_bench.engines.base import Engine, OneACall, Saved, padded, vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from scipy import sparse


class Thresher(Saved):
    """An engine of thresher: its defaults, or with the parameters given."""

    distribution = "thresher"
    index: thresher.Index
    kind: ClassVar[Any]
    """The engine's class."""

    @classmethod
    def version(cls) -> str:
        return thresher.__version__

    def build(self, docs: sparse.csr_matrix) -> None:
        self.index = self.kind.build(docs, **self.parameters)

    def calls(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [partial(self.index.search, queries, k, threads=1, **self.search)]

    def one_a_call(self, queries: sparse.csr_matrix, k: int) -> list[Callable[[], Any]]:
        return [
            partial(self.index.search_one, terms.astype(np.uint32), weights, k, **self.search)
            for terms, weights in vectors(queries)
        ]

    def ids(self, answers: list[Any], k: int) -> npt.NDArray[np.int64]:
        return padded([row for hits in answers for row in np.atleast_2d(hits.ids)], k)

    def others(self) -> list[Engine]:
        return [OneACall(engine) for engine in (self, *map(self.by, self.ways()))]

    def ways(self) -> list[dict[str, Any]]:
        """Return settings that stand side by side, such as the names of algorithms, without the index's own."""
        usual = self.index.search_params.items()
        dials = type(self.index).dials(self.index.n_docs, 10)
        return [dial.fixed for dial in dials if dial.name is None and not dial.fixed.items() <= usual]

    def by(self, setting: dict[str, Any]) -> Thresher:
        """Return the same index, searched by a setting, and named after it."""
        other = self.searching(setting)
        other.name = " ".join([self.name, *map(str, setting.values())])
        return other

    def index_bytes(self) -> int:
        return sum(self.index.nbytes.values())


def wrapping(index: type[thresher.Index]) -> type[Thresher]:
    """Return an engine of thresher as one of the libraries."""

    class Wrapped(Thresher):
        name = index.engine
        kind = index

    return Wrapped
