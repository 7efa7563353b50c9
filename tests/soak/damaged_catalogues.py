"""Thousands of alterations of a catalogue: each ends as a result, or as an error that is meant for damage.

python tests/soak/damaged_catalogues.py --alterations 5000
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from collection_damage import damage_and_use, prepared

_SECONDS = 300  # after which an alteration counts as one that hangs


def main() -> None:
    """Look for an alteration that ends otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alterations", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as folder:
        template = prepared(Path(folder) / "template")
        for seed in range(arguments.seed, arguments.seed + arguments.alterations):
            faulthandler.dump_traceback_later(_SECONDS, exit=True)
            damage_and_use(template, Path(folder) / "damaged", seed)
        faulthandler.cancel_dump_traceback_later()
    print(f"{arguments.alterations} alterations: all as they should be")


if __name__ == "__main__":
    main()
