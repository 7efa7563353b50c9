"""What the benchmarks share: loading, timing, memory of this process, tables."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import platform
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np
from scipy import sparse

from thresher import _core
from thresher.formats import bigann, detect, npz

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


P = ParamSpec("P")
T = TypeVar("T")


def load(path: Path, rows: int | None = None) -> sparse.csr_matrix:
    """Read the first `rows` rows of a ``.csr`` or ``.npz`` file into memory, so that none is read later."""
    if detect(path) == "npz":
        matrix = npz.read_npz(path, allow_negative=True)
        indptr, indices, data, shape = matrix.indptr, matrix.indices, matrix.data, matrix.shape
    else:
        indptr, indices, data, shape = bigann.read_csr_arrays(path, allow_negative=True)
    n_rows = shape[0] if rows is None else min(rows, shape[0])
    nnz = int(indptr[n_rows])
    parts = np.array(data[:nnz]), np.array(indices[:nnz]), np.array(indptr[: n_rows + 1])
    return sparse.csr_matrix(parts, shape=(n_rows, shape[1]))


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that a call took, and its result."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def median_seconds(call: Callable[[], object], repetitions: int) -> float:
    """Return the median time of a call."""
    return statistics.median(timed(call)[0] for _ in range(repetitions))


def cpu_seconds(call: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    """Return the CPU seconds of a call, by default those of this thread."""
    start = clock()
    call()
    return clock() - start


def in_turn(measures: Sequence[Callable[[], float]], rounds: int) -> list[float]:
    """Return the median of what each of these measures, in rounds in which they take turns."""
    rows = [[measure() for measure in measures] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def wall_and_cpus(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call took, and CPU seconds over them: how many cores worked for it."""
    cpu = time.process_time()
    wall, _ = timed(call)
    return wall, (time.process_time() - cpu) / wall


def in_fresh_process(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a module-level function in a new interpreter, whose memory holds nothing of this one's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(call, *args, **kwargs).result()


def memory(*fields: str, file: str = "status") -> int:
    """Return the sum of fields of ``/proc/self/<file>``, such as VmRSS or VmHWM, in bytes."""
    lines = Path("/proc/self", file).read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    return sum(int(values[field].split()[0]) * 1024 for field in fields)


def settle() -> None:
    """Give freed memory back to the system, so that what is resident is in use."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def reset_peak() -> None:
    """Make VmHWM start again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def pin(*cpus: int) -> None:
    """Keep every thread of this process, also those of libraries, on some CPUs."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # a thread that has just ended
            os.sched_setaffinity(int(task.name), cpus)


def machine() -> dict[str, str]:
    """Return what a figure depends on beside the code: processor, instruction set, versions."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    total = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    versions = [
        f"thresher {_core.__version__}",
        f"Python {platform.python_version()}",
        *(f"{name} {metadata.version(name)}" for name in ("numpy", "scipy")),
    ]
    return {
        "machine": f"{cpu}, {os.cpu_count()} cores, {total / 2**20:.0f} GB",
        "ISA": _core.isa(),
        "versions": ", ".join(versions),
    }


def shape_of(matrix: sparse.csr_matrix) -> str:
    """Describe a matrix: rows, columns, nonzeros a row."""
    rows, columns = matrix.shape
    return f"{rows:,} x {columns:,}, {matrix.nnz / max(1, rows):.1f} nonzeros each"


def print_facts(facts: dict[str, str]) -> None:
    """Print names and values, aligned."""
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")
    print()


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, ["-" * width for width in widths], *rows):
        first, *others = (
            f"{cell:{'>' if column else '<'}{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
