"""Shows in five short steps what thresher does, on the dictionary."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

import thresher
from thresher.demo import measure
from thresher.demo.answers import answer, entry, lines

if TYPE_CHECKING:
    from thresher.demo.dictionary import Dictionary
    from thresher.demo.shelf import Shelf

QUESTION = "bread with cheese and tomato"
EXPANDED = ("reporter", "doctor", "money")
_LOOKED_AT = 200  # hits, for one that does not have the word
FILTERED = "small and round"
KINDS = ("animal", "food", "artifact")
ADDED = ("thresher", "a search engine for sparse vectors, named after a shark", "search engine for sparse vectors")
CLUSTERS = (20, 40)

Show = Callable[[Text], None]
"""Prints a line, cut to the width of the terminal."""


def run(dictionary: Dictionary, shelf: Shelf, show: Show, width: int) -> None:
    """Show every step.

    Parameters
    ----------
    dictionary, shelf
        What is searched, closed and open.
    show
        Prints a line.
    width
        Of the terminal, in columns.
    """
    steps = (
        (f'A question: "{QUESTION}"', _question(shelf, width)),
        ("Expansion: found by a word that it does not have", _expansion(shelf)),
        (
            f'Documents that change, durable when the call returns: "{ADDED[2]}"',
            _collection(shelf),
        ),
        (f'A filter: "{FILTERED}"', _filter(shelf)),
        (f"From fast to exact, top {measure.K}, one thread, beside scipy", _dial(dictionary)),
    )
    for number, (title, told) in enumerate(steps, 1):
        show(Text(f"{number} {title}", style="bold yellow"))
        for line in told:
            show(Text.assemble("  ", line))


def _question(shelf: Shelf, width: int) -> Iterable[Text]:
    return lines(answer(shelf, QUESTION, k=3), width - 2)


def _expansion(shelf: Shelf) -> Iterator[Text]:
    for word in EXPANDED:
        found = answer(shelf, word, k=_LOOKED_AT).hits
        hit = next((hit for hit in found if hit.unsaid), None)
        if hit is not None:
            yield Text.assemble((word, "magenta"), " finds ", entry(hit.payload))


def _collection(shelf: Shelf) -> Iterator[Text]:
    title, text, question = ADDED
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shelf.collection.backup(copy)
        with thresher.Collection.open(copy, mode="rw") as collection:
            changing = shelf._replace(collection=collection)
            new, vector = len(collection), shelf.encoder.encode_queries([f"{title}: {text}"])
            changes = (
                ("before", lambda: None),
                ("added", lambda: collection.upsert([new], vector, [{"title": title, "text": text}])),
                ("deleted", lambda: collection.delete([new])),
            )
            for what, change in changes:
                started = time.perf_counter()
                change()
                took = "" if what == "before" else f" in {(time.perf_counter() - started) * 1e3:.1f} ms"
                yield Text.assemble(
                    (f"{what}{took}".ljust(17) + " ", "green"), entry(answer(changing, question, k=1).hits[0].payload)
                )


def _filter(shelf: Shelf) -> Iterator[Text]:
    for kind in KINDS:
        found = answer(shelf, FILTERED, k=3, where={"kind": kind})
        titles = ", ".join(str(hit.payload["title"]).partition(",")[0] for hit in found.hits)
        yield Text.assemble((f'where={{"kind": "{kind}"}}'.ljust(28), "green"), (titles, "bold cyan"))


def _dial(dictionary: Dictionary) -> Iterator[Text]:
    documents, asked = dictionary.contents().vectors, dictionary.asked()
    clustered, exact = thresher.ClusteredIndex.build(documents), thresher.BlockMaxIndex.build(documents)
    searches = {
        f"ClusteredIndex, cluster_budget={budget}": measure.of_index(
            clustered.with_search_params(cluster_budget=budget)
        )
        for budget in CLUSTERS
    }
    searches |= {"BlockMaxIndex": measure.of_index(exact), "scipy, sparse product": measure.of_scipy(documents)}
    truth = exact.search(asked, k=measure.K).scores
    for name, found in measure.measured(searches, asked, truth).items():
        recall = "exact      " if found.recall == 1 else f"recall {found.recall:.2f}"
        yield Text(f"{name:36} {recall} {found.seconds * 1e6:6.0f} us a question")
