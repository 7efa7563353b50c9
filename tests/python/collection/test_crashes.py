"""A killed writer loses nothing that it acknowledged. ``tests/soak/killed_writers.py`` kills a thousand."""

from __future__ import annotations

import random
from pathlib import Path

from collection_crashes import State, compare, killed


def test_what_was_acknowledged_outlives_the_writer(tmp_path: Path) -> None:
    rng = random.Random(5)
    state: State = {}
    for _ in range(5):
        state = killed(tmp_path / "docs", state, rng, 0.6)
    assert state
    compare(tmp_path / "docs", [state], "at the end")


def test_a_writer_killed_in_create_leaves_a_collection_or_nothing(tmp_path: Path) -> None:
    rng = random.Random(6)
    for number in range(3):
        killed(tmp_path / f"docs{number}", {}, rng, 0.04)
