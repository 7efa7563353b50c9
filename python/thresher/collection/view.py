"""What a collection holds at one version: parts, in the order of upserts. Never changed, but replaced."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from thresher.collection.segment import Part, Segment

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher.collection.catalogue import Id
    from thresher.collection.filters import Kind
    from thresher.collection.tuning import Tunings
    from thresher.collection.weighing import MeanLength


class Located(NamedTuple):
    """Some of the documents that were asked for: `which` of them are in a part, and at what places there."""

    part: int
    places: npt.NDArray[np.int64]
    which: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A version of a collection.

    Attributes
    ----------
    version
        The number of the transaction after which this was there.
    parts
        Its segments with what is live in them, by rising numbers of upserts.
    fields
        The kinds of the declared fields.
    n_terms
        Terms of each vector that have been seen.
    tunings
        The search parameters that searches go by, of the vectors that were tuned.
    means
        The mean length that weights go by, of the vectors that have one.
    """

    version: int
    parts: tuple[Part, ...]
    fields: dict[str, Kind]
    n_terms: dict[str, int]
    tunings: Mapping[str, Tunings] = dataclasses.field(default_factory=dict)
    means: Mapping[str, MeanLength] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of documents."""
        return sum(part.n_live for part in self.parts)

    def locate(self, seqs: Sequence[int] | npt.NDArray[np.int64]) -> Iterator[Located]:
        """Yield where documents are, part by part; those that are in none are left out."""
        wanted = np.asarray(seqs, np.int64)
        order = np.argsort(wanted, kind="stable")
        ordered = wanted[order]
        firsts = [part.segment.first for part in self.parts]
        begin = 0
        while begin < len(ordered):
            number = max(bisect.bisect_right(firsts, int(ordered[begin])) - 1, 0)
            end = len(ordered)
            if number + 1 < len(firsts):
                end = max(int(np.searchsorted(ordered, firsts[number + 1])), begin + 1)
            if self.parts:
                places = self.parts[number].segment.places(ordered[begin:end])
                here = places >= 0
                if here.any():
                    yield Located(number, places[here], order[begin:end][here])
            begin = end

    def ids(self, seqs: npt.NDArray[np.int64]) -> list[Id]:
        """Return the ids of documents, in their order."""
        ids: list[Any] = [None] * len(seqs)
        for located in self.locate(seqs):
            found = self.parts[located.part].segment.ids(located.places)
            for place, one in zip(located.which.tolist(), found, strict=True):
                ids[place] = one
        return ids

    def without(self, seqs: Sequence[int]) -> View:
        """Return the view after documents are gone."""
        parts = list(self.parts)
        for found in self.locate(seqs):
            parts[found.part] = parts[found.part].without(found.places)
        return dataclasses.replace(self, parts=tuple(parts))

    def with_part(self, part: Part) -> View:
        """Return the view with the latest documents."""
        return dataclasses.replace(self, parts=(*self.parts, part))

    def replaced(self, old: Iterable[Segment], new: Sequence[Part]) -> View:
        """Return the view with parts in the place of those of neighbouring segments."""
        gone = {id(segment) for segment in old}
        places = [place for place, part in enumerate(self.parts) if id(part.segment) in gone]
        if not places:
            return self
        return dataclasses.replace(self, parts=(*self.parts[: places[0]], *new, *self.parts[places[-1] + 1 :]))

    def seqs(self) -> npt.NDArray[np.int64]:
        """Return the numbers of the live documents, ascending."""
        return np.concatenate([np.zeros(0, np.int64), *(part.segment.seqs[part.live_places()] for part in self.parts)])
