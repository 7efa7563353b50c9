"""The demonstration as a person meets it: the command, in pipes and on terminals of every kind."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import pytest

COMMAND = (sys.executable, "-c", "import thresher.cli; thresher.cli.main()", "demo")
PATIENCE = 60


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A plain environment with a cache of its own."""
    taken = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "NO_COLOR", "FORCE"))
    }
    cache = str(tmp_path_factory.mktemp("cache"))
    return {**taken, "XDG_CACHE_HOME": cache, "COLUMNS": "100", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


def demo(environment: dict[str, str], *arguments: str, **others: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, env={**environment, **others},
        stdin=subprocess.DEVNULL, timeout=PATIENCE,
    )  # fmt: skip


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, environment: dict[str, str], arguments: Sequence[str] = ()) -> None:
        self._terminal, side = pty.openpty()
        self.output = ""
        self._process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True
        )
        os.close(side)

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def until(self, text: str, after: int = 0) -> None:
        """Read until `text` has come, past the first `after` characters of the output."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.output[after:]:
            ready, _, _ = select.select([self._terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {text!r} after {self.output!r}"
            if not self._read():
                pytest.fail(f"ended without {text!r}: {self.output!r}")

    def interrupted(self) -> int:
        """Press Ctrl-C, and again if it came just before the prompt waits; return the exit code."""
        for _ in range(PATIENCE):
            os.killpg(self._process.pid, signal.SIGINT)
            if select.select([self._terminal], [], [], 1)[0]:
                break
        return self.ended()

    def ended(self) -> int:
        """Read what is left, and return the exit code."""
        while select.select([self._terminal], [], [], PATIENCE)[0] and self._read():
            pass
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._terminal)

    def _read(self) -> bool:
        try:
            read = os.read(self._terminal, 65536)
        except OSError:  # the other side is closed
            return False
        self.output += read.decode(errors="replace")
        return bool(read)


@pytest.fixture
def terminal(environment: dict[str, str]) -> Iterator[Terminal]:
    """The demonstration, at its prompt."""
    opened = Terminal(environment)
    opened.until("? ")
    yield opened
    opened.close()


# ---- One question.


def test_a_question_is_answered_in_short(environment: dict[str, str]) -> None:
    done = demo(environment, "bread with cheese and tomato")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 11
    assert lines[0].startswith("1 pizza  Italian open pie")
    assert re.fullmatch(r"top 5 of [\d,]+ dictionary entries in [\d.]+ ms.*", lines[-1])
    for behind in lines[1:-1:2]:
        score, _, shares = behind.strip().partition(" = ")
        parts = [part.split() for part in shares.split(" + ")]
        assert sum(float(share) for _, share in parts) == pytest.approx(float(score), abs=0.02)
        assert {word.rstrip("*") for word, _ in parts} <= {"bread", "cheese", "tomato"}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("", "there is no word in the question\n"),
        ("\N{GRINNING FACE} ?! $()", "there is no word in the question\n"),
        ("what is the", "only words that say nothing by themselves: what, is, the\n"),
        ("telescpoe", "no word of the question is known: telescpoe (did you mean telescope?)\n"),
        ("\u0431\u043e\u0440\u0449\u0449", "no word of the question is known: \u0431\u043e\u0440\u0449\u0449\n"),
        ("xyzzyq [bold]x[/] \x1b[31m", None),
        ('"; rm -rf /', None),
        ("'$(touch gone)` $HOME", None),
        ("--help", None),
        ("\u65e5\u672c caf\u00e9 \u202eabc\udcff", None),
        ("word " * 5000, None),
    ],
)
def test_anything_may_be_asked(environment: dict[str, str], question: str, answer: str | None) -> None:
    done = demo(environment, "--", question)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert answer is None or done.stdout == answer
    assert 0 < done.stdout.count("\n") <= 12


def test_documentation_is_searched_instead(environment: dict[str, str]) -> None:
    done = demo(environment, "--docs", "chain iterables")
    assert (done.returncode, done.stderr) == (0, "")
    assert "itertools.chain" in done.stdout
    assert "docstrings in" in done.stdout.splitlines()[-1]


def test_without_the_dictionary_it_is_documentation(environment: dict[str, str]) -> None:
    code = (
        "from pathlib import Path; from thresher.demo import dictionary; "
        "dictionary.Dictionary.__init__.__defaults__ = (Path('nowhere'),); "
        "import thresher.cli; thresher.cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "chain iterables"], capture_output=True, text=True, check=True,
        env=environment, timeout=PATIENCE,
    )  # fmt: skip
    assert "without the dictionary" in done.stderr
    assert "itertools.chain" in done.stdout


# ---- The tour.


def test_the_tour(environment: dict[str, str]) -> None:
    done = demo(environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    steps = re.split(r"^\d ", done.stdout, flags=re.MULTILINE)
    assert len(steps) == 6
    assert "pizza" in steps[1]
    assert "reporter finds journalist" in steps[2]
    before, added, deleted = steps[3].splitlines()[1:]
    assert "thresher" in added
    assert before.split()[1:] == deleted.split()[4:] != added.split()[4:]
    animals, food, artifacts = (line.split("}")[1].strip() for line in steps[4].splitlines()[1:])
    assert len({animals, food, artifacts}) == 3
    assert steps[5].count("exact  ") == 2
    assert re.findall(r"recall 0\.\d\d", steps[5])
    assert done.stdout.splitlines()[-1].startswith("Ask it yourself")
    assert max(map(len, done.stdout.splitlines())) <= 100


# ---- Pipes and terminals.


@pytest.mark.parametrize("columns", ["1", "3", "20", "1000"])
def test_terminals_of_any_width(environment: dict[str, str], columns: str) -> None:
    done = demo(environment, "bread with cheese", COLUMNS=columns)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines()[:10])) <= int(columns)


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_locales_without_utf_8(environment: dict[str, str], locale: str) -> None:
    others = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    for question in ("bread and cheese", "na\u00efve caf\u00e9 \u65e5"):
        done = demo(environment, "--", question, **others)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_goes_away(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 141


def test_colours_on_a_terminal_only_and_never_with_no_color(environment: dict[str, str]) -> None:
    for given, expected in (({}, True), ({"NO_COLOR": "1"}, False)):
        opened = Terminal({**environment, **given}, ["bread with cheese"])
        assert opened.ended() == 0
        opened.close()
        assert bool(re.search("\x1b\\[[0-9;]*3[0-9]m", opened.output)) is expected


# ---- The prompt.


def test_questions_are_answered_one_after_the_other(terminal: Terminal) -> None:
    for question, answer in (("bread with cheese and tomato", "pizza"), ("zzzqq", "no word of the question is known")):
        asked = len(terminal.output)
        terminal.type(f"{question}\n")
        terminal.until(answer, asked)
        terminal.until("? ", terminal.output.index(answer, asked) + len(answer))
    terminal.type("\n")
    assert terminal.ended() == 0


def test_control_d_ends_it(terminal: Terminal) -> None:
    terminal.type("\x04")
    assert terminal.ended() == 0
    assert "Traceback" not in terminal.output


def test_control_c_ends_it(terminal: Terminal) -> None:
    assert terminal.interrupted() == 0
    assert "Traceback" not in terminal.output


def test_control_c_ends_the_tour(environment: dict[str, str]) -> None:
    opened = Terminal(environment)
    opened.until("1 A question")
    assert opened.interrupted() in (0, 130)
    assert "Traceback" not in opened.output
    opened.close()
