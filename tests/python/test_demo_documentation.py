from __future__ import annotations

import csv
import itertools
import math
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from thresher.demo import documentation
from thresher.demo.documentation import Documentation

if TYPE_CHECKING:
    from pathlib import Path

    from thresher.demo.corpus import Passage

SOURCE = b'''"""The module."""
def function():
    """A function."""
    def inner(): "An inner function."
async def later(): "An async one."
def _private(): "Not public."
def silent(): pass
class Class:
    """A class."""
    def method(self):
        """A method."""
    class Nested:
        "A nested class."
        def deep(self): "A deep method."
class _Hidden:
    def method(self): "Not public either."
'''


def test_source_is_read_by_qualified_name() -> None:
    assert list(documentation.from_source(SOURCE, "pkg.mod")) == [
        ("pkg.mod", "The module."),
        ("pkg.mod.function", "A function."),
        ("pkg.mod.later", "An async one."),
        ("pkg.mod.Class", "A class."),
        ("pkg.mod.Class.method", "A method."),
        ("pkg.mod.Class.Nested", "A nested class."),
        ("pkg.mod.Class.Nested.deep", "A deep method."),
    ]


@pytest.mark.parametrize("source", [b"def broken(:", b"print 'two'", b"\0", b"\xff\xfe", b"x = " + b"(" * 5000])
def test_source_that_does_not_parse_is_passed_over(source: bytes) -> None:
    assert list(documentation.from_source(source, "broken")) == []


def test_modules_in_c_are_looked_at_and_what_they_borrow_is_not() -> None:
    assert (
        dict(documentation.from_module(itertools))["itertools.chain.from_iterable"]
        == itertools.chain.from_iterable.__doc__
    )
    assert dict(documentation.from_module(math))["math.hypot"] == math.hypot.__doc__
    assert "csv.writer" in dict(documentation.from_module(csv))
    assert "csv.StringIO" not in dict(documentation.from_module(csv))


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    """Some of the passages on this machine."""
    return documentation.gather(most_source=1_500_000)


def test_gathers_from_the_library_and_what_is_imported_anyway(passages: list[Passage]) -> None:
    titles = {passage.title for passage in passages}
    assert {
        "itertools.chain",
        "datetime.datetime.strptime",
        "argparse.ArgumentParser",
        "numpy.argsort",
    } <= titles
    assert len(passages) > 1500


def test_gathers_without_importing(passages: list[Passage]) -> None:
    gathered = {passage.title.partition(".")[0] for passage in passages}
    unlikely = {"antigravity", "compileall", "this", "turtle"}
    assert "compileall" in gathered
    code = (
        "import sys; from thresher.demo import documentation; documentation.gather(most_source=1_500_000); "
        f"print(sorted({unlikely!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_passages_are_whole_and_different(passages: list[Passage]) -> None:
    assert all(len(passage.text) >= documentation.SHORTEST for passage in passages)
    assert len({passage.title for passage in passages}) == len(passages)
    assert len({passage.text for passage in passages}) == len(passages)


def test_the_order_is_the_same_every_time(passages: list[Passage]) -> None:
    assert documentation.gather(most_source=1_500_000) == passages


def test_the_fingerprint_changes_with_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module.py").write_text('"""One."""')
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    before = Documentation().fingerprint()
    assert Documentation().fingerprint() == before
    (tmp_path / "module.py").write_text('"""Another."""')
    changed = Documentation().fingerprint()
    (tmp_path / "second.py").write_text('"""One."""')
    assert len({before, changed, Documentation().fingerprint()}) == 3
