"""Word impacts as an encoder."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

import thresher
from thresher.collection import Collection
from thresher.encoders import CustomTokenizer, Encoder, Tokenizer, WordImpacts, entity, from_config, read_impacts

ROWS = st.lists(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 1000).map(lambda n: n / 8), max_size=4)
)


def as_dicts(encoder: WordImpacts, rows: sp.csr_array) -> list[dict[str, float]]:
    assert rows.dtype == np.float32
    assert rows.has_canonical_format
    words = encoder.terms(np.arange(rows.shape[1]))
    return [
        {words[term]: float(weight) for term, weight in zip(rows[[row]].indices, rows[[row]].data, strict=True)}
        for row in range(rows.shape[0])
    ]


@given(ROWS, ROWS)
def test_weights_are_as_they_came(documents: list[dict[str, float]], queries: list[dict[str, float]]) -> None:
    encoder = WordImpacts()
    found = as_dicts(encoder, encoder.encode_documents(documents))
    assert found == [{word: weight for word, weight in row.items() if weight} for row in documents]
    found = as_dicts(encoder, encoder.encode_queries(queries))
    assert found == [{word: weight for word, weight in row.items() if weight} for row in queries]


def test_it_is_an_encoder() -> None:
    encoder = WordImpacts()
    assert isinstance(encoder, Encoder)
    assert encoder.n_terms is None
    assert encoder.encode_documents([]).shape == (0, 0)
    lines: list[Any] = ['{"id": 1, "vector": {"cat": 2}}', "dog: 1.5, cat: 1", {"mat": 1, entity("Q146"): 3}, ""]
    found = as_dicts(encoder, encoder.encode_documents(lines))
    assert found == [{"cat": 2}, {"dog": 1.5, "cat": 1}, {"mat": 1, "entity␟Q146": 3}, {}]


def test_words_of_a_query_weigh_one() -> None:
    encoder = WordImpacts()
    assert as_dicts(encoder, encoder.encode_queries(["The CAT, the cats", "", {"dog": 0.5}])) == [
        {"the": 1, "cat": 1, "cats": 1}, {}, {"dog": 0.5},
    ]  # fmt: skip
    stems = WordImpacts("en", stop_words=True, stem=True)
    assert as_dicts(stems, stems.encode_queries(["The CAT, the cats"])) == [{"cat": 1}]
    own = WordImpacts(tokenizer=CustomTokenizer(list, "letters"))
    assert as_dicts(own, own.encode_queries(["abca"])) == [{"a": 1, "b": 1, "c": 1}]


def test_a_file_and_a_search(tmp_path: Path) -> None:
    (tmp_path / "docs.jsonl").write_text(
        '{"id": "a", "vector": {"cat": 2, "mat": 1}}\n{"id": "b", "vector": {"cat": 3}, "entities": {"Q146": 4}}\n'
    )
    names, weights = zip(*read_impacts(tmp_path / "docs.jsonl"), strict=True)
    encoder = WordImpacts()
    index = thresher.PostingsIndex.build(encoder.encode_documents(weights), names=names)
    queries = encoder.encode_queries(["cat on a mat", {"cat": 1.0, entity("Q146"): 1.0}])
    hits = index.search(queries, k=2, unknown_terms="ignore")
    assert hits.to_dicts(ids=index.names) == [
        [{"id": "a", "score": 3.0}, {"id": "b", "score": 3.0}], [{"id": "b", "score": 7.0}, {"id": "a", "score": 2.0}],
    ]  # fmt: skip


def test_a_collection_takes_the_weights(tmp_path: Path) -> None:
    encoder = WordImpacts()
    rows = encoder.encode_documents([{"cat": 2, "mat": 1}, {"cat": 3, entity("Q146"): 4}])
    with Collection.create(tmp_path / "c", words=True) as collection:
        collection.upsert(["a", "b"], as_dicts(encoder, rows))
        assert collection.search([{entity("Q146"): 1.0}], 1).ids.tolist() == [["b"]]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([{"a": 1}, {"cat": -1}], r"texts\[1\]: the weight of 'cat' must be >= 0"),
        ([{"a": 1}, "the cat"], r"texts\[1\]: is no line of word impacts"),
        ([3], r"texts\[0\]: must be a dict of weights or a line of a file, got int"),
        ({"cat": 1}, r"texts\[0\]: is no line"),
        ("cat: 1", "texts must be a sequence of str, got str"),
    ],
)
def test_documents_that_are_none(documents: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        WordImpacts().encode_documents(documents)


def test_queries_that_are_none() -> None:
    cases: list[tuple[list[Any], str]] = [
        (["a", 3], r"texts\[1\] must be a str or a dict of weights, got int"),
        (["a", "\ud800"], r"texts\[1\] has half a surrogate pair"),
        ([{"a": "b"}], r"texts\[0\]: the weight of 'a' must be a number"),
    ]
    for queries, message in cases:
        with pytest.raises((TypeError, ValueError), match=message):
            WordImpacts().encode_queries(queries)


def test_a_wrong_piece_names_the_place_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.encoders.counting.AT_ONCE", 2)
    seen: list[tuple[int, int]] = []
    encoder = WordImpacts()
    encoder.encode_documents([{"a": 1}] * 3, progress=lambda done, n: seen.append((done, n)))
    assert seen == [(2, 3), (3, 3)]
    with pytest.raises(ValueError, match=r"texts\[4\]: "):
        encoder.encode_documents([{"a": 1}] * 4 + [{"a": -1}])


def test_configured_and_pickled() -> None:
    encoder = WordImpacts("de", stop_words=["der"], stem=True)
    same = from_config(json.loads(json.dumps(encoder.config)))
    assert isinstance(same, WordImpacts)
    assert (same.fingerprint, same.config) == (encoder.fingerprint, encoder.config)
    encoder.encode_documents([{"b": 1, "a": 2}])
    pickled = pickle.loads(pickle.dumps(encoder))
    assert pickled.fingerprint == encoder.fingerprint
    assert pickled.terms([0, 1]) == ["b", "a"]
    assert WordImpacts(tokenizer=CustomTokenizer(list, "letters")).config is None
    assert WordImpacts(tokenizer=Tokenizer("de", stop_words=["der"])).fingerprint == encoder.fingerprint
    assert WordImpacts().fingerprint != encoder.fingerprint
    with pytest.raises(ValueError, match="'k1' is nothing that word impacts have"):
        from_config({"kind": "impacts", "k1": 1.2})
