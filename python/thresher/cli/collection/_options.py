"""Options that several commands have in common."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from thresher.encoders import from_config

if TYPE_CHECKING:
    from thresher.collection import Collection
    from thresher.encoders import Encoder

WHERE = 'A filter in JSON, such as \'{"year": {"$gte": 2020}}\'.'
ENCODER = "What makes vectors of texts: bm25, bm25:LANGUAGE, or the configuration of an encoder in JSON."


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


def encoder_of(stated: str) -> Encoder:
    """Return the encoder that an option states."""
    kind, _, language = stated.partition(":")
    config: Any = {"kind": kind, **({"language": language} if language else {})}
    if stated.lstrip().startswith("{"):
        try:
            config = json.loads(stated)
        except ValueError as error:
            raise typer.BadParameter(f"not JSON: {error}", param_hint="--encoder") from None
    try:
        return from_config(config)
    except (TypeError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--encoder") from None
