"""Processes at collections that are killed at random moments: nothing that was acknowledged may be lost.

python tests/soak/killed_writers.py --kills 1000 --seed 0

Writers are killed in all that they do, backups and restores among it; so are readers and processes that make backups,
which are there throughout. `TMPDIR` on a RAM disk makes it faster, and proves as much: what a killed process wrote is
the system's.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from collection_killing import Killing

_KILLS = 20  # in one collection


def main() -> None:
    """Kill, compare, go on; begin anew now and then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000, help="of writers")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    killed: Counter[str] = Counter()
    seen = 0
    for begin in range(0, arguments.kills, _KILLS):
        seed = arguments.seed + begin
        with tempfile.TemporaryDirectory() as folder:
            killing = Killing(Path(folder), random.Random(seed))
            try:
                killing.run(min(_KILLS, arguments.kills - begin))
            except BaseException:
                print(f"collection of seed {seed}", file=sys.stderr)
                raise
        killed += killing.killed
        seen += killing.seen
    for what, n in sorted(killed.items()):
        print(f"{n:6} {what}")
    print(f"{arguments.kills} writers killed, {seen} states seen by others: all that was acknowledged was there")


if __name__ == "__main__":
    main()
