"""What a library must tell that keeps documents that change, in a folder."""

from __future__ import annotations

import tempfile
import time
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from thresher_bench.engines.base import Engine, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scipy import sparse

    Payloads = Sequence[Mapping[str, Any]]


class Store(Engine):
    """Documents under their numbers, with payloads, stored a batch at a time: each is in the log, and found at once.

    What the library takes as a batch is made before the clock starts.
    """

    BATCH: ClassVar = 1_000
    clock: Callable[[], float] = staticmethod(time.process_time)
    """Counts the CPU seconds of searches: of all threads, unless others of them may be merging."""

    def __init__(self, build: Settings | None = None) -> None:
        super().__init__(build)
        self.temporary = tempfile.TemporaryDirectory(prefix="thresher-")
        self.folder = Path(self.temporary.name, "store")

    def build(self, docs: sparse.csr_matrix) -> None:
        self.create(docs.shape[1])
        for begin in range(0, docs.shape[0], self.BATCH):
            self.upsert(self.batch(begin, docs[begin : begin + self.BATCH]))
        self.optimize()

    @abstractmethod
    def create(self, n_terms: int) -> None:
        """Make an empty one in `folder`."""

    @abstractmethod
    def batch(self, begin: int, docs: sparse.csr_matrix, payloads: Payloads | None = None) -> Any:  # noqa: ANN401
        """Return documents, numbered from `begin` on, as `upsert` takes them."""

    @abstractmethod
    def upsert(self, batch: Any) -> None:  # noqa: ANN401 - as the library has it
        """Store a batch."""

    @abstractmethod
    def optimize(self) -> None:
        """Do all that makes searches fast, and wait for it."""

    def saved_bytes(self) -> int:
        files = self.folder.rglob("*")
        return sum(file.stat().st_blocks * 512 for file in files if file.is_file())  # some are mostly holes

    def close(self) -> None:
        self.temporary.cleanup()
