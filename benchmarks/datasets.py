"""Collections to measure with: fetch the BigANN sparse track's, generate others, compare these with real ones.

python benchmarks/datasets.py fetch base_small bigann/
python benchmarks/datasets.py generate --docs 1000000 --queries 1000 generated/
python benchmarks/datasets.py fit base.csr queries.csr model.npz
python benchmarks/datasets.py check base.csr queries.csr --docs 100000 --model model.npz
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from thresher import FormatError, datasets
from thresher_bench.common import load

if TYPE_CHECKING:
    from thresher.datasets._sampler import Kind


def model_of(args: argparse.Namespace) -> datasets.Model:
    """Return the model that the command line names."""
    return datasets.Model.shipped() if args.model is None else datasets.Model.load(args.model)


def fetch(args: argparse.Namespace) -> None:
    """Fetch a file of the track, or all three of a size."""
    options: dict[str, Any] = {"progress": sys.stderr.isatty()} | ({"source": args.source} if args.source else {})
    if args.name in ("base_small", "base_1M", "base_full"):
        print(*datasets.fetch_track(args.name, args.folder, **options), sep="\n")
    else:
        print(datasets.fetch(args.name, args.folder, **options))


def generate(args: argparse.Namespace) -> None:
    """Write base.csr and queries.csr."""
    model = model_of(args)
    args.folder.mkdir(parents=True, exist_ok=True)
    wanted: tuple[tuple[str, int, Kind], ...] = (("base", args.docs, "documents"), ("queries", args.queries, "queries"))
    for name, rows, kind in wanted:
        path = args.folder / f"{name}.csr"
        with tqdm(total=rows, desc=path.name, unit=kind[:-1], disable=None) as bar:
            datasets.generate_to(
                path, model, rows, kind=kind, seed=args.seed, threads=args.threads, progress=bar.update
            )
        print(path)


def fit(args: argparse.Namespace) -> None:
    """Fit a model and save it."""
    docs, queries = load(args.base), load(args.queries)
    started = time.perf_counter()
    model = datasets.fit(docs, queries, topics=args.topics, calibrate=args.calibrate)
    model.save(args.model)
    print(f"{args.model}: {args.model.stat().st_size:,} bytes, {time.perf_counter() - started:.0f} s, {model.sharing}")


def check(args: argparse.Namespace) -> int:
    """Compare a collection with a generated one of the same size; return 1 if they differ too much."""
    docs, queries = load(args.base, args.docs), load(args.queries, args.ask)
    model = model_of(args)
    made = datasets.generate(model, docs.shape[0], seed=args.seed, threads=0)
    asked = datasets.generate(model, queries.shape[0], kind="queries", seed=args.seed)
    found = datasets.compare(docs, queries, made, asked, max_queries=args.ask)
    print(found)
    return 0 if found.passed else 1


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    commands = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = commands.add_subparsers(required=True)
    one = sub.add_parser("fetch", help="fetch base_small, base_1M or base_full with queries and truth, or one file")
    one.add_argument("name")
    one.add_argument("folder", type=Path)
    one.add_argument("--source", help="another address, or a folder that holds the files")
    one.set_defaults(run=fetch)
    one = sub.add_parser("generate", help="write base.csr and queries.csr")
    one.add_argument("--docs", type=int, required=True)
    one.add_argument("--queries", type=int, default=1_000, help="default: %(default)s")
    one.add_argument("--threads", type=int, default=0, help="default: one a CPU")
    one.add_argument("folder", type=Path)
    one.set_defaults(run=generate)
    two = sub.add_parser("fit", help="fit a model to a collection")
    two.add_argument("base", type=Path)
    two.add_argument("queries", type=Path)
    two.add_argument("model", type=Path)
    two.add_argument("--topics", type=int, default=400, help="default: %(default)s")
    two.add_argument(
        "--no-calibrate",
        dest="calibrate",
        action="store_false",
        help="keep the shipped model's numbers of how much neighbours share: minutes less",
    )
    two.set_defaults(run=fit)
    three = sub.add_parser("check", help="compare a collection with a generated one")
    three.add_argument("base", type=Path)
    three.add_argument("queries", type=Path)
    three.add_argument("--docs", type=int, help="use the first N documents only")
    three.add_argument("--ask", type=int, default=500, help="queries to ask (default: %(default)s)")
    three.set_defaults(run=check)
    for command in (one, three):
        command.add_argument("--model", type=Path, help="default: the one that is shipped")
        command.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    return commands


def main() -> int:
    """Run the command line."""
    args = parser().parse_args()
    try:
        return args.run(args) or 0
    except (OSError, ValueError, FormatError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
