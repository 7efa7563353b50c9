"""Stand-ins for what `benchmarks/lsr-benchmark/thresher_retrieval.py` imports: lsr_benchmark and tirex_tracker.

Written anew after lsr-benchmark 0.1.1 (`lsr_benchmark/click.py`, `lsr_benchmark/irds.py`) and the tracker that it uses:
the same names, options and types, and the same files of embeddings.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np


class ExportFormat(enum.Enum):
    IR_METADATA = "ir_metadata"


class Tracker:
    """What a run registered and tracked."""

    def __init__(self) -> None:
        self.datasets: list[str] = []
        self.metadata: dict[str, Any] = {}
        self.phase: str | None = None  # the file of the block that is being tracked

    def register_to_ir_datasets(self, dataset: str) -> None:
        self.datasets.append(dataset)

    def register_metadata(self, metadata: dict[str, Any]) -> None:
        self.metadata.update(metadata)

    @contextlib.contextmanager
    def tracking(self, *, export_file_path: Path, export_format: ExportFormat) -> Iterator[None]:
        assert export_format is ExportFormat.IR_METADATA
        assert self.phase is None
        self.phase = export_file_path.name
        yield
        self.phase = None
        export_file_path.write_text(f"tag: {self.metadata['tag']}\n")


def embeddings(dataset_id: str, model_name: str, text_type: str) -> list[tuple[str, Any, Any]]:
    """Read one folder of embeddings: an id, its terms as strings and its weights for each row."""
    folder = Path(model_name) / text_type
    arrays = np.load(folder / f"{text_type}-embeddings.npz")
    ids = (folder / f"{text_type}-ids.txt").read_text().strip().split("\n")
    terms, weights, ends = arrays["indices"].astype("U30"), arrays["data"], arrays["indptr"]
    return [(name, terms[ends[i] : ends[i + 1]], weights[ends[i] : ends[i + 1]]) for i, name in enumerate(ids)]


def retrieve_command() -> Callable[[Callable[..., None]], click.Command]:
    """Return the decorator that gives a command the options that all approaches have."""

    def decorate(function: Callable[..., None]) -> click.Command:
        options = [
            click.option("--dataset", type=str, required=True),
            click.option("--output", type=Path, required=True),
            click.option("--embedding", type=str, default="naver/splade-v3"),
            click.option("--k", type=int, default=10),
        ]
        for option in options:
            function = option(function)
        return click.command()(function)

    return decorate


def modules(tracker: Tracker) -> dict[str, ModuleType]:
    """Return the modules that the script imports."""
    contents: dict[str, dict[str, Any]] = {
        "lsr_benchmark": {"register_to_ir_datasets": tracker.register_to_ir_datasets},
        "lsr_benchmark.click": {"retrieve_command": retrieve_command},
        "lsr_benchmark.irds": {"embeddings": embeddings},
        "tirex_tracker": {
            "ExportFormat": ExportFormat,
            "register_metadata": tracker.register_metadata,
            "tracking": tracker.tracking,
        },
    }
    made = {name: ModuleType(name) for name in contents}
    for name, module in made.items():
        vars(module).update(contents[name])
    return made
