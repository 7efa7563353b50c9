from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import thresher
from thresher.formats import trec

IDS = np.array([[7, 2, -1], [-1, -1, -1], [0, 1, 2]])
SCORES = np.array([[2.5, 0.1, -np.inf], [-np.inf] * 3, [1e-8, 3.4e38, 1 / 3]], dtype=np.float32)


def test_ranks_from_one_and_no_padding(tmp_path: Path) -> None:
    trec.write_run(tmp_path / "run", IDS[:2], SCORES[:2])
    assert (tmp_path / "run").read_text() == "0 Q0 7 1 2.5 thresher\n0 Q0 2 2 0.1 thresher\n"


def test_names_and_tag() -> None:
    documents = [f"d{number}" for number in range(8)]
    lines = list(trec.run_lines(IDS, SCORES, queries=["a", "b", "é"], documents=documents, tag="mine"))
    assert lines[0] == "a Q0 d7 1 2.5 mine\n"
    assert [line.split()[:4] for line in lines[2:]] == [["é", "Q0", f"d{n}", str(n + 1)] for n in range(3)]


def test_scores_read_back_as_the_same_float32() -> None:
    read = [np.float32(line.split()[4]) for line in trec.run_lines(IDS, SCORES)]
    assert read == SCORES[IDS >= 0].tolist()


@pytest.mark.parametrize("bad", ["", "two words", "tab\there", " padded", "line\n"])
@pytest.mark.parametrize("column", ["tag", "query id", "document id"])
def test_columns_that_would_shift_the_others(column: str, bad: str) -> None:
    queries = [bad if column == "query id" else "q"] * 3
    documents = [bad if column == "document id" else "d"] * 8
    tag = bad if column == "tag" else "t"
    with pytest.raises(ValueError, match=column):
        list(trec.run_lines(IDS, SCORES, queries=queries, documents=documents, tag=tag))


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_written_reads_back(packed: bool, tmp_path: Path) -> None:
    trec.write_run(tmp_path / "run", IDS, SCORES, queries=["a", "b", "é"])
    if packed:
        (tmp_path / "run").write_bytes(gzip.compress((tmp_path / "run").read_bytes()))
    read = trec.read_run(tmp_path / "run")
    assert list(read) == ["a", "é"]
    assert list(read["a"]) == ["7", "2"]
    assert [np.float32(score) for score in read["é"].values()] == SCORES[2].tolist()
    with (tmp_path / "run").open("rb") as file:
        assert trec.read_run(file) == read


def test_judgements(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text("\ufeff1 0 d1 2\n\n1 Q0 d2 -1\n2 0 d1 0\n")
    assert trec.read_qrels(tmp_path / "qrels") == {"1": {"d1": 2, "d2": -1}, "2": {"d1": 0}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"q Q0 d 1 2.5\n", "line 1: a run has 6 columns, query Q0 document rank score tag; got 5"),
        (b"q Q0 d 1 2.5 t\nq Q0 d 2 2.4 t\n", "line 2: query 'q' has the document 'd' twice"),
        (b"q Q0 d 1 high t\n", "line 1: 'high' is no number"),
        (b"q Q0 d 1 nan t\n", "line 1: 'nan' is no number"),
        (b"q Q0 d 1 1 t\nq Q0 \xff 1 1 t\n", "not UTF-8"),
        (gzip.compress(b"q Q0 d 1 1 t\n" * 9)[:-9], "damaged gzip"),
    ],
)
def test_runs_that_are_damaged(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(content)
    with pytest.raises(thresher.FormatError) as error:
        trec.read_run(tmp_path / "run")
    assert str(tmp_path / "run") in str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("q 0 d\n", "line 1: judgements have 4 columns, query 0 document relevance; got 3"),
        ("q 0 d 0.5\n", "line 1: the relevance '0.5' is no whole number"),
        ("q 0 d inf\n", "line 1: the relevance 'inf' is no whole number"),
        ("q 0 d 1\nq 0 d 1\n", "line 2: query 'q' has the document 'd' twice"),
        ("query-id\tcorpus-id\tscore\nq\td\tx\n", "line 2: 'x' is no number"),
    ],
)
def test_judgements_that_are_damaged(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text(content)
    with pytest.raises(thresher.FormatError) as error:
        trec.read_qrels(tmp_path / "qrels")
    assert words in str(error.value)
