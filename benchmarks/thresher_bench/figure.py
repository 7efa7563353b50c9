"""A figure, and the bar that it must meet."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One row of a table."""

    what: str
    value: float
    unit: str = ""
    bar: float | None = None
    at_least: bool = False
    """Whether the bar is a lower limit."""
    at: int | None = None
    """How many documents the bar is for, if it is for so many only."""

    def cells(self, whose: str, n_docs: int) -> list[str]:
        """Return the row as text: what, value, bar, and whether it is met."""
        unit = f" {self.unit}" if self.unit else ""
        bar, verdict = "", ""
        if self.bar is not None:
            bar = f"{'>=' if self.at_least else '<='} {self.bar:g}{unit}"
            met = self.value >= self.bar if self.at_least else self.value <= self.bar
            verdict = "yes" if met else "NO"
            if self.at is not None:
                bar += f" at {self.at:,}"
                verdict = verdict if n_docs == self.at else ""
        return [f"{whose}: {self.what}", f"{self.value:,.2f}{unit}", bar, verdict]
