"""Ten thousand random histories of a collection against a dict of documents.

python tests/soak/histories.py --histories 10000 --seed 0
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from collection_histories import Histories

_AT_ONCE = 500  # histories of one seed


def main() -> None:
    """Look for a history that ends otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of what hypothesis draws")
    arguments = parser.parse_args()
    for done in range(0, arguments.histories, _AT_ONCE):
        n = min(_AT_ONCE, arguments.histories - done)
        run_state_machine_as_test(
            seed(arguments.seed + done)(Histories),
            settings=settings(
                max_examples=n,
                stateful_step_count=25,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        print(f"{done + n} histories from seed {arguments.seed} on: all as they should be", flush=True)


if __name__ == "__main__":
    main()
