"""Hashed phrases beside another encoder's terms."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from helpers import run_python
from thresher.encoders import BM25Encoder, CustomTokenizer, Encoder, HashedPhrases, Tokenizer, WordImpacts, from_config
from thresher.encoders.hashing import hash_ngrams, hash_words

SPLIT = CustomTokenizer(str.split, "split")
TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=8).map(" ".join), max_size=5)


class Letters:
    """An encoder of a fixed vocabulary: how often each of 26 letters is in a text."""

    n_terms = 26
    fingerprint = "letters"
    config = None

    def encode_documents(self, texts: Sequence[str], *, progress: Any = None) -> sp.csr_array:
        rows = [[text.count(chr(97 + letter)) for letter in range(26)] for text in texts]
        return sp.csr_array(np.array(rows, np.float64).reshape(len(texts), 26))

    encode_queries = encode_documents

    def terms(self, ids: Any) -> list[str]:
        return [chr(97 + letter) for letter in np.asarray(ids).tolist()]


def bucket(phrase: tuple[str, ...], bits: int) -> str:
    hashed = hash_ngrams(hash_words(phrase), np.array([0, len(phrase)]), len(phrase))[0][0]
    return f"phrase␟{len(phrase)}:{int(hashed) >> (64 - bits):0{(bits + 3) // 4}x}"


def as_dicts(encoder: Encoder, rows: sp.csr_array) -> list[dict[str, float]]:
    assert rows.dtype == np.float32
    assert rows.has_canonical_format
    words = encoder.terms(rows.indices)
    return [
        {word: float(weight) for word, weight in zip(words[begin:end], rows.data[begin:end], strict=True)}
        for begin, end in zip(rows.indptr, rows.indptr[1:], strict=False)
    ]


def phrases_of(text: str, sizes: Sequence[int], bits: int) -> Counter[str]:
    words = text.split()
    return Counter(bucket(tuple(words[at : at + size]), bits) for size in sizes for at in range(len(words) - size + 1))


@given(TEXTS, st.sampled_from([(2,), (3,), (2, 3)]), st.sampled_from([8, 12, 24, 31]))
def test_phrases_stand_beside_the_terms(texts: list[str], sizes: tuple[int, ...], bits: int) -> None:
    growing = BM25Encoder(tokenizer=SPLIT).fit(texts)
    if bits == 31 and len(sizes) > 1:
        bits = 30
    for inner in (growing, Letters()):
        encoder = HashedPhrases(inner, sizes=sizes, bits=bits, weight=0.5, tokenizer=SPLIT)
        assert isinstance(encoder, Encoder)
        assert encoder.n_terms == (None if inner is growing else 26 + (len(sizes) << bits))
        for documents in (True, False):
            encode = "encode_documents" if documents else "encode_queries"
            found = as_dicts(encoder, getattr(encoder, encode)(texts))
            alone = as_dicts(inner, getattr(inner, encode)(texts).astype(np.float32))
            assert len(found) == len(texts)
            for text, row, own in zip(texts, found, alone, strict=True):
                phrases = phrases_of(text, sizes, bits)
                weights = {name: 1 + math.log(n) if documents else 0.5 for name, n in phrases.items()}
                assert row == pytest.approx({**own, **weights}, rel=1e-6)


def test_documents_with_the_phrase_come_first() -> None:
    documents = ["a new york wall", "york has a new wall"]
    encoder = HashedPhrases(BM25Encoder().fit(documents))
    without = BM25Encoder().fit(documents)
    query = ["new york"]
    scores = (encoder.encode_documents(documents) @ encoder.encode_queries(query).T).toarray().ravel()
    plain = (without.encode_documents(documents) @ without.encode_queries(query).T).toarray().ravel()
    np.testing.assert_allclose(scores - plain, [1, 0], atol=1e-6)


def test_stop_words_are_no_part_of_a_phrase() -> None:
    encoder = HashedPhrases(WordImpacts(), tokenizer=Tokenizer("en"))
    query, same = encoder.encode_queries(["wall of the city", "walls in cities"])[[0, 1]].toarray() > 0
    names = np.array(encoder.terms(np.arange(query.size)))
    shared = names[query & same].tolist()
    assert [name.partition("␟")[0] for name in shared] == ["phrase"]


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a b c", "", "b c d", "d", "a b a b"]
    whole = HashedPhrases(Letters(), tokenizer=SPLIT).encode_documents(texts)
    monkeypatch.setattr("thresher.encoders.counting.AT_ONCE", 2)
    seen: list[tuple[int, int]] = []
    encoder = HashedPhrases(Letters(), tokenizer=SPLIT)
    parts = encoder.encode_documents(texts, progress=lambda done, n: seen.append((done, n)))
    assert (parts != whole).nnz == 0
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert encoder.encode_documents([]).shape == (0, 26 + (1 << 24))
    growing = HashedPhrases(BM25Encoder(tokenizer=SPLIT).fit(texts))
    assert growing.encode_documents(["a b"]).shape == (1, 3)
    assert growing.encode_documents(["c d"]).shape == (1, 6)
    with pytest.raises(TypeError, match=r"texts\[3\] must be a str"):
        encoder.encode_queries(["a", "b", "c", 3])  # type: ignore[list-item]


def test_every_process_hashes_alike() -> None:
    code = """
from thresher.encoders import BM25Encoder, HashedPhrases
encoder = HashedPhrases(BM25Encoder().fit(["new york city"]))
print(encoder.terms(encoder.encode_documents(["new york city"]).indices))
"""
    outputs = {run_python(code, PYTHONHASHSEED=seed).stdout for seed in ("1", "2")}
    assert outputs == {"['new', 'york', 'citi', 'phrase␟2:bbd87e', 'phrase␟2:f02fc8']\n"}


@pytest.mark.parametrize(
    "encoder",
    [
        HashedPhrases(WordImpacts(), sizes=[3, 2, 2], bits=12, weight=0.25, tokenizer=Tokenizer("de")),
        HashedPhrases(WordImpacts("en")),
        HashedPhrases(HashedPhrases(BM25Encoder("fr")), sizes=[4]),
    ],
)
def test_configured(encoder: HashedPhrases) -> None:
    same = from_config(json.loads(json.dumps(encoder.config)))
    assert isinstance(same, HashedPhrases)
    assert (same.fingerprint, same.config, same.sizes) == (encoder.fingerprint, encoder.config, encoder.sizes)
    assert pickle.loads(pickle.dumps(encoder)).fingerprint == encoder.fingerprint


def test_no_configuration_without_one_inside() -> None:
    assert HashedPhrases(Letters()).config is None
    assert HashedPhrases(WordImpacts(), tokenizer=SPLIT).config is None
    with pytest.raises(ValueError, match="'size' is nothing that hashed phrases have"):
        from_config({"kind": "phrases", "encoder": WordImpacts().config, "size": 2})
    with pytest.raises(ValueError, match=r"kind must be one of bm25, .*phrases, .*got None"):
        from_config({"kind": "phrases"})


def test_fingerprints_differ() -> None:
    encoders: list[Encoder] = [
        HashedPhrases(WordImpacts()), HashedPhrases(WordImpacts(), sizes=[3]), HashedPhrases(WordImpacts(), bits=20),
        HashedPhrases(WordImpacts(), weight=2), HashedPhrases(WordImpacts("de")), HashedPhrases(Letters()),
        HashedPhrases(WordImpacts(), tokenizer=SPLIT), WordImpacts(),
    ]  # fmt: skip
    assert len({encoder.fingerprint for encoder in encoders}) == len(encoders)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sizes": []}, ValueError, "sizes must have at least one"),
        ({"sizes": [1]}, ValueError, "sizes must be 2 to 16, got 1"),
        ({"sizes": [2.5]}, TypeError, "sizes must be whole numbers, got 2.5"),
        ({"bits": 7}, ValueError, "bits must be 8 to 31, got 7"),
        ({"bits": "8"}, TypeError, "bits must be whole numbers, got '8'"),
        ({"bits": 31, "sizes": [2, 3]}, ValueError, "bits: 4294967322 terms are more than there can be, 4294967295"),
        ({"weight": 0}, ValueError, "weight must be > 0 and finite, got 0"),
        ({"weight": math.nan}, ValueError, "weight must be > 0 and finite, got nan"),
        ({"weight": "1"}, TypeError, "weight must be a number, got '1'"),
        ({"tokenizer": str.split}, TypeError, "tokenizer must be a Tokenizer"),
    ],
)
def test_parameters_that_are_none(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        HashedPhrases(Letters(), **arguments)


def test_what_is_no_encoder_and_no_term() -> None:
    with pytest.raises(TypeError, match="encoder must be an Encoder, got str"):
        HashedPhrases("bm25")  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="there is no term 16777242: they are 16777242"):
        HashedPhrases(Letters()).terms([0, 26 + (1 << 24)])
    assert HashedPhrases(Letters()).terms([26, 0, 27]) == ["phrase␟2:000000", "a", "phrase␟2:000001"]
