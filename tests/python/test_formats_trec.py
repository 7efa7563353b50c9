from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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
