"""Each operation of a collection, stopped at each of its steps: killed, refused by the disk, interrupted.

python tests/soak/stopped_collection.py
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

import collection_steps as steps


def main() -> None:
    """Stop each, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, help="stop each operation at so many of its steps")
    parser.add_argument("--operations", nargs="*", default=list(steps.OPERATIONS))
    parser.add_argument("--how", nargs="*", default=["killed", "refused", "interrupted"])
    arguments = parser.parse_args()
    for how, kind in itertools.product(arguments.how, arguments.operations):
        with tempfile.TemporaryDirectory() as folder:
            n = steps.stopped(getattr(steps, f"{how}_at"), Path(folder), kind, arguments.steps)
        print(f"{kind} {how} at {n} of its steps: all as it should be", flush=True)


if __name__ == "__main__":
    main()
