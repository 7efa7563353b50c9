"""``thresher ask``: the passages of an indexed folder that answer a question."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thresher.cli._folders import NAME, found_for
from thresher.cli._terminal import note, printable
from thresher.cli.collection._options import WHERE, parsed
from thresher.collection import Collection
from thresher.folders.answering import ask as answered

if TYPE_CHECKING:
    from thresher.folders.answering import Answer, Passages

_BOLD, _PLAIN = "\x1b[1;33m", "\x1b[0m"


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="Any words; - reads them from stdin.")],
    target: Annotated[
        Path, typer.Argument(metavar="[FOLDER|FILE]", help="What was indexed; or a folder within it.")
    ] = Path(),
    *,
    collection: Annotated[
        Path | None, typer.Option("--collection", "-c", help=f"The collection, in place of FOLDER/{NAME}.")
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Passages at most.")] = 5,
    where: Annotated[str | None, typer.Option(help=WHERE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Show the passages that answer a question best, the words marked, each with its file and place.

    `thresher index` makes the collection, which is looked for in the folder and in those that it is
    in. Fields of JSON lines and CSV can be filtered by, and so can path and title.
    """
    condition = parsed(where)
    if question == "-":
        question = sys.stdin.buffer.read().decode("utf-8", "replace")
    with Collection.open(found_for(target) if collection is None else collection) as opened:
        answer = answered(opened, question, k=k, where=condition)
    if as_json:
        typer.echo(json.dumps(_object(question, answer), ensure_ascii=False, indent=2))
        return
    is_terminal = sys.stdout.isatty()
    for number, hit in enumerate(answer.hits, 1):
        if number > 1:
            typer.echo()
        typer.echo(_shown(number, hit, is_terminal=is_terminal), color=is_terminal)
    _explain(answer, filtered=condition is not None)


def _shown(number: int, hit: Passages, *, is_terminal: bool) -> str:
    """Return a passage as people read it."""
    marks = (_BOLD, _PLAIN) if is_terminal else ("**", "**")
    payload = hit.payload
    head = f"{number}. {payload.get('path', hit.id)}, {payload.get('place', '?')}: {payload.get('title', '')}"
    body = hit.highlight.marked(*marks, escape=printable)
    return f"{printable(' '.join(head.split()))}\n   {' '.join(body.split())}"


def _explain(answer: Answer, *, filtered: bool) -> None:
    """Tell why there is nothing, or what of the question counted nothing."""
    if not answer.has_words:
        left_out = ", ".join(map(printable, answer.ignored))
        note(f"the question has no words to search for: {left_out} are left out" if left_out else "no question")
        return
    for word, near in answer.unknown.items():
        hint = f"; near it: {', '.join(map(printable, near))}" if near else ""
        note(f"no passage has {printable(word)!r}{hint}")
    if not answer.hits and not answer.unknown:
        note("nothing was found that meets the filter" if filtered else "nothing was found")


def _object(question: str, answer: Answer) -> dict[str, Any]:
    return {
        "question": question.encode("utf-8", "replace").decode(),
        "hits": [
            {
                "id": hit.id,
                "score": float(str(hit.score)),
                **{name: hit.payload.get(name) for name in ("path", "place", "title")},
                "text": hit.highlight.text,
                "marked": hit.highlight.marked(),
                "fields": {
                    name: value for name, value in hit.payload.items() if name not in ("path", "place", "title", "file")
                },
            }
            for hit in answer.hits
        ],
        "ignored": answer.ignored,
        "unknown": answer.unknown,
    }
