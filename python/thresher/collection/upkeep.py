"""When the segments of a collection are built and tuned anew: thresholds, which are kept with it."""

from __future__ import annotations

import dataclasses
import json
import math

from thresher._arguments import as_int, as_number
from thresher._kinds import kind_of


@dataclasses.dataclass(frozen=True)
class Upkeep:
    """When the segments of a collection are built and tuned anew.

    `Collection.create` keeps it with the collection; `Collection.open` takes another for as long as it is open.
    Whatever it says, nothing is lost, and exact searches find the same: it trades what is written for what is searched.

    Attributes
    ----------
    flush_docs
        Documents that wait in the log, some of them dead, from which on they are written to a segment. Four times as
        many may wait, where they come faster than they can be written.
    flush_upserts
        Upserts that wait, from which on they are written too, though most of them were replaced since. None for four
        times `flush_docs`.
    merge_width
        Neighbouring segments of one size class that are merged into one; classes are powers of it. At least 2. More of
        them write less, and leave more segments to search.
    dead_fraction
        The fraction of a segment's documents, above 0 and up to 1, that are dead when it is written again without them.
    exact_docs
        Documents up to which a segment is exact, whatever the collection's engine; 0 for none. What a better engine
        saves on few documents is not worth its build.
    retune_factor
        Times as many documents, or as few, from which on a segment is no longer searched by the parameters that
        `Collection.tune` found, but tuned again; above 1.

    Raises
    ------
    TypeError, ValueError
        If one is of a wrong type or out of range.

    Examples
    --------
    >>> from thresher.collection import Collection, Upkeep
    >>> with Collection.create("small", upkeep=Upkeep(flush_docs=1000, exact_docs=5000)) as small:
    ...     print(small.stats().upkeep.flush_docs)
    1000
    """

    flush_docs: int = 32_768
    flush_upserts: int | None = None
    merge_width: int = 4
    dead_fraction: float = 0.3
    exact_docs: int = 20_000
    retune_factor: float = 2.0

    def __post_init__(self) -> None:
        """Check all of them."""
        for name, least in (("flush_docs", 1), ("flush_upserts", 1), ("merge_width", 2), ("exact_docs", 0)):
            given = getattr(self, name)
            if given is None and name == "flush_upserts":
                continue
            number = as_int(given, name)
            if number < least:
                raise ValueError(f"{name} must be at least {least}, got {number}")
            object.__setattr__(self, name, number)
        for name, low, high in (("dead_fraction", 0.0, 1.0), ("retune_factor", 1.0, math.inf)):
            fraction = as_number(getattr(self, name), name)
            if not low < fraction <= high or math.isinf(fraction):
                upto = f" and up to {high:g}" if math.isfinite(high) else " and finite"
                raise ValueError(f"{name} must be above {low:g}{upto}, got {fraction}")
            object.__setattr__(self, name, fraction)

    @property
    def most_upserts(self) -> int:
        """Upserts that wait at most."""
        return 4 * self.flush_docs if self.flush_upserts is None else self.flush_upserts

    @property
    def most_docs(self) -> int:
        """Documents that wait at most: whoever brings more builds a segment first."""
        return 4 * self.flush_docs

    def size_class(self, n_docs: int) -> int:
        """Return the power of `merge_width` that a number of documents comes to."""
        power = 0
        while n_docs >= self.merge_width:
            n_docs //= self.merge_width
            power += 1
        return power

    def is_alike(self, n_docs: int, other: int) -> bool:
        """Tell whether two segments are near enough in size for the same search parameters."""
        return max(n_docs, other) < self.retune_factor * max(min(n_docs, other), 1)

    def to_json(self) -> str:
        """Write it as the catalogue keeps it."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def of_json(text: str | None) -> Upkeep:
        """Read what the catalogue has kept, which is nothing in older collections.

        Raises
        ------
        ValueError
            If it is damaged.
        """
        if text is None:
            return Upkeep()
        try:
            return Upkeep(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise ValueError(f"upkeep is damaged: {error}") from None


def as_upkeep(given: object) -> Upkeep:
    """Return what a caller gives, the defaults for None; or raise TypeError."""
    if given is None:
        return Upkeep()
    if isinstance(given, Upkeep):
        return given
    raise TypeError(f"upkeep must be an Upkeep, got {kind_of(given)}")
