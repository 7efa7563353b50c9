"""Writers of collections that are killed at random moments: nothing that was acknowledged may be lost.

python tests/soak/killed_writers.py --kills 1000
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from collection_crashes import State, killed


def main() -> None:
    """Kill, compare, go on; begin anew now and then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        path, state = Path(folder) / "docs", State()
        for number in range(arguments.kills):
            if number % 20 == 0:
                shutil.rmtree(path, ignore_errors=True)
                state = {}
            state = killed(path, state, rng, 0.05 if number % 20 == 0 else 1.0)
    print(f"{arguments.kills} kills: all that was acknowledged was there")


if __name__ == "__main__":
    main()
