"""A vocabulary of millions of terms, most of them in one or two documents: bytes, opening, looking a word up.

python benchmarks/huge_vocabulary.py --docs 200000 --terms 10000000
"""

from __future__ import annotations

import argparse
import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

import thresher
from thresher_bench.common import (
    in_fresh_process,
    machine,
    median_seconds,
    memory,
    print_facts,
    print_table,
    reset_peak,
    settle,
    shape_of,
    timed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NONZEROS = 100  # of a document
FREQUENT = 0.4  # the fraction of nonzeros that are of few terms, as in any collection of texts
SPREAD = 2**32 - 1  # columns that terms are anywhere among, where they have no words
LOOKUPS = 20_000
BARS = {"bytes": 12.0, "open": 50.0, "word": 2.0}  # of a nonzero; ms; us


def collection(n_docs: int, n_terms: int, columns: int) -> sparse.csr_array:
    """Return documents that use every term: most once or twice, some as often as words are."""
    rng = np.random.default_rng(7)
    nnz = n_docs * NONZEROS
    often = np.minimum(rng.zipf(1.2, max(0, min(nnz - n_terms, int(FREQUENT * nnz)))), n_terms) - 1
    again = rng.integers(0, n_terms, max(0, nnz - n_terms - len(often)))
    terms = rng.permutation(np.concatenate([np.arange(n_terms), often, again]))
    ids = (
        np.sort(rng.choice(columns, n_terms, replace=False, shuffle=False)) if columns > n_terms else np.arange(n_terms)
    )
    weights = rng.gamma(2.0, 0.5, len(terms)).astype(np.float16).astype(np.float32) + np.float32(0.125)
    rows = np.arange(n_docs + 1) * (len(terms) // n_docs)
    last = rows[-1]
    docs = sparse.csr_array((weights[:last], ids[terms[:last]].astype(np.int64), rows), shape=(n_docs, columns))
    docs.sum_duplicates()
    return docs


def words_of(n_terms: int) -> list[str]:
    """Return a word for each term, ascending, as the names of entities are."""
    return [f"entity_{term:08d}" for term in range(n_terms)]


def peak_of_build(engine: str, shape: tuple[int, int, int]) -> int:
    """Return the peak memory of a build above the input, in a process that has done nothing else."""
    docs = collection(*shape)
    kind: Any = thresher.engines()[engine]
    kind.build(docs[:10])
    settle()
    reset_peak()
    before = memory("VmHWM")
    kind.build(docs)
    return memory("VmHWM") - before


def measure(engine: str, args: argparse.Namespace, folder: Path, *, spread: bool) -> Iterator[tuple[str, str, str]]:
    """Yield every figure of an engine: what, how much, and the bar."""
    shape = args.docs, args.terms, SPREAD if spread else args.terms
    docs = collection(*shape)
    kind: Any = thresher.engines()[engine]
    words = {} if spread else {"words": words_of(args.terms)}
    seconds, index = timed(lambda: kind.build(docs, **words))
    what = f"{engine}, terms anywhere" if spread else f"{engine}, words"
    nbytes = index.nbytes
    each = {part: size / index.nnz for part, size in nbytes.items()}
    parts = ", ".join(f"{part} {size:.2f}" for part, size in sorted(each.items(), key=lambda one: -one[1])[:5])
    yield f"{what}: bytes a nonzero ({parts})", f"{sum(each.values()):.2f}", f"<= {BARS['bytes']:g}"
    yield f"{what}: build, s", f"{seconds:.1f}", ""
    yield (
        f"{what}: peak of the build / index",
        f"{in_fresh_process(peak_of_build, engine, shape) / sum(nbytes.values()):.2f}",
        "",
    )
    path = folder / f"{engine}.thresher"
    index.save(path)
    index.close()
    for verify in (True, False):
        opening = median_seconds(functools.partial(opened_and_closed, path, verify=verify), 11)
        yield f"{what}: open, verify={verify}, ms", f"{opening * 1e3:.2f}", f"<= {BARS['open']:g}"
    if spread:
        return
    with thresher.open(path) as opened:
        known = opened.words
        assert known is not None
        rng = np.random.default_rng(8)
        asked = [f"entity_{term:08d}" for term in rng.integers(0, args.terms, LOOKUPS)]
        calls: dict[str, Callable[[], object]] = {
            "a word's number": lambda: known.find_all(asked),
            "one by one": lambda: [known.find(word) for word in asked],
        }
        for name, call in calls.items():
            first = timed(call)[0] / LOOKUPS
            again = median_seconds(call, 5) / LOOKUPS
            yield f"{what}: {name}, us (first {first * 1e6:.2f})", f"{again * 1e6:.2f}", f"<= {BARS['word']:g}"


def opened_and_closed(path: Path, *, verify: bool) -> None:
    """Open an index, and no more."""
    thresher.open(path, verify=verify).close()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=int, default=200_000, help="default: %(default)s")
    parser.add_argument("--terms", type=int, default=10_000_000, help="distinct ones; default: %(default)s")
    parser.add_argument("--engines", default="exact", help="default: %(default)s")
    args = parser.parse_args()
    if args.terms > args.docs * NONZEROS:
        parser.error(f"--terms: at most {NONZEROS} for each document")

    docs = collection(args.docs, args.terms, args.terms)
    print_facts(machine() | {"documents": shape_of(docs), "terms in one or two": share_of_rare(docs)})
    rows = []
    with tempfile.TemporaryDirectory(prefix="thresher-") as folder:
        for engine in args.engines.split(","):
            for spread in (False, True):
                rows += [list(row) for row in measure(engine, args, Path(folder).resolve(), spread=spread)]
    print_table(["figure", "measured", "bar"], rows)


def share_of_rare(docs: sparse.csr_array) -> str:
    """Return the share of the terms that one or two documents have."""
    frequencies = np.bincount(docs.indices)
    return f"{np.mean(frequencies[frequencies > 0] <= 2):.0%}"


if __name__ == "__main__":
    main()
