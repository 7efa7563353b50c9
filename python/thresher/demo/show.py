"""Shows a search in the terminal: questions, hits with what made their scores, and the engines."""

from __future__ import annotations

import io
import re
import sys
import time

from rich import box
from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

import thresher
from thresher.demo.corpus import Passage, gather
from thresher.demo.measure import K, Measured, measure
from thresher.demo.weights import Question, Weights

QUESTIONS = (
    "least recently used cache",
    "run a command and capture its output",
    "walk a directory tree",
    "multiply a sparse matrix by a vector",
)
HITS = 5
TERMS = 4  # most bars a hit
MEASURED_QUESTIONS = 300

_MARGIN = 10  # columns taken by rank and score
_VALUE_WIDTH = 5
_SHORTEST_BAR, _LONGEST_BAR = 5, 16

SNIPPET = """\
import thresher
index = thresher.ExactIndex.build(docs)  # any scipy.sparse, a row a document
hits = index.search(queries, k=10)       # hits.ids, hits.scores, best first
index.save("docs.thresher")
index = thresher.open("docs.thresher")   # memory-mapped
"""

_SIGNATURE = re.compile(r"^[\w.]+\(.*\)(\s*->.*)?$", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s")


def run(question: str | None = None) -> None:
    """Gather passages, index them, answer questions and compare the engines.

    Parameters
    ----------
    question
        What to ask first, before the fixed questions.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # documentation holds more than a plain terminal shows
    console = Console(highlight=False)
    waiting = Console(stderr=True)
    with waiting.status("reading the documentation on this machine"):
        started = time.perf_counter()
        passages = gather()
        read_seconds = time.perf_counter() - started
    with waiting.status("weighing its words"):
        started = time.perf_counter()
        weights = Weights([f"{passage.title} {passage.text}" for passage in passages])
        weigh_seconds = time.perf_counter() - started
    n_words, n_weights = weights.matrix.shape[1], weights.matrix.nnz
    console.print(
        f"[bold]thresher[/] over {len(passages):,} passages of documentation, {n_words:,} words, "
        f"{n_weights:,} weights (read in {read_seconds:.1f} s, weighed in {weigh_seconds:.1f} s)"
    )
    oracle = thresher.ExactIndex.build(weights.matrix)
    for asked in (question, *QUESTIONS):
        if asked is not None:
            console.print()
            console.print(_answer(asked, oracle, passages, weights, console.width))
    with waiting.status("measuring the engines"):
        sample = _sample(passages, weights)
        rows = [measure(engine, weights.matrix, sample, oracle) for engine in thresher.engines().values()]
    console.print()
    console.print(_engines(rows, len(sample)))
    console.print()
    console.print(_hints())


def _answer(asked: str, index: thresher.Index, passages: list[Passage], weights: Weights, width: int) -> RenderableType:
    """Lay out a question and its best passages, `width` characters wide."""
    question = weights.question(asked)
    hits = index.search_one(question.terms, question.weights, k=HITS)
    ids = hits.ids[hits.ids >= 0]
    heading = Rule(Text(asked, style="bold yellow"), align="left", style="yellow")
    if not len(ids):
        return Group(heading, Text("no passage has any of these words", style="dim"))
    explanations = index.explain(question.terms, ids, question.weights)
    largest = max(float(one.products.max(initial=0)) for one in explanations)
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(justify="right", style="green", no_wrap=True)
    table.add_column(ratio=1)
    for rank, one in enumerate(explanations, 1):
        passage = passages[one.id]
        shown = Group(
            Text(passage.title, style="bold cyan", no_wrap=True, overflow="ellipsis"),
            Text(first_sentence(passage.text), no_wrap=True, overflow="ellipsis"),
            _bars(question, one, largest, width - _MARGIN),
        )
        table.add_row(str(rank), f"{one.score:.2f}", shown)
    return Group(heading, table)


def first_sentence(text: str) -> str:
    """Return the first sentence of a docstring on one line.

    Parameters
    ----------
    text
        The docstring; a signature at its head is passed over.

    Returns
    -------
    str
        The sentence, without control characters.
    """
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip())]
    telling = next((paragraph for paragraph in paragraphs if not _SIGNATURE.match(paragraph)), paragraphs[0])
    sentence = _SENTENCE_END.split(telling, maxsplit=1)[0]
    return "".join(character for character in sentence if character.isprintable())


def _bars(question: Question, hit: thresher.Explanation, largest: float, width: int) -> RenderableType:
    """Draw a hit's strongest terms, the strongest first; bars are to one scale within a question."""
    words = dict(zip(question.terms.tolist(), question.words, strict=True))
    word_width = min(12, max(map(len, question.words)))
    fixed = word_width + 1 + 1 + _VALUE_WIDTH + 2
    count = max(1, min(TERMS, width // (fixed + _SHORTEST_BAR)))
    bar_width = max(1, min(_LONGEST_BAR, width // count - fixed))
    grid = Table.grid(padding=(0, 1, 0, 0))
    cells: list[RenderableType] = []
    for term, product in zip(hit.terms[:count].tolist(), hit.products[:count].tolist(), strict=True):
        if product <= 0:
            break
        grid.add_column(style="magenta", no_wrap=True, width=word_width)
        grid.add_column(no_wrap=True, width=bar_width)
        grid.add_column(style="dim", no_wrap=True, width=_VALUE_WIDTH + 1)
        bar = Bar(size=largest, begin=0, end=product, width=bar_width, color="magenta")
        cells += [words[term], bar, f"{product:.2f}"]
    grid.add_row(*cells)
    return grid


def _sample(passages: list[Passage], weights: Weights) -> list[Question]:
    """Make questions of the first sentences of passages from all over the collection."""
    step = max(1, len(passages) // MEASURED_QUESTIONS)
    questions = (weights.question(first_sentence(passage.text)) for passage in passages[::step])
    return [question for question in questions if len(question.terms)]


def _engines(rows: list[Measured], n_questions: int) -> RenderableType:
    """Lay out what was measured, an engine a row."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=f"engines, each asked {n_questions} questions one at a time",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("engine", style="bold cyan", no_wrap=True)
    for name in ("index", "build", "median latency", f"recall@{K}"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.engine,
            f"{row.nbytes / 1e6:.1f} MB",
            f"{row.build_seconds * 1e3:.1f} ms",
            f"{row.latency_seconds * 1e6:.0f} µs",
            f"{row.recall:.3f}",
        )
    return table


def _hints() -> RenderableType:
    """Say what to try next."""
    return Group(
        Text.assemble("Ask your own:  ", ('make demo Q="how do I read a csv file"', "bold green")),
        Text("In your code:"),
        Syntax(SNIPPET.rstrip(), "python", theme="ansi_dark", background_color="default"),
    )
