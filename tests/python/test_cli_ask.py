"""``thresher ask``: the best passages with their words marked, and a true answer where there are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from thresher.cli.app import app
from thresher.collection import Collection

FILES = {
    "fables/fox.txt": "The quick foxes were jumping over a fence.",
    "fables/crow.md": "# Birds\n\n## The crow\n\nA thirsty crow found a pitcher.\n",
    "years.jsonl": '{"text": "a crow of old", "year": 1884}\n{"text": "a crow of late", "year": 1912}\n',
    "hostile.txt": "\x1b[31mred herring `rm -rf` $(reboot)\x1b[0m",
}


def ask(*arguments: object, code: int = 0, stdin: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(app, ["ask", *map(str, arguments)], input=stdin)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folder")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    result = CliRunner().invoke(app, ["index", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


def test_passages_are_shown_with_path_place_and_marks(folder: Path) -> None:
    assert ask("thirsty crows", folder, "-k", 1).stdout == (
        "1. fables/crow.md, line 3: Birds > The crow\n   ## The **crow** A **thirsty** **crow** found a pitcher.\n"
    )


def test_hits_are_those_of_the_collection(folder: Path) -> None:
    answer = json.loads(ask("a crow, a fox", folder, "--json").stdout)
    with Collection.open(folder / ".thresher") as collection:
        wanted = collection.search_one("a crow, a fox", k=5).to_dicts(payloads=False)
    assert [(hit["id"], hit["score"]) for hit in answer["hits"]] == [
        (hit["id"], pytest.approx(hit["score"])) for hit in wanted
    ]
    assert len(wanted) == 4
    assert answer["ignored"] == ["a"]
    assert answer["unknown"] == {}


def test_the_collection_is_found_from_within(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "fables")
    assert "fables/fox.txt" in ask("fox").stdout
    assert "fables/fox.txt" in ask("fox", "fox.txt").stdout
    assert "fables/fox.txt" in ask("fox", tmp_path, "--collection", folder / ".thresher").stdout
    assert "nothing is indexed there yet" in " ".join(ask("fox", tmp_path, code=1).stderr.split())


def test_where(folder: Path) -> None:
    answer = json.loads(ask("crow", folder, "--json", "--where", '{"year": {"$lt": 1900}}').stdout)
    assert [(hit["place"], hit["fields"]) for hit in answer["hits"]] == [("line 1", {"year": 1884})]
    result = ask("fox", folder, "--where", '{"year": 1884}')
    assert (result.stdout, result.stderr) == ("", "nothing was found that meets the filter\n")
    ask("fox", folder, "--where", "{", code=2)
    ask("fox", folder, "--where", '{"year": {"$near": 1}}', code=1)


@pytest.mark.parametrize("question", ["", "   ", "?!"])
def test_a_question_without_words(folder: Path, question: str) -> None:
    result = ask(question, folder)
    assert (result.stdout, result.stderr) == ("", "no question\n")


def test_a_question_of_stop_words(folder: Path) -> None:
    result = ask("the of", folder)
    assert (result.stdout, result.stderr) == (
        "", "the question has no words to search for: the, of are left out\n"
    )  # fmt: skip


def test_a_misspelt_question(folder: Path) -> None:
    result = ask("pitchre jumpign", folder)
    assert result.stdout == ""
    assert result.stderr == "no passage has 'pitchre'; near it: pitcher\nno passage has 'jumpign'; near it: jumping\n"
    result = ask("qqqq", folder)
    assert (result.stdout, result.stderr) == ("", "no passage has 'qqqq'\n")
    result = ask("thirsty quixotic", folder)
    assert "fables/crow.md" in result.stdout
    assert result.stderr.startswith("no passage has 'quixotic'")


def test_a_word_whose_passages_are_gone_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("zebra")
    (tmp_path / "b.txt").write_text("horse")
    CliRunner().invoke(app, ["index", str(tmp_path)])
    (tmp_path / "a.txt").unlink()
    CliRunner().invoke(app, ["index", str(tmp_path)])
    assert ask("zebra", tmp_path).stderr == "no passage has 'zebra'\n"
    assert ask("zebras zebrq", tmp_path).stdout == ""


@pytest.mark.parametrize("question", ["$(reboot)", "`rm -rf`; herring", "herring' OR 1=1 --", "red\x1b[2J\0 herring"])
def test_hostile_text_is_text(folder: Path, question: str) -> None:
    result = ask("--", question, folder)
    assert result.stdout.startswith("1. hostile.txt, line 1: hostile\n")
    assert "\x1b" not in result.output
    assert "\x00" not in result.output


def test_a_question_from_standard_input(folder: Path) -> None:
    assert "fables/fox.txt" in ask("-", folder, stdin="foxes\n").stdout
    ask("-", folder, stdin=b"\xff\xfe crow")


def test_help_fits_a_terminal() -> None:
    for command in ("index", "ask"):
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "80"}).stdout
        assert max(map(len, shown.splitlines())) <= 80
