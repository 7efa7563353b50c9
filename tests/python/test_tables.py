"""tools/tables.py: tables of pages from one file of results."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

RESULTS = {
    "measurements": {
        "speed": {
            "columns": {"engine": "engine", "qps": "QPS", "recall": ["recall", ".3f"], "ratio": ["is", "{} x"]},
            "rows": [
                {"engine": "exact", "qps": 8722, "recall": 1, "ratio": 1.5},
                {"engine": "graph", "qps": "not run", "recall": 0.95},
            ],
        }
    },
    "selections": {
        "short": {"of": "speed", "columns": ["engine", "qps"], "titles": {"engine": ""}, "rows": {"engine": ["exact"]}}
    },
}
PAGE = "# Page\n\n<!-- table: speed -->\n<!-- end -->\n\n<!-- table: short -->\nold\n<!-- end -->\n"


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, over a folder with one page and its results."""
    spec = importlib.util.spec_from_file_location("tables", Path(__file__).parents[2] / "tools/tables.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/results.json").write_text(json.dumps(RESULTS))
    (tmp_path / "README.md").write_text(PAGE)
    return script


def run(script: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["tables.py", *arguments])
    code: int = script.main()
    return code


def test_renders_what_the_results_say(tables: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tables, monkeypatch, "--check") == 1
    assert run(tables, monkeypatch) == 0
    assert (tmp_path / "README.md").read_text() == (
        "# Page\n\n<!-- table: speed -->\n"
        "| engine | QPS | recall | is |\n| --- | --- | --- | --- |\n"
        "| exact | 8,722 | 1.000 | 1.5 x |\n| graph | not run | 0.950 |  |\n"
        "<!-- end -->\n\n<!-- table: short -->\n"
        "|  | QPS |\n| --- | --- |\n| exact | 8,722 |\n<!-- end -->\n"
    )
    assert run(tables, monkeypatch, "--check") == 0


def test_finds_a_figure_that_differs(
    tables: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tables, monkeypatch)
    page = (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").write_text(page.replace("0.950", "0.990"))
    assert run(tables, monkeypatch, "--check") == 1
    assert "+| graph | not run | 0.950 |  |" in capsys.readouterr().out


@pytest.mark.parametrize("shown", [0, 2])
def test_finds_a_table_that_is_not_shown_once(
    tables: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shown: int
) -> None:
    speed, short = PAGE.split("\n\n")[1:]
    (tmp_path / "README.md").write_text("\n".join([speed] * shown + [short]))
    assert run(tables, monkeypatch) == 1
    assert f"table 'speed' is shown {shown} times" in capsys.readouterr().out


def test_a_table_of_no_results_is_an_error(tables: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "README.md").write_text(PAGE.replace("short", "tea"))
    with pytest.raises(KeyError, match="tea"):
        run(tables, monkeypatch)
