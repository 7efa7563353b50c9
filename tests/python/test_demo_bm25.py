from __future__ import annotations

import math

import numpy as np
import pytest

from thresher.demo.bm25 import StemCounts, weighed, with_parts


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
    vectors, stems = weighed(texts)
    query = StemCounts(stems).encode_queries(["apples, the skies, unheard"])
    assert sorted(stems[column] for column in query.indices) == ["appl", "sky"]
    lengths = [len(text.split()) for text in texts]

    def bm25(word: str, row: int, k1: float = 1.5, b: float = 0.75) -> float:
        tf = texts[row].split().count(word)
        df = sum(word in text.split() for text in texts)
        idf = math.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
        return idf * tf / (tf + k1 * (1 - b + b * lengths[row] * len(lengths) / sum(lengths)))

    expected = [bm25("apple", row) + bm25("sky", row) for row in range(len(texts))]
    np.testing.assert_allclose((vectors @ query.T).toarray()[:, 0], expected, rtol=1e-5)


def test_a_stem_counts_once_and_function_words_do_not() -> None:
    encoder = StemCounts(["pars", "csv", "the"])
    assert encoder.words("Parse the CSV") == ["parse", "the", "csv"]
    query = encoder.encode_queries(["parse the csv, parsing parse_csv", "", "how do I"])
    assert query.toarray().tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
