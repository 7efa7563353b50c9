"""Tables of effectiveness beside recall, time and bytes: what an approximation costs in answers, and what it saves."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from thresher._extras import missing
from thresher.evaluation.evaluating import Evaluation
from thresher.evaluation.layouts import as_csv, as_markdown, as_text
from thresher.evaluation.significance import Correction, Test

if TYPE_CHECKING:
    import pandas as pd


class Row(NamedTuple):
    """A run, and what it took where it was made for the table."""

    name: str
    evaluation: Evaluation
    p_values: dict[str, float]
    """Of each measure, that it is the baseline's but for chance: corrected for all tests of the table."""
    recall: float | None = None
    """The fraction of the best k documents by inner product that was found."""
    p50_us: float | None = None
    """Microseconds of CPU time of a query, one thread: the median over the queries."""
    mean_us: float | None = None
    p99_us: float | None = None
    nbytes: int | None = None
    """Bytes that searches go through."""


@dataclasses.dataclass(frozen=True, repr=False)
class Table:
    """Rows of runs; ``print(table)`` shows it."""

    rows: tuple[Row, ...]
    k: int | None
    """Hits for each query of the indexes; None without any."""
    baseline: str
    """The row that the others are tested against."""
    level: float
    """Of significance: a mark is a p-value that is not above it."""
    test: Test
    correction: Correction
    not_asked: int
    """Queries with judgements that do not count, since the indexes were not asked them."""

    def __getitem__(self, name: str) -> Row:
        """Return the row of a name; KeyError if there is none."""
        found = next((row for row in self.rows if row.name == name), None)
        if found is None:
            raise KeyError(f"there is no row {name!r}; there are {', '.join(row.name for row in self.rows)}")
        return found

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures."""
        return self.rows[0].evaluation.measures

    def to_text(self) -> str:
        """Return aligned columns, and lines that say what they mean."""
        return as_text(*self._cells()) + "".join(f"{line}\n" for line in self._notes())

    def to_markdown(self) -> str:
        """Return a table of Markdown, and a paragraph that says what it means."""
        notes = "; ".join(self._notes()).replace("*", "\\*")
        return f"{as_markdown(*self._cells())}\n{notes}.\n"

    def to_csv(self) -> str:
        """Return comma-separated values in full precision, a p-value beside each measure."""
        records = self._records()
        return as_csv(list(records[0]), [list(record.values()) for record in records])

    def to_json(self) -> str:
        """Return what `to_dict` does, as text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return everything but values by query, as JSON has it; a recall of nothing is None."""
        first = self.rows[0].evaluation
        return {
            "n_queries": first.n_queries,
            "k": self.k,
            "baseline": self.baseline,
            "test": self.test,
            "correction": self.correction,
            "level": self.level,
            "not_asked": self.not_asked,
            "rows": [
                {
                    "name": row.name,
                    "means": row.evaluation.means,
                    "p_values": row.p_values,
                    "recall": None if row.recall is None or math.isnan(row.recall) else row.recall,
                    **{name: getattr(row, name) for name in ("p50_us", "mean_us", "p99_us", "nbytes")},
                    "without_judgements": len(row.evaluation.without_judgements),
                    "without_hits": len(row.evaluation.without_hits),
                    "absent": len(row.evaluation.absent),
                }
                for row in self.rows
            ],
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return the columns of `to_csv`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - an extra
        except ImportError:
            raise ImportError(missing("to_pandas needs pandas", "pandas")) from None
        return pd.DataFrame(self._records())

    def __repr__(self) -> str:
        """Show the table."""
        return self.to_text().rstrip("\n")

    @property
    def _is_timed(self) -> bool:
        return any(row.p50_us is not None for row in self.rows)

    def _records(self) -> list[dict[str, Any]]:
        records = []
        for row in self.rows:
            record: dict[str, Any] = {"name": row.name}
            for measure in self.measures:
                record |= {measure: row.evaluation.means[measure], f"{measure} p": row.p_values.get(measure)}
            if self._is_timed:
                record |= {f"recall@{self.k}": row.recall}
                record |= {name: getattr(row, name) for name in ("p50_us", "mean_us", "p99_us", "nbytes")}
            records.append(record)
        return records

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the header and the rows of what is shown."""
        header = ["", *(f"{measure} " for measure in self.measures)]  # as wide as with a mark
        if self._is_timed:
            header += [f"recall@{self.k}", "p50 us", "mean us", "p99 us", "MB"]
        rows = []
        for row in self.rows:
            cells = [row.name]
            for measure in self.measures:
                mark = "*" if row.p_values.get(measure, math.inf) <= self.level else " "
                cells.append(f"{row.evaluation.means[measure]:.4f}{mark}")
            if self._is_timed:
                cells.append(_shown(row.recall, ".4f"))
                cells += [_shown(value, ",.1f") for value in (row.p50_us, row.mean_us, row.p99_us)]
                cells.append(_shown(None if row.nbytes is None else row.nbytes / 1e6, ",.1f"))
            rows.append(cells)
        return header, rows

    def _notes(self) -> list[str]:
        """Return what is to be known of the figures."""
        first = self.rows[0].evaluation
        notes = [f"{first.n_queries:,} queries"]
        tests = sum(len(row.p_values) for row in self.rows)
        if tests:
            test = {"t": "paired t test", "randomisation": "randomisation test"}[self.test]
            corrected = f"{test}, correction {self.correction} over {tests}"
            notes.append(f"* differs from {self.baseline}, p <= {self.level:g}: {corrected}")
        if self._is_timed:
            notes.append("us: CPU time of a query, one thread; MB: what searches go through")
        if self.not_asked:
            notes.append(f"{self.not_asked:,} queries with judgements were not asked and do not count")
        for row in self.rows:
            told = row.evaluation
            if told.absent:
                notes.append(f"{row.name}: {len(told.absent):,} queries are not in it and count 0")
            if empty := len(told.without_hits) - len(told.absent):
                notes.append(f"{row.name}: {empty:,} queries without hits count 0")
            if told.without_judgements:
                notes.append(f"{row.name}: {len(told.without_judgements):,} queries without judgements are left out")
        return notes


def _shown(value: float | None, how: str) -> str:
    return "-" if value is None or math.isnan(value) else format(value, how)
