"""The formula of BM25: weights and IDF as bm25s has them, and weights that tell the frequencies they were made of."""

from __future__ import annotations

import math
from typing import Any, get_args

import bm25s.scoring
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from thresher.encoders.formula import BM25Formula, Method

METHODS: list[Method] = list(get_args(Method))
N_DOCS = 1000


@st.composite
def formulas(draw: st.DrawFn) -> BM25Formula:
    return BM25Formula(
        draw(st.sampled_from(METHODS)),
        draw(st.floats(0.1, 5.0)),
        draw(st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))),
        draw(st.floats(0.0, 2.0)),
    )


@st.composite
def counted(draw: st.DrawFn, most: int = 1_000_000) -> tuple[sp.csr_array, np.ndarray[Any, Any], float]:
    """Term frequencies of documents, their lengths, which are no less, and a mean length."""
    frequency = st.one_of(st.integers(1, 20), st.integers(1, most), st.integers(max(most - 20, 1), most))
    rows = draw(st.lists(st.lists(frequency, max_size=4), max_size=4))
    more = draw(st.lists(st.integers(0, most), min_size=len(rows), max_size=len(rows)))
    lengths = np.array([sum(row) + rest for row, rest in zip(rows, more, strict=True)], np.int64)
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.concatenate([np.arange(0), *(np.arange(len(row)) for row in rows)])
    data = np.array([one for row in rows for one in row], np.int32)
    mean = draw(st.floats(1.0, 1e5))
    return sp.csr_array((data, indices, indptr), shape=(len(rows), 4)), lengths, mean


@given(formulas(), counted())
def test_frequencies_come_back_exactly(formula: BM25Formula, case: Any) -> None:
    counts, lengths, mean = case
    back = formula.unweigh(formula.weigh(counts, lengths, mean, dtype=np.float64), lengths, mean)
    assert back.dtype == np.int32
    assert back.data.tolist() == counts.data.tolist()
    assert back.indices.tolist() == counts.indices.tolist()


@given(formulas(), counted())
def test_what_comes_back_of_float32_has_the_same_weights(formula: BM25Formula, case: Any) -> None:
    counts, lengths, mean = case
    weights = formula.weigh(counts, lengths, mean)
    assert weights.dtype == np.float32
    assert ((weights.data > 0) & (weights.data <= np.float32(formula.largest))).all()
    again = formula.weigh(formula.unweigh(weights, lengths, mean), lengths, mean)
    assert again.data.tobytes() == weights.data.tobytes()


@given(formulas(), counted(5000))
def test_frequencies_that_float32_tells_apart_come_back_exactly(formula: BM25Formula, case: Any) -> None:
    counts, lengths, mean = case
    saturation = formula.k1 + (formula.delta if formula.method == "bm25l" else 0)
    norm = np.repeat(1 - formula.b + formula.b * lengths / mean, np.diff(counts.indptr))
    half = saturation * norm
    told_apart = counts.data + 1 + half < 2896 * np.sqrt(half)
    back = formula.unweigh(formula.weigh(counts, lengths, mean), lengths, mean)
    assert back.data[told_apart].tolist() == counts.data[told_apart].tolist()


def test_usual_frequencies_come_back_exactly_from_float32() -> None:
    frequencies = np.arange(1, 1001, dtype=np.int32)
    counts = sp.csr_array(frequencies[:, np.newaxis])
    for method in METHODS:
        formula = BM25Formula(method)
        back = formula.unweigh(formula.weigh(counts, frequencies, 50.0), frequencies, 50.0)
        assert back.data.tolist() == frequencies.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_a_weight_that_is_the_largest_comes_of_no_more_than_the_length(method: Method) -> None:
    formula = BM25Formula(method, k1=1e-6, delta=0.0)
    weights = formula.weigh(sp.csr_array([[100]]), [120], 50.0)
    assert weights.data.tolist() == [np.float32(formula.largest)]
    back = formula.unweigh(weights, [120], 50.0)
    assert 1 <= back.data[0] <= 120
    assert formula.weigh(back, [120], 50.0).data.tolist() == weights.data.tolist()
    assert formula.unweigh(sp.csr_array([[np.float32(formula.largest * 1.01)]]), [120], 50.0).data.tolist() == [120]


@pytest.mark.parametrize("method", METHODS)
@given(case=counted(), formula=formulas())
def test_weights_are_those_of_bm25s(method: Method, case: Any, formula: BM25Formula) -> None:
    formula = BM25Formula(method, formula.k1, formula.b, formula.delta)
    counts, lengths, mean = case
    term = bm25s.scoring._select_tfc_scorer(method)
    of_length = np.repeat(lengths, np.diff(counts.indptr)).astype(np.float64)
    parameters = {"l_avg": mean, "k1": formula.k1, "b": formula.b, "delta": formula.delta}
    wanted = term(tf_array=counts.data.astype(np.float64), l_d=of_length, **parameters)
    if method in ("bm25+", "bm25l"):
        wanted = wanted - term(tf_array=np.zeros(counts.nnz), l_d=of_length, **parameters)
    ours = formula.weigh(counts, lengths, mean, dtype=np.float64).data
    np.testing.assert_allclose(ours, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_idf_is_that_of_bm25s(method: Method) -> None:
    theirs = bm25s.scoring._select_idf_scorer(method)
    frequencies = np.arange(1, N_DOCS + 1)
    ours = BM25Formula(method).idf(frequencies, N_DOCS)
    np.testing.assert_allclose(ours, [theirs(df, N=N_DOCS) for df in frequencies.tolist()], rtol=1e-12, atol=1e-12)
    assert (ours >= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_terms_of_no_document_count_nothing(method: Method) -> None:
    assert BM25Formula(method).idf([0, 0], 3).tolist() == [0.0, 0.0]
    assert BM25Formula(method).idf([0], 0).tolist() == [0.0]
    assert BM25Formula(method).idf([], 0).shape == (0,)
    assert (BM25Formula(method).idf([3, 5], 2) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "bm26"}, r"method must be one of lucene, robertson, atire, bm25\+, bm25l, got 'bm26'"),
        ({"k1": 0.0}, "k1 must be > 0 and finite, got 0.0"),
        ({"k1": -1}, "k1 must be > 0 and finite, got -1"),
        ({"k1": math.nan}, "k1 must be > 0 and finite, got nan"),
        ({"k1": math.inf}, "k1 must be > 0 and finite, got inf"),
        ({"b": 1.5}, "b must be 0 to 1, got 1.5"),
        ({"b": math.nan}, "b must be 0 to 1, got nan"),
        ({"delta": -0.5}, "delta must be >= 0 and finite, got -0.5"),
    ],
)
def test_parameters_that_are_none(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BM25Formula(**arguments)


def test_parameters_that_are_no_numbers() -> None:
    with pytest.raises(TypeError, match=r"k1 must be a number, got '1.2'"):
        BM25Formula(k1="1.2")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="b must be a number, got True"):
        BM25Formula(b=True)


def test_lengths_and_mean_that_do_not_fit() -> None:
    counts = sp.csr_array(np.array([[1, 2]], np.int32))
    with pytest.raises(ValueError, match=r"lengths must have the shape \(1,\), one for each row, got \(2,\)"):
        BM25Formula().weigh(counts, [3, 3], 3.0)
    for mean in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="mean_length must be > 0"):
            BM25Formula().weigh(counts, [3], mean)
    empty = sp.csr_array((1, 2), dtype=np.int32)
    assert BM25Formula().weigh(empty, [0], 0.0).nnz == 0
