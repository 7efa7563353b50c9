"""The door of a collection: documents that change, in a folder."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsFloat

from thresher._arguments import as_flag, as_number, as_progress
from thresher._core import FormatError
from thresher.collection.backups import restore
from thresher.collection.catalogue import Catalogue
from thresher.collection.documents import as_ids, check_ordered
from thresher.collection.files import READERS, SEGMENTS, ReaderMark, new_folder
from thresher.collection.filters import check_fields
from thresher.collection.fresh import is_fresh
from thresher.collection.loading import loaded
from thresher.collection.maintenance import Maintenance, make_room
from thresher.collection.migrating import migrate
from thresher.collection.operations import Operations, Texts, Vectors
from thresher.collection.reading import Readable
from thresher.collection.schema import as_schema
from thresher.collection.store import Store
from thresher.collection.tending import Tended
from thresher.collection.texts import listed, without
from thresher.collection.upkeep import as_upkeep
from thresher.collection.weighing import SLIGHT, is_due, reweighings
from thresher.collection.writer import Writer

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.catalogue import Durability, Id
    from thresher.collection.filters import Kind, Where
    from thresher.collection.upkeep import Upkeep
    from thresher.collection.view import View
    from thresher.encoders import Encoder
    from thresher.engines.options import Progress

_log = logging.getLogger("thresher.collection")

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

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse: a snapshot lives as long as its process holds it."""
        raise TypeError("a snapshot can't be pickled: pickle the collection, which is opened where it is unpickled")

    def close(self) -> None:
        """Let go of what it holds; idempotent."""
        self._held = None


class Collection(Tended):
    """Documents that change: vectors under ids, with payloads to filter by, in a folder.

    `create` makes one, `open` opens it. One process at a time opens it for writing, any number for reading. What an
    operation stored is on the disk when it returns.
    """

    def __init__(
        self, store: Store, writer: Writer | None, view: View | None = None, *, background: bool = True
    ) -> None:
        """Wrap what is open; callers use `create` or `open`."""
        self._store = store
        self._writer = writer
        self._maintenance: Maintenance | None = None
        self._auto_refresh: float | None = None
        self._refreshed = time.monotonic()
        self._refreshing = threading.Lock()
        self._is_child = False
        _open.add(self)
        self._is_open = True
        # The view of a reader. What a writer sees is in its `Writer`: held here too, it would keep what is out of date.
        self._read = view if writer is None else None
        if writer is not None and background:
            self._maintenance = Maintenance(writer)
            self._maintenance.notify_tuner()

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
        engine: str | None = None,
        weights: Literal["float", "uint8+float"] = "float",
        durability: Durability = "full",
        upkeep: Upkeep | None = None,
        background: bool = True,
        encoder: Encoder | None = None,
        keep_texts: bool = True,
        **params: Any,  # noqa: ANN401 - the engine's
    ) -> Self:
        """Make an empty collection, and open it for writing.

        Parameters
        ----------
        path
            A folder that is not there, or empty. It appears whole or not at all.
        n_terms
            Terms that a vector may have, each in [0, n_terms); None for as many as come.
        fields
            The kinds of the fields that filters, order and boosts are to be fast by: ``"keyword"``, ``"keywords"`` for
            lists, ``"int"``, ``"float"``, ``"bool"`` or ``"datetime"``. Payloads may have any others beside.
        vectors
            The vectors of a document, where it has several: options of each by name, in the place of those here. The
            first is the default.
        words
            Whether terms are words, which the collection numbers: vectors are dicts ``{word: weight}`` then.
        signed
            Whether weights may be negative.
        engine
            The engine of large segments, one of `thresher.engines()`; small ones are exact. None is ``"clustered"``;
            of an encoder whose vocabulary grows, such as BM25, ``"postings"``.
        weights
            What segments keep of the weights beside each other, as in `thresher.Index.build`: scores and vectors are
            those that were given in both cases.
        durability
            ``"full"``: an operation is on the disk when it returns. ``"normal"``: it survives the process, but a power
            cut may take the last ones, each whole.
        upkeep
            When segments are built and tuned, which the collection keeps; None for the library's thresholds.
        background
            As in `open`.
        encoder
            What makes vectors of texts, of documents and of queries: see `thresher.encoders`. The collection keeps what
            it can be made of again.
        keep_texts
            Whether documents keep the texts that they are made of.
        **params
            Parameters of the engine's `build`.

        Returns
        -------
        Collection
            Open for writing; to be closed, or used in a ``with`` block.

        Raises
        ------
        FileExistsError
            If there is something at `path`.
        TypeError, ValueError
            For an option that there is not, or out of range.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("papers", fields={"year": "int"}) as papers:
        ...     _ = papers.upsert(["a", "b"], [{0: 1.0}, {0: 2.0, 7: 1.0}], [{"year": 2019}, {"year": 2024}])
        ...     papers
        <Collection papers: 2 documents in 1 segments>
        """
        if durability not in ("full", "normal"):
            raise ValueError(f"durability must be 'full' or 'normal', got {durability!r}")
        kept, builds = as_upkeep(upkeep), as_flag(background, "background")
        common = {
            "n_terms": n_terms,
            "words": words,
            "signed": signed,
            "engine": engine,
            "weights": weights,
            "params": params or None,
            "encoder": encoder,
        }
        schema = as_schema(vectors, common)
        declared = check_fields(fields)
        folder = Path(path)
        with new_folder(folder) as unfinished:
            (unfinished / SEGMENTS).mkdir()
            (unfinished / READERS).mkdir()
            catalogue = Catalogue(unfinished, durability="full")
            try:
                texts = {} if as_flag(keep_texts, "keep_texts") else {"keep_texts": 0}
                catalogue.create_tables(
                    {"schema": schema.to_json(), "durability": durability, "upkeep": kept.to_json(), **texts}
                )
                with catalogue.transaction():
                    for name, kind in declared.items():
                        catalogue.set_field(name, kind)
            finally:
                catalogue.close()
        own = {
            name: (vectors or {}).get(name) or {} for name, made in schema.vectors.items() if made.encoder is not None
        }
        encoders = {name: options.get("encoder", encoder) for name, options in own.items()}
        return cls.open(folder, "rw", background=builds, encoder=encoders)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        mode: Mode = "r",
        *,
        auto_refresh: SupportsFloat | None = None,
        upkeep: Upkeep | None = None,
        background: bool = True,
        encoder: Encoder | Mapping[str, Encoder] | None = None,
    ) -> Self:
        """Open a collection.

        One that is open survives a fork: a child reads on from the version that it has, and can `refresh`, but does
        not write. Pickled, it is its path, and opened for reading where it is unpickled.

        Parameters
        ----------
        path
            The folder.
        mode
            ``"r"`` to read, in any number of processes; ``"rw"`` to write as well, in one.
        auto_refresh
            Of a reader: seconds after which the next call looks whether a writer has stored something since, and
            then sees it, as `refresh` does. 0 looks in each call; None never.
        upkeep
            When segments are built and tuned while it is open, in the place of what the collection keeps.
        background
            Of a writer: whether threads of its own build segments and tune them. Without, `flush` and `optimize` build
            them, and an operation that finds three times as many documents waiting as `Upkeep.flush_docs`.
        encoder
            The encoder that the collection was created with, or each vector's by name. None makes it of what the
            collection keeps of it, when a text first comes; some encoders can't be made so, and must be given.

        Returns
        -------
        Collection
            To be closed, or used in a ``with`` block.

        Raises
        ------
        FileNotFoundError
            If there is no collection.
        thresher.collection.LockedError
            If another has it open for writing, with its process and host.
        thresher.FormatError
            If a file is damaged, or of a newer version.
        ValueError
            If the encoder is another than the collection's: its vectors could not be compared with those there are.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("shared") as writer, Collection.open("shared", auto_refresh=0) as reader:
        ...     _ = writer.upsert(["a"], [{0: 1.0}])
        ...     print(len(reader))
        1
        """
        if mode not in ("r", "rw"):
            raise ValueError(f"mode must be 'r' or 'rw', got {mode!r}")
        seconds = None if auto_refresh is None else as_number(auto_refresh, "auto_refresh")
        if seconds is not None and not seconds >= 0:
            raise ValueError(f"auto_refresh must be >= 0 seconds, got {auto_refresh}")
        if seconds is not None and mode == "rw":
            raise ValueError("auto_refresh goes with mode='r': a writer sees what it stores")
        builds = as_flag(background, "background")
        if mode == "rw":
            migrate(Path(path))
        store = Store(Path(path), None if upkeep is None else as_upkeep(upkeep))
        if encoder is not None:
            try:
                store.encoders.give(encoder)
            except BaseException:
                store.close()
                raise
        if mode == "rw":
            writer = Writer(store)
            try:
                return cls(store, writer, writer.view, background=builds)
            except BaseException:
                writer.close()
                raise
        opened = cls(store, None, _marked(store, None))
        opened._auto_refresh = seconds
        return opened

    def _view(self) -> View:
        if not self._is_open:
            raise ValueError("the collection is closed")
        if self._writer is not None:
            return self._writer.view
        read = self._read
        if read is None:
            raise ValueError("the collection is closed")
        if self._auto_refresh is not None and time.monotonic() - self._refreshed >= self._auto_refresh:
            read = self._read = self._refreshed_view(read)
        return read

    def _refreshed_view(self, before: View) -> View:
        """Return the present view, which is the one before if nothing was stored since."""
        with self._refreshing:  # of several threads one looks
            now = self._read if self._read is not None else before
            with self._store.reading() as catalogue:
                is_same = int(catalogue.meta("version")) == now.version
            if not is_same:
                now = _marked(self._store, now)
            self._refreshed = time.monotonic()
        return now

    # ---------------------------------------------------------------------------------------------- operations

    def upsert(
        self,
        ids: Sequence[Id] | npt.NDArray[Any],
        vectors: Vectors | None = None,
        payloads: Sequence[Mapping[str, Any] | None] | None = None,
        *,
        texts: Texts | None = None,
        if_absent: bool = False,
        if_version: int | Sequence[int] | None = None,
        duplicates: Literal["last", "error"] = "last",
        progress: Progress | None = None,
    ) -> int:
        """Store documents, in the place of those of the same ids: all of them, or none if it raises.

        They are on the disk when it returns, and found by searches that begin then.

        Parameters
        ----------
        ids
            Strings of up to 512 bytes of UTF-8, or whole numbers of 64 bits; one kind in a collection.
        vectors
            A row for each id, in any form that `thresher.Index.build` takes, without NaN, infinite or (unless the
            collection is signed) negative weights. A dict of these by name, where documents have several vectors. None
            where the collection's encoder makes them of `texts`.
        payloads
            A dict of JSON values for each id, or None; datetimes and numpy's numbers are taken too.
        texts
            The text of each, which the collection keeps; what vectors are not given are made of them, before others
            have to wait. A dict of such by the name of the vector, where documents have several: the first one's is
            kept. None without.
        if_absent
            Leave documents that are there as they are.
        if_version
            The version that each must be in (`Document.version`), 0 if it must not be there; one for all, or a list.
        duplicates
            What it is that an id comes twice: the ``"last"`` counts, or an ``"error"``.
        progress
            Called now and then as ``progress(done, n_texts)`` while texts are encoded; what it raises ends it, and
            nothing is stored.

        Returns
        -------
        int
            How many documents were stored.

        Raises
        ------
        thresher.collection.ConflictError
            If a document is not in the version that `if_version` says; it has the ids.
        TypeError, ValueError
            Naming the argument, the row and the value that is wrong.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("notes") as notes:
        ...     print(notes.upsert(["a", "b"], [{0: 1.0}, {1: 2.0}]))
        ...     print(notes.upsert(["b", "c"], [{1: 5.0}, {1: 3.0}], [{"new": True}, None]))
        ...     print(notes.search_one({1: 1.0}, k=2).to_dicts())
        2
        2
        [{'id': 'b', 'score': 5.0, 'payload': {'new': True}}, {'id': 'c', 'score': 3.0, 'payload': {}}]
        """
        if texts is not None:
            self._writing()
            check_ordered(ids, "ids")
            ids, _ = as_ids(ids, None)
            texts, payloads = listed(texts), listed(payloads)
            if if_absent and vectors is None and if_version is None:
                known = self._store.named(ids, self._view())
                ids, texts, payloads = without(known, ids, texts, payloads)
            vectors = self._store.encoders.of_documents(vectors, texts, len(ids), as_progress(progress))
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
        """Delete documents: by id, those that meet a filter, or all of them.

        Parameters
        ----------
        ids
            Their ids; those that are not there count nothing.
        where
            A filter.
        all
            Whether all are meant.

        Returns
        -------
        int
            How many documents there were.

        Raises
        ------
        TypeError
            Unless exactly one of the three is given.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("old", fields={"year": "int"}) as old:
        ...     _ = old.upsert([1, 2, 3], [{0: 1.0}] * 3, [{"year": 1990}, {"year": 2000}, {"year": 2010}])
        ...     print(old.delete([1, 77]), old.delete(where={"year": {"$gt": 2005}}), len(old))
        1 1 1
        """
        with self.batch() as batch:
            return batch.delete(ids, where=where, all=all)

    def update_payload(
        self, ids: Sequence[Id] | npt.NDArray[Any], payload: Mapping[str, Any], *, replace: bool = False
    ) -> int:
        """Change fields of documents' payloads; their vectors, and their places among ties, stay.

        Parameters
        ----------
        ids
            Their ids; those that are not there count nothing.
        payload
            Fields with their new values; None takes a field away.
        replace
            Whether this is all of the payload, and other fields go.

        Returns
        -------
        int
            How many documents there were.

        Raises
        ------
        TypeError, ValueError
            If the payload is none, or a declared field would be of another kind.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("shop") as shop:
        ...     _ = shop.upsert(["a"], [{0: 1.0}], [{"price": 3, "sold": 1}])
        ...     _ = shop.update_payload(["a"], {"price": 4, "sold": None})
        ...     print(shop.get(["a"])[0].payload)
        {'price': 4}
        """
        with self.batch() as batch:
            return batch.update_payload(ids, payload, replace=replace)

    async def aupsert(
        self,
        ids: Sequence[Id] | npt.NDArray[Any],
        vectors: Vectors | None = None,
        payloads: Sequence[Mapping[str, Any] | None] | None = None,
        **options: Any,  # noqa: ANN401 - those of upsert
    ) -> int:
        """Store documents as `upsert` does, from another thread, so that the event loop goes on.

        Cancelled, it is stored all the same if it has begun.

        Parameters
        ----------
        ids, vectors, payloads, **options
            As in `upsert`.

        Returns
        -------
        int
            As `upsert`.
        """
        from thresher.collection.asynchronous import waited  # noqa: PLC0415 - asyncio is not for everyone

        return await waited(self.upsert, ids, vectors, payloads, **options)

    async def adelete(
        self,
        ids: Sequence[Id] | npt.NDArray[Any] | None = None,
        *,
        where: Where | None = None,
        all: bool = False,  # noqa: A002 - what it is called
    ) -> int:
        """Delete documents as `delete` does, from another thread, so that the event loop goes on.

        Cancelled, they are deleted all the same if it has begun.

        Parameters
        ----------
        ids, where, all
            As in `delete`.

        Returns
        -------
        int
            How many documents there were.
        """
        from thresher.collection.asynchronous import waited  # noqa: PLC0415 - asyncio is not for everyone

        return await waited(self.delete, ids, where=where, all=all)

    @contextlib.contextmanager
    def batch(self) -> Iterator[Operations]:
        """Do several operations in one transaction: all of them, when the block ends, or none, if it raises.

        Yields
        ------
        Operations
            With `upsert`, `delete` and `update_payload`, as here. They see what those before them did; searches see
            nothing of it before the block has ended.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("moves") as moves:
        ...     _ = moves.upsert(["old"], [{0: 1.0}])
        ...     with moves.batch() as batch:
        ...         _ = batch.delete(["old"])
        ...         _ = batch.upsert(["new"], [{0: 1.0}])
        ...     print("old" in moves, "new" in moves)
        False True
        """
        writer = self._writing()
        make_room(writer)
        with writer.transaction() as transaction:
            yield Operations(self._store, transaction)
        if is_due(writer.view):
            self._reweigh(writer)
        if self._maintenance is not None:
            self._maintenance.notify()

    def _reweigh(self, writer: Writer) -> None:
        """Weigh a small collection's documents by their present mean length; what was stored is stored in any case."""
        try:
            writer.reweigh(lambda view: reweighings(view, self._store, more_than=SLIGHT) if is_due(view) else {})
        except (OSError, FormatError) as error:
            _log.warning("%s: documents could not be weighed anew, which optimize does too: %s", self.path, error)

    def _writing(self) -> Writer:
        self._view()
        if self._is_child:
            raise ValueError("a collection that was opened for writing is read-only in a forked process")
        if self._writer is None:
            raise ValueError("the collection is open for reading: open it with mode='rw'")
        return self._writer

    # ----------------------------------------------------------------------------------------------- versions

    def snapshot(self) -> Snapshot:
        """Return what is there now, to be read and searched whatever becomes of it.

        Returns
        -------
        Snapshot
            To be closed, or used in a ``with`` block: what it shows is kept as long.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("past") as past:
        ...     _ = past.upsert(["a"], [{0: 1.0}])
        ...     with past.snapshot() as before:
        ...         _ = past.delete(["a"])
        ...         print(len(past), before.search_one({0: 1.0}, k=1).ids)
        0 ['a']
        """
        return Snapshot(self._store, self._view())

    def refresh(self) -> bool:
        """See what a writer has stored since the collection was opened for reading, or refreshed.

        Searches that are under way, and snapshots, stay with what they began with.

        Returns
        -------
        bool
            Whether there was something new. Of a collection that is open for writing False: it sees what it stores.

        Raises
        ------
        thresher.FormatError, OSError
            If a file is damaged or missing; the collection then shows what it did.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("fresh") as writer, Collection.open("fresh") as reader:
        ...     _ = writer.upsert(["a"], [{0: 1.0}])
        ...     print(len(reader), reader.refresh(), len(reader), reader.refresh())
        0 True 1 False
        """
        if self._writer is not None or self._read is None:
            self._view()
            return False
        before = self._read
        self._read = self._refreshed_view(before)
        return self._read is not before

    def flush(self) -> None:
        """Put all documents that wait in the log into a segment: it is done when this returns.

        Nothing needs it: waiting documents are safe and are searched, and many of them are put into a segment by
        themselves. Opening takes less time afterwards.

        Raises
        ------
        OSError
            If there is no room on the disk; nothing has changed then.
        """
        writer = self._writing()
        writer.rebuild(lambda view: [part for part in view.parts if is_fresh(part)])
        writer.forget_batches()
        if self._maintenance is not None:
            self._maintenance.notify_tuner()

    def optimize(self, *, threads: int = 0, progress: Progress | None = None) -> None:
        """Merge all segments into one, without what is dead, and give its space back: done when this returns.

        Other threads read, search and write meanwhile. Where documents are weighed by their mean length (BM25), and it
        is another by now, all are weighed anew, and writers wait.

        Parameters
        ----------
        threads
            Threads to build with; 0 means one for each core.
        progress
            Called now and then as ``progress(done, n_docs)``; what it raises ends it, and leaves all as it was.

        Raises
        ------
        OSError
            If there is no room on the disk; nothing has changed then.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> with Collection.create("tidy") as tidy:
        ...     _ = tidy.upsert([1, 2, 3], [{0: 1.0}] * 3)
        ...     _ = tidy.delete([2])
        ...     tidy.optimize()
        ...     print(tidy)
        <Collection tidy: 2 documents in 1 segments>
        """
        writer = self._writing()
        if not writer.reweigh(lambda view: reweighings(view, self._store), threads=threads, progress=progress):
            writer.rebuild(lambda view: view.parts, threads=threads, progress=progress)
        writer.forget_batches()
        writer.compact()
        if self._maintenance is not None:
            self._maintenance.notify_tuner()

    @classmethod
    def restore(cls, backup: str | os.PathLike[str], path: str | os.PathLike[str], *, mode: Mode = "rw") -> Self:
        """Make a collection of a backup, which is checked first, and open it. Nothing is shared with the backup.

        Raises
        ------
        thresher.FormatError
            If the backup is damaged.
        FileExistsError
            If something is at `path`.
        """
        restore(Path(backup), Path(path))
        return cls.open(path, mode)

    def close(self) -> None:
        """Finish what is being built, and let another process write; idempotent."""
        if not self._is_open:
            return
        if self._writer is not None:
            self._writer.check_free()
        if self._maintenance is not None:
            self._maintenance.close()
        self._is_open, self._read = False, None
        try:
            self._store.close()
        finally:
            if self._writer is not None:
                self._writer.close()

    def _become_reader(self) -> None:
        """Go on in a forked process: the lock is the parent's, and so is the thread that builds segments."""
        self._refreshing = threading.Lock()
        if self._writer is not None:
            self._read = self._writer.view if self._is_open else None
            self._writer.close()
            _inherited.append((self._writer, self._maintenance))
            self._writer, self._maintenance, self._is_child = None, None, True

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle it as its path; it is opened for reading where it is unpickled."""
        self._view()
        return _unpickled, (type(self), str(self.path), self._auto_refresh)

    def __repr__(self) -> str:
        """Describe the collection in one line."""
        if not self._is_open:
            return f"<Collection {self._store.called}: closed>"
        view = self._view()
        return f"<Collection {self._store.called}: {len(view):,} documents in {len(view.parts)} segments>"


_open: weakref.WeakSet[Collection] = weakref.WeakSet()
_inherited: list[object] = []  # writers of the parent of a forked process, whose connections the child must not close


def _after_fork() -> None:
    for collection in list(_open):
        collection._become_reader()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_after_fork)


def _unpickled(kind: type[Collection], path: str, auto_refresh: float | None) -> Collection:
    return kind.open(path, auto_refresh=auto_refresh)


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
