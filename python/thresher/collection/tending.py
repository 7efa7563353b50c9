"""How a collection is tended: its fields declared, its searches tuned, copies made of it, damage found and mended."""

from __future__ import annotations

import abc
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from thresher._arguments import as_flag
from thresher.collection.backups import back_up
from thresher.collection.checking import CheckReport, check_folder, repaired
from thresher.collection.declaring import set_field
from thresher.collection.filters import check_fields
from thresher.collection.reading import Readable
from thresher.collection.searchable import rows_of
from thresher.collection.stats import Stats, stats_of
from thresher.collection.tuning import Asked, Tuning, Tunings, as_retune_s, keep_queries, tuned

if TYPE_CHECKING:
    from thresher._matrix import MatrixLike
    from thresher.collection.catalogue import Catalogue
    from thresher.collection.filters import Kind
    from thresher.collection.maintenance import Maintenance
    from thresher.collection.schema import VectorSchema
    from thresher.collection.writer import Writer
    from thresher.engines.options import Progress

_log = logging.getLogger("thresher.collection")


class Tended(Readable):
    """A collection, but for what it stores."""

    _maintenance: Maintenance | None

    @abc.abstractmethod
    def _writing(self) -> Writer:
        """Return what writes to it, or raise ValueError if it is open for reading."""

    @property
    def path(self) -> Path:
        """The folder."""
        return self._store.folder

    @property
    def fields(self) -> dict[str, Kind]:
        """The kinds of the declared fields, by name."""
        return dict(self._view().fields)

    @property
    def vectors(self) -> dict[str, VectorSchema]:
        """What the collection was created with for each vector, by name, the default one first."""
        return dict(self._store.schema.vectors)

    @property
    def id_kind(self) -> Literal["str", "int"] | None:
        """The kind of the ids, which those of the first document settled; None if there was none yet."""
        with self._store.reading() as catalogue:
            return catalogue.meta("id_kind")  # type: ignore[no-any-return]

    def words(self, vector: str | None = None) -> list[str]:
        """Return the words of a vector by the number of their terms; none if its terms are no words."""
        with self._store.reading() as catalogue:
            return catalogue.words_of(self._store.schema.vector(vector))

    # ------------------------------------------------------------------------------------------------- fields

    def declare_field(self, name: str, kind: Kind, *, replace: bool = False) -> None:
        """Declare a field, so that filters over it go by columns; those of all segments are written before it returns.

        Readers see it when they refresh. Where it is declared as this kind already, nothing is done.

        Parameters
        ----------
        name
            The field, or a dotted path into payloads.
        kind
            "keyword", "keywords", "int", "float", "bool" or "datetime".
        replace
            Whether a field that is declared as another kind gets this one.

        Raises
        ------
        ValueError
            Naming the document, the field and the value, if a payload has another kind there; naming both kinds, if it
            is declared as another and `replace` is not set: nothing changes then. If there is no such kind, or the name
            can't be one.
        """
        writer = self._writing()
        field, own = next(iter(check_fields({name: kind}).items()))
        set_field(writer, self._store, field, own, replace=as_flag(replace, "replace"))

    def drop_field(self, name: str) -> None:
        """Let filters over a field go by payloads again, which stay as they are.

        Raises
        ------
        ValueError
            If it is not declared.
        """
        writer = self._writing()
        if name not in self.fields:
            raise ValueError(f"{name!r} is not a declared field; there are: {', '.join(self.fields) or 'none'}")
        set_field(writer, self._store, name, None)

    # ------------------------------------------------------------------------------------- how it is, and goes on

    def stats(self) -> Stats:
        """Return what the collection is made of, and what ails it."""
        maintenance = self._maintenance
        return stats_of(self._view(), self._store, None if maintenance is None else maintenance.failure)

    def tune(
        self,
        queries: MatrixLike | str | Sequence[str] | None = None,
        *,
        recall: float | None = None,
        latency_us: float | None = None,
        k: int = 10,
        vector: str | None = None,
        budget_s: float = 60.0,
        retune_s: float = 5.0,
        threads: int = 1,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Tuning:
        """Find the search parameters that meet a target on the largest segment, and let searches go by them.

        Searches that state parameters go by those. What it takes in memory is the segment's vectors, and an exact index
        of them. The target is kept, and so are up to 1,000 of the queries: where merges make a segment of another
        engine or size (`Upkeep.retune_factor`), parameters are found for it as well, behind, while the collection is
        open for writing. `stats` tells of segments that may miss the target.

        Parameters
        ----------
        queries
            Queries as for `search`, the more alike to those to come the better; None makes some of documents.
        recall, latency_us, k, budget_s, threads, seed, progress
            As for `thresher.tune`.
        vector
            The vector to compare; None for the default one.
        retune_s
            Seconds, about, that it may take each time to find parameters for a segment that a merge made; 0 finds none.

        Returns
        -------
        Tuning
            The parameters, and what they gave.

        Raises
        ------
        ValueError, TypeError
            As of `thresher.tune`; ValueError if the collection is empty, or no document is in a segment yet.

        Warns
        -----
        UserWarning
            If the target is not met.
        """
        writer = self._writing()
        name = self._store.schema.vector(vector)
        rows = None if queries is None else rows_of(queries, self._asking(name))
        seconds = as_retune_s(retune_s)
        view = self._view()
        options = {
            "recall": recall,
            "latency_us": latency_us,
            "k": k,
            "budget_s": budget_s,
            "threads": threads,
            "seed": seed,
            "progress": progress,
        }
        found = tuned(view, name, rows, options)
        asked = Asked(
            None if recall is None else float(recall),
            None if latency_us is None else float(latency_us),
            found.k,
            int(threads),
            int(seed),
            seconds,
            view.version,
        )

        def change(catalogue: Catalogue, _: Tunings | None) -> Tunings:
            keep_queries(catalogue, name, rows, seed)
            return Tunings(asked, (found,))

        writer.set_tunings(name, change)
        if self._maintenance is not None:
            self._maintenance.notify_tuner()
        _log.info("%s: searches of %r go by %s", self.path, name, found.search_params)
        return found

    # ---------------------------------------------------------------------------------------- copies, and damage

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Make a copy of the collection as it is in the folder now, which can be opened; a writer may go on meanwhile.

        Segments' files are linked where the file system can, and share their bytes with the backup then: they never
        change, but what damages one damages the other.

        Parameters
        ----------
        path
            A folder that is not there yet; it appears whole, and on the disk.

        Raises
        ------
        FileExistsError
            If something is at `path`.
        thresher.FormatError
            If a file of the collection is missing.
        OSError
            If it can't be written.
        """
        self._view()
        back_up(self.path, Path(path))

    def check(self, *, repair: bool = False) -> CheckReport:
        """Look the whole collection over: all checksums, and the catalogue against the segments. See `check_folder`."""
        report = check_folder(self.path)
        if not repair or not report.can_be_repaired:
            return report
        return self._writing().change(lambda catalogue: repaired(catalogue, self.path))

    @staticmethod
    def check_folder(path: str | os.PathLike[str], *, repair: bool = False) -> CheckReport:
        """Look a collection over, also one that can't be opened.

        Parameters
        ----------
        path
            The folder.
        repair
            Drop the segments whose files are missing or altered, which loses their documents, and make columns anew
            that are. Nothing else is dropped. Without it nothing is changed.

        Returns
        -------
        CheckReport
            What is wrong, what was or would be dropped, and the ids that are lost with it.

        Raises
        ------
        FileNotFoundError
            If there is no collection.
        thresher.FormatError
            If a newer thresher wrote it.
        thresher.collection.LockedError
            If it is to be repaired, and somebody writes to it.
        """
        return check_folder(Path(path), repair=as_flag(repair, "repair"))
