"""What importing the package costs: numpy and scipy, and nothing that only an extra needs."""

from __future__ import annotations

import importlib.util

import pytest

from helpers import run_python

EXTRAS = (
    *("bm25s", "fastembed", "google", "hypothesis", "ir_datasets", "ir_measures", "jinja2", "matplotlib", "pytest"),
    *("regex", "rich", "sentence_transformers", "sklearn", "Stemmer", "stopwordsiso", "tokenizers", "torch", "tqdm"),
    *("transformers", "typer"),
)


def output(code: str) -> str:
    done = run_python(code)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_no_extra_is_imported() -> None:
    code = """
import scipy.sparse, thresher, thresher.datasets
docs = scipy.sparse.csr_array([[1.0, 0.0], [0.0, 2.0]])
thresher.ExactIndex.build(docs).search(docs)
import sys
print(*sorted({module.partition(".")[0] for module in sys.modules}))
"""
    modules = output(code).split()
    assert {"numpy", "scipy", "thresher"} <= set(modules)
    assert set(modules) & set(EXTRAS) == set()


def test_numpy_and_scipy_are_enough() -> None:
    code = """
import importlib.metadata, sys

others = set(importlib.metadata.packages_distributions()) - {"numpy", "scipy", "thresher"}

class Alone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in others:
            raise ModuleNotFoundError(f"{name} is not there")

sys.meta_path.insert(0, Alone())
import thresher, thresher.datasets
print(all(hasattr(thresher, name) for name in thresher.__all__))
"""
    assert output(code) == "True\n"


def test_what_is_imported_when_it_is_used() -> None:
    code = """
import sys, thresher
later = ["datasets", "evaluation", "formats", "evaluate", "tune", "Tuned", "estimate", "Estimate"]
rooms = ("collection", "datasets", "evaluation", "formats", "tuning")
print([name for name in sys.modules if name.startswith(tuple(f"thresher.{room}" for room in rooms))])
print(set(thresher.__all__) <= set(dir(thresher)), set(later) <= set(thresher.__all__))
print([getattr(thresher, name).__name__ for name in later])
print(hasattr(thresher, "format"))
"""
    names = ["thresher.datasets", "thresher.evaluation", "thresher.formats", "evaluate"]
    names += ["tune", "Tuned", "estimate", "Estimate"]
    assert output(code).splitlines() == ["[]", "True True", repr(names), "False"]


def test_engines_is_a_function_and_a_package() -> None:
    code = """
import thresher.engines.graph as first
import thresher
from thresher import engines
from thresher.engines import index
from thresher.engines.graph import GraphIndex
print(thresher.engines()["graph"] is engines()["graph"] is first.GraphIndex is GraphIndex is thresher.GraphIndex)
print(thresher.engines.index is index)
"""
    assert output(code) == "True\nTrue\n"


def test_importing_prints_nothing() -> None:
    assert output("import thresher") == ""


def test_importing_without_docstrings() -> None:
    code = """
import subprocess, sys
code = "import inspect, thresher; print(thresher.Index.search.__doc__, inspect.signature(thresher.ExactIndex.build))"
print(subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True).stdout)
"""
    assert output(code).startswith("None (docs: 'DocumentsLike', *, shape: ")


@pytest.mark.skipif(importlib.util.find_spec("_xxsubinterpreters") is None, reason="its successors differ")
def test_a_subinterpreter_is_told_that_it_cannot() -> None:
    code = """
import _xxsubinterpreters as interpreters
other = interpreters.create()
try:
    interpreters.run_string(other, "import thresher._core")
except interpreters.RunFailedError as error:
    print(error)
import thresher
print(len(thresher.engines()))
"""
    done = run_python(code)
    assert "ImportError" in done.stdout
    assert "subinterpreter" in done.stdout
    assert done.stdout.endswith("\n6\n")
    assert done.returncode == 0
