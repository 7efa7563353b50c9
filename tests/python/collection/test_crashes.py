"""Processes at a collection that are killed, interrupted or refused the disk lose nothing that was acknowledged.

``tests/soak/killed_writers.py`` kills a thousand, ``tests/soak/stopped_collection.py`` stops at each step.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from collection_killing import Killing
from collection_steps import OPERATIONS, Trial, interrupted_at, killed_at, refused_at, stopped


def test_killed_processes_lose_nothing(tmp_path: Path) -> None:
    killing = Killing(tmp_path, random.Random(5))
    killing.run(6)
    assert killing.seen
    assert sum(n for what, n in killing.killed.items() if what.startswith("write")) == 6


@pytest.mark.parametrize("kind", OPERATIONS)
@pytest.mark.parametrize("how", [killed_at, refused_at, interrupted_at])
def test_what_is_stopped_is_done_whole_or_not_at_all(
    tmp_path: Path, kind: str, how: Callable[[Trial, int], bool]
) -> None:
    assert stopped(how, tmp_path, kind, 3) == 3
