"""Which settings to report: picked on one half of the queries, reported on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from thresher_bench.results import Build, Figures, Library, Point

FLOORS = (0.9, 0.95, 0.97, 0.99, 1.0)
EXACT = FLOORS[-1]
_ROUNDING = 1e-9
_TRIES = 3  # settings that lose nothing on the first half, to see which lose nothing on the second
_LOWEST = 0.1  # below the lowest floor, nobody looks at a curve
_CLOSE = 1.25  # one pass may have been so much luckier than another


class Choice(NamedTuple):
    """A setting and the index that it searches."""

    build: Build
    point: Point

    @property
    def tuned(self) -> Figures:
        """What picks it."""
        assert self.point.tuned is not None
        return self.point.tuned

    @property
    def held_out(self) -> Figures:
        """What is reported of it."""
        assert self.point.held_out is not None
        return self.point.held_out

    @property
    def setting(self) -> str:
        """Parameters of build and search, as text."""
        parameters = {**self.build.settings, **self.point.search}
        return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "defaults"


def name_of(floor: float) -> str:
    """Return how a floor is written."""
    return "exact" if floor >= EXACT else f"{floor:.2f}"


def reaches(recall: float, floor: float) -> bool:
    """Return whether a recall is at least a floor; exact is exact."""
    return recall >= floor - _ROUNDING


def points(library: Library) -> Iterator[Choice]:
    """Yield everything that was measured on the first half."""
    for build in library.builds:
        yield from (Choice(build, point) for point in build.points if point.tuned is not None)


def curve(library: Library) -> list[Choice]:
    """Return what was reported, by rising recall, without what another setting beats on the half it was picked on."""
    reported = [choice for choice in points(library) if choice.point.held_out is not None]
    return sorted(front(reported), key=lambda choice: choice.held_out.recall)


def best(library: Library, floor: float) -> Choice | None:
    """Return the fastest setting that reaches a floor on the first half, or None.

    What is called exact has lost nothing on the other half either.
    """
    able = [
        choice
        for choice in points(library)
        if choice.point.held_out is not None
        and reaches(choice.tuned.recall, floor)
        and (floor < EXACT or reaches(choice.held_out.recall, floor))
    ]
    return max(able, key=lambda choice: choice.tuned.qps, default=None)


def front(choices: Iterable[Choice]) -> list[Choice]:
    """Return settings that no other equals in recall and beats in speed, by falling recall."""
    kept: list[Choice] = []
    for choice in sorted(choices, key=lambda choice: (-choice.tuned.recall, -choice.tuned.qps)):
        if not kept or choice.tuned.qps > kept[-1].tuned.qps:
            kept.append(choice)
    return kept


def worth_reporting(library: Library) -> list[Choice]:
    """Return the settings to measure in rounds, of those that have passed over the first half of the queries once.

    They are those of `front`, those that are nearly as fast as any that reach the same floor, and what may turn out to
    be exact.
    """
    everything = list(points(library))
    first = front(everything)
    able = [choice for choice in first if reaches(choice.tuned.recall, FLOORS[0] - _LOWEST)]
    exact = [choice for choice in everything if reaches(choice.tuned.recall, EXACT)]
    exact.sort(key=lambda choice: -choice.tuned.qps)
    defaults = [choice for choice in everything if not choice.point.search]
    wanted = {
        id(choice.point): choice for choice in (*(able or first[:1]), *_close(everything), *exact[:_TRIES], *defaults)
    }
    return list(wanted.values())


def _close(choices: list[Choice]) -> Iterator[Choice]:
    for floor in FLOORS:
        able = [choice for choice in choices if reaches(choice.tuned.recall, floor)]
        fastest = max((choice.tuned.qps for choice in able), default=0)
        yield from (choice for choice in able if choice.tuned.qps * _CLOSE >= fastest)


def trouble(library: Library) -> list[str]:
    """Return what went wrong, one line for each reason."""
    if library.reason is not None:
        return [library.reason]
    lines = []
    for build in library.builds:
        name = ", ".join(f"{name} {value}" for name, value in build.settings.items())
        prefix = f"{name}: " if name else ""
        if build.reason is not None and all(build.reason != point.reason for point in build.points):
            lines.append(prefix + build.reason)
        reasons: dict[str, list[str]] = {}
        for point in build.points:
            if point.reason is not None:
                setting = " ".join(f"{key} {value}" for key, value in point.search.items()) or "defaults"
                reasons.setdefault(point.reason, []).append(setting)
        lines += [f"{prefix}{'; '.join(settings)}: {reason}" for reason, settings in reasons.items()]
    return lines
