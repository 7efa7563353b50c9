"""The commands: measure and show, or show again what was measured."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm import tqdm

import thresher
from thresher.cli._errors import reported
from thresher.formats.bigann import read_ground_truth
from thresher_bench import grids
from thresher_bench.common import load, machine, shape_of
from thresher_bench.contest import Contest, Options
from thresher_bench.page import write_report
from thresher_bench.results import Results
from thresher_bench.table import show
from thresher_bench.truth import Truth

if TYPE_CHECKING:
    from scipy import sparse

app = typer.Typer(
    name="thresher-bench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,  # or what stands in brackets would be lost
    context_settings={"help_option_names": ["-h", "--help"]},
)

_MEMORY_SHARE = 0.7  # of what is available
_NONZERO_BYTES = 8


@app.callback()
def _common() -> None:
    """Compare thresher's engines with other libraries on vectors of your own."""


@app.command()
@reported
def peers(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="Documents: .csr or .npz.")],
    queries: Annotated[Path, typer.Argument(metavar="QUERIES", help="Queries: .csr or .npz.")],
    truth: Annotated[
        Path | None,
        typer.Argument(metavar="TRUTH", help="Ground truth of all documents, as `thresher truth` writes it."),
    ] = None,
    *,
    docs: Annotated[int | None, typer.Option("--docs", min=1, help="Use the first N documents.")] = None,
    n_queries: Annotated[
        int, typer.Option("--queries", min=2, help="Use the first N queries: half to pick settings on.")
    ] = 1000,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Documents wanted of each query.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds on both halves.")] = 3,
    time_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a build may take, and a pass of a setting over the queries.")
    ] = 1800,
    libraries: Annotated[
        str | None, typer.Option(help=f"Of {', '.join(grids.names())}; all but Qdrant and bm25s without.")
    ] = None,
    small: Annotated[bool, typer.Option("--quick", help="Small grids: a first look.")] = False,
    cpu: Annotated[int | None, typer.Option(help="Keep searches on this CPU (default: the last).")] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.1, help="GB for all processes together (default: 70% of what is free).")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything that was measured to this file.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Write recall-qps.png, latency.png and report.html into this folder.")
    ] = None,
) -> None:
    """Measure libraries on one data set: the best queries a second at recalls of 0.90, 0.95, 0.97, 0.99 and exact.

    Each index is built in a process of its own, and all settings of its library's grid are tried on the first half of
    the queries, on one thread. What no other setting clearly beats is measured again on both halves, in interleaved
    rounds: the first picks, the other is reported. What fails, takes too long or is not installed is in the table with
    its reason. Ctrl-C ends it with what was measured.
    """
    names = grids.usual() if libraries is None else _names(libraries)
    if truth is not None and docs is not None:
        raise ValueError("a ground truth is of all documents: leave out either TRUTH or --docs")
    cpus = sorted(os.sched_getaffinity(0))
    if cpu is not None and cpu not in cpus:
        raise ValueError(f"--cpu is {cpu}; this process may use {', '.join(map(str, cpus))}")
    documents, questions = _loaded(base, queries, docs, n_queries)
    known = None if truth is None else read_ground_truth(truth).ids
    options = Options(
        base=base,
        queries=queries,
        n_docs=docs,
        n_queries=questions.shape[0],
        k=k,
        rounds=rounds,
        time_limit=time_limit,
        cpu=cpus[-1] if cpu is None else cpu,
        memory=int(_available() * _MEMORY_SHARE if memory is None else memory * 1e9),
        input_bytes=documents.nnz * _NONZERO_BYTES,
    )
    facts = machine() | {
        "documents": shape_of(documents),
        "queries": shape_of(questions),
        "k": str(k),
        "measured": f"median of {rounds} interleaved rounds, one thread, CPU {options.cpu}"
        + (", small grids" if small else ""),
        "load": f"{os.getloadavg()[0]:.1f} before it began",
        "date": time.strftime("%Y-%m-%d"),
    }
    grid_of = grids.quick if small else grids.whole
    tried = {name: grid_of(name, documents.shape[0], k) for name in names}
    watcher = Bar()
    watcher.note("computing the exact answers")
    checked = Truth.checked(documents, questions, k, known)
    started = time.perf_counter()
    contest = Contest(tried, options, checked, watcher)
    stopped = False
    try:
        contest.run()
    except KeyboardInterrupt:
        stopped = True
    finally:
        watcher.close()
    facts["took"] = f"{time.perf_counter() - started:,.0f} s" + (", then stopped before the end" if stopped else "")
    results = Results(facts, contest.libraries)
    if json is not None:
        results.write(json)
    show(results)
    if plot is not None:
        watcher.note(f"wrote {write_report(results, plot)}")
    if stopped:
        raise KeyboardInterrupt


@app.command()
@reported
def report(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="What `peers --json` has written.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write the pictures and the page.")],
) -> None:
    """Print the tables and draw the pictures again, without measuring."""
    measured = Results.read(results)
    show(measured)
    path = write_report(measured, folder)
    sys.stderr.write(f"wrote {path}\n")


class Bar:
    """A progress bar on stderr where that is a terminal; lines that stay in any case."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] = tqdm(total=0, disable=None, leave=False, unit=" steps", dynamic_ncols=True)
        self._begun = False

    def plan(self, steps: int) -> None:
        """Add steps to do."""
        self._bar.total = (self._bar.total or 0) + steps
        self._bar.refresh()

    def step(self, what: str) -> None:
        """Say what is done now; what was done before is done."""
        if self._begun:
            self._bar.update()
        self._begun = True
        self._bar.set_description_str(what)

    def note(self, line: str) -> None:
        """Write a line that stays."""
        tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        """Clear the bar."""
        self._bar.close()


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if unknown := [name for name in names if name not in grids.names()]:
        raise ValueError(f"--libraries has {', '.join(unknown)}; there are {', '.join(grids.names())}")
    if not names:
        raise ValueError("--libraries names none")
    return names


def _loaded(base: Path, queries: Path, docs: int | None, n_queries: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    documents, questions = load(base, docs), load(queries, n_queries)
    if documents.shape[0] < 1:
        raise ValueError(f"{base} has no documents")
    if questions.shape[0] < 2:
        raise ValueError(f"{queries} has {questions.shape[0]} queries; two at least are needed, one half to pick on")
    if documents.shape[1] != questions.shape[1]:
        raise ValueError(f"{base} has {documents.shape[1]} terms, {queries} has {questions.shape[1]}")
    return documents, questions


def _available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    raise thresher.FormatError("/proc/meminfo has no MemAvailable")
