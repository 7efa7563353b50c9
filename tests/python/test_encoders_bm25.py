"""The BM25 encoder: scores of bm25s over real texts, and an encoder that is kept."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import pytest

import thresher
from text_cases import passages
from thresher.encoders import BM25Encoder, CustomTokenizer, Encoder, TextStatistics, Tokenizer, from_config
from thresher.encoders.formula import Method
from thresher.encoders.tokenizing.tokenizer import TokenizerLike

N_DOCS = 20_000
QUERIES = [
    "least recently used cache", "multiply a sparse matrix by a vector", "file", "the file of the file", "exception",
    "walk a directory tree and return the names of files", "zzzunknown", "", "return returns returned", "self value",
]  # fmt: skip
TEXTS = ["A cat sat on the mat.", "Dogs chase cats, and cats chase mice.", "Bread and butter.", "", "the of"]


@pytest.mark.parametrize(
    ("method", "k1", "b", "delta"),
    [
        ("lucene", 1.2, 0.75, 0.5), ("lucene", 0.9, 0.4, 0.5), ("robertson", 1.2, 0.75, 0.5), ("atire", 2.0, 1.0, 0.5),
        ("bm25+", 1.2, 0.75, 1.0), ("bm25l", 1.2, 0.75, 0.5), ("bm25l", 1.5, 0.3, 1.5), ("lucene", 1.2, 0.0, 0.5),
    ],
)  # fmt: skip
def test_scores_and_ranking_are_those_of_bm25s(method: Method, k1: float, b: float, delta: float) -> None:
    texts = passages(N_DOCS)
    encoder = BM25Encoder(method=method, k1=k1, b=b, delta=delta).fit(texts)
    documents, queries = encoder.encode_documents(texts), encoder.encode_queries(QUERIES)
    ours = (queries @ documents.T).toarray()
    theirs = bm25s.BM25(method=method, k1=k1, b=b, delta=delta)
    theirs.index([encoder.tokenizer(text) for text in texts], show_progress=False)
    found = 0
    for query, mine in zip(QUERIES, ours, strict=True):
        known = [term for term in encoder.tokenizer(query) if term in theirs.vocab_dict]
        wanted = theirs.get_scores(known) if known else np.zeros(N_DOCS, np.float32)
        constant = 0.0
        if method in ("bm25+", "bm25l"):  # what a document has that has none of the words
            constant = float(sum(theirs.nonoccurrence_array[theirs.vocab_dict[term]] for term in known))
        np.testing.assert_allclose(mine, wanted - constant, atol=1e-4)
        np.testing.assert_allclose(wanted[np.argsort(-mine)], np.sort(wanted)[::-1], atol=1e-4)
        found += int(np.count_nonzero(mine))
    assert found > N_DOCS // 2


def test_an_index_finds_what_the_product_does() -> None:
    texts = passages(2000)
    encoder = BM25Encoder().fit(texts)
    documents, queries = encoder.encode_documents(texts), encoder.encode_queries(QUERIES)
    hits = thresher.PostingsIndex.build(documents).search(queries, k=10)
    best = np.sort((queries @ documents.T).toarray(), axis=1)[:, ::-1][:, :10]
    np.testing.assert_allclose(np.where(np.isfinite(hits.scores), hits.scores, 0), best, atol=1e-5)


def test_it_is_an_encoder() -> None:
    encoder = BM25Encoder().fit(TEXTS)
    assert isinstance(encoder, Encoder)
    assert encoder.n_terms is None
    matrix = encoder.encode_documents(TEXTS)
    assert (matrix.dtype, matrix.shape) == (np.float32, (5, 8))
    assert matrix.has_canonical_format
    assert encoder.terms(np.arange(8)) == ["cat", "sat", "mat", "dog", "chase", "mice", "bread", "butter"]
    assert np.diff(matrix.indptr).tolist() == [3, 4, 2, 0, 0]
    with pytest.raises(IndexError, match="there is no term 99"):
        encoder.terms([99])


def test_batches_and_order_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = passages(300)
    encoder = BM25Encoder().fit(texts)
    whole = encoder.encode_documents(texts)
    one_by_one = [encoder.encode_documents([text]) for text in reversed(texts)]
    for row, alone in zip(reversed(range(300)), one_by_one, strict=True):
        assert (whole[[row]] != alone).nnz == 0
    monkeypatch.setattr("thresher.encoders.counting.AT_ONCE", 7)
    in_pieces = BM25Encoder().fit(iter(texts))
    assert in_pieces.statistics == encoder.statistics
    assert (in_pieces.encode_documents(texts) != whole).nnz == 0
    assert (in_pieces.encode_queries(texts) != encoder.encode_queries(texts)).nnz == 0


def test_words_that_the_corpus_does_not_have() -> None:
    encoder = BM25Encoder().fit(TEXTS)
    n_words = len(encoder.statistics.document_frequencies)  # type: ignore[union-attr]
    assert encoder.encode_queries(["zebra unicorn"]).shape == (1, n_words)
    new = encoder.encode_documents(["zebra cat"])
    assert new.shape == (1, n_words + 1)
    assert sorted(encoder.terms(new.indices)) == ["cat", "zebra"]
    # Documents may be encoded in any order: a query has no weight for what the corpus lacks.
    query = encoder.encode_queries(["zebra cat"])
    assert encoder.terms(query.indices) == ["cat"]
    assert query.shape == (1, n_words + 1)


def test_texts_without_words() -> None:
    encoder = BM25Encoder().fit(["", "the of and", "\n\t ", "!?"])
    assert encoder.statistics == TextStatistics(4, 0)
    assert encoder.encode_documents(["", "the", "cat"]).nnz == 1
    assert encoder.encode_queries(["", "the", "cat"]).shape == (3, 1)
    nothing = BM25Encoder().fit([])
    assert nothing.encode_documents([]).shape == (0, 0)
    assert nothing.encode_documents(["cat"]).data.tolist() == pytest.approx([1 / 2.2])


def test_before_it_is_fitted() -> None:
    for call in (BM25Encoder().encode_documents, BM25Encoder().encode_queries, BM25Encoder().terms):
        with pytest.raises(ValueError, match=r"the encoder is not fitted: call fit\(texts\)"):
            call(["cat"])
    assert BM25Encoder().statistics is None
    assert BM25Encoder().count(["cat cat"]).frequencies.toarray().tolist() == [[2]]


@pytest.mark.parametrize("method", ["fit", "count", "encode_documents", "encode_queries"])
def test_texts_that_are_none(method: str) -> None:
    call: Any = getattr(BM25Encoder(statistics=TextStatistics.of(BM25Encoder().count(TEXTS))), method)
    with pytest.raises(TypeError, match="texts must be a sequence of str, got str"):
        call("a text")
    with pytest.raises(TypeError, match=r"texts\[1\] must be a str, got bytes; decode it first"):
        call(["a", b"text"])
    with pytest.raises(TypeError, match=r"texts\[0\] must be a str, got NoneType"):
        call([None])
    with pytest.raises(ValueError, match=r"texts\[2\] has half a surrogate pair, '\\udc80', at character 3"):
        call(["a", "é", "aé \udc80"])


def test_places_are_those_in_all_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.encoders.counting.AT_ONCE", 2)
    with pytest.raises(TypeError, match=r"texts\[4\] must be a str, got int"):
        BM25Encoder().fit(["a", "b", "c", "d", 5])  # type: ignore[list-item]


def test_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.encoders.counting.AT_ONCE", 2)
    seen: list[tuple[int, int]] = []
    encoder = BM25Encoder().fit(TEXTS, progress=lambda done, n: seen.append((done, n)))
    encoder.encode_queries(TEXTS, progress=lambda done, n: seen.append((done, n)))
    assert seen == [(2, 5), (4, 5), (5, 5)] * 2
    seen.clear()
    encoder.fit(iter(TEXTS), progress=lambda done, n: seen.append((done, n)))
    assert seen == [(2, 0), (4, 0), (5, 0)]


def test_a_fitting_that_is_ended_changes_nothing() -> None:
    encoder = BM25Encoder().fit(TEXTS)
    before = encoder.statistics

    def texts() -> Iterator[str]:
        yield "more"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.fit(texts())
    assert encoder.statistics is before


def test_a_megabyte_of_text() -> None:
    text = "cat dog " * 130_000 + "x" * 1_000_000 + " \N{GREEK SMALL LETTER ALPHA} " + "中" * 1000
    counts = BM25Encoder().count([text])
    assert dict(zip(counts.words, counts.frequencies.toarray()[0].tolist(), strict=True)) == {
        "cat": 130_000, "dog": 130_000, "x" * 255: 1, "\N{GREEK SMALL LETTER ALPHA}": 1, "中中": 999,
    }  # fmt: skip
    assert counts.lengths.tolist() == [260_000 + 1 + 1 + 999]


def same(one: BM25Encoder, other: BM25Encoder) -> bool:
    assert (one.fingerprint, one.config) == (other.fingerprint, other.config)
    assert one.statistics == other.statistics
    assert (one.encode_documents(TEXTS) != other.encode_documents(TEXTS)).nnz == 0
    assert (one.encode_queries(TEXTS) != other.encode_queries(TEXTS)).nnz == 0
    return True


@pytest.mark.parametrize(
    "encoder",
    [
        BM25Encoder(), BM25Encoder("german", method="bm25l", k1=0.9, b=0.4, delta=0.7), BM25Encoder(None),
        BM25Encoder(stop_words=["chase"], stem=False),
    ],
)  # fmt: skip
def test_pickled_saved_and_configured(encoder: BM25Encoder, tmp_path: Path) -> None:
    assert pickle.loads(pickle.dumps(encoder)).fingerprint == encoder.fingerprint
    made = from_config(json.loads(json.dumps(encoder.config)))
    assert isinstance(made, BM25Encoder)
    assert made.statistics is None
    encoder.fit(TEXTS)
    assert same(encoder, made.fit(TEXTS))
    assert same(encoder, pickle.loads(pickle.dumps(encoder)))
    encoder.save(tmp_path / "encoder")
    assert same(encoder, BM25Encoder.load(tmp_path / "encoder"))
    made = from_config(encoder.config or {})
    assert isinstance(made, BM25Encoder)
    made.save(tmp_path / "encoder")
    assert BM25Encoder.load(tmp_path / "encoder").statistics is None


def test_fingerprints_differ_where_vectors_do() -> None:
    encoders = [
        BM25Encoder(), BM25Encoder(k1=1.3), BM25Encoder(b=0.7), BM25Encoder(method="atire"), BM25Encoder("de"),
        BM25Encoder(stem=False), BM25Encoder(stop_words=False), BM25Encoder(None), BM25Encoder(method="bm25l"),
        BM25Encoder(method="bm25l", delta=0.6), BM25Encoder(tokenizer=CustomTokenizer(str.split, "split")),
    ]  # fmt: skip
    assert len({encoder.fingerprint for encoder in encoders}) == len(encoders)
    assert BM25Encoder("english").fingerprint == BM25Encoder("en", delta=0.9).fingerprint
    assert BM25Encoder().fit(TEXTS).fingerprint == BM25Encoder().fingerprint


def test_a_tokenizer_of_your_own(tmp_path: Path) -> None:
    encoder = BM25Encoder(tokenizer=CustomTokenizer(str.split, "split")).fit(["To be or", "not to be"])
    assert encoder.terms(range(4)) == ["To", "be", "or", "not"]
    assert encoder.config is None
    assert encoder.fingerprint.endswith(":custom:split")
    assert pickle.loads(pickle.dumps(encoder)).statistics == encoder.statistics
    with pytest.raises(ValueError, match="pickle it"):
        encoder.save(tmp_path / "encoder")
    with pytest.raises(TypeError, match=r"tokenizer must be a Tokenizer, or CustomTokenizer\(function, name\)"):
        BM25Encoder(tokenizer=str.split)  # type: ignore[arg-type]
    shared: TokenizerLike = Tokenizer("fr")
    assert BM25Encoder(tokenizer=shared).fingerprint == BM25Encoder("fr").fingerprint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a file of a BM25 encoder"),
        (b'{"format": "thresher BM25 encoder", "version": 2}', "of version 2, this reads 1"),
        (b'{"format": "thresher BM25 encoder", "version": 1}', "'config'"),
        (b'{"format": "thresher BM25 encoder", "version": 1, "config": {"k1": -1}, "statistics": null}', "k1 must be"),
        (
            (
                b'{"format": "thresher BM25 encoder", "version": 1, "config": {}, "statistics": {"n_docs": 1, '
                b'"total_length": 1, "document_frequencies": {"cat": 2}}}'
            ),
            "'cat' must have 1 to n_docs, 1, got 2",
        ),
    ],
)
def test_files_that_are_none(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "encoder").write_bytes(content)
    with pytest.raises(thresher.FormatError, match=message) as raised:
        BM25Encoder.load(tmp_path / "encoder")
    assert str(tmp_path / "encoder") in str(raised.value)
