"""Options that several commands have in common."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from thresher.collection import Collection

WHERE = 'A filter in JSON, such as \'{"year": {"$gte": 2020}}\'.'


def parsed(where: str | None) -> dict[str, Any] | None:
    """Return the filter that an option states, or None."""
    if where is None:
        return None
    try:
        condition = json.loads(where)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--where") from None
    if not isinstance(condition, dict):
        raise typer.BadParameter("a filter is an object.", param_hint="--where")
    return condition


def ids_of(names: Iterable[str], collection: Collection) -> list[str | int]:
    """Return ids of the collection's kind, as they are written in a shell or on lines."""
    if collection.id_kind != "int":
        return list(names)
    ids: list[str | int] = []
    for name in names:
        try:
            ids.append(int(name))
        except ValueError:
            raise ValueError(f"{name!r} is no id: those of the collection are whole numbers") from None
    return ids
