"""What engines cost at several sizes, and the powers of the size that fit it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MS_MARCO_V2 = 138_364_198  # passages
BILLION = 1_000_000_000

UNSEARCHED = "built, and not searched yet"


@dataclass
class Built:
    """What a build took."""

    nnz: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    """VmHWM: with what is resident of the mapped documents."""
    anonymous_bytes: int
    """What the build added at most, without mapped files: these are dropped where memory is short, and read again."""
    nbytes: dict[str, int]
    file_bytes: int
    save_seconds: float
    expected_bytes: int
    """As `thresher.estimate` had it."""
    expected_cpu_seconds: float

    @property
    def index_bytes(self) -> int:
        """Bytes of all parts."""
        return sum(self.nbytes.values())


@dataclass
class Operating:
    """Search parameters that just reach a recall, on the queries that did not choose them."""

    wanted: float
    params: dict[str, Any]
    recall: float
    error: float
    """The recall's standard error."""
    n_queries: int
    cpu_us: float
    """CPU microseconds a query, in a batch on one thread."""
    wall_us: float
    """Microseconds a query, in the same batches."""
    mean_us: float
    """Microseconds of one query a call, of each the median of the rounds; so are the percentiles."""
    p50_us: float
    p99_us: float
    cpus: float
    """CPU seconds over seconds: well below 1, other work had the machine."""

    @property
    def is_met(self) -> bool:
        """Whether the recall is reached."""
        return self.recall >= self.wanted

    def asked_for(self, recall: float) -> Operating:
        """Return the same for another recall."""
        return replace(self, wanted=recall)


@dataclass
class Entry:
    """An engine at a size."""

    engine: str
    n_docs: int
    threads: int
    """Of the build; searches take one."""
    k: int
    n_queries: int
    facts: dict[str, str]
    built: Built | None = None
    points: list[Operating] = field(default_factory=list)
    reason: str | None = None
    """Why something is missing."""

    def point(self, recall: float) -> Operating | None:
        """Return the point of a recall, if it was measured and reached."""
        return next((point for point in self.points if point.wanted == recall and point.is_met), None)

    def line(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))


def read(path: Path) -> list[Entry]:
    """Return the entries of a file, of the same engine and size the last, by size."""
    entries: dict[tuple[str, int], Entry] = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            fields["built"] = None if fields["built"] is None else Built(**fields["built"])
            fields["points"] = [Operating(**point) for point in fields["points"]]
            entry = Entry(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path}: line {number} is no entry: {error}") from None
        entries[entry.engine, entry.n_docs] = entry
    return sorted(entries.values(), key=lambda entry: (entry.n_docs, entry.engine))


class Power(NamedTuple):
    """factor * n ** exponent."""

    factor: float
    exponent: float
    residual: float
    """Root mean square of the logarithms' differences: 0.05 is about 5%. Two sizes are met exactly."""
    sizes: tuple[int, ...]

    def at(self, n_docs: float) -> float:
        """Return the value at a size."""
        return float(self.factor * n_docs**self.exponent)


def fit(sizes: Sequence[int], values: Sequence[float]) -> Power | None:
    """Return the power of the size that is nearest to values by least squares of logarithms.

    None where there are fewer than two sizes, or a value is not above 0.
    """
    if len(set(sizes)) < 2 or min(values) <= 0:
        return None
    x, y = np.log(np.asarray(sizes, np.float64)), np.log(np.asarray(values, np.float64))
    centre = x.mean()
    exponent = float(((x - centre) * (y - y.mean())).sum() / ((x - centre) ** 2).sum())
    shift = float(y.mean() - exponent * centre)
    residual = float(np.sqrt(((y - shift - exponent * x) ** 2).mean()))
    return Power(math.exp(shift), exponent, residual, tuple(sorted(set(sizes))))


class Quantity(NamedTuple):
    """Something that grows."""

    title: str
    unit: str
    scale: float
    """What values are divided by to be in that unit."""
    of: Callable[[Entry], float | None]


def quantities(recalls: Sequence[float]) -> list[Quantity]:
    """Return all that is fitted."""
    made = [
        Quantity("build", "CPU hours", 3600, _of_build("cpu_seconds")),
        Quantity("index", "GB", 1e9, _of_build("index_bytes")),
        Quantity("memory of the build", "GB", 1e9, _of_build("anonymous_bytes")),
    ]
    for recall in recalls:
        for name, title in (("cpu_us", "CPU a query"), ("mean_us", "mean latency"), ("p99_us", "p99 latency")):
            made.append(Quantity(f"{title} at {recall:g}", "ms", 1e3, _of_point(recall, name)))
    return made


def growth(entries: Sequence[Entry], engine: str, quantity: Quantity) -> Power | None:
    """Return how a quantity grows for an engine."""
    pairs = [(entry.n_docs, value) for entry in entries if entry.engine == engine and (value := quantity.of(entry))]
    return fit([n for n, _ in pairs], [value for _, value in pairs])


def _of_build(name: str) -> Callable[[Entry], float | None]:
    def of(entry: Entry) -> float | None:
        return None if entry.built is None else float(getattr(entry.built, name))

    return of


def _of_point(recall: float, name: str) -> Callable[[Entry], float | None]:
    def of(entry: Entry) -> float | None:
        point = entry.point(recall)
        return None if point is None else float(getattr(point, name))

    return of
