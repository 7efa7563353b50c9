"""Operations on documents: what each changes in the catalogue, and the view that is there after it.

A transaction works on a view of its own. Its operations see those before them; readers see none before all are on the
disk.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher.collection.batches import chosen, pack, part_of, stretches
from thresher.collection.catalogue import Batch, Catalogue, State
from thresher.collection.documents import as_ids, json_of, last_of_each
from thresher.collection.filters import Columns, bits
from thresher.collection.fresh import fresh_segment
from thresher.collection.segment import Part
from thresher.collection.selecting import matching
from thresher.collection.weighing import MeanLength, keep_mean

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import CsrArrays
    from thresher.collection.catalogue import Id
    from thresher.collection.filters import Filter
    from thresher.collection.view import View


class ConflictError(ValueError):
    """A document is not in the version that an operation was made for.

    Attributes
    ----------
    ids
        The documents.
    """

    def __init__(self, message: str, ids: Sequence[Id]) -> None:
        """Name the documents."""
        super().__init__(message)
        self.ids = list(ids)


class Documents(NamedTuple):
    """Documents to be upserted, checked and made plain: a vector of each name, a payload and a text for each."""

    ids: list[Id]
    vectors: dict[str, CsrArrays]
    payloads: list[dict[str, Any]]
    texts: list[str | None]

    def chosen(self, places: list[int]) -> Documents:
        """Return some of them."""
        if len(places) == len(self.ids):
            return self
        return Documents(
            [self.ids[place] for place in places],
            {name: chosen(rows, places) for name, rows in self.vectors.items()},
            [self.payloads[place] for place in places],
            [self.texts[place] for place in places],
        )


class Transaction:
    """Operations that are done together; within a transaction of the catalogue."""

    def __init__(self, catalogue: Catalogue, view: View, undeclared: Counter[str] | None = None) -> None:
        """Begin with a view; `undeclared` counts filters, see `Source`."""
        self.undeclared = Counter() if undeclared is None else undeclared
        self.is_over = False
        self.n_buried = 0
        self._catalogue = catalogue
        self.view = dataclasses.replace(view, version=view.version + 1)

    @contextlib.contextmanager
    def operation(self) -> Iterator[None]:
        """Do what is in the block whole or not at all, whatever becomes of the other operations.

        Raises
        ------
        ValueError
            If the transaction is over.
        """
        if self.is_over:
            raise ValueError("the batch is over: its operations are stored, or undone")
        view = self.view
        try:
            with self._catalogue.part():
                yield
        except BaseException:
            self.view = view
            raise

    @property
    def _version(self) -> int:
        return self.view.version

    def finish(self) -> View:
        """Put the number of the new version down; return the view."""
        self._catalogue.set_meta(version=self._version)
        return self.view

    def upsert(self, documents: Documents, *, if_absent: bool = False, if_version: Sequence[int] | None = None) -> int:
        """Store documents in the place of those of the same ids; return how many.

        Parameters
        ----------
        documents
            Of several with one id the last counts.
        if_absent
            Leave documents that are there as they are.
        if_version
            For each document the version that it must be in, 0 if it must not be there.

        Raises
        ------
        ConflictError
            If one is in another version.
        ValueError
            If a vector can't be in an index.
        """
        places = last_of_each(documents.ids)
        there = {state.id: state for state in self._catalogue.find([documents.ids[place] for place in places])}
        if if_version is not None:
            _check_versions(documents.ids, if_version, there)
        if if_absent:
            places = [place for place in places if documents.ids[place] not in there]
            there = {}
        documents = documents.chosen(places)
        n = len(documents.ids)
        if not n:
            return 0
        self._bury(list(there.values()))
        first = self._catalogue.take("next_seq", n)
        seqs = np.arange(first, first + n, dtype=np.int64)
        segment = fresh_segment(
            seqs, documents.ids, documents.vectors, documents.payloads, fields=self.view.fields, version=self._version
        )
        self._catalogue.insert(
            (first + place, self._version, None, one, json_of(payload), text)
            for place, (one, payload, text) in enumerate(
                zip(documents.ids, documents.payloads, documents.texts, strict=True)
            )
        )
        for begin, end in stretches(documents.vectors, n):
            vectors = {name: part_of(rows, begin, end) for name, rows in documents.vectors.items()}
            self._catalogue.add_batch(Batch(first + begin, end - begin, pack(vectors)))
        n_terms = {name: max(self.view.n_terms[name], rows.shape[1]) for name, rows in documents.vectors.items()}
        self.view = dataclasses.replace(self.view.with_part(Part.whole(segment)), n_terms=n_terms)
        return n

    # ------------------------------------------------------------------------- what there is, for these operations

    def checked_ids(self, ids: object, *, are_stored: bool = False) -> list[Id]:
        """Return ids of the collection's kind, which the first that are stored settle; or raise naming one."""
        known = self._catalogue.meta("id_kind")
        checked, kind = as_ids(ids, known)
        if are_stored and known is None and kind is not None:
            self._catalogue.set_meta(id_kind=kind)
        return checked

    def numbered(self, vector: str, words: Sequence[str]) -> dict[str, int]:
        """Return the terms of words, which are new ones where there are none."""
        terms = self._catalogue.terms_of(vector, words)
        new = [word for word in words if word not in terms]
        if new:
            first = self._catalogue.take(f"n_words:{vector}", len(new))
            added = list(zip(new, range(first, first + len(new)), strict=True))
            self._catalogue.add_words(vector, added)
            terms.update(added)
        return terms

    def mean_length(self, vector: str, lengths: npt.NDArray[np.int64]) -> float:
        """Return the mean length in force; where no document goes by one yet, that of these `lengths` from now on."""
        known = self.view.means.get(vector)
        if known is not None and len(self.view):
            return known.terms
        mean = MeanLength(float(lengths.mean()) if len(lengths) else 0.0, len(lengths))
        if mean.terms > 0:
            self.set_means({vector: mean})
        return mean.terms or 1.0

    def set_means(self, means: Mapping[str, MeanLength]) -> None:
        """Put mean lengths in force."""
        for vector, mean in means.items():
            keep_mean(self._catalogue, vector, mean)
        self.view = dataclasses.replace(self.view, means={**self.view.means, **means})

    def find(self, ids: Sequence[Id]) -> list[State]:
        """Return the documents of these ids that there are."""
        return self._catalogue.find(list(dict.fromkeys(ids)))

    def meeting(self, where: Filter) -> list[State]:
        """Return the documents that meet a filter."""
        found = []
        for part, met in zip(self.view.parts, matching(self.view, where, self), strict=True):
            seqs = part.segment.seqs[bits.positions(met, len(part.segment))]
            found += self._catalogue.states(seqs.tolist(), self._version)
        return found

    def states(self, seqs: npt.NDArray[np.int64], view: View) -> dict[int, State]:
        """Return documents, by the numbers of their upserts: what filters read."""
        return {state.seq: state for state in self._catalogue.states(seqs.tolist(), view.version)}

    def seqs_of(self, ids: Sequence[Id], view: View) -> dict[Id, int]:  # noqa: ARG002 - as a Store has it
        """Return the numbers of those documents that have one of these ids, by id: what filters read."""
        return self._catalogue.seqs_of(ids)

    # ------------------------------------------------------------------------------------------------- what they do

    def delete(self, states: Sequence[State]) -> int:
        """Delete documents; return how many."""
        self._bury(states)
        return len(states)

    def update_payloads(self, states: Sequence[State], payloads: Sequence[Mapping[str, Any]]) -> int:
        """Give documents other payloads; their place among ties stays. Return how many."""
        if not states:
            return 0
        self.n_buried += len(states)
        self._catalogue.bury([state.seq for state in states], self._version)
        self._catalogue.insert(
            (state.seq, self._version, 1, state.id, json_of(payload), state.text)
            for state, payload in zip(states, payloads, strict=True)
        )
        parts = list(self.view.parts)
        for found in self.view.locate([state.seq for state in states]):
            new = [payloads[place] for place in found.which.tolist()]
            parts[found.part] = parts[found.part].updated(found.places, Columns.of(self.view.fields, new))
        self.view = dataclasses.replace(self.view, parts=tuple(parts))
        return len(states)

    def _bury(self, states: Sequence[State]) -> None:
        seqs = [state.seq for state in states]
        self.n_buried += len(states)
        self._catalogue.bury(seqs, self._version)
        self.view = self.view.without(seqs)


def _check_versions(ids: Sequence[Id], wanted: Sequence[int], there: Mapping[Id, State]) -> None:
    found = [there[one].born if one in there else 0 for one in ids]
    wrong = [place for place, version in enumerate(found) if version != wanted[place]]
    if wrong:
        place = wrong[0]
        raise ConflictError(
            f"document {ids[place]!r} is in version {found[place]}, not {wanted[place]}"
            + (f"; {len(wrong) - 1} more differ" if len(wrong) > 1 else ""),
            [ids[place] for place in wrong],
        )
