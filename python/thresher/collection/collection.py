"""The door of a collection: documents that change, in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from thresher.collection.catalogue import Catalogue
from thresher.collection.files import READERS, SEGMENTS, ReaderMark, new_folder
from thresher.collection.filters import check_fields
from thresher.collection.fresh import is_fresh
from thresher.collection.loading import loaded
from thresher.collection.maintenance import Maintenance
from thresher.collection.operations import Operations, Vectors
from thresher.collection.reading import Readable
from thresher.collection.schema import as_schema
from thresher.collection.store import Store
from thresher.collection.writer import Writer

if TYPE_CHECKING:
    from types import TracebackType

    import numpy.typing as npt

    from thresher.collection.catalogue import Durability, Id
    from thresher.collection.filters import Kind, Where
    from thresher.collection.view import View
    from thresher.engines.options import Progress

Mode = Literal["r", "rw"]


class Snapshot(Readable):
    """A version of a collection: what was there when it was taken, as long as it is open.

    Segments, payloads and ids stay readable whatever is written, merged or deleted meanwhile.
    """

    def __init__(self, store: Store, view: View) -> None:
        """Hold a view; `Collection.snapshot` makes one."""
        self._store = store
        self._held: View | None = view

    @property
    def version(self) -> int:
        """The number of the operation after which this was there."""
        return self._view().version

    def _view(self) -> View:
        if self._held is None:
            raise ValueError("the snapshot is closed")
        return self._held

    def close(self) -> None:
        """Let go of what it holds; idempotent."""
        self._held = None

    def __enter__(self) -> Self:
        """Return the snapshot, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class Collection(Readable):
    """Documents that change: vectors under ids, with payloads to filter by, in a folder.

    `create` makes one, `open` opens it. One process at a time opens it for writing, any number for reading. What an
    operation stored is on the disk when it returns.
    """

    def __init__(self, store: Store, writer: Writer | None, view: View | None = None) -> None:
        """Wrap what is open; callers use `create` or `open`."""
        self._store = store
        self._writer = writer
        self._maintenance = None if writer is None else Maintenance(writer)
        self._is_open = True
        self._read = view  # who writes has new views, and must not keep old ones

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        n_terms: int | None = None,
        fields: Mapping[str, Kind] | None = None,
        vectors: Mapping[str, Mapping[str, Any]] | None = None,
        words: bool = False,
        signed: bool = False,
        engine: str = "clustered",
        weights: Literal["float", "uint8+float"] = "float",
        durability: Durability = "full",
        **params: Any,  # noqa: ANN401 - the engine's
    ) -> Self:
        """Make an empty collection, and open it for writing."""
        if durability not in ("full", "normal"):
            raise ValueError(f"durability must be 'full' or 'normal', got {durability!r}")
        common = {
            "n_terms": n_terms,
            "words": words,
            "signed": signed,
            "engine": engine,
            "weights": weights,
            "params": params or None,
        }
        schema = as_schema(vectors, common)
        declared = check_fields(fields)
        folder = Path(path)
        with new_folder(folder) as unfinished:
            (unfinished / SEGMENTS).mkdir()
            (unfinished / READERS).mkdir()
            catalogue = Catalogue(unfinished, durability="full")
            try:
                catalogue.create_tables({"schema": schema.to_json(), "durability": durability})
                with catalogue.transaction():
                    for name, kind in declared.items():
                        catalogue.set_field(name, kind)
            finally:
                catalogue.close()
        return cls.open(folder, mode="rw")

    @classmethod
    def open(cls, path: str | os.PathLike[str], mode: Mode = "r") -> Self:
        """Open a collection."""
        if mode not in ("r", "rw"):
            raise ValueError(f"mode must be 'r' or 'rw', got {mode!r}")
        store = Store(Path(path))
        if mode == "rw":
            writer = Writer(store)
            return cls(store, writer)
        return cls(store, None, _marked(store, None))

    @property
    def path(self) -> Path:
        """The folder."""
        return self._store.folder

    @property
    def fields(self) -> dict[str, Kind]:
        """The kinds of the declared fields, by name."""
        return dict(self._view().fields)

    def _view(self) -> View:
        view = self._read if self._writer is None else self._writer.view
        if not self._is_open or view is None:
            raise ValueError("the collection is closed")
        return view

    # ---------------------------------------------------------------------------------------------- operations

    def upsert(
        self,
        ids: Sequence[Id] | npt.NDArray[Any],
        vectors: Vectors,
        payloads: Sequence[Mapping[str, Any] | None] | None = None,
        *,
        texts: Sequence[str | None] | None = None,
        if_absent: bool = False,
        if_version: int | Sequence[int] | None = None,
        duplicates: Literal["last", "error"] = "last",
    ) -> int:
        """Store documents, in the place of those of the same ids."""
        with self.batch() as batch:
            return batch.upsert(
                ids,
                vectors,
                payloads,
                texts=texts,
                if_absent=if_absent,
                if_version=if_version,
                duplicates=duplicates,
            )

    def delete(
        self,
        ids: Sequence[Id] | npt.NDArray[Any] | None = None,
        *,
        where: Where | None = None,
        all: bool = False,  # noqa: A002 - what it is called
    ) -> int:
        """Delete documents, by id, those that meet a filter, or all; return how many there were."""
        with self.batch() as batch:
            return batch.delete(ids, where=where, all=all)

    def update_payload(
        self, ids: Sequence[Id] | npt.NDArray[Any], payload: Mapping[str, Any], *, replace: bool = False
    ) -> int:
        """Change fields of documents' payloads; return how many documents there were."""
        with self.batch() as batch:
            return batch.update_payload(ids, payload, replace=replace)

    @contextlib.contextmanager
    def batch(self) -> Iterator[Operations]:
        """Do several operations in one transaction: all of them, when the block ends, or none, if it raises."""
        writer = self._writing()
        with writer.transaction() as transaction:
            yield Operations(self._store.schema, transaction)
        if self._maintenance is not None:
            self._maintenance.notify()

    def _writing(self) -> Writer:
        self._view()
        if self._writer is None:
            raise ValueError("the collection is open for reading: open it with mode='rw'")
        return self._writer

    # ----------------------------------------------------------------------------------------------- versions

    def snapshot(self) -> Snapshot:
        """Return what is there now, to be read and searched whatever becomes of it."""
        return Snapshot(self._store, self._view())

    def refresh(self) -> bool:
        """See what a writer has stored since the collection was opened for reading; return whether there was any."""
        before = self._view()
        if self._writer is None:
            self._read = _marked(self._store, before)
        return self._view() is not before

    def flush(self) -> None:
        """Put all documents that wait in the log into a segment."""
        writer = self._writing()
        writer.rebuild(lambda view: [part for part in view.parts if is_fresh(part)])
        writer.forget_dead()

    def optimize(self, *, threads: int = 0, progress: Progress | None = None) -> None:
        """Merge all segments into one, without what is dead, and give its space back."""
        writer = self._writing()
        writer.rebuild(lambda view: view.parts, threads=threads, progress=progress)
        writer.forget_dead()
        writer.compact()

    def close(self) -> None:
        """Finish what is being built, and let another process write; idempotent."""
        if not self._is_open:
            return
        if self._writer is not None:
            self._writer.refuse_in_batch()
        if self._maintenance is not None:
            self._maintenance.close()
        self._is_open, self._read = False, None
        self._store.close()
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> Self:
        """Return the collection, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Describe the collection in one line."""
        if not self._is_open:
            return f"<Collection {self.path}: closed>"
        view = self._view()
        return f"<Collection {self.path}: {len(view):,} documents in {len(view.parts)} segments>"


def _marked(store: Store, before: View | None) -> View:
    """Return the present view, marked so that what it shows is kept."""
    with store.reading() as catalogue:
        mark = ReaderMark(store.folder, int(catalogue.meta("version")))
        try:
            view = loaded(catalogue, store.folder, store.schema, before)
        except BaseException:
            mark.release()
            raise
    if view is before:
        mark.release()
        return view
    return store.keep(view, mark)
