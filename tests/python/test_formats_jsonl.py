from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import thresher
from helpers import same
from thresher import FormatError
from thresher.formats import jsonl
from thresher.formats._documents import joined_rows

vectors = st.dictionaries(st.text(max_size=4), st.floats(0, 2.0**100, width=32), max_size=5)


def saved(folder: Path, *records: object, name: str = "docs.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records))
    return path


def record(name: object = "a", **vector: object) -> dict[str, object]:
    return {"id": name, "contents": "ignored", "vector": vector}


def test_words_get_columns_by_first_appearance(tmp_path: Path) -> None:
    seismic = {"id": "d3", "content": "ignored", "vector": {"fast": 1, "2023": 4}}
    path = saved(tmp_path, record("d1", car=2, fast=1.5), record("d2"), seismic)
    documents = jsonl.read_documents(path)
    assert documents.ids == ["d1", "d2", "d3"]
    assert documents.vocabulary == {"car": 0, "fast": 1, "2023": 2}
    assert documents.matrix.dtype == np.float32
    np.testing.assert_array_equal(documents.matrix.toarray(), [[2, 1.5, 0], [0, 0, 0], [0, 1, 4]])


def test_whole_numbers_are_the_columns(tmp_path: Path) -> None:
    path = saved(tmp_path, {"id": 7, "vector": {"3": 1, "0": 2}}, {"id": "8", "vector": {"4294967294": 5}})
    documents = jsonl.read_documents(path)
    assert documents.vocabulary is None
    assert documents.ids == ["7", "8"]
    assert documents.matrix.shape == (2, 2**32 - 1)
    assert documents.matrix[0, 3] == 1
    assert documents.matrix[0, 0] == 2
    assert documents.matrix[1, 2**32 - 2] == 5


@pytest.mark.parametrize("word", ["01", "-1", "4294967295", "1.0", "", "٣"])
def test_one_term_that_is_no_column_makes_all_of_them_words(tmp_path: Path, word: str) -> None:
    documents = jsonl.read_documents(saved(tmp_path, {"id": "a", "vector": {"7": 1, word: 2}}))
    assert documents.vocabulary == {"7": 0, word: 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(vectors, max_size=6))
def test_every_weight_arrives(tmp_path: Path, collection: list[dict[str, float]]) -> None:
    path = saved(tmp_path, *({"id": str(row), "vector": vector} for row, vector in enumerate(collection)))
    documents = jsonl.read_documents(path)
    assert documents.matrix.shape[0] == len(collection)
    for row, vector in enumerate(collection):
        columns = documents.vocabulary or {term: int(term) for term in vector}
        expected = {columns[term]: weight for term, weight in vector.items() if weight}
        start, stop = documents.matrix.indptr[row : row + 2]
        entries = zip(documents.matrix.indices[start:stop], documents.matrix.data[start:stop], strict=True)
        assert {column: weight for column, weight in entries if weight} == expected


def test_an_empty_file(tmp_path: Path) -> None:
    documents = jsonl.read_documents(saved(tmp_path))
    assert documents.matrix.shape == (0, 0)
    assert documents.ids == []


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "vector": {"x": 1}}\r\n\r\n  \n{"id": "b", "vector": {}}')
    assert jsonl.read_documents(path).ids == ["a", "b"]


def test_gzip(tmp_path: Path) -> None:
    plain = saved(tmp_path, record("a", x=1), record("b", y=2)).read_bytes()
    packed = tmp_path / "docs.jsonl.gz"
    packed.write_bytes(gzip.compress(plain))
    assert jsonl.read_documents(packed).ids == ["a", "b"]
    packed.write_bytes(gzip.compress(plain)[:-10])
    with pytest.raises(FormatError, match=r"docs\.jsonl\.gz: after line \d+: not a whole gzip file"):
        jsonl.read_documents(packed)
    packed.write_bytes(plain)
    with pytest.raises(FormatError, match="after line 0: not a whole gzip file"):
        jsonl.read_documents(packed)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "b", "vector": {"x": 1}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("nonsense", "not JSON"),
        ("[1, 2]", "expected an object, got an array"),
        ("3", "expected an object, got a number"),
        ('{"vector": {}}', '"id" must be a string or a whole number, got nothing'),
        ('{"id": true, "vector": {}}', "got a truth value"),
        ('{"id": 1.5, "vector": {}}', "got a number"),
        ('{"id": "b"}', '"vector" must be an object of weights by term, got nothing'),
        ('{"id": "b", "vector": [1]}', "got an array"),
        ('{"id": "b", "vector": {"x": "1"}}', "term 'x' has the weight '1', not a number"),
        ('{"id": "b", "vector": {"x": true}}', "term 'x' has the weight True"),
        ('{"id": "b", "vector": {"x": null}}', "term 'x' has the weight None"),
        ('{"id": "b", "vector": {"x": NaN}}', "term 'x' has weight nan"),
        ('{"id": "b", "vector": {"x": Infinity}}', "term 'x' has weight inf"),
        ('{"id": "b", "vector": {"x": 1e39}}', r"term 'x' has weight 1e\+39"),
        ('{"id": "b", "vector": {"x": 1' + "0" * 400 + "}}", "term 'x' has weight inf"),
        ('{"id": "b", "vector": {"x": -1e39}}', r"term 'x' has weight -1e\+39"),
        ('{"id": "a", "vector": {}}', "id 'a' was used on line 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = saved(tmp_path, record("a", x=1), "", line, record("c", x=1))
    with pytest.raises(FormatError, match=rf"docs\.jsonl: line 3: .*{message}"):
        jsonl.read_documents(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "docs.jsonl").write_bytes(b'{"id": "\xff\xfe", "vector": {}}\n')
    with pytest.raises(FormatError, match="line 1: not JSON"):
        jsonl.read_documents(tmp_path / "docs.jsonl")


def test_queries_use_the_words_of_the_collection(tmp_path: Path) -> None:
    path = saved(tmp_path, record("q1", car=2, boat=1), record("q1", boat=1), record("q2", fast=-3, car=1))
    queries = jsonl.read_queries(path, vocabulary={"car": 0, "fast": 1}, n_terms=4)
    assert queries.ids == ["q1", "q1", "q2"]
    assert queries.n_unknown == 2
    np.testing.assert_array_equal(queries.matrix.toarray(), [[2, 0, 0, 0], [0, 0, 0, 0], [1, -3, 0, 0]])


def test_queries_in_column_numbers(tmp_path: Path) -> None:
    path = saved(tmp_path, {"id": 1, "vector": {"2": 1, "3": 1, "word": 1, "0": 5}})
    queries = jsonl.read_queries(path, vocabulary=None, n_terms=3)
    assert queries.n_unknown == 2
    np.testing.assert_array_equal(queries.matrix.toarray(), [[5, 0, 1]])


def test_queries_that_are_not_finite(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="line 1: term 'x' has weight -inf"):
        jsonl.read_queries(saved(tmp_path, '{"id": 1, "vector": {"x": -Infinity}}'), vocabulary=None, n_terms=3)


def test_progress_ends_with_every_byte(tmp_path: Path) -> None:
    path = saved(tmp_path, *(record(str(row), x=1) for row in range(3000)))
    calls: list[tuple[int, int]] = []
    jsonl.read_documents(path, progress=lambda done, total: calls.append((done, total)))
    size = path.stat().st_size
    assert len(calls) > 2
    assert calls == sorted(calls)
    assert calls[-1] == (size, size)


def test_a_term_that_is_there_twice_counts_as_the_sum_as_in_arrays(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"id": "a", "vector": {"cat": 1, "dog": 4, "c\\u0061t": 2}}\n{"id": "b", "vector": {"cat": 1}}\n')
    documents = jsonl.read_documents(path)
    assert documents.vocabulary == {"cat": 0, "dog": 1}
    assert documents.matrix.toarray().tolist() == [[3, 4], [1, 0]]
    queries = jsonl.read_queries(path, vocabulary=documents.vocabulary, n_terms=2)
    arrays = (np.array([0, 3, 4]), np.array([0, 1, 0, 0]), np.array([1, 4, 2, 1], np.float32))
    expected = thresher.ExactIndex.build(arrays, shape=(2, 2)).search(arrays, 2, shape=(2, 2))
    assert same(thresher.ExactIndex.build(documents.matrix).search(queries.matrix, 2), expected)


@pytest.mark.parametrize("key", ["id", "vector"])
def test_a_record_with_two_ids_or_vectors_is_none(tmp_path: Path, key: str) -> None:
    path = tmp_path / "docs.jsonl"
    twice = {"id": '"id": "b"', "vector": '"vector": {"x": 2}'}[key]
    path.write_text(f'{{"id": "a", "vector": {{"x": 1}}, {twice}}}\n')
    with pytest.raises(FormatError, match=rf'docs\.jsonl: line 1: "{key}" is there twice'):
        jsonl.read_documents(path)
    path.write_text('{"id": "a", "vector": {"x": 1}, "contents": 1, "contents": {"y": 1, "y": 2}}\n')
    assert jsonl.read_documents(path).matrix.nnz == 1


def test_weights_of_a_repeated_term_are_checked_each(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"id": "a", "vector": {"x": -1, "x": 2}}\n')
    with pytest.raises(FormatError, match=r"line 1: term 'x' has weight -1\.0"):
        jsonl.read_documents(path, allow_negative=False)


def test_words_are_told_where_terms_are_numbers(tmp_path: Path) -> None:
    path = saved(tmp_path, record("a", **{"7": 1}), record("b", **{"1": 1, "cat": 2, "dog": 1}))
    assert jsonl.read_queries(path, vocabulary=None, n_terms=3).word == (2, "cat")
    assert jsonl.read_queries(path, vocabulary={"1": 0}, n_terms=3).word is None


@pytest.mark.parametrize("word_at", [None, 0, 5000, 9999])
def test_documents_come_in_pieces_and_again_if_a_term_is_a_word_after_all(tmp_path: Path, word_at: int | None) -> None:
    records = [record(f"d{n}", **{str(n % 70): 1.0, str(900 + n % 3): 0.5}) for n in range(10_000)]
    if word_at is not None:
        records[word_at] = record("word", boat=2.0, **{"7": 1.0})
    path = saved(tmp_path, *records)
    n_pieces: list[int] = []

    def consume(stream: jsonl.Pieces) -> jsonl.Documents:
        n_pieces.append(0)
        parts = []
        for part in stream:
            n_pieces[-1] += 1
            parts.append(part)
        return jsonl.Documents(joined_rows(parts, stream.n_terms), stream.ids, stream.vocabulary)

    read = jsonl.consume_documents(path, consume)
    assert n_pieces == ([3] if word_at is None else [max(0, word_at // 4096), 3])
    whole = jsonl.read_documents(path)
    assert (read.matrix != whole.matrix).nnz == 0
    assert read.matrix.shape == whole.matrix.shape
    assert (read.ids, read.vocabulary) == (whole.ids, whole.vocabulary)
    if word_at is None:
        assert read.vocabulary is None
        assert read.matrix.shape == (10_000, 903)
    else:
        terms = dict.fromkeys(term for one in records for term in one["vector"])  # type: ignore[attr-defined]
        assert read.vocabulary == {term: column for column, term in enumerate(terms)}
