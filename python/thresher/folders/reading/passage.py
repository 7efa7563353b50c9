"""What files become: passages, and what could not be read."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Passage:
    """A piece of a file that a question may find.

    Attributes
    ----------
    text
        What is searched; not empty.
    title
        What it stands under: a heading, a title, or the file's name without its suffix.
    place
        Where it is in its file, such as "line 12" or "row 3", from 1.
    fields
        What else a record has.
    """

    text: str
    title: str
    place: str
    fields: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Reading:
    """The passages of a file, and the places that could not be read, with the reason."""

    passages: list[Passage] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)
