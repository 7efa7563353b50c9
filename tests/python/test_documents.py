"""What the pages tell a reader to type: Python blocks run and print what they show, commands and their options exist.

The blocks of a page run in order, in one namespace and a temporary folder. What a block prints stands in it as comments
that begin with ``# ->``; ``...`` stands for anything. A block behind ``<!-- not run: why -->`` is only compiled.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from thresher.cli.app import app as thresher_command
from thresher_bench.app import app as bench_command

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("benchmarks/**/*.md")),
]
FENCE = re.compile(
    r"^(?P<note><!-- not run: [^\n]+ -->\n+)?```(?P<language>\w*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)
OPTION = re.compile(r"--[a-z][a-z-]*")


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int  # of its first line, from 1
    language: str
    body: str
    runs: bool


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, found.start("body")) + 1, found["language"], found["body"], not found["note"])
        for found in FENCE.finditer(text)
    ]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name


WITH_PYTHON = [page for page in PAGES if any(block.language == "python" for block in blocks(page))]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_python_blocks_run_and_print_what_they_show(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language != "python":
            continue
        # Blank lines in front, so that a traceback names the line of the page.
        code = compile("\n" * (block.line - 1) + block.body, str(page), "exec")
        if not block.runs:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        shown = "".join(f"{line[5:]}\n" for line in block.body.splitlines() if line.startswith("# -> "))
        alike = doctest.OutputChecker().check_output(shown, printed.getvalue(), doctest.ELLIPSIS)
        assert alike, f"{name_of(page)}:{block.line} shows\n{shown}but prints\n{printed.getvalue()}"


def test_every_page_for_an_engine_has_blocks() -> None:
    assert {page.stem for page in WITH_PYTHON} >= {page.stem for page in ROOT.glob("docs/engines/*.md")}


def commands(page: Path) -> list[str]:
    """What a page tells to type in a shell: the lines of its blocks without a language, and code in its text."""
    found = []
    for block in blocks(page):
        if block.language in ("", "sh", "bash"):
            found += block.body.replace("\\\n", " ").splitlines()
    found += re.findall(r"`((?:make|thresher|thresher-bench|pip install) [^`]+)`", FENCE.sub("", page.read_text()))
    alone = [command.strip() for line in found for command in re.split(r" && | #", line)]
    return [re.sub(r"\s+", " ", command) for command in alone]


def unknown_to_typer(app: Any, words: list[str]) -> list[str]:
    """The command and the options among `words` that an application does not have."""
    group: Any = typer.main.get_command(app) if isinstance(app, typer.Typer) else app
    options = {option for parameter in group.params for option in parameter.opts} | {"--help"}
    if words and not words[0].startswith("-"):
        if words[0].isupper():
            return []
        if words[0] not in group.commands:
            return [words[0]]
        if hasattr(group.commands[words[0]], "commands"):
            return unknown_to_typer(group.commands[words[0]], words[1:])
        options |= {option for parameter in group.commands[words[0]].params for option in parameter.opts}
    return [word for word in words if word.startswith("--") and word not in options]


def can_be_installed(word: str) -> bool:
    """Whether what pip is told to install is there: a folder of ours with these extras. Others' packages are."""
    found = re.fullmatch(r"(?P<name>[\w./-]+)(\[(?P<extras>[\w,-]+)\])?", word)
    if found is None or not re.match(r"\.|thresher", found["name"]):
        return True
    project = ROOT / found["name"] / "pyproject.toml"  # `thresher` is no folder: it is not published
    if not project.exists():
        return False
    extras = tomllib.loads(project.read_text())["project"].get("optional-dependencies", {})
    return set((found["extras"] or "").split(",")) - {""} <= set(extras)


def unknown(command: str) -> list[str]:
    """What in a command is not there; other programs' commands are not looked at."""
    try:
        words = shlex.split(command)
    except ValueError:
        return []  # not a command: a table of bytes, say
    if words[:1] == ["make"]:
        targets = re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return [word for word in words[1:2] if re.fullmatch(r"[a-z-]+", word) and word not in targets]
    if words[:1] == ["thresher"]:
        return unknown_to_typer(thresher_command, words[1:])
    if words[:1] == ["thresher-bench"]:
        return unknown_to_typer(bench_command, words[1:])
    if words[:2] == ["pip", "install"]:
        return [word for word in words[2:] if not can_be_installed(word)]
    if words[:1] == ["python"] and words[1:2] and words[1].startswith("benchmarks/"):
        script = ROOT / words[1]
        if not script.exists():
            return [words[1]]
        said = script.read_text() + "".join(path.read_text() for path in script.parent.glob("thresher_bench/*.py"))
        # An option is spelt out, or is a parameter that typer makes one of.
        return [
            word
            for word in OPTION.findall(command)
            if f'"{word}' not in said and f" {word[2:].replace('-', '_')}: Annotated" not in said
        ]
    return []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    assert not {command: missing for command in commands(page) if (missing := unknown(command))}


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("make tea", ["tea"]),
        ("thresher brew docs.csr", ["brew"]),
        ("thresher build docs.csr --hotter 3", ["--hotter"]),
        ("thresher-bench peers --hotter", ["--hotter"]),
        ('pip install "thresher[cli]"', ["thresher[cli]"]),
        ('pip install ".[tea]"', [".[tea]"]),
        ("pip install ./tea", ["./tea"]),
        ("python benchmarks/tea.py", ["benchmarks/tea.py"]),
        ("python benchmarks/exact.py base.csr --hotter", ["--hotter"]),
        ("make demo Q=tea", []),
        ('pip install ".[cli,ciff]"', []),
        ("thresher search a b --k 10", []),
    ],
)
def test_what_does_not_exist_is_found(command: str, missing: list[str]) -> None:
    assert unknown(command) == missing


def test_a_block_that_prints_something_else_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n# -> 3\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:2 shows\s+3\s+but prints\s+2"):
        test_python_blocks_run_and_print_what_they_show(page, tmp_path, monkeypatch)
