"""The one writer of a collection: transactions, and the segments that are made of what they bring.

A segment is built beside, from a view that does not change, while operations go on; its files reach the disk; then one
short transaction names it, and what died meanwhile is taken off it. Nothing is removed before that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from thresher.collection.catalogue import Catalogue
from thresher.collection.files import SEGMENTS, WriterLock, remove
from thresher.collection.fresh import compacted, is_fresh
from thresher.collection.loading import loaded, seen, stored_payloads, with_updates
from thresher.collection.merging import merged, saved
from thresher.collection.segment import Part, Segment, files_of
from thresher.collection.transaction import Transaction
from thresher.collection.tuning import keep

if TYPE_CHECKING:
    from thresher.collection.store import Store
    from thresher.collection.tuning import Tunings
    from thresher.collection.upkeep import Upkeep
    from thresher.collection.view import View
    from thresher.collection.weighing import Reweighing
    from thresher.engines.options import Progress

_log = logging.getLogger("thresher.collection")

Changed = TypeVar("Changed")


class Writer:
    """Writes to a collection, from any thread of the process that opened it."""

    def __init__(self, store: Store) -> None:
        """Take the collection's lock, and sweep away what nobody names.

        Raises
        ------
        thresher.collection.LockedError
            If another writer has it.
        OSError
            If the folder can't be written to.
        """
        self._store = store
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._building = threading.RLock()
        self._in_batch = 0  # the thread whose operations are under way
        self._is_reweighing = False
        self._in_work: frozenset[int] = frozenset()  # segments that are being rebuilt
        self._n_buried = 0  # states of documents that ended since such were forgotten
        self._file_lock = WriterLock(store.folder)
        try:
            self._catalogue = Catalogue(store.folder, durability=store.durability)
            self.view = store.keep(loaded(self._catalogue, store.folder, store.schema))
            self._sweep()
        except BaseException:
            self._file_lock.release()
            raise

    @property
    def store(self) -> Store:
        """What reads the collection."""
        return self._store

    @property
    def upkeep(self) -> Upkeep:
        """When segments are built."""
        return self._store.schema.upkeep

    def close(self) -> None:
        """Let another write. In a forked child, which can't write, only what the child holds is closed."""
        try:
            if self._pid == os.getpid():
                with self._lock:
                    self._catalogue.close()
        finally:
            self._file_lock.release()

    # ------------------------------------------------------------------------------------------------- operations

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Do operations together: durable, and seen by searches, when the block ends; undone if it raises."""
        self.check_free()
        with self._alone():
            if self._is_reweighing:  # by this thread, which holds the lock: it is in the callback
                raise ValueError("while documents are weighed anew, what is told of it can't write to the collection")
            view = None
            try:
                with self._catalogue.transaction():
                    transaction = Transaction(self._catalogue, self.view, self._store.undeclared)
                    try:
                        self._in_batch = threading.get_ident()
                        yield transaction
                    finally:
                        self._in_batch = 0
                        transaction.is_over = True
                    view = transaction.finish()
            finally:  # an interrupt behind the commit ends the call, but not what it stored
                self._catalogue.settle()
                if view is not None and self._catalogue.meta("version") == view.version:
                    self._publish(view)
            self._n_buried += transaction.n_buried
            self._publish(compacted(view, self._store.schema, self._payloads(view.version), self._in_work))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the right to change the catalogue, whose present view is `self.view`.

        An interrupt may come between a commit and the view that it makes: the catalogue is what counts then.
        """
        self.check_free()
        with self._lock:
            self._file_lock.check()
            self._catalogue.settle()
            if self._catalogue.meta("version") != self.view.version:
                self._publish(loaded(self._catalogue, self._store.folder, self._store.schema, self.view, self._in_work))
            yield

    def check_free(self) -> None:
        """Raise ValueError in a forked process, and within a batch of this thread, which would wait for itself."""
        if self._pid != os.getpid():
            raise ValueError("a collection that was opened for writing is read-only in a forked process")
        if self._in_batch == threading.get_ident():
            raise ValueError("within a batch only its own operations can be done, not those of the collection")

    def _publish(self, view: View) -> None:
        self.view = self._store.keep(view)

    def _payloads(self, version: int) -> Callable[[Any], list[dict[str, Any]]]:
        return lambda seqs: stored_payloads(self._catalogue, seqs, version)

    # --------------------------------------------------------------------------------------------------- segments

    def rebuild(
        self,
        choose: Callable[[View], Sequence[Part]],
        *,
        threads: int = 0,
        progress: Progress | None = None,
        reweighing: Mapping[str, Reweighing] | None = None,
    ) -> bool:
        """Make one segment of neighbouring parts, on the disk.

        Parameters
        ----------
        choose
            Takes the view, and returns the parts; none if there is nothing to do.
        threads
            Threads to build with; 0 means one for each core.
        progress
            Called as in `build`; what it raises ends the build, and leaves all as it was.
        reweighing
            Of vectors whose weights are to go by another mean length. All parts are chosen then, and nothing is
            written meanwhile.

        Returns
        -------
        bool
            Whether there was something to do.
        """
        self.check_free()
        with self._building:
            with self._alone():
                view = self.view
                parts = choose(view)
                if not parts:
                    return False
                number = self.new_file()
                self._in_work = frozenset(id(part.segment) for part in parts)
            started = time.monotonic()
            try:
                built = self._built(view, parts, number, threads=threads, progress=progress, reweighing=reweighing)
                self._replace(parts, built, reweighing)
            except BaseException:
                self._remove_unnamed(number)
                raise
            finally:
                self._in_work = frozenset()
            n = sum(part.n_live for part in parts)
            _log.info("segment %d: %d documents of %d, %.2f s", number, n, len(parts), time.monotonic() - started)
        return True

    def reweigh(
        self, wanted: Callable[[View], Mapping[str, Reweighing]], *, threads: int = 0, progress: Progress | None = None
    ) -> bool:
        """Make one segment of all documents, weighed anew; other threads that write wait for it.

        Parameters
        ----------
        wanted
            Takes the view, and returns for vectors how; none if there is nothing to do.
        threads, progress
            As in `rebuild`.

        Returns
        -------
        bool
            Whether there was something to do.
        """
        self.check_free()
        with self._building, self._alone():
            reweighing = wanted(self.view)
            self._is_reweighing = True
            try:
                return bool(reweighing) and self.rebuild(
                    lambda view: view.parts, threads=threads, progress=progress, reweighing=reweighing
                )
            finally:
                self._is_reweighing = False

    def _built(
        self,
        view: View,
        parts: Sequence[Part],
        number: int,
        **building: Any,  # noqa: ANN401 - how, as `merged` takes it
    ) -> Segment:
        schema = self._store.schema
        made = merged(
            parts,
            schema,
            view.fields,
            version=view.version,
            payloads=lambda seqs: self._store.payloads(seqs, view),
            **building,
        )
        return saved(made, self._store.folder, number, schema) if len(made) else made

    def _replace(
        self, parts: Sequence[Part], made: Segment, reweighing: Mapping[str, Reweighing] | None = None
    ) -> None:
        """Put a segment, which holds what was live in parts, in their place."""
        old = [part.segment for part in parts]
        with self._alone():
            with self._catalogue.transaction():
                now = {id(part.segment): part for part in self.view.parts}
                died = [part.segment.seqs[part.places_gone(now[id(part.segment)])] for part in parts]
                new = with_updates(
                    self._catalogue, Part.whole(made).without(made.places(np.concatenate(died))), self.view.fields
                )
                self._catalogue.replace_segments(
                    [segment.row.first for segment in old if segment.row is not None],
                    [made.row] if made.row is not None else [],
                )
                transaction = Transaction(self._catalogue, self.view.replaced(old, [new] if len(made) else []))
                transaction.set_means({vector: anew.after for vector, anew in (reweighing or {}).items()})
                self._catalogue.purge(self._store.oldest(self.view.version))
                view = transaction.finish()
            self._publish(view)
        rows = [segment.row for segment in old if segment.row is not None]
        self._remove({number for row in rows for number in (row.file, row.columns)})
        self.forget_batches()

    @contextlib.contextmanager
    def still(self) -> Iterator[View]:
        """Give the view, and let no segment be built while the block is done; operations go on."""
        self.check_free()
        with self._building:
            yield self.view

    def new_file(self) -> int:
        """Return a number for a file that no other has or ever had."""
        with self._alone(), self._catalogue.transaction():
            return self._catalogue.take("next_file")

    def change(self, change: Callable[[Catalogue], Changed]) -> Changed:
        """Change the catalogue itself, in a transaction of its own, while no segment is being built.

        Parameters
        ----------
        change
            Is given the catalogue, within the transaction; what it raises undoes all. The view is loaded anew then.

        Returns
        -------
        object
            What `change` returns.
        """
        self.check_free()
        with self._building, self._alone():
            with self._catalogue.transaction():
                result = change(self._catalogue)
                self._catalogue.set_meta(version=self.view.version + 1)
                view = seen(self._catalogue, self._store.folder, self._store.schema, self.view)
            self._publish(view)
        return result

    def set_tunings(self, vector: str, change: Callable[[Catalogue, Tunings | None], Tunings | None]) -> None:
        """Change what is known of a vector's search parameters, in a short transaction, also while segments are built.

        Parameters
        ----------
        change
            Is given the catalogue, within the transaction, and what is known; it returns what is from now on, or None
            to leave it at that.
        """
        self.check_free()
        with self._alone():
            with self._catalogue.transaction():
                tunings = change(self._catalogue, self.view.tunings.get(vector))
                if tunings is None:
                    return
                known = {**self.view.tunings, vector: tunings}
                view = dataclasses.replace(self.view, version=self.view.version + 1, tunings=known)
                keep(self._catalogue, vector, tunings)
                self._catalogue.set_meta(version=view.version)
            self._publish(view)

    def forget_batches(self) -> None:
        """Forget the vectors of documents that do not wait any more, a few at a time, so that nobody has to wait."""
        more = True
        while more:
            with self._alone():
                in_files = [part.segment.last for part in self.view.parts if not is_fresh(part)]
                last = max(in_files, default=0)
                if not any(map(is_fresh, self.view.parts)):  # what waits is dead
                    last = int(self._catalogue.meta("next_seq")) - 1
                with self._catalogue.transaction():
                    more = self._catalogue.forget_batches(last)

    def tidy(self, most: int) -> None:
        """Forget what ended and nobody reads, once that many states of documents have: else the log grows for ever."""
        if self._n_buried >= max(most, len(self.view)):
            with self._alone():
                with self._catalogue.transaction():
                    self._catalogue.purge(self._store.oldest(self.view.version))
                self._n_buried = 0
            self.forget_batches()

    def compact(self) -> None:
        """Give the space of what was forgotten back to the file system."""
        with self._alone():
            with self._catalogue.transaction():
                self._catalogue.purge(self._store.oldest(self.view.version))
            self._catalogue.compact()

    def _remove_unnamed(self, number: int) -> None:
        """Remove the files of a build that failed; one that was interrupted after its transaction is named."""
        with self._lock, contextlib.suppress(OSError):
            self._file_lock.check()  # in another's folder the number is another's
            if all(number != row.file for row in self._catalogue.segments()):
                self._remove([number])

    def _remove(self, numbers: Iterable[int]) -> None:
        """Remove files that nothing names any more; who has them open keeps them. What is left is swept later."""
        for number in numbers:
            for path in (self._store.folder / SEGMENTS).glob(f"{number:08d}.*"):
                try:
                    remove(path)
                except OSError as error:
                    _log.warning("%s was not removed: %s", path, error)

    def _sweep(self) -> None:
        named = {
            path for row in self._catalogue.segments() for path in files_of(self._store.folder, row, self._store.schema)
        }
        for path in (self._store.folder / SEGMENTS).iterdir():
            if path not in named:
                _log.info("removing %s, which nothing names", path)
                with contextlib.suppress(OSError):
                    remove(path)
