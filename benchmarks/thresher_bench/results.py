"""What a contest has measured, and its file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FORM = "thresher-bench peers 1"


@dataclass
class Figures:
    """One setting on one half of the queries."""

    recall: float
    qps: float
    """Queries over the median of the rounds' seconds."""
    seconds: list[float]
    """Of each round: the median of its passes over the queries."""
    quiet: bool
    """Whether all rounds had passes that no other work disturbed; those that had none are measured in CPU seconds."""
    latency: dict[str, float] | None = None
    """Microseconds of one query a call, of each query the median over rounds: mean, p50, p95, p99."""


@dataclass
class Point:
    """One setting of a search."""

    search: dict[str, Any]
    tuned: Figures | None = None
    """On the half that settings are picked on: the rounds, or one pass if it was not worth them."""
    held_out: Figures | None = None
    """On the other half, or None where another setting of the library is clearly better."""
    reason: str | None = None
    """Why there are no figures."""


@dataclass
class Build:
    """One index, and the settings it was searched with."""

    settings: dict[str, Any]
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    """By how much the process grew at most while it built."""
    resident_bytes: int | None = None
    """By how much it had grown afterwards."""
    saved_bytes: int | None = None
    reason: str | None = None
    """Why there is no index, or why its process ended."""
    points: list[Point] = field(default_factory=list)


@dataclass
class Library:
    """One library."""

    name: str
    title: str
    ours: bool
    version: str | None = None
    reason: str | None = None
    """Why it did not take part."""
    builds: list[Build] = field(default_factory=list)


@dataclass
class Results:
    """Everything."""

    facts: dict[str, str]
    """The machine, the versions, the data, and how it was measured."""
    libraries: list[Library]
    form: str = FORM

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what `write` has written.

        Raises
        ------
        ValueError
            If the file is something else.
        """
        try:
            parts = json.loads(path.read_text())
            if parts.get("form") != FORM:
                raise ValueError(f"its form is {parts.get('form')!r}, not {FORM!r}")  # noqa: TRY301
            return cls(parts["facts"], [_library(library) for library in parts["libraries"]])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} does not hold results of thresher-bench: {error}") from error


def _library(parts: dict[str, Any]) -> Library:
    return Library(**{**parts, "builds": [_build(build) for build in parts["builds"]]})


def _build(parts: dict[str, Any]) -> Build:
    return Build(**{**parts, "points": [_point(point) for point in parts["points"]]})


def _point(parts: dict[str, Any]) -> Point:
    halves = {half: None if parts[half] is None else Figures(**parts[half]) for half in ("tuned", "held_out")}
    return Point(**{**parts, **halves})
