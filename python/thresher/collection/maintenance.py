"""What goes on behind: waiting documents are written to segments, neighbouring segments are merged, and tuned anew.

Segments grow in tiers. As many neighbours of one size class as `Upkeep.merge_width` says become one of the next, so
that a document is merged a logarithmic number of times; and a segment of which much is dead is written again without
that.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from thresher.collection.behind import Worker
from thresher.collection.fresh import is_fresh
from thresher.collection.retuning import due, retune

if TYPE_CHECKING:
    from thresher.collection.segment import Part
    from thresher.collection.upkeep import Upkeep
    from thresher.collection.view import View
    from thresher.collection.writer import Writer


def to_flush(view: View, upkeep: Upkeep) -> Sequence[Part]:
    """Return the parts that wait, if they are many, or were often replaced: the log has all of their upserts."""
    fresh = [part for part in view.parts if is_fresh(part)]
    flushed = max((part.segment.last for part in view.parts if not is_fresh(part)), default=0)
    is_long = bool(fresh) and fresh[-1].segment.last - flushed >= upkeep.most_upserts
    return fresh if is_long or sum(len(part.segment) for part in fresh) >= upkeep.flush_docs else []


def to_merge(view: View, upkeep: Upkeep) -> Sequence[Part]:
    """Return neighbours that are to become one segment, the latest first; or one of which much is dead."""
    parts = [part for part in view.parts if not is_fresh(part)]
    classes = [upkeep.size_class(part.n_live) for part in parts]
    for end in range(len(parts), 0, -1):
        begin = end - 1
        while begin > 0 and classes[begin - 1] <= classes[end - 1]:
            begin -= 1
        if end - begin >= upkeep.merge_width:
            return parts[begin:end]
    for part in parts:
        n = len(part.segment)
        if n - part.n_live >= max(upkeep.dead_fraction * n, 1):
            return [part]
    return []


def make_room(writer: Writer) -> None:
    """Write waiting documents to a segment here and now if they are so many that the thread does not keep up."""
    if sum(len(part.segment) for part in writer.view.parts if is_fresh(part)) >= writer.upkeep.most_docs:
        writer.rebuild(functools.partial(to_flush, upkeep=writer.upkeep))


class Maintenance:
    """Two threads: one that builds segments as long as there are some to build, and one that tunes them.

    To tune takes long, and nobody waits for it; it stays out of the way of a log that fills up.
    """

    def __init__(self, writer: Writer) -> None:
        """Work for a writer, from when it is first notified."""
        self._writer = writer
        self._upkeep = writer.upkeep
        self.builder = Worker("thresher-collection", self._build, "a segment could not be built")
        self.tuner = Worker("thresher-tuning", self._tune, "search parameters could not be stored")

    @property
    def failure(self) -> Exception | None:
        """What failed last, and was not done since."""
        return self.builder.failure or self.tuner.failure

    def notify(self) -> None:
        """Look whether there is something to build; what was built is tuned."""
        self.builder.notify()

    def notify_tuner(self) -> None:
        """Look whether there is something to tune."""
        if due(self._writer.view, self._upkeep) is not None:
            self.tuner.notify()

    def close(self) -> None:
        """End what is being built and tuned, which loses nothing."""
        self.builder.close()
        self.tuner.close()

    def _build(self) -> None:
        choices = [functools.partial(choose, upkeep=self._upkeep) for choose in (to_flush, to_merge)]
        while any(self._writer.rebuild(choose, threads=1, progress=self.builder.check) for choose in choices):
            self.notify_tuner()
            self.builder.check()
        self._writer.tidy(self._upkeep.most_upserts)

    def _tune(self) -> None:
        while retune(self._writer, self._upkeep, progress=self.tuner.check):
            self.tuner.check()
