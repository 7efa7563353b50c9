"""Records: a document for each line of JSON, or for each row of a table; what else they have are its fields."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from thresher.collection.filters import validate_payload
from thresher.folders.reading.passage import Passage, Reading

OWN = ("path", "place", "file", "id", "text", "vector", "vectors")
"""What a passage, or a line of an export, has for itself: a record's field of the name gets an underscore behind it."""

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)\.\d+")
_DELIMITERS = ",;\t|"
_MOST_CELL = 1 << 24  # characters


def read_lines(title: str, content: str) -> Reading:
    """Return the passages of JSON lines: the field "text", or the longest string, is the text."""
    reading = Reading()
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            record = json.loads(line, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            reading.problems.append(f"{place}: not JSON: {error}")
            continue
        if isinstance(record, str):
            record = {"text": record}
        if not isinstance(record, dict):
            reading.problems.append(f"{place}: no object")
            continue
        strings = {name: value for name, value in record.items() if isinstance(value, str) and value.strip()}
        chosen = "text" if "text" in strings else max(strings, key=lambda name: len(strings[name]), default=None)
        if chosen is None:
            reading.problems.append(f"{place}: no text")
            continue
        _add(reading, strings[chosen], title, place, {name: value for name, value in record.items() if name != chosen})
    return reading


def read_table(title: str, content: str) -> Reading:
    """Return the passages of CSV, whose first row names the columns; commas, semicolons, tabs or bars part them."""
    head = content.partition("\n")[0]
    return _rows(title, content, max(_DELIMITERS, key=head.count))


def read_tabs(title: str, content: str) -> Reading:
    """Return the passages of a table that tabs part."""
    return _rows(title, content, "\t")


def _rows(title: str, content: str, delimiter: str) -> Reading:
    reading = Reading()
    before = csv.field_size_limit(_MOST_CELL)
    try:
        rows = csv.reader(content.splitlines(keepends=True), delimiter=delimiter)
        columns = [name.strip() for name in next(rows, [])]
        for number, row in enumerate(rows, 2):
            names = [*columns, *(f"column {extra + 1}" for extra in range(len(columns), len(row)))]
            cells = {
                name or f"column {place}": cell.strip()
                for place, (name, cell) in enumerate(zip(names, row, strict=False), 1)
                if cell.strip()
            }
            if not cells:
                continue
            text = cells.pop("text", None) or " | ".join(cells.values())
            fields = {name: _value(cell) for name, cell in cells.items()}
            _add(reading, text, title, f"row {number}", fields)
    except csv.Error as error:
        reading.problems.append(f"row {len(reading.passages) + 2}, and what is behind it: {error}")
    finally:
        csv.field_size_limit(before)
    return reading


def _add(reading: Reading, text: str, title: str, place: str, fields: Mapping[str, Any]) -> None:
    """Add a record, or tell what is wrong with its fields."""
    own = {_free(name, fields): _whole(value) for name, value in fields.items() if value is not None}
    called = own.pop("title", None)
    if called is not None and not isinstance(called, str):
        called = json.dumps(called, ensure_ascii=False)
    try:
        validate_payload(own, {}, place)
    except (TypeError, ValueError, RecursionError) as error:
        reading.problems.append(f"{place}: {error}")
        return
    reading.passages.append(Passage(_whole(text), " ".join((called or "").split()) or title, place, own))


def _free(name: str, among: Iterable[str]) -> str:
    """Return a field's name, or one like it if passages have that for themselves."""
    if name in OWN:
        while name in OWN or name in among:
            name += "_"
    return str(_whole(name))


def _whole(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value without halves of surrogate pairs, which JSON can write and nothing can store."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(one) for name, one in value.items()}
    return value


def _value(cell: str) -> str | int | float:
    """Return the number that a cell is, if it is written as one."""
    if _WHOLE.fullmatch(cell):
        return int(cell)
    return float(cell) if len(cell) < 30 and _DECIMAL.fullmatch(cell) else cell


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
