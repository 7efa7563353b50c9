"""ARCHITECTURE.md held against the sources: which way includes point, and that what pages name is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CPP = ROOT / "cpp"

# What each room of cpp/core may include, beside itself and the kernels.
BELOW = ["base", "storage", "documents", "selection"]
ROOMS = {room: set(BELOW[:place]) for place, room in enumerate(BELOW)}
ROOMS |= {room: set(BELOW) for room in ("windowed", "impact", "traversal", "graph")}
ROOMS["blocks"] = {*BELOW, "windowed"}

FLOORS = {
    "kernels": {"kernels"},
    "core": {"core", "kernels"},
    "engines": {"engines", "core", "kernels"},
    "segments": {"segments", "engines", "core", "kernels"},
    "bindings": {"bindings", "segments", "engines", "core", "kernels"},
}

# The same for the folders of the Python package.
PACKAGE = ROOT / "python/thresher"
FOLDERS: dict[str, set[str]] = {"engines": set(), "tuning": {"engines"}, "formats": {"engines"}}
FOLDERS["encoders"] = {"engines", "formats"}
FOLDERS["collection"] = {"engines", "tuning", "formats", "encoders"}
FOLDERS["datasets"] = {"engines", "tuning", "formats"}
FOLDERS["evaluation"] = {"engines", "tuning", "formats", "encoders", "collection"}
FOLDERS["demo"] = {"engines", "collection"}
FOLDERS["folders"] = {"engines", "formats", "encoders", "collection"}
FOLDERS["cli"] = {*FOLDERS}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([^)\s]*)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PATH = re.compile(r"`((?:cpp|python|tests|benchmarks|docs|tools|examples|\.ci)/[^`\s<>*$]+)`")


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".hpp", ".cpp", ".inc"})


def includes(source: Path) -> list[Path]:
    """The files of ours that a source includes, relative to cpp/."""
    return [(source.parent / name).resolve().relative_to(CPP) for name in INCLUDE.findall(source.read_text())]


def pages() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("benchmarks/**/*.md"))]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_source_lies_in_a_room() -> None:
    assert {path.name for path in (CPP / "core").iterdir()} == set(ROOMS)
    assert {path.name for path in CPP.iterdir() if path.is_dir()} >= set(FLOORS)


def test_includes_are_of_files_that_exist() -> None:
    assert not [
        f"{source}: {found}" for source in sources(CPP) for found in includes(source) if not (CPP / found).exists()
    ]


@pytest.mark.parametrize("floor", sorted(FLOORS))
def test_no_floor_includes_one_above(floor: str) -> None:
    back = [
        f"{source.relative_to(CPP)} includes {found}"
        for source in sources(CPP / floor)
        for found in includes(source)
        if found.parts[0] not in FLOORS[floor]
    ]
    assert not back


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_no_room_of_the_core_includes_one_that_it_is_not_built_on(room: str) -> None:
    back = [
        f"{source.relative_to(CPP)} includes {found}"
        for source in sources(CPP / "core" / room)
        for found in includes(source)
        if found.parts[0] == "core" and found.parts[1] not in {room, *ROOMS[room]}
    ]
    assert not back


def imports(source: Path) -> set[str]:
    """The folders of the package that a module imports from."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {parts[1] for name in names if (parts := name.split("."))[0] == "thresher" and len(parts) > 1} & set(FOLDERS)


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_no_folder_of_the_package_imports_one_above(folder: str) -> None:
    back = [
        f"{source.relative_to(PACKAGE)} imports {found}"
        for source in sorted((PACKAGE / folder).rglob("*.py"))
        for found in imports(source) - {folder, *FOLDERS[folder]}
    ]
    assert not back


def test_constants_have_the_standard_names() -> None:
    own = re.compile(r"\bk(Most|Least)[A-Z]?\w*")
    names = [f"{path}: {found[0]}" for path in sources(ROOT / "cpp") for found in own.finditer(path.read_text())]
    assert not names


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    missing = []
    for link in LINK.findall(FENCE.sub("", text)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            missing.append(link)
    for name in PATH.findall(text):
        # A module is named without its suffix: cpp/core/blocks/block_tiles.
        found = ROOT / name
        if not found.exists() and not list(found.parent.glob(f"{found.name}.*")):
            missing.append(name)
    assert not missing


def test_the_plan_names_every_room() -> None:
    plan = (ROOT / "ARCHITECTURE.md").read_text()
    assert not [room for room in ROOMS if f"{room}/" not in plan]
    assert len(plan.splitlines()) <= 120
