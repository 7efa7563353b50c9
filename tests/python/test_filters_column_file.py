"""Column files: they come back the same, merge as if built at once, and altered ones are refused."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import filter_cases as cases
import thresher
from filter_cases import FIELDS, members
from helpers import expect, listing
from thresher.collection.filters import Columns, F, evaluate, facet
from thresher.collection.filters.column_file import MAGIC

collections = st.lists(cases.payloads, max_size=8)
N_DOCS = 70


def some(n_docs: int = N_DOCS) -> list[dict[str, Any]]:
    """Payloads that give a column of each form: all numbers alike, all different, some missing."""
    fill = [
        {
            "lang": "ab"[number % 2],
            "tags": ["a", "é", str(number % 3)],
            "year": 2000 + number % 3,
            "live": number % 2 == 0,
        }
        for number in range(n_docs)
    ]
    spread = [{"price": number / 7, "at": 10**15 + number, "meta": {"kind": f"k{number}"}} for number in range(n_docs)]
    return [
        left | right if number % 10 else left for number, (left, right) in enumerate(zip(fill, spread, strict=True))
    ]


def used(columns: Columns) -> list[Any]:
    """Do what can be done with columns."""
    found: list[Any] = [columns.n_docs]
    for field, kind in columns.fields.items():
        found += [facet(columns, field)]
        text = "2020-01-01" if kind == "datetime" else "a"
        for where in (F(field) == text, F(field) >= 1, F(field).exists(), F(field).contains(text), F(field) != True):  # noqa: E712
            found.append(evaluate(where, columns, columns.n_docs).tobytes())
        if kind in ("int", "float", "datetime"):
            found += [part.tolist() for part in columns.numeric(field)]
    return found


@given(collections)
def test_a_file_is_what_was_written(tmp_path_factory: pytest.TempPathFactory, payloads: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("columns") / "segment"
    Columns.of(FIELDS, payloads).write(path)
    opened = Columns.open(path)
    assert opened.fields == dict(sorted(FIELDS.items()))
    assert used(opened) == used(Columns.of(FIELDS, payloads))
    assert used(Columns.open(path, verify=False)) == used(opened)
    opened.write(path.with_name("again"))
    assert path.with_name("again").read_bytes() == path.read_bytes()
    assert listing(path.parent) == ["again", "segment"]


@given(st.lists(collections, max_size=3), st.data())
def test_merging_is_building_at_once(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[dict[str, Any]]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("columns")
    sources = []
    for group in groups:
        keep = data.draw(st.lists(st.booleans(), min_size=len(group), max_size=len(group)))
        sources.append((Columns.of(FIELDS, group), np.array(keep, np.bool_)))
    kept = [
        payload
        for group, (_, keep) in zip(groups, sources, strict=True)
        for payload, is_kept in zip(group, keep, strict=True)
        if is_kept
    ]
    Columns.merge(FIELDS, sources).write(folder / "merged")
    Columns.of(FIELDS, kept).write(folder / "built")
    assert (folder / "merged").read_bytes() == (folder / "built").read_bytes()


def test_merging_files_of_every_form(tmp_path: Path) -> None:
    payloads = some()
    Columns.of(FIELDS, payloads[:40]).write(tmp_path / "first")
    Columns.of(FIELDS, payloads[40:]).write(tmp_path / "second")
    sources = [(Columns.open(tmp_path / name), None) for name in ("first", "second")]
    Columns.merge(FIELDS, sources).write(tmp_path / "merged")
    Columns.of(FIELDS, payloads).write(tmp_path / "built")
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "built").read_bytes()
    forms = {Columns.open(tmp_path / "built").column(field).form for field in FIELDS}
    assert forms == {"codes", "values", "bits", "lists"}
    fewer = Columns.merge({"year": "int"}, sources)
    assert fewer.fields == {"year": "int"}


def test_what_cannot_be_merged() -> None:
    columns = Columns.of({"year": "int"}, [{}, {}])
    with expect(ValueError, "sources[1] has int field 'year', expected float"):
        Columns.merge({"year": "float"}, [(Columns.of({"year": "float"}, []), None), (columns, None)])
    with expect(ValueError, "sources[0] has no such field 'lang', expected keyword"):
        Columns.merge({"lang": "keyword"}, [(columns, None)])
    for mask in ([True], [1, 0], [[True, False]]):
        with expect(ValueError, "sources[0]: the mask must be bool (2,)"):
            Columns.merge({"year": "int"}, [(columns, mask)])


def test_codes_of_each_width(tmp_path: Path) -> None:
    for n_values, dtype in ((255, np.uint8), (256, np.uint16), (65_535, np.uint16), (65_536, np.uint32)):
        payloads = [{"w": f"{number:06}", "n": number % n_values * 3} for number in range(n_values)] * 2
        columns = Columns.of({"w": "keyword", "n": "int"}, payloads)
        columns.write(tmp_path / "file")
        for found in (columns, Columns.open(tmp_path / "file")):
            assert found.column("w").parts()["codes"].dtype == dtype
            last = evaluate(F("w") == f"{n_values - 1:06}", found, found.n_docs)
            assert members(last, found.n_docs) == [n_values - 1, 2 * n_values - 1]
            assert members(evaluate(F("n") == 3 * n_values - 3, found, found.n_docs), found.n_docs) == [
                n_values - 1,
                2 * n_values - 1,
            ]
            greater = evaluate(F("w") > f"{n_values - 3:06}", found, found.n_docs)
            assert len(members(greater, found.n_docs)) == 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Columns.of(FIELDS, some()).write(tmp_path / "segment")
    return tmp_path / "segment"


def test_every_byte_is_checked(path: Path) -> None:
    content = path.read_bytes()
    chance = np.random.default_rng(5)
    places = {*range(64), *chance.integers(0, len(content), 300).tolist(), len(content) - 1}
    for place in sorted(places):
        altered = bytearray(content)
        altered[place] ^= 1 << int(chance.integers(8))
        path.write_bytes(altered)
        with pytest.raises(thresher.FormatError, match="segment"):
            Columns.open(path)


def test_files_cut_off_or_too_long(path: Path) -> None:
    content = path.read_bytes()
    for size in (0, 1, 63, 64, 65, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(thresher.FormatError, match="segment"):
            Columns.open(path)
    path.write_bytes(content + bytes(64))
    with expect(thresher.FormatError, "where the header tells of"):
        Columns.open(path)


def test_without_verifying_a_column_is_checked_before_its_use(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-64 * 3] ^= 1  # of year, which is the last
    path.write_bytes(content)
    columns = Columns.open(path, verify=False)
    facet(columns, "lang")
    for _ in range(2):
        with expect(thresher.FormatError, "segment", "'year' are altered: the checksum differs"):
            facet(columns, "year")


def parts_of(content: bytes) -> tuple[dict[str, Any], int]:
    """The directory of a file, and where parts begin."""
    size = struct.unpack_from("<Q", content, 32)[0]
    return json.loads(content[64 : 64 + size]), 64 + size + -size % 64


def sealed(directory: Any, n_docs: int, rest: bytes, *, seal: bool = True) -> bytes:
    """A file of a directory and what follows it, with all checksums right."""
    if seal:
        for field in directory["fields"]:
            for part in field["parts"]:
                start = part["offset"] - directory["fields"][0]["parts"][0]["offset"]
                part["checksum"] = zlib.crc32(rest[start : start + part["size"] + -part["size"] % 64])
    written = json.dumps(directory, separators=(",", ":")).encode()
    size = 64 + len(written) + -len(written) % 64 + len(rest)
    header = bytearray(struct.pack("<8sIIQQQ24x", MAGIC, 1, 0, size, n_docs, len(written)))
    header[12:16] = struct.pack("<I", zlib.crc32(written, zlib.crc32(header)))
    return bytes(header) + written + bytes(-len(written) % 64) + rest


def test_sealed_files_are_read(path: Path) -> None:
    content = path.read_bytes()
    directory, start = parts_of(content)
    path.write_bytes(sealed(directory, N_DOCS, content[start:]))
    assert used(Columns.open(path)) == used(Columns.of(FIELDS, some()))


def test_altered_values_under_right_checksums_never_crash(path: Path) -> None:
    """A column is right, though of other values, or refused."""
    content = path.read_bytes()
    chance = np.random.default_rng(6)
    refused = 0
    for _ in range(1000):
        directory, start = parts_of(content)
        rest = bytearray(content[start:])
        for place in chance.integers(0, len(rest), chance.integers(1, 4)):
            rest[place] = chance.choice([0, 1, 127, 255, int(chance.integers(256))])
        path.write_bytes(sealed(directory, N_DOCS, bytes(rest)))
        try:
            columns = Columns.open(path)
            used(columns)
            merged = Columns.merge(columns.fields, [(columns, None)])
        except thresher.FormatError:
            refused += 1
            continue
        assert used(merged) == used(columns)
    assert 100 < refused < 1000


def test_words_cut_within_a_character(path: Path) -> None:
    content = path.read_bytes()
    directory, start = parts_of(content)
    tags = {part["name"]: part for field in directory["fields"] for part in field["parts"] if field["name"] == "tags"}
    at = tags["ends"]["offset"] - start
    rest = bytearray(content[start:])
    assert struct.unpack_from("<6I", rest, at) == (0, 1, 2, 3, 4, 6)  # 0, 1, 2, a, é
    struct.pack_into("<I", rest, at + 16, 5)
    path.write_bytes(sealed(directory, N_DOCS, bytes(rest)))
    with expect(thresher.FormatError, "'tags': a word begins within a character"):
        Columns.open(path)


@pytest.mark.parametrize("shift", [-(2**40), -64, 64, 2**40])
def test_parts_that_are_elsewhere(path: Path, shift: int) -> None:
    content = path.read_bytes()
    directory, start = parts_of(content)
    part = directory["fields"][0]["parts"][0]
    place = part["offset"] + shift
    part["checksum"] = zlib.crc32(content[max(place, 0) : max(place, 0) + part["size"] + -part["size"] % 64])
    part["offset"] = place
    path.write_bytes(sealed(directory, N_DOCS, content[start:], seal=False))
    with expect(thresher.FormatError, "the directory is not one", "is not in its place"):
        Columns.open(path)


def changed(value: Any, chance: np.random.Generator) -> Any:
    """Something else in the place of a value of the directory."""
    others: list[Any] = [
        0,
        1,
        -1,
        2**63,
        2**70,
        1.5,
        None,
        True,
        "",
        "codes",
        "<u8",
        "<f8",
        "|u1",
        "O",
        [],
        {},
        [[]],
        {"name": 1},
    ]
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = str(chance.choice([*value]))
        if chance.random() < 0.1:
            return {name: inside for name, inside in value.items() if name != key}
        return value | {key: changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = int(chance.integers(len(value)))
        if chance.random() < 0.2:
            return [*value[:place], *value[place + 1 :], *value[place : place + 1 : int(chance.integers(1, 3))]]
        return [*value[:place], changed(value[place], chance), *value[place + 1 :]]
    return others[int(chance.integers(len(others)))]


def test_other_directories_under_right_checksums_never_crash(path: Path) -> None:
    content = path.read_bytes()
    chance = np.random.default_rng(7)
    refused = 0
    for _ in range(2000):
        directory, start = parts_of(content)
        n_docs = N_DOCS if chance.random() < 0.9 else int(chance.choice([0, 1, 69, 71, 2**32]))
        path.write_bytes(sealed(changed(directory, chance), n_docs, content[start:], seal=False))
        try:
            used(Columns.open(path))
        except thresher.FormatError:
            refused += 1
    assert refused > 1000


@pytest.mark.parametrize("directory", ["[" * 100_000, "{}", "null", '{"fields":3}', '{"fields":[[]]}', "\xff", ""])
def test_directories_that_are_none(path: Path, directory: str) -> None:
    written = directory.encode("latin-1")
    size = 64 + len(written) + -len(written) % 64
    header = bytearray(struct.pack("<8sIIQQQ24x", MAGIC, 1, 0, size, 0, len(written)))
    header[12:16] = struct.pack("<I", zlib.crc32(written, zlib.crc32(header)))
    path.write_bytes(bytes(header) + written + bytes(-len(written) % 64))
    with expect(thresher.FormatError, "segment", "the directory is not one"):
        Columns.open(path)


def test_other_versions_and_other_files(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] = 2
    path.write_bytes(content)
    with expect(thresher.FormatError, "a column file of version 2; this library reads 1"):
        Columns.open(path)
    path.write_bytes(b"THRESHER" + bytes(100))
    with expect(thresher.FormatError, "no column file"):
        Columns.open(path)
    with pytest.raises(FileNotFoundError):
        Columns.open(path.with_name("none"))


def test_a_file_may_go_while_it_is_open(path: Path) -> None:
    columns = Columns.open(path, verify=False)
    path.unlink()
    assert used(columns) == used(Columns.of(FIELDS, some()))
