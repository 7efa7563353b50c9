"""What all that reads a collection shares: where it is, its schema, and a connection to read the catalogue by."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thresher._core import FormatError
from thresher.collection.catalogue import Catalogue
from thresher.collection.documents import payloads_of, state_of
from thresher.collection.files import ReaderMark, marked_versions
from thresher.collection.schema import Schema
from thresher.collection.texts import Encoders

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from thresher.collection.catalogue import Id, State
    from thresher.collection.upkeep import Upkeep
    from thresher.collection.view import View


_stores: weakref.WeakSet[Store] = weakref.WeakSet()
# Connections of the parent of a forked process: closing one there would be felt by the parent.
_inherited: list[Catalogue | None] = []


class Store:
    """A collection's folder, read by any number of threads; forked children get a connection of their own."""

    def __init__(self, folder: Path, upkeep: Upkeep | None = None) -> None:
        """Open the catalogue for reading, with `upkeep` in the place of what the collection keeps.

        Raises
        ------
        FileNotFoundError
            If there is no collection.
        thresher.FormatError
            If its catalogue is damaged, or of a newer version.
        """
        self.called = folder
        self.folder = folder.absolute()  # files are opened all along, and the process may change its directory
        self._lock = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._is_closed = False
        self.undeclared: Counter[str] = Counter()  # fields that filters read from payloads
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self._counting = threading.RLock()  # a set that others add to can't be gone through
        _stores.add(self)
        with self.reading() as catalogue:
            catalogue.check_format()
            try:
                schema = Schema.of_json(catalogue.meta("schema"), catalogue.meta("upkeep"))
            except ValueError as error:
                raise FormatError(f"{catalogue.path}: {error}") from None
            self.schema = schema if upkeep is None else dataclasses.replace(schema, upkeep=upkeep)
            self.durability: Any = catalogue.meta("durability")
            self.keeps_texts = catalogue.meta("keep_texts") != 0
        self.encoders = Encoders(self.schema)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Catalogue]:
        """Read the catalogue, one thread at a time; thresher.FormatError if sqlite finds it damaged."""
        with self._lock:
            if self._catalogue is None:
                self._catalogue = Catalogue(self.folder, readonly=True)
            yield self._catalogue

    def close(self) -> None:
        """Close the connection; snapshots open it again when they need it."""
        self._is_closed = True
        with self._lock:
            if self._catalogue is not None:
                self._catalogue.close()
                self._catalogue = None

    def states(self, seqs: npt.NDArray[np.int64], view: View) -> dict[int, State]:
        """Return documents of a view, by the numbers of their upserts."""
        if not len(seqs):
            return {}
        with self.reading() as catalogue:
            return {state.seq: state for state in catalogue.states(seqs.tolist(), view.version)}

    def payloads(self, seqs: npt.NDArray[np.int64], view: View) -> list[dict[str, Any]]:
        """Return payloads of documents of a view, in the order of the numbers of their upserts."""
        found = self.states(seqs, view)
        return payloads_of([state_of(found, seq) for seq in seqs.tolist()])

    def seqs_of(self, ids: Sequence[Id], view: View) -> dict[Id, int]:
        """Return the numbers of the upserts of those documents of a view that have one of these ids, by id."""
        with self.reading() as catalogue:
            return catalogue.seqs_of(ids, view.version)

    def named(self, ids: Sequence[Any], view: View) -> dict[Any, State]:
        """Return those documents of a view that have one of these ids, by id."""
        with self.reading() as catalogue:
            return {state.id: state for state in catalogue.find(ids, view.version)}

    def terms_of(self, vector: str, words: Sequence[str]) -> dict[str, int]:
        """Return the terms of the words that there are."""
        with self.reading() as catalogue:
            return catalogue.terms_of(vector, words)

    # ------------------------------------------------------------------------------------------ who reads which version

    def keep(self, view: View, mark: ReaderMark | None = None) -> View:
        """Remember that a view may be read until nobody holds it; a `mark` tells other processes as long."""
        with self._counting:
            self._views.add(view)
        if mark is not None:
            weakref.finalize(view, mark.release)
        return view

    def begin_in_child(self) -> None:
        """Begin anew in a forked process, with marks of its own for the views that it has from its parent."""
        _inherited.append(self._catalogue)
        self._lock = threading.RLock()
        self._counting = threading.RLock()
        self._catalogue = None
        self.encoders.begin_in_child()
        for view in [] if self._is_closed else self._kept():
            weakref.finalize(view, ReaderMark(self.folder, view.version).release)

    def versions(self) -> list[int]:
        """Return the versions that are read here or in other processes, ascending."""
        return sorted({view.version for view in self._kept()} | set(marked_versions(self.folder)))

    def oldest(self, version: int) -> int:
        """Return the oldest version that is read anywhere, or `version` if none is older."""
        here = [view.version for view in self._kept()]
        return min(version, *here, *marked_versions(self.folder), version)

    def _kept(self) -> list[View]:
        with self._counting:
            return list(self._views)


def _after_fork() -> None:
    for store in list(_stores):
        store.begin_in_child()


os.register_at_fork(after_in_child=_after_fork)
