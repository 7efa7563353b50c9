from __future__ import annotations

import csv
import itertools
import math
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

import thresher
from thresher.cli.app import app
from thresher.demo import corpus, show
from thresher.demo.measure import measure
from thresher.demo.weights import Question, Weights, with_parts

if TYPE_CHECKING:
    from thresher.demo.corpus import Passage

SOURCE = b'''"""The module."""
def function():
    """A function."""
    def inner(): "An inner function."
async def later(): "An async one."
def _private(): "Not public."
def silent(): pass
class Class:
    """A class."""
    def method(self):
        """A method."""
    class Nested:
        "A nested class."
        def deep(self): "A deep method."
class _Hidden:
    def method(self): "Not public either."
'''


def test_source_is_read_by_qualified_name() -> None:
    assert list(corpus.from_source(SOURCE, "pkg.mod")) == [
        ("pkg.mod", "The module."),
        ("pkg.mod.function", "A function."),
        ("pkg.mod.later", "An async one."),
        ("pkg.mod.Class", "A class."),
        ("pkg.mod.Class.method", "A method."),
        ("pkg.mod.Class.Nested", "A nested class."),
        ("pkg.mod.Class.Nested.deep", "A deep method."),
    ]


@pytest.mark.parametrize("source", [b"def broken(:", b"print 'two'", b"\0", b"\xff\xfe", b"x = " + b"(" * 5000])
def test_source_that_does_not_parse_is_passed_over(source: bytes) -> None:
    assert list(corpus.from_source(source, "broken")) == []


def test_modules_in_c_are_looked_at_and_what_they_borrow_is_not() -> None:
    assert dict(corpus.from_module(itertools))["itertools.chain.from_iterable"] == itertools.chain.from_iterable.__doc__
    assert dict(corpus.from_module(math))["math.hypot"] == math.hypot.__doc__
    assert "csv.writer" in dict(corpus.from_module(csv))
    assert "csv.StringIO" not in dict(corpus.from_module(csv))


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    """Some of the passages on this machine."""
    return corpus.gather(most_source=1_500_000)


def test_gathers_from_the_library_and_what_is_imported_anyway(passages: list[Passage]) -> None:
    titles = {passage.title for passage in passages}
    assert {
        "itertools.chain",
        "datetime.datetime.strptime",
        "argparse.ArgumentParser",
        "numpy.argsort",
    } <= titles
    assert len(passages) > 1500


def test_gathers_without_importing(passages: list[Passage]) -> None:
    gathered = {passage.title.partition(".")[0] for passage in passages}
    unlikely = {"antigravity", "compileall", "this", "turtle"}
    assert "compileall" in gathered
    code = (
        "import sys; from thresher.demo import corpus; corpus.gather(most_source=1_500_000); "
        f"print(sorted({unlikely!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_passages_are_whole_and_different(passages: list[Passage]) -> None:
    assert all(len(passage.text) >= corpus.SHORTEST for passage in passages)
    assert len({passage.title for passage in passages}) == len(passages)
    assert len({passage.text for passage in passages}) == len(passages)


def test_the_order_is_the_same_every_time(passages: list[Passage]) -> None:
    assert corpus.gather(most_source=1_500_000) == passages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call read_csv now", "call read_csv read csv now"),
        ("an OrderedDict", "an OrderedDict Ordered Dict"),
        ("getHTTPResponse", "getHTTPResponse get HTTP Response"),
        ("datetime.strptime, plainly", "datetime.strptime, plainly"),
    ],
)
def test_parts_of_identifiers(text: str, expected: str) -> None:
    assert with_parts(text) == expected


def test_inner_products_are_bm25_scores() -> None:
    texts = ["red apple apple", "green apple pie crust", "blue sky", "sky sky sky apple"]
    weights = Weights(texts)
    question = weights.question("apples skies unheard")
    assert sorted(question.words) == ["apples", "skies"]
    query = np.zeros(weights.matrix.shape[1])
    query[question.terms] = question.weights
    lengths = [len(text.split()) for text in texts]

    def bm25(word: str, row: int, k1: float = 1.5, b: float = 0.75) -> float:
        tf = texts[row].split().count(word)
        df = sum(word in text.split() for text in texts)
        idf = math.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
        return idf * tf / (tf + k1 * (1 - b + b * lengths[row] * len(lengths) / sum(lengths)))

    expected = [bm25("apple", row) + bm25("sky", row) for row in range(len(texts))]
    np.testing.assert_allclose(weights.matrix @ query, expected, rtol=1e-5)


def test_questions_count_words_and_know_them_as_typed() -> None:
    weights = Weights(["parsing dates of csv files", "something else"])
    question = weights.question("Parse the CSV, parse parse_dates")
    typed = dict(zip(question.words, question.weights.tolist(), strict=True))
    assert typed == {"parse": 3, "csv": 1, "dates": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Do it.  Then more.", "Do it."),
        ("Spread over\n  two lines. More", "Spread over two lines."),
        ("add(x1, x2, /, out=None)\n\nAdd arguments.", "Add arguments."),
        ("f(x) -> int", "f(x) -> int"),
        ("Bell \x07 and \x1b[31m.", "Bell  and [31m."),
    ],
)
def test_first_sentence(text: str, expected: str) -> None:
    assert show.first_sentence(text) == expected


class Forgetful(thresher.ExactIndex):
    """An engine that never returns the best hit."""

    def search_one(self, terms: np.ndarray, weights: np.ndarray, k: int = 10) -> thresher.Hits:  # type: ignore[override]
        hits = super().search_one(terms, weights, k=k)
        hits.ids[0], hits.scores[0] = -1, -np.inf
        return hits


def test_measured_recall() -> None:
    rng = np.random.default_rng(1)
    docs = sparse.csr_array(sparse.random(300, 30, density=0.5, dtype=np.float32, random_state=rng))
    questions = [Question(np.array([term]), np.array([1.0], np.float32), ["word"]) for term in range(30)]
    oracle = thresher.ExactIndex.build(docs)
    exact = measure(thresher.ExactIndex, docs, questions, oracle)
    assert (exact.engine, exact.recall, exact.nbytes) == ("exact", 1.0, sum(oracle.nbytes.values()))
    assert measure(Forgetful, docs, questions, oracle).recall == pytest.approx(0.9)
    nothing = questions[0]._replace(weights=-questions[0].weights)
    assert np.isnan(measure(thresher.ExactIndex, docs, [nothing], oracle).recall)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, passages: list[Passage]) -> None:
    monkeypatch.setattr(show, "gather", lambda: passages)


def test_the_show(few: None) -> None:
    result = CliRunner().invoke(app, ["demo", "chain iterables"], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    output = result.stdout
    assert "\x1b" not in output
    questions = ("chain iterables", *show.QUESTIONS)
    places = [output.index(f"{question} ─") for question in questions]
    assert places == sorted(places)
    own = output[places[0] : places[1]]
    assert "itertools.chain" in own
    assert "chain     █" in own
    engines = output[output.index("median latency") :]
    for engine in thresher.engines():
        assert [line.split()[-1] for line in engines.splitlines() if line.split()[:1] == [engine]] == ["1.000"]
    assert "make demo Q=" in engines
    assert show.SNIPPET.splitlines()[1].split("#")[0].strip() in engines
    assert max(map(len, output.splitlines())) <= 100


def test_scores_are_the_sum_of_their_terms(few: None) -> None:
    result = CliRunner().invoke(app, ["demo", "chain"], env={"COLUMNS": "100"})
    lines = result.stdout[result.stdout.index("chain ─") :].splitlines()
    rank, score, _ = lines[1].split()
    word, _, contribution = lines[3].split()
    assert (rank, word, contribution) == ("1", "chain", score)


def test_a_question_of_unheard_words(few: None) -> None:
    result = CliRunner().invoke(app, ["demo", "xyzzyq [bold]"])
    assert result.exit_code == 0, result.output
    assert "xyzzyq [bold] ─" in result.stdout


def test_colours_on_a_terminal_only_and_never_with_no_color(few: None) -> None:
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[1;36m" in CliRunner().invoke(app, ["demo"], env=terminal).stdout
    assert "36m" not in CliRunner().invoke(app, ["demo"], env={**terminal, "NO_COLOR": "1"}).stdout


def test_the_snippet_runs(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    docs = sparse.csr_array([[1.0, 0], [0, 2.0]], dtype=np.float32)
    scope: dict[str, object] = {"docs": docs, "queries": docs}
    exec(show.SNIPPET, scope)
    assert scope["index"].n_docs == 2  # type: ignore[attr-defined]


def test_a_terminal_that_knows_only_ascii(few: None) -> None:
    result = CliRunner(charset="ascii").invoke(app, ["demo"])
    assert result.exit_code == 0, result.output
