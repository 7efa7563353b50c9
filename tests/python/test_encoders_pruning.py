"""Pruning against a plain loop over rows and lists, and the encoder that prunes."""

from __future__ import annotations

import json
import math
from typing import Any, ClassVar

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

from helpers import Recorded, expect
from thresher.encoders import Encoder, WordImpacts, from_config
from thresher.encoders.pruning import Pruned, expected_flops, keep_best, keep_mass, keep_postings, keep_terms

Rows = list[dict[int, float]]

WEIGHTS = st.sampled_from([0.5, 1.0, 1.0, 2.0, 3.25, 1e-6, 100.0, -1.0, -2.0]).map(float)
ROWS = st.lists(st.dictionaries(st.integers(0, 9), WEIGHTS, max_size=8), max_size=12)
FRACTIONS = st.sampled_from([0.01, 0.3, 0.5, 0.9, 0.999, 1.0])
COUNTS = st.integers(1, 9)


def rows_of(matrix: Any) -> Rows:
    return [
        dict(zip(matrix.indices[begin:end].tolist(), matrix.data[begin:end].tolist(), strict=True))
        for begin, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    ]


def matrix_of(rows: Rows) -> Any:
    indptr = np.cumsum([0, *map(len, rows)])
    terms = np.array([term for row in rows for term in row], np.int64)
    weights = np.array([weight for row in rows for weight in row.values()], np.float32)
    return sp.csr_array((weights, terms, indptr), shape=(len(rows), 10))


def float32(rows: Rows) -> Rows:
    return [{term: float(np.float32(weight)) for term, weight in sorted(row.items())} for row in rows]


def heaviest_first(values: dict[int, float]) -> list[tuple[int, float]]:
    return sorted(values.items(), key=lambda pair: (-abs(pair[1]), pair[0]))


@given(ROWS, FRACTIONS)
def test_mass_against_a_loop(given_rows: Rows, fraction: float) -> None:
    rows = float32(given_rows)
    wanted = []
    for row in rows:
        total = sum(abs(weight) for _, weight in heaviest_first(row))
        kept, mass = {}, 0.0
        for term, weight in heaviest_first(row):
            if mass < fraction * total or fraction == 1.0:
                kept[term] = weight
            mass += abs(weight)
        wanted.append(dict(sorted(kept.items())))
    found = rows_of(keep_mass(matrix_of(given_rows), fraction))
    assert found == wanted
    for row, kept in zip(rows, found, strict=True):  # the fewest that make the fraction
        mass, total = math.fsum(map(abs, kept.values())), math.fsum(map(abs, row.values()))
        assert mass >= fraction * total * (1 - 1e-12)
        if kept and fraction < 1.0:
            assert mass - min(map(abs, kept.values())) < fraction * total


@given(ROWS, COUNTS)
def test_terms_against_a_loop(given_rows: Rows, n: int) -> None:
    rows = float32(given_rows)
    assert rows_of(keep_terms(matrix_of(given_rows), n)) == [dict(sorted(heaviest_first(row)[:n])) for row in rows]


@given(ROWS, COUNTS)
def test_postings_against_a_loop(given_rows: Rows, n: int) -> None:
    rows = float32(given_rows)
    wanted: Rows = [{} for _ in rows]
    for term in range(10):
        postings = {number: row[term] for number, row in enumerate(rows) if term in row}
        for number, weight in heaviest_first(postings)[:n]:
            wanted[number][term] = weight
    assert rows_of(keep_postings(matrix_of(given_rows), n)) == wanted


@given(ROWS, st.data(), st.sampled_from([0.0, 0.2, 0.5, 0.99]))
def test_best_against_a_loop(given_rows: Rows, data: Any, drop: float) -> None:
    rows = float32(given_rows)
    quality = data.draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, -math.inf]), min_size=len(rows), max_size=len(rows)))
    order = sorted(range(len(rows)), key=lambda number: (-quality[number], number))
    dropped = set(order[len(rows) - int(drop * len(rows)) :])
    wanted = [{} if number in dropped else row for number, row in enumerate(rows)]
    assert rows_of(keep_best(matrix_of(given_rows), np.array(quality, np.float64), drop)) == wanted


@given(ROWS, ROWS)
def test_flops_against_all_pairs(docs: Rows, queries: Rows) -> None:
    pairs = [len(doc.keys() & query.keys()) for doc in docs for query in queries]
    assert expected_flops(matrix_of(docs), matrix_of(queries)) == pytest.approx(
        sum(pairs) / len(pairs) if pairs else 0.0
    )


def test_shape_type_and_input_stay() -> None:
    given_rows = sp.csr_array(([3.0, 1.0, 1.0, 0.0], [4, 2, 2, 0], [0, 4, 4]), shape=(2, 6))
    before = [part.copy() for part in (given_rows.indptr, given_rows.indices, given_rows.data)]
    kept = keep_terms(given_rows, 1)
    assert (kept.shape, kept.dtype, rows_of(kept)) == ((2, 6), np.float32, [{4: 3.0}, {}])
    assert rows_of(keep_terms(given_rows, 2)) == [{2: 2.0, 4: 3.0}, {}]  # duplicates are one
    for part, old in zip((given_rows.indptr, given_rows.indices, given_rows.data), before, strict=True):
        assert part.tolist() == old.tolist()


def test_huge_terms() -> None:
    triple = [0, 2], np.array([7, 2**32 - 2], np.uint32), np.array([1.0, 2.0], np.float32)
    kept = keep_postings(sp.csr_array((triple[2], triple[1].astype(np.int64), triple[0]), shape=(1, 2**32 - 1)), 1)
    assert rows_of(kept) == [{7: 1.0, 2**32 - 2: 2.0}]


class Letters:
    """Counts letters, twice as heavy in queries."""

    n_terms = 26
    fingerprint = "letters"
    config: ClassVar[dict[str, Any]] = {"kind": "letters"}

    def encode_documents(self, texts: Any, *, progress: Any = None) -> sp.csr_array:
        counts = [[text.count(chr(97 + letter)) for letter in range(26)] for text in texts]
        if progress is not None:
            progress(len(texts), len(texts))
        return sp.csr_array(np.array(counts, np.float32).reshape(len(texts), 26))

    def encode_queries(self, texts: Any, *, progress: Any = None) -> sp.csr_array:
        return self.encode_documents(texts, progress=progress) * np.float32(2)

    def terms(self, ids: Any) -> list[str]:
        return [chr(97 + letter) for letter in ids]


def test_an_encoder_that_prunes() -> None:
    encoder = Pruned(Letters(), document_mass=0.8, document_terms=2, query_terms=1)
    assert isinstance(encoder, Encoder)
    texts = ["aaabbc", "ddddde", ""]
    assert rows_of(encoder.encode_documents(texts)) == [{0: 3.0, 1: 2.0}, {3: 5.0}, {}]
    assert rows_of(encoder.encode_queries(texts)) == [{0: 6.0}, {3: 10.0}, {}]
    for text, row in zip(texts, rows_of(encoder.encode_documents(texts)), strict=True):
        assert rows_of(encoder.encode_documents([text])) == [row]
    assert rows_of(Pruned(Letters(), query_mass=0.5).encode_documents(["abc"])) == [{0: 1.0, 1: 1.0, 2: 1.0}]
    assert (encoder.n_terms, encoder.terms([0, 2])) == (26, ["a", "c"])
    progress = Recorded()
    encoder.encode_queries(texts, progress=progress)
    progress.assert_rises_to(3)


def test_fingerprints_tell_what_is_kept() -> None:
    options: list[dict[str, Any]] = [
        {"document_mass": 0.5},
        {"document_mass": 0.6},
        {"query_mass": 0.5},
        {"document_terms": 5},
        {"query_terms": 5, "document_terms": 5},
    ]
    prints = [Pruned(Letters(), **one).fingerprint for one in options]
    assert len({*prints, "letters"}) == 6
    assert prints[4] == Pruned(Letters(), document_terms=np.int64(5), query_terms=5).fingerprint


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: keep_mass([{0: 1.0}], 0.0), ValueError, "fraction must be in (0, 1], got 0.0"),
        (lambda: keep_mass([{0: 1.0}], math.nan), ValueError, "fraction must be in (0, 1]"),
        (lambda: keep_mass([{0: 1.0}], "0.5"), TypeError, "fraction must be a number"),  # type: ignore[arg-type]
        (lambda: keep_mass([{0: 1.0}, {1: 1.0, 2: math.inf}], 0.5), ValueError, "row 1, term 2 has the weight inf"),
        (lambda: keep_mass("text", 0.5), TypeError, "vectors"),
        (lambda: keep_terms([{0: 1.0}], 0), ValueError, "n must be >= 1, got 0"),
        (lambda: keep_postings([{0: 1.0}], 1.5), TypeError, "n must be a whole number"),  # type: ignore[arg-type]
        (lambda: keep_best([{0: 1.0}], [1.0], 1.0), ValueError, "drop must be in [0, 1), got 1.0"),
        (lambda: keep_best([{0: 1.0}], [1.0, 2.0], 0.5), ValueError, "for each of 1 rows, got shape (2,)"),
        (lambda: keep_best([{0: 1.0}], [math.nan], 0.5), ValueError, "quality: row 0 has nan"),
        (lambda: keep_best([{0: 1.0}], ["good"], 0.5), TypeError, "quality must be numbers"),
        (lambda: Pruned(Letters()), ValueError, "nothing is to be pruned"),
        (lambda: Pruned(Letters(), query_mass=2), ValueError, "query_mass must be in (0, 1]"),
        (lambda: Pruned(Letters(), document_terms=0), ValueError, "document_terms must be >= 1"),
    ],
)
def test_what_is_wrong(call: Any, error: type[Exception], words: str) -> None:
    with expect(error, words):
        call()


def test_an_equal_encoder_is_made_of_its_configuration() -> None:
    encoder = Pruned(WordImpacts(), document_mass=0.5, query_terms=3)
    same = from_config(json.loads(json.dumps(encoder.config)))
    assert isinstance(same, Pruned)
    assert (same.fingerprint, same.config) == (encoder.fingerprint, encoder.config)
    with pytest.raises(ValueError, match="'mass' is nothing that a pruned encoder has"):
        from_config({"kind": "pruned", "encoder": WordImpacts().config, "mass": 0.5})
