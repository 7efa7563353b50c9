"""What every wheel must pass with its runtime dependencies alone: build, search, save, open, search again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse

import thresher

K = 10


def main() -> None:
    """Compare `ExactIndex` with scipy, before and after a round trip through a file."""
    docs = scipy.sparse.random(2000, 500, density=0.05, format="csr", dtype=np.float32, random_state=7)
    queries = scipy.sparse.random(50, 500, density=0.05, format="csr", dtype=np.float32, random_state=8)
    products = (queries @ docs.T).toarray()
    expected = -np.sort(-products, axis=1)[:, :K]

    index = thresher.ExactIndex.build(docs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "smoke.thresher"
        index.save(path)
        for engine in (index, thresher.open(path)):
            hits = engine.search(queries, k=K)
            if hits.ids.dtype != np.int64 or hits.scores.dtype != np.float32:
                raise SystemExit(f"smoke: ids are {hits.ids.dtype}, scores {hits.scores.dtype}")
            np.testing.assert_allclose(hits.scores, expected, rtol=1e-5)
            np.testing.assert_allclose(np.take_along_axis(products, hits.ids, axis=1), expected, rtol=1e-5)
    print(f"smoke: thresher {thresher.__version__} agrees with scipy, in memory and from a file")


if __name__ == "__main__":
    main()
