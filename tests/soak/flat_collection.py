"""A long life of a collection: memory, open files, files on the disk and the log must not grow.

python tests/soak/flat_collection.py --operations 100000

The number of documents stays; the first fifth is to warm up. Readers come, hold versions and go meanwhile.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import tempfile
from pathlib import Path

from thresher.collection import Collection, Upkeep

_N = 2_000
_TERMS = 500
_SAMPLES = 50


def _sizes(path: Path) -> dict[str, int]:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "resident MB": pages * os.sysconf("SC_PAGE_SIZE") >> 20,
        "open files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "files": sum(len(files) for _, _, files in os.walk(path)),
        "catalogue kB": (path / "catalogue.sqlite").stat().st_size >> 10,
        "log kB": (path / "catalogue.sqlite-wal").stat().st_size >> 10,
    }


def _live(path: Path, operations: int, rng: random.Random) -> list[dict[str, int]]:
    samples = []
    upkeep = Upkeep(flush_docs=1000)
    with Collection.create(path, n_terms=_TERMS, fields={"n": "int"}, durability="normal", upkeep=upkeep) as collection:
        reader = Collection.open(path)
        held = collection.snapshot()
        for number in range(operations):
            ids = rng.sample(range(_N), 5)
            what = rng.random()
            if what < 0.5:
                rows = [{rng.randrange(_TERMS): rng.random() + 0.1 for _ in range(10)} for _ in ids]
                collection.upsert(ids, rows, [{"n": number}] * 5)
            elif what < 0.6:
                collection.delete(ids[:2])
            elif what < 0.8:
                collection.update_payload(ids, {"n": -number})
            elif what < 0.95:
                rng.choice([collection, reader, held]).search([{ids[0] % _TERMS: 1.0}], 5, where={"n": {"$gt": ids[1]}})
            elif what < 0.98:
                reader.refresh()
            else:
                reader.close()
                held.close()
                reader, held = Collection.open(path), collection.snapshot()
            if number % (operations // _SAMPLES) == 0:
                samples.append(_sizes(path))
                print(f"{number} operations: {samples[-1]}", flush=True)
        reader.close()
    return samples


def main() -> None:
    """Live, and compare the last fifth with the second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = _live(Path(folder) / "docs", arguments.operations, random.Random(1))
    fifth = _SAMPLES // 5
    grown = []
    for name in samples[0]:
        early = max(sample[name] for sample in samples[fifth : 2 * fifth])
        late = max(sample[name] for sample in samples[-fifth:])
        print(f"{name}: {early} early, {late} late")
        if late > 1.25 * early + 8:
            grown.append(name)
    if grown:
        raise SystemExit(f"grown: {', '.join(grown)}")


if __name__ == "__main__":
    main()
