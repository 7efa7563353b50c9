"""Gathers passages of documentation from the Python that runs, without running any of it.

Sources are parsed, not imported: modules, classes and functions with a docstring become passages
named like ``datetime.datetime.strptime``. What is written in C has no source, so a fixed list of
modules, of the standard library and of what thresher needs anyway, is imported and looked at. The
order is the same every time.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import inspect
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from thresher.demo.corpus import Contents, Passage

if TYPE_CHECKING:
    from thresher.demo.bm25 import StemCounts

# Written in C, or named by decorators: modules that are safe to import, and that thresher or the
# interpreter mostly has imported anyway.
IMPORTED_MODULES = (
    "builtins", "array", "binascii", "bisect", "bz2", "cmath", "collections", "csv", "datetime", "decimal",
    "functools", "gc", "hashlib", "heapq", "io", "itertools", "json", "lzma", "marshal", "math", "mmap",
    "operator", "os", "random", "re", "select", "signal", "socket", "sqlite3", "struct", "sys", "time",
    "unicodedata", "zlib", "numpy", "numpy.linalg", "numpy.random", "scipy.sparse",
)  # fmt: skip

SHORTEST = 60  # characters of a docstring worth finding
MAX_SOURCE = 24_000_000  # bytes of source to parse, which keeps this to a few seconds
MAX_OF_ONE = 6_000_000  # and of one package, so that a huge one does not crowd out the rest
_LARGEST_FILE = 1_000_000

_FIRST_PACKAGES = ("numpy", "scipy")
_SKIPPED = frozenset((
    "__pycache__", "benchmarks", "config", "conftest", "dist-packages", "distutils", "encodings", "ensurepip",
    "examples", "idlelib", "internal", "lib2to3", "mypy", "mypyc", "pip", "pkg_resources", "pydoc_data",
    "setuptools", "site-packages", "test", "testing", "tests", "turtledemo", "vendor", "vendored",
))  # fmt: skip
_OTHER_HOMES = {"os": ("posix", "nt")}  # where a module's C functions say that they live


class Documentation:
    """The docstrings on this machine, weighed by BM25."""

    name = "documentation"
    passages_are = "docstrings"
    vectors_are = "BM25 vectors"
    examples: tuple[str, ...] = (
        "walk a directory tree",
        "least recently used cache",
        "multiply a sparse matrix by a vector",
    )

    def fingerprint(self) -> str:
        """Return a hash of the Python that runs, and of the sources that are there."""
        seen = hashlib.sha256(repr((sys.version, MAX_SOURCE, MAX_OF_ONE)).encode())
        for path, module in _sources():
            status = path.stat()
            seen.update(f"{path} {module} {status.st_size} {status.st_mtime_ns}\n".encode(errors="surrogateescape"))
        return seen.hexdigest()

    def contents(self) -> Contents:
        """Gather the docstrings, and weigh them."""
        from thresher.demo.bm25 import weighed  # noqa: PLC0415 - half a second, which the cache saves

        passages = gather()
        return Contents(passages, *weighed([f"{passage.title} {passage.text}" for passage in passages]))

    def encoder(self, vocabulary: Sequence[str]) -> StemCounts:
        """Return the encoder of questions, whose words are stemmed as those of the docstrings are."""
        from thresher.demo.bm25 import StemCounts  # noqa: PLC0415 - needed by this corpus alone

        return StemCounts(vocabulary)


def gather(*, most_source: int = MAX_SOURCE) -> list[Passage]:
    """Collect the passages on this machine.

    Parameters
    ----------
    most_source
        Bytes of source to parse; what comes after is left out.

    Returns
    -------
    list of Passage
        What is imported first, then the standard library, then installed packages by name; no
        title and no text twice.
    """
    passages: list[Passage] = []
    titles: set[str] = set()
    texts: set[str] = set()
    for title, docstring in _everything(most_source):
        text = inspect.cleandoc(docstring)
        if len(text) >= SHORTEST and title not in titles and text not in texts:
            titles.add(title)
            texts.add(text)
            passages.append(Passage(title, text, title.partition(".")[0]))
    return passages


def from_source(source: bytes, module: str) -> Iterator[tuple[str, str]]:
    """Yield the qualified name and docstring of what is public in a module's source.

    Parameters
    ----------
    source
        The module's text; nothing is yielded if it does not parse.
    module
        Its dotted name.

    Yields
    ------
    tuple of str
        Name and docstring, in the order of the source.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in other people's strings
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from _documented(tree, module)


def from_module(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the qualified name and docstring of what an imported module makes public.

    Parameters
    ----------
    module
        The module; what it only borrows from others is left to them.

    Yields
    ------
    tuple of str
        Name and docstring, by name.
    """
    if module.__doc__:
        yield module.__name__, module.__doc__
    for name, value in sorted(vars(module).items()):
        if name.startswith("_") or not callable(value) or not _lives_in(value, module.__name__):
            continue
        title = name if module.__name__ == "builtins" else f"{module.__name__}.{name}"
        if isinstance(value.__doc__, str):
            yield title, value.__doc__
        if inspect.isclass(value):
            for member, method in sorted(vars(value).items()):
                if not member.startswith("_") and isinstance(getattr(method, "__doc__", None), str):
                    yield f"{title}.{member}", method.__doc__


def _lives_in(value: object, module: str) -> bool:
    """Tell whether `module` is the home of `value`, also by way of its private C part."""
    home = getattr(value, "__module__", None) or type(value).__module__
    return home.lstrip("_") == module.lstrip("_") or home in _OTHER_HOMES.get(module, ())


def _everything(most_source: int) -> Iterator[tuple[str, str]]:
    for name in IMPORTED_MODULES:
        with contextlib.suppress(ImportError):  # some Pythons are built without one or the other
            yield from from_module(importlib.import_module(name))
    spent: Counter[str] = Counter()
    for path, module in _sources():
        size = path.stat().st_size
        package = module.partition(".")[0]
        if size > _LARGEST_FILE or spent[package] + size > MAX_OF_ONE:
            continue
        spent[package] += size
        if spent.total() > most_source:
            return
        yield from from_source(path.read_bytes(), module)


def _sources() -> Iterator[tuple[Path, str]]:
    """Yield the path and public name of every module: the library's, then the packages'."""
    seen: set[Path] = set()
    for key in ("stdlib", "purelib", "platlib"):
        root = Path(sysconfig.get_path(key)).resolve()
        if root in seen or not root.is_dir():
            continue
        seen.add(root)
        for path in _walk(root, private=False):
            parts = path.relative_to(root).with_suffix("").parts
            yield path, ".".join(part for part in parts if not part.startswith("_"))


def _walk(folder: Path, *, private: bool) -> Iterator[Path]:
    """Yield the Python files under `folder`, by name; inside a package, private modules as well.

    A package often defines in private modules what it offers under its own name.
    """
    installed = folder.name in ("site-packages", "dist-packages")
    for path in sorted(folder.iterdir(), key=lambda path: (path.name not in _FIRST_PACKAGES, path.name)):
        if path.name == "__init__.py":
            yield path
            continue
        name = path.stem
        if name.lstrip("_") in _SKIPPED or name.startswith("test_") or (name.startswith("_") and not private):
            continue
        if path.suffix == ".py" and path.is_file():
            yield path
        elif path.name.isidentifier() and path.is_dir() and not path.is_symlink():
            yield from _walk(path, private=private or installed)


def _documented(node: ast.Module | ast.ClassDef, name: str) -> Iterator[tuple[str, str]]:
    """Yield what `node`, a module or class, and its public members say of themselves."""
    own = ast.get_docstring(node, clean=False)
    if own and name:
        yield name, own
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name.startswith("_"):
                continue
            title = f"{name}.{child.name}" if name else child.name
            if isinstance(child, ast.ClassDef):
                yield from _documented(child, title)
            elif docstring := ast.get_docstring(child, clean=False):
                yield title, docstring
