"""A writer of texts to be killed: ``python text_crashes.py PATH SEED`` weighs its documents anew again and again."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from text_corpora import drawn, encoder
from thresher.collection import Collection, Upkeep


def write(path: Path, seed: int) -> None:
    """Upsert, delete and optimize, for ever."""
    rng = random.Random(seed)
    print("ready", flush=True)
    made = encoder()
    upkeep = Upkeep(flush_docs=30, flush_upserts=60, merge_width=2)
    collection = (
        Collection.open(path, "rw", encoder=made)
        if path.exists()
        else Collection.create(path, encoder=made, upkeep=upkeep)
    )
    while True:
        texts = drawn(rng.randint(1, 20), n_words=12, mean=rng.choice([1.5, 6, 20]), seed=rng.randrange(10**6))
        collection.upsert([f"d{rng.randrange(60)}" for _ in texts], texts=texts)
        collection.delete([f"d{rng.randrange(60)}"])
        if rng.random() < 0.7:
            collection.optimize()


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
