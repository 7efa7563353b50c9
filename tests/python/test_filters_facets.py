"""Facets against counting payload by payload."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import filter_cases as cases
from filter_cases import FIELDS
from helpers import expect
from thresher.collection.filters import Columns, evaluate, facet, parse
from thresher.collection.filters.fields import value_of


@given(st.lists(cases.payloads, max_size=8), st.sampled_from([1, 20]), cases.filters([*FIELDS]))
def test_as_counted_by_hand(drawn: list[dict[str, Any]], repeats: int, where: dict[str, Any]) -> None:
    payloads = drawn * repeats
    columns = Columns.of(FIELDS, payloads)
    for documents in (None, evaluate(parse(where), columns, len(payloads))):
        chosen = [
            number
            for number in range(len(payloads))
            if documents is None or int(documents[number // 64]) >> number % 64 & 1
        ]
        for field, kind in FIELDS.items():
            counts: Counter[Any] = Counter()
            for number in chosen:
                value = value_of(payloads[number], field, kind)
                counts.update(set(value) if isinstance(value, list) else [] if value is None else [value])
            found = facet(columns, field, documents)
            assert found == counts
            assert list(found) == sorted(counts, key=lambda value: (-counts[value], value))
            assert all(type(value) in (str, int, float, bool) for value in found)


def test_what_is_refused() -> None:
    columns = Columns.of({"lang": "keyword"}, [{}])
    with expect(ValueError, "'year' is not a declared field; there are: lang"):
        facet(columns, "year")
    for bits in (np.zeros(2, np.uint64), np.array([2], np.uint64)):
        with pytest.raises(ValueError, match=r"documents: . words are not a bit for each of 1 documents"):
            facet(columns, "lang", bits)
