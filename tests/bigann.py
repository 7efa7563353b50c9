"""Runs `make bigann` on tiny files made here, and checks what comes out on stdout; needs nothing but Python."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from array import array
from pathlib import Path

Row = dict[int, float]

N_DOCS, N_QUERIES, N_TERMS, K = 500, 20, 50, 10


def random_rows(n_rows: int, seed: int) -> list[Row]:
    """Rows of 4 to 12 terms, the first of them more often."""
    draw = random.Random(seed)
    lengths = (draw.randint(4, 12) for _ in range(n_rows))
    return [{int(N_TERMS * draw.random() ** 2): draw.uniform(0.1, 2) for _ in range(n)} for n in lengths]


def write_csr(path: Path, rows: list[Row]) -> None:
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    terms = [term for row in rows for term in sorted(row)]
    weights = [row[term] for row in rows for term in sorted(row)]
    header = array("q", [len(rows), N_TERMS, len(terms)])
    parts = header, array("q", starts), array("i", terms), array("f", weights)
    path.write_bytes(b"".join(part.tobytes() for part in parts))


def best(docs: list[Row], query: Row) -> list[tuple[float, int]]:
    """Return the best K of `docs`, as scores and ids."""
    scores = [(sum(weight * doc.get(term, 0) for term, weight in query.items()), i) for i, doc in enumerate(docs)]
    return sorted(scores, key=lambda hit: (-hit[0], hit[1]))[:K]


def write_truth(path: Path, answers: list[list[tuple[float, int]]]) -> None:
    ids = array("i", [doc for answer in answers for _, doc in answer])
    scores = array("f", [score for answer in answers for score, _ in answer])
    path.write_bytes(b"".join(part.tobytes() for part in (array("I", [len(answers), K]), ids, scores)))


def make_bigann(**options: object) -> list[dict[str, object]]:
    """Return the lines of the output; anything else on stdout is an error here."""
    words = [f"{name}={value}" for name, value in options.items()]
    done = subprocess.run(["make", "bigann", *words], stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    """Run all checks."""
    with tempfile.TemporaryDirectory(prefix="thresher ") as folder:  # a blank, as paths may have
        base, queries, truth, half = (Path(folder, name) for name in ("base.csr", "queries.csr", "truth.gt", "half.gt"))
        docs, asked = random_rows(N_DOCS, 1), random_rows(N_QUERIES, 2)
        write_csr(base, docs)
        write_csr(queries, asked)
        answers = [best(docs, query) for query in asked]
        write_truth(truth, answers)
        # Of every second query, documents that score nothing are said to be the best.
        nothing = [[i for i, doc in enumerate(docs) if not doc.keys() & query.keys()][:K] for query in asked]
        wrong = [answer if i % 2 else [(1e6, doc) for doc in nothing[i]] for i, answer in enumerate(answers)]
        assert all(len(answer) == K for answer in wrong)
        write_truth(half, wrong)

        files = {"BASE": base, "QUERIES": queries, "REPEATS": 2}
        [line] = make_bigann(**files, TRUTH=truth, ENGINE="exact", THREADS=1)
        assert line["engine"] == "exact", line
        assert line["recall"] == 1, line
        assert all(float(str(line[key])) > 0 for key in ("qps", "build_s", "p99_us")), line
        [line] = make_bigann(**files, TRUTH=half, ENGINE="exact", THREADS=2)
        assert line["recall"] == 0.5, line
        index = Path(folder, "index")
        built = make_bigann(**files, TRUTH=truth, ENGINE="clustered", THREADS=1, INDEX=index)
        opened = make_bigann(QUERIES=queries, TRUTH=truth, INDEX=index, REPEATS=1)
        assert len(built) > 1
        assert [line["recall"] for line in built] == [line["recall"] for line in opened], (built, opened)
        done = subprocess.run(["make", "bigann", "ENGINE=exact"], capture_output=True, check=False, text=True)
        assert done.returncode == 2, done
        assert not done.stdout, done
    print(f"make bigann: {len(built) + 2} points", file=sys.stderr)


if __name__ == "__main__":
    main()
