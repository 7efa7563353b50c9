from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import Any, NoReturn

import pytest
import typer
from typer.testing import CliRunner

import thresher
from thresher import _extras
from thresher.cli._terminal import progress_bar
from thresher.cli.app import app

TERMINAL = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
RED = "\x1b[31m"


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"thresher {thresher.__version__}\n")


@pytest.mark.parametrize("command", ["demo", "build", "search", "info", "truth", "eval", "export", "collection"])
def test_every_command_has_help(command: str) -> None:
    assert command in CliRunner().invoke(app, ["--help"]).stdout
    result = CliRunner().invoke(app, [command, "-h"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_the_side_car_is_documented() -> None:
    assert "INDEX.names" in CliRunner().invoke(app, ["search", "--help"]).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["info"],
        ["search", "i", "q", "--k", "0"],
        ["search", "i", "q", "--format", "xml"],
        ["build", "i", "o", "--threads", "-1"],
        ["export", "i", "o.ciff", "--bits", "32"],
        ["export", "i", "o.csr"],
    ],
)
def test_usage_errors_end_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize("command", [["info"], ["build"], ["search"], ["truth"], ["export"]])
def test_a_missing_file_is_told_in_one_line(tmp_path: Path, command: list[str]) -> None:
    missing = str(tmp_path / ("missing-" + "x" * 100))  # longer than a terminal is wide
    others = {"build": ["out"], "search": ["queries"], "truth": ["queries", "out"], "export": ["out.ciff"]}
    result = CliRunner().invoke(app, [*command, missing, *others.get(command[0], [])])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert missing in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [["build", "docs"], ["truth", "docs", "queries"], ["export", "index"], ["search", "index", "queries", "-o"]],
)
def test_a_folder_that_is_not_there_is_told_before_anything_is_read(tmp_path: Path, command: list[str]) -> None:
    output = str(tmp_path / "missing" / "out.ciff")
    result = CliRunner().invoke(app, [*command, output])  # none of the inputs is there either
    assert (result.exit_code, result.stderr) == (1, f"error: {output}: No such file or directory\n")


def test_errors_are_red_on_a_terminal_only_and_never_with_no_color(tmp_path: Path) -> None:
    missing = ["info", str(tmp_path / "missing")]
    assert RED in CliRunner().invoke(app, missing, env=TERMINAL).stderr
    assert RED not in CliRunner().invoke(app, missing, env={**TERMINAL, "NO_COLOR": "1"}).stderr
    assert "\x1b" not in CliRunner().invoke(app, missing).stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, ""),
        (thresher.FormatError("f: odd"), 1, "error: f: odd\n"),
        (ValueError("two\nlines"), 1, "error: two lines\n"),
        (OSError(28, "No space left on device", "f"), 1, "error: f: No space left on device\n"),
        (OSError(28, "No space left on device"), 1, "error: No space left on device\n"),
        (MemoryError(), 1, "error: out of memory\n"),
    ],
)
def test_how_commands_end(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, message: str) -> None:
    def fails(path: object) -> NoReturn:
        raise error

    monkeypatch.setattr(thresher, "open", fails)
    result = CliRunner().invoke(app, ["info", "index"])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", message)


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: object) -> NoReturn:
        raise AttributeError("a bug")

    monkeypatch.setattr(thresher, "open", fails)
    assert isinstance(CliRunner().invoke(app, ["info", "index"]).exception, AttributeError)


@pytest.mark.parametrize("missing", ["typer", "tqdm", "rich", "bm25s", "Stemmer"])
def test_without_the_extra_one_line_says_how_to_get_it(missing: str, tmp_path: Path) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import thresher.cli; thresher.cli.main()"
    command = [sys.executable, "-c", code, "demo", "--docs"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"error: {_extras.missing(f'{missing} is missing', 'cli')}\n"


def test_a_foreign_instruction_set_is_told_in_one_line() -> None:
    command = Path(sysconfig.get_path("scripts"), "thresher")
    environment = {**os.environ, "THRESHER_ISA": "abacus"}
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: THRESHER_ISA must be scalar, avx2 or avx512, got 'abacus'\n"


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "thresher", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"thresher {thresher.__version__}\n"


def brackets(text: str | None) -> set[str]:
    return set(re.findall(r"\[[^\[\]\s]*\]", text or ""))


@pytest.mark.parametrize(
    "name", ["", *(command.callback.__name__ for command in app.registered_commands if command.callback)]
)
def test_help_loses_nothing_that_stands_in_brackets(name: str) -> None:
    root: Any = typer.main.get_command(app)
    command = root.commands[name] if name else root
    written = brackets(command.help)
    for parameter in command.params:
        written |= brackets(getattr(parameter, "help", None))
    shown = CliRunner().invoke(app, [*([name] if name else []), "--help"], env={"COLUMNS": "200", **TERMINAL})
    assert written <= brackets(shown.stdout)
    assert name not in ("", "build", "search", "truth", "tune") or written


def test_what_the_library_warns_of_is_a_line_without_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def warns(path: object) -> NoReturn:
        warnings.warn("mind the step", stacklevel=2)
        raise ValueError("f: odd")

    monkeypatch.setattr(thresher, "open", warns)
    result = CliRunner().invoke(app, ["info", "index"])
    assert (result.exit_code, result.stderr) == (1, "warning: mind the step\nerror: f: odd\n")


def test_no_progress_bar_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("searching", unit="queries") as progress:
        assert progress is None


def test_a_progress_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar("searching", unit="queries") as progress:
        assert progress is not None
        progress(0, 4)
        progress(4, 4)
    assert "searching" in terminal.getvalue()
