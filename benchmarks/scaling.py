"""What engines cost as collections grow: build, bytes and latency at a recall, and the powers that fit their growth.

python benchmarks/scaling.py run base.csr queries.csr results.jsonl --sizes 1000000,2000000,4000000 --work folder
python benchmarks/scaling.py report results.jsonl plots
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

import thresher
from thresher.cli._errors import reported
from thresher_bench.common import machine
from thresher_bench.growth import UNSEARCHED, Entry, read
from thresher_bench.growth_report import draw, report
from thresher_bench.process import WorkerError, in_time
from thresher_bench.sized import Job, build, search
from thresher_bench.slices import Answers, shape_of_file

ENGINES = ("exact", "impact", "postings", "clustered", "block-max", "graph")  # those that take longest are last

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False, help=__doc__)


@app.command("run")
@reported
def run_(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="Documents, a BigANN .csr file.")],
    queries: Annotated[Path, typer.Argument(metavar="QUERIES", help="Queries, a BigANN .csr file.")],
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A .jsonl file to add to.")],
    *,
    sizes: Annotated[str, typer.Option(help="The first so many documents, several with commas between.")],
    work: Annotated[Path, typer.Option(help="A folder for indexes, and for exact answers, which stay there.")],
    engines: Annotated[str, typer.Option(help=f"Of {', '.join(ENGINES)}.")] = ",".join(ENGINES),
    n_queries: Annotated[int, typer.Option("--queries", min=20, help="The first so many: half to choose on.")] = 1000,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Documents wanted of each query.")] = 10,
    recall: Annotated[list[float] | None, typer.Option(help="May be repeated. [default: 0.95 and 0.90]")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of builds; searches take one.")] = 2,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds of a build, and of the searches after it.")] = 7200,
    search_limit: Annotated[float, typer.Option(min=1, help="Seconds to look for the parameters of a recall.")] = 600,
    pass_limit: Annotated[float, typer.Option(min=0.1, help="Seconds of all queries; slow engines get fewer.")] = 20,
    slice_docs: Annotated[int, typer.Option(min=1, help="Documents that exact answers are found in at a time.")] = (
        1_000_000
    ),
    keep: Annotated[bool, typer.Option("--keep", help="Keep the indexes.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what has failed.")] = False,
) -> None:
    """Measure engines at several sizes; what RESULTS has already is not measured again."""
    rows, columns, nnz = shape_of_file(base)
    recalls = tuple(recall or (0.95, 0.9))
    wanted, names = _sizes(sizes, rows), _engines(engines)
    work.mkdir(parents=True, exist_ok=True)
    there = {(one.engine, one.n_docs): one for one in read(results)}
    truth = Answers(base, queries, n_queries, k, work, step=slice_docs, threads=threads, limit=time_limit)
    facts = machine() | {
        "documents": f"{base.name}, {rows:,} x {columns:,}, {nnz:,} nonzeros",
        "queries": f"{queries.name}, {n_queries:,} at most",
        "measured with": f"{threads} threads for builds, 1 for searches; k = {k}",
    }
    for n_docs in wanted:
        for engine in names:
            known = there.get((engine, n_docs))
            if known is not None and known.reason != UNSEARCHED and not (retry and known.reason):
                _tell(f"{engine}, {n_docs:,}: measured already")
                continue
            entry = Entry(engine, n_docs, threads, k, n_queries, facts)
            job = Job(
                base,
                queries,
                n_queries,
                n_docs,
                engine,
                threads,
                k,
                recalls,
                time_limit,
                search_limit,
                pass_limit,
                work.resolve() / f"{engine}-{n_docs}.thresher",
            )
            if known is not None and job.file.exists():
                entry.built = known.built
            _measure(job, entry, truth, results)
            if not keep and entry.points:
                job.file.unlink(missing_ok=True)


def _measure(job: Job, entry: Entry, truth: Answers, results: Path) -> None:
    """Fill an entry; an index that was built stays until it was searched, so that only that is tried again."""
    try:
        if entry.built is None:
            _tell(f"{job.engine}, {job.n_docs:,}: building")
            entry.built = in_time(job.limit, _tell, build, job)
            entry.reason = UNSEARCHED
            _write(entry, results)
            entry.reason = None
        _tell(f"  {entry.built.seconds:,.1f} s, {entry.built.index_bytes / 1e9:.3f} GB")
        hits = truth.of_first(job.n_docs, _tell)
        _tell(f"{job.engine}, {job.n_docs:,}: searching")
        entry.points = in_time(job.limit, _tell, search, job, hits)
        for point in entry.points:
            _tell(f"  {point.wanted:g}: recall {point.recall:.4f}, {point.cpu_us:,.0f} us a query, {point.params}")
    except WorkerError as error:
        entry.reason = str(error)
        _tell(f"  failed: {error}")
    _write(entry, results)


def _write(entry: Entry, results: Path) -> None:
    with results.open("a") as file:
        file.write(entry.line() + "\n")


@app.command("report")
@reported
def report_(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="What `run` has written.", exists=True)],
    folder: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="For the pictures.")],
) -> None:
    """Print tables, how each quantity grows, and what larger collections would take if that went on."""
    entries = read(results)
    if not entries:
        raise ValueError(f"{results}: nothing was measured")
    for part in report(entries):
        print(part)
    for path in draw(entries, folder):
        _tell(str(path))


def _sizes(text: str, most: int) -> list[int]:
    sizes = sorted({int(part) for part in text.split(",")})
    if not 1 <= sizes[0] <= sizes[-1] <= most:
        raise ValueError(f"--sizes must be from 1 to {most}, the documents of the file; got {text}")
    return sizes


def _engines(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in thresher.engines()]
    if unknown:
        raise ValueError(f"--engines: {unknown[0]!r} is none of {', '.join(ENGINES)}")
    return names


def _tell(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app()
